//! The words of pipe(8) and spawn(8), which they read at the first delivery or connection
//! (`src/pipe/pipe.c`, `src/spawn/spawn.c`).

use super::Report;
use crate::instance::daemon::{Operands, daemon_of};
use crate::rules::prelude::*;
use crate::source::Text;
use crate::syntax::expression::references;

/// The words in front of `argv=` that pipe(8) knows.
const PIPE_WORDS: [&str; 7] = ["flags", "user", "directory", "chroot", "eol", "null_sender", "size"];
/// The letters of `flags=`.
const PIPE_FLAGS: &[u8] = b"BDFORXhqu.>";
/// The names that pipe(8) fills in.
const PIPE_NAMES: [&str; 18] = [
    "client_address",
    "client_helo",
    "client_hostname",
    "client_port",
    "client_protocol",
    "domain",
    "extension",
    "mailbox",
    "nexthop",
    "original_recipient",
    "queue_id",
    "recipient",
    "sasl_method",
    "sasl_sender",
    "sasl_username",
    "sender",
    "size",
    "user",
];

/// Looks at the words behind the options.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let line = report.line;
    let daemon = daemon_of(line.command(), report.instance.version());
    let is_pipe = match daemon.map(|daemon| daemon.operands) {
        Some(Operands::Pipe) => true,
        Some(Operands::Spawn) => false,
        _ => return,
    };
    let has_errors = line.arguments.iter().any(|word| word.error.is_some());
    if has_errors || !line.option_errors.is_empty() {
        return;
    }
    let (mut user, mut command) = (None, None);
    for (index, word) in line.operands.iter().enumerate() {
        let text = word.value.as_str();
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let name = if text.contains('=') { name.to_ascii_lowercase() } else { String::new() };
        match name.as_str() {
            "argv" => {
                command = Some(&line.operands[index..]);
                break;
            }
            "user" => user = Some((word, value)),
            "flags" if is_pipe => check_flags(report, &word.written, value),
            "size" if is_pipe => check_size(report, &word.written, value),
            _ if is_pipe && PIPE_WORDS.contains(&name.as_str()) => {}
            _ => stops(report, Some(&word.written), &format!("it does not know {text}, which stands in \
                                                              front of argv=")),
        }
    }
    match user {
        None => stops(report, None, "user= is missing"),
        Some((word, value)) => check_user(report, &word.written, value),
    }
    match command {
        None => stops(report, None, "argv= is missing"),
        Some(words) => {
            for word in words {
                if is_pipe {
                    check_names(report, &word.value);
                }
                check_quotes(report, &word.written);
            }
        }
    }
}

fn stops(report: &mut Report<'_, '_>, word: Option<&Text>, what: &str) {
    let program = report.line.command();
    let waits = if program == "pipe" {
        "the mail for it stays in the queue"
    } else {
        "whoever connects gets no answer"
    };
    let message = format!("{program} stops as soon as it is needed, and {waits}: {what}");
    report.add(word.and_then(Text::span), message);
}

fn check_flags(report: &mut Report<'_, '_>, word: &Text, flags: &str) {
    if let Some(flag) = flags.chars().find(|flag| !PIPE_FLAGS.iter().any(|&known| char::from(known) == *flag)) {
        stops(report, Some(word), &format!("there is no flag {flag}; the flags are BDFORXhqu.>"));
    }
}

/// `src/util/off_cvt.c`.
fn check_size(report: &mut Report<'_, '_>, word: &Text, size: &str) {
    let digits = size.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']).unwrap_or(size);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        stops(report, Some(word), "size= takes a number, with k, m or g behind it");
    }
}

fn check_user(report: &mut Report<'_, '_>, word: &Text, value: &str) {
    let (user, group) = value.split_once(':').unwrap_or((value, ""));
    let owner = report.instance.parameter("mail_owner").text();
    let setgid = report.instance.parameter("setgid_group").text();
    if user == "root" || group == "root" {
        stops(report, Some(word), "it does not run commands as root");
    } else if !owner.is_empty() && (user == owner || group == owner) {
        stops(report, Some(word), &format!("it does not run commands as {owner}, the owner of the mail \
                                            system"));
    } else if !group.is_empty() && group == setgid && report.line.command() == "pipe" {
        stops(report, Some(word), &format!("it does not run commands as the group {setgid} of the mail \
                                            system"));
    } else if user.is_empty() {
        stops(report, Some(word), "user= names nobody");
    }
}

fn check_names(report: &mut Report<'_, '_>, word: &Text) {
    let (references, errors) = references(word, report.instance.dialect());
    let service = report.line.name();
    let unknown = references.iter().find(|name| !PIPE_NAMES.contains(&name.name.as_str()));
    if let Some(unknown) = unknown {
        let message = format!(
            "mail for {service} is put off: pipe does not know ${}, since parameters of main.cf are not \
             known there",
            unknown.name
        );
        report.add(unknown.name.span(), message);
    } else if !errors.is_empty() {
        let message = format!("mail for {service} is put off: pipe does not understand the $ in this word");
        report.add(word.span(), message);
    }
}

fn check_quotes(report: &mut Report<'_, '_>, word: &Text) {
    let text = word.as_str().strip_prefix("argv=").unwrap_or(word.as_str());
    let is_open = |quote: char| text.starts_with(quote) && !(text.len() > 1 && text.ends_with(quote));
    if is_open('\'') || is_open('"') {
        let message = format!(
            "the command gets {text} as it is written: there is no shell that takes quotes away, so a \
             blank ends the argument; {{ }} keeps words together"
        );
        report.add(word.span(), message).severity(Severity::Warning);
    }
}
