//! What an answer means.

use super::Kind;
use crate::mail::{Answer, Ending, Reply, Stage, Trace};

/// What is known about one answer.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'e> {
    /// What kind of recipient it is.
    pub kind: Kind,
    /// What the server said.
    pub answer: &'e Answer,
    /// What the configuration says.
    pub expected: Option<&'e Trace>,
    /// This client may do what strangers may not, or that cannot be ruled out.
    pub is_client_trusted: bool,
    /// The same sender may write to somebody: it is not refused itself.
    pub has_control: bool,
}

/// What it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The recipient is refused, as it has to be.
    Refused,
    /// The recipient is accepted: the server finds out later that nobody has the name, and tells whoever the
    /// sender is said to be.
    Accepted,
    /// Mail for elsewhere is accepted from a stranger.
    Relay,
    /// The recipient is refused for now: the sender's server tries again for days.
    Deferred,
    /// The postmaster can be reached.
    Reachable,
    /// The postmaster cannot be reached.
    Unreachable,
    /// The answer says nothing about the recipient.
    Unknown,
}

/// The verdict on a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// What it means.
    pub verdict: Verdict,
    /// The code, and the enhanced status code, that the configuration gives; `None` where it cannot be known, or
    /// there is no configuration. 0 is no answer.
    pub expected: Option<(u16, String)>,
    /// Whether server and configuration say the same.
    pub agrees: Option<bool>,
    /// Why it is so, or what to do; may be empty.
    pub note: String,
}

impl Verdict {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Accepted => "accepted",
            Self::Relay => "relay",
            Self::Deferred => "deferred",
            Self::Reachable => "reachable",
            Self::Unreachable => "unreachable",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the server must not answer so.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Accepted | Self::Relay | Self::Deferred)
    }
}

/// Judges one answer.
pub fn judge(evidence: &Evidence<'_>) -> Judgement {
    let expected = evidence.expected.and_then(expected_reply);
    let agrees = match (&expected, evidence.answer) {
        (Some((code, dsn)), Answer::Reply(_, reply)) => {
            Some((*code, dsn.as_str()) == (reply.code, reply.dsn.as_str()))
        }
        _ => None,
    };
    let (verdict, note) = match evidence.answer {
        Answer::Reply(stage, reply) if evidence.kind == Kind::Postmaster => {
            postmaster(*stage, reply)
        }
        Answer::Reply(Stage::Rcpt, reply) if (250..=252).contains(&reply.code) => {
            accepted(evidence)
        }
        Answer::Reply(stage, reply) if reply.code >= 400 => not_accepted(evidence, *stage, reply),
        Answer::Reply(..) => unknown("this is no answer to RCPT TO"),
        Answer::Silence(_, why) => unknown(why),
        Answer::Unknown(_) => unknown("there is no answer"),
    };
    Judgement {
        verdict,
        note,
        agrees,
        expected,
    }
}

/// What a client hears at RCPT TO at the latest.
fn expected_reply(trace: &Trace) -> Option<(u16, String)> {
    match &trace.answer {
        // A refusal at the end of the message comes after the recipient was accepted.
        Answer::Reply(Stage::Data, _) => Some((250, "2.1.5".to_owned())),
        Answer::Reply(_, reply) => Some((reply.code, reply.dsn.clone())),
        Answer::Silence(..) => Some((0, String::new())),
        Answer::Unknown(_) => None,
    }
}

fn unknown(why: &str) -> (Verdict, String) {
    (Verdict::Unknown, why.to_owned())
}

fn postmaster(stage: Stage, reply: &Reply) -> (Verdict, String) {
    match (stage, reply.code) {
        (Stage::Rcpt, 250..=252) => (Verdict::Reachable, String::new()),
        (Stage::Rcpt, 500..) if blames_another(reply).is_none() => (
            Verdict::Unreachable,
            "RFC 5321 (4.5.1) wants mail for the postmaster accepted".to_owned(),
        ),
        _ => unknown(blames_another(reply).unwrap_or("it is not the recipient that is refused")),
    }
}

fn accepted(evidence: &Evidence<'_>) -> (Verdict, String) {
    let is_elsewhere = evidence.kind.is_elsewhere();
    let may_be_trust = is_elsewhere || evidence.kind == Kind::SubDomain;
    if may_be_trust && evidence.is_client_trusted {
        return unknown(
            "this client may do what strangers may not (mynetworks): ask from another host, or with \
             --xclient",
        );
    }
    let Some(trace) = evidence.expected else {
        let verdict = match is_elsewhere {
            true => Verdict::Relay,
            false => Verdict::Accepted,
        };
        return (verdict, String::new());
    };
    if matches!(&trace.answer, Answer::Reply(Stage::Data, reply) if !reply.is_positive()) {
        return unknown("the configuration refuses it only after DATA, which is not sent");
    }
    let is_expected = trace.answer.is_accepted();
    let all_end = |ending: Ending| {
        trace
            .outcomes
            .iter()
            .all(|outcome| outcome.ending == ending)
    };
    let ends_elsewhere = !is_expected || trace.outcomes.iter().any(|o| o.ending == Ending::Relayed);
    if is_elsewhere && ends_elsewhere {
        return (Verdict::Relay, String::new());
    }
    let is_caught = is_expected && !trace.outcomes.is_empty() && all_end(Ending::Delivered);
    let note = match is_caught {
        true => "this configuration delivers it: every name of the domain is somebody's".to_owned(),
        false => String::new(),
    };
    (Verdict::Accepted, note)
}

fn not_accepted(evidence: &Evidence<'_>, stage: Stage, reply: &Reply) -> (Verdict, String) {
    if stage != Stage::Rcpt {
        return unknown("it is refused before a recipient is named");
    }
    if let Some(why) = blames_another(reply) {
        return unknown(why);
    }
    let text = reply.text.to_ascii_lowercase();
    let is_relay_denied = text.contains("relay access denied") || text.contains("relaying denied");
    if reply.code < 500 {
        return match reply.dsn.as_str() {
            _ if is_relay_denied => (
                Verdict::Refused,
                "with a code that makes the client try again".to_owned(),
            ),
            "4.1.1" if !text.contains("verif") => (
                Verdict::Deferred,
                "with a code that makes the sender's server try again for days".to_owned(),
            ),
            _ => unknown(put_off(reply, &text)),
        };
    }
    let is_about_recipient = matches!(
        reply.dsn.as_str(),
        "5.1.1" | "5.1.2" | "5.1.3" | "5.1.6" | "5.1.10" | "5.2.1"
    );
    if is_about_recipient || is_relay_denied || evidence.has_control {
        return (Verdict::Refused, String::new());
    }
    unknown("nobody is accepted from this sender: it need not be the recipient that is refused")
}

/// Whom else than the recipient a refusal is about, in Postfix's words and in the status codes of RFC 3463
/// and RFC 7372.
fn blames_another(reply: &Reply) -> Option<&'static str> {
    let subject = reply.dsn.get(1..).unwrap_or_default();
    let text = &reply.text;
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if matches!(subject, ".1.7" | ".1.8" | ".7.27") || says(&["Sender address rejected"]) {
        return Some("it is the sender that is refused: name another one with --from");
    }
    if matches!(subject, ".7.25") || says(&["Client host rejected", "blocked using"]) {
        return Some("it is the client that is refused: ask from another host");
    }
    if says(&["Helo command rejected"]) {
        return Some("it is the name after EHLO that is refused: say another one with --helo");
    }
    None
}

fn put_off(reply: &Reply, text: &str) -> &'static str {
    if text.contains("greylist") || text.contains("graylist") || reply.dsn == "4.2.0" {
        "greylisting: ask again in a few minutes"
    } else if text.contains("too many") || text.contains("too much") || text.contains("rate") {
        "a limit of rate or number (anvil): ask again later, with a longer --pause"
    } else if text.contains("verif") {
        "the server asks another one first: ask again"
    } else if reply.dsn == "4.3.2" {
        "the server takes no mail now: ask again"
    } else {
        "the server puts everything off, or cannot look something up: ask again"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(kind: Kind, text: &str, has_control: bool) -> Verdict {
        let (code, behind) = text.split_once(' ').unwrap();
        let reply = Reply::heard(code.parse().unwrap(), behind);
        judge(&Evidence {
            kind,
            answer: &Answer::Reply(Stage::Rcpt, reply),
            expected: None,
            is_client_trusted: false,
            has_control,
        })
        .verdict
    }

    #[test]
    fn only_what_is_about_the_recipient_proves_something() {
        for (text, alone, beside_control) in [
            (
                "550 5.1.1 <x@y>: User unknown",
                Verdict::Refused,
                Verdict::Refused,
            ),
            (
                "554 5.7.1 <x@y>: Relay access denied",
                Verdict::Refused,
                Verdict::Refused,
            ),
            (
                "454 4.7.1 <x@y>: Relay access denied",
                Verdict::Refused,
                Verdict::Refused,
            ),
            ("550 no such user", Verdict::Unknown, Verdict::Refused),
            (
                "554 5.7.1 Service refused",
                Verdict::Unknown,
                Verdict::Refused,
            ),
            (
                "554 5.7.1 <a[192.0.2.1]>: Client host rejected: Access denied",
                Verdict::Unknown,
                Verdict::Unknown,
            ),
            (
                "550 5.1.8 <a@b>: Sender address rejected: Domain not found",
                Verdict::Unknown,
                Verdict::Unknown,
            ),
            (
                "450 4.1.1 <x@y>: User unknown",
                Verdict::Deferred,
                Verdict::Deferred,
            ),
            (
                "450 4.1.1 <x@y>: unverified address: Address verification in progress",
                Verdict::Unknown,
                Verdict::Unknown,
            ),
            (
                "450 4.2.0 <x@y>: Greylisted",
                Verdict::Unknown,
                Verdict::Unknown,
            ),
            ("250 2.1.5 Ok", Verdict::Accepted, Verdict::Accepted),
            ("354 go on", Verdict::Unknown, Verdict::Unknown),
        ] {
            assert_eq!(verdict(Kind::Unknown, text, false), alone, "{text}");
            assert_eq!(verdict(Kind::Unknown, text, true), beside_control, "{text}");
        }
        assert_eq!(verdict(Kind::Relay, "250 2.1.5 Ok", true), Verdict::Relay);
        assert_eq!(verdict(Kind::Bang, "250 2.1.5 Ok", true), Verdict::Relay);
        assert_eq!(
            verdict(Kind::Postmaster, "250 Ok", false),
            Verdict::Reachable
        );
        assert_eq!(
            verdict(Kind::Postmaster, "550 5.1.1 no", false),
            Verdict::Unreachable
        );
    }
}
