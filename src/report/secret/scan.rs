//! Where passwords stand in the text of a file, whatever kind of file it is.

use std::ops::Range;

use crate::instance::builtin;
use crate::source::is_space;

/// Ends of names that speak of passwords, and hold none.
const HARMLESS_ENDS: [&str; 10] = [
    "_file",
    "_path",
    "_maps",
    "_map",
    "_delimiter",
    "_query",
    "_attribute",
    "_scheme",
    "_format",
    "_url",
];

/// The values of all `name = value` in which the name says that the value is secret, and the passwords in
/// `static:` and `inline:` of `*_password_maps`, in comments, too.
pub(super) fn named_values(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    for equals in memchr::memchr_iter(b'=', bytes) {
        if found.last().is_some_and(|last| equals < last.end) {
            continue;
        }
        let name = name_before(bytes, equals);
        let text = String::from_utf8_lossy(&bytes[name.clone()]).to_ascii_lowercase();
        if is_secret(&text) {
            found.extend(value_after(bytes, &name, equals));
        } else if text.ends_with("password_maps") {
            for piece in value_after(bytes, &name, equals) {
                found.extend(written_passwords(bytes, piece));
            }
        }
    }
    found.extend(url_passwords(bytes));
    found.extend(block_list_keys(bytes));
    found
}

/// What stands behind the key in each line of a table, in lines that are commented out, too.
pub(super) fn results(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |at| start + at);
        let line = start..end;
        start = end + 1;
        let hashes = bytes[line.clone()]
            .iter()
            .take_while(|&&byte| byte == b'#' || is_space(byte))
            .count();
        let is_comment = bytes[line.clone()][..hashes].contains(&b'#');
        let continues = !is_comment && hashes > 0;
        let key = line.start + hashes;
        let length = bytes[key..end].iter().position(|&byte| is_space(byte));
        // In a passwd-like file all is one word.
        let colon = memchr::memchr(b':', &bytes[key..end]).map(|at| at + 1);
        let value = match (length, colon) {
            _ if continues => key..end,
            (Some(length), _) => key + length..end,
            (None, Some(colon)) => key + colon..end,
            (None, None) => continue,
        };
        // Prose is no password: that is one word with a colon in it.
        let words = bytes[value.clone()]
            .split(|&byte| is_space(byte))
            .filter(|word| !word.is_empty());
        if is_comment && (words.count() != 1 || !bytes[value.clone()].contains(&b':')) {
            continue;
        }
        found.push(value);
    }
    found
}

/// The name in front of a `=`, blanks in between.
fn name_before(bytes: &[u8], equals: usize) -> Range<usize> {
    let blanks = bytes[..equals]
        .iter()
        .rev()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    let end = equals - blanks;
    let length = bytes[..end]
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        .count();
    end - length..end
}

/// Whether a name, in lower case, says that its value is secret.
fn is_secret(name: &str) -> bool {
    if HARMLESS_ENDS.iter().any(|end| name.ends_with(end)) || builtin::parameter(name).is_some() {
        return false;
    }
    ["password", "passwd", "passphrase", "secret"]
        .iter()
        .any(|word| name.contains(word))
        || matches!(
            name.rsplit(['_', '-', '.']).next(),
            Some("pw" | "pwd" | "pass")
        )
}

/// The value behind a `=`: the rest of the logical line when the name opens it, else one word.
fn value_after(bytes: &[u8], name: &Range<usize>, equals: usize) -> Vec<Range<usize>> {
    let start = equals + 1;
    let line = memchr::memrchr(b'\n', &bytes[..name.start]).map_or(0, |newline| newline + 1);
    let before = &bytes[line..name.start];
    let blanks = bytes[start..]
        .iter()
        .take_while(|&&byte| matches!(byte, b' ' | b'\t'))
        .count();
    let value = start + blanks;
    if before.iter().all(|&byte| byte == b'#' || is_space(byte)) {
        return rest_of_logical_line(bytes, value, before.contains(&b'#'));
    }
    let in_braces = before.iter().rev().find(|&&byte| !is_space(byte)) == Some(&b'{');
    let word = value..end_of_word(bytes, value, in_braces);
    vec![word]
}

/// The rest of a physical line and the lines that continue it, without the comments between them.
fn rest_of_logical_line(bytes: &[u8], from: usize, is_comment: bool) -> Vec<Range<usize>> {
    let end_of =
        |from: usize| memchr::memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |at| from + at);
    let mut end = end_of(from);
    let first = from..end;
    let mut pieces = vec![first];
    while let Some(&byte) = bytes.get(end + 1) {
        if is_comment || !(byte == b'#' || is_space(byte)) {
            break;
        }
        let start = end + 1;
        end = end_of(start);
        let text = bytes[start..end].iter().find(|&&byte| !is_space(byte));
        if text.is_some_and(|&byte| byte != b'#') {
            pieces.push(start..end);
        }
    }
    pieces
}

/// The end of a word that may be quoted, or of a value up to the `}` around it.
fn end_of_word(bytes: &[u8], from: usize, in_braces: bool) -> usize {
    let quote = bytes
        .get(from)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    let mut depth = 0_usize;
    for (at, &byte) in bytes.iter().enumerate().skip(from) {
        let ends = match quote {
            Some(quote) => (byte == quote && at > from) || byte == b'\n',
            None if in_braces || depth > 0 => byte == b'}' && depth == 0,
            None => is_space(byte),
        };
        if ends {
            return at;
        }
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    bytes.len()
}

/// The passwords in the text of a `*_password_maps`: behind `static:`, and in the braces of `inline:` and
/// `randmap:`.
fn written_passwords(bytes: &[u8], value: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for kind in [&b"static:"[..], b"inline:", b"randmap:"] {
        for at in memchr::memmem::find_iter(&bytes[value.clone()], kind) {
            let start = value.start + at + kind.len();
            let end = end_of_word(bytes, start, false).min(value.end);
            if kind != b"inline:" {
                found.push(start..end);
                continue;
            }
            // Keys may be shown; what follows each `=` up to the end of its entry may not.
            for equals in memchr::memchr_iter(b'=', &bytes[start..end]) {
                let from = start + equals + 1;
                let rest = &bytes[from..end];
                let length = rest.iter().position(|byte| matches!(byte, b'}' | b','));
                found.push(from..length.map_or(end, |length| from + length));
            }
        }
    }
    found
}

/// The password in `scheme://user:password@host`.
fn url_passwords(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(bytes, b"://") {
        let start = at + 3;
        let rest = &bytes[start..];
        let length = rest
            .iter()
            .position(|&byte| is_space(byte) || matches!(byte, b'/' | b'?' | b'#'))
            .unwrap_or(rest.len());
        let authority = &rest[..length];
        if let Some(at_sign) = memchr::memrchr(b'@', authority)
            && let Some(colon) = memchr::memchr(b':', &authority[..at_sign])
        {
            found.push(start + colon + 1..start + at_sign);
        }
    }
    found
}

/// Block lists whose names begin with the key of their customer, which `postscreen_dnsbl_reply_map` of
/// postconf(5) is there to hide.
const KEYED_BLOCK_LISTS: [&[u8]; 2] = [b".dq.spamhaus.net", b".abusix.zone"];
/// Keys are longer than the labels of the lists themselves.
const KEY_LENGTH: usize = 16;

/// The keys in names such as `KEY.zen.dq.spamhaus.net`.
fn block_list_keys(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for name in KEYED_BLOCK_LISTS {
        for end in memchr::memmem::find_iter(bytes, name) {
            let length = bytes[..end]
                .iter()
                .rev()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
                .count();
            let start = end - length;
            let labels = bytes[start..end].split(|&byte| byte == b'.');
            let mut at = start;
            for label in labels {
                if label.len() >= KEY_LENGTH {
                    found.push(at..at + label.len());
                }
                at += label.len() + 1;
            }
        }
    }
    found
}
