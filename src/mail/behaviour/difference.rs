//! What becomes of the same mail with another configuration: for a review before the change goes live.
//!
//! Where something cannot be looked at (a DNS list, an LDAP server), the plainest world is compared on both
//! sides: tables that cannot be looked at have nothing, restrictions that cannot be decided do nothing. Mail is
//! taken for lost only when it arrives in no other world either.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::candidates::{Candidates, FOREIGN};
use super::listeners::{Pair, pairs, sessions};
use super::{MOST_ADDRESSES, Sender};
use crate::instance::address_class::Class;
use crate::instance::service::{Reach, Service};
use crate::instance::{Instance, Scale};
use crate::mail::reply::{Answer, Reply};
use crate::mail::session::Session;
use crate::mail::trace::{Ending, Outcome, Trace, Tracer};
use crate::mail::witness::NOBODY;
use crate::mail::world::{Step, World};

/// So many addresses are asked for as others than strangers.
const MOST_FOR_FRIENDS: usize = 1_000;
/// So many addresses say whether a listener that goes is missed.
const MOST_FOR_LISTENER: usize = 200;

/// What is to be compared.
#[derive(Clone, Debug)]
pub struct Question {
    /// Addresses besides those that the configurations name; they come first.
    pub recipients: Vec<String>,
    /// So many addresses are asked for at the most.
    pub most: usize,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            recipients: Vec::new(),
            most: MOST_ADDRESSES,
        }
    }
}

/// What a change means to those who send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outlook {
    /// Mail that was delivered is not any more.
    Lost,
    /// A stranger can send through this host to whom he likes.
    Relays,
    /// Mail that was delivered may be lost: that depends on what cannot be looked at.
    MayBeLost,
    /// Something else.
    Other,
}

impl Outlook {
    /// Whether such a change must not go live unseen.
    pub fn is_harm(self) -> bool {
        matches!(self, Self::Lost | Self::Relays)
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Relays => "relays",
            Self::MayBeLost => "may be lost",
            Self::Other => "other",
        }
    }
}

/// An address that is treated differently.
#[derive(Clone, Debug)]
pub struct AddressChange {
    /// The service, as `name/type`, in the second configuration if it is there.
    pub service: String,
    /// Who sends: all for whom it is so.
    pub senders: Vec<(Sender, IpAddr)>,
    /// The recipient.
    pub address: String,
    /// What happens with the first configuration.
    pub before: Treated,
    /// What happens with the second one.
    pub after: Treated,
    /// What that means.
    pub outlook: Outlook,
}

/// What happens to mail for an address, in the plainest world.
#[derive(Clone, Debug)]
pub struct Treated {
    /// The reply.
    pub answer: Answer,
    /// The reply at the end of DATA, where it is known.
    pub data: Option<Reply>,
    /// Where the mail goes.
    pub outcomes: Vec<Outcome>,
    /// What the reply or the outcome depends on and cannot be looked at.
    pub depends_on: Vec<String>,
    /// The steps that the other configuration does not take.
    pub because: Vec<Step>,
    class: Option<Class>,
}

/// What becomes of a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ListenerFate {
    /// Nobody listens any more.
    Gone,
    /// Other hosts cannot connect any more.
    Closed,
    /// Nobody can log in any more.
    NoLogin,
    /// Clients can log in, and could not before.
    Login,
    /// It was not there before.
    New,
    /// Other hosts can connect, and could not before.
    Opened,
}

impl ListenerFate {
    fn is_loss(self) -> bool {
        matches!(self, Self::Gone | Self::Closed | Self::NoLogin)
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Gone => "nobody listens any more",
            Self::Closed => "other hosts cannot connect any more",
            Self::NoLogin => "nobody can log in any more",
            Self::Login => "clients can log in now",
            Self::New => "a new listener",
            Self::Opened => "other hosts can connect now",
        }
    }
}

/// A listener that comes, goes, or changes for everybody who connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenerChange {
    /// The service, as `name/type`.
    pub service: String,
    /// What becomes of it.
    pub fate: ListenerFate,
    /// An address whose mail came in there and was delivered, or which strangers can send to now.
    pub witness: Option<String>,
    /// What that means.
    pub outlook: Outlook,
}

/// What two configurations do differently.
#[derive(Clone, Debug, Default)]
pub struct Differences {
    /// Listeners, in the order of master.cf.
    pub listeners: Vec<ListenerChange>,
    /// Addresses, by service and in the order in which they were asked for.
    pub addresses: Vec<AddressChange>,
    /// How many addresses were compared.
    pub compared: usize,
    /// How many addresses were left out because there are too many.
    pub left_out: usize,
    /// How many entries of tables were left out because they cannot make a difference.
    pub unaffected: usize,
    /// How many replies have the same code and another text.
    pub reworded: usize,
    /// What replies depend on now and did not before, with the number of addresses.
    pub new_doubts: BTreeMap<String, usize>,
}

impl Differences {
    /// Whether mail is lost or strangers can relay.
    pub fn is_harmful(&self) -> bool {
        let addresses = self.addresses.iter().map(|change| change.outlook);
        let listeners = self.listeners.iter().map(|change| change.outlook);
        addresses.chain(listeners).any(Outlook::is_harm)
    }
}

/// Compares what two configurations do with the same mail, for everybody who can connect.
///
/// Files should have been read (see [`Candidates::of`]). Where one of the two is a lookup table alone, there is
/// nothing to compare.
pub fn differences(before: &Instance, after: &Instance, question: &Question) -> Differences {
    if before.scale() != Scale::Configuration || after.scale() != Scale::Configuration {
        return Differences::default();
    }
    let candidates = Candidates::of(before, after, &question.recipients, question.most);
    let mut differences = Differences {
        compared: candidates.addresses.len(),
        left_out: candidates.left_out,
        unaffected: candidates.unaffected,
        ..Differences::default()
    };
    for pair in pairs(before, after) {
        let comparer = Comparer {
            pair,
            before: pair.before.map(Tracer::of),
            after: pair.after.map(Tracer::of),
        };
        comparer.compare(&candidates.addresses, &mut differences);
    }
    differences
}

/// Compares one listener.
struct Comparer<'o, 'n> {
    pair: Pair<'o, 'n>,
    before: Option<Tracer<'o>>,
    after: Option<Tracer<'n>>,
}

/// What may happen to mail in some world.
struct Chances {
    plainest: bool,
    some: bool,
}

impl Comparer<'_, '_> {
    fn compare(&self, addresses: &[String], differences: &mut Differences) {
        let label = self.pair.after.map(|service| service.label());
        let label = label.or(self.pair.before.map(|service| service.label()));
        let service = label.unwrap_or_default();
        let mut listeners: BTreeMap<ListenerFate, ListenerChange> = BTreeMap::new();
        let mut changes: BTreeMap<usize, Vec<AddressChange>> = BTreeMap::new();
        for (sender, session) in sessions(self.pair) {
            if let Some(fate) = self.fate(sender) {
                let change = self.listener(&service, fate, &session, addresses);
                let known = listeners.entry(fate).or_insert_with(|| change.clone());
                // Once, for the sender who minds most.
                if change.outlook.is_harm() && !known.outlook.is_harm() {
                    *known = change;
                }
                continue;
            }
            let (Some(before), Some(after)) = (&self.before, &self.after) else {
                continue;
            };
            let most = match sender {
                Sender::Stranger => addresses.len(),
                _ => MOST_FOR_FRIENDS.min(addresses.len()),
            };
            for (index, address) in addresses[..most].iter().enumerate() {
                let Some((old, new, outlook)) =
                    compare_one(before, after, sender, &session, address, differences)
                else {
                    continue;
                };
                let of_address = changes.entry(index).or_default();
                let same = of_address.iter_mut().find(|other| {
                    other.outlook == outlook
                        && other.before.is_like(&old)
                        && other.after.is_like(&new)
                });
                match same {
                    Some(same) => same.senders.push((sender, session.client)),
                    None => of_address.push(AddressChange {
                        service: service.clone(),
                        senders: vec![(sender, session.client)],
                        address: address.clone(),
                        before: old,
                        after: new,
                        outlook,
                    }),
                }
            }
        }
        differences.listeners.extend(listeners.into_values());
        differences
            .addresses
            .extend(changes.into_values().flatten());
    }

    /// What becomes of the listener for a sender, where it is not there for him on both sides.
    fn fate(&self, sender: Sender) -> Option<ListenerFate> {
        let (before, after) = match (self.pair.before, self.pair.after) {
            (Some(before), Some(after)) => (before, after),
            (Some(_), None) => return Some(ListenerFate::Gone),
            (None, _) => return Some(ListenerFate::New),
        };
        let is_open = |service: Service<'_>| service.reach() == Reach::Network;
        let has_login =
            |service: Service<'_>| service.parameter("smtpd_sasl_auth_enable").flag() == Some(true);
        match sender {
            Sender::Stranger if is_open(before) && !is_open(after) => Some(ListenerFate::Closed),
            Sender::Stranger if !is_open(before) && is_open(after) => Some(ListenerFate::Opened),
            Sender::User if has_login(before) && !has_login(after) => Some(ListenerFate::NoLogin),
            Sender::User if !has_login(before) => Some(ListenerFate::Login),
            Sender::Network if is_open(before) && !is_open(after) => Some(ListenerFate::Closed),
            Sender::Stranger | Sender::User | Sender::Network | Sender::Host => None,
        }
    }

    /// What that means to a sender.
    fn listener(
        &self,
        service: &str,
        fate: ListenerFate,
        session: &Session,
        addresses: &[String],
    ) -> ListenerChange {
        let first = World::without(NOBODY);
        let treated = |tracer: &Tracer<'_>, address: &str| {
            Treated::of(tracer.plainest(&first, session, address))
        };
        let (witness, outlook) = if fate.is_loss() {
            let missed = self.before.as_ref().and_then(|before| {
                let mut some = addresses.iter().take(MOST_FOR_LISTENER);
                some.find(|address| treated(before, address).arrives())
            });
            (missed.cloned(), Outlook::Lost)
        } else {
            let relayed = self.after.as_ref().and_then(|after| {
                let mut foreign = FOREIGN.into_iter();
                foreign.find(|address| treated(after, address).relays())
            });
            let is_stranger = *session == Session::stranger();
            (
                relayed.filter(|_| is_stranger).map(str::to_owned),
                Outlook::Relays,
            )
        };
        ListenerChange {
            service: service.to_owned(),
            fate,
            outlook: match witness {
                Some(_) => outlook,
                None => Outlook::Other,
            },
            witness,
        }
    }
}

/// Compares one address for one sender: `None` where nothing changes.
fn compare_one(
    before: &Tracer<'_>,
    after: &Tracer<'_>,
    sender: Sender,
    session: &Session,
    address: &str,
    differences: &mut Differences,
) -> Option<(Treated, Treated, Outlook)> {
    let first = World::without(NOBODY);
    let mut old = Treated::of(before.plainest(&first, session, address));
    let mut new = Treated::of(after.plainest(&first, session, address));
    let is_same = old.is_like(&new);
    if is_same && old.depends_on == new.depends_on {
        differences.reworded += usize::from(sender == Sender::Stranger && old.answer != new.answer);
        return None;
    }
    let chances = |tracer: &Tracer<'_>, plain: &Treated| Chances {
        plainest: plain.arrives(),
        some: plain.arrives() || may_arrive(tracer, &first, session, address, plain),
    };
    let (was, is) = (chances(before, &old), chances(after, &new));
    let outlook = outlook(sender, address, (&old, &was), (&new, &is));
    if is_same && outlook == Outlook::Other {
        for doubt in &new.depends_on {
            if !old.depends_on.contains(doubt) {
                *differences.new_doubts.entry(doubt.clone()).or_default() += 1;
            }
        }
        return None;
    }
    let explained = World::explained();
    let then = before.plainest(&explained, session, address).steps;
    let now = after.plainest(&explained, session, address).steps;
    let only = |steps: &[Step], others: &[Step]| -> Vec<Step> {
        let is_new = |step: &&Step| !others.iter().any(|other| other.text == step.text);
        steps.iter().filter(is_new).cloned().collect()
    };
    old.because = only(&then, &now);
    new.because = only(&now, &then);
    Some((old, new, outlook))
}

/// Whether mail arrives in some world.
fn may_arrive(
    tracer: &Tracer<'_>,
    first: &World,
    session: &Session,
    address: &str,
    plain: &Treated,
) -> bool {
    let is_certain = plain.depends_on.is_empty() && !matches!(plain.answer, Answer::Unknown(_));
    if is_certain {
        return false;
    }
    let trace = tracer.trace_from(first, session, address);
    let is_accepted = trace.possible.iter().any(Answer::is_accepted);
    is_accepted && trace.outcomes.iter().any(|one| is_arrival(one.ending))
}

/// What a change means.
fn outlook(
    sender: Sender,
    address: &str,
    (old, was): (&Treated, &Chances),
    (new, is): (&Treated, &Chances),
) -> Outlook {
    if sender == Sender::Stranger && new.relays() && !old.relays() {
        return Outlook::Relays;
    }
    // Nobody has a name that was made up, whatever a table that cannot be looked at might say.
    let is_nobody = address.contains(NOBODY);
    if !was.plainest && (!was.some || is_nobody) {
        return Outlook::Other;
    }
    if !is.some {
        return Outlook::Lost;
    }
    if was.plainest && !is.plainest || old.answer.is_accepted() && !new.answer.is_accepted() {
        return Outlook::MayBeLost;
    }
    let arrivals = |one: &Treated| -> BTreeSet<String> {
        let arrived = one.outcomes.iter().filter(|one| is_arrival(one.ending));
        arrived.map(|one| one.address.to_lowercase()).collect()
    };
    let failures = |one: &Treated| {
        let failed = one.outcomes.iter().filter(|one| !is_arrival(one.ending));
        failed.count()
    };
    let has_all = arrivals(new).is_superset(&arrivals(old));
    if !has_all && failures(new) > failures(old) {
        return Outlook::Lost;
    }
    Outlook::Other
}

fn is_arrival(ending: Ending) -> bool {
    matches!(ending, Ending::Delivered | Ending::Relayed)
}

impl Treated {
    fn of(trace: Trace) -> Self {
        Self {
            answer: trace.answer,
            data: trace.data,
            outcomes: trace.outcomes,
            depends_on: trace.depends_on,
            because: Vec::new(),
            class: trace.class,
        }
    }

    /// Whether the client is told yes, at the end of the message too.
    pub fn is_accepted(&self) -> bool {
        self.answer.is_accepted() && self.data.as_ref().is_none_or(Reply::is_positive)
    }

    /// Whether somebody gets the mail.
    pub fn arrives(&self) -> bool {
        self.is_accepted() && self.outcomes.iter().any(|one| is_arrival(one.ending))
    }

    /// Whether mail for a domain that is nobody's here is passed on.
    fn relays(&self) -> bool {
        let is_passed_on = |one: &Outcome| one.ending == Ending::Relayed;
        self.is_accepted()
            && self.class == Some(Class::Default)
            && self.outcomes.iter().any(is_passed_on)
    }

    /// Whether the same happens, be it with other words.
    fn is_like(&self, other: &Self) -> bool {
        let code = |answer: &Answer| match answer {
            Answer::Reply(stage, reply) => Some((*stage, reply.code, reply.dsn.clone())),
            Answer::Silence(stage, _) => Some((*stage, 0, String::new())),
            Answer::Unknown(_) => None,
        };
        let data = |one: &Self| one.data.as_ref().map(|data| (data.code, data.dsn.clone()));
        let ends = |one: &Self| -> BTreeSet<(String, Ending, String)> {
            let ends = one.outcomes.iter();
            ends.map(|one| (one.address.to_lowercase(), one.ending, one.via.clone()))
                .collect()
        };
        code(&self.answer) == code(&other.answer)
            && data(self) == data(other)
            && ends(self) == ends(other)
    }
}
