//! The class of a domain, and the transport of an address: Postfix's `src/trivial-rewrite/resolve.c`.

use std::net::IpAddr;

use super::address::Address;
use super::search::{self, Found};
use super::world::{Doubt, Known, World};
use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::domain_list::{Element, ElementKind, Membership};
use crate::instance::parameter::Scope;
use crate::instance::table::{Maps, Only};

/// Where an address goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The class of its domain.
    pub class: Class,
    /// The transport.
    pub transport: String,
    /// The next hop; for `error` and `retry` the text.
    pub nexthop: String,
}

/// The text of an `error:` without one.
const UNDELIVERABLE: &str = "Address is undeliverable";

/// Whether a domain is local in the view of a program (`src/global/resolve_local.c`).
pub(super) fn is_local(scope: Scope<'_>, domain: &str) -> bool {
    is_own_literal(scope, domain)
        || scope.domain_list("mydestination").find(domain).is_listed() == Some(true)
}

/// Whether a domain is `[address]` with an address of this host, as far as it is known.
fn is_own_literal(scope: Scope<'_>, domain: &str) -> bool {
    let Some(text) = domain
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
    else {
        return false;
    };
    let text = text.strip_prefix("ipv6:").unwrap_or(text);
    let Ok(address) = text.parse::<IpAddr>() else {
        return false;
    };
    let is_word = |word: &str| word.trim_matches(['[', ']']) == text;
    let interfaces = scope.any_parameter("inet_interfaces").text().to_lowercase();
    let is_interface = match interfaces.trim() {
        "all" => {
            address.is_loopback()
                || scope
                    .instance
                    .host()
                    .interfaces
                    .iter()
                    .any(|(own, _)| *own == address)
        }
        "loopback-only" | "localhost" => address.is_loopback(),
        list => list.split([',', ' ', '\t']).any(is_word),
    };
    is_interface
        || scope
            .any_parameter("proxy_interfaces")
            .words()
            .iter()
            .any(|word| is_word(word.as_str()))
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

impl Instance {
    /// The class of a domain; `None` where a list fails, so that mail is put off. A list that cannot be
    /// looked at is taken not to have the domain.
    pub fn class_of(&self, domain: &str) -> Option<Class> {
        self.class_in_doubt(domain, &mut World::default())
    }

    /// As [`Instance::class_of`], with the lists that are missing from a copy.
    pub(super) fn class_in_doubt(&self, domain: &str, world: &mut World) -> Option<Class> {
        let scope = self.program("trivial-rewrite");
        for facts in &CLASSES {
            let Some(name) = facts.domains else { continue };
            if facts.class == Class::Local && is_own_literal(scope, domain) {
                return Some(Class::Local);
            }
            match scope.domain_list(name).find(domain) {
                Membership::Listed(_) => return Some(facts.class),
                Membership::Fails(element) if self.files().is_host() || !is_missing(element) => {
                    return None;
                }
                Membership::Fails(element) => world.add(Doubt {
                    what: element.text.to_string(),
                    why: "the file is not here".to_owned(),
                    key: domain.to_owned(),
                    is_keyed: false,
                }),
                Membership::NotListed | Membership::Unknown(_) => {}
            }
        }
        Some(Class::Default)
    }

    /// Where an address goes; `None` where a table fails, so that mail is put off.
    pub fn route(&self, address: &Address, world: &mut World) -> Option<Route> {
        let scope = self.program("trivial-rewrite");
        let class = self.class_in_doubt(&address.domain, world)?;
        let mut route = self.class_route(scope, class, address);
        if class != Class::VirtualAlias {
            let maps = scope.maps("transport_maps", "trivial-rewrite");
            if let Some(result) = transport(self, &maps, address, world)? {
                route = redirected(route, &result, address);
            }
        }
        let relocated = scope.maps("relocated_maps", "trivial-rewrite");
        match search::find(scope, &relocated, address, world) {
            Found::Nothing => Some(route),
            Found::Fails => None,
            Found::Hit(hit, _) => Some(Route {
                class,
                transport: "error".to_owned(),
                nexthop: format!("User has moved to {}", hit.value),
            }),
        }
    }

    fn class_route(&self, scope: Scope<'_>, class: Class, address: &Address) -> Route {
        let Some(parameter) = class.facts().transport else {
            return Route {
                class,
                transport: "error".to_owned(),
                nexthop: "User unknown in virtual alias table".to_owned(),
            };
        };
        let value = scope.any_parameter(parameter).text();
        let (transport, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        let relayhost = || match class {
            Class::Relay | Class::Default => scope.any_parameter("relayhost").text(),
            _ => String::new(),
        };
        let nexthop = [nexthop.to_owned(), relayhost(), address.domain.clone()]
            .into_iter()
            .find(|nexthop| !nexthop.is_empty());
        Route {
            class,
            transport: transport.to_owned(),
            nexthop: nexthop.unwrap_or_default(),
        }
    }
}

/// The entry of `transport_maps` for an address (`src/trivial-rewrite/transport.c`); `None` when a lookup
/// fails.
#[expect(
    clippy::option_option,
    reason = "no answer and the answer that there is no entry"
)]
fn transport(
    instance: &Instance,
    maps: &Maps,
    address: &Address,
    world: &mut World,
) -> Option<Option<String>> {
    let scope = instance.program("trivial-rewrite");
    let mut keys = vec![(address.to_string(), Only::All)];
    if let Some((user, _)) = address.split_extension(scope) {
        keys.push((format!("{user}@{}", address.domain), Only::Fixed));
    }
    let parents = scope
        .any_parameter("parent_domain_matches_subdomains")
        .words();
    let dots = !parents.iter().any(|word| *word == "transport_maps");
    keys.push((address.domain.clone(), Only::Fixed));
    let mut rest = address.domain.as_str();
    while let Some((_, parent)) = rest.split_once('.') {
        keys.push((
            format!("{}{parent}", if dots { "." } else { "" }),
            Only::Fixed,
        ));
        rest = parent;
    }
    keys.push(("*".to_owned(), Only::All));
    for (key, only) in keys {
        match world.judge(instance, &key, maps.find(key.as_bytes(), only)) {
            Known::Hit(hit) => return Some(Some(hit.value.to_string())),
            Known::Nothing | Known::Something(_) => {}
            Known::Fails(_) => return None,
        }
    }
    Some(None)
}

/// A route after an entry of `transport_maps`.
fn redirected(mut route: Route, result: &str, address: &Address) -> Route {
    let (transport, nexthop) = result.split_once(':').unwrap_or((result, ""));
    if transport.is_empty() {
        if !nexthop.is_empty() {
            nexthop.clone_into(&mut route.nexthop);
        }
        return route;
    }
    route.nexthop = match (transport, nexthop) {
        ("error" | "retry", "") => UNDELIVERABLE.to_owned(),
        (_, "") => address.domain.clone(),
        (_, nexthop) => nexthop.to_owned(),
    };
    transport.clone_into(&mut route.transport);
    route
}
