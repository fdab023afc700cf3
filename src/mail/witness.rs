//! Addresses that nobody has, and what happens to mail for them: the proof that goes with a finding.

use super::accepted::Accepted;
use super::address::Address;
use super::delivery::{Delivery, Fate, Leaf};
use super::quoting::external;
use super::smtpd::{Listing, Smtpd};
use super::world::World;
use crate::instance::Scale;
use crate::instance::address_class::Class;
use crate::instance::service::{Reach, Service};

/// A local part that no table should have.
pub const NOBODY: &str = "no-such-user-x7q2";
/// An address that every host has.
const OWN_LITERAL: &str = "[127.0.0.1]";
/// So many domains of a list are looked at.
pub const MOST_DOMAINS: usize = 1_000;

/// A recipient whom a stranger may write to, and what becomes of that mail.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The recipient.
    pub address: Address,
    /// What the tables say of the recipient.
    pub listing: Listing,
    /// Where the mail goes in the end.
    pub leaves: Vec<Leaf>,
    /// The world in which it is so.
    pub world: World,
}

impl Acceptance {
    /// Whether a notice of non-delivery surely goes to the sender.
    pub fn bounces(&self) -> bool {
        self.leaves
            .iter()
            .any(|leaf| leaf.is_told && matches!(leaf.fate, Fate::Bounces(_)))
    }

    /// Whether mail surely comes back, to the sender or to somebody who is told in his place: the owner of a
    /// list, or whom the sender is mapped to.
    pub fn comes_back(&self) -> bool {
        self.leaves
            .iter()
            .any(|leaf| matches!(leaf.fate, Fate::Bounces(_)))
    }

    /// The transport to whatever decides about the recipient only after the mail was accepted; `None` where
    /// a notice is certain.
    pub fn late_transport(&self) -> Option<&str> {
        let mut elsewhere = self.leaves.iter().filter_map(|leaf| match &leaf.fate {
            Fate::Elsewhere { transport, .. } => Some(transport.as_str()),
            _ => None,
        });
        elsewhere.next().filter(|_| !self.bounces())
    }

    /// Whether a notice goes to the sender, surely or when the next hop refuses the recipient.
    pub fn may_bounce(&self) -> bool {
        let elsewhere = |leaf: &Leaf| leaf.is_told && matches!(leaf.fate, Fate::Elsewhere { .. });
        self.bounces() || self.leaves.iter().any(elsewhere)
    }
}

impl Service<'_> {
    /// What happens when a stranger writes to `address` through this service; `None` when the mail is
    /// refused, thrown away, or nobody can connect from another host. It is not asked whether smtpd runs
    /// ([`Service::has_relay_guard`]).
    pub fn accepts(&self, address: &Address) -> Option<Acceptance> {
        self.accepts_in(World::default(), address)
    }

    fn accepts_in(&self, mut world: World, address: &Address) -> Option<Acceptance> {
        if self.instance.scale() != Scale::Configuration || self.reach() != Reach::Network {
            return None;
        }
        let smtpd = Smtpd::of(*self);
        let given = address.to_string();
        let verdict = smtpd.answer_stranger(&external(&given), &mut world);
        let accepted = verdict
            .accepted
            .filter(|accepted| !accepted.actions.discard)?;
        let listing = smtpd.recipient_listing(&accepted.sender, &accepted.recipient, &mut world);
        let leaves = self.leaves_of(&accepted, &mut world);
        let is_safe = |leaf: &Leaf| matches!(leaf.fate, Fate::Delivered | Fate::Discarded);
        if accepted.is_probed && !leaves.iter().all(is_safe) {
            return None;
        }
        Some(Acceptance {
            address: address.clone(),
            listing,
            leaves,
            world,
        })
    }

    /// What the tables of this service say of a recipient, whether smtpd looks at them or not.
    pub fn listing(&self, recipient: &Address, world: &mut World) -> Listing {
        Smtpd::of(*self).recipient_listing("", &recipient.to_string(), world)
    }

    /// Where mail that was accepted goes in the end. A content filter is taken to hand it back.
    fn leaves_of(&self, accepted: &Accepted, world: &mut World) -> Vec<Leaf> {
        let after = Delivery::of(*self).deliver_past_filter(accepted, world);
        if after.data.is_positive() {
            let mut leaves = after.leaves;
            // Notices go to whom the sender was mapped to. One that says to be of ours is no stranger.
            let bounces = |leaf: &Leaf| leaf.is_told && matches!(leaf.fate, Fate::Bounces(_));
            let sender = Address::written(self.instance, &accepted.sender);
            if after.backscatter == Some(false)
                && leaves.iter().any(bounces)
                && self.instance.class_of(&sender.domain) == Some(Class::Default)
            {
                leaves.iter_mut().for_each(|leaf| leaf.is_told = false);
            }
            // With soft_bounce it is returned, too, only days later.
            for leaf in leaves.iter_mut().filter(|leaf| leaf.is_soft_bounce) {
                leaf.fate = Fate::Bounces(leaf.text.clone());
            }
            return leaves;
        }
        // The client keeps it and tries again.
        let recipient = Address::written(self.instance, &accepted.recipient);
        vec![Leaf::refused(&recipient, &after.data)]
    }

    /// As [`Service::accepts`], for a name that was made up, in a domain.
    pub fn accepts_nobody(&self, domain: &str) -> Option<Acceptance> {
        self.accepts_in(World::without(NOBODY), &Address::new(NOBODY, domain))
    }

    /// The domains of a class that can be named, those first that look like names of the Internet.
    pub fn domains_of(&self, class: Class) -> Vec<String> {
        let Some(name) = class.facts().domains else {
            return Vec::new();
        };
        let scope = self.instance.program("trivial-rewrite");
        let list = scope.domain_list(name);
        let mut domains: Vec<String> = Vec::new();
        for (domain, _) in list.domains(MOST_DOMAINS) {
            let is_name = !domain.starts_with('.') && !domain.contains(['*', '/', ':']);
            if is_name
                && !domains.contains(&domain)
                && list.find(&domain).is_listed() == Some(true)
                && self.instance.class_of(&domain) == Some(class)
            {
                domains.push(domain);
            }
        }
        let is_literal = |domain: &str| domain.starts_with('[');
        // Mail for an address of this host is local even where no domain is.
        if class == Class::Local && self.instance.class_of(OWN_LITERAL) == Some(Class::Local) {
            domains.push(OWN_LITERAL.to_owned());
        }
        domains.sort_by_key(|domain| {
            let is_ordinary = domain.contains('.') && !domain.starts_with("localhost");
            (is_literal(domain), !is_ordinary)
        });
        domains
    }

    /// A recipient of the class whom nobody has, for whom mail is accepted and may bounce; one about whom
    /// nothing is in doubt, if there is one.
    pub fn unknown_recipient(
        &self,
        class: Class,
        is_wanted: impl Fn(&Acceptance) -> bool,
    ) -> Option<Acceptance> {
        let mut doubtful = None;
        for domain in self.domains_of(class) {
            let Some(acceptance) = self.accepts_nobody(&domain).filter(&is_wanted) else {
                continue;
            };
            if acceptance.world.is_certain() {
                return Some(acceptance);
            }
            doubtful.get_or_insert(acceptance);
        }
        doubtful
    }
}
