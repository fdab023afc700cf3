//! Alias files: aliases(5), as `src/postalias/postalias.c` reads them.
//!
//! A line is a name, `:`, and a list of targets. It is cut into RFC 822 tokens, so the `:` may be inside
//! quotes or a comment, and what is stored is not what is written: the name loses its quotes, the value is
//! written anew.

use std::borrow::Cow;
use std::ops::Range;

use super::line_text::LineText;
use super::logical_line::LogicalLines;
use super::token::{self, Token, TokenKind, Tokens};
use crate::source::Source;

/// What postalias makes of a logical line. Ranges are offsets in [`AliasLine::text`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AliasLineKind {
    /// A name and its targets.
    Entry {
        /// From the first to the last token of the name.
        name: Range<usize>,
        /// From the first to the last token of the value.
        value: Range<usize>,
    },
    /// There is no `:`, nothing on one side of it, or a comma before it: ignored with a warning.
    NoPair,
    /// An `@` or `%` is in front of the `:`: ignored with a warning.
    NotLocal {
        /// The `@` or `%`.
        at: usize,
    },
    /// Nothing but white space and bytes that are no token: skipped.
    Empty,
    /// The line is not UTF-8: ignored with a warning.
    NotUtf8,
    /// The line starts with white space: thrown away with a warning.
    Discarded,
}

/// A logical line of an alias file.
#[derive(Clone, Debug)]
pub struct AliasLine<'s> {
    /// The text.
    pub text: LineText<'s>,
    /// What it is.
    pub kind: AliasLineKind,
}

/// Where mail for an alias goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AliasTarget {
    /// What it is.
    pub kind: AliasTargetKind,
    /// The address, path or command, without quotes and without the `|` or `:include:` in front.
    pub text: Vec<u8>,
    /// The whole target, an offset range of the text that was given.
    pub range: Range<usize>,
}

/// What a target is (`src/local/token.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasTargetKind {
    /// An address.
    Address,
    /// `|command`.
    Command,
    /// `/file`.
    File,
    /// `~/file`, in the home directory of the user.
    HomeFile,
    /// `:include:/file`.
    Include,
}

/// The targets in a value, be it in the file or as it is stored, and in a line of an `:include:` file.
pub fn targets(value: &[u8]) -> Vec<AliasTarget> {
    token::addresses(value)
        .into_iter()
        .map(|address| {
            let internal = address.internal(value);
            let (kind, skip) = match internal.first() {
                Some(b'/') => (AliasTargetKind::File, 0),
                Some(b'~') => (AliasTargetKind::HomeFile, 0),
                Some(b'|') => (AliasTargetKind::Command, 1),
                _ if starts_with_include(&internal) => (AliasTargetKind::Include, INCLUDE.len()),
                _ => (AliasTargetKind::Address, 0),
            };
            AliasTarget {
                kind,
                text: internal[skip..].to_vec(),
                range: address.range,
            }
        })
        .collect()
}

const INCLUDE: &[u8] = b":include:";

fn starts_with_include(internal: &[u8]) -> bool {
    internal
        .get(..INCLUDE.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(INCLUDE))
}

/// Reads one logical line.
pub fn parse(line: &[u8], utf8: bool) -> AliasLineKind {
    if utf8 && !line.is_ascii() && str::from_utf8(line).is_err() {
        return AliasLineKind::NotUtf8;
    }
    let mut tokens = Tokens::of(line);
    let mut name: Option<Range<usize>> = None;
    let mut not_local = None;
    let mut comma = false;
    loop {
        match tokens.next() {
            None if name.is_none() => return AliasLineKind::Empty,
            None => return AliasLineKind::NoPair,
            Some(token) if token.is(b':') => break,
            Some(token) => {
                if token.is(b'@') || token.is(b'%') {
                    not_local.get_or_insert(token.range.start);
                }
                comma |= token.is(b',');
                let start = name.map_or(token.range.start, |name| name.start);
                name = Some(start..token.range.end);
            }
        }
    }
    let first = tokens.next();
    let (Some(name), Some(first), false) = (name, first, comma) else {
        return AliasLineKind::NoPair;
    };
    if let Some(at) = not_local {
        return AliasLineKind::NotLocal { at };
    }
    let end = tokens.last().map_or(first.range.end, |last| last.range.end);
    AliasLineKind::Entry {
        name,
        value: first.range.start..end,
    }
}

impl<'s> AliasLine<'s> {
    /// The name as it is stored, before folding: in internal form.
    pub fn name(&self) -> Option<Cow<'s, [u8]>> {
        let AliasLineKind::Entry { name, .. } = &self.kind else {
            return None;
        };
        Some(stored_name(&self.text.part(name.clone())))
    }

    /// Where a word that starts with `#` stands in the value. It looks like a comment, but it and the words
    /// after it are targets.
    pub fn comment_in_value(&self) -> Option<usize> {
        let AliasLineKind::Entry { value, .. } = &self.kind else {
            return None;
        };
        let bytes = &self.text.bytes()[value.clone()];
        let starts = |token: &Token| bytes[token.range.start] == b'#';
        Tokens::of(bytes)
            .find(|token| token.kind == TokenKind::Atom && starts(token))
            .map(|token| value.start + token.range.start)
    }

    /// Continuation lines that could be entries of their own: indented lines of the form `name: value`.
    /// Postfix makes them part of the value above. Ranges of the file.
    pub fn swallowed<'a>(&'a self, source: &'a Source) -> impl Iterator<Item = Range<usize>> + 'a {
        let file = source.bytes();
        self.text.line().pieces().skip(1).filter(move |piece| {
            // `:include:/file` is none: there is nothing in front of its first colon.
            matches!(
                parse(&file[piece.clone()], false),
                AliasLineKind::Entry { .. }
            )
        })
    }

    /// The value as it is stored: in external form.
    pub fn value(&self) -> Option<Vec<u8>> {
        let AliasLineKind::Entry { value, .. } = &self.kind else {
            return None;
        };
        Some(stored_value(&self.text.bytes()[value.clone()]))
    }
}

/// A name in internal form; borrowed where it is one plain word.
fn stored_name<'s>(name: &Cow<'s, [u8]>) -> Cow<'s, [u8]> {
    let plain = name.iter().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'=')
    });
    if plain {
        return name.clone();
    }
    let tokens: Vec<Token> = Tokens::of(name).collect();
    Cow::Owned(token::internalize(name, &tokens))
}

/// A value in external form.
pub fn stored_value(value: &[u8]) -> Vec<u8> {
    let tokens: Vec<Token> = Tokens::of(value).collect();
    token::externalize(value, &tokens)
}

/// The logical lines of an alias file, in order.
#[derive(Clone, Debug)]
pub struct AliasLines<'s> {
    source: &'s Source,
    lines: LogicalLines<'s>,
    utf8: bool,
}

impl<'s> AliasLines<'s> {
    /// The lines of a whole file; `utf8` is `smtputf8_enable`.
    pub fn of(source: &'s Source, utf8: bool) -> Self {
        Self::starting_at(source, utf8, 0)
    }

    /// The lines from offset `at` on, which has to be the start of a logical line.
    pub fn starting_at(source: &'s Source, utf8: bool, at: usize) -> Self {
        Self {
            source,
            lines: LogicalLines::starting_at(source, at),
            utf8: utf8 && !source.is_utf8(),
        }
    }
}

impl<'s> Iterator for AliasLines<'s> {
    type Item = AliasLine<'s>;

    fn next(&mut self) -> Option<AliasLine<'s>> {
        let line = self.lines.next()?;
        let discarded = line.discarded;
        let text = LineText::new(self.source, line);
        let kind = if discarded {
            AliasLineKind::Discarded
        } else {
            parse(text.bytes(), self.utf8)
        };
        Some(AliasLine { text, kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn stored(text: &str) -> Vec<String> {
        let sources = Sources::default();
        let source = sources.add("aliases".into(), text.as_bytes().to_vec(), None);
        AliasLines::of(&source, true)
            .map(|line| match (line.name(), line.value()) {
                (Some(name), Some(value)) => format!(
                    "{} => {}",
                    String::from_utf8_lossy(&name),
                    String::from_utf8_lossy(&value)
                ),
                _ => format!("{:?}", line.kind),
            })
            .collect()
    }

    #[test]
    fn names_and_values_as_they_are_stored() {
        assert_eq!(
            stored(
                "Root: ann,bob\n  ,carl\n\"a@b\": x\nd e : \\f\n(c) g: h\n\"x:y\": |\"z z\"\nempty: \"\"\n"
            ),
            [
                "Root => ann, bob, carl",
                "a@b => x",
                "d e => f",
                "(c) g => h",
                "x:y => |\"z z\"",
                "empty => \"\"",
            ]
        );
    }

    #[test]
    fn lines_that_are_not_stored() {
        assert_eq!(
            stored("a b\n: b\na:\na, b: c\na@x.test: b\n i: j\nb\n"),
            [
                "NoPair",
                "NoPair",
                "NoPair",
                "NoPair",
                "NotLocal { at: 1 }",
                "NoPair",
            ]
        );
    }

    #[test]
    fn what_looks_like_something_else() {
        let sources = Sources::default();
        let text = "a: b # c\nd: \"#e\", f#,\n  g\n  h: i\n  :include:/j\n";
        let source = sources.add("aliases".into(), text.as_bytes().to_vec(), None);
        let lines: Vec<_> = AliasLines::of(&source, true).collect();
        assert_eq!(lines[0].comment_in_value(), Some(5));
        assert_eq!(lines[1].comment_in_value(), None);
        let swallowed: Vec<_> = lines[1]
            .swallowed(&source)
            .map(|range| &text[range])
            .collect();
        assert_eq!(swallowed, ["  h: i"]);
    }

    #[test]
    fn kinds_of_targets() {
        let value = b"ann, \"|/bin/prog -x\", /var/mail/x, :Include:/etc/list, ~/in";
        let found: Vec<_> = targets(value)
            .into_iter()
            .map(|target| {
                let text = String::from_utf8_lossy(&target.text).into_owned();
                (target.kind, text)
            })
            .collect();
        use AliasTargetKind::{Address, Command, File, HomeFile, Include};
        let expected = [
            (Address, "ann"),
            (Command, "/bin/prog -x"),
            (File, "/var/mail/x"),
            (Include, "/etc/list"),
            (HomeFile, "~/in"),
        ]
        .map(|(kind, text)| (kind, text.to_owned()));
        assert_eq!(found, expected);
    }
}
