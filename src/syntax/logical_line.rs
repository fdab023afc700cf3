//! Physical lines to logical lines, as Postfix's `src/util/readlline.c` joins them.
//!
//! Comment lines and blank lines are dropped wherever they stand: they end nothing. A line that starts
//! with white space continues the logical line before it, over any number of comments and blank lines.

use std::ops::Range;

use crate::source::{Source, Span, Text, is_space};

/// One logical line: the text of its physical lines, without the comments between them.
#[derive(Clone, Debug)]
pub struct LogicalLine {
    /// The first physical line's text, without its newline.
    first: Range<usize>,
    /// The continuation lines' text, without their newlines.
    rest: Vec<Range<usize>>,
    /// The first physical line starts with white space: Postfix warns and throws the whole line away.
    pub discarded: bool,
}

impl LogicalLine {
    /// The parts of the file that make up the line, in order.
    pub fn pieces(&self) -> impl Iterator<Item = Range<usize>> {
        std::iter::once(self.first.clone()).chain(self.rest.iter().cloned())
    }

    /// Whether the line is one physical line.
    pub fn is_single(&self) -> bool {
        self.rest.is_empty()
    }

    /// From the first byte to the last, newline not included, comments in between included.
    pub fn range(&self) -> Range<usize> {
        self.first.start..self.rest.last().map_or(self.first.end, |last| last.end)
    }

    /// [`LogicalLine::range`] as a span.
    pub fn span(&self, source: &Source) -> Span {
        source.span_of(self.range())
    }

    /// The joined text. Nothing stands in place of the newlines.
    pub fn text(&self, source: &Source) -> Text {
        Text::join(source, self.pieces())
    }
}

/// The logical lines of a file, in order.
#[derive(Clone, Debug)]
pub struct LogicalLines<'s> {
    bytes: &'s [u8],
    at: usize,
}

impl<'s> LogicalLines<'s> {
    /// The logical lines of a file.
    pub fn of(source: &'s Source) -> Self {
        Self {
            bytes: source.bytes(),
            at: 0,
        }
    }

    /// The logical lines from offset `at` on, which has to be the start of one.
    pub fn starting_at(source: &'s Source, at: usize) -> Self {
        Self {
            bytes: source.bytes(),
            at,
        }
    }

    /// The next physical line without its newline; `at` then stands after the newline.
    fn physical(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        if start >= self.bytes.len() {
            return None;
        }
        let end = memchr::memchr(b'\n', &self.bytes[start..]).map(|length| start + length);
        self.at = end.map_or(self.bytes.len(), |end| end + 1);
        Some(start..end.unwrap_or(self.bytes.len()))
    }
}

impl Iterator for LogicalLines<'_> {
    type Item = LogicalLine;

    fn next(&mut self) -> Option<LogicalLine> {
        let first = loop {
            let line = self.physical()?;
            if physical_kind(&self.bytes[line.clone()]) == Physical::Text {
                break line;
            }
        };
        let mut rest = Vec::new();
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte != b'#' && !is_space(byte) {
                break;
            }
            match self.physical() {
                Some(line) if physical_kind(&self.bytes[line.clone()]) == Physical::Text => {
                    rest.push(line);
                }
                _ => {}
            }
        }
        let discarded = is_space(self.bytes[first.start]);
        Some(LogicalLine {
            first,
            rest,
            discarded,
        })
    }
}

#[derive(PartialEq, Eq)]
enum Physical {
    Blank,
    Comment,
    Text,
}

fn physical_kind(line: &[u8]) -> Physical {
    match line.iter().find(|&&byte| !is_space(byte)) {
        None => Physical::Blank,
        Some(b'#') => Physical::Comment,
        Some(_) => Physical::Text,
    }
}

/// What a physical line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TileKind {
    /// Nothing but white space.
    Blank,
    /// The first byte that is not white space is `#`.
    Comment,
    /// The first line of a logical line.
    Start,
    /// A further line of a logical line.
    Continuation,
    /// A line of a logical line that Postfix throws away because it starts with white space.
    Discarded,
}

/// A physical line with its newline. The tiles of a file cover each of its bytes once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The bytes, newline included.
    pub range: Range<usize>,
    /// What the line is.
    pub kind: TileKind,
}

/// All physical lines of a file: the ranges follow each other and cover the file.
pub fn tiles(source: &Source) -> Vec<Tile> {
    let bytes = source.bytes();
    let mut tiles = Vec::new();
    let mut logical = LogicalLines::of(source);
    let mut pending = logical.next();
    let mut at = 0;
    while at < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |length| at + length + 1);
        while pending.as_ref().is_some_and(|line| line.range().end < at) {
            pending = logical.next();
        }
        let kind = match physical_kind(&bytes[at..end]) {
            Physical::Blank => TileKind::Blank,
            Physical::Comment => TileKind::Comment,
            Physical::Text => match &pending {
                Some(line) if line.discarded => TileKind::Discarded,
                Some(line) if line.first.start == at => TileKind::Start,
                _ => TileKind::Continuation,
            },
        };
        tiles.push(Tile {
            range: at..end,
            kind,
        });
        at = end;
    }
    tiles
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn joined(text: &str) -> Vec<(String, bool)> {
        let sources = Sources::default();
        let source = sources.add("main.cf".into(), text.as_bytes().to_vec(), None);
        LogicalLines::of(&source)
            .map(|line| (line.text(&source).to_string(), line.discarded))
            .collect()
    }

    #[test]
    fn comments_and_blank_lines_do_not_end_a_line() {
        assert_eq!(
            joined("a = 1,\n# c\n\n   # d\n  2\nb = 3"),
            [("a = 1,  2".to_owned(), false), ("b = 3".to_owned(), false)]
        );
    }

    #[test]
    fn leading_white_space_discards_the_logical_line() {
        assert_eq!(
            joined("# c\n  a = 1\n  b\nc = 2\n"),
            [("  a = 1  b".to_owned(), true), ("c = 2".to_owned(), false)]
        );
    }

    #[test]
    fn tiles_cover_the_file() {
        let sources = Sources::default();
        let text = "# c\n\na = 1\n# d\n  2\nb\n  \n c";
        let source = sources.add("main.cf".into(), text.as_bytes().to_vec(), None);
        let tiles = tiles(&source);
        let kinds: Vec<_> = tiles.iter().map(|tile| tile.kind).collect();
        use TileKind::{Blank, Comment, Continuation, Start};
        assert_eq!(
            kinds,
            [
                Comment,
                Blank,
                Start,
                Comment,
                Continuation,
                Start,
                Blank,
                Continuation
            ]
        );
        assert_eq!(tiles.last().map(|tile| tile.range.end), Some(text.len()));
    }
}
