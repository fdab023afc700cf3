//! What becomes of a message that was accepted: which agent gets it, and what that does.

use super::address::Address;
use super::local::Expansion;
use super::mapping;
use super::plain_search::{self as search, Found};
use super::resolve::Route;
use super::world::World;
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::service::Service;

/// Messages that are forwarded more often than this are taken to go round in a circle.
const MOST_FORWARDS: usize = 20;

/// What happens to a message for one address in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is delivered here: to a mailbox, a command, a file.
    Delivered,
    /// It is thrown away without a notice.
    Discarded,
    /// A notice of non-delivery, with this reason, goes to the sender.
    Bounces(String),
    /// Another host or program gets it, and a notice goes to the sender when that refuses it.
    Elsewhere {
        /// The transport.
        transport: String,
        /// The next hop.
        nexthop: String,
    },
    /// It waits in the queue, or is put off after DATA.
    PutOff,
}

/// One address that a recipient stands for in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The address.
    pub address: Address,
    /// Its class, as far as it was looked at.
    pub class: Option<Class>,
    /// What happens to the message.
    pub fate: Fate,
}

impl Leaf {
    pub(super) fn new(address: &Address, class: Option<Class>, fate: Fate) -> Self {
        Self {
            address: address.clone(),
            class,
            fate,
        }
    }
}

/// A message on its way.
pub(super) struct Journey<'j, 'i> {
    pub(super) instance: &'i Instance,
    pub(super) world: &'j mut World,
    pub(super) leaves: Vec<Leaf>,
    pub(super) forwards: usize,
}

impl Service<'_> {
    /// What becomes of a message that this service has accepted.
    pub(super) fn journey(&self, recipient: &Address, world: &mut World) -> Vec<Leaf> {
        let name = self.parameter("cleanup_service_name").text();
        let cleanup = self
            .instance
            .services()
            .find(|service| service.name() == name && service.line.command() == "cleanup")
            .map_or(self.instance.scope(), |service| service.scope());
        // Behind a content filter the message comes back, and is mapped then.
        let is_mapped = !self.parameter("content_filter").is_empty()
            || !self
                .parameter("receive_override_options")
                .words()
                .iter()
                .any(|word| *word == "no_address_mappings");
        let mut journey = Journey {
            instance: self.instance,
            world,
            leaves: Vec::new(),
            forwards: 0,
        };
        if is_mapped {
            journey.enter(cleanup, recipient);
        } else {
            journey.deliver(recipient);
        }
        journey.leaves
    }
}

impl Journey<'_, '_> {
    pub(super) fn end(&mut self, address: &Address, class: Option<Class>, fate: Fate) {
        self.leaves.push(Leaf::new(address, class, fate));
    }

    /// A message enters the queue.
    fn enter(&mut self, cleanup: Scope<'_>, recipient: &Address) {
        match mapping::recipients(cleanup, recipient, self.world) {
            Some(recipients) => recipients.iter().for_each(|one| self.deliver(one)),
            None => self.end(recipient, None, Fate::PutOff),
        }
    }

    /// local(8) sends a message on as a new one.
    pub(super) fn forward(&mut self, recipient: &Address) {
        self.forwards += 1;
        if self.forwards > MOST_FORWARDS {
            self.end(
                recipient,
                None,
                Fate::Bounces("mail forwarding loop".to_owned()),
            );
        } else {
            self.enter(self.instance.program("cleanup"), recipient);
        }
    }

    /// The queue manager hands a message over.
    fn deliver(&mut self, recipient: &Address) {
        let Some(route) = self.instance.route(recipient, self.world) else {
            self.end(recipient, None, Fate::PutOff);
            return;
        };
        let bounce = self.instance.parameter("double_bounce_sender").text();
        if route.class == Class::Local && recipient.local.eq_ignore_ascii_case(&bounce) {
            self.end(recipient, Some(route.class), Fate::Discarded);
            return;
        }
        self.hand_over(recipient, &route);
    }

    fn hand_over(&mut self, recipient: &Address, route: &Route) {
        let class = Some(route.class);
        match self.instance.agent(&route.transport) {
            Some(agent) if agent.line.command() == "local" => {
                Expansion::new(self, agent.scope()).deliver(recipient);
            }
            Some(agent) if agent.line.command() == "virtual" => {
                let maps = agent.scope().maps("virtual_mailbox_maps", "virtual");
                let folded = Address::new(recipient.local.to_lowercase(), &recipient.domain);
                let fate = match search::find(agent.scope(), &maps, &folded, self.world) {
                    Found::Hit(..) => Fate::Delivered,
                    Found::Fails => Fate::PutOff,
                    Found::Nothing => Fate::Bounces(format!("unknown user: \"{folded}\"")),
                };
                self.end(recipient, class, fate);
            }
            agent => {
                let fate = simple_fate(agent.as_ref(), &route.transport, &route.nexthop);
                self.end(recipient, class, fate);
            }
        }
    }
}

/// What an agent does that looks nothing up here.
pub(super) fn simple_fate(agent: Option<&Service<'_>>, transport: &str, nexthop: &str) -> Fate {
    match agent.map(|agent| agent.line.command()) {
        None => Fate::PutOff,
        Some("error") if transport == "retry" => Fate::PutOff,
        Some("error") => {
            let text = super::dsn::split(nexthop).map_or(nexthop, |(_, text)| text);
            Fate::Bounces(text.to_owned())
        }
        Some("discard") => Fate::Discarded,
        Some(_) => Fate::Elsewhere {
            transport: transport.to_owned(),
            nexthop: nexthop.to_owned(),
        },
    }
}

impl Instance {
    /// The service that a transport names: the delivery agent.
    pub fn agent(&self, transport: &str) -> Option<Service<'_>> {
        self.services().find(|service| {
            service.name() == transport
                && service.line.kind() == "unix"
                && !self.is_disabled(service.line)
        })
    }
}

impl Instance {
    /// Whether local(8) delivers all mail of the local class, and knows nobody but the users of the system and
    /// the aliases: whoever is neither would bounce.
    pub fn has_stock_local_delivery(&self) -> bool {
        let transport = self
            .program("trivial-rewrite")
            .parameter("local_transport")
            .text();
        let transport = transport.split(':').next().unwrap_or_default();
        let agent = self
            .agent(transport)
            .filter(|agent| agent.line.command() == "local");
        agent.is_some_and(|agent| {
            [
                "mailbox_transport_maps",
                "mailbox_transport",
                "fallback_transport_maps",
                "fallback_transport",
                "luser_relay",
            ]
            .into_iter()
            .all(|name| agent.parameter(name).raw().is_empty())
        }) && !self.may_redirect_local_mail()
    }

    /// Whether `transport_maps` has, or may have, something for a local domain.
    fn may_redirect_local_mail(&self) -> bool {
        let scope = self.program("trivial-rewrite");
        let concerns_local = |key: &str| {
            let domain = key.rsplit_once('@').map_or(key, |(_, domain)| domain);
            domain == "*" || domain.starts_with('.') || self.class_of(domain) == Some(Class::Local)
        };
        let maps = scope.maps("transport_maps", "trivial-rewrite");
        maps.tables
            .iter()
            .any(|table| match (table.keys(), table.inline()) {
                (Some(keys), _) => keys
                    .entries()
                    .any(|entry| concerns_local(&String::from_utf8_lossy(entry.key()))),
                (_, Some(inline)) => inline
                    .entries()
                    .iter()
                    .any(|entry| concerns_local(entry.key.as_str())),
                _ => true,
            })
    }
}
