//! What programs make of parameters whose kind is text: a list of domains, tables, one word out of few.
//!
//! Postfix reads these values as they are; whoever owns one looks at it later. All facts stand in
//! `text_values.tsv`, which explains its columns.

use std::sync::LazyLock;

use super::builtin::{Version, VersionSet};
use super::parameter::LIST_SEPARATORS;
use crate::source::Text;

/// What the value of a text parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Usage {
    /// Patterns, `/file` and `type:table` to be matched; ` #` ends it.
    List,
    /// Lookup tables, `type:name`.
    Tables,
    /// One lookup table.
    Table,
    /// A restriction list of smtpd(8).
    Restrictions,
    /// Mail filters.
    Milters,
    /// Words, of which none may be unknown.
    Words,
    /// One word, in any case.
    Choice,
    /// One word, exactly as it is written.
    Exact,
    /// Words that are looked at one by one.
    Items,
    /// `service:nexthop`.
    Transport,
    /// Hosts that mail is handed to.
    NextHop,
    /// A host or domain name.
    Host,
    /// A file or directory.
    File,
    /// A mailbox file or directory.
    Mailbox,
    /// A command.
    Command,
    /// A service of master.cf.
    Service,
    /// A mail address.
    Address,
    /// A user or group of the host.
    Accounts,
    /// Text that is shown, or has a form of its own.
    Text,
}

/// What a word that is none of the allowed ones brings about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wrong {
    /// The program ends.
    Stops,
    /// Mail is put off when the value is needed.
    Defers,
    /// TLS sessions fail.
    NoTls,
    /// Nothing of the kind.
    Nothing,
}

/// What is known of a text parameter.
#[derive(Clone, Copy, Debug)]
pub struct TextValue {
    /// The parameter.
    pub name: &'static str,
    /// What its value is.
    pub usage: Usage,
    /// What another word brings about.
    pub wrong: Wrong,
    words: &'static str,
}

impl TextValue {
    /// The words that `version` allows; the empty word for an empty value.
    pub fn words(&self, version: Version) -> impl Iterator<Item = &'static str> {
        self.words.split(' ').filter_map(move |word| {
            let (word, versions) = word.split_once('@').unwrap_or((word, ".."));
            let is_there = !word.is_empty() && VersionSet::new(versions).contains(version);
            is_there.then_some(if word == "-" { "" } else { word })
        })
    }
}

impl TextValue {
    /// Whether `version` allows a value of one word ([`Usage::Choice`], [`Usage::Exact`]).
    pub fn allows(&self, value: &Text, version: Version) -> bool {
        let ignores_case = self.usage == Usage::Choice;
        self.words(version).any(|word| {
            *value == *word || (ignores_case && value.as_str().eq_ignore_ascii_case(word))
        })
    }

    /// The first word of a value that `version` does not allow ([`Usage::Words`]).
    pub fn unknown_word(&self, value: &Text, version: Version) -> Option<Text> {
        let words = value.words(LIST_SEPARATORS);
        words.into_iter().find(|word| {
            let mut allowed = self.words(version);
            !allowed.any(|other| *word == *other)
        })
    }
}

/// What is known of a text parameter. For a name that is in no row of the table: that it is text.
pub fn text_value(name: &str) -> TextValue {
    let place = TABLE.binary_search_by(|value| value.name.cmp(name)).ok();
    place
        .and_then(|place| TABLE.get(place).copied())
        .unwrap_or(TextValue {
            name: "",
            usage: Usage::Text,
            wrong: Wrong::Nothing,
            words: "",
        })
}

const TEXT: &str = include_str!("text_values.tsv");

static TABLE: LazyLock<Vec<TextValue>> = LazyLock::new(|| {
    let mut table: Vec<TextValue> = TEXT
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(row)
        .collect();
    table.sort_by_key(|value| value.name);
    table
});

fn row(line: &'static str) -> impl Iterator<Item = TextValue> {
    let mut columns = line.split('\t');
    let mut next = || columns.next().unwrap_or_default();
    let (names, usage, words, wrong) = (next(), usage(next()), next(), next());
    let wrong = match wrong {
        "stops" => Wrong::Stops,
        "defers" => Wrong::Defers,
        "no-tls" => Wrong::NoTls,
        _ => Wrong::Nothing,
    };
    names.split(' ').map(move |name| TextValue {
        name,
        usage,
        wrong,
        words,
    })
}

fn usage(word: &str) -> Usage {
    match word {
        "list" => Usage::List,
        "tables" => Usage::Tables,
        "table" => Usage::Table,
        "restrictions" => Usage::Restrictions,
        "milters" => Usage::Milters,
        "words" => Usage::Words,
        "choice" => Usage::Choice,
        "exact" => Usage::Exact,
        "items" => Usage::Items,
        "transport" => Usage::Transport,
        "nexthop" => Usage::NextHop,
        "host" => Usage::Host,
        "file" => Usage::File,
        "mailbox" => Usage::Mailbox,
        "command" => Usage::Command,
        "service" => Usage::Service,
        "address" => Usage::Address,
        "accounts" => Usage::Accounts,
        _ => Usage::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::builtin::{Kind, parameter};

    #[test]
    fn the_table_names_text_parameters_once() {
        for pair in TABLE.windows(2) {
            assert!(
                pair[0].name < pair[1].name,
                "{} is there twice",
                pair[1].name
            );
        }
        for value in TABLE.iter() {
            let builtin = parameter(value.name).unwrap_or_else(|| panic!("{}", value.name));
            let kind = builtin.kind(Version::NEWEST);
            assert!(matches!(kind, Kind::Str | Kind::Raw), "{}", value.name);
            assert_ne!(value.usage, Usage::Text, "{}", value.name);
            let has_words = matches!(value.usage, Usage::Words | Usage::Choice | Usage::Exact);
            assert_eq!(has_words, !value.words.is_empty(), "{}", value.name);
        }
    }

    #[test]
    fn defaults_are_allowed() {
        let version = Version::parse("3.7.11").unwrap();
        for value in TABLE.iter().filter(|value| !value.words.is_empty()) {
            let builtin = parameter(value.name).unwrap();
            let default = builtin.default(version);
            if default.contains('$') {
                continue;
            }
            let allowed: Vec<_> = value.words(version).collect();
            let words: Vec<_> = default
                .split([',', ' '])
                .filter(|word| !word.is_empty())
                .collect();
            assert!(
                words.iter().all(|word| allowed.contains(word))
                    && (!words.is_empty() || allowed.contains(&"")),
                "{} = {default}",
                value.name
            );
        }
    }

    #[test]
    fn words_by_version() {
        let words = |version| {
            text_value("smtpd_forbid_bare_newline")
                .words(Version::parse(version).unwrap())
                .any(|word| word == "note")
        };
        assert!(words("3.9.0"));
        assert!(!words("3.7.11"));
        assert_eq!(text_value("smtpd_banner").usage, Usage::Text);
    }
}
