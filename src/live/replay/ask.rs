//! What a configuration answers to the attempts of a log, beside what was answered then.

use std::collections::{BTreeMap, BTreeSet};

use super::collect::{Attempt, Attempts, Kind};
use crate::instance::Instance;
use crate::instance::service::Service;
use crate::mail::{Answer, Session, Trace, Tracer, World};
use crate::source::Span;

/// So many recipients are named in each list.
const MOST: usize = 10_000;

/// A recipient to whom something else is answered than then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The recipient.
    pub recipient: String,
    /// So many attempts.
    pub count: u64,
    /// The code of the refusal: that of today, or, of what would be accepted, that of then. 0 where the client would
    /// wait in vain.
    pub code: u16,
    /// Its enhanced code.
    pub dsn: String,
    /// Its text.
    pub text: String,
    /// The line that decides today.
    pub span: Option<Span>,
}

/// The attempts with one verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdicts {
    /// How many.
    pub attempts: u64,
    /// The recipients, those first to whom it happens most.
    pub changes: Vec<Change>,
    /// So many recipients there are; more than in `changes` when these are too many.
    pub recipients: usize,
}

/// What would be otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replay {
    /// The attempts.
    pub attempts: u64,
    /// Different recipients.
    pub recipients: usize,
    /// Refused today, delivered then.
    pub would_refuse_delivered: Verdicts,
    /// Refused today; then accepted and returned, because they do not exist.
    pub would_refuse_unknown: Verdicts,
    /// Refused today; then accepted and returned for another reason.
    pub would_refuse_undelivered: Verdicts,
    /// Accepted today, refused then.
    pub would_accept_refused: Verdicts,
    /// Accepted or refused as then.
    pub same: u64,
    /// Of these, refused with the same words.
    pub same_reply: u64,
    /// What is answered today cannot be known.
    pub unknown: u64,
}

/// The services that run smtpd, by `$syslog_name`, with the one that is asked where no name fits.
pub fn services_of<'i>(
    instance: &'i Instance,
    front: Service<'i>,
) -> (Vec<(String, Service<'i>)>, Service<'i>) {
    let mut services = vec![(front.parameter("syslog_name").text(), front)];
    for service in instance.smtpd_services() {
        let name = service.parameter("syslog_name").text();
        if services.iter().all(|(known, _)| *known != name) {
            services.push((name, service));
        }
    }
    (services, front)
}

#[derive(Debug, Default)]
struct List {
    attempts: u64,
    by_key: BTreeMap<(String, u16), Change>,
    left_out: BTreeSet<u64>,
}

impl Replay {
    /// Asks each kind of attempt once.
    pub fn of(attempts: &Attempts, services: &[(String, Service<'_>)], front: Service<'_>) -> Self {
        let tracers: Vec<(&str, Tracer<'_>)> = (services.iter())
            .map(|(name, service)| (name.as_str(), Tracer::of(*service)))
            .collect();
        let front = Tracer::of(front);
        let tracer_of = |name: &[u8]| {
            let found = tracers.iter().find(|(known, _)| known.as_bytes() == name);
            found.map_or(&front, |(_, tracer)| tracer)
        };
        let mut replay = Self::default();
        let mut recipients = BTreeSet::new();
        let (mut delivered, mut unknown) = (List::default(), List::default());
        let (mut undelivered, mut refused) = (List::default(), List::default());
        for attempt in &attempts.list {
            let kind = Kind::of(attempt);
            let tracer = tracer_of(kind.service);
            let recipient = String::from_utf8_lossy(kind.recipient);
            let logged = attempts.reply(attempt);
            replay.attempts += attempt.accepted() + attempt.refused;
            recipients.insert(crate::live::maillog::hash(
                0,
                recipient.to_lowercase().as_bytes(),
            ));
            let (session, answer) = answer(tracer, &kind, logged, attempt);
            let explain = || tracer.trace(&session, &recipient);
            match &answer {
                Answer::Unknown(_) => replay.unknown += attempt.accepted() + attempt.refused,
                answer if answer.is_accepted() => {
                    replay.same += attempt.accepted();
                    let (code, dsn, text) = parts(logged.unwrap_or_default());
                    refused.add(&recipient, attempt.refused, (code, dsn, text), explain);
                }
                answer => {
                    replay.same += attempt.refused;
                    let (code, dsn, text) = match answer {
                        Answer::Reply(_, reply) => (reply.code, &*reply.dsn, &*reply.text),
                        Answer::Silence(_, text) => (0, "", &**text),
                        Answer::Unknown(_) => (0, "", ""),
                    };
                    if let Answer::Reply(_, reply) = answer
                        && logged == Some(&*reply.to_string())
                    {
                        replay.same_reply += attempt.refused;
                    }
                    delivered.add(&recipient, attempt.delivered, (code, dsn, text), explain);
                    unknown.add(&recipient, attempt.unknown, (code, dsn, text), explain);
                    undelivered.add(&recipient, attempt.undelivered, (code, dsn, text), explain);
                }
            }
        }
        replay.recipients = recipients.len();
        replay.would_refuse_delivered = delivered.finish();
        replay.would_refuse_unknown = unknown.finish();
        replay.would_refuse_undelivered = undelivered.finish();
        replay.would_accept_refused = refused.finish();
        replay
    }
}

/// What is answered, and to whom: what the log does not say of the session is taken to be such that the client came
/// as far as it did.
fn answer(
    tracer: &Tracer<'_>,
    kind: &Kind<'_>,
    logged: Option<&str>,
    attempt: &Attempt,
) -> (Session, Answer) {
    let mut session = session(kind, logged);
    let recipient = String::from_utf8_lossy(kind.recipient);
    let ask = |session: &Session| {
        tracer
            .trace_from(&World::default(), session, &recipient)
            .answer
    };
    let answer = ask(&session);
    // It got past "Must issue a STARTTLS command first".
    let wants_tls = matches!(&answer, Answer::Reply(_, reply) if matches!(reply.code, 530 | 554))
        && !session.tls
        && (attempt.accepted() > 0 || !logged.is_some_and(|reply| reply.contains("STARTTLS")));
    if wants_tls && matches!(&answer, Answer::Reply(_, reply) if reply.text.contains("STARTTLS")) {
        session.tls = true;
        let answer = ask(&session);
        return (session, answer);
    }
    (session, answer)
}

fn session(kind: &Kind<'_>, logged: Option<&str>) -> Session {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let some = |bytes: &[u8]| (!bytes.is_empty()).then(|| text(bytes));
    let stranger = Session::stranger();
    let name = some(kind.name).filter(|name| name != "unknown");
    let address = text(kind.address);
    let has_no_reverse =
        logged.is_some_and(|reply| reply.contains("cannot find your reverse hostname"));
    let reverse = (!has_no_reverse).then(|| "name-of-the-client.invalid".to_owned());
    let helo = some(kind.helo).or_else(|| name.clone());
    Session {
        client: address.parse().unwrap_or(stranger.client),
        reverse_name: name.clone().or(reverse),
        helo: helo.or_else(|| Some(format!("[{address}]"))),
        client_name: name,
        sender: text(kind.sender),
        tls: !kind.sasl_username.is_empty(),
        sasl_user: some(kind.sasl_username),
    }
}

/// Code, enhanced code and text of a reply as smtpd logs it.
fn parts(reply: &str) -> (u16, &str, &str) {
    let (code, rest) = reply.split_once(' ').unwrap_or((reply, ""));
    let code = code.parse().unwrap_or(0);
    match rest.split_once(' ') {
        Some((dsn, text)) if dsn.split('.').count() == 3 => (code, dsn, text),
        _ => (code, "", rest),
    }
}

impl List {
    fn add(
        &mut self,
        recipient: &str,
        count: u64,
        (code, dsn, text): (u16, &str, &str),
        explain: impl FnOnce() -> Trace,
    ) {
        if count == 0 {
            return;
        }
        self.attempts += count;
        let key = (recipient.to_lowercase(), code);
        if let Some(change) = self.by_key.get_mut(&key) {
            change.count += count;
        } else if self.by_key.len() >= MOST {
            self.left_out.insert(crate::live::maillog::hash(
                u64::from(code),
                key.0.as_bytes(),
            ));
        } else {
            let change = Change {
                recipient: recipient.to_owned(),
                count,
                code,
                dsn: dsn.to_owned(),
                text: text.to_owned(),
                span: explain().steps.iter().rev().find_map(|step| step.span),
            };
            self.by_key.insert(key, change);
        }
    }

    fn finish(self) -> Verdicts {
        let recipients = self.by_key.len() + self.left_out.len();
        let mut changes: Vec<Change> = self.by_key.into_values().collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.count));
        Verdicts {
            attempts: self.attempts,
            changes,
            recipients,
        }
    }
}
