//! The fixer's verbs: what rules say they want done, as edits by byte span.
//!
//! The verbs know what logical lines are made of: pieces with comments between them, commas, indentation,
//! CR LF, a last line without newline. Whatever a verb does not have to change keeps its bytes, and no line
//! becomes part of another one. A verb gives `None` where it cannot do that, or where nothing would change;
//! the finding then has no fix to apply.
//!
//! Each verb gives the edits for one change. The edits of two verbs may be put into one fix when they do
//! not meet: to remove several words of a list, name them all in one [`remove_words`].

mod line;
mod lines;
mod list;
mod overrides;
mod parameter;
mod setting;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use lines::{
    append_line, insert_line_above, insert_line_below, move_comment_above, remove_line, unindent,
};
pub use list::{append_word, insert_word_after, insert_word_before, remove_word, remove_words};
pub use overrides::{insert_override, remove_override};
pub use parameter::{remove_parameter, remove_parameter_words, set_parameter};
pub use setting::{insert_parameter, insert_parameter_below, remove_setting, set_value};

use line::Line;

use crate::finding::Edit;
use crate::source::{Source, Span, Text, is_space};

/// Replaces the bytes of a span, whatever they are.
pub fn replace_span(span: Span, text: impl Into<Vec<u8>>) -> Edit {
    Edit {
        span,
        text: text.into(),
    }
}

/// Replaces a text that stands in one logical line (a word, a name, a field of master.cf) by one line of
/// text without blanks at its ends. Comments between the parts of the old text stay.
pub fn replace_word(source: &Source, word: &Text, new: &str) -> Option<Vec<Edit>> {
    let span = word.span().filter(|span| span.file == source.id())?;
    if word.is_empty() || word == new || !is_one_line(new) || new.is_empty() {
        return None;
    }
    Line::around(source, span.start)?.replace(span.start..span.end, new)
}

/// The bytes with the edits done. Edits may touch each other; two insertions at one place keep their order.
///
/// `None` when edits overlap, or reach beyond the end.
pub fn splice(bytes: &[u8], edits: &[Edit]) -> Option<Vec<u8>> {
    let mut edits: Vec<&Edit> = edits.iter().collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    for edit in edits {
        out.extend_from_slice(bytes.get(at..edit.span.start)?);
        out.extend_from_slice(&edit.text);
        at = edit.span.end.max(edit.span.start);
    }
    out.extend_from_slice(bytes.get(at..)?);
    Some(out)
}

/// Whether a text can stand in one physical line and comes back as it is: Postfix trims the ends, and stops
/// at a NUL.
fn is_one_line(text: &str) -> bool {
    let bytes = text.as_bytes();
    let blank = |byte: Option<&u8>| byte.is_some_and(|&byte| is_space(byte));
    !bytes.contains(&b'\n') && !bytes.contains(&0) && !blank(bytes.first()) && !blank(bytes.last())
}

/// Whether braces pair up, as everything that splits words outside `{ }` needs them to.
fn has_balanced_braces(text: &str) -> bool {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => return false,
            b'}' => depth -= 1,
            _ => {}
        }
    }
    depth == 0
}
