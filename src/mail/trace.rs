//! One address from RCPT TO to the end: what smtpd answers, and what becomes of the mail, in every world
//! there is.

use std::sync::Arc;

use super::accepted::Accepted;
use super::delivery::{Delivery, Fate, Leaf};
use super::quoting;
use super::reply::{Answer, Reply, Stage};
use super::resolve::Rewriting;
use super::session::Session;
use super::smtpd::{Smtpd, Verdict};
use super::startup::Startup;
use super::world::{Completeness, Doubt, Step, World, explore};
use crate::instance::address_class::Class;
use crate::instance::service::Service;

/// So many worlds are looked at for one address. Each thing that cannot be looked at doubles their number,
/// and what eight of them cannot settle is unknown.
const MOST_WORLDS: usize = 256;

/// Answers for addresses through one service: what depends on the configuration alone is found out once.
#[derive(Debug)]
pub struct Tracer<'i> {
    startup: Startup,
    smtpd: Smtpd<'i>,
    delivery: Delivery<'i>,
    rewriting: Arc<Rewriting>,
}

/// What happens to mail for one address.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The reply; [`Answer::Unknown`] where worlds differ.
    pub answer: Answer,
    /// The class of the recipient's domain, where the lists say it.
    pub class: Option<Class>,
    /// All replies there may be, the plainest first; one where the reply is certain.
    pub possible: Vec<Answer>,
    /// The reply at the end of DATA, when all recipients are like this one and it is certain.
    pub data: Option<Reply>,
    /// What becomes of the mail after 250, once for each address in the end.
    pub outcomes: Vec<Outcome>,
    /// A notice of non-delivery goes to the sender; `None` where that depends on another server, or on
    /// something that cannot be looked at.
    pub backscatter: Option<bool>,
    /// What decides and cannot be looked at, each thing once.
    pub depends_on: Vec<String>,
    /// Why, step by step, in the plainest world.
    pub steps: Vec<Step>,
}

/// What becomes of the mail at one address in the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The address.
    pub address: String,
    /// What happens there.
    pub ending: Ending,
    /// The enhanced status code of the delivery; empty where another server gives it.
    pub dsn: String,
    /// The transport, and behind a colon the next hop where there is one; empty where none is asked.
    pub via: String,
    /// The reason in the words of Postfix; may be empty.
    pub text: String,
    /// It is so in every world.
    pub is_certain: bool,
}

/// How the way of a message ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ending {
    /// In a mailbox, a command, a file of this host.
    Delivered,
    /// Another server or program gets it.
    Relayed,
    /// Thrown away without a notice.
    Discarded,
    /// In the hold queue.
    Held,
    /// Returned to the sender.
    Bounced,
    /// It stays in the queue, and goes back to the sender after days.
    Deferred,
    /// It goes round until Postfix notices, and is returned then.
    Loop,
    /// It cannot be known.
    Unknown,
}

/// One evaluation: what happens in one world.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Run {
    answer: Answer,
    data: Option<Reply>,
    backscatter: Option<bool>,
    outcomes: Vec<Outcome>,
}

impl<'i> Tracer<'i> {
    /// Prepares for a service that runs smtpd(8).
    pub fn of(service: Service<'i>) -> Self {
        Self {
            startup: Startup::of(service),
            smtpd: Smtpd::of(service),
            delivery: Delivery::of(service),
            rewriting: Rewriting::of(service.instance),
        }
    }

    /// The service.
    pub fn service(&self) -> Service<'i> {
        self.smtpd.service()
    }

    /// What happens to mail for an address: what stands between `<` and `>` after RCPT TO.
    pub fn trace(&self, session: &Session, address: &str) -> Trace {
        self.trace_from(&World::explained(), session, address)
    }

    /// As [`Tracer::trace`], from a first world on: one with an explanation, or one in which nobody has a
    /// name ([`World::without`]).
    pub fn trace_from(&self, first: &World, session: &Session, address: &str) -> Trace {
        let class = self.class(address);
        let mut plainest = first.clone();
        let run = self.run(session, address, &mut plainest);
        if plainest.is_certain() && !matches!(run.answer, Answer::Unknown(_)) {
            return Trace {
                class,
                backscatter: run.backscatter,
                possible: vec![run.answer.clone()],
                answer: run.answer,
                data: run.data,
                outcomes: run.outcomes,
                depends_on: Vec::new(),
                steps: told_once(plainest.into_steps()),
            };
        }
        let (runs, completeness) = explore(&first.unexplained(), MOST_WORLDS, |world| {
            self.run(session, address, world)
        });
        let (possible, is_complete) = self.possible(first, session, address, &runs, completeness);
        let answer = match possible.as_slice() {
            [answer] if is_complete => answer.clone(),
            answers => Answer::Unknown(answers.first().map_or(Stage::Rcpt, Answer::stage)),
        };
        let all_seen = completeness == Completeness::All;
        let first = &runs[0].0;
        let is_same =
            |same: fn(&Run, &Run) -> bool| all_seen && runs.iter().all(|(run, _)| same(run, first));
        let mut depends_on = deciding(&runs);
        // With more worlds than were looked at, what makes the difference need not have shown.
        if depends_on.is_empty() && matches!(answer, Answer::Unknown(_)) {
            depends_on = plainest.subjects();
        }
        Trace {
            class,
            outcomes: joined(&runs, all_seen),
            data: (first.data.clone()).filter(|_| is_same(|one, other| one.data == other.data)),
            backscatter: (first.backscatter)
                .filter(|_| is_same(|one, other| one.backscatter == other.backscatter)),
            depends_on,
            answer,
            possible,
            steps: told_once(plainest.into_steps()),
        }
    }

    /// What happens in the first world alone: tables that cannot be looked at have nothing, and restrictions
    /// that cannot be decided do nothing. It is all there is to know where `depends_on` is empty and the reply
    /// is certain.
    pub fn plainest(&self, first: &World, session: &Session, address: &str) -> Trace {
        let mut world = first.clone();
        let run = self.run(session, address, &mut world);
        Trace {
            class: self.class(address),
            possible: vec![run.answer.clone()],
            answer: run.answer,
            data: run.data,
            outcomes: run.outcomes,
            backscatter: run.backscatter,
            depends_on: world.subjects(),
            steps: told_once(world.into_steps()),
        }
    }

    /// The replies that there may be, the plainest first, and whether there are no others.
    fn possible(
        &self,
        first: &World,
        session: &Session,
        address: &str,
        runs: &[(Run, World)],
        completeness: Completeness,
    ) -> (Vec<Answer>, bool) {
        let mut possible: Vec<Answer> = Vec::new();
        let mut add = |answer: &Answer| {
            if !possible.contains(answer) {
                possible.push(answer.clone());
            }
        };
        if completeness == Completeness::All {
            runs.iter().for_each(|(run, _)| add(&run.answer));
            // What was noted without a choice may stand before the reply or behind it.
            if !runs.iter().any(|(_, world)| has_no_choice(world)) {
                return (possible, true);
            }
        }
        // What follows after 250 may have so many worlds that not all replies come up among those.
        let (answers, completeness) = explore(&first.unexplained(), MOST_WORLDS, |world| {
            self.answer(session, address, world).0
        });
        answers.iter().for_each(|(answer, _)| add(answer));
        let is_open = answers.iter().any(|(_, world)| has_no_choice(world));
        (possible, completeness == Completeness::All && !is_open)
    }

    fn run(&self, session: &Session, address: &str, world: &mut World) -> Run {
        let (answer, accepted) = self.answer(session, address, world);
        let after = accepted
            .as_ref()
            .map(|accepted| self.delivery.deliver(accepted, world));
        let backscatter = match &after {
            Some(after) => after.backscatter,
            None if matches!(answer, Answer::Unknown(_)) => None,
            None => Some(false),
        };
        let after = after.filter(|_| answer.is_accepted());
        let (data, leaves) = after.map(|after| (after.data, after.leaves)).unzip();
        Run {
            backscatter: if answer.is_accepted() || matches!(answer, Answer::Unknown(_)) {
                backscatter
            } else {
                Some(false)
            },
            answer,
            data,
            outcomes: leaves.into_iter().flatten().map(Outcome::of).collect(),
        }
    }

    /// What the client hears, and what is accepted.
    fn answer(
        &self,
        session: &Session,
        address: &str,
        world: &mut World,
    ) -> (Answer, Option<Accepted>) {
        if let Some(answer) = self.startup.answer() {
            return (answer.clone(), None);
        }
        let verdict = self.smtpd.answer(session, address, world);
        match self.dead_end(session, &verdict) {
            Some(answer) => (answer, None),
            None => (verdict.answer, verdict.accepted),
        }
    }

    /// What a client hears because a program behind smtpd does not run, before or instead of what smtpd
    /// says otherwise.
    fn dead_end(&self, session: &Session, verdict: &Verdict) -> Option<Answer> {
        let stage = verdict.answer.stage();
        if stage > Stage::Ehlo
            && let Some(answer) = self.startup.ehlo(session)
        {
            return Some(answer);
        }
        // What smtpd says before it asks for an address: greet first, use TLS first.
        let asks_nothing = matches!(&verdict.answer,
            Answer::Reply(Stage::Mail, reply) if matches!(reply.code, 403 | 430 | 503 | 530));
        if let Some(answer) = self.startup.resolving(session)
            && stage >= answer.stage()
            && !asks_nothing
        {
            return Some(answer);
        }
        let answer = self.startup.queueing()?;
        (verdict.accepted.is_some() || stage > answer.stage()).then_some(answer)
    }

    /// The class of an address, where all lists can be looked at.
    pub fn class(&self, address: &str) -> Option<Class> {
        let canonical = self.rewriting.settings.canonical(address);
        let (_, domain) = canonical.rsplit_once('@')?;
        let mut world = World::default();
        let class = self.service().instance.class_in_doubt(domain, &mut world)?;
        world.is_certain().then_some(class)
    }
}

impl Outcome {
    fn of(leaf: Leaf) -> Self {
        let is_loop = leaf.is_loop();
        let mut via = leaf.via;
        let mut text = leaf.text;
        let ending = match leaf.fate {
            Fate::Delivered => Ending::Delivered,
            Fate::Discarded => Ending::Discarded,
            Fate::Held => Ending::Held,
            Fate::Bounces(_) if is_loop => Ending::Loop,
            Fate::Bounces(reason) => {
                if text.is_empty() {
                    text = reason;
                }
                Ending::Bounced
            }
            Fate::Elsewhere { transport, nexthop } => {
                via = format!("{transport}:{nexthop}");
                Ending::Relayed
            }
            Fate::PutOff => Ending::Deferred,
            Fate::Unknown(_) => Ending::Unknown,
        };
        // A name without a domain has no @ either.
        let address = match (leaf.address.local.as_str(), leaf.address.domain.as_str()) {
            (_, "") => leaf.address.local,
            ("", _) => leaf.address.to_string(),
            // As in the log.
            _ => quoting::external(&leaf.address.to_string()).into_owned(),
        };
        Self {
            address,
            ending,
            dsn: leaf.dsn,
            via,
            text,
            is_certain: true,
        }
    }
}

impl Trace {
    /// Whether the reply is certain.
    pub fn is_certain(&self) -> bool {
        !matches!(self.answer, Answer::Unknown(_))
    }
}

impl Ending {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Discarded => "discarded",
            Self::Held => "held",
            Self::Bounced => "bounced",
            Self::Deferred => "deferred",
            Self::Loop => "loop",
            Self::Unknown => "unknown",
        }
    }
}

/// The steps without those that were there before: several programs ask the same.
fn told_once(steps: Vec<Step>) -> Vec<Step> {
    let mut once: Vec<Step> = Vec::with_capacity(steps.len());
    for step in steps {
        if !once.contains(&step) {
            once.push(step);
        }
    }
    once
}

/// Whether something was noted that cannot be looked at and that gives no choice of answers either.
fn has_no_choice(world: &World) -> bool {
    world.choices().any(|(_, _, answers)| answers < 2)
}

/// The outcomes of all worlds, each once, with those that are not in all of them marked.
fn joined(runs: &[(Run, World)], all_seen: bool) -> Vec<Outcome> {
    let mut joined: Vec<Outcome> = Vec::new();
    for outcome in runs.iter().flat_map(|(run, _)| &run.outcomes) {
        if !joined.iter().any(|other| is_same(other, outcome)) {
            let is_certain = all_seen
                && runs
                    .iter()
                    .all(|(run, _)| run.outcomes.iter().any(|other| is_same(other, outcome)));
            joined.push(Outcome {
                is_certain,
                ..outcome.clone()
            });
        }
    }
    joined
}

fn is_same(one: &Outcome, other: &Outcome) -> bool {
    let key = |outcome: &Outcome| (outcome.ending, outcome.dsn.clone());
    one.address == other.address && key(one) == key(other) && one.via == other.via
}

/// The things on which the result depends: those with two answers between which it differs, all else being
/// the same up to there, and those that leave no choice.
fn deciding(runs: &[(Run, World)]) -> Vec<String> {
    let mut subjects: Vec<String> = Vec::new();
    let mut add = |doubt: &Doubt| {
        let subject = doubt.to_string();
        if !subjects.contains(&subject) {
            subjects.push(subject);
        }
    };
    for (_, world) in runs {
        for (doubt, _, answers) in world.choices() {
            if answers < 2 {
                add(doubt);
            }
        }
    }
    // The worlds are in the order of their answers, so those with the same beginning stand together.
    let mut groups = vec![(0, 0..runs.len())];
    while let Some((depth, range)) = groups.pop() {
        let group = &runs[range.clone()];
        let Some((doubt, ..)) = group[0].1.choices().nth(depth) else {
            continue;
        };
        let mut parts: Vec<std::ops::Range<usize>> = Vec::new();
        let mut last = None;
        for (offset, (_, world)) in group.iter().enumerate() {
            let answer = world.choices().nth(depth).map(|(_, answer, _)| answer);
            let index = range.start + offset;
            match parts.last_mut() {
                Some(part) if answer == last => part.end = index + 1,
                _ => parts.push(index..index + 1),
            }
            last = answer;
        }
        let results = |part: &std::ops::Range<usize>| {
            let mut results: Vec<&Run> = Vec::new();
            for (run, _) in &runs[part.clone()] {
                if !results.contains(&run) {
                    results.push(run);
                }
            }
            results
        };
        let differs = parts.windows(2).any(|pair| {
            let (one, other) = (results(&pair[0]), results(&pair[1]));
            one.len() != other.len() || one.iter().any(|run| !other.contains(run))
        });
        if differs {
            add(doubt);
        }
        // The stack gives the first part back first.
        groups.extend(parts.into_iter().rev().map(|part| (depth + 1, part)));
    }
    subjects
}
