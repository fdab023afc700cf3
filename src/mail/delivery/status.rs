//! What an agent reports of a delivery (`src/global/bounce.c`, `defer.c`, `sent.c`, `dsn_filter.c`).

use super::{Fate, Journey, Leaf, Mail, address_of};
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::table::{Maps, Only};
use crate::mail::dsn;
use crate::mail::world::Known;

/// How an agent reports.
#[derive(Debug)]
pub(super) struct Reporting {
    soft_bounce: bool,
    filter: Maps,
}

impl Reporting {
    pub(super) fn of(scope: Scope<'_>, program: &'static str) -> Self {
        let filter = match program {
            "smtp" => "smtp_delivery_status_filter",
            "lmtp" => "lmtp_delivery_status_filter",
            "local" => "local_delivery_status_filter",
            "virtual" => "virtual_delivery_status_filter",
            "pipe" => "pipe_delivery_status_filter",
            "error" => "error_delivery_status_filter",
            _ => "default_delivery_status_filter",
        };
        Self {
            soft_bounce: scope.any_parameter("soft_bounce").flag() == Some(true),
            filter: scope.maps(filter, program),
        }
    }
}

/// The circumstances of a report.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt<'a> {
    pub(super) mail: &'a Mail,
    /// The recipient.
    pub(super) address: &'a str,
    pub(super) class: Option<Class>,
    /// The name of the service; empty for the queue manager.
    pub(super) via: &'a str,
    pub(super) reporting: &'a Reporting,
}

impl Journey<'_, '_> {
    /// Reports a delivery with a status and a text. Returns whether it is to be tried again.
    pub(super) fn report(&mut self, attempt: Attempt<'_>, status: &str, text: &str) -> bool {
        let (status, text) = self.filtered(attempt.reporting, status, &printable(text));
        let is_permanent = status.starts_with('5');
        let mut dsn = status;
        let fate = match dsn.as_bytes().first() {
            Some(b'2') => Fate::Delivered,
            Some(b'4') => Fate::PutOff,
            _ if attempt.reporting.soft_bounce => {
                dsn.replace_range(..1, "4");
                Fate::PutOff
            }
            _ => Fate::Bounces(text.clone()),
        };
        let is_deferred = fate == Fate::PutOff;
        let is_soft_bounce = is_deferred && is_permanent;
        self.end(attempt, fate, &dsn, &text);
        if let Some(leaf) = self.leaves.last_mut() {
            leaf.is_soft_bounce = is_soft_bounce;
        }
        is_deferred
    }

    /// Adds a leaf.
    pub(super) fn end(&mut self, attempt: Attempt<'_>, fate: Fate, dsn: &str, text: &str) {
        self.world.explain(None, || {
            let via = if attempt.via.is_empty() {
                String::new()
            } else {
                format!("{}: ", attempt.via)
            };
            let what = match &fate {
                Fate::Delivered => "delivered",
                Fate::Discarded => "discarded",
                Fate::Held => "held",
                Fate::Bounces(_) => "bounces",
                Fate::Elsewhere { .. } => "passed on",
                Fate::PutOff => "stays in the queue",
                Fate::Unknown(_) => "unknown",
            };
            let text = if text.is_empty() {
                String::new()
            } else {
                format!(" ({text})")
            };
            format!("{via}mail for {} is {what}{text}", attempt.address)
                .replace("is bounces", "bounces")
                .replace("is stays", "stays")
        });
        self.leaves.push(Leaf {
            address: address_of(attempt.address),
            class: attempt.class,
            fate,
            dsn: dsn.to_owned(),
            via: attempt.via.to_owned(),
            text: text.to_owned(),
            is_told: attempt.mail.is_strangers && attempt.mail.is_told,
            is_soft_bounce: false,
        });
    }

    /// What `…_delivery_status_filter` makes of a status.
    fn filtered(&mut self, reporting: &Reporting, status: &str, text: &str) -> (String, String) {
        let same = (status.to_owned(), text.to_owned());
        if reporting.filter.is_empty() {
            return same;
        }
        let key = format!("{status} {text}");
        let answer = reporting.filter.find(key.as_bytes(), Only::All);
        let Known::Hit(hit) = self.world.judge(self.instance, &key, answer) else {
            return same;
        };
        match dsn::split(hit.value.as_str()) {
            // Success stays success, and nothing else becomes one.
            Some((changed, text)) if changed.starts_with('2') == status.starts_with('2') => {
                (changed.to_owned(), text.to_owned())
            }
            _ => same,
        }
    }
}

/// A text as it is logged (`src/util/printable.c`).
fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_ascii_control(), "?")
}
