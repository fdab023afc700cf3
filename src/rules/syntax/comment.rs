//! A `#` in a value, which starts no comment there.

use std::ops::Range;

use crate::edits;
use crate::finding::Edit;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::source::{Source, Span, Text};
use crate::syntax::main_cf::Setting;

/// The first word of a value that begins with `#` outside braces: what somebody took for a comment.
///
/// In a text of one word, such as `recipient_delimiter = #`, it is no comment.
pub(super) fn find(value: &Text) -> Option<Text> {
    memchr::memchr(b'#', value.as_bytes())?;
    let words = value.words_outside_braces(LIST_SEPARATORS);
    let first = words.iter().find(|word| word.as_str().starts_with('#'))?;
    (words.len() > 1 || first.len() > 1).then(|| first.clone())
}

/// The words of a value up to the comment, and those that stand behind it on lines of their own: somebody
/// thinks that they are in force.
pub(super) fn around(value: &Text, comment: &Text, source: &Source) -> (Vec<Text>, Vec<Text>) {
    let words = value.words_outside_braces(LIST_SEPARATORS);
    let at = words
        .iter()
        .position(|word| word.span() == comment.span())
        .unwrap_or(words.len());
    let line = comment.span().map(|span| line_of(source, span.start));
    let is_below = |word: &&Text| match (word.span(), &line) {
        (Some(span), Some(line)) => span.file != source.id() || !line.contains(&span.start),
        _ => true,
    };
    let below = words
        .iter()
        .skip(at + 1)
        .filter(is_below)
        .filter(|word| !is_hash(word));
    (words[..at].to_vec(), below.cloned().collect())
}

fn is_hash(word: &Text) -> bool {
    word.as_str().starts_with('#')
}

/// The physical line of an offset.
fn line_of(source: &Source, at: usize) -> Range<usize> {
    let bytes = source.bytes();
    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length);
    start..end
}

/// Moves all comments in a setting of main.cf to lines of their own above it.
pub(super) fn move_above(source: &Source, setting: &Setting) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut last: Option<Range<usize>> = None;
    let words = setting.value.words_outside_braces(LIST_SEPARATORS);
    for span in words
        .iter()
        .filter(|word| is_hash(word))
        .filter_map(Text::span)
    {
        let line = line_of(source, span.start);
        if last.as_ref() != Some(&line) {
            edits.extend(edits::move_comment_above(source, setting.span, span)?);
            last = Some(line);
        }
    }
    (!edits.is_empty()).then_some(edits)
}

/// Whether a place lies in a setting's value.
pub(super) fn is_inside(setting: &Setting, place: Span) -> bool {
    let value = setting.value_span();
    place.file == value.file && place.start >= value.start && place.end <= value.end
}
