//! A result of an access or header table that Postfix does not know.

use std::collections::BTreeSet;

use crate::instance::builtin::Version;
use crate::instance::restriction::{Meaning, Restriction, restrictions_of};
use crate::instance::restriction_table::{Argument, restriction_words};
use crate::instance::table_uses::{Role, TableUse};
use crate::mail::{Action, action};
use crate::rules::prelude::*;
use crate::rules::rows::rows;
use crate::rules::syntax::nearest::nearest;
use crate::source::{Span, Text};

pub(super) static RULE: Rule = Rule {
    name: "unknown-access-action",
    code: "TB011",
    group: Group::Tables,
    severity: Severity::Error,
    summary: "a table has a result that Postfix does not know: 451, or the check does nothing",
    docs: include_str!("unknown_access_action.md"),
    check,
};

/// So many entries of a table are looked at.
const MOST_ENTRIES: usize = 1_000_000;
/// What access(5) knows besides restrictions and numbers.
const ACTIONS: [&str; 15] = [
    "OK", "RELAY", "DUNNO", "REJECT", "DEFER", "DEFER_IF_REJECT", "DEFER_IF_PERMIT", "BCC", "DISCARD", "FILTER", "HOLD", "PREPEND",
    "REDIRECT", "INFO", "WARN",
];
/// What cleanup(8) knows (`src/cleanup/cleanup_message.c`).
const CLEANUP: [&str; 15] = [
    "BCC", "DISCARD", "DUNNO", "FILTER", "HOLD", "IGNORE", "INFO", "OK", "PASS", "PREPEND", "REDIRECT", "REJECT", "REPLACE", "STRIP",
    "WARN",
];
/// What smtp(8) knows (`src/global/header_body_checks.c`).
const CLIENT: [&str; 8] = ["DUNNO", "IGNORE", "INFO", "OK", "PREPEND", "REPLACE", "STRIP", "WARN"];
/// What cleanup knows for one kind of mail only, or without saying so.
const QUIET: [&str; 2] = ["DELAY", "HANGUP"];

fn check(instance: &Instance, findings: &mut Findings) {
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for usage in instance.table_uses() {
        let Ok(reference) = &usage.table else { continue };
        let name = usage.parameter.name().to_owned();
        let checks = if name.starts_with("smtp_") { &CLIENT[..] } else { &CLEANUP[..] };
        let is_checks = name.ends_with("header_checks") || name.ends_with("body_checks");
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            for row in rows(&table).take(MOST_ENTRIES) {
                let text = row.value.as_str().trim();
                // An entry without a result is wrong-table-format's; the text of a pattern can be anything.
                if text.is_empty() || text.starts_with('$') {
                    continue;
                }
                let wrong = if usage.role == Role::Restrictions {
                    access(&usage, text)
                } else if is_checks {
                    command(text, checks)
                } else {
                    break;
                };
                let Some(wrong) = wrong else { continue };
                let Some(place) = row.value.span().or(row.key.span()).filter(|place| seen.insert(*place)) else { continue };
                report(instance, &usage, &row.value, &wrong, place, findings);
            }
        }
    }
}

/// What is wrong with a result.
struct Wrong {
    word: String,
    severity: Severity,
    then: String,
    near: Option<&'static str>,
}

fn report(instance: &Instance, usage: &TableUse<'_>, value: &Text, wrong: &Wrong, place: Span, findings: &mut Findings) {
    let finding = findings.add(&RULE, place, format!("{}; {}", wrong.then, hint(wrong)));
    finding
        .severity(wrong.severity)
        .parameter(usage.parameter.name())
        .related(usage.parameter.span().filter(|span| *span != place), "the table is used here");
    // A number needs a text, which is the operator's to choose.
    let first = value.words(b" \t").into_iter().next();
    match (wrong.near, first) {
        (Some(near), Some(first)) if first == wrong.word.as_str() => {
            finding.fix_if(
                format!("write {near}, if that is meant"),
                Safety::DisplayOnly,
                edits::replace_word(&instance.sources().get(place.file), &first, near),
            );
        }
        _ => {
            finding.choice("write an action that there is, such as OK, REJECT or DUNNO");
        }
    }
}

fn hint(wrong: &Wrong) -> String {
    match wrong.near {
        Some(near) => format!("{near} may be meant"),
        None => "the actions are those of access(5) and header_checks(5)".to_owned(),
    }
}

/// A result of an access table (`src/smtpd/smtpd_check.c: check_table_result`).
fn access(usage: &TableUse<'_>, text: &str) -> Option<Wrong> {
    let scope = usage.parameter.scope();
    let version = scope.instance.version();
    let then = |word: &str| format!("smtpd does not know {word}, and answers 451 to every client that the entry is for");
    let command = text.split_ascii_whitespace().next().unwrap_or_default();
    let is_late = ["BCC", "INFO"].iter().any(|late| command.eq_ignore_ascii_case(late));
    if is_late && version < Version::release(3, 0, 0) {
        return Some(Wrong { word: command.to_owned(), severity: Severity::Error, then: then(command), near: None });
    }
    match action(text) {
        Action::Restrictions(list) => {
            let list = restrictions_of(scope, &Text::placeless(&list));
            let unknown = list.iter().find(|restriction| is_unknown(restriction, version))?;
            let word = unknown.word.to_string();
            let near = nearest(&word.to_lowercase(), restriction_words(version).map(|facts| facts.name));
            let action = synonym(&word).or(ACTIONS.iter().copied().find(|action| is_near(action, &word)));
            Some(Wrong { then: then(&word), severity: Severity::Error, near: action.or(near), word })
        }
        Action::Refuse if text.contains(':') && !is_refusal(command) => Some(Wrong {
            word: command.to_owned(),
            severity: Severity::Error,
            then: format!(
                "smtpd opens no tables that a table names, and answers 451 for {text} to every client that the entry is for"
            ),
            near: None,
        }),
        _ => None,
    }
}

/// Whether a command is an action that refuses: then what follows is text.
fn is_refusal(command: &str) -> bool {
    ["REJECT", "DEFER", "HANGUP"].iter().any(|refusal| command.eq_ignore_ascii_case(refusal))
        || command.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_unknown(restriction: &Restriction, version: Version) -> bool {
    match &restriction.meaning {
        Meaning::Unknown => true,
        Meaning::Builtin(facts) => {
            let needs_table = matches!(facts.argument, Argument::Table | Argument::Policy);
            !facts.works.contains(version) || (needs_table && restriction.argument.is_none())
        }
        Meaning::Class(_) | Meaning::AccessTable => false,
    }
}

/// A command of a header or body table (`src/cleanup/cleanup_message.c`): unknown ones are logged, and the mail passes.
fn command(text: &str, known: &[&'static str]) -> Option<Wrong> {
    let command = text.split_ascii_whitespace().next().unwrap_or_default();
    let is_known = known.iter().chain(&QUIET).any(|name| command.eq_ignore_ascii_case(name));
    if is_known {
        return None;
    }
    let is_cleanups = CLEANUP.iter().any(|name| command.eq_ignore_ascii_case(name));
    let then = if is_cleanups {
        format!("smtp(8) cannot do {command}, logs a warning, and sends the mail on as it is")
    } else {
        format!("{command} is no command of header_checks: Postfix logs a warning, and the mail passes as if nothing had matched")
    };
    let near = if command.bytes().all(|byte| byte.is_ascii_digit()) { Some("REJECT") } else { synonym(command) };
    let near = near.or(known.iter().copied().find(|name| is_near(name, command)));
    Some(Wrong { word: command.to_owned(), severity: Severity::Warning, then, near: near.filter(|near| !is_cleanups && known.contains(near)) })
}

/// What a word of other programs is called here.
fn synonym(word: &str) -> Option<&'static str> {
    match word.to_ascii_uppercase().as_str() {
        "ACCEPT" | "ALLOW" | "PERMIT" | "YES" | "PASS" => Some("OK"),
        "DENY" | "BLOCK" | "DROP" | "REFUSE" => Some("REJECT"),
        "IGNORE" | "SKIP" | "NONE" => Some("DUNNO"),
        _ => None,
    }
}

fn is_near(action: &str, word: &str) -> bool {
    let distance = strsim::damerau_levenshtein(action, &word.to_ascii_uppercase());
    distance > 0 && distance * 3 <= action.len().min(word.len())
}
