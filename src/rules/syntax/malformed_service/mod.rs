//! Lines of master.cf that master(8) or the program cannot use.

mod delivery;
mod endpoint;
mod fields;
mod join;
mod options;
mod orphans;
mod program;

use crate::finding::Finding;
use crate::rules::prelude::*;
use crate::source::Span;
use crate::syntax::master_cf::{MasterCf, MasterLine, ServiceLine};

pub(super) static RULE: Rule = Rule {
    name: "malformed-service",
    code: "SX010",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a line of master.cf that master or its program cannot use",
    docs: include_str!("../malformed_service.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let Some(master_cf) = instance.master_cf() else { return };
    for line in &master_cf.lines {
        match line {
            MasterLine::Discarded { span, .. } => {
                findings.add(
                    &RULE,
                    *span,
                    "Postfix throws this line away, because it begins with a blank and there is no \
                     service above it; a service begins in column 1",
                );
            }
            MasterLine::Service(line) => {
                let mut report = Report { instance, master_cf, line, findings };
                orphans::check(&mut report);
                // The rest of a disabled line is not looked at.
                if line.fields.len() < 2 || !instance.is_disabled(line) {
                    check_service(&mut report);
                }
            }
        }
    }
}

fn check_service(report: &mut Report<'_, '_>) {
    if !fields::check(report) {
        return;
    }
    endpoint::check(report);
    let has_program = program::check(report);
    options::check(report);
    if has_program {
        delivery::check(report);
    }
}

/// A service, and where to put what is wrong with it.
struct Report<'i, 'f> {
    instance: &'i Instance,
    master_cf: &'i MasterCf,
    line: &'i ServiceLine,
    findings: &'f mut Findings,
}

impl<'i> Report<'i, '_> {
    /// Adds a finding about this service.
    fn add(&mut self, place: Option<Span>, message: impl Into<String>) -> &mut Finding {
        let label = format!("{}/{}", self.line.name(), self.line.kind());
        let place = place.unwrap_or(self.line.head_span());
        self.findings.add(&RULE, place, message).service(label)
    }

    /// The place of a field.
    fn field(&self, index: usize) -> Option<Span> {
        self.line.fields.get(index)?.span()
    }

    /// Adds a finding about a field, and the fix to write something else there.
    fn add_field(&mut self, index: usize, message: String, right: Option<&str>) -> &mut Finding {
        let (instance, master_cf, line) = (self.instance, self.master_cf, self.line);
        let finding = self.add(self.field(index), message);
        if let (Some(field), Some(right)) = (line.fields.get(index), right) {
            finding.fix_if(
                format!("write {right}"),
                super::revival::safety(instance, "master_service_disable"),
                crate::edits::replace_word(&master_cf.source, field, right),
            );
        }
        finding
    }
}
