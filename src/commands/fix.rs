//! `--fix` and `--diff` of `postlint check`: what is changed, where it is written, what is said about it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use colored::Colorize;

use crate::cli::FixArgs;
use crate::exit::UsageError;
use crate::finding::Safety;
use crate::fix::diff::unified;
use crate::fix::write::{write, write_copies};
use crate::fix::{
    ChangedFile, FixReport, Fixer, Linted, Outcome, Overlay, Reason, after, broken_lines,
};
use crate::instance::{Instance, LoadOptions, Target};
use crate::lint::{self, Selection};
use crate::mail::behaviour::{Change, Comparison, compare};
use crate::report::{Checked, Secrets, shown_path, visible, visible_lines};
use crate::source::Source;

/// So many changes of what happens to mail are shown.
const MOST_CHANGES: usize = 10;
/// The path of a main.cf on standard input.
const STANDARD_INPUT: &str = "-";

/// What the fixes of a run come to.
pub(super) struct Fixes<'a> {
    args: &'a FixArgs,
    /// The files that change, as they were.
    before: BTreeMap<PathBuf, Arc<Source>>,
    /// What they change to. What one instance changes, the next one sees.
    after: Overlay,
    /// The configuration directories in which something changes.
    directories: Vec<PathBuf>,
    /// Standard input, as it was.
    stdin: Option<Vec<u8>>,
    applied: Vec<String>,
    withheld: Vec<String>,
    /// The addresses of `--recipients`.
    recipients: Vec<String>,
    /// What the fixes do to mail.
    behaviour: Vec<String>,
    /// What the operator has to run once the files are written, each command once.
    run: Vec<after::Command>,
    /// Of every instance before and after: neither what goes nor what comes may be shown.
    secrets: Vec<Secrets>,
}

impl<'a> Fixes<'a> {
    /// `None` when nothing is to be fixed.
    ///
    /// # Errors
    /// The file of `--recipients` cannot be read.
    pub(super) fn new(args: &'a FixArgs) -> anyhow::Result<Option<Self>> {
        if !(args.fix || args.diff) {
            return Ok(None);
        }
        let recipients = args.recipients.as_deref().map(read_recipients);
        Ok(Some(Self {
            args,
            recipients: recipients.transpose()?.unwrap_or_default(),
            behaviour: Vec::new(),
            before: BTreeMap::new(),
            after: Overlay::new(),
            directories: Vec::new(),
            stdin: None,
            applied: Vec::new(),
            withheld: Vec::new(),
            run: Vec::new(),
            secrets: Vec::new(),
        }))
    }

    /// Applies the fixes of one instance, in memory. Gives the instance as it is to be reported: with the
    /// fixes, or for `--diff` as it was.
    ///
    /// # Errors
    /// The instance cannot be read any more, or the fixes do not come to an end.
    pub(super) fn apply(
        &mut self,
        checked: Checked,
        target: &Target,
        options: &LoadOptions,
        selection: &Selection,
    ) -> anyhow::Result<Checked> {
        if let Target::MainCfText(bytes) = target {
            if self.args.output.is_some() {
                let message = "--output is for files: standard input goes to standard output";
                return Err(UsageError(message.to_owned()).into());
            }
            self.stdin = Some(bytes.clone());
        }
        let base = self.after.clone();
        let mut lint = |overlay: &Overlay| {
            let mut options = options.clone();
            options.paths.overlay = base.clone();
            options.paths.overlay.extend(overlay.clone());
            let target = match overlay.get(Path::new(STANDARD_INPUT)) {
                Some(bytes) if matches!(target, Target::MainCfText(_)) => {
                    Cow::Owned(Target::MainCfText(bytes.clone()))
                }
                _ => Cow::Borrowed(target),
            };
            let instance = Instance::load(&target, &options)?;
            Ok(Linted {
                sources: instance.shared_sources(),
                findings: lint::run(&instance, selection),
                broken: broken_lines(instance.main_cf(), instance.master_cf()),
                state: instance,
            })
        };
        let fixer = Fixer {
            lint: &mut lint,
            worse: &mut |before, after| worse_for_mail(before, after, &self.recipients),
            threshold: if self.args.unsafe_fixes {
                Safety::Unsafe
            } else {
                Safety::Safe
            },
        };
        let outcome = fixer.run()?;
        if !outcome.applied.is_empty() {
            let comparison = compare(
                &checked.instance,
                &outcome.remaining.state,
                &self.recipients,
            );
            self.behaviour.extend(summary(&comparison));
        }
        self.tell(&outcome, checked.secrets());
        let changed = outcome.files.iter().map(ChangedFile::path);
        for command in after::commands(&checked.instance, &outcome.remaining.state, changed) {
            if !self.run.contains(&command) {
                self.run.push(command);
            }
        }
        for file in outcome.files {
            let path = file.path().to_path_buf();
            let directory = checked.instance.directory();
            if path != Path::new(STANDARD_INPUT)
                && !self.directories.iter().any(|known| known == directory)
            {
                self.directories.push(directory.to_path_buf());
            }
            self.before.entry(path.clone()).or_insert(file.before);
            self.after.insert(path, file.after);
        }
        let remaining = Checked::new(outcome.remaining.state, outcome.remaining.findings);
        self.secrets.push(remaining.secrets().clone());
        self.secrets.push(checked.secrets().clone());
        Ok(if self.args.diff { checked } else { remaining })
    }

    /// Remembers what to say about the fixes.
    fn tell(&mut self, outcome: &Outcome<Instance>, secrets: &Secrets) {
        let text = |text: &str| visible(&secrets.hide(text)).into_owned();
        let line = |fix: &FixReport| {
            let path = fix.path.strip_prefix(".").unwrap_or(&fix.path);
            let place = format!("{}:{}", path.display(), fix.line);
            format!(
                "{}: {} [{}]",
                visible(&place),
                text(&fix.title),
                fix.rule.name
            )
        };
        self.applied.extend(outcome.applied.iter().map(line));
        let withheld = outcome.withheld.iter();
        let withheld = withheld.map(|(fix, reason): &(FixReport, Reason)| {
            format!("{}: {}", line(fix), text(&reason.to_string()))
        });
        self.withheld.extend(withheld);
    }

    /// Writes the files, or shows what would be written, and says what was done.
    ///
    /// # Errors
    /// A file cannot be written; none is changed then.
    pub(super) fn finish(
        &self,
        quiet: bool,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let mut files = self.files();
        if self.args.diff {
            self.write_diff(&files, out, err)?;
        } else {
            files.retain(|file| file.path() != Path::new(STANDARD_INPUT));
            self.write_files(&files, quiet, err)?;
            if let Some(before) = &self.stdin {
                out.write_all(self.after.get(Path::new(STANDARD_INPUT)).unwrap_or(before))?;
            }
        }
        self.say(quiet, err)?;
        let is_written = !self.args.diff && self.args.output.is_none() && !files.is_empty();
        if is_written && !quiet && !self.run.is_empty() {
            writeln!(err, "for Postfix to take notice, run:")?;
            for command in &self.run {
                writeln!(err, "    {}", visible(&command.to_string()))?;
            }
        }
        Ok(())
    }

    /// Says which fixes are applied, which are not, and what that does to mail.
    ///
    /// # Errors
    /// `err` cannot be written to.
    pub(super) fn say(&self, quiet: bool, err: &mut dyn Write) -> io::Result<()> {
        let done = if self.args.diff { "would fix" } else { "fixed" };
        if !quiet {
            for fix in &self.applied {
                writeln!(err, "{done} {fix}")?;
            }
        }
        for fix in &self.withheld {
            writeln!(err, "not fixed {fix}")?;
        }
        if !quiet {
            for line in &self.behaviour {
                writeln!(err, "{}", visible(line))?;
            }
        }
        Ok(())
    }

    /// What the operator has to run once the files are written.
    pub(super) fn commands(&self) -> &[after::Command] {
        &self.run
    }

    /// The files that change, by path.
    pub(super) fn files(&self) -> Vec<ChangedFile> {
        let files = self.before.iter().filter_map(|(path, before)| {
            let after = self.after.get(path)?.clone();
            (before.bytes() != after).then(|| ChangedFile {
                before: Arc::clone(before),
                after,
            })
        });
        files.collect()
    }

    fn write_files(
        &self,
        files: &[ChangedFile],
        quiet: bool,
        err: &mut dyn Write,
    ) -> anyhow::Result<()> {
        if files.is_empty() {
            return Ok(());
        }
        if let Some(output) = &self.args.output {
            let [directory] = self.directories.as_slice() else {
                bail!(
                    "--output is for one configuration at a time: {} of them change",
                    self.directories.len()
                );
            };
            for path in write_copies(files, directory, output)? {
                if !quiet {
                    writeln!(err, "wrote {}", visible(&path.to_string_lossy()))?;
                }
            }
            return Ok(());
        }
        for written in write(files, self.args.backup.as_deref())? {
            if let Some(backup) = written.backup.filter(|_| !quiet) {
                writeln!(err, "kept {}", visible(&backup.to_string_lossy()))?;
            }
            if let Some(leftover) = written.leftover {
                let leftover = leftover.to_string_lossy();
                writeln!(err, "could not remove {}", visible(&leftover))?;
            }
        }
        Ok(())
    }

    /// Shows what would be written.
    ///
    /// # Errors
    /// `out` or `err` cannot be written to.
    pub(super) fn write_diff(
        &self,
        files: &[ChangedFile],
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let hides_something = std::cell::Cell::new(false);
        let mask = |line: &str| {
            let mut shown = line.to_owned();
            for secrets in &self.secrets {
                shown = secrets.hide(&shown);
            }
            hides_something.set(hides_something.get() || shown != line);
            shown
        };
        for file in files {
            let path = visible(&shown_path(&file.before)).into_owned();
            let diff = unified(
                Path::new(&path),
                file.before.bytes(),
                &file.after,
                Some(&mask),
            );
            if io::stdout().is_terminal() {
                write_for_people(&diff, out)?;
            } else {
                // For patch(1), the bytes as they are.
                out.write_all(&diff)?;
            }
        }
        if hides_something.get() {
            writeln!(
                err,
                "the diff shows * in place of passwords: where they stand, it cannot be applied"
            )?;
        }
        Ok(())
    }
}

/// The addresses in a file, one a line; empty lines and comments are left out.
fn read_recipients(path: &Path) -> anyhow::Result<Vec<String>> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("cannot read {}, the file of --recipients", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// What a fix must not do: lose mail that is delivered, or let strangers relay.
fn worse_for_mail(before: &Instance, after: &Instance, recipients: &[String]) -> Option<String> {
    let comparison = compare(before, after, recipients);
    let change = comparison
        .changes
        .iter()
        .find(|change| change.harm.is_some())?;
    Some(change_line(change))
}

fn change_line(change: &Change) -> String {
    let Change {
        service,
        address,
        before,
        after,
        ..
    } = change;
    format!(
        "{address} from {} at {service}: {before} -> {after}",
        change.sender.words()
    )
}

/// The changes as lines of text; those for clients of our own only where they differ from a stranger's.
fn summary(comparison: &Comparison) -> Vec<String> {
    let mut shown: Vec<&Change> = Vec::new();
    for change in &comparison.changes {
        let is_same = |other: &&Change| {
            other.address == change.address
                && other.before == change.before
                && other.after == change.after
        };
        if !shown.iter().any(is_same) {
            shown.push(change);
        }
    }
    let mut lines = vec![match shown.len() {
        0 => format!(
            "what happens to mail stays the same ({} addresses compared)",
            comparison.compared
        ),
        1 => format!(
            "what happens to mail changes for 1 of {} addresses:",
            comparison.compared
        ),
        many => format!(
            "what happens to mail changes {many} times for {} addresses:",
            comparison.compared
        ),
    }];
    lines.extend(
        shown
            .iter()
            .take(MOST_CHANGES)
            .map(|change| format!("    {}", change_line(change))),
    );
    if shown.len() > MOST_CHANGES {
        lines.push(format!("    and {} more", shown.len() - MOST_CHANGES));
    }
    if comparison.left_out > 0 {
        lines.push(format!(
            "    ({} more addresses were not compared)",
            comparison.left_out
        ));
    }
    lines
}

/// A diff on a terminal: with colours, and without characters that the terminal would obey.
fn write_for_people(diff: &[u8], out: &mut dyn Write) -> io::Result<()> {
    for line in String::from_utf8_lossy(diff).lines() {
        let line = visible_lines(line);
        match line.chars().next() {
            Some('+') if !line.starts_with("+++ ") => writeln!(out, "{}", line.green())?,
            Some('-') if !line.starts_with("--- ") => writeln!(out, "{}", line.red())?,
            Some('@') => writeln!(out, "{}", line.cyan())?,
            _ => writeln!(out, "{line}")?,
        }
    }
    Ok(())
}
