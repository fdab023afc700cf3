//! What became of findings: those that are gone, those that are still there, and new ones.
//!
//! Places shift when files change, and messages may name lines and values. So a finding is the same as
//! before when its rule, file, parameter, service and message are, best of all one in the place that
//! corresponds; failing that, when all but the message are and no better partner is left.

use std::collections::BTreeMap;
use std::ops::Range;
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

/// From how many findings on the rule may have left out further ones, as rules do with large tables. Those
/// come to light when the first ones are mended.
pub(super) const MANY: usize = 20;

/// Compares the findings before and after the fixes `fixed`, which changed the files as `patched` says.
pub(super) fn complaint(
    before: Run<'_>,
    after: Run<'_>,
    fixed: &[Choice],
    patched: &BTreeMap<FileId, Patched>,
) -> Option<Complaint> {
    let fixed: BTreeMap<usize, Choice> = fixed
        .iter()
        .map(|choice| (choice.finding, *choice))
        .collect();
    let mut left: Vec<(Subject, &Finding)> = Vec::new();
    let mut mended: BTreeMap<Subject, Vec<Choice>> = BTreeMap::new();
    let mut counts: BTreeMap<Subject, (usize, usize)> = BTreeMap::new();
    for (index, finding) in before.findings.iter().enumerate() {
        let subject = Subject::of(finding, before.sources);
        counts.entry(subject.clone()).or_default().0 += 1;
        if let Some(choice) = fixed.get(&index) {
            let choices = mended.entry(subject.of_any_severity()).or_default();
            choices.push(*choice);
        } else {
            left.push((subject, finding));
        }
    }
    let mut fresh: Vec<(usize, Subject)> = Vec::new();
    for (index, finding) in after.findings.iter().enumerate() {
        let subject = Subject::of(finding, after.sources);
        counts.entry(subject.clone()).or_default().1 += 1;
        fresh.push((index, subject));
    }
    let message = |index: usize| after.findings[index].message.as_str();
    let start = |index: usize| after.findings[index].span.start;
    pair_off(
        &mut left,
        &mut fresh,
        |subject, then| {
            (
                subject.clone(),
                then.message.as_str(),
                place(then, patched).start,
            )
        },
        |subject, now| (subject.clone(), message(now), start(now)),
    );
    pair_off(
        &mut left,
        &mut fresh,
        |subject, then| (subject.clone(), then.message.as_str()),
        |subject, now| (subject.clone(), message(now)),
    );
    pair_off(
        &mut left,
        &mut fresh,
        |subject, _| subject.clone(),
        |subject, _| subject.clone(),
    );
    let was_left_out = |subject: &Subject| {
        let counts = counts.get(subject);
        counts.is_some_and(|&(before, after)| before >= MANY && after <= before)
    };
    for (index, subject) in &fresh {
        let now = &after.findings[*index];
        let candidates = mended.get(&subject.clone().of_any_severity());
        let same = candidates.into_iter().flatten().copied().find(|choice| {
            let then = &before.findings[choice.finding];
            let says_the_same = then.message == now.message && !was_left_out(subject);
            says_the_same || overlaps(then, now, patched)
        });
        if let Some(choice) = same {
            return Some(Complaint::StillThere(choice));
        }
    }
    fresh
        .iter()
        .find(|(_, subject)| subject.severity == Severity::Error && !was_left_out(subject))
        .map(|(index, _)| Complaint::NewError(*index))
}

/// Takes away pairs of an old and a new finding that have the same key.
fn pair_off<'f, K: Ord>(
    left: &mut Vec<(Subject, &'f Finding)>,
    fresh: &mut Vec<(usize, Subject)>,
    old_key: impl Fn(&Subject, &'f Finding) -> K,
    new_key: impl Fn(&Subject, usize) -> K,
) {
    let mut new: BTreeMap<K, usize> = BTreeMap::new();
    for (index, subject) in fresh.iter() {
        *new.entry(new_key(subject, *index)).or_default() += 1;
    }
    let mut paired: BTreeMap<K, usize> = BTreeMap::new();
    left.retain(|(subject, finding)| {
        let key = old_key(subject, finding);
        match new.get_mut(&key) {
            Some(count) if *count > 0 => {
                *count -= 1;
                *paired.entry(key).or_default() += 1;
                false
            }
            _ => true,
        }
    });
    fresh.retain(
        |(index, subject)| match paired.get_mut(&new_key(subject, *index)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        },
    );
}

/// Where the place of a finding of the old run is now.
fn place(then: &Finding, patched: &BTreeMap<FileId, Patched>) -> Range<usize> {
    let range = then.span.start..then.span.end;
    match patched.get(&then.span.file) {
        Some(file) => file.map(range),
        None => range,
    }
}

/// Whether a finding of the new run is about the place of one of the old run.
fn overlaps(then: &Finding, now: &Finding, patched: &BTreeMap<FileId, Patched>) -> bool {
    let place = place(then, patched);
    now.span.start.max(place.start) < now.span.end.min(place.end)
}
