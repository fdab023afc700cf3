//! Verbs for whole lines, in any file that is made of logical lines.

use super::line::{Line, newline_at, physical_end, physical_start};
use super::replace_span;
use crate::finding::Edit;
use crate::source::{Source, Span, is_space};

/// Removes the logical line that starts at `line`: a setting, a service, an entry of a table. Comments
/// between its physical lines stay.
pub fn remove_line(source: &Source, line: Span) -> Vec<Edit> {
    let bytes = source.bytes();
    let Some(line) = Line::around(source, line.start) else {
        return Vec::new();
    };
    line.pieces()
        .iter()
        .map(|piece| line.edit(piece.start..physical_end(bytes, piece.end), ""))
        .collect()
}

/// Puts `text`, which is one or more physical lines without the last newline, in front of the logical line
/// that starts at `line`, behind the comments above it.
pub fn insert_line_above(source: &Source, line: Span, text: &str) -> Edit {
    let at = physical_start(source.bytes(), line.start);
    let newline = newline_at(source.bytes(), line.start);
    replace_span(
        source.span_of(at..at),
        with_newlines(text, newline) + newline,
    )
}

/// Puts `text`, which is one or more physical lines without the last newline, behind the logical line that
/// starts at `line`.
pub fn insert_line_below(source: &Source, line: Span, text: &str) -> Edit {
    let bytes = source.bytes();
    let end = Line::around(source, line.start).map_or(line.end, |line| line.range().end);
    let newline = newline_at(bytes, end);
    let at = physical_end(bytes, end);
    let text = with_newlines(text, newline);
    let text = if bytes[..at].ends_with(b"\n") {
        text + newline
    } else {
        format!("{newline}{text}{newline}")
    };
    replace_span(source.span_of(at..at), text)
}

/// Puts `text`, which is one or more physical lines without the last newline and starts with text in column
/// 0, at the end of the file.
pub fn append_line(source: &Source, text: &str) -> Edit {
    let bytes = source.bytes();
    let end = bytes.len();
    let newline = newline_at(bytes, end.saturating_sub(1));
    let text = with_newlines(text, newline);
    let text = if bytes.is_empty() || bytes.ends_with(b"\n") {
        text + newline
    } else {
        format!("{newline}{text}{newline}")
    };
    replace_span(source.span_of(end..end), text)
}

/// Takes a comment that begins at the `#` at `comment` out of the logical line that starts at `line`, and
/// puts it on a line of its own above it.
///
/// The comment reaches to the end of its physical line. What stands in front of it stays.
pub fn move_comment_above(source: &Source, line: Span, comment: Span) -> Option<Vec<Edit>> {
    let bytes = source.bytes();
    let line = Line::around(source, line.start)?;
    let index = line.piece_at(comment.start)?;
    let range = comment.start..line.text_end(index);
    let text = bytes.get(range.clone())?.trim_ascii_end();
    if text.first() != Some(&b'#') {
        return None;
    }
    let mut above = text.to_vec();
    above.extend_from_slice(line.newline(comment.start).as_bytes());
    let start = line.range().start;
    let mut edits = vec![line.edit(start..start, above)];
    edits.extend(line.cut(&[range])?);
    Some(edits)
}

/// Makes the physical line of `at` start in column 0, so that it starts a logical line. What continues it
/// goes with it.
pub fn unindent(source: &Source, at: Span) -> Option<Edit> {
    let bytes = source.bytes();
    let start = physical_start(bytes, at.start);
    let end = physical_end(bytes, at.start);
    let text = (start..end).find(|&at| !is_space(bytes[at]))?;
    (text > start && bytes[text] != b'#').then(|| replace_span(source.span_of(start..text), ""))
}

/// `text` with the line ends of the file.
fn with_newlines(text: &str, newline: &str) -> String {
    if newline == "\n" {
        text.to_owned()
    } else {
        text.replace('\n', newline)
    }
}
