//! What a running server answered, as text for people or one JSON object for programs.

use std::io::{self, Write};
use std::net::SocketAddr;

use colored::{ColoredString, Colorize};
use serde::Serialize;

use super::visible::visible;
use crate::live::probe::{Kind, Outcome, Proof, Report, Verdict};
use crate::live::smtp::Failure;
use crate::mail::{Answer, Stage, Tracer};

/// A whole run. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct VerifyV1<'r> {
    version: u32,
    host: &'r str,
    port: u16,
    address: String,
    /// The address that the server sees; null where there was no conversation.
    client: Option<String>,
    banner: Option<&'r str>,
    tls: TlsV1<'r>,
    /// The service of master.cf whose answers are expected; null without a configuration.
    service: Option<String>,
    probes: Vec<ProbeV1<'r>>,
    /// Domains that were not asked about.
    left_out: &'r [String],
    /// Why there was no conversation.
    error: Option<String>,
    /// proved, failed or unknown.
    verdict: &'static str,
}

#[derive(Serialize)]
struct TlsV1<'r> {
    /// The version; null without TLS.
    protocol: Option<&'r str>,
    certificate_verified: bool,
    error: Option<&'r str>,
}

#[derive(Serialize)]
struct ProbeV1<'r> {
    from: &'r str,
    to: &'r str,
    kind: &'static str,
    /// The command that is answered.
    stage: &'static str,
    /// Null where there is no answer.
    code: Option<u16>,
    dsn: Option<&'r str>,
    text: &'r str,
    /// Null where it cannot be known, 0 for no answer.
    expected_code: Option<u16>,
    expected_dsn: Option<&'r str>,
    agrees: Option<bool>,
    /// refused, accepted, relay, deferred, reachable, unreachable or unknown.
    verdict: &'static str,
    note: &'r str,
}

/// Writes what one server answered.
#[derive(Debug)]
pub struct VerifyWriter<'w> {
    host: &'w str,
    address: SocketAddr,
    service: Option<String>,
}

impl<'w> VerifyWriter<'w> {
    /// For a server and the model of its configuration.
    pub fn new(host: &'w str, address: SocketAddr, model: Option<&Tracer<'_>>) -> Self {
        Self {
            host,
            address,
            service: model.map(|model| model.service().label()),
        }
    }

    /// One JSON object on a line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, outcome: &Result<Report, Failure>, out: &mut dyn Write) -> io::Result<()> {
        let report = outcome.as_ref().ok();
        let proof = report.map_or(Proof::Unknown, |report| report.proof);
        let outcomes = report.map_or(&[][..], |report| &report.outcomes);
        let whole = VerifyV1 {
            version: 1,
            host: self.host,
            port: self.address.port(),
            address: self.address.ip().to_string(),
            client: report.map(|report| report.client.to_string()),
            banner: report.map(|report| report.banner.as_str()),
            tls: TlsV1 {
                protocol: report.and_then(|report| report.tls.as_deref()),
                certificate_verified: false,
                error: report.and_then(|report| report.tls_fault.as_deref()),
            },
            service: self.service.clone(),
            probes: outcomes.iter().map(ProbeV1::of).collect(),
            left_out: report.map_or(&[][..], |report| &report.left_out),
            error: outcome.as_ref().err().map(Failure::to_string),
            verdict: proof.name(),
        };
        serde_json::to_writer(&mut *out, &whole)?;
        out.write_all(b"\n")
    }

    /// Who was asked, one line for each recipient, where server and configuration differ, and what follows.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, outcome: &Result<Report, Failure>, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{} port {}", visible(self.host), self.address.port())?;
        let report = match outcome {
            Ok(report) => report,
            Err(failure) => {
                let why = failure.to_string();
                writeln!(out, ": {}", visible(&why))?;
                let nothing = "nothing is known".yellow();
                return writeln!(out, "{nothing}: there was no conversation");
            }
        };
        let banner = report.banner.lines().next().unwrap_or_default();
        write!(out, ": {}", visible(banner))?;
        match (&report.tls, &report.tls_fault) {
            (Some(version), _) => write!(out, "; {version}, certificate not verified")?,
            (None, Some(fault)) => write!(out, "; without TLS: {}", visible(fault))?,
            (None, None) => write!(out, "; without TLS")?,
        }
        writeln!(out, "; asked as {}", report.client)?;
        match &self.service {
            Some(service) => writeln!(out, "compared with {}", visible(service))?,
            None => writeln!(out, "compared with no configuration")?,
        }
        writeln!(out)?;
        let mut left: &[Outcome] = &report.outcomes;
        while let Some(first) = left.first() {
            let count = left
                .iter()
                .take_while(|other| is_alike(first, other))
                .count();
            let (group, rest) = left.split_at(count.max(1));
            recipient(group, out)?;
            left = rest;
        }
        writeln!(out)?;
        if !report.left_out.is_empty() {
            let (count, first) = (report.left_out.len(), report.left_out.first());
            let first = first.map_or("", String::as_str);
            writeln!(
                out,
                "not asked about {}, {} the first: name them with --domain",
                counted(count, "domain"),
                visible(first)
            )?;
        }
        summary(report, out)
    }
}

impl<'r> ProbeV1<'r> {
    fn of(outcome: &'r Outcome) -> Self {
        let (code, dsn, text) = match &outcome.answer {
            Answer::Reply(_, reply) => (
                Some(reply.code),
                Some(reply.dsn.as_str()),
                reply.text.as_str(),
            ),
            Answer::Silence(_, why) => (None, None, why.as_str()),
            Answer::Unknown(_) => (None, None, ""),
        };
        let expected = outcome.judgement.expected.as_ref();
        Self {
            from: &outcome.probe.from,
            to: &outcome.probe.to,
            kind: outcome.probe.kind.name(),
            stage: outcome.answer.stage().name(),
            code,
            dsn,
            text,
            expected_code: expected.map(|(code, _)| *code),
            expected_dsn: expected.map(|(_, dsn)| dsn.as_str()),
            agrees: outcome.judgement.agrees,
            verdict: outcome.judgement.verdict.name(),
            note: &outcome.judgement.note,
        }
    }
}

/// Whether two outcomes differ in the sender only.
fn is_alike(one: &Outcome, other: &Outcome) -> bool {
    let said = |outcome: &Outcome| match &outcome.answer {
        Answer::Reply(stage, reply) => Some((*stage, reply.code, reply.dsn.clone())),
        _ => None,
    };
    one.probe.to == other.probe.to && said(one) == said(other) && one.judgement == other.judgement
}

/// A line for a recipient, and lines for what is odd about the answer.
fn recipient(group: &[Outcome], out: &mut dyn Write) -> io::Result<()> {
    let Some(first) = group.first() else {
        return Ok(());
    };
    let senders: Vec<String> = group
        .iter()
        .map(|outcome| format!("<{}>", visible(&outcome.probe.from)))
        .collect();
    let judgement = &first.judgement;
    writeln!(
        out,
        "{} {} from {}",
        shown(judgement.verdict),
        visible(&first.probe.to).bold(),
        senders.join(" and ")
    )?;
    match &first.answer {
        Answer::Reply(stage, reply) => {
            let moment = match stage {
                Stage::Rcpt => String::new(),
                stage => format!(" after {}", stage.name().to_uppercase()),
            };
            writeln!(out, "            {}{moment}", visible(&reply.to_string()))?;
        }
        Answer::Silence(..) | Answer::Unknown(_) => {}
    }
    if !judgement.note.is_empty() {
        writeln!(out, "            {}", visible(&judgement.note))?;
    }
    if judgement.agrees == Some(false)
        && let Answer::Reply(_, reply) = &first.answer
        && let Some((code, dsn)) = &judgement.expected
    {
        let difference = match *code {
            0 => format!(
                "the server answers {}, and with this configuration it could not: it was not \
                 restarted since, or this is not its configuration",
                reply.code
            ),
            code => format!(
                "the server answers {} {}, this configuration says {code} {dsn}: it was not reloaded \
                 since, or this is not its configuration",
                reply.code, reply.dsn
            ),
        };
        writeln!(out, "            {}", visible(&difference).yellow())?;
    }
    Ok(())
}

fn shown(verdict: Verdict) -> ColoredString {
    let name = format!("{:<11}", verdict.name());
    match verdict {
        Verdict::Refused | Verdict::Reachable => name.green(),
        Verdict::Accepted | Verdict::Relay | Verdict::Deferred => name.red(),
        Verdict::Unreachable | Verdict::Unknown => name.yellow(),
    }
}

fn summary(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let asked = || {
        let outcomes = report.outcomes.iter();
        outcomes.filter(|outcome| outcome.probe.kind != Kind::Postmaster)
    };
    let count = |is_wanted: &dyn Fn(&Outcome) -> bool| {
        let mut recipients: Vec<&str> = asked()
            .filter(|outcome| is_wanted(outcome))
            .map(|outcome| outcome.probe.to.as_str())
            .collect();
        recipients.dedup();
        recipients.len()
    };
    let of = |verdict: Verdict| count(&|outcome| outcome.judgement.verdict == verdict);
    let total = count(&|_| true);
    match report.proof {
        Proof::Proved => {
            let all = counted(total, "recipient");
            writeln!(
                out,
                "{}: all of {all} who must be refused are",
                "proved".green()
            )?;
        }
        Proof::Failed => {
            let mut parts = Vec::new();
            for (verdict, words) in [
                (Verdict::Accepted, "accepted although nobody has the name"),
                (Verdict::Relay, "accepted for elsewhere from a stranger"),
                (Verdict::Deferred, "refused for now only"),
            ] {
                match of(verdict) {
                    0 => {}
                    n => parts.push(format!("{n} {words}")),
                }
            }
            let all = counted(total, "recipient");
            writeln!(out, "{}: of {all}, {}", "failed".red(), parts.join(", "))?;
            if count(&|outcome| outcome.answer.is_accepted()) == total {
                writeln!(
                    out,
                    "the server accepts whomever one names: it may stand in front of another one, or \
                     look at recipients only after DATA"
                )?;
            }
        }
        Proof::Unknown => {
            let open = of(Verdict::Unknown);
            let all = counted(total, "recipient");
            writeln!(
                out,
                "{}: {open} of {all} got answers that prove nothing, and no other is wrong",
                "unknown".yellow()
            )?;
        }
    }
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}
