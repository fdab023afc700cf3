//! What becomes of a message that was accepted: what cleanup(8) makes of the recipient, which agent the
//! queue manager gives it to, what that agent does, and who is told.

mod addresses;
mod agent;
mod cleanup;
mod local;
mod obstacle;
mod probe;
mod queue;
mod status;
mod stock;
mod virtual_mailbox;

use std::collections::HashMap;
use std::sync::Arc;

use super::accepted::Accepted;
use super::address::Address;
use super::reply::Reply;
use super::world::World;
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::service::Service;
use addresses::{View, halves, same};
use agent::Agent;
use cleanup::{Cleanup, Envelope, Recipient};
pub(super) use probe::Probe;

/// So many recipients, aliases and forwards are followed for one message.
const MOST_STEPS: usize = 20_000;

/// What happens to a message for one address in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is delivered here: to a mailbox, a command, a file.
    Delivered,
    /// It is thrown away without a notice.
    Discarded,
    /// It waits in the hold queue.
    Held,
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
    /// A table that cannot be looked at, given as `type:name`, says what happens; or it is too much to
    /// be followed.
    Unknown(String),
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
    /// The enhanced status code that is logged; empty where another server gives it, or none is logged.
    pub dsn: String,
    /// The transport; empty where the message does not get to one.
    pub via: String,
    /// The reason in the log, in the words of Postfix; may be empty.
    pub text: String,
    /// A notice of non-delivery goes to the sender of the message that came in. It does not where an owner-
    /// alias has given it another sender, nor for copies.
    pub is_told: bool,
    /// It would bounce but for `soft_bounce`: it stays in the queue, and bounces at the end of its life.
    pub is_soft_bounce: bool,
}

impl Leaf {
    /// Mail that a client keeps because of the reply at the end of DATA.
    pub(super) fn refused(recipient: &Address, reply: &Reply) -> Self {
        Self {
            address: recipient.clone(),
            class: None,
            fate: Fate::PutOff,
            dsn: reply.dsn.clone(),
            via: String::new(),
            text: reply.text.clone(),
            is_told: true,
            is_soft_bounce: false,
        }
    }

    /// Whether the message bounces because it goes round in a circle.
    pub fn is_loop(&self) -> bool {
        matches!(self.fate, Fate::Bounces(_)) && self.dsn == "5.4.6"
    }
}

/// What follows after 250 to RCPT TO.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct After {
    /// The reply at the end of DATA.
    pub data: Reply,
    /// Where the mail goes in the end; nowhere when it is refused at the end of DATA.
    pub leaves: Vec<Leaf>,
    /// A notice of non-delivery goes to the sender as the client gave it; `None` where another server or
    /// something that cannot be looked at decides.
    pub backscatter: Option<bool>,
}

/// Everything behind smtpd(8) that the configuration decides, compiled once.
#[derive(Debug)]
pub(super) struct Agents {
    view: View,
    cleanups: HashMap<String, Cleanup>,
    /// The view of main.cf, where a service of that name is not there.
    stock_cleanup: Cleanup,
    agents: HashMap<String, Agent>,
    queue: queue::Settings,
}

impl Agents {
    /// Those of an instance, compiled once.
    pub(super) fn of(instance: &Instance) -> Arc<Self> {
        instance.remember(Self::compile)
    }

    fn compile(instance: &Instance) -> Self {
        let mut cleanups = HashMap::new();
        let mut agents = HashMap::new();
        for service in instance.services() {
            let name = service.name().to_owned();
            if service.line.kind() != "unix" || instance.is_disabled(service.line) {
                // Stock cleanup services are of type unix since 3.x, and fifo or inet make no difference.
                continue;
            }
            match service.line.command() {
                "cleanup" => {
                    cleanups
                        .entry(name)
                        .or_insert_with(|| Cleanup::of(service.scope()));
                }
                "qmgr" | "nqmgr" | "pickup" | "bounce" | "trivial-rewrite" | "proxymap" => {}
                _ => {
                    agents.entry(name).or_insert_with(|| Agent::of(service));
                }
            }
        }
        Self {
            view: View::of(instance.scope()),
            cleanups,
            stock_cleanup: Cleanup::of(instance.program("cleanup")),
            agents,
            queue: queue::Settings::of(instance),
        }
    }

    fn cleanup(&self, name: &str) -> &Cleanup {
        self.cleanups.get(name).unwrap_or(&self.stock_cleanup)
    }
}

/// A service that takes mail in, and all that follows it.
#[derive(Debug)]
pub struct Delivery<'i> {
    instance: &'i Instance,
    agents: Arc<Agents>,
    cleanup: String,
    is_mapped: bool,
    content_filter: String,
    double_bounce: String,
}

impl<'i> Delivery<'i> {
    /// Compiles what follows a service that runs smtpd(8).
    pub fn of(service: Service<'i>) -> Self {
        let instance = service.instance;
        let overrides = service.parameter("receive_override_options").words();
        let double_bounce = instance.parameter("double_bounce_sender").text();
        Self {
            instance,
            agents: Agents::of(instance),
            cleanup: service.parameter("cleanup_service_name").text(),
            is_mapped: !overrides
                .iter()
                .any(|word| word.as_str().eq_ignore_ascii_case("no_address_mappings")),
            content_filter: service.parameter("content_filter").text(),
            double_bounce: format!(
                "{double_bounce}@{}",
                instance.parameter("myhostname").text()
            ),
        }
    }

    /// What becomes of a message that was accepted, when all recipients are like this one.
    pub fn deliver(&self, accepted: &Accepted, world: &mut World) -> After {
        self.follow(accepted, false, world)
    }

    /// The same, if a content filter hands the message back as it got it, to a service with the same
    /// settings and no filter.
    pub fn deliver_past_filter(&self, accepted: &Accepted, world: &mut World) -> After {
        self.follow(accepted, true, world)
    }

    fn follow(&self, accepted: &Accepted, skips_filter: bool, world: &mut World) -> After {
        if let Some(reply) = &accepted.refused {
            return After {
                data: reply.clone(),
                leaves: Vec::new(),
                backscatter: Some(false),
            };
        }
        let cleanup = self.agents.cleanup(&self.cleanup);
        let filter = accepted
            .actions
            .filter
            .as_deref()
            .unwrap_or(&self.content_filter);
        let filter = Some(filter).filter(|filter| !filter.is_empty() && !skips_filter);
        // Behind a content filter the message comes back, and is mapped then.
        let is_mapped = self.is_mapped || (skips_filter && !self.content_filter.is_empty());
        let entered = self.enter(cleanup, accepted, is_mapped, world);
        let (sender, recipients) = match entered {
            Ok(entered) => entered,
            Err(refusal) => {
                return After {
                    data: refusal.reply(),
                    leaves: Vec::new(),
                    backscatter: Some(false),
                };
            }
        };
        // cleanup(8) has looked at all tables before it throws the message away.
        if accepted.actions.discard {
            let leaf = Leaf {
                address: address_of(&accepted.recipient),
                class: None,
                fate: Fate::Discarded,
                dsn: String::new(),
                via: String::new(),
                text: String::new(),
                is_told: false,
                is_soft_bounce: false,
            };
            return After {
                data: queued(),
                leaves: vec![leaf],
                backscatter: Some(false),
            };
        }
        let mut journey = Journey {
            instance: self.instance,
            agents: &self.agents,
            world,
            leaves: Vec::new(),
            steps: 0,
            passes: 0,
        };
        let mail = Mail {
            is_strangers: true,
            is_told: true,
            is_probe: false,
            sender,
            delivered_to: Vec::new(),
            forwards: 0,
        };
        if accepted.actions.hold {
            for recipient in &recipients {
                journey.hold(&recipient.address, recipient.is_told);
            }
        } else {
            let redirected = accepted.actions.redirect.iter().map(|target| Recipient {
                address: self.agents.view.canonical(target),
                is_told: true,
                unknown: None,
            });
            let redirected: Vec<Recipient> = redirected.collect();
            let is_redirected = !redirected.is_empty();
            for recipient in if is_redirected {
                redirected
            } else {
                recipients
            } {
                let filter = filter.filter(|_| !is_redirected);
                journey.queue_recipient(&mail, recipient, filter);
            }
        }
        let leaves = journey.leaves;
        let backscatter = self.backscatter(accepted, &mail, &leaves, world);
        After {
            data: queued(),
            leaves,
            backscatter,
        }
    }

    /// The envelope in the queue file.
    fn enter(
        &self,
        cleanup: &Cleanup,
        accepted: &Accepted,
        is_mapped: bool,
        world: &mut World,
    ) -> Result<(String, Vec<Recipient>), cleanup::Refusal> {
        let sender = cleanup.sender(self.instance, &accepted.sender, is_mapped, world)?;
        let envelope = Envelope {
            sender: &sender,
            recipient: &accepted.recipient,
            is_mapped,
            has_bcc: is_mapped,
            is_told: true,
            is_first: true,
        };
        let mut recipients = cleanup.recipients(self.instance, envelope, world)?;
        for (index, copy) in accepted.actions.bcc.iter().enumerate() {
            // smtpd says that nobody is to be told only behind the first of them.
            let envelope = Envelope {
                recipient: copy,
                is_told: index == 0,
                is_first: false,
                ..envelope
            };
            for recipient in cleanup.recipients(self.instance, envelope, world)? {
                if !recipients.contains(&recipient) {
                    recipients.push(recipient);
                }
            }
        }
        Ok((sender, recipients))
    }

    /// Whether a notice of non-delivery goes to the sender that the client gave.
    fn backscatter(
        &self,
        accepted: &Accepted,
        mail: &Mail,
        leaves: &[Leaf],
        world: &mut World,
    ) -> Option<bool> {
        let mut is_open = false;
        let mut bounces = false;
        for leaf in leaves.iter().filter(|leaf| leaf.is_told) {
            match leaf.fate {
                Fate::Bounces(_) => bounces = true,
                Fate::Elsewhere { .. } | Fate::Unknown(_) => is_open = true,
                _ => {}
            }
        }
        // A copy, or mail that a list has sent on, may still be for a table that nobody can look at.
        if !bounces {
            return (!is_open).then_some(false);
        }
        if mail.sender.is_empty() || same(&mail.sender, &self.double_bounce) {
            return Some(false);
        }
        let given = self.agents.view.canonical(&accepted.sender);
        let notice = self.agents.stock_cleanup.recipients(
            self.instance,
            Envelope {
                sender: "",
                recipient: &mail.sender,
                is_mapped: true,
                has_bcc: false,
                is_told: true,
                is_first: true,
            },
            world,
        );
        Some(notice.is_ok_and(|notice| {
            notice
                .iter()
                .any(|recipient| recipient.unknown.is_some() || same(&recipient.address, &given))
        }))
    }
}

/// The reply to a message that is taken.
fn queued() -> Reply {
    Reply::new(250, "2.0.0", "Ok: queued as QID")
}

/// An address as its two parts.
fn address_of(address: &str) -> Address {
    let (local, domain) = halves(address);
    Address::new(local, domain)
}

/// A message in the queue.
#[derive(Clone, Debug)]
struct Mail {
    /// The envelope sender.
    sender: String,
    /// It is the sender of the message that came in.
    is_strangers: bool,
    /// The recipient wants to be told.
    is_told: bool,
    /// It is a probe of verify(8): each agent only says what it would do.
    is_probe: bool,
    /// The `Delivered-To:` headers, in lower case.
    delivered_to: Vec<String>,
    /// How often local(8) has sent it on.
    forwards: usize,
}

/// A message on its way.
struct Journey<'j, 'i> {
    instance: &'i Instance,
    agents: &'j Agents,
    world: &'j mut World,
    leaves: Vec<Leaf>,
    /// How many recipients were looked at.
    steps: usize,
    /// How many agents have passed the message on to another one.
    passes: usize,
}

#[cfg(test)]
mod tests;
