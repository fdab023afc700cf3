//! The addresses that `inet_interfaces` names (`src/global/own_inet_addr.c`).

use std::net::IpAddr;

use super::parameter::{LIST_SEPARATORS, Scope};
use crate::source::Text;

/// Why no program starts with a word of `inet_interfaces`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InterfaceFault {
    /// `all` or `loopback-only` in another spelling, or beside other words: the name of a host.
    NotAlone,
    /// A file, a network, a negation.
    NoHost,
    /// It cannot be the name of a host.
    NoName,
    /// `inet_protocols` leaves out the family of this address.
    Family(IpAddr),
    /// This host has no interface with this address.
    NotOwn(IpAddr),
}

/// The first word of an expanded `inet_interfaces` with which no program starts, as far as that can be known
/// without asking the DNS; whether an address is one of the host's own is known on that host only.
pub fn interfaces_fault(value: &Text, scope: Scope<'_>) -> Option<(Text, InterfaceFault)> {
    let protocols = scope.parameter("inet_protocols").words();
    if protocols.is_empty() || *value == "all" || *value == "loopback-only" {
        return None;
    }
    let has = |family: &str| {
        protocols
            .iter()
            .any(|word| *word == "all" || *word == family)
    };
    value.words(LIST_SEPARATORS).into_iter().find_map(|word| {
        let fault = word_fault(word.as_str(), &has, scope)?;
        Some((word, fault))
    })
}

fn word_fault(text: &str, has: &dyn Fn(&str) -> bool, scope: Scope<'_>) -> Option<InterfaceFault> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    if text.eq_ignore_ascii_case("all") || text.eq_ignore_ascii_case("loopback-only") {
        return Some(InterfaceFault::NotAlone);
    }
    if text.starts_with('!') || text.contains('/') {
        return Some(InterfaceFault::NoHost);
    }
    if let Ok(address) = bare.parse::<IpAddr>() {
        let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
        let instance = scope.instance;
        let is_own = || {
            let own = &instance.host().interfaces;
            own.iter().any(|(own, _)| *own == address)
        };
        return if !has(family) {
            Some(InterfaceFault::Family(address))
        } else if instance.files().is_host() && !is_own() {
            Some(InterfaceFault::NotOwn(address))
        } else {
            None
        };
    }
    let is_host = |c: char| c.is_ascii_alphanumeric() || "-_.:%".contains(c);
    // RFC 6761: no name below `invalid` has an address.
    let is_name = bare.chars().all(is_host) && !bare.ends_with(".invalid");
    (!is_name).then_some(InterfaceFault::NoName)
}

impl InterfaceFault {
    /// The words with which every program ends.
    pub fn complaint(&self, word: &Text) -> String {
        match self {
            Self::NotOwn(address) => {
                format!("parameter inet_interfaces: no local interface found for {address}")
            }
            _ => format!("config variable inet_interfaces: host not found: {word}"),
        }
    }
}
