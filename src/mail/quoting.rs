//! The two forms of an address: external, as in a message, and internal, without quotes
//! (`src/global/quote_822_local.c`, `src/global/tok822_parse.c`).

use std::borrow::Cow;

use crate::syntax::token::{TokenKind, Tokens};

/// A token of an address, on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// One of `( ) < > @ , ; : \ " . [ ] | % !`.
    Operator(u8),
    /// A word.
    Atom(String),
    /// What stands between quotes.
    Quoted(String),
    /// What stands between brackets.
    Literal(String),
    /// `(…)`, with the parentheses.
    Comment(String),
}

impl Part {
    /// Whether it is this operator.
    pub(super) fn is(&self, byte: u8) -> bool {
        *self == Self::Operator(byte)
    }
}

/// The tokens of an address in external form (`tok822_scan`).
pub(super) fn parts(external: &str) -> Vec<Part> {
    let text = external.as_bytes();
    Tokens::of(text)
        .map(|token| {
            let content = || String::from_utf8_lossy(&token.content(text)).into_owned();
            match token.kind {
                TokenKind::Comment => Part::Comment(content()),
                TokenKind::Quoted => Part::Quoted(content()),
                TokenKind::DomainLiteral => Part::Literal(content()),
                TokenKind::Atom => Part::Atom(content()),
                TokenKind::Operator(byte) => Part::Operator(byte),
            }
        })
        .collect()
}

/// The blank between two neighbours (`tok822_append_space`).
fn needs_space(part: &Part, next: Option<&Part>) -> bool {
    let is_word = |part: &Part| !matches!(part, Part::Operator(_));
    next.is_some_and(|next| part.is(b',') || next.is(b'<') || (is_word(part) && is_word(next)))
}

/// Tokens in internal form (`tok822_internalize`).
pub(super) fn internal_of(parts: &[Part]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Operator(byte) => text.push(char::from(*byte)),
            Part::Atom(word) | Part::Quoted(word) | Part::Comment(word) => text.push_str(word),
            Part::Literal(word) => {
                text.push('[');
                text.push_str(word);
                text.push(']');
            }
        }
        if needs_space(part, parts.get(index + 1)) {
            text.push(' ');
        }
    }
    text
}

/// Tokens in external form (`tok822_externalize`).
pub(super) fn external_of(parts: &[Part]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        let (open, word, close, special): (_, _, _, &[char]) = match part {
            Part::Operator(byte) => {
                text.push(char::from(*byte));
                // After a comma there is always a blank.
                if part.is(b',') || needs_space(part, parts.get(index + 1)) {
                    text.push(' ');
                }
                continue;
            }
            Part::Atom(word) | Part::Comment(word) => ("", word, "", &[]),
            Part::Quoted(word) => ("\"", word, "\"", &['"', '\\', '\r', '\n']),
            Part::Literal(word) => ("[", word, "]", &['\\', '\r', '\n']),
        };
        text.push_str(open);
        for c in word.chars() {
            if special.contains(&c) {
                text.push('\\');
            }
            text.push(c);
        }
        text.push_str(close);
        if needs_space(part, parts.get(index + 1)) {
            text.push(' ');
        }
    }
    text
}

/// Whether every byte is one that needs no care: no quotes, no rewriting, no syntax check beyond the dots.
pub(super) fn is_plain(address: &str) -> bool {
    let mut ats = 0;
    let mut last = b'.';
    for byte in address.bytes() {
        let is_fine = match byte {
            b'@' => {
                ats += 1;
                last != b'.'
            }
            b'.' => last != b'.' && last != b'@',
            b'-' => last != b'.' && last != b'@',
            b'_' | b'+' | b'=' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        if !is_fine {
            return false;
        }
        last = byte;
    }
    ats == 1 && last != b'.' && last != b'@' && last != b'-'
}

/// The external form of an internal one (`quote_822_local`). A source route in front is left alone.
pub(super) fn external(internal: &str) -> Cow<'_, str> {
    let start = route_end(internal);
    let end = internal[start..]
        .rfind('@')
        .map_or(internal.len(), |at| start + at);
    quoted(internal, start, end)
}

/// The external form of a local part alone (`QUOTE_FLAG_BARE_LOCALPART`).
pub(super) fn external_local(local: &str) -> Cow<'_, str> {
    quoted(local, route_end(local), local.len())
}

/// Where a source route in front of an address ends.
fn route_end(address: &str) -> usize {
    if address.starts_with('@') {
        address.find(':').map_or(0, |colon| colon + 1)
    } else {
        0
    }
}

/// `internal` with quotes around what stands from `start` to `end`, where it needs them.
fn quoted(internal: &str, start: usize, end: usize) -> Cow<'_, str> {
    let local = &internal[start..end];
    if is_dot_string(local) {
        return Cow::Borrowed(internal);
    }
    let mut out = String::with_capacity(internal.len() + 4);
    out.push_str(&internal[..start]);
    out.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\' | '\r') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out.push_str(&internal[end..]);
    Cow::Owned(out)
}

/// Whether a local part can stand without quotes.
fn is_dot_string(local: &str) -> bool {
    let is_plain = |byte: u8| {
        !byte.is_ascii_control()
            && !matches!(
                byte,
                b' ' | b'('
                    | b')'
                    | b'<'
                    | b'>'
                    | b'@'
                    | b','
                    | b';'
                    | b':'
                    | b'\\'
                    | b'"'
                    | b'['
                    | b']'
            )
    };
    !local.is_empty()
        && !local.starts_with('.')
        && !local.ends_with('.')
        && local.bytes().all(is_plain)
        && !local.contains("..")
}

/// The internal form of an external one (`unquote_822_local`): quotes and backslashes go, but for those
/// behind the last `@` that is not in quotes.
pub(super) fn internal(external: &str) -> Cow<'_, str> {
    if !external.contains(['"', '\\']) {
        return Cow::Borrowed(external);
    }
    let start = route_end(external);
    let mut out = String::with_capacity(external.len());
    out.push_str(&external[..start]);
    let mut is_quoted = false;
    let mut bare_at = None;
    let mut chars = external[start..].char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                continue;
            }
            '@' if !is_quoted => bare_at = Some((out.len(), start + at)),
            '\\' => {
                if let Some((_, next)) = chars.next() {
                    out.push(next);
                }
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    if let Some((length, at)) = bare_at {
        out.truncate(length);
        out.push_str(&external[at..]);
    }
    Cow::Owned(out)
}

/// Local part and domain; `None` for the domain of an address without `@`.
pub(super) fn halves(internal: &str) -> (&str, Option<&str>) {
    match internal.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (internal, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_where_they_are_needed() {
        assert_eq!(external("anna@example.com"), "anna@example.com");
        assert_eq!(external("a b@example.com"), "\"a b\"@example.com");
        assert_eq!(external(".anna@example.com"), "\".anna\"@example.com");
        assert_eq!(external("@example.com"), "\"\"@example.com");
        assert_eq!(external("50%off!@example.com"), "50%off!@example.com");
        assert_eq!(external("a\"b@example.com"), "\"a\\\"b\"@example.com");
        assert_eq!(external("a@b@example.com"), "\"a@b\"@example.com");
        assert_eq!(external(""), "\"\"");
        assert_eq!(internal("\"a\\\"b\"@example.com"), "a\"b@example.com");
        assert_eq!(
            external("@a.test,@b.test:anna@example.com"),
            "@a.test,@b.test:anna@example.com"
        );
        assert_eq!(external_local("a@b"), "\"a@b\"");
        assert_eq!(external_local("anna"), "anna");
        assert_eq!(internal("a.\"b c\".d@example.com"), "a.b c.d@example.com");
        assert_eq!(internal("anna@[192.0.2.1]"), "anna@[192.0.2.1]");
    }

    #[test]
    fn plain_addresses() {
        assert!(is_plain("anna+x@example.com"));
        for text in [
            "anna",
            "a@b@c",
            "a%b@c.test",
            ".a@c.test",
            "a@c.test.",
            "a@-c",
            "a@c..d",
            "-a@c.test",
        ] {
            assert!(!is_plain(text), "{text}");
        }
    }
}
