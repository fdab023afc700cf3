//! What a lookup table answers, as text for people or one JSON object a line for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::place::shown_path;
use super::visible::visible;
use crate::instance::table::{Hit, Lookup};
use crate::source::Sources;

/// One line: a key. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct QueryV1<'q> {
    key: &'q str,
    /// The table that decides; null when none has the key.
    table: Option<&'q str>,
    /// found, not-found, error or unknown.
    result: &'static str,
    value: Option<&'q str>,
    file: Option<String>,
    line: Option<usize>,
    /// The values of which a random one is the answer (randmap).
    values: Vec<&'q str>,
    /// Why the lookup fails, or why the answer cannot be known.
    text: Option<String>,
}

/// An answer to one key.
#[derive(Clone, Debug)]
pub struct QueryAnswer<'q> {
    /// The key.
    pub key: &'q str,
    /// The table that decides, as `type:name`.
    pub table: Option<&'q str>,
    /// What it says.
    pub lookup: &'q Lookup,
}

/// Writes answers of the tables of one instance.
#[derive(Debug)]
pub struct QueryWriter<'w> {
    sources: &'w Sources,
    /// The key stands in front of the value: there are several.
    has_keys: bool,
}

impl<'w> QueryWriter<'w> {
    /// For the files that the answers point into.
    pub fn new(sources: &'w Sources, has_keys: bool) -> Self {
        Self { sources, has_keys }
    }

    /// The value, and behind it the file and the line that say so.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, answer: &QueryAnswer<'_>, out: &mut dyn Write) -> io::Result<()> {
        for hit in answer.lookup.hits() {
            if self.has_keys {
                write!(out, "{}\t", visible(answer.key))?;
            }
            write!(out, "{}", visible(hit.value.as_str()))?;
            if let Some((file, line)) = self.place(hit) {
                write!(out, "\t{}:{line}", visible(&file))?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    /// One JSON object on a line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, answer: &QueryAnswer<'_>, out: &mut dyn Write) -> io::Result<()> {
        let hits = answer.lookup.hits();
        let place = hits.first().and_then(|hit| self.place(hit));
        let (file, line) = place.unzip();
        let all = || hits.iter().map(|hit| hit.value.as_str());
        let (result, value, values, text) = match answer.lookup {
            Lookup::Found(_) => ("found", all().next(), Vec::new(), None),
            Lookup::OneOf(_) => ("found", None, all().collect(), None),
            Lookup::NotFound => ("not-found", None, Vec::new(), None),
            Lookup::Error(error) => ("error", None, Vec::new(), Some(error.message.clone())),
            Lookup::Unknown(unknown) => {
                let why = Some(unknown.reason.to_string());
                ("unknown", None, Vec::new(), why)
            }
        };
        let line = QueryV1 {
            key: answer.key,
            table: answer.table,
            result,
            value,
            file,
            line,
            values,
            text,
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    fn place(&self, hit: &Hit) -> Option<(String, usize)> {
        let span = hit.span?;
        let source = self.sources.get(span.file);
        Some((shown_path(&source), source.line_column(span.start).line))
    }
}
