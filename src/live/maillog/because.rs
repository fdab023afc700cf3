//! Why a notice went to a stranger: the rule and the line of the configuration behind it, and whether it would
//! happen again.

use std::net::{IpAddr, Ipv4Addr};

use super::Backscatter;
use super::event::Client;
use crate::finding::Finding;
use crate::instance::Instance;
use crate::lint::{self, Selection, Wanted};
use crate::mail::{Answer, NOBODY, Session, Trace, Tracer};
use crate::source::Span;

/// What the configuration of today does with the mail that caused a notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Now {
    /// It is accepted, and bounces: the next notice is on its way.
    Bounces,
    /// It is refused: this was mended.
    Refused,
    /// It is accepted and delivered.
    Delivered,
    /// It cannot be known.
    Unknown,
}

/// What is behind a notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Because {
    /// The code of the rule that finds it.
    pub rule: Option<&'static str>,
    /// The line that says so.
    pub span: Option<Span>,
    /// What would happen today.
    pub now: Now,
}

/// Finds the causes in one configuration.
#[derive(Debug)]
pub struct Causes<'i> {
    instance: &'i Instance,
    tracer: &'i Tracer<'i>,
    findings: Vec<Finding>,
}

impl<'i> Causes<'i> {
    /// Lints the configuration for backscatter once.
    pub fn of(instance: &'i Instance, tracer: &'i Tracer<'i>) -> Self {
        let wanted = Wanted {
            select: vec!["BS".to_owned()],
            pedantic: true,
            ..Wanted::default()
        };
        let selection = Selection::of(&wanted).unwrap_or_default();
        Self {
            instance,
            tracer,
            findings: lint::run(instance, &selection),
        }
    }

    /// What is behind the notices because of one recipient.
    pub fn because(&self, backscatter: &Backscatter) -> Because {
        let session = session(backscatter);
        let trace = self.tracer.trace(&session, &backscatter.recipient);
        let now = match &trace.answer {
            Answer::Unknown(_) => Now::Unknown,
            answer if !answer.is_accepted() => Now::Refused,
            _ => match trace.backscatter {
                Some(true) => Now::Bounces,
                Some(false) => Now::Delivered,
                None => Now::Unknown,
            },
        };
        let finding = match now {
            Now::Refused => None,
            _ if backscatter.delay == backscatter.seen.count => self.delay_finding(),
            _ => self.finding(&trace, &backscatter.recipient),
        };
        let domain = domain_of(&backscatter.recipient).unwrap_or_default();
        let mut steps = trace.steps.iter().rev();
        let step = steps.find(|step| step.span.is_some() && step.text.contains(&*domain));
        let step = step.and_then(|step| step.span);
        Because {
            rule: finding.map(|finding| finding.rule.code),
            span: finding.map(|finding| finding.span).or(step),
            now,
        }
    }

    fn delay_finding(&self) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.rule.code == "BS016")
    }

    /// The finding that is about this address: with it as witness, else at a line that was decisive for it, else about
    /// its whole domain, else about its class.
    fn finding(&self, trace: &Trace, recipient: &str) -> Option<&Finding> {
        let steps: Vec<Span> = trace.steps.iter().filter_map(|step| step.span).collect();
        let domain = domain_of(recipient);
        let main = self.instance.main_cf().map(|main| main.source.id());
        let rank = |finding: &Finding| -> Option<u8> {
            let witness = finding.witness.as_deref();
            if witness.is_some_and(|witness| witness.eq_ignore_ascii_case(recipient)) {
                return Some(0);
            }
            let is_at_step = steps.iter().any(|step| overlaps(*step, finding.span));
            // What is wrong with one entry of a table says nothing of other addresses.
            let nobody = witness.filter(|witness| witness.starts_with(NOBODY));
            let nobody = nobody.and_then(domain_of);
            if nobody.is_some() && nobody == domain {
                return Some(if is_at_step { 1 } else { 2 });
            }
            // The trace has lines about the sender, too.
            if is_at_step {
                return Some(if nobody.is_none() { 1 } else { 4 });
            }
            let class = self.instance.class_of(&nobody?)?;
            (trace.class == Some(class) && main == Some(finding.span.file)).then_some(3)
        };
        let ranked = self.findings.iter();
        let ranked = ranked.filter_map(|finding| Some((rank(finding)?, finding)));
        ranked
            .min_by_key(|(rank, finding)| (*rank, std::cmp::Reverse(finding.severity)))
            .map(|(_, finding)| finding)
    }
}

fn domain_of(address: &str) -> Option<String> {
    let (_, domain) = address.rsplit_once('@')?;
    Some(domain.to_lowercase())
}

fn overlaps(one: Span, other: Span) -> bool {
    one.file == other.file && one.start < other.end && other.start < one.end
}

/// Who sent, as far as the log says.
fn session(backscatter: &Backscatter) -> Session {
    let client = Client::of(backscatter.client.as_bytes());
    let (name, address) = client.original.unwrap_or((client.name, client.address));
    session_of(name, address, &backscatter.sender)
}

/// A session of a client by its name and address in a log, which has no greeting in it.
pub(super) fn session_of(name: &[u8], address: &[u8], sender: &str) -> Session {
    let name = String::from_utf8_lossy(name);
    let name = (!matches!(&*name, "" | "unknown")).then(|| name.into_owned());
    let address = String::from_utf8_lossy(address);
    let stranger = Session::stranger();
    Session {
        client: address
            .parse()
            .unwrap_or(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7))),
        reverse_name: name.clone(),
        helo: name.clone().or(stranger.helo),
        client_name: name,
        sender: sender.to_owned(),
        sasl_user: None,
        tls: false,
    }
}

impl Now {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bounces => "bounces",
            Self::Refused => "refused",
            Self::Delivered => "delivered",
            Self::Unknown => "unknown",
        }
    }
}
