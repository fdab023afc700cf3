//! virtual(8) (`src/virtual/mailbox.c`).

use super::addresses::{Entry, View};
use super::obstacle::{Owner, obstacle};
use super::status::Attempt;
use super::{Fate, Journey};
use crate::instance::parameter::Scope;
use crate::instance::table::Maps;

const MISCONFIGURED: (&str, &str) = ("4.3.5", "mail system configuration error");

/// The settings of virtual(8).
#[derive(Debug)]
pub(super) struct VirtualMailbox {
    view: View,
    mailboxes: Maps,
    uids: Maps,
    gids: Maps,
    base: String,
    minimum_uid: i64,
    /// What it dies of when it starts.
    fatal: Option<String>,
}

impl VirtualMailbox {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let maps = |name| scope.maps(name, "virtual");
        Self {
            view: View::of(scope),
            mailboxes: maps("virtual_mailbox_maps"),
            uids: maps("virtual_uid_maps"),
            gids: maps("virtual_gid_maps"),
            base: scope.any_parameter("virtual_mailbox_base").text(),
            minimum_uid: scope
                .any_parameter("virtual_minimum_uid")
                .number()
                .unwrap_or(100),
            fatal: size_conflict(scope, "virtual_mailbox_limit"),
        }
    }
}

/// The limit of a mailbox must not be below that of a message: the agent says so and dies
/// (`src/local/local.c`, `src/virtual/virtual.c`).
pub(super) fn size_conflict(scope: Scope<'_>, limit: &'static str) -> Option<String> {
    let number = |name| scope.any_parameter(name).number();
    let (mailbox, message) = (number(limit)?, number("message_size_limit")?);
    if mailbox <= 0 {
        None
    } else if message <= 0 {
        Some(format!(
            "fatal: configuration error: {limit} is limited but message_size_limit is unlimited"
        ))
    } else if mailbox < message {
        Some(format!(
            "fatal: configuration error: {limit} is smaller than message_size_limit"
        ))
    } else {
        None
    }
}

impl Journey<'_, '_> {
    /// `deliver_recipient` of virtual(8). Returns whether the mail is to be tried again.
    pub(super) fn deliver_virtually(
        &mut self,
        agent: &VirtualMailbox,
        attempt: Attempt<'_>,
    ) -> bool {
        if let Some(fatal) = &agent.fatal {
            self.end(attempt, Fate::PutOff, "", fatal);
            return true;
        }
        let user = agent.view.folded(attempt.address);
        if attempt.mail.delivered_to.contains(&user) {
            let text = format!("mail forwarding loop for {}", attempt.address);
            return self.report(attempt, "5.4.6", &text);
        }
        if !agent.base.starts_with('/') {
            let text = format!(
                "fatal: do not specify relative pathname: virtual_mailbox_base = {}",
                agent.base
            );
            self.end(attempt, Fate::PutOff, "", &text);
            return true;
        }
        let mailbox = match agent
            .view
            .find(self.instance, &agent.mailboxes, &user, self.world)
        {
            Entry::Nothing => {
                let text = format!("unknown user: \"{user}\"");
                return self.report(attempt, "5.1.1", &text);
            }
            Entry::Fails => return self.misconfigured(attempt),
            // Some mailbox.
            Entry::Something(_) => String::new(),
            Entry::Is(hit) => hit.value.to_string(),
        };
        let mut ids = [None; 2];
        for (index, (maps, minimum, name)) in [
            (&agent.uids, agent.minimum_uid, "uid"),
            (&agent.gids, 1, "gid"),
        ]
        .into_iter()
        .enumerate()
        {
            match agent.view.find(self.instance, maps, &user, self.world) {
                Entry::Something(_) => {}
                Entry::Is(hit) => {
                    let value = hit.value.to_string();
                    let number = crate::instance::parameter::parse_number(&value);
                    if number.is_none_or(|number| number < minimum) {
                        self.world.explain(hit.span, || {
                            format!("recipient {user}: bad {name} {value} in {}", maps.title)
                        });
                        return self.misconfigured(attempt);
                    }
                    ids[index] = number.and_then(|number| u32::try_from(number).ok());
                }
                Entry::Nothing | Entry::Fails => {
                    self.world.explain(None, || {
                        format!("recipient {user}: not found in {}", maps.title)
                    });
                    return self.misconfigured(attempt);
                }
            }
        }
        let is_certain = !mailbox.is_empty() && !attempt.mail.is_probe;
        if let ([Some(uid), Some(gid)], true) = (ids, is_certain) {
            let path = format!("{}/{mailbox}", agent.base);
            if let Some(why) = obstacle(self.instance, &path, Owner { uid, gid }) {
                let what = if path.ends_with('/') {
                    "maildir delivery failed".to_owned()
                } else {
                    format!("delivery failed to mailbox {path}")
                };
                return self.report(attempt, "4.2.0", &format!("{what}: {why}"));
            }
        }
        let kind = if mailbox.ends_with('/') {
            "maildir"
        } else {
            "mailbox"
        };
        self.report(attempt, "2.0.0", &format!("delivered to {kind}"))
    }

    fn misconfigured(&mut self, attempt: Attempt<'_>) -> bool {
        let (status, text) = MISCONFIGURED;
        self.report(attempt, status, text)
    }
}
