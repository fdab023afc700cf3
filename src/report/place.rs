//! A span as people count places.

use super::Entry;
use crate::source::Span;

/// A range in a file, lines and columns from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as it is shown.
    pub file: String,
    /// Line of the first character.
    pub line: usize,
    /// Column of the first character.
    pub column: usize,
    /// Line after the last character.
    pub end_line: usize,
    /// Column after the last character.
    pub end_column: usize,
}

impl Entry<'_> {
    /// Where a span of this entry is.
    pub fn place_of(&self, span: Span) -> Place {
        let source = self.sources.get(span.file);
        let (start, end) = (source.line_column(span.start), source.line_column(span.end));
        Place {
            file: source.path().to_string_lossy().into_owned(),
            line: start.line,
            column: start.column,
            end_line: end.line,
            end_column: end.column,
        }
    }

    /// Where the finding is.
    pub fn place(&self) -> Place {
        self.place_of(self.finding.span)
    }
}
