//! What is known of lists: `zones.tsv`.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

static ZONES: &str = include_str!("zones.tsv");

/// A list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Its domain.
    pub name: String,
    /// It lists IPv4 addresses.
    pub v4: bool,
    /// It lists IPv6 addresses.
    pub v6: bool,
    /// What it is meant for.
    pub use_for: Use,
    /// Where to ask for removal.
    pub delisting: Option<&'static str>,
    refusals: Vec<Ipv4Addr>,
    codes: Vec<Code>,
}

/// What a list is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// All mail.
    AllMail,
    /// Mail with the null sender, and sender verification calls.
    Bounces,
}

/// Answers 127.0.0.x with a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Code {
    last: RangeInclusive<u8>,
    meaning: &'static str,
    is_listing: bool,
}

/// The lists that are known, in the order in which they are shown.
pub fn known() -> Vec<Zone> {
    let lines = ZONES.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(Zone::parse).collect()
}

impl Zone {
    /// A list by its domain, with what is known of it.
    pub fn named(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        let known = known().into_iter().find(|zone| zone.name == name);
        known.unwrap_or(Self {
            name,
            v4: true,
            v6: true,
            use_for: Use::AllMail,
            delisting: None,
            refusals: Vec::new(),
            codes: Vec::new(),
        })
    }

    fn parse(line: &'static str) -> Option<Self> {
        let mut fields = line.split('\t');
        let (name, families) = (fields.next()?, fields.next()?);
        let use_for = match fields.next()? {
            "all" => Use::AllMail,
            "bounces" => Use::Bounces,
            _ => return None,
        };
        let refusals = match fields.next()? {
            "-" => Vec::new(),
            list => list
                .split(',')
                .map(|code| code.parse().ok())
                .collect::<Option<_>>()?,
        };
        let delisting = fields.next()?;
        let codes = fields
            .next()?
            .split(';')
            .map(Code::parse)
            .collect::<Option<_>>()?;
        Some(Self {
            name: name.to_owned(),
            v4: families.contains('4'),
            v6: families.contains('6'),
            use_for,
            delisting: Some(delisting),
            refusals,
            codes,
        })
    }

    /// Whether it lists addresses of this family.
    pub fn has_family(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.v4,
            IpAddr::V6(_) => self.v6,
        }
    }

    /// What answers mean, each meaning once.
    pub(super) fn meaning(&self, codes: &[Ipv4Addr]) -> Vec<&'static str> {
        let mut found: Vec<&'static str> = Vec::new();
        for meaning in codes
            .iter()
            .filter_map(|code| Some(self.code(*code)?.meaning))
        {
            if !found.contains(&meaning) {
                found.push(meaning);
            }
        }
        found
    }

    /// Whether an answer says that the list does not answer.
    pub(super) fn is_refusal(&self, code: Ipv4Addr) -> bool {
        let is_usual = code == Ipv4Addr::LOCALHOST || code.octets().starts_with(&[127, 255, 255]);
        self.refusals.contains(&code) || (is_usual && self.code(code).is_none())
    }

    /// Whether an answer says something else than that the address is listed.
    pub(super) fn is_no_listing(&self, code: Ipv4Addr) -> bool {
        self.code(code).is_some_and(|known| !known.is_listing)
    }

    fn code(&self, code: Ipv4Addr) -> Option<&Code> {
        let [127, 0, 0, last] = code.octets() else {
            return None;
        };
        self.codes.iter().find(|known| known.last.contains(&last))
    }
}

impl Code {
    fn parse(text: &'static str) -> Option<Self> {
        let (number, meaning) = text.split_once('=')?;
        let bare = number.strip_prefix('!');
        let range = bare.unwrap_or(number);
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        Some(Self {
            last: first.parse().ok()?..=last.parse().ok()?,
            meaning,
            is_listing: bare.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::closed_dnsbl;

    #[test]
    fn every_line_can_be_read_and_no_list_is_closed() {
        let lines = ZONES.lines().filter(|line| !line.starts_with('#'));
        let zones = known();
        assert_eq!(zones.len(), lines.count());
        assert_eq!(zones[0].name, "ips.backscatterer.org");
        assert_eq!(zones[0].use_for, Use::Bounces);
        for zone in &zones {
            assert_eq!(closed_dnsbl(&zone.name), None, "{}", zone.name);
            assert!(
                zone.delisting
                    .is_some_and(|page| page.starts_with("https://"))
            );
            assert!(zone.v4 && Zone::named(&zone.name) == *zone);
        }
    }

    #[test]
    fn answers_that_are_no_listings() {
        let code = |last| Ipv4Addr::new(127, 0, 0, last);
        let zen = Zone::named("ZEN.spamhaus.org.");
        assert!(zen.is_refusal(Ipv4Addr::new(127, 255, 255, 254)) && zen.is_refusal(code(1)));
        assert!(!zen.is_refusal(code(4)) && !zen.is_no_listing(code(4)));
        assert_eq!(
            zen.meaning(&[code(4), code(7)]),
            ["XBL: a hijacked machine"]
        );
        let karma = Zone::named("hostkarma.junkemailfilter.com");
        assert!(karma.is_no_listing(code(1)) && !karma.is_refusal(code(1)));
        assert!(!karma.is_no_listing(code(2)));
        assert!(Zone::named("bl.test").is_refusal(code(1)));
    }
}
