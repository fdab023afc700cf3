//! Names and numeric addresses of hosts as Postfix accepts them: `src/util/valid_hostname.c`,
//! `src/global/valid_mailhost_addr.c`, and for names beyond ASCII `src/util/valid_utf8_hostname.c`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why a text is no name of a host or domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostnameFault {
    /// It is empty.
    Empty,
    /// This byte cannot be in a name.
    Byte(u8),
    /// A dot stands at one of its ends, or next to another.
    Delimiter,
    /// A hyphen stands at the end of a label.
    Hyphen,
    /// A label has more than 63 bytes.
    LongLabel,
    /// It has digits and dots only.
    Numeric,
    /// It has more than 255 bytes.
    Long,
}

/// What Postfix says against a name; `None` for one that it accepts.
pub fn hostname_fault(name: &str) -> Option<HostnameFault> {
    if name.is_empty() {
        return Some(HostnameFault::Empty);
    }
    // Byte by byte: the first mistake is the one that Postfix names.
    let mut label = 0;
    let mut previous = None;
    let mut is_numeric = true;
    let bytes = name.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let next = bytes.get(at + 1);
        match byte {
            b'.' => {
                if previous.is_none_or(|byte| byte == b'.') || next.is_none() {
                    return Some(HostnameFault::Delimiter);
                }
                label = 0;
            }
            b'-' => {
                is_numeric = false;
                label += 1;
                if label == 1 || next.is_none_or(|next| *next == b'.') {
                    return Some(HostnameFault::Hyphen);
                }
            }
            b'_' => {
                is_numeric = false;
                label += 1;
            }
            _ if byte.is_ascii_alphanumeric() => {
                is_numeric &= byte.is_ascii_digit();
                label += 1;
                if label > 63 {
                    return Some(HostnameFault::LongLabel);
                }
            }
            _ => return Some(HostnameFault::Byte(byte)),
        }
        previous = Some(byte);
    }
    if is_numeric {
        return Some(HostnameFault::Numeric);
    }
    (name.len() > 255).then_some(HostnameFault::Long)
}

impl HostnameFault {
    /// The warning of Postfix about `name`.
    pub fn warning(self, name: &str) -> String {
        let what = match self {
            Self::Empty => return "valid_hostname: empty hostname".to_owned(),
            Self::Byte(byte) => format!("invalid character {byte}(decimal): {name}"),
            Self::Delimiter => format!("misplaced delimiter: {name}"),
            Self::Hyphen => format!("misplaced hyphen: {name}"),
            Self::LongLabel => format!("hostname label too long: {name}"),
            Self::Numeric => format!("numeric hostname: {name}"),
            Self::Long => {
                let first: String = name.chars().take(100).collect();
                format!("bad length {} for {first}...", name.len())
            }
        };
        format!("valid_hostname: {what}")
    }

    /// The same as a part of a sentence of ours.
    pub fn reason(self) -> String {
        match self {
            Self::Empty => "it is empty".to_owned(),
            Self::Byte(byte) => {
                let shown = if byte.is_ascii_graphic() {
                    char::from(byte).to_string()
                } else if byte == b' ' || byte == b'\t' {
                    "a blank".to_owned()
                } else {
                    format!("the byte {byte}")
                };
                format!("{shown} cannot be in a name")
            }
            Self::Delimiter => "a dot stands at one of its ends, or next to another".to_owned(),
            Self::Hyphen => "a hyphen stands at the end of a label".to_owned(),
            Self::LongLabel => "a label has more than 63 letters".to_owned(),
            Self::Numeric => "it is a number".to_owned(),
            Self::Long => "it has more than 255 letters".to_owned(),
        }
    }
}

/// Whether Postfix accepts a name in ASCII (`valid_hostname`).
pub fn is_valid(name: &str) -> bool {
    hostname_fault(name).is_none()
}

/// As [`is_valid`], for a name that may have other letters than those of ASCII when `utf8` is on.
///
/// What UTS 46 forbids is known here only as far as that letters, digits and marks are fine and other
/// characters are not.
pub fn is_valid_utf8(name: &str, utf8: bool) -> bool {
    if name.is_ascii() || !utf8 {
        return is_valid(name);
    }
    let is_dot = |c: char| matches!(c, '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let mut ascii = String::with_capacity(name.len() + 8);
    for (index, label) in name.split(is_dot).enumerate() {
        if index > 0 {
            ascii.push('.');
        }
        if label.is_ascii() {
            ascii.push_str(label);
            continue;
        }
        let folded: Vec<char> = label.chars().flat_map(char::to_lowercase).collect();
        let is_fine = |&c: &char| match c {
            '-' => true,
            _ if c.is_ascii() => c.is_ascii_alphanumeric(),
            _ => c.is_alphanumeric() || is_mark(c),
        };
        let is_hyphen = |at: usize| folded.get(at) == Some(&'-');
        if !folded.iter().all(is_fine)
            || is_hyphen(0)
            || is_hyphen(folded.len() - 1)
            || (is_hyphen(2) && is_hyphen(3))
            || folded.first().is_some_and(|&c| is_mark(c))
        {
            return false;
        }
        let Some(encoded) = punycode(&folded) else {
            return false;
        };
        ascii.push_str("xn--");
        ascii.push_str(&encoded);
    }
    is_valid(&ascii)
}

/// Combining marks, joiners and the like, which stand inside a word.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{487}' | '\u{591}'..='\u{5c7}'
        | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{900}'..='\u{903}'
        | '\u{93a}'..='\u{94f}' | '\u{e31}'..='\u{e4e}' | '\u{200c}' | '\u{200d}'
        | '\u{b7}' | '\u{30fb}' | '\u{3099}' | '\u{309a}')
}

/// A label as RFC 3492 encodes it; `None` where it gets too long for that.
fn punycode(label: &[char]) -> Option<String> {
    const BASE: u32 = 36;
    let mut out: String = label.iter().filter(|c| c.is_ascii()).collect();
    let basic = u32::try_from(out.len()).ok()?;
    let all = u32::try_from(label.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut n, mut delta, mut bias, mut done) = (128_u32, 0_u32, 72_u32, basic);
    while done < all {
        let next = label.iter().map(|&c| u32::from(c)).filter(|&c| c >= n);
        let next = next.min()?;
        delta = delta.checked_add((next - n).checked_mul(done + 1)?)?;
        n = next;
        for c in label.iter().map(|&c| u32::from(c)) {
            if c < n {
                delta = delta.checked_add(1)?;
            }
            if c != n {
                continue;
            }
            let mut q = delta;
            let mut k = BASE;
            loop {
                let t = k.saturating_sub(bias).clamp(1, 26);
                if q < t {
                    break;
                }
                out.push(digit(t + (q - t) % (BASE - t))?);
                q = (q - t) / (BASE - t);
                k += BASE;
            }
            out.push(digit(q)?);
            // RFC 3492, section 6.1.
            delta = if done == basic {
                delta / 700
            } else {
                delta / 2
            };
            delta += delta / (done + 1);
            let mut k = 0;
            while delta > 455 {
                delta /= BASE - 1;
                k += BASE;
            }
            bias = k + 36 * delta / (delta + 38);
            delta = 0;
            done += 1;
        }
        delta = delta.checked_add(1)?;
        n += 1;
    }
    Some(out)
}

fn digit(value: u32) -> Option<char> {
    char::from_digit(if value < 26 { value + 10 } else { value - 26 }, 36)
}

/// A numeric IPv4 address (`valid_ipv4_hostaddr`): leading zeros are fine, a first octet of 0 only in
/// `0.0.0.0`.
pub fn ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next()?;
        if part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = part.trim_start_matches('0');
        *octet = if significant.is_empty() {
            0
        } else {
            significant.parse().ok()?
        };
    }
    let is_zero = |text: &str| text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if parts.next().is_some() || (octets[0] == 0 && !is_zero(text)) {
        return None;
    }
    Some(octets.into())
}

/// A numeric IPv6 address (`valid_ipv6_hostaddr`).
pub fn ipv6(text: &str) -> Option<Ipv6Addr> {
    text.parse().ok()
}

/// A numeric address of either family, without brackets (`valid_hostaddr`).
pub fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        ipv6(text).map(IpAddr::V6)
    } else {
        ipv4(text).map(IpAddr::V4)
    }
}

/// The address in a mail address literal (`valid_mailhost_literal`): `[192.0.2.1]` or `[IPv6:2001:db8::1]`.
pub fn literal(text: &str) -> Option<IpAddr> {
    let inner = text.strip_prefix('[')?.strip_suffix(']')?;
    if inner.contains(']') {
        return None;
    }
    let tag = inner
        .get(..5)
        .filter(|tag| tag.eq_ignore_ascii_case("IPv6:"));
    match tag {
        Some(tag) => ipv6(&inner[tag.len()..]).map(IpAddr::V6),
        None => ipv4(inner).map(IpAddr::V4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_postfix_judges_them() {
        for good in ["mail.example.com", "mail_1", "a-b.c", "1.2.3.x"] {
            assert_eq!(hostname_fault(good), None, "{good}");
        }
        for bad in [
            "", "a..b", ".a", "a.", "-a.com", "a-.com", "1.2.3.4", "a b", "[a]", "é",
        ] {
            assert!(hostname_fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn names_beyond_ascii() {
        assert!(is_valid_utf8("bücher.test", true));
        assert!(is_valid_utf8("bücher\u{3002}test", true));
        assert!(!is_valid_utf8("bücher.test", false));
        assert!(!is_valid_utf8("bü..test", true));
        assert!(!is_valid_utf8("-ü.test", true));
        assert!(!is_valid_utf8(&format!("{}.test", "ü".repeat(64)), true));
        let encoded = |text: &str| punycode(&text.chars().collect::<Vec<_>>());
        assert_eq!(encoded("bücher").as_deref(), Some("bcher-kva"));
        assert_eq!(encoded("ü").as_deref(), Some("tda"));
    }

    #[test]
    fn addresses() {
        assert!(address("192.0.2.01").is_some());
        assert!(address("0.0.0.0").is_some());
        for bad in ["0.1.2.3", "1.2.3", "1.2.3.256", "1.2.3.4.5", "::1::2", ""] {
            assert_eq!(address(bad), None, "{bad}");
        }
        assert!(literal("[192.0.2.1]").is_some());
        assert!(literal("[ipv6:::1]").is_some());
        for bad in [
            "[::1]",
            "[IPv6:192.0.2.1]",
            "[x]",
            "[ 192.0.2.1 ]",
            "[192.0.2.1].test",
        ] {
            assert_eq!(literal(bad), None, "{bad}");
        }
    }
}
