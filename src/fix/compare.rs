//! What became of findings: those that are gone, those that are still there, and new ones.
//!
//! Places shift when files change, and messages may name lines and values. So a finding is the same as
//! before when its rule, file, parameter, service and message are; failing that, when all but the message
//! are and no better partner is left.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::apply::{Choice, Patched};
use crate::finding::{Finding, Severity};
use crate::source::{FileId, Sources};

/// What makes a finding the same in two runs, the message apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Subject {
    code: &'static str,
    path: PathBuf,
    parameter: Option<String>,
    service: Option<String>,
    severity: Severity,
}

impl Subject {
    pub(super) fn of(finding: &Finding, sources: &Sources) -> Self {
        Self {
            code: finding.rule.code,
            path: sources.path(finding.span.file),
            parameter: finding.parameter.clone(),
            service: finding.service.clone(),
            severity: finding.severity,
        }
    }

    fn of_any_severity(self) -> Self {
        Self {
            severity: Severity::Note,
            ..self
        }
    }
}

/// The findings of a run and the files that they are about.
#[derive(Clone, Copy)]
pub(super) struct Run<'r> {
    pub(super) findings: &'r [Finding],
    pub(super) sources: &'r Sources,
}

/// What fixes did that they should not have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// A finding that was fixed is still there.
    StillThere(Choice),
    /// A finding (of the new run) with severity error that was not there before.
    NewError(usize),
}

/// Compares the findings before and after the fixes `fixed`, which changed the files as `patched` says.
pub(super) fn complaint(
    before: Run<'_>,
    after: Run<'_>,
    fixed: &[Choice],
    patched: &BTreeMap<FileId, Patched>,
) -> Option<Complaint> {
    let is_fixed: BTreeSet<usize> = fixed.iter().map(|choice| choice.finding).collect();
    let mut left: BTreeMap<Subject, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut mended: BTreeMap<Subject, Vec<Choice>> = BTreeMap::new();
    for (index, finding) in before.findings.iter().enumerate() {
        let subject = Subject::of(finding, before.sources);
        if is_fixed.contains(&index) {
            let choices = fixed.iter().filter(|choice| choice.finding == index);
            mended
                .entry(subject.of_any_severity())
                .or_default()
                .extend(choices);
        } else {
            *left
                .entry(subject)
                .or_default()
                .entry(&finding.message)
                .or_default() += 1;
        }
    }
    let mut fresh = Vec::new();
    for (index, finding) in after.findings.iter().enumerate() {
        let subject = Subject::of(finding, after.sources);
        let count = left
            .get_mut(&subject)
            .and_then(|messages| messages.get_mut(finding.message.as_str()));
        match count {
            Some(count) if *count > 0 => *count -= 1,
            _ => fresh.push((index, subject)),
        }
    }
    fresh.retain(|(_, subject)| {
        let other = left
            .get_mut(subject)
            .and_then(|messages| messages.values_mut().find(|count| **count > 0));
        other.map(|count| *count -= 1).is_none()
    });
    for (index, subject) in &fresh {
        let now = &after.findings[*index];
        let candidates = mended.get(&subject.clone().of_any_severity());
        let same = candidates.into_iter().flatten().copied().find(|choice| {
            let then = &before.findings[choice.finding];
            then.message == now.message || overlaps(then, now, patched)
        });
        if let Some(choice) = same {
            return Some(Complaint::StillThere(choice));
        }
    }
    fresh
        .iter()
        .find(|(_, subject)| subject.severity == Severity::Error)
        .map(|(index, _)| Complaint::NewError(*index))
}

/// Whether a finding of the new run is about the place of one of the old run.
fn overlaps(then: &Finding, now: &Finding, patched: &BTreeMap<FileId, Patched>) -> bool {
    let range = then.span.start..then.span.end;
    let mapped = match patched.get(&then.span.file) {
        Some(file) => file.map(range),
        None => range,
    };
    now.span.start.max(mapped.start) < now.span.end.min(mapped.end)
}
