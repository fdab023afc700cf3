//! A piece of text that remembers where each part of it was written.
//!
//! A logical line joins several physical lines, and an expanded value joins parts of several settings.
//! [`Text`] is both: a string, and for each part of it the place it comes from. Words cut out of it keep
//! their places, so a rule can point at the very word that it speaks of.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::{FileId, Source, Span};

/// White space as Postfix's readers know it: C `isspace` in the C locale.
pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// Where a part of a text comes from: the part starts at offset `at` of the text, and at `place`, or
/// nowhere (a built-in default).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    at: usize,
    place: Option<(FileId, usize)>,
}

/// A string with the places where its parts are written.
///
/// Like a [`Source`], it has a text view and the bytes, which differ only where the bytes are not UTF-8.
/// Two texts are equal when their bytes are.
#[derive(Clone, Default)]
pub struct Text {
    text: String,
    /// The bytes, where they are not UTF-8.
    bytes: Option<Vec<u8>>,
    pieces: Vec<Piece>,
}

impl Text {
    /// The empty text, from nowhere.
    pub const fn new() -> Self {
        Self {
            text: String::new(),
            bytes: None,
            pieces: Vec::new(),
        }
    }

    /// A text that is written nowhere, such as a built-in default.
    pub fn placeless(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            bytes: None,
            pieces: vec![Piece { at: 0, place: None }],
        }
    }

    /// Bytes that are written nowhere, such as those that a lookup copies from its key.
    pub fn placeless_bytes(bytes: &[u8]) -> Self {
        let mut text = Self::placeless("");
        text.push_view(&same_length_lossy(bytes), bytes);
        text
    }

    /// Part of a file.
    pub fn of(source: &Source, range: Range<usize>) -> Self {
        Self::join(source, std::iter::once(range))
    }

    /// Several parts of a file, joined with nothing in between.
    pub fn join(source: &Source, ranges: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut joined = Self::new();
        for range in ranges {
            let at = joined.text.len();
            joined.pieces.push(Piece {
                at,
                place: Some((source.id(), range.start)),
            });
            let raw = source.bytes().get(range.clone()).unwrap_or_default();
            match source.text().get(range) {
                Some(text) => joined.push_view(text, raw),
                // A cut inside a character: both halves are shown as `?`.
                None => joined.push_view(&same_length_lossy(raw), raw),
            }
        }
        joined
    }

    fn push_view(&mut self, text: &str, raw: &[u8]) {
        if self.bytes.is_none() && text.as_bytes() != raw {
            self.bytes = Some(self.text.as_bytes().to_vec());
        }
        if let Some(bytes) = &mut self.bytes {
            bytes.extend_from_slice(raw);
        }
        self.text.push_str(text);
    }

    /// The text view.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The part `range` of this text; a range that is out of bounds is cut.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        let mut part = Self::new();
        let raw = &self.as_bytes()[start..end];
        match self.text.get(start..end) {
            Some(text) => part.push_view(text, raw),
            None => part.push_view(&same_length_lossy(raw), raw),
        }
        part.pieces = self.pieces_in(start..end).collect();
        part
    }

    /// The pieces of `range`, as those of a text that starts there.
    fn pieces_in(&self, range: Range<usize>) -> impl Iterator<Item = Piece> {
        self.pieces
            .iter()
            .enumerate()
            .filter_map(move |(index, piece)| {
                let next = self
                    .pieces
                    .get(index + 1)
                    .map_or(usize::MAX, |next| next.at);
                let inside = piece.at < range.end && next > range.start;
                // An empty range keeps the piece it lies in, so that it still has a place.
                let empty = range.is_empty() && piece.at <= range.start && next > range.start;
                (inside || empty).then(|| {
                    let skip = range.start.saturating_sub(piece.at);
                    Piece {
                        at: piece.at.saturating_sub(range.start),
                        place: piece.place.map(|(file, offset)| (file, offset + skip)),
                    }
                })
            })
    }

    /// Appends another text, which keeps its places.
    pub fn push(&mut self, other: &Self) {
        let at = self.text.len();
        if other.is_empty() {
            return;
        }
        self.pieces.extend(other.pieces.iter().map(|piece| Piece {
            at: piece.at + at,
            ..*piece
        }));
        if other.pieces.first().is_none_or(|piece| piece.at > 0) {
            self.pieces.push(Piece { at, place: None });
            self.pieces.sort_by_key(|piece| piece.at);
        }
        self.push_view(&other.text, other.as_bytes());
    }

    /// The text without white space at its ends.
    pub fn trim(&self) -> Self {
        let bytes = self.as_bytes();
        let start = bytes
            .iter()
            .position(|&byte| !is_space(byte))
            .unwrap_or(bytes.len());
        let end = bytes
            .iter()
            .rposition(|&byte| !is_space(byte))
            .map_or(start, |last| last + 1);
        self.slice(start..end)
    }

    /// What precedes the first NUL: the users of Postfix's reader stop there.
    pub fn until_nul(self) -> Self {
        match memchr::memchr(0, self.as_bytes()) {
            Some(at) => self.slice(0..at),
            None => self,
        }
    }

    /// Where the bytes `range` are written, when they are written in a file.
    ///
    /// A range that spans several physical lines gives one span from its first to its last byte.
    pub fn span_of(&self, range: Range<usize>) -> Option<Span> {
        let end = range.end.min(self.text.len());
        let start = range.start.min(end);
        let mut span: Option<Span> = None;
        for (index, piece) in self.pieces.iter().enumerate() {
            let next = self
                .pieces
                .get(index + 1)
                .map_or(self.text.len(), |next| next.at);
            let (from, to) = (piece.at.max(start), next.min(end));
            let inside =
                from < to || (from == to && start == end && (piece.at..=next).contains(&start));
            if let (true, Some((file, offset))) = (inside, piece.place) {
                let part = Span {
                    file,
                    start: offset + (from - piece.at),
                    end: offset + (to - piece.at),
                };
                span = Some(span.map_or(part, |span| span.to(part)));
            }
        }
        span
    }

    /// Where the text is written, when it is written in a file.
    pub fn span(&self) -> Option<Span> {
        self.span_of(0..self.text.len())
    }

    /// Whether all of it lies in one unbroken part of one file, so that it can be edited in place.
    pub fn is_contiguous(&self) -> bool {
        self.span()
            .is_some_and(|span| span.end - span.start == self.len())
            && self.pieces.iter().all(|piece| piece.place.is_some())
    }

    /// Cuts the text at any of `separators` (ASCII) that stand outside `{ }`, and drops empty words, as
    /// `src/util/mystrtok.c: mystrtokq` does: braces nest, a `}` without `{` is text, a `{` without `}`
    /// reaches to the end.
    pub fn words_outside_braces(&self, separators: &[u8]) -> Vec<Self> {
        self.cut(separators, true)
    }

    /// Cuts the text at any of `separators` (ASCII) and drops empty words (`mystrtok`).
    pub fn words(&self, separators: &[u8]) -> Vec<Self> {
        self.cut(separators, false)
    }

    fn cut(&self, separators: &[u8], braces: bool) -> Vec<Self> {
        let mut words = Vec::new();
        let mut start = None;
        let mut depth = 0_usize;
        for (at, byte) in self.as_bytes().iter().enumerate() {
            if depth == 0 && separators.contains(byte) {
                if let Some(start) = start.take() {
                    words.push(self.slice(start..at));
                }
                continue;
            }
            start.get_or_insert(at);
            match byte {
                b'{' if braces => depth += 1,
                b'}' if braces => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        if let Some(start) = start {
            words.push(self.slice(start..self.len()));
        }
        words
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The text view of `bytes`, and the bytes where they differ from it.
pub(super) fn same_length_text(bytes: Vec<u8>) -> (String, Option<Vec<u8>>) {
    match String::from_utf8(bytes) {
        Ok(text) => (text, None),
        Err(error) => {
            let bytes = error.into_bytes();
            (same_length_lossy(&bytes).into_owned(), Some(bytes))
        }
    }
}

/// `bytes` with one `?` for each byte that is not part of a valid character.
pub fn same_length_lossy(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n('?', chunk.invalid().len()));
    }
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::super::Sources;
    use super::*;

    #[test]
    fn pieces_keep_their_places() {
        let sources = Sources::default();
        let source = sources.add("main.cf".into(), b"a = b,\n# c\n  d\n".to_vec(), None);
        let text = Text::join(&source, [4..6, 11..14]);
        assert_eq!(text.as_str(), "b,  d");
        let words = text.words(b", ");
        assert_eq!(words.len(), 2);
        assert_eq!(words[1].span(), Some(source.span_of(13..14)));
        assert!(words[1].is_contiguous());
        assert!(!text.is_contiguous());
        assert_eq!(text.span(), Some(source.span_of(4..14)));
    }

    #[test]
    fn invalid_bytes_keep_their_length() {
        let sources = Sources::default();
        let source = sources.add("main.cf".into(), b"a = \xe9\xc3\xa9\xff".to_vec(), None);
        assert_eq!(source.text(), "a = ?é?");
        let text = Text::of(&source, 4..8);
        assert_eq!(text.as_bytes(), b"\xe9\xc3\xa9\xff");
        assert_ne!(text, "?é?");
        assert_eq!(text.slice(1..3), "é");
    }

    #[test]
    fn words_respect_braces_only_when_asked() {
        let text = Text::placeless("a {b, c} d}, {e f");
        let words: Vec<_> = text
            .words_outside_braces(b", ")
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(words, ["a", "{b, c}", "d}", "{e f"]);
        assert_eq!(text.words(b", ").len(), 6);
    }
}
