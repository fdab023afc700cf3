//! What happens to mail for an address, as text for people or one JSON object a line for programs.

use std::io::{self, Write};

use colored::{ColoredString, Colorize};
use serde::Serialize;

use super::place::shown_path;
use super::secret::Secrets;
use super::visible::visible;
use crate::mail::{Answer, Ending, Outcome, Reply, Session, Stage, Step, Trace, Tracer};
use crate::source::Sources;

/// One line: an address. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct TraceV1<'t> {
    address: &'t str,
    /// 0 when there is no answer, null when it is unknown.
    code: Option<u16>,
    dsn: Option<&'t str>,
    text: Option<&'t str>,
    stage: &'static str,
    class: Option<&'static str>,
    certainty: &'static str,
    /// The replies that there may be, where it is unknown which.
    possible: Vec<ReplyV1<'t>>,
    depends_on: Vec<String>,
    because: Vec<StepV1>,
    /// The reply at the end of DATA.
    data: Option<ReplyV1<'t>>,
    backscatter: Option<bool>,
    outcome: Vec<OutcomeV1<'t>>,
}

#[derive(Serialize)]
struct ReplyV1<'t> {
    code: u16,
    dsn: &'t str,
    text: &'t str,
}

#[derive(Serialize)]
struct StepV1 {
    file: Option<String>,
    line: Option<usize>,
    text: String,
}

#[derive(Serialize)]
struct OutcomeV1<'t> {
    address: &'t str,
    result: &'static str,
    dsn: &'t str,
    via: &'t str,
    text: &'t str,
    certain: bool,
}

impl<'t> ReplyV1<'t> {
    fn of(reply: &'t Reply) -> Self {
        Self {
            code: reply.code,
            dsn: &reply.dsn,
            text: &reply.text,
        }
    }
}

/// Writes traces of one instance.
#[derive(Debug)]
pub struct TraceWriter<'w> {
    sources: &'w Sources,
    secrets: &'w Secrets,
}

impl<'w> TraceWriter<'w> {
    /// For the files that the steps point into, hiding what no report may show.
    pub fn new(sources: &'w Sources, secrets: &'w Secrets) -> Self {
        Self { sources, secrets }
    }

    /// One JSON object on a line.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, address: &str, trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
        let (code, dsn, text) = match &trace.answer {
            Answer::Reply(_, reply) => (
                Some(reply.code),
                Some(reply.dsn.as_str()),
                Some(reply.text.as_str()),
            ),
            Answer::Silence(_, text) => (Some(0), Some(""), Some(text.as_str())),
            Answer::Unknown(_) => (None, None, None),
        };
        let possible = match trace.is_certain() {
            true => Vec::new(),
            false => trace.possible.iter().filter_map(possible_reply).collect(),
        };
        let line = TraceV1 {
            address,
            code,
            dsn,
            text,
            stage: trace.answer.stage().name(),
            class: trace.class.map(|class| class.facts().name),
            certainty: if trace.is_certain() {
                "certain"
            } else {
                "unknown"
            },
            possible,
            depends_on: (trace.depends_on.iter())
                .map(|what| self.secrets.hide(what))
                .collect(),
            because: trace.steps.iter().map(|step| self.step(step)).collect(),
            data: trace.data.as_ref().map(ReplyV1::of),
            backscatter: trace.backscatter,
            outcome: trace
                .outcomes
                .iter()
                .map(|outcome| OutcomeV1 {
                    address: &outcome.address,
                    result: outcome.ending.name(),
                    dsn: &outcome.dsn,
                    via: &outcome.via,
                    text: &outcome.text,
                    certain: outcome.is_certain,
                })
                .collect(),
        };
        serde_json::to_writer(&mut *out, &line)?;
        out.write_all(b"\n")
    }

    /// Who sends, for the head of a text.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn head(&self, tracer: &Tracer<'_>, from: &Session, out: &mut dyn Write) -> io::Result<()> {
        let name = from.client_name.as_deref().unwrap_or("unknown");
        write!(
            out,
            "{}: {}[{}]",
            tracer.service().label(),
            visible(name),
            from.client
        )?;
        if let Some(helo) = &from.helo {
            write!(out, ", HELO {}", visible(helo))?;
        }
        if from.tls {
            write!(out, ", TLS")?;
        }
        if let Some(user) = &from.sasl_user {
            write!(out, ", logged in as {}", visible(user))?;
        }
        writeln!(out, ", MAIL FROM:<{}>", visible(&from.sender))
    }

    /// The steps, the reply, what follows, and on what that depends.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, address: &str, trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "\n{}",
            format!("RCPT TO:<{}>", visible(address)).bold()
        )?;
        for step in &trace.steps {
            let StepV1 { file, line, text } = self.step(step);
            let text = visible(&text).into_owned();
            match (file, line) {
                (Some(file), Some(line)) => {
                    writeln!(
                        out,
                        "  {}: {text}",
                        format!("{}:{line}", visible(&file)).cyan()
                    )?;
                }
                _ => writeln!(out, "  {text}")?,
            }
        }
        if trace.is_certain() {
            writeln!(out, "{}", answer(&trace.answer))?;
        } else {
            writeln!(out, "{}", "it cannot be known what the reply is:".yellow())?;
            for one in &trace.possible {
                writeln!(out, "  {}", answer(one))?;
            }
        }
        if let Some(data) = trace.data.as_ref().filter(|data| !data.is_positive()) {
            writeln!(
                out,
                "{} after DATA",
                colored_reply(data, &visible(&data.to_string()))
            )?;
        }
        for outcome in &trace.outcomes {
            writeln!(out, "  -> {}", leaf(outcome))?;
        }
        for what in &trace.depends_on {
            writeln!(
                out,
                "  {} {}",
                "depends on".yellow(),
                visible(&self.secrets.hide(what))
            )?;
        }
        Ok(())
    }

    fn step(&self, step: &Step) -> StepV1 {
        let place = step.span.map(|span| {
            let source = self.sources.get(span.file);
            (shown_path(&source), source.line_column(span.start).line)
        });
        let (file, line) = place.unzip();
        StepV1 {
            file,
            line,
            text: self.secrets.hide(&step.text),
        }
    }
}

fn possible_reply(answer: &Answer) -> Option<ReplyV1<'_>> {
    match answer {
        Answer::Reply(_, reply) => Some(ReplyV1::of(reply)),
        Answer::Silence(_, text) => Some(ReplyV1 {
            code: 0,
            dsn: "",
            text,
        }),
        Answer::Unknown(_) => None,
    }
}

/// A reply as the client sees it, with the command that it answers when that is not RCPT TO.
fn answer(answer: &Answer) -> String {
    let moment = match answer.stage() {
        Stage::Start | Stage::Rcpt => "",
        Stage::Banner => " in place of a greeting",
        Stage::Ehlo => " after EHLO",
        Stage::Mail => " after MAIL FROM",
        Stage::Data => " after DATA",
    };
    match answer {
        Answer::Reply(_, reply) => {
            format!(
                "{}{moment}",
                colored_reply(reply, &visible(&reply.to_string()))
            )
        }
        Answer::Silence(_, text) => {
            format!("{}{moment}: {}", "no answer".red(), visible(text))
        }
        Answer::Unknown(_) => format!("some other reply{moment}"),
    }
}

fn colored_reply(reply: &Reply, text: &str) -> ColoredString {
    match reply.code {
        ..400 => text.green(),
        400..500 => text.yellow(),
        _ => text.red(),
    }
}

fn leaf(outcome: &Outcome) -> String {
    let result = match outcome.ending {
        Ending::Delivered => "delivered here".green(),
        Ending::Relayed => "passed on".green(),
        Ending::Discarded => "thrown away without a notice".yellow(),
        Ending::Held => "kept in the hold queue".yellow(),
        Ending::Bounced => "returned to the sender".red(),
        Ending::Deferred => "kept in the queue for days, then returned".yellow(),
        Ending::Loop => "goes in a circle, then returned to the sender".red(),
        Ending::Unknown => "it cannot be known what happens".yellow(),
    };
    let mut line = format!("{}: {result}", visible(&outcome.address));
    if !outcome.via.is_empty() {
        line.push_str(&format!(" by {}", visible(&outcome.via)));
    }
    let reason = [outcome.dsn.as_str(), outcome.text.as_str()]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if !reason.is_empty() {
        line.push_str(&format!(" ({})", visible(&reason)));
    }
    if !outcome.is_certain {
        line.push_str(", perhaps");
    }
    line
}
