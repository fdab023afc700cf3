//! Several services, one setting: findings that say the same about the same place become one.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::source::{Sources, Span};

/// Merges findings with the same rule, place and message. What stands with any of them is kept once; a
/// parameter or service is kept when all agree.
pub(super) fn merge(findings: Vec<Finding>) -> Vec<Finding> {
    let mut merged: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut index: BTreeMap<(&'static str, Span, String), usize> = BTreeMap::new();
    for finding in findings {
        let key = (finding.rule.code, finding.span, finding.message.clone());
        match index.get(&key).and_then(|&at| merged.get_mut(at)) {
            Some(first) => absorb(first, finding),
            None => {
                index.insert(key, merged.len());
                merged.push(finding);
            }
        }
    }
    merged
}

/// Adds what `other` says to `first`, which says the same about the same place.
pub fn absorb(first: &mut Finding, other: Finding) {
    first.severity = first.severity.max(other.severity);
    if first.parameter != other.parameter {
        first.parameter = None;
    }
    if first.service != other.service {
        first.service = None;
    }
    if first.witness.is_none() {
        first.witness = other.witness;
    }
    add_new(&mut first.related, other.related);
    add_new(&mut first.notes, other.notes);
    add_new(&mut first.fixes, other.fixes);
}

fn add_new<T: PartialEq>(list: &mut Vec<T>, more: Vec<T>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// Sorts by path, place and code.
pub(super) fn sort(findings: &mut [Finding], sources: &Sources) {
    findings.sort_by_cached_key(|finding| {
        (
            sources.path(finding.span.file),
            finding.span.start,
            finding.rule.code,
            finding.span.end,
            finding.message.clone(),
        )
    });
}
