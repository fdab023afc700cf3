//! Characters that a terminal would obey instead of showing.
//!
//! A configuration may come from anybody. Escape sequences in it must not reach a terminal, and characters
//! without a width must not hide text.

use std::borrow::Cow;

/// What is shown for a character that is not shown as it is: the control pictures of Unicode where there is
/// one, else the replacement character.
pub(super) fn stand_in(c: char) -> Option<char> {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)),
        '\x7f' => Some('\u{2421}'),
        '\u{80}'..='\u{9f}'
        | '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => Some('\u{fffd}'),
        _ => None,
    }
}

/// A text on one line, with something to see in place of each character that cannot be seen.
pub fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| stand_in(c).is_some()) {
        text.chars().map(|c| stand_in(c).unwrap_or(c)).collect()
    } else {
        Cow::Borrowed(text)
    }
}

/// Like [`visible`], for text of several lines: line ends and tabs stay.
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    let shown = |c: char| match c {
        '\n' | '\t' => c,
        _ => stand_in(c).unwrap_or(c),
    };
    if text.chars().any(|c| shown(c) != c) {
        text.chars().map(shown).collect()
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_left() {
        assert_eq!(
            visible("a\x1b[31mb\u{9b}1m\n\u{202e}c"),
            "a␛[31mb\u{fffd}1m␊\u{fffd}c"
        );
        assert_eq!(visible_lines("a\tb\r\n"), "a\tb␍\n");
        assert!(matches!(visible("plain, é"), Cow::Borrowed(_)));
    }
}
