//! local(8): aliases(5), mailboxes, and what happens to the mail of users who do not exist
//! (`src/local/recipient.c`).

mod alias;
mod command;
mod forward;
mod mailbox;
mod member;

use std::collections::HashSet;

use super::addresses::View;
use super::status::{Attempt, Reporting};
use super::virtual_mailbox::size_conflict;
use super::{Fate, Journey, Mail};
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::service::Service;
use crate::instance::table::{Maps, Only};
use crate::mail::world::Known;
use crate::source::Text;

/// Expansions are nested so deep, counted as local(8) does.
const MOST_LEVELS: i32 = 100;

/// The settings of local(8).
#[derive(Debug)]
pub(super) struct Local {
    view: View,
    aliases: Maps,
    owner_request_special: bool,
    expand_owner_alias: bool,
    reset_owner_alias: bool,
    frozen_delivered_to: bool,
    /// Forwarded mail gets a `Delivered-To:` header.
    marks_forwards: bool,
    commands: Kinds,
    files: Kinds,
    propagates: Kinds,
    delimiters: String,
    users: Maps,
    mailbox_transport_maps: Maps,
    mailbox_transport: String,
    mailbox_command_maps: Maps,
    mailbox_command: String,
    home_mailbox: String,
    mail_spool_directory: String,
    forward_path: Text,
    fallback_transport_maps: Maps,
    fallback_transport: String,
    luser_relay: Text,
    cleanup: String,
    /// What it dies of when it starts.
    fatal: Option<String>,
}

/// For which kinds of expansion something holds.
#[derive(Clone, Copy, Debug)]
struct Kinds {
    alias: bool,
    forward: bool,
    include: bool,
}

/// Where an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expansion {
    /// The queue manager.
    None,
    Alias,
    Forward,
    Include,
}

impl Kinds {
    fn of(scope: Scope<'_>, parameter: &'static str) -> Self {
        let words = scope.any_parameter(parameter).words();
        let has = |word: &str| {
            words
                .iter()
                .any(|other| other.as_str().eq_ignore_ascii_case(word))
        };
        Self {
            alias: has("alias"),
            forward: has("forward"),
            include: has("include"),
        }
    }

    fn has(self, expansion: Expansion) -> bool {
        match expansion {
            Expansion::None => false,
            Expansion::Alias => self.alias,
            Expansion::Forward => self.forward,
            Expansion::Include => self.include,
        }
    }
}

impl Local {
    pub(super) fn of(service: Service<'_>) -> Self {
        let scope = service.scope();
        let maps = |name| scope.maps(name, "local");
        let text = |name| scope.any_parameter(name).text();
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let users = Text::placeless("proxy:unix:passwd.byname");
        let headers = scope.any_parameter("prepend_delivered_header").words();
        Self {
            view: View::of(scope),
            aliases: maps("alias_maps"),
            owner_request_special: flag("owner_request_special"),
            expand_owner_alias: flag("expand_owner_alias"),
            reset_owner_alias: flag("reset_owner_alias"),
            frozen_delivered_to: scope.any_parameter("frozen_delivered_to").flag() != Some(false),
            marks_forwards: headers.iter().any(|word| *word == "forward"),
            commands: Kinds::of(scope, "allow_mail_to_commands"),
            files: Kinds::of(scope, "allow_mail_to_files"),
            propagates: Kinds::of(scope, "propagate_unmatched_extensions"),
            delimiters: text("recipient_delimiter"),
            users: scope.maps_of(&users, "local_recipient_maps", "local"),
            mailbox_transport_maps: maps("mailbox_transport_maps"),
            mailbox_transport: text("mailbox_transport"),
            mailbox_command_maps: maps("mailbox_command_maps"),
            mailbox_command: scope.any_parameter("mailbox_command").raw().to_string(),
            home_mailbox: text("home_mailbox"),
            mail_spool_directory: text("mail_spool_directory"),
            forward_path: scope.any_parameter("forward_path").raw().clone(),
            fallback_transport_maps: maps("fallback_transport_maps"),
            fallback_transport: text("fallback_transport"),
            luser_relay: scope.any_parameter("luser_relay").raw().clone(),
            cleanup: text("cleanup_service_name"),
            fatal: size_conflict(scope, "mailbox_size_limit"),
        }
    }
}

/// What local(8) keeps of the address that it is at.
#[derive(Clone, Debug)]
struct State {
    level: i32,
    address: String,
    /// In lower case.
    local: String,
    domain: String,
    /// The local part without extension.
    user: String,
    extension: Option<String>,
    /// The extension that goes on to the members of an expansion.
    unmatched: Option<String>,
    /// The name that is being expanded.
    expands: Option<String>,
    expansion: Expansion,
    /// Who answers for a list: members that are local are sent mail as a new message.
    owner: Option<String>,
    /// The sender that an owner- alias has given the message.
    sender: Option<String>,
    /// What the `Delivered-To:` header of a forwarded message says.
    delivered: Option<String>,
    /// The home directory, where the rights of a user are used.
    home: Option<String>,
}

/// A message that is to be sent on: one for each sender and `Delivered-To:` header.
struct Forward {
    recipients: Vec<String>,
    sender: Option<String>,
    delivered: String,
}

/// The delivery of one recipient of the queue.
struct Run<'r, 'j, 'i> {
    journey: &'r mut Journey<'j, 'i>,
    agent: &'r Local,
    mail: &'r Mail,
    class: Option<Class>,
    /// The name of the service.
    via: &'r str,
    reporting: &'r Reporting,
    nexthop: &'r str,
    /// What was done, so that it is not done twice.
    done: HashSet<String>,
    forwards: Vec<Forward>,
}

impl Journey<'_, '_> {
    /// `local_deliver` for one recipient. Returns whether the mail is to be tried again.
    pub(super) fn deliver_locally(
        &mut self,
        agent: &Local,
        attempt: Attempt<'_>,
        nexthop: &str,
    ) -> bool {
        if let Some(fatal) = &agent.fatal {
            self.end(attempt, Fate::PutOff, "", fatal);
            return true;
        }
        let start = self.leaves.len();
        let mut run = Run {
            agent,
            mail: attempt.mail,
            class: attempt.class,
            via: attempt.via,
            reporting: attempt.reporting,
            nexthop,
            done: HashSet::new(),
            forwards: Vec::new(),
            journey: self,
        };
        let mut is_deferred = run.recipient(State {
            // One less than the number of calls that `src/local` counts up to here: that number is what
            // Postfix shows in the name at which it breaks a loop.
            level: -1,
            address: attempt.address.to_owned(),
            local: String::new(),
            domain: String::new(),
            user: String::new(),
            extension: None,
            unmatched: None,
            expands: None,
            expansion: Expansion::None,
            owner: None,
            sender: None,
            delivered: None,
            home: None,
        });
        let forwards = run.forwards;
        // Nothing is sent on before all others have their mail.
        let is_sent_on = !forwards.is_empty() && !is_deferred;
        for forward in forwards.into_iter().filter(|_| is_sent_on) {
            let mut mail = attempt.mail.clone();
            mail.forwards += 1;
            if let Some(sender) = forward.sender {
                mail.sender = sender;
                mail.is_strangers = false;
            }
            if agent.marks_forwards {
                mail.delivered_to
                    .push(agent.view.folded(&forward.delivered));
            }
            self.world.explain(None, || {
                let recipients = forward.recipients.join(", ");
                format!("{}: forwarded to {recipients}", attempt.via)
            });
            if self.forward(&agent.cleanup, &mail, &forward.recipients) {
                is_deferred = true;
                self.end(attempt, Fate::PutOff, "", "");
                break;
            }
        }
        if self.leaves.len() == start && !is_sent_on && !is_deferred {
            // Nobody got it, and nobody is told.
            self.end(attempt, Fate::Discarded, "", "");
        }
        is_deferred
    }
}

impl<'r> Run<'r, '_, '_> {
    /// The attempt to deliver to the address that the state is at.
    fn attempt<'s>(&self, state: &'s State) -> Attempt<'s>
    where
        'r: 's,
    {
        Attempt {
            mail: self.mail,
            address: &state.address,
            class: self.class,
            via: self.via,
            reporting: self.reporting,
        }
    }

    /// What a name stands for in `luser_relay` and `forward_path` (`src/local/local_expand.c`); `None` for one
    /// that local(8) does not know, or that is not set. The home directory is not among them.
    fn local_name(&self, state: &State, name: &str) -> Option<Text> {
        let delimiter;
        let value = match name {
            "user" => state.user.as_str(),
            "local" | "mailbox" => &state.local,
            "domain" => &state.domain,
            "extension" => state.extension.as_ref()?,
            "recipient" => &state.address,
            "recipient_delimiter" => {
                let found = state.local.get(state.user.len()..);
                let found = found.and_then(|rest| rest.chars().next());
                let found = found.or(self.agent.delimiters.chars().next());
                delimiter = found.map(String::from).unwrap_or_default();
                &delimiter
            }
            _ => return None,
        };
        // Not to be expanded once more.
        Some(Text::placeless(&value.replace('$', "$$")))
    }

    /// Reports what became of the address that the state is at. Returns whether it is to be tried again.
    fn report(&mut self, state: &State, status: &str, text: &str) -> bool {
        let attempt = self.attempt(state);
        self.journey.report(attempt, status, text)
    }

    /// As [`Run::report`], to the owner of a list where there is one (`src/local/bounce_workaround.c`).
    fn report_to_owner(&mut self, state: &State, status: &str, text: &str) -> bool {
        let mail = Mail {
            is_strangers: self.mail.is_strangers && state.sender.is_none(),
            ..self.mail.clone()
        };
        let attempt = Attempt {
            mail: &mail,
            ..self.attempt(state)
        };
        self.journey.report(attempt, status, text)
    }

    /// There is neither an alias nor a user of a name that has to be there.
    fn discarded(&mut self, state: &State) -> bool {
        let attempt = self.attempt(state);
        self.journey
            .end(attempt, Fate::Discarded, "2.0.0", "discarded");
        false
    }

    /// A table that nobody can look at decides.
    fn unknown(&mut self, state: &State, table: String) -> bool {
        let text = format!("{table} decides, and cannot be looked at");
        let attempt = self.attempt(state);
        self.journey.end(attempt, Fate::Unknown(table), "", &text);
        false
    }

    /// Passes the message on to another agent, given as `transport:nexthop`.
    fn pass(&mut self, state: &State, service: &str) -> bool {
        let attempt = self.attempt(state);
        self.journey.pass(attempt, service, self.nexthop)
    }

    fn ask(&mut self, maps: &Maps, key: &str) -> Known {
        if maps.is_empty() {
            return Known::Nothing;
        }
        let answer = maps.find(key.as_bytes(), Only::All);
        let known = self.journey.world.judge(self.journey.instance, key, answer);
        if let Known::Hit(hit) = &known {
            self.journey.world.explain(hit.span, || {
                format!("{}: {key} is {}", maps.title, hit.value)
            });
        }
        known
    }

    /// Whether something was done before; it counts as done from now on.
    fn been_here(&mut self, what: &str) -> bool {
        !self.done.insert(what.to_lowercase())
    }

    /// `deliver_recipient`.
    fn recipient(&mut self, mut state: State) -> bool {
        state.level += 1;
        if self.journey.gives_up(self.mail, &state.address) {
            return false;
        }
        if state.level > MOST_LEVELS {
            return self.report(&state, "5.4.6", "recipient nesting limit exceeded");
        }
        if self.been_here(&format!("recipient {} {}", state.level, state.address)) {
            return false;
        }
        let folded = self.agent.view.folded(&state.address);
        if self.mail.delivered_to.contains(&folded) {
            let text = format!("mail forwarding loop for {}", state.address);
            return self.report_to_owner(&state, "5.4.6", &text);
        }
        state.delivered.get_or_insert_with(|| state.address.clone());
        let (local, domain) = folded.rsplit_once('@').unwrap_or((&folded, ""));
        domain.clone_into(&mut state.domain);
        local.clone_into(&mut state.local);
        local.clone_into(&mut state.user);
        state.extension = None;
        if let Some((user, rest)) = self.agent.view.split(local) {
            let extension: String = rest.chars().skip(1).collect();
            user.clone_into(&mut state.user);
            if extension.contains('/') {
                user.clone_into(&mut state.local);
            } else {
                state.extension = Some(extension);
            }
        }
        state.unmatched.clone_from(&state.extension);
        if state.user.is_empty() {
            let text = format!("null username in \"{}\"", state.address);
            return self.report(&state, "5.1.3", &text);
        }
        self.switch(state)
    }

    /// `deliver_switch`.
    fn switch(&mut self, mut state: State) -> bool {
        state.level += 1;
        if state.address.starts_with('\\') {
            for part in [&mut state.address, &mut state.local, &mut state.user] {
                part.remove(0);
            }
            return self.mailbox(&state).unwrap_or_else(|| self.nobody(state));
        }
        let extension = state.extension.clone();
        state.unmatched = None;
        if let Some(status) = self.alias(state.clone(), &state.local.clone()) {
            return status;
        }
        if extension.is_some() {
            if self.agent.propagates.alias {
                state.unmatched.clone_from(&extension);
            }
            if let Some(status) = self.alias(state.clone(), &state.user.clone()) {
                return status;
            }
        }
        state.unmatched = extension;
        let is_other = |owner: &String| !owner.eq_ignore_ascii_case(&state.user);
        if state.owner.as_ref().is_some_and(is_other) || state.expansion == Expansion::Include {
            return self.indirect(&state);
        }
        if let Some(status) = self.dot_forward(state.clone()) {
            return status;
        }
        self.mailbox(&state).unwrap_or_else(|| self.nobody(state))
    }

    /// `deliver_indirect`: the message is sent on as a new one.
    fn indirect(&mut self, state: &State) -> bool {
        if self.been_here(&format!("indirect {}", state.address)) {
            return false;
        }
        if self.mail.is_probe {
            return self.report(state, "2.0.0", &format!("forwards to {}", state.address));
        }
        let delivered = state.delivered.clone().unwrap_or_default();
        let recipient = state.address.clone();
        let known = (self.forwards.iter_mut())
            .find(|forward| forward.sender == state.sender && forward.delivered == delivered);
        match known {
            Some(forward) => forward.recipients.push(recipient),
            None => self.forwards.push(Forward {
                recipients: vec![recipient],
                sender: state.sender.clone(),
                delivered,
            }),
        }
        false
    }
}
