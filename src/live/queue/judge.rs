//! Which message is not wanted: a notice to a stranger, or mail whose recipients are all refused today. The
//! model of mail says what is ours and what is refused.

use std::collections::HashMap;

use super::listing::Message;
use crate::instance::address_class::Class;
use crate::mail::{Answer, Reply, Session, Stage, Tracer};
use crate::source::Span;

/// So many answers are remembered; the queue may hold any number of addresses.
const MOST_REMEMBERED: usize = 50_000;

/// Why a message is not wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The sender is empty, and nobody who gets it is one of ours: a notice of non-delivery to whoever the
    /// sender of some mail was said to be, or an answer that a user of ours sends by itself. The listing does
    /// not tell these two apart.
    Notice,
    /// All recipients are ours, and refused for sure.
    Refused(Refusal),
}

/// How a recipient is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The reply to RCPT TO.
    pub reply: Reply,
    /// What says so.
    pub span: Option<Span>,
}

/// Judges messages by one configuration.
#[derive(Debug)]
pub struct Judge<'i> {
    tracer: Tracer<'i>,
    empty_sender: String,
    stranger: Session,
    insider: Session,
    classes: HashMap<String, Option<Class>>,
    refusals: HashMap<String, Option<Refusal>>,
}

impl<'i> Judge<'i> {
    /// Judges by what a service that runs smtpd(8) says.
    pub fn of(tracer: Tracer<'i>) -> Self {
        let instance = tracer.service().instance;
        let stranger = Session::stranger();
        Self {
            empty_sender: instance.parameter("empty_address_recipient").text(),
            insider: Session {
                client: std::net::IpAddr::from([127, 0, 0, 1]),
                client_name: Some("localhost".to_owned()),
                reverse_name: Some("localhost".to_owned()),
                tls: true,
                sasl_user: Some("user".to_owned()),
                ..stranger.clone()
            },
            stranger,
            tracer,
            classes: HashMap::new(),
            refusals: HashMap::new(),
        }
    }

    /// Why a message is not wanted; `None` where that is not certain.
    pub fn judge(&mut self, message: &Message<'_>) -> Option<Kind> {
        if message.recipients.is_empty() {
            return None;
        }
        let addresses = || {
            message.recipients.iter().flat_map(|recipient| {
                std::iter::once(&recipient.address).chain(recipient.original.as_ref())
            })
        };
        let sender = &*message.sender;
        let is_null = ["", "<>", "MAILER-DAEMON", &self.empty_sender].contains(&sender);
        if is_null && addresses().all(|address| self.class(address) == Some(Class::Default)) {
            return Some(Kind::Notice);
        }
        let mut first = None;
        for address in addresses() {
            let refusal = self.refusal(address)?;
            first.get_or_insert(refusal);
        }
        first.map(Kind::Refused)
    }

    /// The class of an address, where that is certain. It depends on the domain alone.
    fn class(&mut self, address: &str) -> Option<Class> {
        let (_, domain) = address.rsplit_once('@')?;
        if domain.contains('\u{fffd}') {
            return None;
        }
        if let Some(known) = self.classes.get(domain) {
            return *known;
        }
        if self.classes.len() >= MOST_REMEMBERED {
            self.classes.clear();
        }
        let class = self.tracer.class(&format!("x@{domain}"));
        self.classes.insert(domain.to_owned(), class);
        class
    }

    /// How a recipient of ours is refused, strangers and users alike: then it is for the recipient's sake.
    fn refusal(&mut self, address: &str) -> Option<Refusal> {
        if matches!(self.class(address), None | Some(Class::Default)) {
            return None;
        }
        if let Some(known) = self.refusals.get(address) {
            return known.clone();
        }
        if self.refusals.len() >= MOST_REMEMBERED {
            self.refusals.clear();
        }
        let refused = |session: &Session| {
            let trace = self.tracer.trace(session, address);
            match trace.answer {
                Answer::Reply(Stage::Rcpt, reply)
                    if reply.code >= 500 && reply.text.contains("Recipient address rejected") =>
                {
                    let span = trace.steps.iter().rev().find_map(|step| step.span);
                    Some(Refusal { reply, span })
                }
                _ => None,
            }
        };
        let refusal = refused(&self.insider).and_then(|_| refused(&self.stranger));
        self.refusals.insert(address.to_owned(), refusal.clone());
        refusal
    }
}
