//! Compatibility levels (`src/global/compat_level.c`) and the numbers in comparisons.

use super::{ExpandError, ExpandErrorKind};
use crate::source::{Text, is_space};

/// A compatibility level as one number, as `src/global/compat_level.c` packs it.
///
/// # Errors
/// The text is not `major[.minor[.patch]]`.
pub fn compatibility_level(text: &Text) -> Result<u64, ExpandError> {
    parse_level(text.as_str()).ok_or_else(|| ExpandError {
        kind: ExpandErrorKind::Level,
        message: format!("malformed compatibility level syntax: \"{text}\""),
    })
}

fn parse_level(text: &str) -> Option<u64> {
    const MAX_MAJOR: u64 = (i64::MAX as u64) >> 20;
    let mut members = text.split('.');
    let major = strtol(members.next()?).filter(|&major| major <= MAX_MAJOR)?;
    let minor = members
        .next()
        .map_or(Some(0), strtol)
        .filter(|&minor| minor < 1024)?;
    let patch = members
        .next()
        .map_or(Some(0), strtol)
        .filter(|&patch| patch < 1024)?;
    if members.next().is_some() {
        return None;
    }
    Some((major << 20) | (minor << 10) | patch)
}

/// A whole text as C `strtol` reads a number that is not negative: leading white space and a sign pass.
fn strtol(text: &str) -> Option<u64> {
    let text = text.trim_start_matches(|byte: char| u8::try_from(byte).is_ok_and(is_space));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits
        .parse()
        .ok()
        .filter(|&number| !negative || number == 0)
}

/// Whether all bytes are digits, and there is one.
pub(super) fn is_number(text: &Text) -> bool {
    !text.is_empty() && text.as_bytes().iter().all(u8::is_ascii_digit)
}

/// The number that a text of digits is.
///
/// # Errors
/// It is too large: the program ends.
pub(super) fn number(text: &Text) -> Result<i64, ExpandError> {
    text.as_str().parse().map_err(|_| ExpandError {
        kind: ExpandErrorKind::Fatal,
        message: format!("mac_exp_eval: bad conversion: {text}"),
    })
}
