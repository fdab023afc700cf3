//! What a configuration would answer to the recipients of a log, as text or one JSON object.

use std::io::{self, Write};

use colored::Colorize;
use serde::Serialize;

use super::log::{cut, grouped, more};
use super::place::shown_path;
use super::secret::Secrets;
use super::visible::visible;
use crate::live::replay::{Attempts, Change, Replay, Verdicts};
use crate::source::{Sources, Span};

/// So many of a list are shown to people.
const SHOWN: usize = 10;

/// The report. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct ReplayV1<'r> {
    version: u32,
    lines: u64,
    first: Option<&'r str>,
    last: Option<&'r str>,
    attempts: u64,
    recipients: usize,
    would_refuse_delivered: Vec<ChangeV1<'r>>,
    would_refuse_unknown: Vec<ChangeV1<'r>>,
    /// Accepted then, and returned for another reason than an unknown recipient.
    would_refuse_undelivered: Vec<ChangeV1<'r>>,
    /// With the reply of then.
    would_accept_refused: Vec<ChangeV1<'r>>,
    /// Attempts, by verdict.
    counts: CountsV1,
    same: u64,
    /// Of these, refused with the same words.
    same_reply: u64,
    unknown: u64,
    /// Refusals that are not asked again: of postscreen, of milters, before RCPT TO.
    skipped: u64,
    /// Attempts for which there was no room.
    left_out: u64,
}

#[derive(Serialize)]
struct CountsV1 {
    would_refuse_delivered: u64,
    would_refuse_unknown: u64,
    would_refuse_undelivered: u64,
    would_accept_refused: u64,
}

#[derive(Serialize)]
struct ChangeV1<'r> {
    recipient: &'r str,
    count: u64,
    code: u16,
    dsn: &'r str,
    text: String,
    file: Option<String>,
    line: Option<usize>,
}

/// Writes what would be otherwise.
#[derive(Debug)]
pub struct ReplayWriter<'w> {
    replay: &'w Replay,
    attempts: &'w Attempts,
    sources: &'w Sources,
    secrets: &'w Secrets,
}

impl<'w> ReplayWriter<'w> {
    /// For the outcome, whose lines point into `sources`.
    pub fn new(
        replay: &'w Replay,
        attempts: &'w Attempts,
        sources: &'w Sources,
        secrets: &'w Secrets,
    ) -> Self {
        Self {
            replay,
            attempts,
            sources,
            secrets,
        }
    }

    /// One JSON object.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let (replay, walked) = (self.replay, &self.attempts.walked);
        let report = ReplayV1 {
            version: 1,
            lines: walked.lines,
            first: walked.first.as_deref(),
            last: walked.last.as_deref(),
            attempts: replay.attempts,
            recipients: replay.recipients,
            would_refuse_delivered: self.changes(&replay.would_refuse_delivered),
            would_refuse_unknown: self.changes(&replay.would_refuse_unknown),
            would_refuse_undelivered: self.changes(&replay.would_refuse_undelivered),
            would_accept_refused: self.changes(&replay.would_accept_refused),
            counts: CountsV1 {
                would_refuse_delivered: replay.would_refuse_delivered.attempts,
                would_refuse_unknown: replay.would_refuse_unknown.attempts,
                would_refuse_undelivered: replay.would_refuse_undelivered.attempts,
                would_accept_refused: replay.would_accept_refused.attempts,
            },
            same: replay.same,
            same_reply: replay.same_reply,
            unknown: replay.unknown,
            skipped: self.attempts.skipped,
            left_out: self.attempts.left_out,
        };
        serde_json::to_writer(&mut *out, &report)?;
        out.write_all(b"\n")
    }

    /// For people.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        let (replay, walked) = (self.replay, &self.attempts.walked);
        write!(
            out,
            "{} attempts to {} recipients",
            grouped(replay.attempts),
            grouped(replay.recipients as u64)
        )?;
        if let (Some(first), Some(last)) = (&walked.first, &walked.last) {
            write!(out, ", {} to {}", visible(first), visible(last))?;
        }
        writeln!(out)?;
        writeln!(
            out,
            "answered as then: {} ({} refusals in the same words); cannot be known: {}",
            grouped(replay.same),
            grouped(replay.same_reply),
            grouped(replay.unknown)
        )?;
        let left_out = self.attempts.left_out;
        if left_out > 0 {
            writeln!(
                out,
                "not asked, because there are too many: {}",
                grouped(left_out)
            )?;
        }
        let lists = [
            (
                &replay.would_refuse_delivered,
                "would refuse",
                "that were delivered",
            ),
            (
                &replay.would_refuse_unknown,
                "would now refuse",
                "unknown here, that were accepted and returned",
            ),
            (
                &replay.would_refuse_undelivered,
                "would now refuse",
                "that were accepted and returned for another reason",
            ),
            (
                &replay.would_accept_refused,
                "would accept",
                "that were refused",
            ),
        ];
        for (verdicts, verb, what) in lists {
            if verdicts.attempts == 0 {
                continue;
            }
            let title = format!(
                "{verb} {} recipients {what} ({} attempts)",
                grouped(verdicts.recipients as u64),
                grouped(verdicts.attempts)
            );
            let is_bad = std::ptr::eq(verdicts, &raw const replay.would_refuse_delivered);
            let title = if is_bad {
                title.red().bold()
            } else {
                title.bold()
            };
            writeln!(out, "\n{title}")?;
            for change in verdicts.changes.iter().take(SHOWN) {
                self.change(change, out)?;
            }
            more(verdicts.changes.len(), out)?;
        }
        Ok(())
    }

    fn change(&self, change: &Change, out: &mut dyn Write) -> io::Result<()> {
        let reply = format!("{} {} {}", change.code, change.dsn, change.text);
        let reply = self.secrets.hide(&cut(&reply));
        writeln!(
            out,
            "  {:>7}  {}: {}",
            grouped(change.count),
            visible(&change.recipient).bold(),
            visible(&reply)
        )?;
        match self.place(change.span) {
            Some((file, line)) => {
                writeln!(
                    out,
                    "           {}",
                    format!("{}:{line}", visible(&file)).cyan()
                )
            }
            None => Ok(()),
        }
    }

    fn changes(&self, verdicts: &'w Verdicts) -> Vec<ChangeV1<'w>> {
        let changes = verdicts.changes.iter().map(|change| {
            let (file, line) = self.place(change.span).unzip();
            ChangeV1 {
                recipient: &change.recipient,
                count: change.count,
                code: change.code,
                dsn: &change.dsn,
                text: self.secrets.hide(&change.text),
                file,
                line,
            }
        });
        changes.collect()
    }

    fn place(&self, span: Option<Span>) -> Option<(String, usize)> {
        let span = span?;
        let source = self.sources.get(span.file);
        Some((shown_path(&source), source.line_column(span.start).line))
    }
}
