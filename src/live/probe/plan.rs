//! Who is asked about.

use super::{Kind, Probe};
use crate::instance::address_class::Class;
use crate::mail::{Answer, Session, Trace, Tracer, World};

/// So many recipients are named to a server, each of them twice: from the null sender, and from another.
pub const MOST_RECIPIENTS: usize = 50;
/// Domains that are there for examples: nobody has mail in them (RFC 2606).
const ELSEWHERE: [&str; 3] = ["example.net", "example.com", "example.org"];

/// What the operator wants to know.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// The domains in question; all of the configuration when there are none.
    pub domains: Vec<String>,
    /// The sender besides the null sender.
    pub sender: Option<String>,
    /// Changes the names that are made up.
    pub seed: String,
    /// Also ask whether the server relays.
    pub relay: bool,
}

/// The questions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is asked, in this order.
    pub probes: Vec<Probe>,
    /// Domains for which there is no room.
    pub left_out: Vec<String>,
}

impl Plan {
    /// Chooses recipients: nobody in each domain, those first whom the configuration seems to accept; all
    /// forms in one domain of each class.
    pub fn of(model: Option<&Tracer<'_>>, session: &Session, wish: &Wish) -> Self {
        let seed = wish.seed.as_str();
        let domains = domains(model, session, wish);
        let foreign = elsewhere(model, &domains);
        let stranger = nobody(seed, foreign);
        let mut recipients: Vec<(String, Kind)> = Vec::new();
        if wish.relay {
            recipients.push((format!("{stranger}@{foreign}"), Kind::Relay));
        }
        recipients.push(("postmaster".to_owned(), Kind::Postmaster));
        let mut classes: Vec<Option<Class>> = Vec::new();
        let mut others: Vec<&String> = Vec::new();
        for domain in &domains {
            let class = model.and_then(|model| model.service().instance.class_of(domain));
            if classes.contains(&class) || domain.starts_with('[') {
                others.push(domain);
                continue;
            }
            classes.push(class);
            let local = nobody(seed, domain);
            recipients.push((format!("{local}@{domain}"), Kind::Unknown));
            recipients.push((format!("postmaster@{domain}"), Kind::Postmaster));
            let host = nobody(&format!("{seed} host"), domain);
            recipients.push((format!("{local}@{host}.{domain}"), Kind::SubDomain));
            if wish.relay {
                let forms = [
                    (format!("{stranger}%{foreign}@{domain}"), Kind::Percent),
                    (format!("{foreign}!{stranger}@{domain}"), Kind::Bang),
                    (format!("\"{stranger}@{foreign}\"@{domain}"), Kind::Quoted),
                    (format!("@{domain}:{stranger}@{foreign}"), Kind::Route),
                ];
                recipients.extend(forms);
            }
        }
        let mut left_out = Vec::new();
        for domain in others {
            if recipients.len() < MOST_RECIPIENTS {
                let local = nobody(seed, domain);
                recipients.push((format!("{local}@{domain}"), Kind::Unknown));
            } else {
                left_out.push(domain.clone());
            }
        }
        let sender = match &wish.sender {
            Some(sender) => sender.clone(),
            None => sender(model, session, &domains),
        };
        let mut probes = Vec::with_capacity(2 * recipients.len());
        for (to, kind) in recipients {
            for from in ["", &sender] {
                let probe = Probe {
                    from: from.to_owned(),
                    to: to.clone(),
                    kind,
                };
                if !probes.contains(&probe) {
                    probes.push(probe);
                }
            }
        }
        Self { probes, left_out }
    }
}

/// A name that nobody has: the same for the same seed and domain. It has no character that may be in
/// `recipient_delimiter`.
pub fn nobody(seed: &str, domain: &str) -> String {
    const DIGITS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    // FNV-1a: no secret, only not a name that somebody has.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes = seed.bytes().chain([0]).chain(domain.bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    let mut name = "nobody".to_owned();
    for shift in 0..12 {
        let index = (hash >> (shift * 5)) & 31;
        let digit = usize::try_from(index).ok().and_then(|i| DIGITS.get(i));
        name.extend(digit.map(|digit| char::from(*digit)));
    }
    name
}

/// What the configuration says to a probe. What it says of clients with another name than is known here is
/// in it as well.
pub(super) fn expected(model: &Tracer<'_>, session: &Session, probe: &Probe) -> Trace {
    let session = Session {
        sender: probe.from.clone(),
        ..session.clone()
    };
    let trace = traced(model, &session, probe);
    if session.client_name.is_some() || !trace.is_certain() {
        return trace;
    }
    let name = Session::stranger().client_name;
    let named = Session {
        client_name: name.clone(),
        reverse_name: name,
        ..session
    };
    let other = traced(model, &named, probe);
    if other.answer == trace.answer || same_code(&other.answer, &trace.answer) {
        return trace;
    }
    Trace {
        answer: Answer::Unknown(trace.answer.stage()),
        possible: vec![trace.answer.clone(), other.answer],
        depends_on: vec!["the name of the client in DNS".to_owned()],
        ..trace
    }
}

/// Whether the configuration refuses to a stranger what a probe asks.
pub(super) fn is_refused_to_strangers(
    model: &Tracer<'_>,
    session: &Session,
    probe: &Probe,
) -> bool {
    let stranger = Session {
        sender: probe.from.clone(),
        tls: session.tls,
        ..Session::stranger()
    };
    let answer = traced(model, &stranger, probe).answer;
    matches!(answer, Answer::Reply(_, reply) if !reply.is_positive())
}

fn same_code(one: &Answer, other: &Answer) -> bool {
    match (one, other) {
        (Answer::Reply(_, one), Answer::Reply(_, other)) => {
            (one.code, &one.dsn) == (other.code, &other.dsn)
        }
        _ => false,
    }
}

fn traced(model: &Tracer<'_>, session: &Session, probe: &Probe) -> Trace {
    let local = probe.to.split('@').find(|part| !part.is_empty());
    let world = match (probe.kind, local) {
        (Kind::Unknown | Kind::SubDomain, Some(local)) => World::without(local),
        _ => World::default(),
    };
    model.trace_from(&world, session, &probe.to)
}

/// The domains in question, those first in which nobody's name may be accepted.
fn domains(model: Option<&Tracer<'_>>, session: &Session, wish: &Wish) -> Vec<String> {
    let mut domains = wish.domains.clone();
    let Some(model) = model else { return domains };
    if domains.is_empty() {
        let classes = [
            Class::Local,
            Class::VirtualAlias,
            Class::VirtualMailbox,
            Class::Relay,
        ];
        for class in classes {
            domains.extend(model.service().domains_of(class));
        }
    }
    domains.sort_by_cached_key(|domain| {
        let probe = Probe {
            from: String::new(),
            to: format!("{}@{domain}", nobody(&wish.seed, domain)),
            kind: Kind::Unknown,
        };
        let answer = traced(model, session, &probe).answer;
        match answer {
            Answer::Reply(_, reply) if !reply.is_positive() => 2,
            Answer::Reply(..) => 0,
            _ => 1,
        }
    });
    domains
}

/// A domain that is none of ours.
fn elsewhere(model: Option<&Tracer<'_>>, domains: &[String]) -> &'static str {
    let is_foreign = |domain: &&str| {
        let is_asked = domains.iter().any(|ours| {
            let end = ours.len().checked_sub(domain.len());
            end.and_then(|end| ours.get(end..))
                .is_some_and(|end| end.eq_ignore_ascii_case(domain))
        });
        let class = model.and_then(|model| model.service().instance.class_of(domain));
        !is_asked && class.is_none_or(|class| class == Class::Default)
    };
    ELSEWHERE
        .into_iter()
        .find(is_foreign)
        .unwrap_or("elsewhere.invalid")
}

/// A sender whom the configuration does not refuse as far as can be known without DNS: what is refused for its
/// sender says nothing about the recipient.
fn sender(model: Option<&Tracer<'_>>, session: &Session, domains: &[String]) -> String {
    let usual = Session::stranger().sender;
    let Some((model, domain)) = model.zip(domains.first()) else {
        return usual;
    };
    let own = format!("postmaster@{domain}");
    let is_good = |sender: &String| {
        let probe = Probe {
            from: sender.clone(),
            to: own.clone(),
            kind: Kind::Postmaster,
        };
        let answer = expected(model, session, &probe).answer;
        answer.is_accepted()
    };
    [usual.clone(), own.clone()]
        .into_iter()
        .find(is_good)
        .unwrap_or(usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_a_function_of_seed_and_domain() {
        let name = nobody("", "example.com");
        assert_eq!(name, nobody("", "example.com"));
        assert_ne!(name, nobody("1", "example.com"));
        assert_ne!(name, nobody("", "example.org"));
        assert!(name.len() == 18 && name.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn without_a_configuration_the_domains_that_are_named() {
        let wish = Wish {
            domains: (0..60).map(|n| format!("d{n}.example.net")).collect(),
            relay: true,
            ..Wish::default()
        };
        let plan = Plan::of(None, &Session::stranger(), &wish);
        assert_eq!(plan.probes.len(), 2 * MOST_RECIPIENTS);
        assert_eq!(plan.left_out.len(), 60 - 1 - (MOST_RECIPIENTS - 9));
        let relay = &plan.probes[0];
        assert_eq!((relay.kind, relay.from.as_str()), (Kind::Relay, ""));
        assert!(relay.to.ends_with("@example.com"), "{}", relay.to);
    }
}
