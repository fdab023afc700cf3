//! Mailboxes, and users who do not exist (`src/local/mailbox.c`, `src/local/unknown.c`).

use super::super::addresses::same;
use super::super::obstacle::obstacle;
use super::{Run, State};
use crate::instance::table::Maps;
use crate::mail::world::Known;
use crate::syntax::expression;
use crate::syntax::token;

impl Run<'_, '_, '_> {
    /// `deliver_mailbox`: `None` when there is no such user.
    pub(super) fn mailbox(&mut self, state: &State) -> Option<bool> {
        if self.been_here(&format!("mailbox {}", state.local)) {
            return Some(false);
        }
        let agent = self.agent;
        let passed = self.passed_on(
            state,
            &agent.mailbox_transport_maps,
            &agent.mailbox_transport,
        );
        if passed.is_some() {
            return passed;
        }
        match self.ask(&agent.users, &state.user) {
            Known::Hit(_) | Known::Something(_) => {}
            Known::Nothing => return None,
            Known::Fails(_) => return Some(self.report(state, "4.0.0", "user lookup error")),
        }
        if self.mail.is_probe {
            return Some(self.report(state, "2.0.0", "delivers to mailbox"));
        }
        let command = match self.ask(&agent.mailbox_command_maps, &state.user) {
            Known::Hit(hit) => hit.value.to_string(),
            Known::Something(table) => return Some(self.unknown(state, table)),
            Known::Nothing => agent.mailbox_command.clone(),
            Known::Fails(_) => return Some(self.report(state, "4.3.0", "table lookup failure")),
        };
        if !command.is_empty() {
            return Some(self.command(state, &command));
        }
        let path = if self.is_in_home() {
            &agent.home_mailbox
        } else {
            &agent.mail_spool_directory
        };
        if let Some(text) = self.mailbox_obstacle(state) {
            return Some(self.report(state, "5.2.0", &text));
        }
        let kind = if path.ends_with('/') {
            "maildir"
        } else {
            "mailbox"
        };
        Some(self.report(state, "2.0.0", &format!("delivered to {kind}")))
    }

    /// Whether mail goes to the home directory. A directory of maildirs goes before a mailbox there.
    fn is_in_home(&self) -> bool {
        let agent = self.agent;
        let has_maildirs = agent.mail_spool_directory.ends_with('/');
        agent.home_mailbox.ends_with('/') || (!agent.home_mailbox.is_empty() && !has_maildirs)
    }

    /// Why the mailbox of a user cannot be written.
    fn mailbox_obstacle(&self, state: &State) -> Option<String> {
        let agent = self.agent;
        let account = self.account(&state.user)?;
        let mailbox = if !self.is_in_home() {
            // Where only root can write, it does so for the user, or with the rights of the group.
            if !agent.mail_spool_directory.ends_with('/') {
                return None;
            }
            format!("{}/{}/", agent.mail_spool_directory, state.user)
        } else {
            format!("{}/{}", account.home, agent.home_mailbox)
        };
        let why = obstacle(self.journey.instance, &mailbox, account.owner)?;
        Some(if mailbox.ends_with('/') {
            format!("maildir delivery failed: {why}")
        } else {
            format!(
                "cannot update mailbox {mailbox} for user {}. {why}",
                state.user
            )
        })
    }

    /// Whether a table for the user, or a parameter, names another agent.
    fn passed_on(&mut self, state: &State, maps: &Maps, transport: &str) -> Option<bool> {
        match self.ask(maps, &state.user) {
            Known::Hit(hit) => Some(self.pass(state, hit.value.as_str())),
            Known::Something(table) => Some(self.unknown(state, table)),
            Known::Fails(_) => Some(self.report(state, "4.3.0", "table lookup failure")),
            Known::Nothing if transport.is_empty() => None,
            Known::Nothing => Some(self.pass(state, transport)),
        }
    }

    /// `deliver_unknown`.
    pub(super) fn nobody(&mut self, mut state: State) -> bool {
        state.level += 1;
        if self.been_here(&format!("unknown {}", state.local)) {
            return false;
        }
        let agent = self.agent;
        let passed = self.passed_on(
            &state,
            &agent.fallback_transport_maps,
            &agent.fallback_transport,
        );
        if let Some(status) = passed {
            return status;
        }
        if !agent.luser_relay.is_empty() {
            let relay = self.luser_relay(&state);
            self.journey.world.explain(agent.luser_relay.span(), || {
                format!("luser_relay is {relay}")
            });
            state.unmatched = None;
            // What is not one address is a name as it stands, mostly one that nobody has: local(8) comes here once
            // more, and stops without a word. An empty one is empty_address_recipient.
            let addresses = token::addresses(relay.as_bytes());
            let [one] = addresses.as_slice() else {
                return self.address(state, relay.trim());
            };
            let one = String::from_utf8_lossy(&one.internal(relay.as_bytes())).into_owned();
            if !same(&agent.view.canonical(&one), &state.address) {
                return self.address(state, &one);
            }
        } else if matches!(state.user.as_str(), "postmaster" | "mailer-daemon") {
            return self.discarded(&state);
        }
        let text = format!("unknown user: \"{}\"", state.user);
        self.report(&state, "5.1.1", &text)
    }

    /// `luser_relay` with the names that local(8) knows; all others are empty (`src/local/local_expand.c`).
    fn luser_relay(&self, state: &State) -> String {
        let expanded = expression::expand(
            &self.agent.luser_relay,
            self.journey.instance.dialect(),
            &|name| self.local_name(state, name),
        );
        expanded.map(|text| text.to_string()).unwrap_or_default()
    }
}
