//! Which domains are in a list, and which addresses are this host's own (`src/util/match_list.c`,
//! `src/global/own_inet_addr.c`, `src/global/resolve_local.c`).

use std::net::IpAddr;
use std::sync::Arc;

use super::world::{Doubt, Known, World};
use crate::instance::Instance;
use crate::instance::domain_list::{DomainList, Element, ElementKind, Membership, Says};
use crate::instance::host::resolve_offline;
use crate::instance::hostname;
use crate::instance::parameter::Scope;
use crate::instance::table::{ErrorClass, Flags, LookupError};

/// Looks a domain up in a list in a world; the element that has it, `None` where none has.
pub(super) fn listed<'l>(
    instance: &Instance,
    list: &'l DomainList,
    domain: &str,
    world: &mut World,
) -> Result<Option<&'l Element>, LookupError> {
    let found = list.decide(domain, &mut |element, key| match &element.kind {
        ElementKind::Table(table) => {
            let answer = table.lookup(key.as_bytes(), Flags::LIST);
            match world.judge(instance, key, answer) {
                Known::Hit(_) | Known::Something(_) => Says::Yes,
                Known::Nothing => Says::No,
                Known::Fails(_) => Says::Fails,
            }
        }
        ElementKind::UnknownFile => has(world, element, key, "the file cannot be read"),
        // A copy need not be complete.
        ElementKind::MissingFile(_) if !instance.files().has_to_be_here(&element.text) => {
            has(world, element, key, "the file is not here")
        }
        _ => Says::Fails,
    });
    match found {
        Membership::Listed(element) => Ok(Some(element)),
        Membership::NotListed | Membership::Unknown(_) => Ok(None),
        Membership::Fails(element) => {
            let error = LookupError {
                class: ErrorClass::Retry,
                message: format!("{}: {}: table lookup problem", list.name, element.text),
                may_be_elsewhere: false,
            };
            world.explain(element.text.span(), || error.message.clone());
            Err(error)
        }
    }
}

/// Whether a file of a list that cannot be read has a domain.
fn has(world: &mut World, element: &Element, key: &str, why: &str) -> Says {
    let doubt = Doubt {
        what: element.text.to_string(),
        why: why.to_owned(),
        key: key.to_owned(),
        is_keyed: false,
    };
    if world.choose(doubt, 2) == 1 {
        Says::Yes
    } else {
        Says::No
    }
}

/// The addresses of this host, as far as they are known, and those of `proxy_interfaces`.
#[derive(Clone, Debug, Default)]
pub(super) struct OwnAddresses {
    /// The addresses on which mail is received.
    interfaces: Vec<IpAddr>,
    /// Those of the proxies in front of it.
    proxies: Vec<IpAddr>,
    /// Names in `proxy_interfaces`: they may have any address.
    proxy_names: Vec<String>,
    /// `inet_protocols` leaves IPv6.
    has_ipv6: bool,
}

impl OwnAddresses {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let host = scope.instance.host();
        let protocols = scope.any_parameter("inet_protocols").text();
        let interfaces = scope.any_parameter("inet_interfaces").text();
        let mut proxies = Vec::new();
        let mut proxy_names = Vec::new();
        for word in scope.any_parameter("proxy_interfaces").words() {
            let word = word.as_str();
            let bare = word
                .strip_prefix('[')
                .and_then(|word| word.strip_suffix(']'));
            let found = resolve_offline(bare.unwrap_or(word));
            if found.is_empty() {
                proxy_names.push(word.to_owned());
            }
            proxies.extend(found);
        }
        Self {
            interfaces: host.own(&interfaces, &protocols),
            proxies,
            proxy_names,
            has_ipv6: host.has_family(&protocols, IpAddr::from([0; 16])),
        }
    }

    /// Whether mail is received on an address.
    pub(super) fn is_interface(&self, address: IpAddr) -> bool {
        self.interfaces.contains(&self.seen(address))
    }

    /// Whether an address is this host's, or that of a proxy in front of it, as far as it is known.
    pub(super) fn is_own(&self, address: IpAddr) -> bool {
        self.is_interface(address) || self.proxies.contains(&self.seen(address))
    }

    /// As [`OwnAddresses::is_own`], where names of proxies have any address in some world.
    pub(super) fn is_own_in(&self, address: IpAddr, world: &mut World) -> bool {
        self.is_own(address)
            || self.proxy_names.iter().any(|name| {
                let doubt = Doubt {
                    what: format!("proxy_interfaces: {name}"),
                    why: "its address is in the DNS".to_owned(),
                    key: address.to_string(),
                    is_keyed: false,
                };
                world.choose(doubt, 2) == 1
            })
    }

    /// An address as the system gives it: without IPv6, the IPv4 address inside.
    fn seen(&self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V6(v6) if !self.has_ipv6 => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
            address => address,
        }
    }
}

/// The address in `[192.0.2.1]` or `[IPv6:2001:db8::1]`; `None` for anything else.
pub(super) fn domain_literal(domain: &str) -> Option<IpAddr> {
    hostname::literal(domain)
}

/// Why a domain is local.
pub(super) enum Own<'l> {
    /// `mydestination` has it.
    Listed(&'l Element),
    /// It is an address of this host, or of a proxy before it.
    Literal,
}

/// What is local for a program.
#[derive(Clone, Debug)]
pub(super) struct Locality {
    destinations: Arc<DomainList>,
    addresses: OwnAddresses,
}

impl Locality {
    /// What is local for a program with this view.
    pub(super) fn of(scope: Scope<'_>) -> Self {
        Self {
            destinations: scope.domain_list("mydestination"),
            addresses: OwnAddresses::of(scope),
        }
    }

    /// Why a domain is local (`resolve_local`); `None` for one that is not.
    pub(super) fn own(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<Option<Own<'_>>, LookupError> {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        if domain.is_empty() || domain.ends_with('.') {
            return Ok(None);
        }
        if let Some(element) = listed(instance, &self.destinations, domain, world)? {
            return Ok(Some(Own::Listed(element)));
        }
        let address = domain_literal(domain);
        let is_own = address.is_some_and(|address| self.addresses.is_own_in(address, world));
        Ok(is_own.then_some(Own::Literal))
    }
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
