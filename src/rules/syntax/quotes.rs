//! Quotes around values, which Postfix takes as they are.

use crate::instance::parameter::LIST_SEPARATORS;
use crate::source::Text;

const QUOTES: [char; 2] = ['"', '\''];

/// Whether the whole value stands in quotes.
pub(super) fn is_quoted(value: &Text) -> bool {
    unquoted(value.as_str()).is_some()
}

/// The text between the quotes, when all of it stands between one pair.
pub(super) fn unquoted(text: &str) -> Option<&str> {
    QUOTES.iter().find_map(|quote| {
        let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
        (!inner.contains(*quote)).then_some(inner)
    })
}

/// Whether a word begins or ends with a quote.
pub(super) fn has_quote(word: &str) -> bool {
    word.starts_with(QUOTES) || word.ends_with(QUOTES)
}

/// The words of a list that begin or end with a quote.
pub(super) fn quoted_words(value: &Text) -> Vec<Text> {
    let mut words = value.words_outside_braces(LIST_SEPARATORS);
    words.retain(|word| has_quote(word.as_str()));
    words
}
