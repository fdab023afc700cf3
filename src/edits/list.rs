//! Verbs for the words of a list: restrictions, domains, tables, networks, the addresses of an alias.
//!
//! Lists are cut at commas and white space outside `{ }`, so commas matter for the eye only. The verbs keep
//! the style that they find: with or without commas, in front or behind, one word a line or several.

use std::ops::Range;

use super::line::Line;
use super::setting::{Writing, set_value};
use super::{has_balanced_braces, is_one_line};
use crate::finding::Edit;
use crate::source::{Source, Text};
use crate::syntax::main_cf::Setting;

/// What separates words (`CHARS_COMMA_SP`).
const SEPARATORS: &[u8] = b", \t\r\n";

/// Removes a word from a list; see [`remove_words`].
pub fn remove_word(source: &Source, list: &Text, word: &Text) -> Option<Vec<Edit>> {
    remove_words(source, list, std::slice::from_ref(word))
}

/// Removes words from a list, each with one separator. Physical lines of which nothing is left go.
///
/// `list` is the value as it is written, of a setting or of an entry in a table. Each of `words` is a part of
/// it that begins where a word begins, and ends where a word ends: a word, or several in a row such as a
/// restriction and its argument. With the last word the value becomes empty.
pub fn remove_words(source: &Source, list: &Text, words: &[Text]) -> Option<Vec<Edit>> {
    let list = List::of(source, list)?;
    let mut removed = vec![false; list.words.len()];
    for word in words {
        let span = word.span().filter(|span| span.file == source.id())?;
        let first = list.words.iter().position(|w| w.start == span.start)?;
        let last = list.words.iter().position(|w| w.end == span.end)?;
        removed.get_mut(first..=last)?.fill(true);
    }
    let mut cuts = Vec::new();
    let mut index = 0;
    while index < removed.len() {
        let first = index;
        while removed.get(index) == Some(&true) {
            index += 1;
        }
        if first < index {
            cuts.push(list.run(first, index - 1));
        }
        index += 1;
    }
    list.line.cut(&cuts)
}

/// Puts a word (or several) in front of a word of a setting's value, on a line of its own if `word` starts
/// one.
pub fn insert_word_before(
    source: &Source,
    setting: &Setting,
    word: &Text,
    new: &str,
) -> Option<Vec<Edit>> {
    let (list, writing) = List::of_setting(source, setting)?;
    let index = list.index_of(word)?;
    let new = list.spelled(writing, new)?;
    Some(vec![list.before(index, writing, &new)?])
}

/// Puts a word (or several) behind a word of a setting's value, on a line of its own if `word` has one.
pub fn insert_word_after(
    source: &Source,
    setting: &Setting,
    word: &Text,
    new: &str,
) -> Option<Vec<Edit>> {
    let (list, writing) = List::of_setting(source, setting)?;
    let index = list.index_of(word)?;
    let new = list.spelled(writing, new)?;
    Some(vec![list.after(index, writing, &new)?])
}

/// Puts a word (or several) at the end of a setting's value.
pub fn append_word(source: &Source, setting: &Setting, new: &str) -> Option<Vec<Edit>> {
    if setting.value.is_empty() {
        return if new.is_empty() {
            None
        } else {
            set_value(source, setting, new)
        };
    }
    let (list, writing) = List::of_setting(source, setting)?;
    let new = list.spelled(writing, new)?;
    let last = list.words.len().checked_sub(1)?;
    Some(vec![list.after(last, writing, &new)?])
}

/// A list as it is written. All ranges are ranges of the file.
struct List<'s> {
    line: Line<'s>,
    words: Vec<Range<usize>>,
    /// From the first byte of the value to the last.
    range: Range<usize>,
}

impl<'s> List<'s> {
    fn of(source: &'s Source, list: &Text) -> Option<Self> {
        let span = list.span().filter(|span| span.file == source.id())?;
        let line = Line::around(source, span.start)?;
        // Vertical tab and form feed: white space to the reader of lines, part of a word to whoever cuts
        // the list. A word next to one would change its spelling.
        if line
            .parts(line.range())
            .any(|(_, part)| memchr::memchr2(0x0b, 0x0c, &source.bytes()[part]).is_some())
        {
            return None;
        }
        let words: Option<Vec<_>> = list
            .words_outside_braces(SEPARATORS)
            .iter()
            .map(|word| {
                let span = word.span().filter(|span| span.file == source.id())?;
                let inside = line.piece_at(span.start).is_some() && span.end <= line.range().end;
                inside.then_some(span.start..span.end)
            })
            .collect();
        Some(Self {
            line,
            words: words?,
            range: span.start..span.end,
        })
    }

    fn of_setting(source: &'s Source, setting: &Setting) -> Option<(Self, Writing)> {
        let list = Self::of(source, &setting.value)?;
        let writing = Writing::of(&list.line, setting);
        Some((list, writing))
    }

    fn index_of(&self, word: &Text) -> Option<usize> {
        let span = word.span()?;
        self.words
            .iter()
            .position(|range| (range.start, range.end) == (span.start, span.end))
    }

    fn piece(&self, at: usize) -> usize {
        self.line.piece_at(at).unwrap_or(0)
    }

    /// Whether nothing but separators follows `at` in its physical line.
    fn ends_line(&self, at: usize) -> bool {
        let end = self.line.text_end(self.piece(at));
        self.line.bytes()[at..end.max(at)]
            .iter()
            .all(|byte| SEPARATORS.contains(byte))
    }

    /// Whether nothing but separators precedes `at` in its physical line, which is a continuation.
    fn starts_line(&self, at: usize) -> bool {
        let piece = self.piece(at);
        let start = self.line.text_start(piece);
        piece > 0
            && self.line.bytes()[start.min(at)..at]
                .iter()
                .all(|byte| SEPARATORS.contains(byte))
    }

    /// What to cut to be rid of the words `first..=last`, of which both neighbours stay.
    fn run(&self, first: usize, last: usize) -> Range<usize> {
        let (start, end) = (self.words[first].start, self.words[last].end);
        let before = first.checked_sub(1).map(|index| &self.words[index]);
        let after = self.words.get(last + 1);
        let whole_lines = self.starts_line(start) && self.ends_line(end);
        let line_start = self.line.text_start(self.piece(start));
        match (before, after) {
            (None, None) => self.range.clone(),
            (None, Some(after)) => self.range.start..after.start,
            (Some(_), Some(_)) if whole_lines => {
                line_start..self.line.text_end(self.piece(end)).max(end)
            }
            (Some(before), Some(_)) if self.ends_line(end) => before.end..end,
            (Some(_), Some(after)) => start..after.start,
            // A comma behind the last word is somebody's style: the word before has one, too.
            (Some(_), None) if end < self.range.end && whole_lines => line_start..self.range.end,
            (Some(before), None) if end < self.range.end => before.end..end,
            (Some(before), None) => before.end..self.range.end,
        }
    }

    /// Whether commas separate the words. A lone word says nothing; commas are the custom.
    fn has_commas(&self) -> bool {
        let bytes = self.line.bytes();
        let comma = |range: Range<usize>| {
            self.line
                .parts(range)
                .any(|(_, part)| bytes[part].contains(&b','))
        };
        self.words.len() < 2
            || self
                .words
                .windows(2)
                .any(|pair| comma(pair[0].end..pair[1].start))
    }

    /// `new` as it has to be written here; `None` when it cannot be.
    fn spelled(&self, writing: Writing, new: &str) -> Option<String> {
        if new.is_empty() || new.starts_with('#') || !is_one_line(new) || !has_balanced_braces(new)
        {
            return None;
        }
        if writing != Writing::Word {
            return Some(new.to_owned());
        }
        // Without braces around it, an argument in master.cf ends at a blank; a comma is as good.
        let words: Vec<_> = Text::placeless(new)
            .words_outside_braces(SEPARATORS)
            .iter()
            .map(ToString::to_string)
            .collect();
        Some(words.join(","))
    }

    fn separator(&self, writing: Writing) -> &'static str {
        match writing {
            Writing::Word => ",",
            _ if self.has_commas() => ", ",
            _ => " ",
        }
    }

    fn before(&self, index: usize, writing: Writing, new: &str) -> Option<Edit> {
        let at = self.words[index].start;
        let text = if writing != Writing::Word && self.line.starts_continuation(at) {
            let comma = if self.has_commas() { "," } else { "" };
            format!("{new}{comma}{}", self.next_line(at)?)
        } else {
            format!("{new}{}", self.separator(writing))
        };
        self.line
            .may_stand_at(at, new)
            .then(|| self.line.edit(at..at, text))
    }

    fn after(&self, index: usize, writing: Writing, new: &str) -> Option<Edit> {
        let word = &self.words[index];
        let next = self.words.get(index + 1);
        if writing == Writing::Word || !self.ends_line(word.end) {
            let text = format!("{}{new}", self.separator(writing));
            return Some(self.line.edit(word.end..word.end, text));
        }
        if self.line.starts_continuation(word.start) {
            let bytes = self.line.bytes();
            let end = self.line.text_end(self.piece(word.end));
            let next_line = self.next_line(word.start)?;
            let comma = memchr::memchr(b',', &bytes[word.end..end.max(word.end)]);
            let (at, text) = match comma {
                Some(comma) => (word.end + comma + 1, format!("{next_line}{new},")),
                None if self.has_commas() => (word.end, format!(",{next_line}{new}")),
                None => (word.end, format!("{next_line}{new}")),
            };
            return Some(self.line.edit(at..at, text));
        }
        match next {
            Some(_) => self.before(index + 1, writing, new),
            None => {
                let text = format!("{}{new}", self.separator(writing));
                Some(self.line.edit(word.end..word.end, text))
            }
        }
    }

    /// A line end and the indentation of the continuation that `at` stands in.
    fn next_line(&self, at: usize) -> Option<String> {
        let piece = self.piece(at);
        let start = self.line.pieces()[piece].start;
        let indentation = &self.line.bytes()[start..self.line.text_start(piece)];
        let indentation = str::from_utf8(indentation).ok()?;
        Some(format!("{}{indentation}", self.line.newline(at)))
    }
}
