//! An index that is older than its source, or missing beside it: Postfix does not see what was edited.

use crate::instance::Instance;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "stale-index",
    code: "TB002",
    group: Group::Tables,
    severity: Severity::Warning,
    summary: "the index of a table is missing or older than its source",
    docs: include_str!("stale_index.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for stale in instance.stale_indexes() {
        let reference = &stale.reference;
        let Some(span) = reference.written.span().or(stale.parameter.span()) else { continue };
        let program = if stale.is_alias() { "postalias" } else { "postmap" };
        let (path, build) = (&reference.name, format!("{program} {}:{}", reference.type_name, reference.name));
        let (severity, message) = if stale.is_missing {
            let message = format!("{path} has no index, and lookups fail with 451 until {build} is run");
            (Severity::Error, message)
        } else {
            let message = format!(
                "{path} was changed after its index was built: Postfix goes on with the old contents until \
                 {build} is run"
            );
            (Severity::Warning, message)
        };
        findings
            .add(&RULE, span, message)
            .severity(severity)
            .parameter(stale.parameter.name())
            .choice(format!("run {build}"));
    }
}
