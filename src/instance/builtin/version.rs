//! Postfix versions: reading, order, and the releases that exist.

use std::fmt;

/// How far a version has come. Snapshots and release candidates precede the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// An experimental release of that date, `3.12-20260821` (as yyyymmdd).
    Snapshot(u32),
    /// A release candidate, `3.11.0-RC2`.
    Candidate(u16),
    /// A stable release.
    Release,
}

/// A version of Postfix, compared member by member: 3.9 < 3.10, and a snapshot of 3.12 is after all
/// of 3.11 and before 3.12.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The 3 of 3.7.11.
    pub major: u16,
    /// The 7 of 3.7.11.
    pub minor: u16,
    /// The 11 of 3.7.11; 0 for a snapshot.
    pub patch: u16,
    /// Release, or on the way to it.
    pub stage: Stage,
}

impl Version {
    /// The oldest version whose facts the tables hold.
    pub const OLDEST: Self = Self::release(2, 10, 0);
    /// The newest stable release that the tables know: what a configuration is judged by when nothing
    /// else decides.
    pub const NEWEST: Self = Self::release(3, 11, 6);

    /// A stable release.
    pub const fn release(major: u16, minor: u16, patch: u16) -> Self {
        Self {
            major,
            minor,
            patch,
            stage: Stage::Release,
        }
    }

    /// Reads what `postconf mail_version` prints: `3.7.11`, `3.9` (how 3.9.0 calls itself),
    /// `3.12-20260821`, `3.11.0-RC1`, each also with `-nonprod`. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix("-nonprod").unwrap_or(text);
        let (numbers, stage) = match text.split_once('-') {
            None => (text, Stage::Release),
            Some((numbers, suffix)) => (numbers, stage(suffix)?),
        };
        let mut members = numbers.split('.').map(number);
        let version = Self {
            major: members.next()??,
            minor: members.next()??,
            patch: match members.next() {
                Some(patch) => patch?,
                None => 0,
            },
            stage,
        };
        members.next().is_none().then_some(version)
    }

    /// Reads a version that a person asks for. As [`Version::parse`], but two numbers without a patch
    /// level mean the newest known one: `2.10` is 2.10.10.
    pub fn target(text: &str) -> Option<Self> {
        let version = Self::parse(text)?;
        let names_a_branch = version.stage == Stage::Release && text.split('.').count() == 2;
        Some(if names_a_branch {
            version.newest_of_branch()
        } else {
            version
        })
    }

    /// The newest known release of the same major and minor version; itself when none is known.
    fn newest_of_branch(self) -> Self {
        releases()
            .map(|release| release.version)
            .filter(|known| (known.major, known.minor) == (self.major, self.minor))
            .last()
            .unwrap_or(self)
    }

    /// The newest known release that is not newer than this version, for what is written in a program
    /// of each release: the defaults of `mail_version` and `mail_release_date`.
    pub(super) fn known_release(self) -> Option<Release> {
        releases()
            .take_while(|release| release.version <= self)
            .last()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            patch,
            stage,
        } = self;
        match stage {
            Stage::Snapshot(date) => write!(f, "{major}.{minor}-{date}"),
            Stage::Candidate(count) => write!(f, "{major}.{minor}.{patch}-RC{count}"),
            Stage::Release => write!(f, "{major}.{minor}.{patch}"),
        }
    }
}

/// Digits only: `str::parse` would take a sign.
fn number(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn stage(suffix: &str) -> Option<Stage> {
    if let Some(count) = suffix.strip_prefix("RC") {
        return number(count).map(Stage::Candidate);
    }
    let is_date = suffix.len() == 8 && suffix.bytes().all(|byte| byte.is_ascii_digit());
    is_date.then(|| suffix.parse().ok().map(Stage::Snapshot))?
}

/// A row of `releases.tsv`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Release {
    /// The version.
    pub(super) version: Version,
    /// The default of `mail_version`.
    pub(super) mail_version: &'static str,
    /// The default of `mail_release_date`, yyyymmdd.
    pub(super) date: &'static str,
}

/// The first known release of each branch (`2.10`, `3.0`, …), oldest first.
pub fn branches() -> Vec<Version> {
    let mut branches: Vec<Version> = Vec::new();
    for release in releases() {
        let version = release.version;
        if branches
            .last()
            .is_none_or(|last| (last.major, last.minor) != (version.major, version.minor))
        {
            branches.push(version);
        }
    }
    branches
}

/// The known releases, oldest first.
pub(super) fn releases() -> impl Iterator<Item = Release> {
    const TEXT: &str = include_str!("../releases.tsv");
    TEXT.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut columns = line.split('\t');
            Some(Release {
                version: Version::parse(columns.next()?)?,
                mail_version: columns.next()?,
                date: columns.next()?,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_mail_version_says() {
        for (text, shown) in [
            ("3.7.11", "3.7.11"),
            ("3.9", "3.9.0"),
            ("3.12-20260821", "3.12-20260821"),
            ("3.12-20260821-nonprod", "3.12-20260821"),
            ("3.11.0-RC1", "3.11.0-RC1"),
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), shown);
        }
        for text in [
            "",
            "3",
            "3.",
            "3.x",
            "3.7.11.1",
            "+3.7",
            "3.12-2026",
            "3.7.11-0+deb12u1",
            "3.99999",
        ] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }

    #[test]
    fn orders_by_member_and_stage() {
        let sorted = [
            "2.11.11",
            "3.7.11",
            "3.9.14",
            "3.10.0-RC1",
            "3.10.0",
            "3.12-20260101",
            "3.12-20260821",
            "3.12.0",
        ];
        let versions: Vec<_> = sorted
            .iter()
            .map(|text| Version::parse(text).unwrap())
            .collect();
        assert!(versions.is_sorted());
    }

    #[test]
    fn a_branch_means_its_newest_patch_level() {
        for (text, patch) in [
            ("2.10", "2.10.10"),
            ("3.9", "3.9.14"),
            ("3.12", "3.12-20260821"),
        ] {
            assert_eq!(Version::target(text).unwrap().to_string(), patch);
        }
        assert_eq!(Version::target("3.9.0").unwrap().to_string(), "3.9.0");
        assert_eq!(Version::target("4.0").unwrap().to_string(), "4.0.0");
    }

    #[test]
    fn releases_are_well_formed_and_ascend() {
        let rows = include_str!("../releases.tsv")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .count();
        let known: Vec<_> = releases().collect();
        assert_eq!(known.len(), rows);
        assert!(known.is_sorted_by(|a, b| a.version < b.version));
        assert!(
            known
                .iter()
                .all(|release| Version::parse(release.mail_version) == Some(release.version))
        );
        assert!(known.iter().all(|release| release.date.len() == 8));
        assert_eq!(
            known.first().map(|release| release.version),
            Some(Version::OLDEST)
        );
        let mut stable = known
            .iter()
            .filter(|release| release.version.stage == Stage::Release);
        assert_eq!(
            stable.next_back().map(|release| release.version),
            Some(Version::NEWEST)
        );
    }
}
