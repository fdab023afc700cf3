//! A logical line as something to cut from: which physical lines it has, and what may be taken out of them.

use std::ops::Range;

use crate::finding::Edit;
use crate::source::{Source, is_space};
use crate::syntax::logical_line::{LogicalLine, LogicalLines};

/// A logical line and the file that it stands in. All offsets are offsets of the file.
#[derive(Debug)]
pub(super) struct Line<'s> {
    pub(super) source: &'s Source,
    pieces: Vec<Range<usize>>,
}

impl<'s> Line<'s> {
    /// The logical line that has text at `at`; `None` where there is a comment or nothing.
    pub(super) fn around(source: &'s Source, at: usize) -> Option<Self> {
        let bytes = source.bytes();
        let mut start = physical_start(bytes, at);
        // Text in column 0 starts a logical line; in front of the first such line, all is one line.
        while start > 0
            && bytes
                .get(start)
                .is_none_or(|&byte| is_space(byte) || byte == b'#')
        {
            start = physical_start(bytes, start - 1);
        }
        let line = LogicalLines::starting_at(source, start).next()?;
        let line = Self::of(source, &line);
        line.piece_at(at).is_some().then_some(line)
    }

    pub(super) fn of(source: &'s Source, line: &LogicalLine) -> Self {
        Self {
            source,
            pieces: line.pieces().collect(),
        }
    }

    pub(super) fn bytes(&self) -> &'s [u8] {
        self.source.bytes()
    }

    pub(super) fn pieces(&self) -> &[Range<usize>] {
        &self.pieces
    }

    /// From the first byte to the last, without the newline.
    pub(super) fn range(&self) -> Range<usize> {
        let end = self.pieces.last().map_or(0, |piece| piece.end);
        self.pieces.first().map_or(end, |piece| piece.start)..end
    }

    /// Which piece has `at` in it or at its end.
    pub(super) fn piece_at(&self, at: usize) -> Option<usize> {
        self.pieces
            .iter()
            .position(|piece| piece.start <= at && at <= piece.end)
    }

    /// Where the text of a piece begins: behind the indentation of a continuation.
    pub(super) fn text_start(&self, index: usize) -> usize {
        let piece = &self.pieces[index];
        if index == 0 {
            return piece.start;
        }
        let bytes = self.bytes();
        piece
            .clone()
            .find(|&at| !is_space(bytes[at]))
            .unwrap_or(piece.end)
    }

    /// Where a piece ends, without the CR of a CR LF.
    pub(super) fn text_end(&self, index: usize) -> usize {
        let piece = &self.pieces[index];
        let bytes = self.bytes();
        let crlf = bytes.get(piece.end) == Some(&b'\n')
            && piece.end > piece.start
            && bytes[piece.end - 1] == b'\r';
        piece.end - usize::from(crlf)
    }

    /// Whether there is nothing but blanks between the start of a piece and `at`.
    pub(super) fn starts_continuation(&self, at: usize) -> bool {
        self.piece_at(at)
            .is_some_and(|index| index > 0 && self.text_start(index) >= at)
    }

    /// The first `=` outside what precedes `from`.
    pub(super) fn equals_after(&self, from: usize) -> Option<usize> {
        let bytes = self.bytes();
        self.pieces
            .iter()
            .flat_map(|piece| piece.clone())
            .find(|&at| at >= from && bytes[at] == b'=')
    }

    /// The parts of `range` that are text of this line.
    pub(super) fn parts(&self, range: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> {
        self.pieces
            .iter()
            .enumerate()
            .map(move |(index, piece)| {
                let start = range.start.max(piece.start);
                (index, start..range.end.min(piece.end))
            })
            .filter(|(_, part)| part.start < part.end)
    }

    /// What ends the physical line at `at`, or would end it if it had an end.
    pub(super) fn newline(&self, at: usize) -> &'static str {
        newline_at(self.bytes(), at)
    }

    /// Takes `ranges` out of the line.
    ///
    /// Indentation, comments in between and line ends stay. A continuation of which nothing is left goes as
    /// a whole, and so do the blanks in front of a cut that reaches the end of a physical line. `None` when
    /// what is left would be something else: a comment, or part of the logical line above.
    pub(super) fn cut(&self, ranges: &[Range<usize>]) -> Option<Vec<Edit>> {
        let mut edits = Vec::new();
        for index in 0..self.pieces.len() {
            self.cut_piece(index, ranges, &mut edits)?;
        }
        (!edits.is_empty()).then_some(edits)
    }

    fn cut_piece(
        &self,
        index: usize,
        ranges: &[Range<usize>],
        edits: &mut Vec<Edit>,
    ) -> Option<()> {
        let bytes = self.bytes();
        let text = self.text_start(index)..self.text_end(index);
        let cut = |at: usize| ranges.iter().any(|range| range.contains(&at));
        if !text.clone().any(cut) {
            return Some(());
        }
        let left: Vec<usize> = text.clone().filter(|&at| !cut(at)).collect();
        // A vertical tab or form feed alone in a line makes it a blank line, but is a word of a list.
        let is_blank = |at: &usize| matches!(bytes[*at], b' ' | b'\t' | b'\r');
        let Some(last) = left.iter().rposition(|at| !is_blank(at)) else {
            if index == 0 {
                return None;
            }
            let line = self.pieces[index].start..physical_end(bytes, text.end);
            edits.push(self.edit(line, ""));
            return Some(());
        };
        let first = left.iter().map(|&at| bytes[at]).find(|&b| !is_space(b))?;
        let was = bytes[self.text_start(index)];
        if (index == 0 && left.first() != Some(&text.start)) || (first == b'#' && was != b'#') {
            return None;
        }
        // What remains behind the last word that stays goes with the cut, unless it was there before.
        let kept_end = left[last] + 1;
        let tail_was_cut = (kept_end..text.end).any(cut);
        let gone = |at: usize| cut(at) || (tail_was_cut && at >= kept_end);
        let mut at = text.start;
        while at < text.end {
            let start = at;
            while at < text.end && gone(at) {
                at += 1;
            }
            if start < at {
                edits.push(self.edit(start..at, ""));
            }
            at += 1;
        }
        Some(())
    }

    /// Puts `new` in the place of `range`, which has text at both ends.
    pub(super) fn replace(&self, range: Range<usize>, new: &str) -> Option<Vec<Edit>> {
        let mut parts = self.parts(range.clone());
        let (index, first) = parts.next()?;
        if first.start != range.start || !self.may_stand_at(first.start, new) {
            return None;
        }
        let rest: Vec<_> = parts.map(|(_, part)| part).collect();
        let first = first.start..first.end.min(self.text_end(index));
        let mut edits = vec![self.edit(first, new)];
        if !rest.is_empty() {
            edits.extend(self.cut(&rest)?);
        }
        Some(edits)
    }

    /// Whether `new` at `at` stays what it is: a `#` at the start of a physical line makes a comment, and
    /// the first byte of the logical line must not be white space.
    pub(super) fn may_stand_at(&self, at: usize, new: &str) -> bool {
        let first = new.bytes().next();
        let starts_line = at == self.range().start || self.starts_continuation(at);
        !starts_line || first.is_some_and(|byte| byte != b'#' && !is_space(byte))
    }

    pub(super) fn edit(&self, range: Range<usize>, text: impl Into<Vec<u8>>) -> Edit {
        Edit {
            span: self.source.span_of(range),
            text: text.into(),
        }
    }
}

/// Where the physical line of `at` starts.
pub(super) fn physical_start(bytes: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &bytes[..at.min(bytes.len())]).map_or(0, |newline| newline + 1)
}

/// Where the physical line of `at` ends, newline included.
pub(super) fn physical_end(bytes: &[u8], at: usize) -> usize {
    let at = at.min(bytes.len());
    memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length + 1)
}

/// CR LF or LF: as the line of `at` ends, or the one above it where that is the last and has no end.
pub(super) fn newline_at(bytes: &[u8], at: usize) -> &'static str {
    let end = physical_end(bytes, at);
    let line = if end > 0 && bytes[end - 1] == b'\n' {
        &bytes[..end]
    } else {
        &bytes[..physical_start(bytes, at)]
    };
    if line.ends_with(b"\r\n") {
        "\r\n"
    } else {
        "\n"
    }
}
