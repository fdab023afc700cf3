//! Values with a `$` that cannot be expanded (`src/util/mac_expand.c`).

use super::super::readings::settings_in_force;
use super::{Effect, Problem, RULE};
use crate::finding::Severity;
use crate::instance::Instance;
use crate::instance::builtin::Kind;
use crate::instance::parameter::Scope;
use crate::rules::prelude::*;
use crate::syntax::expression::{ExpandError, ExpandErrorKind, references};
use crate::syntax::main_cf::Setting;

/// What is wrong with a value that cannot be expanded. `None` where the mistake is in another setting, which
/// has its own finding.
pub(super) fn problem(setting: &Setting, error: &ExpandError, scope: Scope<'_>) -> Option<Problem> {
    match error.kind {
        ExpandErrorKind::Recursion => Some(Problem::stops(
            "the value refers to itself, by itself or by what it refers to; a value that ends would be \
             right",
        )),
        ExpandErrorKind::Crash => Some(Problem::stops(
            "evaluating the value never ends, because it compares itself; a value that ends would be right",
        )),
        _ if is_malformed(setting, scope.instance) => Some(Problem::stops(format!(
            "Postfix does not understand the $ here ({}); $$ stands for a $",
            error.message
        ))),
        ExpandErrorKind::Level => Some(Problem::stops(error.message.clone())),
        _ => None,
    }
}

fn is_malformed(setting: &Setting, instance: &Instance) -> bool {
    !references(&setting.value, instance.dialect()).1.is_empty()
}

/// Malformed values of settings that no program reads by themselves, and malformed parts that are not
/// evaluated today.
pub(super) fn check_unread(instance: &Instance, findings: &mut Findings) {
    let Some(main_cf) = instance.main_cf() else { return };
    for setting in main_cf.settings() {
        let name = setting.name.as_str();
        let builtin = instance.builtins().get(name);
        let is_raw = builtin.is_some_and(|builtin| builtin.kind(instance.version()) == Kind::Raw);
        let in_force = instance.main_cf_setting(setting.name.as_bytes());
        if is_raw || in_force.is_none_or(|in_force| in_force.span != setting.span) {
            continue;
        }
        let errors = references(&setting.value, instance.dialect()).1;
        let Some(error) = errors.first() else { continue };
        let fails = instance.scope().expand(&setting.value).is_err();
        let is_needed = || {
            settings_in_force(instance).iter().any(|in_force| {
                let values = in_force.readings.iter().flat_map(|reading| {
                    reading.values(in_force.setting, &in_force.facts)
                });
                values.into_iter().any(|value| {
                    value.is_err_and(|failure| failure.message == error.message)
                })
            })
        };
        let (severity, message) = match (builtin, fails) {
            // Found where it is read.
            (Some(_), true) => continue,
            (None, true) if is_needed() => (
                Severity::Error,
                format!("programs stop when they read a parameter that refers to {name}"),
            ),
            (None, true) => (
                Severity::Note,
                format!("postconf warns about {name}, which nothing needs today"),
            ),
            (_, false) => (
                Severity::Note,
                format!("postconf warns about a part of {name} that is not in use today"),
            ),
        };
        let message =
            format!("{message}: it does not understand the $ here ({}); $$ stands for a $", error.message);
        findings.add(&RULE, setting.value_span(), message).severity(severity).parameter(name);
    }
}

/// How braces that do not pair up are spoken of.
pub(super) fn unpaired(message: String) -> Problem {
    Problem::new(
        Effect::Other(Severity::Error, "the rest of the value is one word"),
        format!("{message}; braces that pair up would be right"),
    )
}
