//! From an instance to the findings that are worth showing: runs the rules, heeds suppressions, merges what
//! is said twice, and sorts.

mod difference;
mod merge;
mod select;

pub use difference::{FindingDifference, difference};
pub use merge::absorb;
pub use select::{Selection, UnknownRule, Wanted};

use crate::finding::{Finding, Findings};
use crate::instance::Instance;
use crate::rules::postlint::{UNUSED_SUPPRESSION, report_unused};
use crate::suppression::Suppressions;

/// Runs the selected rules over an instance.
///
/// The findings are sorted by path, place and code. The same instance and selection give the same findings.
pub fn run(instance: &Instance, selection: &Selection) -> Vec<Finding> {
    let mut findings = Findings::default();
    let mut ran = Vec::new();
    let mut reports_unused = false;
    for &rule in selection.rules() {
        if rule.code == UNUSED_SUPPRESSION.code {
            reports_unused = true;
        } else {
            (rule.check)(instance, &mut findings);
            ran.push(rule);
        }
    }
    let mut suppressions = Suppressions::of(instance.sources());
    let mut findings = suppressions.apply(findings.into_vec());
    if reports_unused {
        let mut unused = Findings::default();
        report_unused(&suppressions, &ran, &mut unused);
        findings.extend(unused.into_vec());
    }
    for finding in &mut findings {
        selection.adjust(finding);
    }
    findings.retain(|finding| selection.shows(finding));
    let mut findings = merge::merge(findings);
    merge::sort(&mut findings, instance.sources());
    findings
}
