//! Folding keys to lower case, and the checks of UTF-8: Postfix's `src/util/casefold.c` and
//! `dict_utf8.c`.

use std::borrow::Cow;

/// Folds a key.
///
/// In UTF-8 mode this is full Unicode case folding, which may change the length: `ß` becomes `ss`. Else,
/// and in pure ASCII, only the letters A to Z change.
pub fn fold(key: Cow<'_, [u8]>, utf8: bool) -> Cow<'_, [u8]> {
    if utf8
        && !key.is_ascii()
        && let Ok(text) = str::from_utf8(&key)
    {
        let folded = unicase::UniCase::unicode(text).to_folded_case();
        return if folded.as_bytes() == key.as_ref() {
            key
        } else {
            Cow::Owned(folded.into_bytes())
        };
    }
    if key.iter().any(u8::is_ascii_uppercase) {
        let mut folded = key.into_owned();
        folded.make_ascii_lowercase();
        return Cow::Owned(folded);
    }
    key
}

/// Whether the bytes are UTF-8 as RFC 3629 has it.
pub fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unicode_only_in_utf8_mode() {
        let fold = |key: &str, utf8| {
            String::from_utf8_lossy(&fold(Cow::Borrowed(key.as_bytes()), utf8)).into_owned()
        };
        assert_eq!(fold("Ann@Example.TEST", false), "ann@example.test");
        assert_eq!(fold("ÉA", false), "Éa");
        assert_eq!(fold("ÉA", true), "éa");
        assert_eq!(fold("Straße", true), "strasse");
        assert_eq!(fold("İ", true), "i\u{307}");
    }
}
