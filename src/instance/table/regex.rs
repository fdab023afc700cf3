//! The one interface to both kinds of regular expressions.

use std::ffi::CString;
use std::ops::Range;

use super::{pcre_regex, posix_regex};
use crate::syntax::pattern_table::{Flavour, PatternOptions};

/// Why a pattern cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum CompileError {
    /// The library does not accept it: its words.
    Message(String),
    /// It would need too much memory, so we do not try.
    TooLarge,
}

/// What became of a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Execution {
    /// It matches; the places of the whole match and of the groups.
    Match(Vec<Option<Range<usize>>>),
    /// It does not match.
    NoMatch,
    /// The library gave up.
    Failed(String),
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Regex {
    Posix(posix_regex::Compiled),
    Pcre(pcre_regex::Compiled),
}

impl Regex {
    /// Compiles a pattern with the options of its flags.
    pub(super) fn new(
        flavour: Flavour,
        pattern: &[u8],
        options: PatternOptions,
    ) -> Result<Self, CompileError> {
        match flavour {
            Flavour::Regexp => posix_regex::Compiled::new(pattern, options).map(Self::Posix),
            Flavour::Pcre => pcre_regex::Compiled::new(pattern, options).map(Self::Pcre),
        }
    }

    /// Number of parenthesised groups.
    pub(super) fn groups(&self) -> usize {
        match self {
            Self::Posix(compiled) => compiled.groups(),
            Self::Pcre(compiled) => compiled.groups(),
        }
    }

    /// Matches `subject`, which has no NUL; gives the places of the groups up to `groups`.
    pub(super) fn execute(&self, subject: &[u8], groups: usize) -> Execution {
        match self {
            Self::Posix(compiled) => match CString::new(subject) {
                Ok(subject) => compiled.execute(&subject, groups),
                Err(_) => Execution::NoMatch,
            },
            Self::Pcre(compiled) => compiled.execute(subject, groups),
        }
    }
}
