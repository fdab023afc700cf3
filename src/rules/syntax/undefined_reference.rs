//! `$name` that nothing defines is empty.

use super::readings::{InForce, settings_in_force};
use crate::instance::builtin::Kind;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::instance::postconf::NoticeKind;
use crate::instance::service::Service;
use crate::instance::text_value::{Usage, text_value};
use crate::rules::prelude::*;
use crate::source::{Span, Text};
use crate::syntax::expression::references;
use crate::syntax::main_cf::{MainCf, Setting};

use super::nearest;

pub(super) static RULE: Rule = Rule {
    name: "undefined-reference",
    code: "SX005",
    group: Group::Syntax,
    severity: Severity::Warning,
    summary: "a value refers to a name that nothing defines, and gets nothing",
    docs: include_str!("undefined_reference.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    check_classes(instance, findings);
    if instance.main_cf().is_none() {
        return;
    }
    let in_force = settings_in_force(instance);
    for notice in instance.postconf().notices() {
        let Some(name) = notice.name.as_ref().filter(|_| notice.kind == NoticeKind::Undefined) else {
            continue;
        };
        let Some((place, setting)) =
            name.span().and_then(|place| Some((place, setting_around(instance, place)?)))
        else {
            continue;
        };
        let references = references(&setting.value, instance.dialect()).0;
        if !references.iter().any(|other| other.name.span() == Some(place)) {
            // A word of smtpd_restriction_classes.
            if instance.smtpd_services().next().is_none() {
                findings
                    .add(&RULE, place, format!("smtpd would stop: the restriction class {name} is not set"))
                    .parameter("smtpd_restriction_classes");
            }
            continue;
        }
        let reader = in_force.iter().find(|in_force| in_force.setting.span == setting.span);
        let is_tested = references
            .iter()
            .any(|other| other.tested && other.name.as_bytes() == name.as_bytes());
        report(instance, name, is_tested, reader, findings);
    }
    for in_force in &in_force {
        check_unread_defaults(instance, in_force, findings);
    }
}

/// The setting in whose value a place lies.
fn setting_around(instance: &Instance, place: Span) -> Option<&Setting> {
    let main = instance.main_cf().into_iter().flat_map(MainCf::settings);
    let services = instance.master_cf().into_iter().flat_map(|file| file.services());
    let overrides = services.flat_map(|service| &service.overrides);
    main.chain(overrides).find(|setting| super::comment::is_inside(setting, place))
}

fn report(
    instance: &Instance,
    name: &Text,
    is_tested: bool,
    in_force: Option<&InForce<'_>>,
    findings: &mut Findings,
) {
    let Some(place) = name.span() else { return };
    let effect = in_force.and_then(|in_force| effect(in_force, place));
    let (severity, what) = match effect {
        _ if is_tested => {
            (Severity::Note, format!("{name} is not defined, so the other case is always in force"))
        }
        Some(effect) => (Severity::Error, format!("{effect}: nothing defines {name}, so it is empty")),
        None => (Severity::Warning, format!("nothing stands here: nothing defines {name}, so it is empty")),
    };
    let finding = findings.add(&RULE, place, format!("{what}; a name that is set would be right"));
    finding.severity(severity);
    if let Some(in_force) = in_force {
        finding.parameter(in_force.name);
        if let Some(service) = in_force.service {
            finding.service(service.label());
        }
    }
    if let Some(near) = near(instance, name.as_str()) {
        finding.choice(format!("write ${near}"));
    }
    finding.choice(format!("set {name} to what is meant"));
}

/// A name that is set, or built in, and very much like another one.
fn near(instance: &Instance, name: &str) -> Option<String> {
    let settings = instance.main_cf().into_iter().flat_map(MainCf::settings);
    let names = settings.map(|setting| setting.name.as_str());
    let own = nearest::nearest(name, names).map(str::to_owned);
    own.or_else(|| nearest::parameter(name, instance).map(str::to_owned))
}

/// What it means that the reference at `place` gives nothing; `None` where that does little.
fn effect(in_force: &InForce<'_>, place: Span) -> Option<String> {
    let (setting, name) = (in_force.setting, in_force.name);
    let usage = text_value(name).usage;
    let reading = in_force.readings.first()?;
    let value = reading.values(setting, &in_force.facts).into_iter().next()?.ok()?;
    if value.trim().is_empty() {
        if in_force.facts.kind != Kind::Str || in_force.facts.min.is_some_and(|min| min > 0) {
            return Some(reading.stopping());
        }
        let is_needed = match usage {
            Usage::List | Usage::Tables | Usage::Transport | Usage::NextHop => true,
            Usage::Restrictions => {
                matches!(name, "smtpd_relay_restrictions" | "smtpd_recipient_restrictions")
            }
            _ => false,
        };
        return is_needed.then(|| format!("{name} is empty"));
    }
    if !matches!(in_force.facts.kind, Kind::Str | Kind::Raw) {
        return None;
    }
    // `hash:$nothing/virtual` is a table somewhere else.
    let words = setting.value.words_outside_braces(LIST_SEPARATORS);
    let is_around = |word: &&Text| {
        word.span().is_some_and(|span| span.start <= place.start && place.end <= span.end)
    };
    let word = words.iter().find(is_around)?;
    (matches!(usage, Usage::Tables | Usage::Table) && word.as_str().contains(':'))
        .then(|| "lookups go to another table".to_owned())
}

/// References to built-in parameters that are not set, in programs that do not read them: only main.cf, `-o`
/// and what the program has read itself is known there (`src/util/dict.c`, `src/global/mail_conf_str.c`).
fn check_unread_defaults(instance: &Instance, in_force: &InForce<'_>, findings: &mut Findings) {
    if in_force.facts.kind == Kind::Raw || !in_force.setting.value.as_bytes().contains(&b'$') {
        return;
    }
    for reference in references(&in_force.setting.value, instance.dialect()).0 {
        let name = reference.name.as_str();
        let (Some(place), Some(builtin)) = (reference.name.span(), instance.builtins().get(name)) else {
            continue;
        };
        let is_special = builtin.is_read_only() || builtin.is_read_by("all") || builtin.is_computed();
        if reference.tested || is_special || builtin.scope().next().is_none() {
            continue;
        }
        let mut programs: Vec<&str> = Vec::new();
        for reading in &in_force.readings {
            let default = reading.scope.named(name.to_owned());
            if default.is_set() || default.is_empty() {
                continue;
            }
            let blind = reading.programs.iter().filter(|program| !builtin.is_read_by(program));
            programs.extend(blind);
        }
        programs.retain(|program| *program != "proxymap");
        programs.sort_unstable();
        programs.dedup();
        if programs.is_empty() {
            continue;
        }
        let message = format!(
            "nothing stands here in {}: a program knows a parameter that it does not read only when it \
             is set, and {name} is not",
            super::readings::listed(&programs)
        );
        findings
            .add(&RULE, place, message)
            .parameter(in_force.name)
            .choice(format!("set {name} in main.cf, be it to its default"));
    }
}

/// Restriction classes without restrictions (`src/smtpd/smtpd_check.c: smtpd_check_init`).
fn check_classes(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        for class in smtpd.parameter("smtpd_restriction_classes").words() {
            check_class(&smtpd, &class, findings);
        }
    }
}

fn check_class(smtpd: &Service<'_>, class: &Text, findings: &mut Findings) {
    let list = smtpd.scope().named(class.to_string());
    let is_missing = !list.is_set() || list.is_empty();
    let name = class.as_str();
    // Comments and quotes have rules of their own.
    let Some(place) = class.span() else { return };
    if !is_missing || name.starts_with('#') || super::quotes::has_quote(name) {
        return;
    }
    let what = if list.is_set() { "is empty" } else { "is not set" };
    let message = format!(
        "smtpd stops, and clients get no greeting: the restriction class {name} {what}; a class needs a \
         list of restrictions"
    );
    let finding = findings.add(&RULE, place, message);
    finding
        .severity(Severity::Error)
        .parameter("smtpd_restriction_classes")
        .service(smtpd.label())
        .related(list.span(), "empty here")
        .choice(format!("set {name} to a list of restrictions"))
        .choice(format!("remove {name} from smtpd_restriction_classes"));
}
