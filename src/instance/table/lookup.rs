//! What a lookup gives: a value, nothing, an error, or "that cannot be known here".

use std::fmt;

use crate::source::{Span, Text};

/// The outcome of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The table has the key.
    Found(Hit),
    /// A random one of these (randmap).
    OneOf(Vec<Hit>),
    /// The table does not have the key.
    NotFound,
    /// The lookup fails, whatever the tables hold.
    Error(LookupError),
    /// A table that cannot be looked at decides.
    Unknown(Unknown),
}

/// A value that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The value.
    pub value: Text,
    /// The line or rule that says so; `None` when it is written nowhere.
    pub span: Option<Span>,
    /// The key or pattern in it.
    pub key_span: Option<Span>,
}

/// The two classes of lookup errors (`src/util/dict.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorClass {
    /// `DICT_ERR_RETRY`: mail is put off.
    Retry,
    /// `DICT_ERR_CONFIG`: the configuration is wrong.
    Config,
}

/// A lookup that fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LookupError {
    /// The class.
    pub class: ErrorClass,
    /// Why: Postfix's words, where it logs any.
    pub message: String,
    /// The file of the table is not in this copy of a configuration, but may well be on the machine itself.
    pub may_be_elsewhere: bool,
}

/// Why a table cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnknownReason {
    /// The file is on another machine.
    Elsewhere {
        /// The file.
        path: String,
    },
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: String,
        /// What the operating system said.
        error: String,
    },
    /// Only the index is here, its source is not.
    IndexOnly {
        /// The index.
        path: String,
    },
    /// A server, a library or the name service answers.
    Client,
    /// postmap(1) was to ask it, and could not.
    NotAnswering {
        /// What went wrong.
        error: String,
    },
    /// What a process finds in its environment.
    Environment,
    /// A pattern is too large to be tried.
    TooLarge,
}

/// An answer that a table decides which cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// The table, as `type:name`.
    pub table: String,
    /// Why it cannot be looked at.
    pub reason: UnknownReason,
    /// The answer if that table does not have the key.
    pub otherwise: Box<Lookup>,
}

impl Lookup {
    /// A lookup that fails for the time being.
    pub(super) fn retry(message: impl Into<String>) -> Self {
        Self::Error(LookupError {
            class: ErrorClass::Retry,
            message: message.into(),
            may_be_elsewhere: false,
        })
    }

    /// A lookup that fails because of the configuration.
    pub(super) fn config(message: impl Into<String>) -> Self {
        Self::Error(LookupError {
            class: ErrorClass::Config,
            message: message.into(),
            may_be_elsewhere: false,
        })
    }

    /// The values that are possible, as far as they are known: none, one, or those of a randmap.
    pub fn hits(&self) -> &[Hit] {
        match self {
            Self::Found(hit) => std::slice::from_ref(hit),
            Self::OneOf(hits) => hits,
            Self::NotFound | Self::Error(_) | Self::Unknown(_) => &[],
        }
    }

    /// Whether the key exists; `None` when that cannot be known, or the lookup fails.
    pub fn exists(&self) -> Option<bool> {
        match self {
            Self::Found(_) | Self::OneOf(_) => Some(true),
            Self::NotFound => Some(false),
            Self::Error(_) | Self::Unknown(_) => None,
        }
    }
}

/// More tables than this that cannot be looked at are not listed in one answer.
const MAX_DOUBTS: usize = 64;

/// The tables met on the way to an answer that cannot be looked at.
#[derive(Debug, Default)]
pub(super) struct Doubts(Vec<Unknown>);

impl Doubts {
    /// Notes the tables that decide about `answer`, and gives what it is if none of them has the key.
    pub(super) fn note(&mut self, mut answer: Lookup) -> Lookup {
        while let Lookup::Unknown(unknown) = answer {
            if self.0.len() < MAX_DOUBTS {
                self.0.push(Unknown {
                    otherwise: Box::new(Lookup::NotFound),
                    ..unknown
                });
            }
            answer = *unknown.otherwise;
        }
        answer
    }

    /// The answer with all doubts in front of it.
    pub(super) fn apply(self, answer: Lookup) -> Lookup {
        self.0.into_iter().rfold(answer, |otherwise, unknown| {
            Lookup::Unknown(Unknown {
                otherwise: Box::new(otherwise),
                ..unknown
            })
        })
    }
}

impl fmt::Display for UnknownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Elsewhere { path } => write!(f, "{path} is on another machine"),
            Self::Unreadable { path, error } => write!(f, "{path} cannot be read: {error}"),
            Self::IndexOnly { path } => write!(f, "{path} is here, but not its source"),
            Self::Client => f.write_str("it is not a file"),
            Self::NotAnswering { error } => write!(f, "it cannot be asked: {error}"),
            Self::Environment => f.write_str("it is the environment of a process"),
            Self::TooLarge => f.write_str("a pattern is too large"),
        }
    }
}
