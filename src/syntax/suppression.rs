//! Comments that speak to postlint: `# postlint: ignore[rule, rule] reason`.
//!
//! Such a comment stands on a line of its own, directly above the first physical line of a logical line, or
//! above another such comment that does. Postfix has no comments behind text.

use std::ops::Range;

use super::logical_line::LogicalLines;
use crate::source::{Source, Span, Text, is_space};

/// The word that tells such a comment from others.
const PREFIX: &[u8] = b"postlint:";

/// A comment for postlint.
#[derive(Clone, Debug)]
pub struct SuppressionComment {
    /// From the `#` to the last character that is not white space.
    pub span: Span,
    /// The physical line with its newline.
    pub physical: Span,
    /// The logical line below, from its first to its last byte; `None` when the comment stands above none.
    pub line: Option<Range<usize>>,
    /// What it says.
    pub kind: CommentKind,
}

/// What a comment says.
#[derive(Clone, Debug)]
pub enum CommentKind {
    /// `ignore[…]`: the words in the brackets, at least one.
    Ignore(Vec<Text>),
    /// Not understood, and why.
    Malformed(CommentError),
}

/// What is wrong with a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentError {
    /// Something else than `ignore[` follows `postlint:`.
    NotIgnore,
    /// The `]` is missing.
    Unclosed,
    /// Nothing stands in the brackets.
    NoRule,
    /// The `#` stands behind other text, which Postfix takes for a part of it.
    BehindText,
}

/// The comments for postlint in a file, in order.
pub fn suppression_comments(source: &Source) -> Vec<SuppressionComment> {
    let bytes = source.bytes();
    let mut comments = Vec::new();
    let mut at = 0;
    while let Some(found) = find_prefix(bytes, at) {
        at = found + PREFIX.len();
        let physical = physical_line(bytes, found);
        let Some(hash) = hash_before(bytes, physical.start, found) else {
            continue;
        };
        let end = trim_end(bytes, at..physical.end);
        let is_comment = bytes[physical.start..hash].iter().copied().all(is_space);
        let kind = if is_comment {
            parse(source, at..end)
        } else if matches!(parse(source, at..end), CommentKind::Ignore(_)) {
            CommentKind::Malformed(CommentError::BehindText)
        } else {
            continue;
        };
        comments.push(SuppressionComment {
            span: source.span_of(hash..end),
            line: if is_comment {
                line_below(source, physical.end)
            } else {
                None
            },
            physical: source.span_of(physical.clone()),
            kind,
        });
        at = physical.end;
    }
    comments
}

/// Where the prefix stands next, with a small or a capital letter in front.
fn find_prefix(bytes: &[u8], from: usize) -> Option<usize> {
    memchr::memmem::find_iter(bytes.get(from..)?, &PREFIX[1..])
        .filter_map(|at| (from + at).checked_sub(1))
        .find(|&start| start >= from && matches!(bytes[start], b'p' | b'P'))
}

/// The physical line around an offset, newline included.
fn physical_line(bytes: &[u8], at: usize) -> Range<usize> {
    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline + 1);
    start..end
}

/// The first `#` of a row of them that only white space parts from `at`.
fn hash_before(bytes: &[u8], line: usize, at: usize) -> Option<usize> {
    let before = &bytes[line..at];
    let hash = before.iter().rposition(|&byte| !is_space(byte))?;
    if before[hash] != b'#' {
        return None;
    }
    let first = before[..hash]
        .iter()
        .rposition(|&byte| byte != b'#')
        .map_or(0, |other| other + 1);
    Some(line + first)
}

fn trim_end(bytes: &[u8], range: Range<usize>) -> usize {
    let length = bytes[range.clone()]
        .iter()
        .rposition(|&byte| !is_space(byte))
        .map_or(0, |last| last + 1);
    range.start + length
}

/// What follows `postlint:`.
fn parse(source: &Source, range: Range<usize>) -> CommentKind {
    let text = Text::of(source, range).trim();
    let bytes = text.as_bytes();
    let Some(rest) = bytes.strip_prefix(b"ignore") else {
        return CommentKind::Malformed(CommentError::NotIgnore);
    };
    let blanks = rest.iter().take_while(|&&byte| is_space(byte)).count();
    let open = bytes.len() - rest.len() + blanks;
    if bytes.get(open) != Some(&b'[') {
        return CommentKind::Malformed(CommentError::NotIgnore);
    }
    let Some(length) = memchr::memchr(b']', &bytes[open..]) else {
        return CommentKind::Malformed(CommentError::Unclosed);
    };
    let words = text.slice(open + 1..open + length).words(b", \t");
    if words.is_empty() {
        CommentKind::Malformed(CommentError::NoRule)
    } else {
        CommentKind::Ignore(words)
    }
}

/// The logical line that starts at `at`, or below further comments for postlint that start there.
fn line_below(source: &Source, at: usize) -> Option<Range<usize>> {
    let bytes = source.bytes();
    let mut at = at;
    loop {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let physical = physical_line(bytes, at);
        let text = rest[..physical.end - at]
            .iter()
            .position(|&byte| !is_space(byte))?;
        if rest[text] != b'#' {
            break;
        }
        let hashes = rest[text..]
            .iter()
            .take_while(|&&byte| byte == b'#')
            .count();
        let words = &rest[text + hashes..physical.end - at];
        let blanks = words.iter().take_while(|&&byte| is_space(byte)).count();
        if find_prefix(words, blanks) != Some(blanks) {
            return None;
        }
        at = physical.end;
    }
    if is_space(*bytes.get(at)?) {
        // A continuation, unless it is the very first line of text, which Postfix throws away.
        return LogicalLines::of(source)
            .next()
            .map(|line| line.range())
            .filter(|range| range.start == at);
    }
    LogicalLines::starting_at(source, at)
        .next()
        .map(|line| line.range())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn read(text: &str) -> Vec<(String, Option<String>)> {
        let sources = Sources::default();
        let source = sources.add("main.cf".into(), text.as_bytes().to_vec(), None);
        suppression_comments(&source)
            .into_iter()
            .map(|comment| {
                let said = match comment.kind {
                    CommentKind::Ignore(words) => {
                        words.iter().map(Text::as_str).collect::<Vec<_>>().join("+")
                    }
                    CommentKind::Malformed(error) => format!("{error:?}"),
                };
                (said, comment.line.map(|line| text[line].to_owned()))
            })
            .collect()
    }

    fn one(said: &str, line: &str) -> (String, Option<String>) {
        (said.into(), Some(line.into()))
    }

    #[test]
    fn a_comment_belongs_to_the_logical_line_below() {
        assert_eq!(
            read("# postlint: ignore[a, BS001] why not\nx = 1\n# c\n  2\ny = 3\n"),
            [one("a+BS001", "x = 1\n# c\n  2")]
        );
        assert_eq!(
            read("## Postlint:ignore [a]\r\n#postlint: ignore[b]x\r\n  x = 1"),
            [one("a", "  x = 1"), one("b", "  x = 1")]
        );
    }

    #[test]
    fn a_comment_above_something_else_belongs_to_nothing() {
        for text in [
            "# postlint: ignore[a]",
            "# postlint: ignore[a]\n\nx = 1",
            "# postlint: ignore[a]\n# other\nx = 1",
            "x = 1\n# postlint: ignore[a]\n 2",
        ] {
            assert_eq!(read(text), [("a".to_owned(), None)], "{text}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        for (text, error) in [
            ("# postlint: allow[a]\nx = 1", "NotIgnore"),
            ("# postlint: ignore a\nx = 1", "NotIgnore"),
            ("# postlint: ignore[a\nx = 1", "Unclosed"),
            ("# postlint: ignore[, ]\nx = 1", "NoRule"),
        ] {
            assert_eq!(read(text), [one(error, "x = 1")], "{text}");
        }
        assert_eq!(
            read("x = 1 # postlint: ignore[a]\n"),
            [("BehindText".to_owned(), None)]
        );
        assert!(read("# see postlint: the manual\nx = postlint: 1\n").is_empty());
    }
}
