//! Which findings two configurations do not have in common.
//!
//! Lines shift and values change. So a finding is the same when its rule, file, parameter, service and message
//! are; failing that, when all but the message are and no better partner is left.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::finding::{Finding, Severity};
use crate::instance::Instance;

/// The findings of one configuration only.
#[derive(Clone, Debug, Default)]
pub struct FindingDifference {
    /// Those that the first one does not have, as indexes.
    pub appeared: Vec<usize>,
    /// Those that the second one does not have, as indexes.
    pub gone: Vec<usize>,
}

/// What makes a finding the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key<'f> {
    code: &'static str,
    severity: Severity,
    /// Inside the configuration directory.
    path: PathBuf,
    parameter: Option<&'f str>,
    service: Option<&'f str>,
    message: Option<&'f str>,
}

/// Compares the findings of two configurations.
pub fn difference(
    (before, old): (&Instance, &[Finding]),
    (after, new): (&Instance, &[Finding]),
) -> FindingDifference {
    let mut difference = FindingDifference {
        appeared: (0..new.len()).collect(),
        gone: (0..old.len()).collect(),
    };
    for with_message in [true, false] {
        let mut left: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
        for index in &difference.gone {
            let key = key(before, &old[*index], with_message);
            left.entry(key).or_default().push(*index);
        }
        // The last one is taken first.
        left.values_mut().for_each(|indexes| indexes.reverse());
        difference.appeared.retain(|index| {
            let same = left.get_mut(&key(after, &new[*index], with_message));
            same.and_then(Vec::pop).is_none()
        });
        difference.gone = left.into_values().flatten().collect();
        difference.gone.sort_unstable();
    }
    difference
}

fn key<'f>(instance: &Instance, finding: &'f Finding, with_message: bool) -> Key<'f> {
    let path = instance.sources().path(finding.span.file);
    let inside = path.strip_prefix(instance.directory()).map(PathBuf::from);
    Key {
        code: finding.rule.code,
        severity: finding.severity,
        path: inside.unwrap_or(path),
        parameter: finding.parameter.as_deref(),
        service: finding.service.as_deref(),
        message: with_message.then_some(finding.message.as_str()),
    }
}
