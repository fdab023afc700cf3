//! Text behind a `#` at the end of a value is part of the value.

mod judge;

use super::comment;
use super::readings::{InForce, Reading, settings_in_force};
use crate::instance::builtin::Kind;
use crate::rules::prelude::*;
use crate::source::{Span, Text};
use crate::syntax::main_cf::Setting;

use judge::{Case, NO_RESTRICTION, Verdict};

pub(super) static RULE: Rule = Rule {
    name: "inline-comment",
    code: "SX001",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a comment at the end of a line is taken for part of the value",
    docs: include_str!("../inline_comment.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for in_force in settings_in_force(instance) {
        let mut found: Vec<(Text, Verdict<'_>)> = Vec::new();
        let nobody = nobody(instance, &in_force);
        for reading in in_force.readings.iter().chain(&nobody) {
            for value in reading.values(in_force.setting, &in_force.facts).into_iter().flatten() {
                let Some(comment) = written_comment(instance, &in_force, &value) else { continue };
                let case = Case { in_force: &in_force, reading, value: &value, comment: &comment };
                let Some(verdict) = case.judge() else { continue };
                let same = found.iter_mut().find(|(place, known)| {
                    place.span() == comment.span()
                        && known.what == verdict.what
                        && known.severity == verdict.severity
                });
                match same {
                    Some((_, known)) => {
                        if let (Some(known), Some(other)) = (&mut known.stops, &verdict.stops) {
                            known.join(other);
                        }
                    }
                    None => found.push((comment, verdict)),
                }
            }
        }
        for (comment, mut verdict) in found {
            if nobody.is_some() {
                verdict.severity = verdict.severity.min(Severity::Warning);
            }
            report(instance, &in_force, &comment, &verdict, findings);
        }
    }
    check_classes(instance, findings);
}

/// Those who would read a setting of main.cf that nobody reads today.
fn nobody<'i>(instance: &'i Instance, in_force: &InForce<'i>) -> Option<Reading<'i>> {
    let is_unread = in_force.readings.is_empty() && in_force.service.is_none();
    is_unread.then(|| Reading {
        scope: instance.scope(),
        programs: in_force.readers.iter().copied().collect(),
        is_everything: false,
    })
}

/// The comment in a value, if it stands in the setting itself, or in one of the configuration's own to which
/// it refers. Comments in other settings have findings of their own.
fn written_comment(instance: &Instance, in_force: &InForce<'_>, value: &Text) -> Option<Text> {
    let found = comment::find(value)?;
    let is_own = |comment: &Text| {
        comment.span().is_some_and(|place| comment::is_inside(in_force.setting, place))
    };
    if is_own(&found) {
        return Some(found);
    }
    comment::find(&in_force.setting.value).or_else(|| {
        let place = found.span()?;
        let owner = owner(instance, place)?;
        instance.builtins().get(owner.name.as_str()).is_none().then_some(found)
    })
}

/// The setting of main.cf in whose value a place lies.
fn owner(instance: &Instance, place: Span) -> Option<&Setting> {
    let main_cf = instance.main_cf()?;
    main_cf.settings().find(|setting| comment::is_inside(setting, place))
}

/// Restriction classes, which are parameters of the configuration's own.
fn check_classes(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        for class in smtpd.parameter("smtpd_restriction_classes").words() {
            let class = smtpd.scope().named(class.to_string());
            let Some(setting) = class.setting() else { continue };
            let Some(comment) = class.value().ok().and_then(|value| comment::find(&value)) else {
                continue;
            };
            let Some(place) = comment.span() else { continue };
            let source = instance.sources().get(place.file);
            let is_here = instance.main_cf_setting(setting.name.as_bytes()).is_some();
            findings
                .add(
                    &RULE,
                    place,
                    format!("{NO_RESTRICTION}; a comment needs a line of its own"),
                )
                .parameter(class.name())
                .service(smtpd.label())
                .fix_if(
                    "move the comment above the setting",
                    Safety::Unsafe,
                    comment::move_above(&source, setting).filter(|_| is_here),
                );
        }
    }
}

fn report(
    instance: &Instance,
    in_force: &InForce<'_>,
    comment: &Text,
    verdict: &Verdict<'_>,
    findings: &mut Findings,
) {
    let Some(place) = comment.span() else { return };
    let message = format!("{}; a comment needs a line of its own", verdict.message());
    let finding = findings.add(&RULE, place, message);
    finding.severity(verdict.severity).parameter(in_force.name);
    if let Some(service) = in_force.service {
        finding.service(service.label());
    }
    let Some(owner) = owner(instance, place) else { return };
    let is_text = matches!(in_force.facts.kind, Kind::Str | Kind::Raw);
    if !is_text && owner.value.as_str().starts_with('#') {
        finding.choice("give it a value, or remove it");
        return;
    }
    let source = instance.sources().get(place.file);
    finding.fix_if(
        "move the comment above the setting",
        verdict.safety,
        comment::move_above(&source, owner),
    );
}
