//! What verify(8) learns of an address: it sends a probe, and each agent says what it would do
//! (`src/verify/verify.c`, `src/global/verify.c`).

use super::cleanup::Envelope;
use super::{Delivery, Fate, Journey, Mail};
use crate::instance::Instance;
use crate::instance::parameter::Scope;
use crate::mail::world::World;

/// What smtpd(8) hears as long as there is no answer.
const IN_PROGRESS: &str = "Address verification in progress";

/// The parameters that trivial-rewrite(8) reads for probes in place of others, by those.
const OTHER_WAYS: [(&str, &str); 8] = [
    ("address_verify_local_transport", "$local_transport"),
    ("address_verify_virtual_transport", "$virtual_transport"),
    ("address_verify_relay_transport", "$relay_transport"),
    ("address_verify_default_transport", "$default_transport"),
    ("address_verify_transport_maps", "$transport_maps"),
    ("address_verify_relayhost", "$relayhost"),
    (
        "address_verify_sender_dependent_relayhost_maps",
        "$sender_dependent_relayhost_maps",
    ),
    (
        "address_verify_sender_dependent_default_transport_maps",
        "$sender_dependent_default_transport_maps",
    ),
];

/// What a probe comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::mail) enum Probe {
    /// Mail would be taken.
    Deliverable,
    /// Mail would bounce: the reason.
    Undeliverable(String),
    /// Mail would wait: the reason.
    Waits(String),
    /// Another server, or something that cannot be looked at, decides.
    Depends,
}

impl Delivery<'_> {
    /// What a probe of an address comes to, one that nobody has asked for before.
    pub(in crate::mail) fn probe(&self, address: &str, world: &mut World) -> Probe {
        let in_progress = || Probe::Waits(IN_PROGRESS.to_owned());
        if has_other_ways(self.instance) {
            return Probe::Depends;
        }
        let scope = self.instance.program("verify");
        let cleanup = self.agents.cleanup("cleanup");
        let sender = match scope.any_parameter("address_verify_sender").text().as_str() {
            "" | "<>" => String::new(),
            sender => self.agents.view.canonical(sender),
        };
        let Ok(sender) = cleanup.sender(self.instance, &sender, true, world) else {
            return in_progress();
        };
        let envelope = Envelope {
            sender: &sender,
            recipient: address,
            is_mapped: true,
            has_bcc: false,
            is_told: true,
            is_first: true,
        };
        let Ok(recipients) = cleanup.recipients(self.instance, envelope, world) else {
            return in_progress();
        };
        let mut recipients = recipients.into_iter();
        let (Some(recipient), None) = (recipients.next(), recipients.next()) else {
            // "aliased to multiple recipients"
            return Probe::Deliverable;
        };
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
            is_probe: true,
            sender,
            delivered_to: Vec::new(),
            forwards: 0,
        };
        journey.queue_recipient(&mail, recipient, None);
        let Some(leaf) = journey.leaves.pop() else {
            return in_progress();
        };
        let remembers = flag(scope, "address_verify_negative_cache");
        match leaf.fate {
            Fate::Delivered | Fate::Discarded => Probe::Deliverable,
            Fate::Elsewhere { .. } | Fate::Unknown(_) => Probe::Depends,
            Fate::Held => in_progress(),
            Fate::Bounces(_) | Fate::PutOff if !remembers => in_progress(),
            Fate::Bounces(_) => Probe::Undeliverable(leaf.text),
            // Probes know no soft_bounce.
            Fate::PutOff if leaf.is_soft_bounce => Probe::Undeliverable(leaf.text),
            Fate::PutOff if leaf.text.is_empty() => in_progress(),
            Fate::PutOff if leaf.text.starts_with("fatal: ") => {
                Probe::Waits("unknown mail transport error".to_owned())
            }
            Fate::PutOff => Probe::Waits(leaf.text),
        }
    }
}

fn flag(scope: Scope<'_>, name: &'static str) -> bool {
    scope.any_parameter(name).flag() != Some(false)
}

/// Whether probes go other ways than mail.
fn has_other_ways(instance: &Instance) -> bool {
    let scope = instance.program("trivial-rewrite");
    OTHER_WAYS.iter().any(|(name, usual)| {
        let raw = scope.any_parameter(name).raw().to_string();
        raw.trim() != *usual
    })
}
