//! MAIL and RCPT commands: their words, and the address in them (`src/smtpd/smtpd_token.c`,
//! `src/smtpd/smtpd.c: extract_addr`).

use crate::source::is_space;
use crate::syntax::token::{self, TokenKind, Tokens};

/// What is wrong with a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The address is none.
    Address,
    /// An option that smtpd does not know.
    Option(String),
}

/// A word of a command.
struct Word {
    text: Vec<u8>,
    /// A quote or bracket is not closed.
    is_broken: bool,
}

/// The address, in internal form, of a command that ends in `<given>`.
///
/// # Errors
/// What smtpd objects to.
pub(super) fn address(given: &str, strict: bool) -> Result<String, Wrong> {
    let mut command = Vec::with_capacity(given.len() + 2);
    command.push(b'<');
    command.extend_from_slice(given.as_bytes());
    command.push(b'>');
    let mut words = words(&command).into_iter();
    let Some(word) = words.next().filter(|word| !word.is_broken) else {
        return Err(Wrong::Address);
    };
    let address = extract(&word.text, strict)?;
    match words.next() {
        Some(option) => Err(Wrong::Option(
            String::from_utf8_lossy(&option.text).into_owned(),
        )),
        None => Ok(address),
    }
}

/// `smtpd_token`.
fn words(command: &[u8]) -> Vec<Word> {
    let mut words = Vec::new();
    let mut bytes = command.iter().copied().peekable();
    let mut word = Word {
        text: Vec::new(),
        is_broken: false,
    };
    while let Some(byte) = bytes.next() {
        match byte {
            _ if is_space(byte) => {
                if !word.text.is_empty() {
                    let next = Word {
                        text: Vec::new(),
                        is_broken: false,
                    };
                    words.push(std::mem::replace(&mut word, next));
                }
            }
            b'<' => quoted(&mut bytes, &mut word, b'<', b'>'),
            b'"' => quoted(&mut bytes, &mut word, b'"', b'"'),
            b'\\' => {
                word.text.push(byte);
                word.text.extend(bytes.next());
            }
            _ => word.text.push(byte),
        }
    }
    if !word.text.is_empty() {
        words.push(word);
    }
    words
}

/// `smtp_quoted`: up to the closing bracket or quote, with what is inside of it.
fn quoted(bytes: &mut impl Iterator<Item = u8>, word: &mut Word, start: u8, last: u8) {
    let mut wanted = vec![last];
    word.text.push(start);
    while let Some(byte) = bytes.next() {
        word.text.push(byte);
        if byte == b'\\' {
            match bytes.next() {
                Some(escaped) => word.text.push(escaped),
                None => break,
            }
        } else if wanted.last() == Some(&byte) {
            wanted.pop();
            if wanted.is_empty() {
                return;
            }
        } else if byte == b'"' || (byte == b'<' && wanted.last() == Some(&b'>')) {
            wanted.push(if byte == b'"' { b'"' } else { b'>' });
        }
    }
    word.is_broken = true;
}

/// `extract_addr`, up to the check of the domain.
fn extract(word: &[u8], strict: bool) -> Result<String, Wrong> {
    let inner = word
        .strip_prefix(b"<")
        .and_then(|inner| inner.strip_suffix(b">"));
    let mut text = inner.unwrap_or(word);
    if text.first() == Some(&b'@')
        && let Some(colon) = text.iter().position(|&byte| byte == b':')
    {
        text = &text[colon + 1..];
    }
    let addresses = token::addresses(text);
    let has_junk = || {
        let is_inside = |at: usize| addresses.iter().any(|address| address.range.contains(&at));
        Tokens::of(text).any(|token| {
            let is_bracket =
                token.kind == TokenKind::Operator(b'<') || token.kind == TokenKind::Operator(b'>');
            !is_bracket && !is_inside(token.range.start)
        })
    };
    if addresses.len() > 1 || (strict && (!word.starts_with(b"<") || has_junk())) {
        return Err(Wrong::Address);
    }
    let internal = addresses.first().map(|address| address.internal(text));
    let internal = String::from_utf8_lossy(&internal.unwrap_or_default()).into_owned();
    if strict && internal.starts_with('@') {
        return Err(Wrong::Address);
    }
    Ok(internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_commands() {
        let loose = |given: &str| address(given, false);
        let fine = |text: &str| Ok(text.to_owned());
        assert_eq!(loose("anna@example.com"), fine("anna@example.com"));
        assert_eq!(loose("\"a b\"@example.com"), fine("a b@example.com"));
        assert_eq!(
            loose("@relay.test,@other.test:anna@example.com"),
            fine("anna@example.com")
        );
        assert_eq!(loose("Anna <anna@example.com>"), fine("anna@example.com"));
        assert_eq!(
            loose("(a comment) anna@example.com"),
            fine("anna@example.com")
        );
        assert_eq!(loose(""), fine(""));
        assert_eq!(loose("a b"), Err(Wrong::Address));
        assert_eq!(loose("\"a"), Err(Wrong::Address));
        assert_eq!(
            loose("a> SIZE=1 <b"),
            Err(Wrong::Option("SIZE=1".to_owned()))
        );
    }

    #[test]
    fn strict_commands() {
        let strict = |given: &str| address(given, true);
        assert_eq!(
            strict("anna@example.com"),
            Ok("anna@example.com".to_owned())
        );
        assert_eq!(strict("(c) anna@example.com"), Err(Wrong::Address));
        assert_eq!(strict("@example.com"), Err(Wrong::Address));
    }
}
