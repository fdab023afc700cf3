//! A `#` in a value, which starts no comment there.

use crate::instance::parameter::LIST_SEPARATORS;
use crate::source::Text;

/// The first word of a value that begins with `#` outside braces: what somebody took for a comment.
///
/// In a text of one word, such as `recipient_delimiter = #`, it is no comment.
pub(super) fn find(value: &Text) -> Option<Text> {
    memchr::memchr(b'#', value.as_bytes())?;
    let words = value.words_outside_braces(LIST_SEPARATORS);
    let is_comment = |word: &&Text| word.as_str().starts_with('#');
    let first = words.iter().find(is_comment)?;
    (words.len() > 1 || first.len() > 1).then(|| first.clone())
}
