//! Sets of Postfix versions as the fact tables write them: `3.5.24..3.5,3.6.14..3.6,3.9..`.
//!
//! A change that upstream carries into several stable branches has no single "since", so a fact is
//! bound to ranges. The text of the table is kept and read at each question: it is a few bytes long,
//! and most entries are never asked about.

use std::fmt;

use super::version::{Stage, Version};

/// A set of versions: ranges `FROM..TO`, separated by commas. Both ends belong to a range, an empty
/// end means no limit. `3.6` as FROM is 3.6.0 with its snapshots, as TO every patch level of 3.6.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VersionSet(&'static str);

impl VersionSet {
    /// The set that a column of a table holds; an empty text is the empty set.
    pub(in crate::instance) const fn new(text: &'static str) -> Self {
        Self(text)
    }

    /// Whether `version` is in the set.
    pub fn contains(self, version: Version) -> bool {
        self.ranges().any(|(from, to)| {
            from.is_none_or(|from| from <= version) && to.is_none_or(|to| version <= to)
        })
    }

    /// Whether no version is in the set.
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    /// The ranges, oldest first: (from, to), `None` for no limit. A FROM counts as a release, a TO
    /// that names a whole minor version as its patch level 65535.
    pub fn ranges(self) -> impl Iterator<Item = (Option<Version>, Option<Version>)> {
        self.0.split(',').filter_map(|range| {
            let (from, to) = range.split_once("..")?;
            Some((bound(from, 0)?, bound(to, u16::MAX)?))
        })
    }

    /// The first version of the newest branch of development that has it, for "needs Postfix 3.9 or
    /// later": where the last range begins. `None` if every version since before 2.10 is in the set.
    pub fn since(self) -> Option<Version> {
        let (from, _) = self.ranges().last()?;
        from.map(|from| Version {
            stage: Stage::Release,
            ..from
        })
    }

    /// Whether the text is well-formed and its ranges ascend without touching each other.
    #[cfg(test)]
    pub(in crate::instance) fn is_well_formed(self) -> bool {
        let written = self.0.split(',').count();
        let ranges: Vec<_> = self.ranges().collect();
        self.is_empty()
            || (ranges.len() == written
                && ranges
                    .iter()
                    .all(|(from, to)| from.is_none() || to.is_none() || from <= to)
                && ranges.windows(2).all(
                    |pair| matches!((pair[0].1, pair[1].0), (Some(to), Some(from)) if to < from),
                ))
    }
}

/// The outer `None` is a malformed bound, the inner one no limit.
fn bound(text: &str, patch: u16) -> Option<Option<Version>> {
    if text.is_empty() {
        return Some(None);
    }
    let mut members = text.split('.').map(|member| member.parse::<u16>().ok());
    let version = Version {
        major: members.next()??,
        minor: members.next()??,
        patch: match members.next() {
            Some(patch) => patch?,
            None => patch,
        },
        // A lower bound lets the snapshots and candidates in that lead to it.
        stage: if patch == 0 {
            Stage::Snapshot(0)
        } else {
            Stage::Release
        },
    };
    members.next().is_none().then_some(Some(version))
}

impl fmt::Display for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for VersionSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> Version {
        Version::parse(text).unwrap()
    }

    #[test]
    fn bounds_are_inclusive_and_per_branch() {
        let set = VersionSet::new("..2.11,3.5.24..3.5,3.9..");
        for inside in [
            "2.10.0",
            "2.11.11",
            "3.5.24",
            "3.5.99",
            "3.9",
            "3.9.0-RC1",
            "3.12-20260821",
        ] {
            assert!(set.contains(version(inside)), "{inside}");
        }
        for outside in ["3.0.0", "3.5.23", "3.6.0", "3.8.20"] {
            assert!(!set.contains(version(outside)), "{outside}");
        }
        assert_eq!(set.since().unwrap().to_string(), "3.9.0");
    }

    #[test]
    fn all_and_nothing() {
        assert!(VersionSet::new("..").contains(version("2.10.0")));
        assert_eq!(VersionSet::new("..").since(), None);
        assert!(!VersionSet::new("").contains(version("3.9.0")));
        assert!(VersionSet::new("").is_empty());
    }

    #[test]
    fn malformed_ranges_are_noticed() {
        for text in [
            "3.6",
            "3.x..",
            "3.6..3.5",
            "3.6..3.7,3.7.3..",
            "3.6..,3.7..",
            "1.2.3.4..",
        ] {
            assert!(!VersionSet::new(text).is_well_formed(), "{text}");
        }
        for text in ["", "..", "..3.3", "3.5.20..3.5,3.6.10..3.6,3.8.1.."] {
            assert!(VersionSet::new(text).is_well_formed(), "{text}");
        }
    }
}
