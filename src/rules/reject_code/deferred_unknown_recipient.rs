//! A 4xx code for unknown recipients makes senders try again for days.

use crate::instance::address_class::CLASSES;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "deferred-unknown-recipient",
    code: "RC001",
    group: Group::RejectCode,
    severity: Severity::Warning,
    summary: "unknown recipients are put off, not refused: senders try again for days",
    docs: include_str!("deferred_unknown_recipient.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if !smtpd.is_open_to_strangers() {
            continue;
        }
        for class in &CLASSES {
            // Nobody is refused with the code of a class without domains.
            let domains = class
                .domains
                .map(|name| instance.program("trivial-rewrite").domain_list(name));
            if domains.is_none_or(|domains| domains.is_empty()) {
                continue;
            }
            let Some(name) = class.reject_code else { continue };
            let code = smtpd.parameter(name);
            let (Some(setting), Some(number)) = (code.setting(), code.number()) else { continue };
            if !(400..500).contains(&number) {
                continue;
            }
            let message = format!(
                "unknown recipients of the {} class get {number}: the sender's server tries again for \
                 days, and nobody is told; 550 refuses them at once",
                class.name
            );
            let finding = findings.add(&RULE, setting.value_span(), message);
            finding.parameter(name).service(smtpd.label());
            if number == 421 {
                finding.severity(Severity::Error).note(
                    "421 also ends the session: the good recipients of the same message are put off, too",
                );
            }
            if smtpd.parameter("soft_bounce").flag() == Some(true) {
                finding.note("soft_bounce = yes makes every refusal a 4xx reply, whatever this code is");
            }
            super::restore(finding, &code, Safety::Safe);
        }
    }
}
