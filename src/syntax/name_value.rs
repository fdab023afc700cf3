//! `name = value`, as Postfix's `src/util/split_nameval.c` splits it: lines of main.cf and of database
//! client files, `-o` arguments, and `{name = value}` elements.

use nom::bytes::complete::{take_till, take_while};
use nom::character::complete::char;
use nom::sequence::delimited;
use nom::{IResult, Parser};

use crate::source::{Text, is_space};

/// A text that was split into name and value.
#[derive(Clone, Debug)]
pub struct NameValue {
    /// The name: every byte up to white space or `=`.
    pub name: Text,
    /// The value without white space at its ends.
    pub value: Text,
}

/// Why a text is not `name = value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameValueError {
    /// There is nothing in front of the `=`, or nothing at all.
    MissingName,
    /// What follows the name is not `=`.
    MissingEquals,
}

impl NameValueError {
    /// Postfix's own words.
    pub fn message(self) -> &'static str {
        match self {
            Self::MissingName => "missing attribute name",
            Self::MissingEquals => "missing '=' after attribute name",
        }
    }
}

/// Splits `name = value`. Text after a NUL is not seen.
///
/// # Errors
/// The two mistakes that Postfix knows, both fatal to whoever reads the text.
pub fn split(text: &Text) -> Result<NameValue, NameValueError> {
    let text = text.clone().until_nul();
    let bytes = text.as_bytes();
    let (rest, name) = name(bytes).map_err(|_| NameValueError::MissingName)?;
    if name.is_empty() {
        return Err(NameValueError::MissingName);
    }
    let (rest, _) = equals(rest).map_err(|_| NameValueError::MissingEquals)?;
    let start = bytes.iter().position(|&byte| !is_space(byte)).unwrap_or(0);
    Ok(NameValue {
        name: text.slice(start..start + name.len()),
        value: text.slice(bytes.len() - rest.len()..bytes.len()).trim(),
    })
}

fn name(input: &[u8]) -> IResult<&[u8], &[u8]> {
    delimited(
        take_while(is_space),
        take_till(|byte| is_space(byte) || byte == b'='),
        take_while(is_space),
    )
    .parse(input)
}

fn equals(input: &[u8]) -> IResult<&[u8], char> {
    char('=').parse(input)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split_str(text: &str) -> Result<(String, String), NameValueError> {
        split(&Text::placeless(text)).map(|pair| (pair.name.to_string(), pair.value.to_string()))
    }

    #[test]
    fn splits_as_postfix_does() {
        assert_eq!(
            split_str(" a.b \t=  c = d  "),
            Ok(("a.b".into(), "c = d".into()))
        );
        assert_eq!(split_str("a="), Ok(("a".into(), String::new())));
        assert_eq!(split_str("a b = c"), Err(NameValueError::MissingEquals));
        assert_eq!(split_str("= c"), Err(NameValueError::MissingName));
        assert_eq!(split_str("\0a = b"), Err(NameValueError::MissingName));
        assert_eq!(split_str("a = b\0c"), Ok(("a".into(), "b".into())));
    }
}
