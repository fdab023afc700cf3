//! Where the lines of a pattern table come from: a file, or `{…}` in the reference.

use std::sync::Arc;

use crate::source::{Source, Span, Text};
use crate::syntax::line_text::LineText;
use crate::syntax::logical_line::LogicalLines;

/// The lines of a table of rules.
#[derive(Clone, Debug)]
pub(super) enum RuleSource {
    /// The logical lines of a file.
    File(Arc<Source>),
    /// Rules in a reference, one line each.
    Inline(Vec<Text>),
}

/// A line, its place and its number.
pub(super) struct RuleLine {
    /// The text, up to a NUL.
    pub(super) text: Text,
    /// Offset of the line in the file, or index of the rule.
    pub(super) at: usize,
}

impl RuleSource {
    /// Calls `each` with every line that Postfix looks at.
    pub(super) fn for_each(&self, mut each: impl FnMut(&[u8], usize)) {
        match self {
            Self::File(source) => {
                for line in LogicalLines::of(source) {
                    if !line.discarded {
                        let at = line.range().start;
                        each(LineText::new(source, line).bytes(), at);
                    }
                }
            }
            Self::Inline(rules) => {
                for (index, rule) in rules.iter().enumerate() {
                    let bytes = rule.as_bytes();
                    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
                    if end > 0 && bytes[0] != b'#' {
                        each(&bytes[..end], index);
                    }
                }
            }
        }
    }

    /// The line that [`RuleSource::for_each`] gave with `at`.
    pub(super) fn line(&self, at: usize) -> RuleLine {
        let text = match self {
            Self::File(source) => LogicalLines::starting_at(source, at)
                .next()
                .map(|line| line.text(source)),
            Self::Inline(rules) => rules.get(at).cloned(),
        };
        RuleLine {
            text: text.unwrap_or_default().until_nul(),
            at,
        }
    }

    /// The number of that line as Postfix counts.
    pub(super) fn number(&self, at: usize) -> usize {
        match self {
            Self::File(source) => source.line_column(at).line,
            Self::Inline(_) => at + 1,
        }
    }
}

impl RuleLine {
    /// Where the line is written.
    pub(super) fn span(&self) -> Option<Span> {
        self.text.span()
    }
}
