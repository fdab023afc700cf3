//! Text in braces, and `key = value` with a quoted key: the small grammars inside table names such as
//! `inline:{…}` (Postfix's `src/util/balpar.c`, `extpar.c`, `mystrtok.c` and `split_qnameval.c`).

use std::ops::Range;

use super::table::trim;
use crate::source::{Text, is_space};

/// What separates items: `CHARS_COMMA_SP`.
pub const COMMA_SPACE: &[u8] = b", \t\r\n";

/// Length of the balanced `{…}` at the start of `text` (`balpar`); `None` when there is none.
pub fn balanced(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'{') {
        return None;
    }
    let mut level = 0_usize;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'{' => level += 1,
            b'}' => {
                level -= 1;
                if level == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// What is between the braces when `text` is one balanced `{…}` and nothing else.
pub fn whole(text: &Text) -> Option<Text> {
    match balanced(text.as_bytes()) {
        Some(length) if length == text.len() => Some(text.slice(1..length - 1)),
        _ => None,
    }
}

/// Takes text out of its braces (`extpar`), without white space at its ends when `strip` is set.
///
/// # Errors
/// Postfix's own words.
pub fn extract(text: &Text, strip: bool) -> Result<Text, String> {
    match open(text, strip) {
        (inner, None) => Ok(inner),
        (_, Some(error)) => Err(error),
    }
}

/// As [`extract`], for those who only warn: what is inside as far as there is an inside, and the error in
/// Postfix's own words.
pub fn open(text: &Text, strip: bool) -> (Text, Option<String>) {
    let (inner, error) = if text.as_bytes().first() != Some(&b'{') {
        let error = format!("no '{{' at start of text in \"{text}\"");
        (text.clone(), Some(error))
    } else {
        match balanced(text.as_bytes()) {
            None => {
                let error = format!("missing '}}' in \"{text}\"");
                (text.slice(1..text.len()), Some(error))
            }
            Some(length) => {
                let error =
                    (length < text.len()).then(|| format!("syntax error after '}}' in \"{text}\""));
                (text.slice(1..length - 1), error)
            }
        }
    };
    (if strip { inner.trim() } else { inner }, error)
}

/// Splits `key = value` (`split_qnameval`). The key may hold white space and `=` inside `"…"` and after `\`;
/// quotes and backslashes stay in it.
///
/// # Errors
/// Postfix's own words.
pub fn split_quoted(bytes: &[u8]) -> Result<(Range<usize>, Range<usize>), &'static str> {
    let start = bytes.iter().position(|&byte| !is_space(byte));
    let Some(start) = start else {
        return Err("no key found; expected format: key = value");
    };
    let mut in_quotes = false;
    let mut end = start;
    while let Some(&byte) = bytes.get(end) {
        match byte {
            b'\\' => end += 1,
            b'"' => in_quotes = !in_quotes,
            b'=' if !in_quotes => break,
            _ if !in_quotes && is_space(byte) => break,
            _ => {}
        }
        end += 1;
    }
    let end = end.min(bytes.len());
    if in_quotes {
        // The odd quotes are Postfix's.
        return Err("unbalanced '\"\'");
    }
    let rest = trim(bytes, end..bytes.len());
    if bytes.get(rest.start) != Some(&b'=') || rest.is_empty() {
        return Err("missing '=' after attribute name");
    }
    Ok((start..end, trim(bytes, rest.start + 1..bytes.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces() {
        assert_eq!(balanced(b"{a{b}}c"), Some(6));
        assert_eq!(balanced(b"{a"), None);
        let text = |text: &str| Text::placeless(text);
        assert_eq!(extract(&text("{ a b }"), true), Ok(text("a b")));
        assert_eq!(
            extract(&text("{a}b"), true),
            Err("syntax error after '}' in \"{a}b\"".to_owned())
        );
        assert_eq!(
            extract(&text("{a"), true),
            Err("missing '}' in \"{a\"".to_owned())
        );
    }

    #[test]
    fn quoted_keys() {
        assert_eq!(split_quoted(b" a = b c "), Ok((1..2, 5..8)));
        assert_eq!(split_quoted(b"\"a = b\"@c=d"), Ok((0..9, 10..11)));
        assert_eq!(split_quoted(b"a="), Ok((0..1, 2..2)));
        assert_eq!(
            split_quoted(b"a b"),
            Err("missing '=' after attribute name")
        );
        assert_eq!(split_quoted(b"\"a = b"), Err("unbalanced '\"'"));
        assert!(split_quoted(b" ").is_err());
    }
}
