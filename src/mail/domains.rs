//! Which domains are in a list, and which addresses are this host's own (`src/util/match_list.c`,
//! `src/global/own_inet_addr.c`, `src/global/resolve_local.c`).

use std::net::{IpAddr, Ipv6Addr};

use super::world::{Doubt, World};
use crate::instance::Instance;
use crate::instance::domain_list::{DomainList, Element, ElementKind, Membership};
use crate::instance::parameter::Scope;
use crate::instance::table::{ErrorClass, LookupError};

/// What a list says of a domain in a world.
pub(super) enum InList {
    Yes,
    No,
    /// The search fails: mail is put off.
    Fails(LookupError),
}

/// Whether a list has a domain.
pub(super) fn is_in_list(
    instance: &Instance,
    list: &DomainList,
    domain: &str,
    world: &mut World,
) -> InList {
    let mut doubt = |element: &Element, why: &str| {
        let doubt = Doubt {
            what: element.text.to_string(),
            why: why.to_owned(),
            key: domain.to_owned(),
            is_keyed: false,
        };
        if world.choose(doubt, 2) == 1 {
            InList::Yes
        } else {
            InList::No
        }
    };
    match list.find(domain) {
        Membership::Listed(_) => InList::Yes,
        Membership::NotListed => InList::No,
        Membership::Unknown(element) => {
            let why = match &element.kind {
                ElementKind::Table(table) => table.unknown().map(ToString::to_string),
                _ => None,
            };
            doubt(element, why.as_deref().unwrap_or("it cannot be looked at"))
        }
        // A copy need not be complete.
        Membership::Fails(element) if !instance.files().is_host() && is_missing(element) => {
            doubt(element, "the file is not here")
        }
        Membership::Fails(element) => InList::Fails(LookupError {
            class: ErrorClass::Retry,
            message: format!("{}: {}: table lookup problem", list.name, element.text),
        }),
    }
}

/// Whether an element of a list fails because its file is not there.
fn is_missing(element: &Element) -> bool {
    match &element.kind {
        ElementKind::MissingFile(_) => true,
        ElementKind::Table(table) => table
            .unusable()
            .is_some_and(|why| why.ends_with("No such file or directory")),
        _ => false,
    }
}

/// The addresses of this host, as far as they are known, and those of `proxy_interfaces`.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnAddresses {
    /// The addresses on which mail is received.
    interfaces: Vec<IpAddr>,
    /// Those of the proxies in front of it.
    proxies: Vec<IpAddr>,
}

impl OwnAddresses {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let protocols = scope.any_parameter("inet_protocols").text().to_lowercase();
        let has = |family: &str| protocols.contains(family) || protocols.contains("all");
        let is_used = |address: &IpAddr| {
            if address.is_ipv4() {
                has("ipv4")
            } else {
                has("ipv6")
            }
        };
        let written = |name| -> Vec<IpAddr> {
            let words = scope.any_parameter(name).words();
            words
                .iter()
                .filter_map(|word| literal(word.as_str()))
                .collect()
        };
        let loopback = [
            IpAddr::from([127, 0, 0, 1]),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        let host = scope.instance.host().interfaces.iter().map(|(own, _)| *own);
        let interfaces = scope.any_parameter("inet_interfaces");
        let mut own: Vec<IpAddr> = match interfaces.text().to_lowercase().trim() {
            "all" => loopback.into_iter().chain(host).collect(),
            "loopback-only" => {
                let host = host.filter(IpAddr::is_loopback);
                loopback.into_iter().chain(host).collect()
            }
            _ => {
                let mut own = written("inet_interfaces");
                for word in interfaces.words() {
                    if word.as_str().eq_ignore_ascii_case("localhost") {
                        own.extend(loopback);
                    }
                }
                own
            }
        };
        own.retain(is_used);
        Self {
            interfaces: own,
            proxies: written("proxy_interfaces"),
        }
    }

    /// Whether mail is received on an address.
    pub(super) fn is_interface(&self, address: IpAddr) -> bool {
        self.interfaces.contains(&address)
    }

    /// Whether an address is this host's, or that of a proxy in front of it.
    pub(super) fn is_own(&self, address: IpAddr) -> bool {
        self.is_interface(address) || self.proxies.contains(&address)
    }
}

/// An address as lists write it: with or without brackets.
fn literal(word: &str) -> Option<IpAddr> {
    word.trim_matches(['[', ']']).parse().ok()
}

/// The address in `[192.0.2.1]` or `[IPv6:2001:db8::1]`; `None` for anything else.
pub(super) fn domain_literal(domain: &str) -> Option<IpAddr> {
    let text = domain.strip_prefix('[')?.strip_suffix(']')?;
    if let Some(prefix) = text.get(..5)
        && prefix.eq_ignore_ascii_case("ipv6:")
    {
        return text[5..].parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    text.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4)
}

/// Whether a domain is a literal with an address of this host.
pub(super) fn is_own_literal_of(own: &OwnAddresses, domain: &str) -> bool {
    domain.starts_with('[') && domain_literal(domain).is_some_and(|address| own.is_own(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals() {
        assert!(domain_literal("[192.0.2.1]").is_some());
        assert!(domain_literal("[ipv6:2001:db8::1]").is_some());
        for text in [
            "[::1]",
            "[IPv6:192.0.2.1]",
            "[1.2.3]",
            "[ 1.2.3.4 ]",
            "192.0.2.1",
            "[x]",
            "[é6:::1]",
        ] {
            assert!(domain_literal(text).is_none(), "{text}");
        }
    }
}
