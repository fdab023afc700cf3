//! The entries of a table with fixed keys, in the order of the file.

use std::borrow::Cow;
use std::ops::Range;

use super::fold::fold;
use crate::source::{Source, Span, Text};
use crate::syntax::alias_table::{AliasLine, AliasLineKind, AliasLines, stored_value};
use crate::syntax::line_text::LineText;
use crate::syntax::table::{TableLine, TableLineKind, TableLines, TableSyntax};
use crate::syntax::token::{self, Tokens};

/// Which program turns a text file into a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceFormat {
    /// postmap(1), and texthash tables.
    Postmap,
    /// postalias(1): the tables of `alias_maps` and `alias_database`.
    Postalias,
}

/// An entry of a table.
#[derive(Clone, Debug)]
pub struct Entry<'s> {
    text: LineText<'s>,
    /// The key as it is stored, not folded.
    key: Cow<'s, [u8]>,
    /// Offsets in `text`.
    key_range: Range<usize>,
    value_range: Range<usize>,
    format: SourceFormat,
}

impl<'s> Entry<'s> {
    pub(super) fn of_table(line: TableLine<'s>) -> Option<Self> {
        let TableLineKind::Entry { key, value } = line.kind else {
            return None;
        };
        Some(Self {
            key: line.text.part(key.clone()),
            text: line.text,
            key_range: key,
            value_range: value,
            format: SourceFormat::Postmap,
        })
    }

    pub(super) fn of_alias(line: AliasLine<'s>) -> Option<Self> {
        let stored = line.name();
        let AliasLineKind::Entry { name, value } = line.kind else {
            return None;
        };
        Some(Self {
            key: stored?,
            text: line.text,
            key_range: name,
            value_range: value,
            format: SourceFormat::Postalias,
        })
    }

    /// The key as it is stored, but not folded: for an alias without quotes, else as it is written.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key as it is written.
    pub fn written_key(&self) -> &[u8] {
        &self.text.bytes()[self.key_range.clone()]
    }

    /// The key, folded.
    pub fn folded_key(&self, utf8: bool) -> Cow<'_, [u8]> {
        fold(Cow::Borrowed(&self.key), utf8)
    }

    /// The value as it is written.
    pub fn written_value(&self) -> &[u8] {
        &self.text.bytes()[self.value_range.clone()]
    }

    /// The value as it is stored: for an alias written anew, else as it is.
    pub fn value(&self) -> Cow<'_, [u8]> {
        match self.format {
            SourceFormat::Postmap => Cow::Borrowed(self.written_value()),
            SourceFormat::Postalias => Cow::Owned(stored_value(self.written_value())),
        }
    }

    /// The value as it is stored, with places.
    pub fn value_text(&self, source: &Source) -> Text {
        let written = self.text.text(source, self.value_range.clone());
        match self.format {
            SourceFormat::Postmap => written,
            SourceFormat::Postalias => {
                let tokens: Vec<_> = Tokens::of(written.as_bytes()).collect();
                token::externalize_text(&written, &tokens)
            }
        }
    }

    /// The logical line.
    pub fn span(&self, source: &Source) -> Span {
        self.text.line().span(source)
    }

    /// The key as it is written, with places.
    pub fn key_text(&self, source: &Source) -> Text {
        self.text.text(source, self.key_range.clone())
    }

    /// Where the key is written.
    pub fn key_span(&self, source: &Source) -> Span {
        self.text.span(source, self.key_range.clone())
    }

    /// Where the value is written: from its first to its last byte, comments in between included.
    pub fn value_span(&self, source: &Source) -> Span {
        self.text.span(source, self.value_range.clone())
    }

    /// Offset of the logical line.
    pub fn offset(&self) -> usize {
        self.text.line().range().start
    }

    /// The text of the logical line.
    pub fn line_text(&self) -> &LineText<'s> {
        &self.text
    }
}

/// The entries of a file.
#[derive(Clone, Debug)]
pub struct Entries<'s>(Lines<'s>);

#[derive(Clone, Debug)]
enum Lines<'s> {
    Table(TableLines<'s>),
    Alias(AliasLines<'s>),
}

impl<'s> Entries<'s> {
    /// The entries of a whole file.
    pub fn of(source: &'s Source, format: SourceFormat, syntax: TableSyntax) -> Self {
        Self::starting_at(source, format, syntax, 0)
    }

    /// The entries from offset `at` on, which has to be the start of a logical line.
    pub fn starting_at(
        source: &'s Source,
        format: SourceFormat,
        syntax: TableSyntax,
        at: usize,
    ) -> Self {
        Self(match format {
            SourceFormat::Postmap => Lines::Table(TableLines::starting_at(source, syntax, at)),
            SourceFormat::Postalias => {
                Lines::Alias(AliasLines::starting_at(source, syntax.utf8, at))
            }
        })
    }
}

impl<'s> Iterator for Entries<'s> {
    type Item = Entry<'s>;

    fn next(&mut self) -> Option<Entry<'s>> {
        match &mut self.0 {
            Lines::Table(lines) => lines.find_map(Entry::of_table),
            Lines::Alias(lines) => lines.find_map(Entry::of_alias),
        }
    }
}
