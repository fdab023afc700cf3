//! A mended configuration into the running system: files, indexes, Postfix told, the outcome proved. If any
//! step fails, everything is put back, and Postfix told again.
//!
//! The old files stay beside the new ones until all has succeeded; so do copies of the indexes that are built
//! anew. Whatever happens half-way, nothing is lost.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use tempfile::TempPath;

use super::log_tail::LogTail;
use super::programs::{self, Programs, complaint};
use crate::fix::ChangedFile;
use crate::fix::after::Command;
use crate::fix::write::{Written, attributes, put_back, write};

/// The suffix of the old files while the new ones are tried.
pub const BEFORE: &str = ".postlint-before";
/// What the hidden names of the copies of indexes begin with.
const HIDDEN: &str = ".postlint-";
/// No command of Postfix takes longer, but for building the index of a large table.
const PATIENCE: Duration = Duration::from_secs(120);
/// Building an index of ten million entries takes minutes.
const PATIENCE_WITH_TABLES: Duration = Duration::from_secs(3600);

/// What is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Job<'j> {
    /// Postfix's own programs.
    pub programs: &'j Programs,
    /// The files to write.
    pub files: &'j [ChangedFile],
    /// What builds the indexes.
    pub builds: &'j [Command],
    /// What tells Postfix: a reload, or stop and start, or nothing.
    pub services: &'j [Command],
    /// The suffix under which the old files stay when all has succeeded.
    pub backup: Option<&'j str>,
}

/// What happens while it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress<'p> {
    /// A step begins.
    Step(&'p str),
    /// Something worth knowing about the step.
    Note(&'p str),
}

/// How it ended.
#[derive(Debug)]
pub enum Ending {
    /// All is done and proved.
    Proved,
    /// All is done, and cannot be proved: why.
    Unproved(String),
    /// A step failed.
    PutBack(Failure),
}

/// A step that failed, and what was done about it.
#[derive(Debug)]
pub struct Failure {
    /// Which.
    pub step: String,
    /// Why.
    pub reason: String,
    /// What Postfix logged meanwhile: its warnings and errors.
    pub log: Vec<String>,
    /// What could not be put back; empty when everything is as it was.
    pub remains: Vec<String>,
}

/// Whether the running system does what the configuration says.
#[derive(Debug)]
pub enum Proof {
    /// It does.
    Given,
    /// It cannot be known: why.
    Missing(String),
    /// It does not: what it does instead.
    Refuted(String),
}

/// Whether Postfix runs with this configuration.
///
/// # Errors
/// `postfix status` cannot be run.
pub fn is_running(programs: &Programs) -> anyhow::Result<bool> {
    let mut command = programs.command("postfix")?;
    command.arg("status");
    Ok(programs::run(&mut command, Vec::new(), PATIENCE)?
        .status
        .success())
}

/// Does it. `prove` is asked at the end, of a running system only; `log` is where Postfix logs.
///
/// # Errors
/// Nothing was begun. What fails later is part of the ending.
pub fn apply(
    job: &Job<'_>,
    log: &mut LogTail,
    prove: &mut dyn FnMut() -> Proof,
    tell: &mut dyn FnMut(Progress<'_>),
) -> anyhow::Result<Ending> {
    let is_running = is_running(job.programs)?;
    let mut kept = Vec::new();
    for path in job.builds.iter().flat_map(|build| &build.indexes) {
        kept.push(KeptIndex::of(path).with_context(|| {
            format!(
                "cannot keep a copy of {}; nothing was changed",
                path.display()
            )
        })?);
    }
    let mut written = Vec::new();
    if !job.files.is_empty() {
        tell(Progress::Step("write the files"));
        let suffix = job.backup.unwrap_or(BEFORE);
        written = write(job.files, Some(suffix))?;
    }
    let mut attempt = Attempt {
        job,
        is_running,
        kept,
        written,
        has_told_postfix: false,
    };
    let (step, reason) = match attempt.go(prove, tell) {
        Ok(proof) => {
            attempt.leave(tell);
            return Ok(match proof {
                None => Ending::Proved,
                Some(why) => Ending::Unproved(why),
            });
        }
        Err(failed) => failed,
    };
    let lines = log.news();
    tell(Progress::Step("put everything back"));
    let remains = attempt.put_back();
    Ok(Ending::PutBack(Failure {
        step,
        reason,
        log: lines,
        remains,
    }))
}

/// An index as it was.
struct KeptIndex {
    path: PathBuf,
    /// A copy beside it; `None` where there was no index.
    copy: Option<TempPath>,
}

impl KeptIndex {
    fn of(path: &Path) -> io::Result<Self> {
        let mut old = match File::open(path) {
            Ok(old) => old,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self {
                    path: path.to_path_buf(),
                    copy: None,
                });
            }
            Err(error) => return Err(error),
        };
        let directory = path.parent().unwrap_or(Path::new("/"));
        let mut copy = tempfile::Builder::new()
            .prefix(HIDDEN)
            .tempfile_in(directory)?;
        io::copy(&mut old, &mut copy)?;
        attributes::copy(&old, copy.as_file())?;
        copy.as_file().sync_all()?;
        Ok(Self {
            path: path.to_path_buf(),
            copy: Some(copy.into_temp_path()),
        })
    }

    /// The index as it was. A process that has the other one open sees that it is gone.
    fn put_back(self) -> Result<(), String> {
        let path = self.path;
        let outcome = match self.copy {
            Some(copy) => copy.persist(&path).map_err(|error| {
                // The only copy there is.
                let kept = error.path.keep().map(|kept| kept.display().to_string());
                let kept = kept.unwrap_or_else(|error| error.to_string());
                format!("{}: the old index is in {kept}", error.error)
            }),
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
                _ => Ok(()),
            },
        };
        outcome.map_err(|why| format!("{} could not be put back ({why})", path.display()))
    }
}

struct Attempt<'j> {
    job: &'j Job<'j>,
    is_running: bool,
    kept: Vec<KeptIndex>,
    written: Vec<Written>,
    /// Postfix was told of the new files, or that was tried.
    has_told_postfix: bool,
}

/// A step, and why it failed.
type Failed = (String, String);

impl Attempt<'_> {
    /// The steps behind the writing. Gives why nothing is proved, if so.
    fn go(
        &mut self,
        prove: &mut dyn FnMut() -> Proof,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<Option<String>, Failed> {
        for build in self.job.builds {
            self.run(build.program, &build.arguments, PATIENCE_WITH_TABLES, tell)?;
        }
        self.run("postfix", &["check".to_owned()], PATIENCE, tell)?;
        if !self.is_running {
            return Ok(Some("Postfix is not running".to_owned()));
        }
        for service in self.job.services {
            self.has_told_postfix = true;
            self.run(service.program, &service.arguments, PATIENCE, tell)?;
        }
        let step = "prove it";
        tell(Progress::Step(step));
        match prove() {
            Proof::Given => Ok(None),
            Proof::Missing(why) => Ok(Some(why)),
            Proof::Refuted(why) => Err((step.to_owned(), why)),
        }
    }

    fn run(
        &self,
        program: &'static str,
        arguments: &[String],
        limit: Duration,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Result<(), Failed> {
        let step = format!("{program} {}", arguments.join(" "));
        tell(Progress::Step(&step));
        let outcome = self.outcome(program, arguments, limit);
        let said = outcome.map_err(|error| (step, format!("{error:#}")))?;
        for line in said.lines().map(str::trim).filter(|line| !line.is_empty()) {
            tell(Progress::Note(line));
        }
        Ok(())
    }

    /// What the program said beside its success.
    fn outcome(
        &self,
        program: &'static str,
        arguments: &[String],
        limit: Duration,
    ) -> anyhow::Result<String> {
        let mut command = self.job.programs.command(program)?;
        command.args(arguments);
        let ran = programs::run(&mut command, Vec::new(), limit)?;
        if !ran.status.success() {
            bail!("{} ({})", complaint(&ran.err), ran.status);
        }
        Ok(ran.err)
    }

    /// Lets go of what was kept.
    fn leave(self, tell: &mut dyn FnMut(Progress<'_>)) {
        if self.job.backup.is_some() {
            return;
        }
        for backup in self
            .written
            .iter()
            .filter_map(|written| written.backup.as_ref())
        {
            if let Err(error) = fs::remove_file(backup) {
                let note = format!("cannot remove {}: {error}", backup.display());
                tell(Progress::Note(&note));
            }
        }
    }

    /// Everything as it was. Gives what is not.
    fn put_back(mut self) -> Vec<String> {
        let mut remains = put_back(self.job.files, &self.written);
        for kept in std::mem::take(&mut self.kept) {
            remains.extend(kept.put_back().err());
        }
        if !self.has_told_postfix {
            return remains;
        }
        for service in self.job.services {
            // A stop that failed, or a start after a stop that did, may fail again; what counts is the end.
            let ends = service.arguments.iter().all(|argument| argument != "stop");
            if let Err(error) = self.outcome(service.program, &service.arguments, PATIENCE)
                && ends
            {
                remains.push(format!("{service} failed: {error:#}"));
            }
        }
        remains
    }
}
