//! A value cut into text and expressions (`src/util/mac_parse.c`), and the small scanners that work inside
//! an expression.

use std::ops::Range;

use crate::source::Text;

/// A piece of a value.
pub(super) enum Part {
    /// Text, `$$` in it already one `$`.
    Literal(Text),
    /// The text at the end of the value.
    Last(Text),
    /// The name after a bare `$`; it may be empty.
    Name(Text),
    /// What stands between brackets; it may be empty.
    Bracketed(Text),
    /// A bracket that is not closed.
    Unclosed,
}

/// The pieces of a value, in order.
pub(super) struct Parts<'t> {
    value: &'t Text,
    /// Where the next piece starts.
    at: usize,
}

impl<'t> Parts<'t> {
    /// The pieces of `value`.
    pub(super) fn of(value: &'t Text) -> Self {
        Self { value, at: 0 }
    }

    /// The text in front of the next expression; `at` then is at its `$` or at the end.
    fn literal(&mut self) -> Text {
        let bytes = self.value.as_bytes();
        let mut text = Text::new();
        loop {
            let dollar = memchr::memchr(b'$', &bytes[self.at..]);
            let dollar = dollar.map_or(bytes.len(), |offset| self.at + offset);
            if bytes.get(dollar + 1) != Some(&b'$') {
                text.push(&self.value.slice(self.at..dollar));
                self.at = dollar;
                return text;
            }
            text.push(&self.value.slice(self.at..dollar + 1));
            self.at = dollar + 2;
        }
    }
}

impl Iterator for Parts<'_> {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        let literal = self.literal();
        let bytes = self.value.as_bytes();
        if !literal.is_empty() {
            return Some(if self.at < bytes.len() {
                Part::Literal(literal)
            } else {
                Part::Last(literal)
            });
        }
        if self.at >= bytes.len() {
            return None;
        }
        let start = self.at + 1;
        let left = bytes.get(start).copied().unwrap_or(0);
        let right = match left {
            b'{' => b'}',
            b'(' => b')',
            _ => {
                let end = name_end(bytes, start);
                self.at = end;
                return Some(Part::Name(self.value.slice(start..end)));
            }
        };
        match closing(bytes, start, left, right) {
            Some(close) => {
                self.at = close + 1;
                Some(Part::Bracketed(self.value.slice(start + 1..close)))
            }
            None => {
                self.at = bytes.len();
                Some(Part::Unclosed)
            }
        }
    }
}

/// Where the bracket that opens at `open` is closed; only the same kind of bracket counts.
fn closing(bytes: &[u8], open: usize, left: u8, right: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, &byte) in bytes.iter().enumerate().skip(open) {
        if byte == left {
            depth += 1;
        } else if byte == right {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// A balanced `{…}` at `open`: what is between the braces, and the offset after it.
pub(super) fn braced(text: &Text, open: usize) -> Option<(Range<usize>, usize)> {
    closing(text.as_bytes(), open, b'{', b'}').map(|close| (open + 1..close, close + 1))
}

/// Where the name that begins at `start` ends.
pub(super) fn name_end(bytes: &[u8], start: usize) -> usize {
    end_of_run(bytes, start, |byte| {
        byte.is_ascii_alphanumeric() || byte == b'_'
    })
}

/// Where the white space at `start` ends; inside an expression it is these bytes only.
pub(super) fn skip_blank(bytes: &[u8], start: usize) -> usize {
    end_of_run(bytes, start, |byte| {
        matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
    })
}

/// Where the bytes from `start` on cease to be of a kind.
pub(super) fn end_of_run(bytes: &[u8], start: usize, is_kind: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    start + rest.iter().take_while(|&&byte| is_kind(byte)).count()
}

/// At most 20 bytes of what follows `at`, as Postfix quotes it.
pub(super) fn rest20(text: &Text, at: usize) -> Text {
    text.slice(at..text.len().min(at + 20))
}
