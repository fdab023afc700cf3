//! `# …` behind a value: main.cf has no comments there.

use std::collections::BTreeSet;

use crate::instance::builtin::{self, Kind};
use crate::instance::parameter::Parameter;
use crate::instance::table_uses::{Role, role_of};
use crate::rules::prelude::*;
use crate::syntax::main_cf::Setting;

pub(super) static RULE: Rule = Rule {
    name: "inline-comment",
    code: "SX001",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a comment behind a value is part of the value",
    docs: include_str!("inline_comment.md"),
    check,
};

/// Parameters that every program reads, and that stop it when there is a `#` in them.
const FOR_ALL_PROGRAMS: [&str; 7] = [
    "compatibility_level",
    "inet_interfaces",
    "inet_protocols",
    "mydomain",
    "myhostname",
    "myorigin",
    "proxy_interfaces",
];

fn check(instance: &Instance, findings: &mut Findings) {
    let mut seen = BTreeSet::new();
    let main = instance.scope();
    let settings = instance.main_cf().into_iter().flat_map(|file| file.settings());
    for setting in settings {
        // Only the last setting of a name is in force.
        if !seen.insert(setting.name.to_string()) {
            continue;
        }
        let parameter = main.named(setting.name.to_string());
        let Some(in_force) = parameter.setting() else { continue };
        report(instance, &parameter, in_force, findings);
    }
}

fn report(
    instance: &Instance,
    parameter: &Parameter<'_>,
    setting: &Setting,
    findings: &mut Findings,
) {
    let Some(at) = comment(setting.value.as_str()) else { return };
    let Some(place) = setting.value.span_of(at..setting.value.len()) else { return };
    let Some((severity, what)) = judge(instance, parameter, at) else { return };
    let finding = findings.add(
        &RULE,
        place,
        format!("{what}: a comment has to be on a line of its own"),
    );
    finding.severity(severity).parameter(parameter.name());
    // A program that is dead today comes back to life with every right that is configured.
    // On several lines, what follows the comment comes into force, too.
    let is_one_line = setting.value.slice(at..setting.value.len()).is_contiguous();
    let safety = if severity == Severity::Error || !is_one_line {
        Safety::Unsafe
    } else {
        Safety::Safe
    };
    let source = instance.sources().get(setting.span.file);
    finding.fix_if(
        "move the comment to a line of its own",
        safety,
        edits::move_comment_above(&source, setting.span, place),
    );
}

/// Where a word that starts with `#` begins, outside of braces and quotes.
fn comment(value: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut before = b' ';
    for (at, byte) in value.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'#' if depth == 0 && crate::source::is_space(before) => return Some(at),
            _ => {}
        }
        before = byte;
    }
    None
}

/// What Postfix does with the comment, by the kind of the parameter; `None` where it does no harm, or where
/// it is meant as text.
fn judge(
    instance: &Instance,
    parameter: &Parameter<'_>,
    at: usize,
) -> Option<(Severity, String)> {
    let name = parameter.name();
    let error = |what: &str| Some((Severity::Error, what.to_owned()));
    let builtin = builtin::parameter(name).filter(|builtin| builtin.exists_in(instance.version()))?;
    if FOR_ALL_PROGRAMS.contains(&name) {
        return error("every Postfix program stops, because the comment is part of the value");
    }
    match builtin.kind(instance.version()) {
        Kind::Bool | Kind::Nbool | Kind::Int | Kind::Nint | Kind::Long => {
            return error("the programs that read it stop, because the comment is part of the value");
        }
        Kind::Time => {
            let value = parameter.raw().slice(0..at).trim();
            // Postfix ignores what follows the unit letter.
            let has_unit = value.as_bytes().last().is_some_and(u8::is_ascii_alphabetic);
            return if has_unit {
                Some((Severity::Note, "Postfix ignores what follows the unit of a time".to_owned()))
            } else {
                error("the programs that read it stop, because the comment is part of the value")
            };
        }
        Kind::Raw => return None,
        Kind::Str => {}
    }
    match role_of(name) {
        Some(Role::List) => {
            let what = "the list ends at the comment, and Postfix warns each time it reads it";
            return Some((Severity::Warning, what.to_owned()));
        }
        Some(Role::Maps) => {
            return error("the programs that read it stop: # is no lookup table");
        }
        Some(Role::Restrictions) => {
            return error("smtpd does not know the restriction #, and answers 451 to everyone who gets there");
        }
        None => {}
    }
    // The shell takes it as a comment; in texts it is text.
    let is_text = name.ends_with("_command")
        || name.ends_with("_banner")
        || name.ends_with("_reply")
        || name.ends_with("_footer")
        || (name.ends_with("_filter") && name != "content_filter")
        || name.ends_with("_wrapper");
    if is_text {
        return None;
    }
    if name.ends_with("_milters") {
        return error("smtpd cannot use the milter #, and answers 451");
    }
    if name.ends_with("_transport") || name == "content_filter" {
        return error("the comment is part of the transport's name, which does not exist: mail stays in the queue");
    }
    if name.ends_with("_file") || name.ends_with("_directory") {
        return error("the comment is part of the file name");
    }
    if name.ends_with("_security_level") {
        return error("the programs that read it stop: there is no such security level");
    }
    Some((Severity::Warning, "the comment is part of the value".to_owned()))
}
