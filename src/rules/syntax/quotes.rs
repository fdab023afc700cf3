//! Quotes around values, which Postfix takes as they are.

use crate::source::Text;

/// Whether a value, or the first word of it, stands in quotes.
pub(super) fn is_quoted(value: &Text) -> bool {
    let text = value.as_str();
    ['"', '\'']
        .iter()
        .any(|quote| text.len() > 1 && text.starts_with(*quote) && text.ends_with(*quote))
}
