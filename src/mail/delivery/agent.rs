//! The delivery agents, and what those do that look nothing up here: error(8), discard(8), smtp(8), pipe(8).

use std::net::IpAddr;

use super::local::Local;
use super::status::{Attempt, Reporting};
use super::virtual_mailbox::VirtualMailbox;
use super::{Fate, Journey, Mail};
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::service::{Service, port_of};
use crate::mail::domains::OwnAddresses;
use crate::mail::dsn;

/// So often is a message passed on from agent to agent before that is taken for a circle.
const MOST_PASSES: usize = 20;

/// A service that a transport can name.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) name: String,
    pub(super) reporting: Reporting,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Local(Box<Local>),
    Virtual(Box<VirtualMailbox>),
    /// error(8): whether it defers, as the service `retry` does.
    Error(bool),
    Discard,
    /// smtp(8) as an SMTP client.
    Smtp(Smtp),
    /// Anything else: what it does is not known here.
    Other,
}

impl Agent {
    pub(super) fn of(service: Service<'_>) -> Self {
        let scope = service.scope();
        let (program, kind) = match service.line.command() {
            "local" => ("local", Kind::Local(Box::new(Local::of(service)))),
            "virtual" => (
                "virtual",
                Kind::Virtual(Box::new(VirtualMailbox::of(scope))),
            ),
            "error" => ("error", Kind::Error(service.name() == "retry")),
            "discard" => ("discard", Kind::Discard),
            "smtp" => ("smtp", Kind::Smtp(Smtp::of(scope))),
            "lmtp" => ("lmtp", Kind::Other),
            "pipe" => ("pipe", Kind::Other),
            _ => ("qmgr", Kind::Other),
        };
        Self {
            name: service.name().to_owned(),
            reporting: Reporting::of(scope, program),
            kind,
        }
    }
}

impl Journey<'_, '_> {
    /// Gives a recipient to the agent that a transport names. Returns whether the mail is to be tried again.
    pub(super) fn hand_over(
        &mut self,
        mail: &Mail,
        address: &str,
        class: Option<Class>,
        transport: &str,
        nexthop: &str,
    ) -> bool {
        let agents = self.agents;
        let Some(agent) = agents.agents.get(transport) else {
            let attempt = self.queue_attempt(mail, address, class);
            return self.report(attempt, "4.3.0", "mail transport unavailable");
        };
        let attempt = Attempt {
            mail,
            address,
            class,
            via: &agent.name,
            reporting: &agent.reporting,
        };
        match &agent.kind {
            Kind::Local(local) => self.deliver_locally(local, attempt, nexthop),
            Kind::Virtual(mailboxes) => self.deliver_virtually(mailboxes, attempt),
            Kind::Error(defers) => {
                let default = if *defers { "4.0.0" } else { "5.0.0" };
                let nexthop = nexthop.trim_start();
                let (status, text) = dsn::split(nexthop).unwrap_or((default, nexthop));
                // A status of another class is not taken.
                let status = if status.starts_with(&default[..1]) {
                    status
                } else {
                    default
                };
                self.report(attempt, status, text)
            }
            Kind::Discard => {
                let nexthop = nexthop.trim_start();
                let (status, text) = dsn::split(nexthop).unwrap_or(("2.0.0", nexthop));
                let status = if status.starts_with('2') {
                    status
                } else {
                    "2.0.0"
                };
                self.end(attempt, Fate::Discarded, status, text);
                false
            }
            Kind::Smtp(smtp) => match smtp.looping_host(nexthop) {
                Some(_) if !smtp.best_mx_transport.is_empty() => {
                    self.pass(attempt, &smtp.best_mx_transport, nexthop)
                }
                Some(host) => {
                    let text = format!("mail for {host} loops back to myself");
                    self.report(attempt, "5.4.6", &text)
                }
                None => self.relayed(attempt, nexthop),
            },
            Kind::Other => self.relayed(attempt, nexthop),
        }
    }

    fn relayed(&mut self, attempt: Attempt<'_>, nexthop: &str) -> bool {
        let fate = Fate::Elsewhere {
            transport: attempt.via.to_owned(),
            nexthop: nexthop.to_owned(),
        };
        self.end(attempt, fate, "", "");
        false
    }

    /// One agent passes the message on to another (`src/global/deliver_pass.c`); `service` is
    /// `transport:nexthop`.
    pub(super) fn pass(&mut self, attempt: Attempt<'_>, service: &str, nexthop: &str) -> bool {
        let (transport, own) = service.split_once(':').unwrap_or((service, ""));
        let nexthop = if own.is_empty() { nexthop } else { own };
        let agents = self.agents;
        self.passes += 1;
        // The agent waits for a service that is not there, and dies in the end. An empty name kills it, and
        // a circle uses up all its processes.
        if !agents.agents.contains_key(transport) || self.passes > MOST_PASSES {
            self.passes -= 1;
            let text = format!("{} cannot pass mail on to {transport}", attempt.via);
            self.end(attempt, Fate::PutOff, "", &text);
            return true;
        }
        self.world.explain(None, || {
            format!("passing {} to transport={transport}", attempt.address)
        });
        let is_deferred = self.hand_over(
            attempt.mail,
            attempt.address,
            attempt.class,
            transport,
            nexthop,
        );
        self.passes -= 1;
        is_deferred
    }
}

/// What smtp(8) knows of loops.
#[derive(Debug)]
struct Smtp {
    own: OwnAddresses,
    best_mx_transport: String,
    fallback_relay: bool,
    port: Option<u16>,
}

impl Smtp {
    fn of(scope: Scope<'_>) -> Self {
        let text = |name| scope.any_parameter(name).text();
        let port = text("smtp_tcp_port");
        Self {
            own: OwnAddresses::of(scope),
            best_mx_transport: text("best_mx_transport"),
            fallback_relay: !text("smtp_fallback_relay").trim().is_empty(),
            port: if port.is_empty() {
                Some(25)
            } else {
                port_of(&port)
            },
        }
    }

    /// The host of a next hop that is this host itself on port 25. Without DNS that is known of addresses in
    /// brackets only.
    fn looping_host<'n>(&self, nexthop: &'n str) -> Option<&'n str> {
        // Of several next hops the first that answers is taken.
        if self.fallback_relay || nexthop.contains([',', ' ']) {
            return None;
        }
        let (host, port) = nexthop.strip_prefix('[')?.split_once(']')?;
        let port = match port.strip_prefix(':') {
            Some(port) if !port.is_empty() => port_of(port),
            _ => self.port,
        };
        let address = match host.get(..5) {
            Some(prefix) if prefix.eq_ignore_ascii_case("ipv6:") => &host[5..],
            _ => host,
        };
        let is_own = match address.parse::<IpAddr>() {
            Ok(address) => self.own.is_own(address),
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        };
        (is_own && port == Some(25)).then_some(host)
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
