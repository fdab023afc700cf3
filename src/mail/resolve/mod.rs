//! The class of a domain, and where an address goes (`src/trivial-rewrite/resolve.c`).

use std::borrow::Cow;
use std::sync::Arc;

use super::address::Address;
use super::domains::{Own, domain_literal, listed};
use super::quoting::{self, Part, external, halves, parts};
use super::rewrite::RewriteSettings;
use super::search::{Keys, Searcher};
use super::world::World;
use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::builtin::Version;
use crate::instance::domain_list::{DomainList, folds_utf8};
use crate::instance::hostname;
use crate::instance::parameter::Scope;
use crate::instance::table::{ErrorClass, LookupError, Maps};
use crate::source::Span;

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
    /// The lists of the classes but the local one, in their order.
    lists: Vec<(Class, Arc<DomainList>)>,
    myhostname: String,
    resolve_null_domain: bool,
    resolve_dequoted: bool,
    resolve_numeric: bool,
    allow_min_user: bool,
    empty_recipient: String,
    smtputf8: bool,
    /// `transport:nexthop` of the classes, in the order of [`CLASSES`].
    transports: Vec<Setting>,
    relayhost: Setting,
    transport_maps: Maps,
    transport_keys: Keys,
    relocated_maps: Maps,
    relocated_prefix: bool,
    sender_relayhost: Maps,
    sender_transport: Maps,
    null_sender_relayhost: String,
    null_sender_transport: String,
    show_table_name: bool,
    version: Version,
}

/// A parameter, and where it is set.
#[derive(Debug)]
struct Setting {
    name: &'static str,
    value: String,
    span: Option<Span>,
}

impl Setting {
    fn of(scope: Scope<'_>, name: &'static str) -> Self {
        let parameter = scope.any_parameter(name);
        Self {
            name,
            value: parameter.text(),
            span: parameter.span(),
        }
    }
}

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
        let parents = scope.domain_list("parent_domain_matches_subdomains");
        Self {
            settings: RewriteSettings::of(scope),
            searcher: Searcher::of(scope),
            lists: CLASSES
                .iter()
                .filter(|facts| facts.class != Class::Local)
                .filter_map(|facts| Some((facts.class, scope.domain_list(facts.domains?))))
                .collect(),
            myhostname: text("myhostname"),
            resolve_null_domain: flag("resolve_null_domain"),
            resolve_dequoted: flag("resolve_dequoted_address"),
            resolve_numeric: flag("resolve_numeric_domain"),
            allow_min_user: flag("allow_min_user"),
            empty_recipient: text("empty_address_recipient"),
            smtputf8: folds_utf8(scope),
            transports: CLASSES
                .iter()
                .map(|facts| Setting::of(scope, facts.transport.unwrap_or("default_transport")))
                .collect(),
            relayhost: Setting::of(scope, "relayhost"),
            transport_maps: maps("transport_maps"),
            transport_keys: Keys::Transport {
                plain_parents: parents.find("transport_maps").is_listed() == Some(true),
            },
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

    /// Whether a domain is local.
    fn is_local(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<bool, LookupError> {
        let locality = &self.searcher.locality;
        match locality.own(instance, domain, world)? {
            None => return Ok(false),
            Some(Own::Listed(element)) => world.explain(element.text.span(), || {
                format!("{domain} is in mydestination: class local")
            }),
            Some(Own::Literal) => world.explain(None, || {
                format!("{domain} is an address of this host: class local")
            }),
        }
        Ok(true)
    }

    /// The class of a domain that is not local.
    fn other_class(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<Class, LookupError> {
        for (class, list) in &self.lists {
            if let Some(element) = listed(instance, list, domain, world)? {
                world.explain(element.text.span(), || {
                    format!("{domain} is in {}: class {}", list.name, class.facts().name)
                });
                return Ok(*class);
            }
        }
        world.explain(None, || format!("{domain} is in no list: class default"));
        Ok(Class::Default)
    }

    /// The class of a domain.
    pub(super) fn class(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<Class, LookupError> {
        if self.is_local(instance, domain, world)? {
            return Ok(Class::Local);
        }
        self.other_class(instance, domain, world)
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
        let answer = self.answer(instance, sender, address, &mut resolution, world);
        if let Err(state) = answer {
            if let State::Hangs(text) = &state {
                world.explain(None, || text.clone());
            }
            resolution.transport.clear();
            resolution.nexthop.clear();
            resolution.state = state;
        }
        resolution
    }

    fn answer(
        &self,
        instance: &Instance,
        sender: &str,
        address: &str,
        resolution: &mut Resolution,
        world: &mut World,
    ) -> Result<(), State> {
        let (recipient, mut is_local) = self.strip(instance, address, world)?;
        resolution.recipient = recipient;
        let (local, domain) = halves(&resolution.recipient);
        let mut domain = domain.unwrap_or_default().to_owned();
        match self.validate(&domain) {
            Domain::Fine => {}
            Domain::Numeric(literal) => {
                resolution.recipient = format!("{local}@{literal}");
                is_local |= self.is_local(instance, &literal, world)?;
                domain = literal;
            }
            Domain::Bad => {
                world.explain(None, || format!("\"{domain}\" is no domain"));
                return Err(State::Syntax);
            }
        }
        let (local, _) = halves(&resolution.recipient);
        resolution.is_routed = local.contains(['@', '%', '!']);
        resolution.class = if is_local {
            Class::Local
        } else {
            self.other_class(instance, &domain, world)?
        };
        self.transport(instance, sender, &domain, resolution, world)?;
        if resolution.class != Class::VirtualAlias {
            self.mapped_transport(instance, &domain, resolution, world)?;
        }
        self.relocate(instance, resolution, world)?;
        let fails = matches!(resolution.state, State::Fails(_));
        if resolution.recipient.starts_with('-') && !self.allow_min_user && !fails {
            world.explain(None, || "an address must not begin with \"-\"".to_owned());
            return Err(State::Syntax);
        }
        // What is not known matters only where nothing else decides.
        match std::mem::replace(&mut resolution.state, State::Fine) {
            State::Fine => Ok(()),
            state => Err(state),
        }
    }

    /// Takes local domains off an address, and follows the routes that come to light. The result says, too,
    /// whether the domain is local in the end.
    fn strip(
        &self,
        instance: &Instance,
        address: &str,
        world: &mut World,
    ) -> Result<(String, bool), LookupError> {
        if quoting::is_plain(address)
            && let (_, Some(domain)) = halves(address)
        {
            return Ok((address.to_owned(), self.is_local(instance, domain, world)?));
        }
        let mut rest = parts(&external(address));
        let mut domain: Option<Vec<Part>> = None;
        for _ in 0..=address.len() + 100 {
            if rest.iter().any(|part| part.is(b'@'))
                && let [.., before, last] = rest.as_slice()
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
                if at + 1 < rest.len() {
                    let name = quoting::internal_of(&rest[at + 1..]);
                    if !self.is_local(instance, &name, world)? {
                        return Ok((quoting::internal_of(&rest), false));
                    }
                }
                domain = Some(rest.split_off(at));
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
                && let Some(route) = self.dequoted(text)
            {
                rest = parts(&route);
                self.settings.rewrite(&mut rest);
                continue;
            }
            let is_empty = match rest.as_slice() {
                [] => true,
                [Part::Quoted(text)] => text.is_empty(),
                _ => false,
            };
            if is_empty {
                rest = parts(&self.empty_recipient);
                if rest.is_empty() {
                    break;
                }
                continue;
            }
            let Some(domain) = domain else {
                rest.push(Part::Operator(b'@'));
                rest.extend(parts(&self.myhostname));
                continue;
            };
            rest.extend(domain);
            return Ok((quoting::internal_of(&rest), true));
        }
        Err(LookupError {
            class: ErrorClass::Retry,
            message: format!("resolve_addr: <{address}>: giving up"),
            may_be_elsewhere: false,
        })
    }

    /// What is in a quoted local part with an operator of a route, in external form.
    fn dequoted<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        if text.contains('@') {
            return Some(external(text));
        }
        if let Some(at) = text.rfind('%').filter(|_| self.settings.percent_hack) {
            let text = format!("{}@{}", &text[..at], &text[at + 1..]);
            return Some(Cow::Owned(external(&text).into_owned()));
        }
        (self.settings.swap_bangpath && text.contains('!')).then_some(Cow::Borrowed(text))
    }

    fn validate(&self, domain: &str) -> Domain {
        let is_fine = if domain.starts_with('[') {
            domain_literal(domain).is_some()
        } else {
            hostname::is_valid_utf8(domain, self.smtputf8)
        };
        if is_fine {
            Domain::Fine
        } else if self.resolve_numeric && hostname::address(domain).is_some() {
            Domain::Numeric(format!("[{domain}]"))
        } else {
            Domain::Bad
        }
    }
}

impl From<LookupError> for State {
    fn from(error: LookupError) -> Self {
        Self::Fails(error)
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
mod transport;
