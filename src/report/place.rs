//! A span as people count places.

use super::Entry;
use crate::source::{Source, Span};

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

/// The path of a file as reports show it: `./main.cf` is `main.cf`, as programs that compare paths with
/// those of a repository need it.
pub fn shown_path(source: &Source) -> String {
    let path = source.path();
    // Only `.` itself would have nothing left.
    let path = (path.strip_prefix(".").ok())
        .filter(|rest| !rest.as_os_str().is_empty())
        .unwrap_or(path);
    path.to_string_lossy().into_owned()
}

impl Entry<'_> {
    /// Where a span of this entry is.
    pub fn place_of(&self, span: Span) -> Place {
        let source = self.sources.get(span.file);
        let (start, end) = (source.line_column(span.start), source.line_column(span.end));
        Place {
            file: shown_path(&source),
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
