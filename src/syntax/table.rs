//! Lookup tables in the format of postmap(1): virtual(5), access(5), transport(5) and the like.
//!
//! The grammar is that of `src/postmap/postmap.c`, which `src/util/dict_thash.c` repeats: a key, white
//! space, a value. A table may have millions of lines, so lines are read one after another and borrow from
//! the file.

use std::ops::Range;

use super::line_text::LineText;
use super::logical_line::LogicalLines;
use crate::source::{Source, is_space};

/// What decides how a line is read, besides the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSyntax {
    /// White space inside `"…"` and after `\` belongs to the key (Postfix 3.2).
    pub quoted_keys: bool,
    /// Lines that are not UTF-8 are ignored (`smtputf8_enable`).
    pub utf8: bool,
}

impl Default for TableSyntax {
    fn default() -> Self {
        Self {
            quoted_keys: true,
            utf8: true,
        }
    }
}

/// What postmap makes of a logical line. Ranges are offsets in [`TableLine::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableLineKind {
    /// A key and its value.
    Entry {
        /// The key as it is written, quotes included.
        key: Range<usize>,
        /// The value without white space at its ends.
        value: Range<usize>,
    },
    /// There is a key and nothing else: ignored with a warning.
    NoValue {
        /// The key.
        key: Range<usize>,
    },
    /// A `"` is not closed: ignored with a warning.
    UnbalancedQuote {
        /// The `"` that is open at the end of the line.
        open: usize,
    },
    /// The line is not UTF-8: ignored with a warning.
    NotUtf8,
    /// The line starts with white space: thrown away with a warning.
    Discarded,
}

/// A logical line of a table.
#[derive(Clone, Debug)]
pub struct TableLine<'s> {
    /// The text.
    pub text: LineText<'s>,
    /// What it is.
    pub kind: TableLineKind,
}

impl TableLine<'_> {
    /// The key ends in `:`: the line is stored under a key *with* the colon, and postmap asks whether this
    /// is an alias file.
    pub fn has_alias_colon(&self) -> bool {
        match &self.kind {
            TableLineKind::Entry { key, .. } => self.text.bytes()[key.clone()].ends_with(b":"),
            _ => false,
        }
    }

    /// Where a `#` follows white space inside the value. It looks like a comment, but is part of the value.
    pub fn comment_in_value(&self) -> Option<usize> {
        let TableLineKind::Entry { value, .. } = &self.kind else {
            return None;
        };
        let bytes = self.text.bytes();
        memchr::memchr_iter(b'#', &bytes[value.clone()])
            .map(|at| value.start + at)
            .find(|&at| at == value.start || is_space(bytes[at - 1]))
    }

    /// Continuation lines that could be entries of their own: indented, two words or more, after a line
    /// that does not end in a comma. Postfix makes them part of the value above. Ranges of the file.
    pub fn swallowed<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = Range<usize>> + 'a {
        let file = source.bytes();
        let mut open = true;
        self.text.line().pieces().filter(move |piece| {
            let text = trim(file, piece.clone());
            let expected = std::mem::replace(&mut open, file[text.clone()].ends_with(b","));
            !expected && file[text].split(|&byte| is_space(byte)).nth(1).is_some()
        })
    }
}

/// `range` of `bytes` without white space at its ends.
pub(crate) fn trim(bytes: &[u8], range: Range<usize>) -> Range<usize> {
    let mut range = range;
    while range.start < range.end && is_space(bytes[range.start]) {
        range.start += 1;
    }
    while range.start < range.end && is_space(bytes[range.end - 1]) {
        range.end -= 1;
    }
    range
}

/// Reads one logical line.
pub fn parse(line: &[u8], syntax: TableSyntax) -> TableLineKind {
    if syntax.utf8 && !line.is_ascii() && str::from_utf8(line).is_err() {
        return TableLineKind::NotUtf8;
    }
    let key_end = match key_end(line, syntax.quoted_keys) {
        Ok(end) => end,
        Err(open) => return TableLineKind::UnbalancedQuote { open },
    };
    let value = trim(line, key_end..line.len());
    if key_end == 0 || value.is_empty() {
        return TableLineKind::NoValue { key: 0..key_end };
    }
    TableLineKind::Entry {
        key: 0..key_end,
        value,
    }
}

/// Where the key of a line ends, or the quote that is still open at the end of the line.
pub fn key_end(line: &[u8], quoted_keys: bool) -> Result<usize, usize> {
    // Nearly every key has neither quote nor backslash.
    let at = plain_length(line);
    match line.get(at) {
        None => Ok(at),
        Some(&byte) if is_space(byte) => Ok(at),
        Some(_) if quoted_keys => quoted_key_end(line),
        Some(_) => Ok(line
            .iter()
            .position(|&byte| is_space(byte))
            .unwrap_or(line.len())),
    }
}

/// Number of bytes in front of the first white space, `"` or `\`; eight at a time.
fn plain_length(line: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * ONES;
    let has_zero = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, _) = line.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let below_0x21 = word.wrapping_sub(0x21 * ONES) & !word & HIGH;
        let quote = has_zero(word ^ (u64::from(b'"') * ONES));
        let backslash = has_zero(word ^ (u64::from(b'\\') * ONES));
        if below_0x21 | quote | backslash != 0 {
            break;
        }
        at += 8;
    }
    let ends = |&byte: &u8| is_space(byte) || byte == b'"' || byte == b'\\';
    at + line[at..].iter().position(ends).unwrap_or(line.len() - at)
}

fn quoted_key_end(line: &[u8]) -> Result<usize, usize> {
    let mut open = None;
    let mut at = 0;
    while let Some(&byte) = line.get(at) {
        match byte {
            b'\\' => at += 1,
            b'"' => {
                open = match open {
                    Some(_) => None,
                    None => Some(at),
                }
            }
            _ if open.is_none() && is_space(byte) => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    match open {
        Some(open) => Err(open),
        None => Ok(line.len()),
    }
}

/// The logical lines of a table, in order.
#[derive(Clone, Debug)]
pub struct TableLines<'s> {
    source: &'s Source,
    lines: LogicalLines<'s>,
    syntax: TableSyntax,
}

impl<'s> TableLines<'s> {
    /// The lines of a whole file.
    pub fn of(source: &'s Source, syntax: TableSyntax) -> Self {
        Self::starting_at(source, syntax, 0)
    }

    /// The lines from offset `at` on, which has to be the start of a logical line.
    pub fn starting_at(source: &'s Source, syntax: TableSyntax, at: usize) -> Self {
        let utf8 = syntax.utf8 && !source.is_utf8();
        Self {
            source,
            lines: LogicalLines::starting_at(source, at),
            syntax: TableSyntax { utf8, ..syntax },
        }
    }
}

impl<'s> Iterator for TableLines<'s> {
    type Item = TableLine<'s>;

    fn next(&mut self) -> Option<TableLine<'s>> {
        let line = self.lines.next()?;
        let discarded = line.discarded;
        let text = LineText::new(self.source, line);
        let kind = if discarded {
            TableLineKind::Discarded
        } else {
            parse(text.bytes(), self.syntax)
        };
        Some(TableLine { text, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn lines(text: &[u8], syntax: TableSyntax) -> Vec<String> {
        let sources = Sources::default();
        let source = sources.add("virtual".into(), text.to_vec(), None);
        TableLines::of(&source, syntax)
            .map(|line| {
                let show = |range: &Range<usize>| {
                    String::from_utf8_lossy(&line.text.bytes()[range.clone()]).into_owned()
                };
                match &line.kind {
                    TableLineKind::Entry { key, value } => {
                        format!("{}={}", show(key), show(value))
                    }
                    TableLineKind::NoValue { key } => format!("no value: {}", show(key)),
                    other => format!("{other:?}"),
                }
            })
            .collect()
    }

    #[test]
    fn keys_end_at_white_space_outside_quotes() {
        let text = b"a@x.test  b, c \n\"d e\"@x.test f\ng\\ h i\nj\"k l\"m n\n\"\" o\n";
        assert_eq!(
            lines(text, TableSyntax::default()),
            [
                "a@x.test=b, c",
                "\"d e\"@x.test=f",
                "g\\ h=i",
                "j\"k l\"m=n",
                "\"\"=o"
            ]
        );
        let old = TableSyntax {
            quoted_keys: false,
            utf8: true,
        };
        assert_eq!(lines(b"\"d e\"@x.test f\n", old), ["\"d=e\"@x.test f"]);
    }

    #[test]
    fn lines_that_postmap_does_not_store() {
        assert_eq!(
            lines(
                b" x y\na\nb:c\n\"d e\nf \xff\n\xc3\xa9 \xc3\xa9\ng\0h i\n",
                TableSyntax::default()
            ),
            [
                "Discarded",
                "no value: a",
                "no value: b:c",
                "UnbalancedQuote { open: 0 }",
                "NotUtf8",
                "é=é",
                "no value: g",
            ]
        );
    }

    #[test]
    fn places_in_a_line_of_several_lines() {
        let sources = Sources::default();
        let text = "a x,\n# c\n  y\n\n z w\nb v # w\nc: d\n";
        let source = sources.add("virtual".into(), text.as_bytes().to_vec(), None);
        let all: Vec<_> = TableLines::of(&source, TableSyntax::default()).collect();
        let TableLineKind::Entry { key, value } = &all[0].kind else {
            panic!("no entry");
        };
        assert_eq!(all[0].text.part(value.clone()).as_ref(), b"x,  y z w");
        assert_eq!(&text[all[0].text.place(key.clone())], "a");
        assert_eq!(
            &text[all[0].text.place(value.clone())],
            "x,\n# c\n  y\n\n z w"
        );
        assert_eq!(
            &text[all[0].text.place(value.start + 4..value.start + 5)],
            "y"
        );
        let swallowed: Vec<_> = all[0]
            .swallowed(&source)
            .map(|piece| &text[piece])
            .collect();
        assert_eq!(swallowed, [" z w"]);
        assert_eq!(all[1].comment_in_value(), Some(4));
        assert!(all[2].has_alias_colon() && !all[1].has_alias_colon());
    }
}
