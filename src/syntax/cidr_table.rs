//! Lines of `cidr_table(5)`: Postfix's `src/util/dict_cidr.c` and `cidr_match.c`.
//!
//! A line is read from its bytes alone; offsets are those of the line. Whether an `if` is closed is for
//! whoever reads the whole table, since a line that is not accepted does not count.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use ipnet::IpNet;

use super::table::trim;
use crate::source::{is_space, same_length_lossy};

/// What decides how a line is read, besides the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CidrSyntax {
    /// `!`, `if` and `endif` are known (Postfix 3.2).
    pub conditions: bool,
}

impl Default for CidrSyntax {
    fn default() -> Self {
        Self { conditions: true }
    }
}

/// What a logical line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CidrLine {
    /// A network and its result.
    Match {
        /// What has to match.
        pattern: CidrPattern,
        /// The result.
        result: Range<usize>,
    },
    /// `if pattern`: the lines up to `endif` count only for addresses that match.
    If(CidrPattern),
    /// `endif`.
    EndIf,
    /// Not accepted: Postfix warns with this reason and skips the line.
    Dropped(String),
}

/// A network pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CidrPattern {
    /// Matches the addresses of the family that are not in the network.
    pub negated: bool,
    /// The network.
    pub network: IpNet,
    /// Where it is written, brackets included and `!` not.
    pub range: Range<usize>,
}

impl CidrPattern {
    /// Whether `address` matches. An address of the other family never does, negated or not.
    pub fn matches(&self, address: IpAddr) -> bool {
        matches(&self.network, self.negated, address)
    }
}

/// Whether `address` is in `network`, or is not where `negated`. An address of the other family never
/// matches.
pub fn matches(network: &IpNet, negated: bool, address: IpAddr) -> bool {
    let same_family = matches!(
        (network, address),
        (IpNet::V4(_), IpAddr::V4(_)) | (IpNet::V6(_), IpAddr::V6(_))
    );
    same_family && network.contains(&address) != negated
}

/// Reads one logical line.
pub fn parse(line: &[u8], syntax: CidrSyntax) -> CidrLine {
    try_parse(line, syntax).unwrap_or_else(CidrLine::Dropped)
}

fn try_parse(line: &[u8], syntax: CidrSyntax) -> Result<CidrLine, String> {
    if syntax.conditions && is_keyword(line, b"if") {
        let (negated, at) = negation(line, 2);
        if at == line.len() {
            return Err("no address pattern".to_owned());
        }
        let range = trim(line, at..line.len());
        let network = network(&line[range.clone()])?;
        return Ok(CidrLine::If(CidrPattern {
            negated,
            network,
            range,
        }));
    }
    if syntax.conditions && is_keyword(line, b"endif") {
        return match trim(line, 5..line.len()).is_empty() {
            true => Ok(CidrLine::EndIf),
            false => Err("garbage after ENDIF".to_owned()),
        };
    }
    let (negated, at) = if syntax.conditions {
        negation(line, 0)
    } else {
        (false, 0)
    };
    let end = line[at..]
        .iter()
        .position(|&byte| is_space(byte))
        .map_or(line.len(), |length| at + length);
    let result = trim(line, end..line.len());
    if at == end {
        return Err("no address pattern".to_owned());
    }
    let network = network(&line[at..end])?;
    if result.is_empty() {
        return Err("no lookup result".to_owned());
    }
    Ok(CidrLine::Match {
        pattern: CidrPattern {
            negated,
            network,
            range: at..end,
        },
        result,
    })
}

/// Whether a line starts with a word, in any case, that no letter or digit follows.
pub(super) fn is_keyword(line: &[u8], word: &[u8]) -> bool {
    line.get(..word.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(word))
        && !line.get(word.len()).is_some_and(u8::is_ascii_alphanumeric)
}

/// Reads `!` and white space from `at` on: whether the number of `!` is odd, and what follows.
pub(super) fn negation(line: &[u8], at: usize) -> (bool, usize) {
    let mut negated = false;
    for (at, &byte) in line.iter().enumerate().skip(at) {
        if byte == b'!' {
            negated = !negated;
        } else if !is_space(byte) {
            return (negated, at);
        }
    }
    (negated, line.len())
}

/// Reads a network (`cidr_match_parse`): `ADDR`, `ADDR/LEN`, `[ADDR]`, `[ADDR]/LEN` or `[ADDR/LEN]`.
///
/// # Errors
/// Postfix's own words.
pub fn network(pattern: &[u8]) -> Result<IpNet, String> {
    let show = |bytes: &[u8]| same_length_lossy(bytes).into_owned();
    let (address, mask) = if let Some(inner) = pattern.strip_prefix(b"[") {
        let Some(close) = inner.iter().position(|&byte| byte == b']') else {
            return Err(format!("missing ']' character after \"[{}\"", show(inner)));
        };
        let (inner, after) = (&inner[..close], &inner[close + 1..]);
        match after {
            [] => split_mask(inner),
            [b'/', mask @ ..] => (inner, Some(mask)),
            _ => return Err(format!("garbage after \"[{}]\"", show(inner))),
        }
    } else {
        split_mask(pattern)
    };
    let parsed = parse_address(address);
    let Some(mask) = mask else {
        return match parsed {
            Some(address) => Ok(IpNet::from(address)),
            None => Err(format!("bad address pattern: \"{}\"", show(address))),
        };
    };
    let bits: u8 = if address.contains(&b':') { 128 } else { 32 };
    let error = |what: &str| Err(format!("{what} in \"{}/{}\"", show(address), show(mask)));
    if mask.is_empty() || !mask.iter().all(u8::is_ascii_digit) {
        return error("bad mask value");
    }
    let length = mask.iter().fold(0_u32, |length, digit| {
        length
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    });
    let Some(length) = u8::try_from(length).ok().filter(|&length| length <= bits) else {
        return error("bad mask length");
    };
    let Some(network) = parsed.and_then(|address| IpNet::new(address, length).ok()) else {
        return error("bad network value");
    };
    if network.addr() != network.network() {
        return error("non-null host address bits").map_err(|mut text: String| {
            let _ = write!(
                text,
                ", perhaps you should use \"{}/{length}\" instead",
                show_address(network.network())
            );
            text
        });
    }
    Ok(network)
}

fn split_mask(pattern: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'/', pattern) {
        Some(at) => (&pattern[..at], Some(&pattern[at + 1..])),
        None => (pattern, None),
    }
}

/// An address as `inet_pton` takes it: one with a colon is IPv6.
pub fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    if text.contains(':') {
        text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    } else {
        text.parse::<Ipv4Addr>().ok().map(IpAddr::V4)
    }
}

/// An address as `inet_ntop` writes it.
fn show_address(address: IpAddr) -> String {
    match address {
        // IPv4-compatible addresses end in four decimal parts; Rust writes hexadecimal ones.
        IpAddr::V6(v6) if v6.segments()[..6] == [0; 6] && v6.segments()[6] != 0 => {
            let [.., a, b, c, d] = v6.octets();
            format!("::{}", Ipv4Addr::new(a, b, c, d))
        }
        address => address.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(line: &str) -> String {
        match parse(line.as_bytes(), CidrSyntax::default()) {
            CidrLine::Dropped(reason) => reason,
            other => format!("{other:?}"),
        }
    }

    fn matches(line: &str, address: &str) -> bool {
        match (
            parse(line.as_bytes(), CidrSyntax::default()),
            parse_address(address.as_bytes()),
        ) {
            (CidrLine::Match { pattern, .. } | CidrLine::If(pattern), Some(address)) => {
                pattern.matches(address)
            }
            _ => panic!("{line} {address}"),
        }
    }

    #[test]
    fn forms_of_networks() {
        for pattern in [
            "10.0.0.0/8",
            "[10.0.0.0]/8",
            "[10.0.0.0/8]",
            "!! 10.0.0.0/08",
        ] {
            assert!(matches(&format!("{pattern} ok"), "10.9.8.7"), "{pattern}");
        }
        assert!(matches("IF !10.0.0.0/8", "11.0.0.1"));
        assert!(!matches("!10.0.0.1 ok", "::1"));
        assert!(matches("2001:db8::/32 ok", "2001:DB8::1"));
        assert!(!matches("::ffff:1.2.3.4 ok", "1.2.3.4"));
        assert_eq!(parse(b"ENDIF ", CidrSyntax::default()), CidrLine::EndIf);
    }

    #[test]
    fn the_first_failing_check_is_reported() {
        for (line, expected) in [
            (
                "10.0.0.1/8 x",
                "non-null host address bits in \"10.0.0.1/8\", perhaps you should use \"10.0.0.0/8\" instead",
            ),
            ("10.0.0.0/x y", "bad mask value in \"10.0.0.0/x\""),
            ("10.0.0.0/ y", "bad mask value in \"10.0.0.0/\""),
            ("10.0.0.0/33 y", "bad mask length in \"10.0.0.0/33\""),
            ("10.0.0/8 y", "bad network value in \"10.0.0/8\""),
            ("01.2.3.4 y", "bad address pattern: \"01.2.3.4\""),
            ("[10.0.0.0 y", "missing ']' character after \"[10.0.0.0\""),
            ("[10.0.0.0]x y", "garbage after \"[10.0.0.0]\""),
            ("10.0.0.0/8", "no lookup result"),
            ("!", "no address pattern"),
            ("if", "no address pattern"),
            ("endif x", "garbage after ENDIF"),
            ("if 10.0.0.0/8 x", "bad mask value in \"10.0.0.0/8 x\""),
            ("ifx y", "bad address pattern: \"ifx\""),
        ] {
            assert_eq!(reason(line), expected, "{line}");
        }
    }
}
