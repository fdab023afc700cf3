//! The text of one logical line of a lookup table: borrowed where the line is one physical line.
//!
//! A table may have millions of lines, nearly all of them one physical line. [`LineText`] then is a slice
//! of the file; only a line with continuations is joined into memory of its own.

use std::borrow::Cow;
use std::ops::Range;

use super::logical_line::LogicalLine;
use crate::source::{Source, Span, Text};

/// A logical line and its joined bytes, which end in front of the first NUL as they do for Postfix.
#[derive(Clone, Debug)]
pub struct LineText<'s> {
    line: LogicalLine,
    bytes: Cow<'s, [u8]>,
}

impl<'s> LineText<'s> {
    /// The text of `line`, which is a logical line of `source`.
    pub fn new(source: &'s Source, line: LogicalLine) -> Self {
        let file = source.bytes();
        let mut bytes = if line.is_single() {
            Cow::Borrowed(&file[line.range()])
        } else {
            let mut joined = Vec::with_capacity(line.range().len());
            for piece in line.pieces() {
                joined.extend_from_slice(&file[piece]);
            }
            Cow::Owned(joined)
        };
        if let Some(nul) = memchr::memchr(0, &bytes) {
            match &mut bytes {
                Cow::Borrowed(bytes) => *bytes = &bytes[..nul],
                Cow::Owned(bytes) => bytes.truncate(nul),
            }
        }
        Self { line, bytes }
    }

    /// The joined bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A part of the joined bytes, borrowed from the file where they are.
    pub fn part(&self, range: Range<usize>) -> Cow<'s, [u8]> {
        match &self.bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(&bytes[range]),
            Cow::Owned(bytes) => Cow::Owned(bytes[range].to_vec()),
        }
    }

    /// The logical line.
    pub fn line(&self) -> &LogicalLine {
        &self.line
    }

    /// Where the joined bytes `range` stand in the file: from the first to the last of them.
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        if self.line.is_single() {
            let start = self.line.range().start;
            return start + range.start..start + range.end;
        }
        let mut at = 0;
        let mut place: Option<Range<usize>> = None;
        for piece in self.line.pieces() {
            let next = at + piece.len();
            let holds_start = place.is_none()
                && (range.start < next || (range.is_empty() && range.start == next));
            if holds_start {
                let start = piece.start + (range.start - at);
                place = Some(start..start);
            }
            if let Some(place) = &mut place
                && range.end > at
            {
                place.end = piece.start + (range.end.min(next) - at);
            }
            if range.end <= next {
                break;
            }
            at = next;
        }
        place.unwrap_or_else(|| {
            let end = self.line.range().end;
            end..end
        })
    }

    /// [`LineText::place`] as a span.
    pub fn span(&self, source: &Source, range: Range<usize>) -> Span {
        source.span_of(self.place(range))
    }

    /// The joined bytes `range` as a text with places.
    pub fn text(&self, source: &Source, range: Range<usize>) -> Text {
        self.line.text(source).slice(range)
    }
}
