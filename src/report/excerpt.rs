//! The lines of a file that a finding shows, fit for a terminal.
//!
//! The renderer gets only the lines it needs: a table may have millions. Long lines are cut around what is
//! to be seen in them, secrets are masked, and characters that a terminal would obey are replaced. Offsets
//! are followed through all of that.

use std::ops::Range;

use super::secret::Secrets;
use super::visible::stand_in;
use crate::source::Source;

/// Bytes that are kept of a long line in front of a place to be seen.
const KEPT_BEFORE: usize = 60;
/// Bytes that are kept after the beginning of a place to be seen.
const KEPT_AFTER: usize = 200;
/// Lines up to this length are kept whole.
const WHOLE: usize = 400;
/// What stands where a line was cut.
const CUT: &str = "…";

/// Some lines of a file.
#[derive(Debug)]
pub(super) struct Excerpt {
    /// The lines as they are shown.
    pub(super) text: String,
    /// The number of the first line, from 1.
    pub(super) first_line: usize,
    /// For each point from which on offsets move differently: offset in the file, offset in the text.
    map: Vec<(usize, usize)>,
}

impl Excerpt {
    /// The lines of `source` that the ranges touch, and those between them.
    pub(super) fn of(source: &Source, secrets: &Secrets, ranges: &[Range<usize>]) -> Self {
        let length = source.text().len();
        let start = ranges
            .iter()
            .map(|range| range.start)
            .min()
            .unwrap_or(0)
            .min(length);
        let end = ranges
            .iter()
            .map(|range| range.end)
            .max()
            .unwrap_or(0)
            .clamp(start, length);
        let bytes = source.text().as_bytes();
        let start = memchr::memrchr(b'\n', &bytes[..start]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &bytes[end..]).map_or(length, |at| end + at);
        let mut excerpt = Self {
            text: String::new(),
            first_line: source.line_column(start).line,
            map: vec![(start, 0)],
        };
        let mut points: Vec<usize> = ranges
            .iter()
            .flat_map(|range| [range.start, range.end])
            .collect();
        points.sort_unstable();
        let text = secrets.masked(source, start..end);
        let mut at = start;
        for line in text.split('\n') {
            if at > start {
                excerpt.text.push('\n');
                excerpt.mark(at);
            }
            let line_end = at + line.len();
            excerpt.push_line(line.strip_suffix('\r').unwrap_or(line), at, &points);
            at = line_end + 1;
        }
        excerpt
    }

    /// Offsets from `offset` on are counted from the end of the text.
    fn mark(&mut self, offset: usize) {
        self.map.push((offset, self.text.len()));
    }

    fn push_line(&mut self, line: &str, offset: usize, points: &[usize]) {
        let from = points.partition_point(|&point| point < offset);
        let inside = points[from..]
            .iter()
            .take_while(|&&point| point <= offset + line.len());
        let mut at = 0;
        for kept in kept_parts(line, inside.map(|&point| point - offset)) {
            if kept.start > at {
                self.mark(offset + at);
                self.text.push_str(CUT);
                self.mark(offset + kept.start);
            }
            for (index, c) in line[kept.clone()].char_indices() {
                match stand_in(c).filter(|_| c != '\t') {
                    None => self.text.push(c),
                    Some(shown) => {
                        self.text.push(shown);
                        self.mark(offset + kept.start + index + c.len_utf8());
                    }
                }
            }
            at = kept.end;
        }
        if at < line.len() {
            self.mark(offset + at);
            self.text.push_str(CUT);
        }
    }

    /// Where an offset of the file is in the text: at the start of a character.
    pub(super) fn at(&self, offset: usize) -> usize {
        let next = self.map.partition_point(|(from, _)| *from <= offset);
        let Some((from, to)) = next.checked_sub(1).and_then(|index| self.map.get(index)) else {
            return 0;
        };
        // What was cut or replaced is shorter or longer than what it stands for.
        let limit = self.map.get(next).map_or(self.text.len(), |(_, to)| *to);
        let mut at = (to + (offset - from)).min(limit);
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    /// The column of an offset of the file in the line of the text, in characters, from 1.
    pub(super) fn column(&self, offset: usize) -> usize {
        let before = &self.text[..self.at(offset)];
        let line = before.rfind('\n').map_or(0, |newline| newline + 1);
        before[line..].chars().count() + 1
    }

    /// A range of the file in the text.
    pub(super) fn range(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.at(range.start);
        start..self.at(range.end).max(start)
    }
}

/// The parts of a line to keep: all of a short one, the surroundings of the points in a long one.
fn kept_parts(line: &str, points: impl Iterator<Item = usize>) -> Vec<Range<usize>> {
    if line.len() <= WHOLE {
        let whole = 0..line.len();
        return vec![whole];
    }
    let mut parts: Vec<Range<usize>> = Vec::new();
    for point in points {
        let part = floor(line, point.saturating_sub(KEPT_BEFORE))..floor(line, point + KEPT_AFTER);
        match parts.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => parts.push(part),
        }
    }
    if parts.is_empty() {
        parts.push(0..floor(line, KEPT_AFTER));
    }
    parts
}

/// The start of the character at an offset.
fn floor(line: &str, offset: usize) -> usize {
    let mut at = offset.min(line.len());
    while !line.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn excerpt(bytes: &[u8], ranges: &[Range<usize>]) -> Excerpt {
        let source = Sources::default().add("main.cf".into(), bytes.to_vec(), None);
        Excerpt::of(&source, &Secrets::default(), ranges)
    }

    #[test]
    fn only_the_lines_that_are_needed() {
        let excerpt = excerpt(b"a\nbb\r\n\tcc\x1bd\xff\ne", &[3..4, 9..12]);
        assert_eq!(excerpt.text, "bb\n\tcc␛d?");
        assert_eq!(excerpt.first_line, 2);
        assert_eq!(excerpt.range(&(3..4)), 1..2);
        assert_eq!(&excerpt.text[excerpt.range(&(9..12))], "␛d?");
    }

    #[test]
    fn a_long_line_is_cut_around_what_is_shown() {
        let mut line = vec![b'x'; 1_000_000];
        line[500_000] = b'y';
        let excerpt = excerpt(&line, std::slice::from_ref(&(500_000..500_001)));
        assert!(excerpt.text.len() < 500, "{}", excerpt.text.len());
        assert_eq!(&excerpt.text[excerpt.range(&(500_000..500_001))], "y");
        assert!(excerpt.text.starts_with(CUT) && excerpt.text.ends_with(CUT));
    }

    #[test]
    fn any_offset_gives_a_character() {
        let text = "é\u{9b}\0ü\r\n\u{202e}z".repeat(100).into_bytes();
        for start in (0..text.len()).step_by(7) {
            for end in start..(start + 40).min(text.len() + 3) {
                let excerpt = excerpt(&text, std::slice::from_ref(&(start..end)));
                let range = excerpt.range(&(start..end));
                assert!(excerpt.text.get(range).is_some(), "{start}..{end}");
            }
        }
    }
}
