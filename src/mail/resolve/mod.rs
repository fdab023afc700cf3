//! The class of a domain, and the transport of an address (`src/trivial-rewrite/resolve.c`,
//! `src/trivial-rewrite/transport.c`).

use std::sync::Arc;

use super::address::Address;
use super::domains::{InList, OwnAddresses, domain_literal, is_in_list, is_own_literal_of};
use super::quoting::{self, Part, external, halves, parts};
use super::rewrite::RewriteSettings;
use super::search::{Forms, Found, Searcher, one};
use super::world::World;
use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::builtin::Version;
use crate::instance::domain_list::DomainList;
use crate::instance::hostname;
use crate::instance::parameter::Scope;
use crate::instance::table::{ErrorClass, LookupError, Maps, Only};

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

/// How an answer of trivial-rewrite(8) is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// As it says.
    Fine,
    /// The address cannot be one (`RESOLVE_FLAG_ERROR`).
    Syntax,
    /// A table cannot be read (`RESOLVE_FLAG_FAIL`).
    Fails(LookupError),
    /// The transport is empty, which makes whoever asks wait for ever.
    Hangs(String),
    /// A table that cannot be looked at gives the transport.
    Unknown(String),
}

/// The answer of trivial-rewrite(8) to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Resolution {
    /// The address in internal form, as it is passed on.
    pub(super) recipient: String,
    pub(super) class: Class,
    pub(super) transport: String,
    pub(super) nexthop: String,
    /// The local part has operators that some other host may take for a route.
    pub(super) is_routed: bool,
    pub(super) state: State,
}

/// The settings of trivial-rewrite(8).
#[derive(Debug)]
pub(super) struct Rewriting {
    pub(super) settings: RewriteSettings,
    searcher: Searcher,
    /// The lists of the classes, in their order.
    lists: Vec<(Class, Arc<DomainList>)>,
    own: OwnAddresses,
    myhostname: String,
    resolve_null_domain: bool,
    resolve_dequoted: bool,
    resolve_numeric: bool,
    allow_min_user: bool,
    empty_recipient: String,
    smtputf8: bool,
    /// `transport:nexthop` of the classes, in the order of [`CLASSES`].
    transports: Vec<String>,
    relayhost: String,
    transport_maps: Maps,
    transport_parents_have_dots: bool,
    relocated_maps: Maps,
    relocated_prefix: bool,
    sender_relayhost: Maps,
    sender_transport: Maps,
    null_sender_relayhost: String,
    null_sender_transport: String,
    show_table_name: bool,
    version: Version,
}

/// The text of an `error:` without one.
const UNDELIVERABLE: &str = "Address is undeliverable";

impl Rewriting {
    /// The settings of an instance, compiled once.
    pub(super) fn of(instance: &Instance) -> Arc<Self> {
        instance.remember(|instance| Self::compile(instance.program("trivial-rewrite")))
    }

    fn compile(scope: Scope<'_>) -> Self {
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let text = |name| scope.any_parameter(name).text();
        let maps = |name| scope.maps(name, "trivial-rewrite");
        let version = scope.instance.version();
        Self {
            settings: RewriteSettings::of(scope),
            searcher: Searcher::of(scope),
            lists: CLASSES
                .iter()
                .filter_map(|facts| Some((facts.class, scope.domain_list(facts.domains?))))
                .collect(),
            own: OwnAddresses::of(scope),
            myhostname: text("myhostname"),
            resolve_null_domain: flag("resolve_null_domain"),
            resolve_dequoted: flag("resolve_dequoted_address"),
            resolve_numeric: flag("resolve_numeric_domain"),
            allow_min_user: flag("allow_min_user"),
            empty_recipient: text("empty_address_recipient"),
            smtputf8: version >= Version::release(3, 0, 0) && flag("smtputf8_enable"),
            transports: CLASSES
                .iter()
                .map(|facts| facts.transport.map(text).unwrap_or_default())
                .collect(),
            relayhost: text("relayhost"),
            transport_maps: maps("transport_maps"),
            transport_parents_have_dots: !scope
                .any_parameter("parent_domain_matches_subdomains")
                .words()
                .iter()
                .any(|word| word.as_str().eq_ignore_ascii_case("transport_maps")),
            relocated_maps: maps("relocated_maps"),
            relocated_prefix: version < Version::release(3, 11, 0)
                || scope.any_parameter("relocated_prefix_enable").flag() != Some(false),
            sender_relayhost: maps("sender_dependent_relayhost_maps"),
            sender_transport: maps("sender_dependent_default_transport_maps"),
            null_sender_relayhost: text("empty_address_relayhost_maps_lookup_key"),
            null_sender_transport: text("empty_address_default_transport_maps_lookup_key"),
            show_table_name: scope.any_parameter("show_user_unknown_table_name").flag()
                != Some(false),
            version,
        }
    }

    /// Whether a domain is local (`resolve_local`).
    fn is_local(&self, instance: &Instance, domain: &str, world: &mut World) -> InList {
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        if domain.is_empty() || domain.ends_with('.') {
            return InList::No;
        }
        let Some((_, list)) = self.lists.first() else {
            return InList::No;
        };
        match is_in_list(instance, list, domain, world) {
            InList::No if is_own_literal_of(&self.own, domain) => InList::Yes,
            answer => answer,
        }
    }

    /// The class of a domain.
    pub(super) fn class(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<Class, LookupError> {
        match self.is_local(instance, domain, world) {
            InList::Yes => return Ok(Class::Local),
            InList::Fails(error) => return Err(error),
            InList::No => {}
        }
        for (class, list) in self.lists.iter().skip(1) {
            match is_in_list(instance, list, domain, world) {
                InList::Yes => return Ok(*class),
                InList::Fails(error) => return Err(error),
                InList::No => {}
            }
        }
        Ok(Class::Default)
    }

    /// Where an address, canonical and in internal form, goes for a sender (`resolve_addr`).
    pub(super) fn resolve(
        &self,
        instance: &Instance,
        sender: &str,
        address: &str,
        world: &mut World,
    ) -> Resolution {
        let mut resolution = Resolution {
            recipient: address.to_owned(),
            class: Class::Default,
            transport: String::new(),
            nexthop: String::new(),
            is_routed: false,
            state: State::Fine,
        };
        if !quoting::is_plain(address) {
            match self.strip(instance, address, world) {
                Ok(recipient) => resolution.recipient = recipient,
                Err(error) => {
                    resolution.state = State::Fails(error);
                    return resolution;
                }
            }
        }
        self.complete(instance, sender, &mut resolution, world);
        // `src/trivial-rewrite/resolve.c`: last of all.
        if resolution.recipient.starts_with('-') && !self.allow_min_user {
            resolution.state = State::Syntax;
        }
        resolution
    }

    /// Takes local domains off an address, and follows the routes that come to light.
    fn strip(
        &self,
        instance: &Instance,
        address: &str,
        world: &mut World,
    ) -> Result<String, LookupError> {
        let mut rest = parts(&external(address));
        let mut domain: Option<Vec<Part>> = None;
        for _ in 0..address.len() + 100 {
            if let [.., before, last] = rest.as_slice()
                && last.is(b'.')
                && !before.is(b'.')
                && !before.is(b'@')
            {
                rest.pop();
            }
            if self.resolve_null_domain && rest.last().is_some_and(|part| part.is(b'@')) {
                rest.pop();
            }
            if let Some(at) = rest.iter().rposition(|part| part.is(b'@')) {
                let name = quoting::internal_of(&rest[at + 1..]);
                if !name.is_empty() {
                    match self.is_local(instance, &name, world) {
                        InList::Yes => {}
                        InList::No => return Ok(quoting::internal_of(&rest)),
                        InList::Fails(error) => return Err(error),
                    }
                }
                domain = Some(rest.split_off(at + 1));
                rest.pop();
            }
            let is_route = rest.iter().any(|part| {
                part.is(b'@')
                    || (self.settings.swap_bangpath && part.is(b'!'))
                    || (self.settings.percent_hack && part.is(b'%'))
            });
            if is_route {
                self.settings.rewrite(&mut rest);
                continue;
            }
            if self.resolve_dequoted
                && let [Part::Quoted(text)] = rest.as_slice()
                && let Some(at) = self.last_route(text)
            {
                let mut text = text.clone();
                if text.as_bytes()[at] == b'%' {
                    text.replace_range(at..=at, "@");
                }
                rest = parts(&text);
                self.settings.rewrite(&mut rest);
                continue;
            }
            let is_empty = match rest.as_slice() {
                [] => true,
                [Part::Quoted(text)] => text.is_empty(),
                _ => false,
            };
            if is_empty && !self.empty_recipient.is_empty() {
                rest = parts(&self.empty_recipient);
                continue;
            }
            let Some(domain) = domain else {
                rest.push(Part::Operator(b'@'));
                rest.extend(parts(&self.myhostname));
                continue;
            };
            rest.push(Part::Operator(b'@'));
            rest.extend(domain);
            return Ok(quoting::internal_of(&rest));
        }
        Err(LookupError {
            class: ErrorClass::Retry,
            message: format!("resolve_addr: <{address}>: giving up"),
        })
    }

    /// The last operator of a route in a quoted local part.
    fn last_route(&self, text: &str) -> Option<usize> {
        text.bytes().rposition(|byte| {
            byte == b'@'
                || (self.settings.swap_bangpath && byte == b'!')
                || (self.settings.percent_hack && byte == b'%')
        })
    }

    /// Class, transport and next hop.
    fn complete(
        &self,
        instance: &Instance,
        sender: &str,
        resolution: &mut Resolution,
        world: &mut World,
    ) {
        let (local, domain) = halves(&resolution.recipient);
        resolution.is_routed = local.contains(['@', '%', '!']);
        let Some(mut domain) = domain.map(str::to_owned) else {
            resolution.state = State::Syntax;
            return;
        };
        match self.validate(&domain) {
            Domain::Fine => {}
            Domain::Numeric(literal) => {
                resolution.recipient = format!("{local}@{literal}");
                domain = literal;
            }
            Domain::Bad => {
                resolution.state = State::Syntax;
                return;
            }
        }
        match self.class(instance, &domain, world) {
            Ok(class) => resolution.class = class,
            Err(error) => {
                resolution.state = State::Fails(error);
                return;
            }
        }
        if let Err(state) = self.transport(instance, sender, &domain, resolution, world) {
            resolution.state = state;
            return;
        }
        if resolution.class != Class::VirtualAlias {
            match self.mapped_transport(instance, &resolution.recipient, &domain, world) {
                Found::Nothing => {}
                Found::Hit(hit, _) => self.redirect(hit.value.as_str(), &domain, resolution),
                Found::Something(table) => resolution.state = State::Unknown(table),
                Found::Fails(error) => resolution.state = State::Fails(error),
            }
        }
        if resolution.state == State::Fine {
            self.relocate(instance, resolution, world);
        }
        if resolution.state == State::Fine && resolution.transport.is_empty() {
            let text = format!(
                "resolve_clnt: null transport result for: <{}>",
                resolution.recipient
            );
            resolution.state = State::Hangs(text);
        }
    }

    fn validate(&self, domain: &str) -> Domain {
        if domain.starts_with('[') {
            return if domain_literal(domain).is_some() {
                Domain::Fine
            } else {
                Domain::Bad
            };
        }
        if !domain.is_ascii() {
            // Internationalized names are judged by their ASCII form.
            let is_fine = self.smtputf8
                && domain
                    .split('.')
                    .all(|label| !label.is_empty() && label.len() < 64 && !label.starts_with('-'));
            return if is_fine { Domain::Fine } else { Domain::Bad };
        }
        if hostname::complaint(domain).is_none() {
            return Domain::Fine;
        }
        if self.resolve_numeric && domain.parse::<std::net::IpAddr>().is_ok() {
            return Domain::Numeric(format!("[{domain}]"));
        }
        Domain::Bad
    }

    /// Transport and next hop by the class.
    fn transport(
        &self,
        instance: &Instance,
        sender: &str,
        domain: &str,
        resolution: &mut Resolution,
        world: &mut World,
    ) -> Result<(), State> {
        if resolution.class == Class::VirtualAlias {
            let table = if self.show_table_name {
                " in virtual alias table"
            } else {
                ""
            };
            "error".clone_into(&mut resolution.transport);
            resolution.nexthop = format!("5.1.1 User unknown{table}");
            return Ok(());
        }
        let mut value = self.transports[resolution.class as usize].clone();
        if resolution.class == Class::Default
            && let Some(own) = self.by_sender(
                instance,
                &self.sender_transport,
                &self.null_sender_transport,
                sender,
                world,
            )?
        {
            value = own;
        }
        let (transport, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        transport.clone_into(&mut resolution.transport);
        if !nexthop.is_empty() {
            nexthop.clone_into(&mut resolution.nexthop);
            return Ok(());
        }
        if matches!(resolution.class, Class::Relay | Class::Default) {
            let own = self.by_sender(
                instance,
                &self.sender_relayhost,
                &self.null_sender_relayhost,
                sender,
                world,
            )?;
            resolution.nexthop = own.unwrap_or_else(|| self.relayhost.clone());
        }
        if resolution.nexthop.is_empty() {
            domain.clone_into(&mut resolution.nexthop);
        }
        Ok(())
    }

    /// What a sender-dependent table says; `None` when it says nothing.
    fn by_sender(
        &self,
        instance: &Instance,
        maps: &Maps,
        null_key: &str,
        sender: &str,
        world: &mut World,
    ) -> Result<Option<String>, State> {
        if maps.is_empty() {
            return Ok(None);
        }
        let key = if sender.is_empty() { null_key } else { sender };
        match self.searcher.find(instance, maps, key, Forms::Both, world) {
            Found::Hit(hit, _) if hit.value.as_str().eq_ignore_ascii_case("dunno") => Ok(None),
            Found::Hit(hit, _) => Ok(Some(hit.value.to_string())),
            Found::Nothing => Ok(None),
            Found::Something(table) => Err(State::Unknown(table)),
            Found::Fails(error) => Err(State::Fails(error)),
        }
    }

    /// The entry of `transport_maps` for an address (`transport_lookup`).
    fn mapped_transport(
        &self,
        instance: &Instance,
        address: &str,
        domain: &str,
        world: &mut World,
    ) -> Found {
        let maps = &self.transport_maps;
        if maps.is_empty() {
            return Found::Nothing;
        }
        let searcher = &self.searcher;
        let (local, _) = halves(address);
        if let Some(found) =
            searcher.ask(instance, maps, address, "", Only::All, Forms::Both, world)
        {
            return found;
        }
        if let Some((user, rest)) = searcher.extensions.split(local) {
            let key = format!("{user}@{domain}");
            let found = searcher.ask(instance, maps, &key, rest, Only::Fixed, Forms::Both, world);
            if let Some(found) = found {
                return found;
            }
        }
        let mut key = domain;
        loop {
            if let Some(found) = one(instance, maps, key, "", Only::Fixed, world) {
                return found;
            }
            // The dot in front stays, where parents have it.
            let skip = usize::from(self.transport_parents_have_dots);
            let Some(dot) = key
                .get(skip..)
                .and_then(|rest| rest.find('.'))
                .map(|at| at + skip)
            else {
                break;
            };
            key = &key[dot + 1 - skip..];
            if key.is_empty() || key == "." {
                break;
            }
        }
        one(instance, maps, "*", "", Only::All, world).unwrap_or(Found::Nothing)
    }

    /// Takes the result of `transport_maps`.
    fn redirect(&self, result: &str, domain: &str, resolution: &mut Resolution) {
        let (transport, nexthop) = result.split_once(':').unwrap_or((result, ""));
        if transport.is_empty() {
            if !nexthop.is_empty() {
                nexthop.clone_into(&mut resolution.nexthop);
            }
            return;
        }
        transport.clone_into(&mut resolution.transport);
        let has_text = transport == "error"
            || (transport == "retry" && self.version >= Version::release(3, 0, 0));
        resolution.nexthop = match nexthop {
            "" if has_text => UNDELIVERABLE.to_owned(),
            "" => domain.to_owned(),
            nexthop => nexthop.to_owned(),
        };
    }

    fn relocate(&self, instance: &Instance, resolution: &mut Resolution, world: &mut World) {
        let address = &resolution.recipient;
        match self
            .searcher
            .find(instance, &self.relocated_maps, address, Forms::Both, world)
        {
            Found::Nothing => {}
            Found::Something(table) => resolution.state = State::Unknown(table),
            Found::Fails(error) => resolution.state = State::Fails(error),
            Found::Hit(hit, _) => {
                "error".clone_into(&mut resolution.transport);
                resolution.nexthop = if self.relocated_prefix {
                    format!("5.1.6 User has moved to {}", hit.value)
                } else if super::dsn::split(hit.value.as_str()).is_some() {
                    hit.value.to_string()
                } else {
                    "5.2.0 Mailbox is unavailable".to_owned()
                };
            }
        }
    }
}

/// What a domain can be.
enum Domain {
    Fine,
    /// A bare address, and the literal that takes its place.
    Numeric(String),
    Bad,
}

impl Instance {
    /// The class of a domain; `None` where a list fails, so that mail is put off. A list that cannot be
    /// looked at is taken not to have the domain.
    pub fn class_of(&self, domain: &str) -> Option<Class> {
        self.class_in_doubt(domain, &mut World::default())
    }

    /// As [`Instance::class_of`], in a world.
    pub(super) fn class_in_doubt(&self, domain: &str, world: &mut World) -> Option<Class> {
        Rewriting::of(self).class(self, domain, world).ok()
    }

    /// Where an address goes; `None` where a table fails, so that mail is put off.
    pub fn route(&self, address: &Address, world: &mut World) -> Option<Route> {
        let resolution = Rewriting::of(self).resolve(self, "", &address.to_string(), world);
        (resolution.state == State::Fine).then_some(Route {
            class: resolution.class,
            transport: resolution.transport,
            nexthop: resolution.nexthop,
        })
    }
}

#[cfg(test)]
mod tests;
