//! The exit codes of the program.

use std::fmt;
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing was found at or above the threshold.
    Clean = 0,
    /// Something was found at or above the threshold; of `postconf`, Postfix's own would give up.
    Findings = 1,
    /// The command line or the settings file asks for something that does not exist.
    Usage = 2,
    /// postlint could not do its job: a file is missing, unreadable or unwritable.
    Failure = 3,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error of the person who called: the program ends with [`Exit::Usage`].
#[derive(Debug)]
pub struct UsageError(pub String);

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}
