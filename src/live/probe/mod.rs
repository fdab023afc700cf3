//! Proof from outside: a running server is asked about recipients whom it must refuse, up to the answer to
//! RCPT TO, and its answers are compared with what its configuration says. No message is sent.
//!
//! That something is proved is said only where each answer is about the recipient: a server that refuses
//! this client whatever it asks, wants it to come back later, or does not speak SMTP proves nothing.

mod conversation;
mod judge;
mod plan;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::live::smtp::{Failure, Limits};
use crate::mail::{Answer, Trace, Tracer};

use conversation::Conversation;
pub use judge::{Judgement, Verdict, judge};
pub use plan::{MOST_RECIPIENTS, Plan, Wish, nobody};

/// The server that is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its name or address as the operator says it.
    pub name: String,
    /// Where it listens.
    pub address: SocketAddr,
}

/// How it is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manner {
    /// The name after EHLO.
    pub helo: String,
    /// The client for which the server is to take this one, by XCLIENT, and its name.
    pub pose: Option<IpAddr>,
    /// The name of the client as the server knows it, where that is known.
    pub client_name: Option<String>,
    /// STARTTLS is used where the server offers it.
    pub tls: bool,
    /// How long is waited for answers.
    pub limits: Limits,
    /// The time between two recipients.
    pub pause: Duration,
    /// The end of all questions.
    pub overall: Duration,
}

/// What kind of recipient it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Nobody's name in a domain of ours.
    Unknown,
    /// Nobody's name in a sub-domain of a domain of ours that does not exist.
    SubDomain,
    /// `user%elsewhere@ours`.
    Percent,
    /// `elsewhere!user@ours`.
    Bang,
    /// `"user@elsewhere"@ours`.
    Quoted,
    /// `@ours:user@elsewhere`.
    Route,
    /// An address elsewhere.
    Relay,
    /// The one name that every domain has to have (RFC 5321, 4.5.1).
    Postmaster,
}

/// A sender and a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// What stands between `<` and `>` after MAIL FROM.
    pub from: String,
    /// What stands between `<` and `>` after RCPT TO.
    pub to: String,
    /// What kind of recipient it is.
    pub kind: Kind,
}

/// What came of a probe.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What was asked.
    pub probe: Probe,
    /// What the server said; a silence has the reason.
    pub answer: Answer,
    /// What the configuration says, where there is one.
    pub expected: Option<Trace>,
    /// What follows.
    pub judgement: Judgement,
}

/// What was found out about a server.
#[derive(Clone, Debug)]
pub struct Report {
    /// The text of its greeting.
    pub banner: String,
    /// The address that the server sees.
    pub client: IpAddr,
    /// The version of TLS in use.
    pub tls: Option<String>,
    /// Why TLS is not in use although the server offers it.
    pub tls_fault: Option<String>,
    /// One for each probe, in the order in which they were asked.
    pub outcomes: Vec<Outcome>,
    /// Domains that were not asked about: there are too many.
    pub left_out: Vec<String>,
    /// What all together mean.
    pub proof: Proof,
}

/// What all probes together mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// All that has to be refused is refused.
    Proved,
    /// Something is accepted that has to be refused, or not refused for good.
    Failed,
    /// Some answers prove nothing, and no other is wrong.
    Unknown,
}

/// Asks a server. `model` is what its configuration says.
///
/// # Errors
/// There is no conversation at all. Whatever goes wrong later is in the report.
pub fn run(
    server: &Server,
    manner: &Manner,
    model: Option<&Tracer<'_>>,
    wish: &Wish,
) -> Result<Report, Failure> {
    let mut conversation = Conversation::open(server, manner)?;
    let session = conversation.session();
    let Plan { probes, left_out } = Plan::of(model, &session, wish);
    let answers = conversation.ask(&probes);
    let is_trusted_place = session.client.is_loopback();
    let mut asked: Vec<(Probe, Answer, Option<Trace>)> = Vec::with_capacity(probes.len());
    for (probe, answer) in probes.into_iter().zip(answers) {
        let expected = model.map(|model| plan::expected(model, &session, &probe));
        asked.push((probe, answer, expected));
    }
    let has_control = |from: &str| {
        asked.iter().any(|(probe, answer, _)| {
            probe.kind == Kind::Postmaster && probe.from == from && answer.is_accepted()
        })
    };
    let judgements: Vec<Judgement> = asked
        .iter()
        .map(|(probe, answer, expected)| {
            let is_trusted = match model {
                // A server that relays for whom its configuration does not is an open relay.
                Some(model) => {
                    let may = |trace: &Trace| !trace.is_certain() || trace.answer.is_accepted();
                    expected.as_ref().is_some_and(may)
                        && plan::is_refused_to_strangers(model, &session, probe)
                }
                None => is_trusted_place,
            };
            judge(&judge::Evidence {
                kind: probe.kind,
                answer,
                expected: expected.as_ref(),
                is_client_trusted: is_trusted,
                has_control: has_control(&probe.from),
            })
        })
        .collect();
    let outcomes: Vec<Outcome> = asked
        .into_iter()
        .zip(judgements)
        .map(|((probe, answer, expected), judgement)| Outcome {
            probe,
            answer,
            expected,
            judgement,
        })
        .collect();
    let proof = Proof::of(&outcomes, left_out.is_empty());
    let (banner, tls, tls_fault) = conversation.close();
    Ok(Report {
        banner,
        client: session.client,
        tls,
        tls_fault,
        outcomes,
        left_out,
        proof,
    })
}

impl Proof {
    fn of(outcomes: &[Outcome], are_all_asked: bool) -> Self {
        let mut verdicts = (outcomes.iter())
            .filter(|outcome| outcome.probe.kind != Kind::Postmaster)
            .map(|outcome| outcome.judgement.verdict)
            .peekable();
        if verdicts.peek().is_none() {
            return Self::Unknown;
        }
        let verdicts: Vec<Verdict> = verdicts.collect();
        if verdicts.iter().any(|verdict| verdict.is_wrong()) {
            Self::Failed
        } else if are_all_asked && verdicts.iter().all(|one| *one == Verdict::Refused) {
            Self::Proved
        } else {
            Self::Unknown
        }
    }

    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }
}

impl Kind {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::SubDomain => "sub-domain",
            Self::Percent => "percent",
            Self::Bang => "bang",
            Self::Quoted => "quoted",
            Self::Route => "route",
            Self::Relay => "relay",
            Self::Postmaster => "postmaster",
        }
    }

    /// Whether mail for it would leave the host again, if it is understood as it is meant.
    pub fn is_elsewhere(self) -> bool {
        matches!(
            self,
            Self::Percent | Self::Bang | Self::Quoted | Self::Route | Self::Relay
        )
    }
}
