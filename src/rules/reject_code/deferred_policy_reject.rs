//! A 4xx code for refusals that are meant to last.

use crate::instance::service::Reach;
use crate::rules::prelude::*;

use super::{PERMANENT_CODES, changes_with_time};

pub(super) static RULE: Rule = Rule {
    name: "deferred-policy-reject",
    code: "RC003",
    group: Group::RejectCode,
    severity: Severity::Warning,
    summary: "a refusal by policy says \"try again later\"",
    docs: include_str!("deferred_policy_reject.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services().filter(|smtpd| smtpd.reach() == Reach::Network) {
        for name in PERMANENT_CODES {
            let code = smtpd.parameter(name);
            let (Some(setting), Some(number)) = (code.setting(), code.number()) else { continue };
            if !(400..500).contains(&number) {
                continue;
            }
            let lasting = !changes_with_time(name);
            let finding = findings.add(
                &RULE,
                setting.value_span(),
                format!(
                    "mail that is refused gets {number}, and the sender's server tries again for days; the \
                     default refuses for good"
                ),
            );
            finding.parameter(name).service(smtpd.label());
            let safety = if lasting {
                Safety::Safe
            } else {
                finding.severity(Severity::Note);
                Safety::Unsafe
            };
            super::restore(finding, &code, safety);
        }
    }
}
