//! The words of smtpd(8) restriction lists: argument, versions, and what each can do.
//!
//! All facts stand in `restrictions.tsv`, which explains its columns
//! (`src/smtpd/smtpd_check.c: generic_checks`). Restriction classes, the names of lists and
//! `type:table` short forms are not words of this table.

use std::sync::LazyLock;

use super::builtin::{Version, VersionSet};

/// What follows the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Argument {
    /// Nothing.
    None,
    /// `type:name`, a lookup table.
    Table,
    /// A policy server, or `{ server, name = value … }`.
    Policy,
    /// A DNS list, `domain` or `domain=filter`.
    Domain,
    /// A number of seconds.
    Seconds,
}

/// Whether a restriction can end its list with an OK.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permits {
    /// Never.
    No,
    /// When its condition holds.
    Yes,
    /// When the table or the policy server says so.
    Result,
}

/// A word of a restriction list.
#[derive(Clone, Copy, Debug)]
pub struct RestrictionWord {
    /// The word in lower case; smtpd(8) ignores case.
    pub name: &'static str,
    /// What follows it.
    pub argument: Argument,
    /// The versions in which it does its work. In any other, smtpd answers 451 4.3.5 "Server
    /// configuration error" when it reaches the word.
    pub works: VersionSet,
    /// The versions in which it works, and smtpd or postconf warns about it.
    pub deprecated: VersionSet,
    /// The versions that know it only to say that it has been removed.
    pub removed: VersionSet,
    /// The newer name of the same restriction.
    pub alias_of: Option<&'static str>,
    /// Whether it can accept.
    pub permits: Permits,
    /// smtpd(8) refuses to serve unless one such word is in the relay or recipient restrictions. A
    /// removed word still counts.
    pub is_relay_guard: bool,
    /// Its result follows from configuration, envelope and client address, without DNS, policy servers
    /// or address probes.
    pub is_static: bool,
    replacement: &'static str,
}

impl RestrictionWord {
    /// What to use instead of a deprecated or removed word: other restrictions; for `permit_mx_backup`
    /// the parameter `relay_domains`. Empty when there is nothing to replace.
    pub fn replacements(&self) -> impl Iterator<Item = &'static str> {
        self.replacement.split(',').filter(|word| !word.is_empty())
    }
}

/// The word, whatever its case and in whichever version it works.
pub fn restriction_word(name: &str) -> Option<&'static RestrictionWord> {
    let place = TABLE
        .binary_search_by(|word| {
            word.name
                .bytes()
                .cmp(name.bytes().map(|byte| byte.to_ascii_lowercase()))
        })
        .ok()?;
    TABLE.get(place)
}

/// The words that work in `version`, sorted: for "did you mean".
pub fn restriction_words(version: Version) -> impl Iterator<Item = &'static RestrictionWord> {
    TABLE
        .iter()
        .filter(move |word| word.works.contains(version))
}

const TEXT: &str = include_str!("restrictions.tsv");

static TABLE: LazyLock<Vec<RestrictionWord>> = LazyLock::new(|| {
    TEXT.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(word)
        .collect()
});

fn word(line: &'static str) -> Option<RestrictionWord> {
    let mut columns = line.split('\t');
    Some(RestrictionWord {
        name: columns.next()?,
        argument: match columns.next()? {
            "none" => Argument::None,
            "table" => Argument::Table,
            "policy" => Argument::Policy,
            "domain" => Argument::Domain,
            "seconds" => Argument::Seconds,
            _ => return None,
        },
        works: VersionSet::new(columns.next()?),
        deprecated: VersionSet::new(columns.next()?),
        removed: VersionSet::new(columns.next()?),
        replacement: columns.next()?,
        alias_of: columns
            .next()
            .map(|name| (!name.is_empty()).then_some(name))?,
        permits: match columns.next()? {
            "no" => Permits::No,
            "yes" => Permits::Yes,
            "table" => Permits::Result,
            _ => return None,
        },
        is_relay_guard: yes(columns.next()?)?,
        is_static: yes(columns.next()?)?,
    })
}

fn yes(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::builtin::parameter;

    #[test]
    fn the_table_is_sorted_unique_and_well_formed() {
        let rows = TEXT.lines().filter(|line| !line.starts_with('#'));
        assert!(rows.clone().all(|row| row.split('\t').count() == 10));
        assert_eq!(rows.count(), TABLE.len());
        assert!(TABLE.is_sorted_by(|a, b| a.name < b.name));
        for word in TABLE.iter() {
            assert!(!word.works.is_empty(), "{}", word.name);
            for set in [word.works, word.deprecated, word.removed] {
                assert!(set.is_well_formed(), "{}", word.name);
            }
        }
    }

    #[test]
    fn other_names_exist() {
        for word in TABLE.iter() {
            if let Some(alias) = word.alias_of {
                let newer = restriction_word(alias).unwrap();
                assert_eq!(
                    (word.argument, word.permits),
                    (newer.argument, newer.permits),
                    "{alias}"
                );
            }
            for replacement in word.replacements() {
                let found =
                    restriction_word(replacement).is_some() || parameter(replacement).is_some();
                assert!(found, "{replacement}");
            }
            assert_eq!(
                word.replacements().next().is_some(),
                !word.deprecated.is_empty() || !word.removed.is_empty(),
                "{}",
                word.name
            );
        }
    }

    #[test]
    fn words_come_and_go() {
        let works = |version: &str, name: &str| {
            restriction_word(name)
                .unwrap()
                .works
                .contains(Version::parse(version).unwrap())
        };
        assert!(!works("2.10.0", "check_sasl_access") && works("2.11.0", "check_sasl_access"));
        assert!(works("3.8.20", "check_relay_domains") && !works("3.9.0", "check_relay_domains"));
        assert!(works("3.11.0", "Permit_MyNetworks"));
        assert!(restriction_word("permit_all").is_none());
    }

    #[test]
    fn the_guard_words() {
        let guards: Vec<_> = TABLE
            .iter()
            .filter(|word| word.is_relay_guard)
            .map(|word| word.name)
            .collect();
        assert_eq!(
            guards,
            [
                "check_relay_domains",
                "defer",
                "defer_if_permit",
                "defer_unauth_destination",
                "reject",
                "reject_unauth_destination"
            ]
        );
    }
}
