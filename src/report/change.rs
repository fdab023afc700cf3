//! What a fix changes, as the lines that go and those that come.

use std::collections::BTreeMap;
use std::io::{self, Write};

use colored::Colorize;
use similar::{ChangeTag, TextDiff};

use super::Entry;
use super::place::shown_path;
use super::visible::{visible, visible_lines};
use crate::edits::splice;
use crate::finding::{Edit, Fix};
use crate::source::{FileId, Source, same_length_lossy};

/// Edits that are further apart than this, in bytes, are shown on their own.
const GAP: usize = 400;
/// More lines than this are counted, not shown.
const SHOWN_LINES: usize = 24;
/// More of a line than this is not shown, in characters.
const SHOWN_COLUMNS: usize = 160;

pub(super) fn write(entry: &Entry<'_>, fix: &Fix, out: &mut dyn Write) -> io::Result<()> {
    let mut files: BTreeMap<FileId, Vec<&Edit>> = BTreeMap::new();
    for edit in &fix.edits {
        files.entry(edit.span.file).or_default().push(edit);
    }
    let mut lines = Vec::new();
    for (file, mut edits) in files {
        edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
        let source = entry.sources.get(file);
        let path = shown_path(&source);
        lines.push(format!("{} {}", "  -->".blue().bold(), visible(&path)));
        let mut shift = 0;
        for cluster in
            edits.chunk_by(|one, next| next.span.start.saturating_sub(one.span.end) <= GAP)
        {
            shift = push_cluster(entry, &source, cluster, shift, &mut lines);
        }
    }
    let hidden = lines.len().saturating_sub(SHOWN_LINES);
    // One line more is as short as saying that it is left out.
    let shown = if hidden > 1 { SHOWN_LINES } else { lines.len() };
    for line in &lines[..shown] {
        writeln!(out, "{line}")?;
    }
    if hidden > 1 {
        writeln!(out, "     … {hidden} more lines")?;
    }
    Ok(())
}

/// Adds the lines of some edits near each other. `shift` is by how many lines those before moved what
/// follows; the result is the same for the next.
fn push_cluster(
    entry: &Entry<'_>,
    source: &Source,
    edits: &[&Edit],
    shift: isize,
    lines: &mut Vec<String>,
) -> isize {
    let bytes = source.bytes();
    let (Some(first), Some(last)) = (edits.first(), edits.last()) else {
        return shift;
    };
    let start = first.span.start.min(bytes.len());
    let start = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |newline| newline + 1);
    let end = last.span.end.clamp(start, bytes.len());
    let end = memchr::memchr(b'\n', &bytes[end..]).map_or(bytes.len(), |at| end + at + 1);
    let before = entry.secrets.masked(source, start..end);
    let moved: Vec<Edit> = edits
        .iter()
        .map(|edit| {
            let mut edit = (*edit).clone();
            edit.span.start = edit.span.start.saturating_sub(start);
            edit.span.end = edit.span.end.saturating_sub(start);
            edit
        })
        .collect();
    let Some(after) = splice(before.as_bytes(), &moved) else {
        return shift;
    };
    let after = entry.secrets.hide(&same_length_lossy(&after));
    let first_line = source.line_column(start).line;
    let number = |index: Option<usize>, shift: isize| {
        index.and_then(|index| (first_line + index).checked_add_signed(shift))
    };
    let diff = TextDiff::from_lines(&before, &after);
    for change in diff.iter_all_changes() {
        let text =
            visible_lines(change.value().trim_end_matches(['\n', '\r'])).replace('\t', "    ");
        let cut = match text.char_indices().nth(SHOWN_COLUMNS) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text,
        };
        match change.tag() {
            ChangeTag::Equal => {}
            ChangeTag::Delete => lines.push(line(
                number(change.old_index(), 0),
                &format!("- {cut}").red(),
            )),
            ChangeTag::Insert => {
                lines.push(line(
                    number(change.new_index(), shift),
                    &format!("+ {cut}").green(),
                ));
            }
        }
    }
    let count = |text: &str| isize::try_from(text.lines().count()).unwrap_or(0);
    shift + count(&after) - count(&before)
}

fn line(number: Option<usize>, text: &dyn std::fmt::Display) -> String {
    let number = number.map(|number| number.to_string()).unwrap_or_default();
    format!("{} {text}", format!("{number:>4}").blue().bold())
}
