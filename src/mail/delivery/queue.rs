//! The queue manager: which agent a recipient is given to (`src/qmgr/qmgr_message.c`).

use super::addresses::{halves, same};
use super::cleanup::{Envelope, Recipient};
use super::status::{Attempt, Reporting};
use super::{Fate, Journey, MOST_STEPS, Mail};
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::mail::resolve::State;

/// The settings of qmgr(8).
#[derive(Debug)]
pub(super) struct Settings {
    defer_transports: Vec<String>,
    double_bounce: String,
    default_filter_nexthop: String,
    hopcount_limit: usize,
    pub(super) reporting: Reporting,
}

impl Settings {
    pub(super) fn of(instance: &Instance) -> Self {
        let scope = instance.program("qmgr");
        let text = |name| scope.any_parameter(name).text();
        let words = scope.any_parameter("defer_transports").words();
        let limit = instance
            .program("cleanup")
            .any_parameter("hopcount_limit")
            .number();
        Self {
            defer_transports: words.iter().map(ToString::to_string).collect(),
            double_bounce: text("double_bounce_sender"),
            default_filter_nexthop: text("default_filter_nexthop"),
            hopcount_limit: limit
                .and_then(|limit| usize::try_from(limit).ok())
                .unwrap_or(50),
            reporting: Reporting::of(scope, "qmgr"),
        }
    }
}

impl Journey<'_, '_> {
    /// A recipient in the hold queue.
    pub(super) fn hold(&mut self, address: &str, is_told: bool) {
        let mail = Mail {
            sender: String::new(),
            is_strangers: true,
            is_told,
            is_probe: false,
            delivered_to: Vec::new(),
            forwards: 0,
        };
        let agents = self.agents;
        let attempt = Attempt {
            mail: &mail,
            address,
            class: None,
            via: "",
            reporting: &agents.queue.reporting,
        };
        self.end(attempt, Fate::Held, "", "");
    }

    /// A recipient of a message that cleanup(8) has taken; `filter` is the filter in `transport:destination`
    /// form.
    pub(super) fn queue_recipient(
        &mut self,
        mail: &Mail,
        recipient: Recipient,
        filter: Option<&str>,
    ) {
        let mail = Mail {
            is_told: mail.is_told && recipient.is_told,
            ..mail.clone()
        };
        if let Some(table) = recipient.unknown {
            let mut address = recipient.address;
            if address.is_empty() {
                table.clone_into(&mut address);
            }
            self.unknown(&mail, &address, table);
            return;
        }
        let agents = self.agents;
        if let Some(filter) = filter {
            let (transport, nexthop) = filter.split_once(':').unwrap_or((filter, ""));
            let (_, domain) = halves(&recipient.address);
            let nexthop = [nexthop, &agents.queue.default_filter_nexthop, domain]
                .into_iter()
                .find(|nexthop| !nexthop.is_empty())
                .unwrap_or_default();
            self.world.explain(None, || {
                format!("the content filter {filter} gets the message first")
            });
            self.hand_over(&mail, &recipient.address, None, transport, nexthop);
            return;
        }
        self.dispatch(&mail, &recipient.address);
    }

    fn unknown(&mut self, mail: &Mail, address: &str, table: String) {
        let agents = self.agents;
        let attempt = Attempt {
            mail,
            address,
            class: None,
            via: "",
            reporting: &agents.queue.reporting,
        };
        let text = format!("{table} decides, and cannot be looked at");
        self.end(attempt, Fate::Unknown(table), "", &text);
    }

    /// Whether there is so much to follow that it is given up.
    pub(super) fn gives_up(&mut self, mail: &Mail, address: &str) -> bool {
        self.steps += 1;
        if self.steps == MOST_STEPS {
            self.unknown(mail, address, "the number of aliases".to_owned());
        }
        self.steps >= MOST_STEPS
    }

    /// `qmgr_message_resolve` for one recipient.
    fn dispatch(&mut self, mail: &Mail, address: &str) {
        if self.gives_up(mail, address) {
            return;
        }
        let agents = self.agents;
        let resolution = agents
            .view
            .resolve(self.instance, &mail.sender, address, self.world);
        match resolution.state {
            State::Fine => {}
            State::Fails(_) => {
                self.hand_over(
                    mail,
                    address,
                    None,
                    "retry",
                    "4.3.0 address resolver failure",
                );
                return;
            }
            State::Syntax => {
                self.hand_over(mail, address, None, "error", "5.1.3 bad address syntax");
                return;
            }
            State::Unknown(table) => {
                self.unknown(mail, address, table);
                return;
            }
            State::Hangs(text) => {
                let attempt = self.queue_attempt(mail, address, None);
                self.end(attempt, Fate::PutOff, "", &text);
                return;
            }
        }
        let recipient = resolution.recipient.as_str();
        let class = Some(resolution.class);
        let (local, _) = halves(recipient);
        if resolution.class == Class::Local && same(local, &agents.queue.double_bounce) {
            let attempt = self.queue_attempt(mail, recipient, class);
            let text = "undeliverable postmaster notification discarded";
            self.end(attempt, Fate::Discarded, "2.0.0", text);
            return;
        }
        let (mut transport, mut nexthop) =
            (resolution.transport.as_str(), resolution.nexthop.as_str());
        self.world.explain(None, || {
            format!(
                "{recipient} is in the class {} and goes to {transport}:{nexthop}",
                resolution.class.facts().name
            )
        });
        if agents
            .queue
            .defer_transports
            .iter()
            .any(|deferred| deferred == transport)
        {
            self.world
                .explain(None, || format!("defer_transports: {transport} waits"));
            (transport, nexthop) = ("retry", "4.3.2 deferred transport");
        }
        self.hand_over(mail, recipient, class, transport, nexthop);
    }

    pub(super) fn queue_attempt<'a>(
        &self,
        mail: &'a Mail,
        address: &'a str,
        class: Option<Class>,
    ) -> Attempt<'a>
    where
        Self: 'a,
    {
        Attempt {
            mail,
            address,
            class,
            via: "",
            reporting: &self.agents.queue.reporting,
        }
    }

    /// local(8) sends a message on as a new one, through cleanup(8). Returns whether that fails.
    pub(super) fn forward(&mut self, cleanup: &str, mail: &Mail, recipients: &[String]) -> bool {
        let agents = self.agents;
        // Each forward adds a Received: header, and smtpd has added one.
        if mail.forwards + 1 >= agents.queue.hopcount_limit {
            for recipient in recipients {
                let attempt = self.queue_attempt(mail, recipient, None);
                self.report(attempt, "5.4.0", "too many hops");
            }
            return false;
        }
        let cleanup = agents.cleanup(cleanup);
        let entered = cleanup.sender(self.instance, &mail.sender, true, self.world);
        let Ok(sender) = entered else { return true };
        let mut queued: Vec<Recipient> = Vec::new();
        for recipient in recipients {
            if self.gives_up(mail, recipient) {
                return true;
            }
            let envelope = Envelope {
                sender: &sender,
                recipient,
                is_mapped: true,
                has_bcc: false,
                is_told: mail.is_told,
                is_first: true,
            };
            let Ok(entered) = cleanup.recipients(self.instance, envelope, self.world) else {
                return true;
            };
            for recipient in entered {
                if !queued.contains(&recipient) {
                    queued.push(recipient);
                }
            }
        }
        let mail = Mail {
            sender,
            ..mail.clone()
        };
        for recipient in queued {
            self.queue_recipient(&mail, recipient, None);
        }
        false
    }
}
