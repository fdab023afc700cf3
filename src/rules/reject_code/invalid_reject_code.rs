//! A reject code that is no 4xx or 5xx.

use crate::rules::prelude::*;

use super::{PERMANENT_CODES, changes_with_time};
use crate::instance::address_class::CLASSES;

pub(super) static RULE: Rule = Rule {
    name: "invalid-reject-code",
    code: "RC004",
    group: Group::RejectCode,
    severity: Severity::Warning,
    summary: "a reject code is neither 4xx nor 5xx: Postfix answers 450 instead",
    docs: include_str!("invalid_reject_code.md"),
    check,
};

/// Codes with a default of 450.
const TEMPORARY_CODES: [&str; 4] = [
    "plaintext_reject_code",
    "unknown_address_reject_code",
    "unknown_client_reject_code",
    "unknown_hostname_reject_code",
];

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let names = CLASSES.iter().filter_map(|class| class.reject_code);
        for name in names.chain(PERMANENT_CODES).chain(TEMPORARY_CODES) {
            let code = smtpd.parameter(name);
            let (Some(setting), Some(number)) = (code.setting(), code.number()) else { continue };
            if (400..600).contains(&number) {
                continue;
            }
            let safety = if changes_with_time(name) { Safety::Unsafe } else { Safety::Safe };
            let default = instance.builtins().get(name).map_or("", |builtin| {
                builtin.default(instance.version())
            });
            findings
                .add(
                    &RULE,
                    setting.value_span(),
                    format!(
                        "{number} is no code for a refusal: Postfix answers \"450 4.7.1 Service unavailable\" \
                         and logs an error; the default is {default}"
                    ),
                )
                .parameter(name)
                .service(smtpd.label())
                .fix_if(format!("remove {name}"), safety, edits::remove_parameter(&code));
        }
    }
}
