//! Findings to patched files: fixes are applied, the result is read and checked again, until nothing is left
//! to apply.
//!
//! Nothing is written here; [`write`](mod@write) does that. Every step is guarded: a fix after which its
//! finding is still there, a new error appears, a line cannot be read any more, or mail would fare worse, is
//! withdrawn and reported, and the other fixes stay.

pub mod after;
pub mod apply;
mod compare;
pub mod diff;
mod fixed_point;
#[cfg(test)]
mod fixed_point_tests;
#[cfg(test)]
mod testing;
pub mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::{Finding, Safety};
use crate::rule::Rule;
use crate::source::{Source, Sources, Span};
use crate::syntax::main_cf::{MainCf, MainLine};
use crate::syntax::master_cf::{MasterCf, OptionError};

/// Contents that stand for those of the files on disk, by the path that [`Source::path`] gives.
pub type Overlay = BTreeMap<PathBuf, Vec<u8>>;

/// What reading and checking a configuration gave.
#[derive(Debug)]
pub struct Linted<T> {
    /// The files that were read.
    pub sources: Arc<Sources>,
    /// The findings.
    pub findings: Vec<Finding>,
    /// The lines that Postfix cannot read; see [`broken_lines`].
    pub broken: Vec<Span>,
    /// What the caller needs to judge a change, such as the instance.
    pub state: T,
}

/// How to fix: what reads, what judges.
pub struct Fixer<'f, T> {
    /// Reads and checks the configuration, with the overlay's contents in place of those on disk.
    pub lint: &'f mut dyn FnMut(&Overlay) -> anyhow::Result<Linted<T>>,
    /// Says what becomes worse for mail from the first state to the second; asked about safe fixes.
    pub worse: &'f mut dyn FnMut(&T, &T) -> Option<String>,
    /// The least safety of the fixes to apply: [`Safety::Safe`] or [`Safety::Unsafe`].
    pub threshold: Safety,
}

/// A file that fixes change.
#[derive(Clone, Debug)]
pub struct ChangedFile {
    /// The file as it was read.
    pub before: Arc<Source>,
    /// The bytes afterwards.
    pub after: Vec<u8>,
}

impl ChangedFile {
    /// The path as it is shown to the user.
    pub fn path(&self) -> &Path {
        self.before.path()
    }
}

/// A fix, told to the user.
#[derive(Clone, Debug)]
pub struct FixReport {
    /// The rule.
    pub rule: &'static Rule,
    /// What was wrong.
    pub message: String,
    /// What the fix does.
    pub title: String,
    /// What it may do to mail.
    pub safety: Safety,
    /// The file of the finding.
    pub path: PathBuf,
    /// The line of the finding, from 1, in the file as it was when the fix was chosen: earlier fixes may have
    /// moved it.
    pub line: usize,
}

/// Why a fix was not applied, or was withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Its edits overlap, or lie outside of their file: a bug of the rule.
    Malformed,
    /// It changes something that is not a file.
    NotAFile(PathBuf),
    /// A file that it changes has a line that Postfix cannot read, which has to be mended first.
    BrokenFile {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Its finding is still there afterwards.
    StillThere,
    /// A new error appears.
    NewError {
        /// Name of the rule.
        rule: &'static str,
        /// What is wrong then.
        message: String,
    },
    /// Postfix could not read a line of this file any more.
    BreaksFile(PathBuf),
    /// Mail fares worse.
    WorseForMail(String),
    /// Other fixes of its rule did harm, so this one was not tried.
    OthersFailed,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Malformed => write!(f, "its edits overlap, which is a bug in postlint"),
            Self::NotAFile(path) => write!(f, "{} is not a file", path.display()),
            Self::BrokenFile { path, line } => {
                let path = path.display();
                write!(f, "mend {path}:{line} first, which Postfix cannot read")
            }
            Self::StillThere => write!(f, "it does not mend the problem"),
            Self::NewError { rule, message } => write!(f, "it leads to {rule}: {message}"),
            Self::BreaksFile(path) => {
                write!(f, "Postfix could not read {} then", path.display())
            }
            Self::OthersFailed => write!(f, "other fixes of this rule had to be withdrawn"),
            Self::WorseForMail(what) => write!(f, "it would change what happens to mail: {what}"),
        }
    }
}

/// What fixing gave.
#[derive(Debug)]
pub struct Outcome<T> {
    /// The files that change, by path.
    pub files: Vec<ChangedFile>,
    /// The fixes that were applied, in order.
    pub applied: Vec<FixReport>,
    /// The fixes that were wanted, but not applied, with the reason.
    pub withheld: Vec<(FixReport, Reason)>,
    /// How many findings remain that have a fix which the threshold holds back.
    pub held_back: usize,
    /// The configuration as it is after the fixes, with the findings that remain.
    pub remaining: Linted<T>,
    /// The contents to read instead of those on disk.
    pub overlay: Overlay,
}

/// The lines of the two files that stop the programs which read them: no `name = value` in main.cf, too few
/// fields or unpaired braces in master.cf.
pub fn broken_lines(main_cf: Option<&MainCf>, master_cf: Option<&MasterCf>) -> Vec<Span> {
    let main = main_cf.iter().flat_map(|file| &file.lines);
    let main = main.filter_map(|line| match line {
        MainLine::Malformed { span, .. } => Some(*span),
        MainLine::Setting(_) | MainLine::Discarded { .. } => None,
    });
    let master = master_cf.into_iter().flat_map(MasterCf::services);
    let master = master
        .filter(|service| {
            !service.is_complete()
                || service.arguments.iter().any(|word| word.error.is_some())
                || service
                    .option_errors
                    .iter()
                    .any(|error| matches!(error, OptionError::NotNameValue { .. }))
        })
        .map(|service| service.span);
    main.chain(master).collect()
}
