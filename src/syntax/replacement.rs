//! Results of regexp and pcre rules: text with `$1`, `${1}` and `$(1)`, as Postfix's `src/util/mac_parse.c`
//! and the `prescan` functions of `dict_regexp.c` and `dict_pcre.c` read it.

use std::ops::Range;

use super::pattern_table::Flavour;
use crate::source::same_length_lossy;

/// A result, taken apart at its `$`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replacement {
    /// The parts in order.
    pub parts: Vec<ReplacementPart>,
    /// The highest number of a group, 0 when there is none.
    pub highest_group: u64,
}

/// A part of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReplacementPart {
    /// Text as it is.
    Literal(Range<usize>),
    /// What the group matched.
    Group {
        /// The number of the group, from 1.
        number: u64,
        /// The whole reference.
        range: Range<usize>,
    },
}

/// Takes a result apart, which is the part `result` of a line.
///
/// # Errors
/// Postfix's warnings with their places; never empty.
pub(super) fn parse(
    line: &[u8],
    result: Range<usize>,
    flavour: Flavour,
) -> Result<Replacement, Vec<(String, Range<usize>)>> {
    let line = &line[..result.end];
    let mut replacement = Replacement::default();
    let parts = &mut replacement.parts;
    let mut warnings: Vec<(String, Range<usize>)> = Vec::new();
    let mut start = result.start;
    let mut at = result.start;
    while let Some(dollar) = memchr::memchr(b'$', &line[at..]).map(|offset| at + offset) {
        if line.get(dollar + 1) == Some(&b'$') {
            parts.push(ReplacementPart::Literal(start..dollar + 1));
            at = dollar + 2;
            start = at;
            continue;
        }
        parts.push(ReplacementPart::Literal(start..dollar));
        let reference = match line.get(dollar + 1) {
            Some(b'(') => closing(line, dollar + 1, b'(', b')'),
            Some(b'{') => closing(line, dollar + 1, b'{', b'}'),
            _ => {
                let end = dollar + 1 + name_length(&line[dollar + 1..]);
                Some((dollar + 1..end, end))
            }
        };
        let text = same_length_lossy(&line[result.clone()]);
        let Some((name, next)) = reference else {
            let message = format!("truncated macro reference: \"{text}\"");
            warnings.push((message, dollar..line.len()));
            break;
        };
        // mac_parse.c gives up here when an earlier reference was wrong, but only at a bracket.
        if !warnings.is_empty() && next > name.end {
            break;
        }
        if name.is_empty() {
            let message = format!("empty macro name: \"{text}\"");
            warnings.push((message, dollar..next));
            break;
        }
        let index = same_length_lossy(&line[name.clone()]);
        match group_number(&line[name.clone()]) {
            None => {
                let message = format!("non-numeric replacement index \"{index}\"");
                warnings.push((message, dollar..next));
            }
            Some(0) => {
                let range = match flavour {
                    Flavour::Regexp => "out-of-range",
                    Flavour::Pcre => "out of range",
                };
                let message = format!("{range} replacement index \"{index}\"");
                warnings.push((message, dollar..next));
            }
            Some(number) => {
                replacement.highest_group = replacement.highest_group.max(number);
                let range = dollar..next;
                parts.push(ReplacementPart::Group { number, range });
            }
        }
        at = next;
        start = next;
    }
    if !warnings.is_empty() {
        return Err(warnings);
    }
    parts.push(ReplacementPart::Literal(start..line.len()));
    parts.retain(|part| !part.is_empty());
    Ok(replacement)
}

impl ReplacementPart {
    fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(range) if range.is_empty())
    }
}

/// What stands between the bracket at `open` and its partner, and the offset after that.
fn closing(line: &[u8], open: usize, left: u8, right: u8) -> Option<(Range<usize>, usize)> {
    let mut depth = 0_usize;
    for (at, &byte) in line.iter().enumerate().skip(open) {
        if byte == left {
            depth += 1;
        } else if byte == right {
            depth -= 1;
            if depth == 0 {
                return Some((open + 1..at, at + 1));
            }
        }
    }
    None
}

fn name_length(text: &[u8]) -> usize {
    text.iter()
        .take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_')
        .count()
}

/// The number of a group as `atoi` gives it to an unsigned variable; `None` for anything but digits.
fn group_number(name: &[u8]) -> Option<u64> {
    if !name.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = name.iter().fold(0_i64, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    });
    // An int, converted to size_t: too large a number becomes negative and then very large.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    Some(i64::from(number as i32) as u64)
}
