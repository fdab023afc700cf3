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
}

impl Part {
    /// Whether it is this operator.
    pub(super) fn is(&self, byte: u8) -> bool {
        *self == Self::Operator(byte)
    }
}

/// The tokens of an address in external form, comments left out.
pub(super) fn parts(external: &str) -> Vec<Part> {
    let text = external.as_bytes();
    Tokens::of(text)
        .filter_map(|token| {
            let content = || String::from_utf8_lossy(&token.content(text)).into_owned();
            Some(match token.kind {
                TokenKind::Comment => return None,
                TokenKind::Quoted => Part::Quoted(content()),
                TokenKind::DomainLiteral => Part::Literal(content()),
                TokenKind::Atom => Part::Atom(content()),
                TokenKind::Operator(byte) => Part::Operator(byte),
            })
        })
        .collect()
}

/// Tokens in internal form.
pub(super) fn internal_of(parts: &[Part]) -> String {
    let mut text = String::new();
    for (index, part) in parts.iter().enumerate() {
        match part {
            Part::Operator(byte) => text.push(char::from(*byte)),
            Part::Atom(word) | Part::Quoted(word) => text.push_str(word),
            Part::Literal(word) => {
                text.push('[');
                text.push_str(word);
                text.push(']');
            }
        }
        let is_word = |part: &Part| !matches!(part, Part::Operator(_));
        if is_word(part) && parts.get(index + 1).is_some_and(is_word) {
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

/// An address in external form: the local part in quotes where it needs them.
pub(super) fn external(internal: &str) -> Cow<'_, str> {
    // A source route is no local part.
    let route = if internal.starts_with('@') {
        internal.find(':').map_or(0, |at| at + 1)
    } else {
        0
    };
    let end = internal.rfind('@').filter(|&at| at >= route);
    let local = &internal[route..end.unwrap_or(internal.len())];
    let is_special = |byte: u8| byte <= b' ' || byte == 0x7f || b"()<>@,;:\\\"[]".contains(&byte);
    let needs_quotes = (local.is_empty() && !internal.is_empty())
        || local.starts_with('.')
        || local.ends_with('.')
        || local.contains("..")
        || local.bytes().any(is_special);
    if !needs_quotes {
        return Cow::Borrowed(internal);
    }
    let mut text = internal[..route].to_owned();
    text.push('"');
    for c in local.chars() {
        if matches!(c, '"' | '\\' | '\r') {
            text.push('\\');
        }
        text.push(c);
    }
    text.push('"');
    text.push_str(end.map_or("", |at| &internal[at..]));
    Cow::Owned(text)
}

/// An address in internal form.
pub(super) fn internal(external: &str) -> String {
    internal_of(&parts(external))
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
        assert_eq!(external(""), "");
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
