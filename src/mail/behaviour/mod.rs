//! What two configurations do with the same mail: whose mail was delivered before and is not after, and which
//! replies change.

mod addresses;
mod candidates;
mod difference;
mod listeners;

pub use candidates::Candidates;
pub use difference::{
    AddressChange, Differences, ListenerChange, ListenerFate, Outlook, Question, Treated,
    differences,
};

use std::collections::BTreeSet;
use std::sync::Arc;

use super::reply::Answer;
use super::session::Session;
use super::trace::{Ending, Trace, Tracer};
use super::witness::NOBODY;
use super::world::World;
use crate::instance::address_class::Class;
use crate::instance::service::{Reach, Service};
use crate::instance::{Instance, Scale};

/// So many addresses are compared at the most.
pub const MOST_ADDRESSES: usize = 20_000;

/// Who sends, in the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sender {
    /// A mail server somewhere.
    Stranger,
    /// A program of this host, over SMTP.
    Host,
    /// A client in `mynetworks`, other than this host.
    Network,
    /// Somebody who has logged in.
    User,
}

impl Sender {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Stranger => "a stranger",
            Self::Host => "this host",
            Self::Network => "a client in mynetworks",
            Self::User => "a user who has logged in",
        }
    }
}

/// What happens to mail of a sender for an address through a service.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Treatment {
    answer: Answer,
    class: Option<Class>,
    /// Where the mail arrives, how, and whether that is certain.
    arrivals: BTreeSet<(String, &'static str, bool)>,
    /// What else happens after 250.
    ends: BTreeSet<&'static str>,
}

/// What an instance does with a list of addresses.
#[derive(Debug)]
struct Observed {
    addresses: Vec<String>,
    /// How many addresses there are that were left out.
    left_out: usize,
    treatments: Vec<(String, Sender, Vec<Treatment>)>,
}

/// A difference between two configurations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The service, as `name/type`.
    pub service: String,
    /// Who sends.
    pub sender: Sender,
    /// The recipient.
    pub address: String,
    /// What happens before, such as `250, then bounced`.
    pub before: String,
    /// What happens after.
    pub after: String,
    /// Mail that was delivered is not any more, or a stranger can relay who could not.
    pub harm: Option<Harm>,
}

/// What is worse than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Harm {
    /// Mail that was delivered is not.
    Lost,
    /// A stranger can send through this host to whom he likes.
    Relays,
}

/// The differences between two configurations.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// What differs, by service, sender and address.
    pub changes: Vec<Change>,
    /// How many addresses were compared.
    pub compared: usize,
    /// How many addresses were left out because there are too many.
    pub left_out: usize,
}

/// Compares what two configurations do with every address that occurs in the tables of the first one, with
/// one that nobody has in each domain, and with `others`.
///
/// Services are the same when they have the same name and type; one that is in only one of the two is not
/// compared.
pub fn compare(before: &Instance, after: &Instance, others: &[String]) -> Comparison {
    if before.scale() != Scale::Configuration || after.scale() != Scale::Configuration {
        return Comparison::default();
    }
    let old = observed(before, others);
    let new = Observed::of(after, old.addresses.clone(), old.left_out);
    let mut comparison = Comparison {
        compared: old.addresses.len(),
        left_out: old.left_out,
        changes: Vec::new(),
    };
    for (service, sender, treatments) in &old.treatments {
        let same = new
            .treatments
            .iter()
            .find(|(other, by, _)| other == service && by == sender);
        let Some((_, _, others)) = same else { continue };
        let pairs = treatments.iter().zip(others);
        for (address, (before, after)) in old.addresses.iter().zip(pairs) {
            if before == after {
                continue;
            }
            comparison.changes.push(Change {
                service: service.clone(),
                sender: *sender,
                address: address.clone(),
                before: before.to_string(),
                after: after.to_string(),
                harm: harm(*sender, before, after),
            });
        }
    }
    comparison
}

/// What is worse with the second treatment.
fn harm(sender: Sender, before: &Treatment, after: &Treatment) -> Option<Harm> {
    if before.answer.is_accepted() {
        // What may bounce today as well as arrive is for its rule to judge.
        let mut certain = before
            .arrivals
            .iter()
            .filter(|(.., is_certain)| *is_certain);
        let is_lost = |arrival| !after.answer.is_accepted() || !after.arrivals.contains(arrival);
        if certain.any(is_lost) {
            return Some(Harm::Lost);
        }
    }
    let relays = |treatment: &Treatment| {
        treatment.answer.is_accepted()
            && treatment.class == Some(Class::Default)
            && treatment
                .arrivals
                .iter()
                .any(|(_, how, _)| *how == Ending::Relayed.name())
    };
    (sender == Sender::Stranger && relays(after) && !relays(before)).then_some(Harm::Relays)
}

/// What an instance does with the addresses of its own tables, worked out once.
fn observed(instance: &Instance, others: &[String]) -> Arc<Observed> {
    instance.remember(|instance| {
        let (addresses, left_out) = addresses::of(instance, others);
        Observed::of(instance, addresses, left_out)
    })
}

impl Observed {
    fn of(instance: &Instance, addresses: Vec<String>, left_out: usize) -> Self {
        let mut treatments = Vec::new();
        for service in instance.smtpd_services() {
            if service.reach() == Reach::Nobody {
                continue;
            }
            let tracer = Tracer::of(service);
            for (sender, session) in sessions(service) {
                let all = addresses.iter().map(|address| {
                    let first = World::without(NOBODY);
                    Treatment::of(&tracer.trace_from(&first, &session, address))
                });
                treatments.push((service.label(), sender, all.collect()));
            }
        }
        Self {
            addresses,
            left_out,
            treatments,
        }
    }
}

/// The senders whose mail a service has to do with.
fn sessions(service: Service<'_>) -> Vec<(Sender, Session)> {
    let mut sessions = Vec::new();
    if service.reach() == Reach::Network {
        sessions.push((Sender::Stranger, Session::stranger()));
    }
    sessions.push((Sender::Host, listeners::host()));
    if let Some(client) = listeners::network_clients(service).first() {
        sessions.push((Sender::Network, listeners::in_network(*client)));
    }
    if service.parameter("smtpd_sasl_auth_enable").flag() == Some(true) {
        sessions.push((Sender::User, listeners::user()));
    }
    sessions
}

impl Treatment {
    fn of(trace: &Trace) -> Self {
        let mut arrivals = BTreeSet::new();
        let mut ends = BTreeSet::new();
        for outcome in &trace.outcomes {
            match outcome.ending {
                Ending::Delivered | Ending::Relayed => {
                    let address = outcome.address.to_lowercase();
                    arrivals.insert((address, outcome.ending.name(), outcome.is_certain));
                }
                other => {
                    ends.insert(other.name());
                }
            }
        }
        Self {
            answer: trace.answer.clone(),
            class: trace.class,
            arrivals,
            ends,
        }
    }
}

impl std::fmt::Display for Treatment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.answer {
            Answer::Reply(_, reply) => write!(f, "{}", reply.code)?,
            Answer::Silence(..) => f.write_str("no answer")?,
            Answer::Unknown(_) => f.write_str("it depends")?,
        }
        if !self.answer.is_accepted() {
            return Ok(());
        }
        let arrivals: BTreeSet<&str> = self.arrivals.iter().map(|(_, how, _)| *how).collect();
        let ends: Vec<&str> = arrivals
            .into_iter()
            .chain(self.ends.iter().copied())
            .collect();
        if ends.is_empty() {
            Ok(())
        } else {
            write!(f, ", then {}", ends.join(" and "))
        }
    }
}

#[cfg(test)]
mod tests;
