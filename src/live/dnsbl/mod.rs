//! Whether an address is on DNS blocklists (RFC 5782).
//!
//! A list answers with an address below 127.0.0.0/8 for what it has, and not at all for what it has not. So
//! has a resolver that is broken, blocked by the list, or invents answers. That an address is not listed is
//! believed only of a list that has, at the same moment, its test address 127.0.0.2 and not 127.0.0.1.

mod facts;
mod query;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

pub use facts::{Use, Zone, known};
pub use query::{Record, Resolver, Trouble};

/// So many zones are asked at the same time.
const THREADS: usize = 8;
/// So much of a text is kept.
const LONGEST_REASON: usize = 500;

/// What a zone says of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// What it says.
    pub says: Says,
    /// The answers.
    pub codes: Vec<Ipv4Addr>,
    /// What the answers mean, where the zone says so.
    pub meaning: Vec<&'static str>,
    /// The zone's own words for a listing; why it is not known, otherwise.
    pub reason: String,
}

/// What a zone says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It is listed.
    Listed,
    /// It is not.
    Clean,
    /// The list does not answer, or not as a list does.
    Unknown,
}

/// What all zones say of an address, in their order; `None` for a zone that does not list its family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The address.
    pub address: IpAddr,
    /// One for each zone.
    pub listings: Vec<Option<Listing>>,
}

/// Asks all zones about all addresses, several at the same time.
pub fn look_up(resolver: &Resolver, zones: &[Zone], addresses: &[IpAddr]) -> Vec<Report> {
    let next = AtomicUsize::new(0);
    let found: Mutex<Vec<(usize, Vec<Option<Listing>>)>> = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS.min(zones.len()) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(zone) = zones.get(index) else { break };
                    let listings = ask_zone(resolver, zone, addresses);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    found.push((index, listings));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    let of = |position: usize, address: &IpAddr| Report {
        address: *address,
        listings: (found.iter())
            .map(|(_, listings)| listings.get(position).cloned().flatten())
            .collect(),
    };
    let numbered = addresses.iter().enumerate();
    numbered
        .map(|(position, address)| of(position, address))
        .collect()
}

/// What one zone says of each address. Where it does not answer for its test addresses, nothing else is asked.
fn ask_zone(resolver: &Resolver, zone: &Zone, addresses: &[IpAddr]) -> Vec<Option<Listing>> {
    let mut faults: [Option<Result<(), Listing>>; 2] = [None, None];
    addresses
        .iter()
        .map(|address| {
            if !zone.has_family(*address) {
                return None;
            }
            let [v4, v6] = &mut faults;
            let fault = if address.is_ipv4() { v4 } else { v6 };
            let test = fault.get_or_insert_with(|| test(resolver, zone, address.is_ipv4()));
            Some(match test {
                Ok(()) => ask(resolver, zone, *address),
                Err(unknown) => unknown.clone(),
            })
        })
        .collect()
}

/// Whether a zone answers as a list does.
fn test(resolver: &Resolver, zone: &Zone, is_v4: bool) -> Result<(), Listing> {
    let [listed, clean] = [2, 1].map(|last| {
        let address = Ipv4Addr::new(127, 0, 0, last);
        match is_v4 {
            true => IpAddr::V4(address),
            false => IpAddr::V6(address.to_ipv6_mapped()),
        }
    });
    let codes = answers(resolver, zone, listed)?;
    if codes.is_empty() {
        return Err(Listing::unknown(format!(
            "its test address {listed} is not listed: the list is closed, or does not answer this resolver"
        )));
    }
    let codes = answers(resolver, zone, clean)?;
    if !codes.iter().all(|code| zone.is_no_listing(*code)) {
        return Err(Listing {
            codes,
            ..Listing::unknown(format!(
                "even {clean} is listed, which no list has: the list is closed, or the resolver \
                 invents answers"
            ))
        });
    }
    Ok(())
}

fn ask(resolver: &Resolver, zone: &Zone, address: IpAddr) -> Listing {
    let codes = match answers(resolver, zone, address) {
        Ok(codes) => codes,
        Err(unknown) => return unknown,
    };
    let meaning = zone.meaning(&codes);
    if codes.iter().all(|code| zone.is_no_listing(*code)) {
        return Listing {
            says: Says::Clean,
            codes,
            meaning,
            reason: String::new(),
        };
    }
    // A list need not say why.
    let reason = match resolver.ask(&name(address, &zone.name), Record::Text) {
        Ok(found) => joined(found.texts),
        Err(_) => String::new(),
    };
    Listing {
        says: Says::Listed,
        codes,
        meaning,
        reason,
    }
}

/// The answers for an address, where they are those of a list.
fn answers(resolver: &Resolver, zone: &Zone, address: IpAddr) -> Result<Vec<Ipv4Addr>, Listing> {
    let found = resolver.ask(&name(address, &zone.name), Record::Address);
    let mut codes = match found {
        Ok(found) => found.addresses,
        Err(trouble) => return Err(Listing::unknown(trouble.to_string())),
    };
    codes.sort_unstable();
    codes.dedup();
    let why = if codes.iter().any(|code| !code.is_loopback()) {
        "the answer is none of a list: the resolver invents answers, or the list is closed"
    } else if codes.iter().any(|code| zone.is_refusal(*code)) {
        "the list does not answer this resolver: it is a public one, asks too much, or is not registered"
    } else {
        return Ok(codes);
    };
    Err(Listing {
        codes,
        ..Listing::unknown(why.to_owned())
    })
}

/// The name to ask for: the octets, or the nibbles, from the last to the first (RFC 5782, 2.1 and 2.4).
fn name(address: IpAddr, zone: &str) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.{zone}")
        }
        IpAddr::V6(address) => nibbles(address) + zone,
    }
}

fn nibbles(address: Ipv6Addr) -> String {
    let octets = address.octets();
    let nibbles = octets
        .iter()
        .rev()
        .flat_map(|octet| [octet & 15, octet >> 4]);
    nibbles.map(|nibble| format!("{nibble:x}.")).collect()
}

fn joined(mut texts: Vec<String>) -> String {
    texts.sort();
    let mut text = texts.join("; ");
    if let Some((end, _)) = text.char_indices().nth(LONGEST_REASON) {
        text.truncate(end);
        text.push('…');
    }
    text
}

impl Listing {
    fn unknown(reason: String) -> Self {
        Self {
            says: Says::Unknown,
            codes: Vec::new(),
            meaning: Vec::new(),
            reason,
        }
    }
}

impl Says {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Clean => "clean",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether an address can be on a list: it is one of the Internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            let is_special = a == 0 || a >= 224 || is_shared;
            !(is_special
                || address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_documentation())
        }
        // 2000::/3 is all that is given out; 2001:db8::/32 is for documentation.
        IpAddr::V6(address) => {
            let [first, second, ..] = address.segments();
            first & 0xe000 == 0x2000 && (first, second) != (0x2001, 0xdb8)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_to_ask_for() {
        let asked = |address: &str| name(address.parse().unwrap(), "bl.test");
        assert_eq!(asked("192.0.2.99"), "99.2.0.192.bl.test");
        assert_eq!(
            asked("2001:db8:1:2:3:4:567:89ab"),
            "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.bl.test"
        );
    }

    #[test]
    fn addresses_of_the_internet() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("2a00:1450::1", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.31.0.1", false),
            ("192.168.1.1", false),
            ("169.254.1.1", false),
            ("100.64.0.1", false),
            ("192.0.2.1", false),
            ("224.0.0.1", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("2001:db8::1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
