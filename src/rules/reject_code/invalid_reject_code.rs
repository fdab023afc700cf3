//! A reject code that is no 4xx or 5xx.

use crate::rules::prelude::*;

use super::{PERMANENT_CODES, changes_with_time};
use crate::instance::address_class::CLASSES;
use crate::instance::service::{Reach, Service};

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
const TEMPORARY_CODES: [&str; 6] = [
    "access_map_defer_code",
    "defer_code",
    "plaintext_reject_code",
    "unknown_address_reject_code",
    "unknown_client_reject_code",
    "unknown_hostname_reject_code",
];

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services().filter(|smtpd| smtpd.reach() == Reach::Network) {
        let names = CLASSES.iter().filter_map(|class| class.reject_code);
        for name in names.chain(PERMANENT_CODES).chain(TEMPORARY_CODES) {
            let code = smtpd.parameter(name);
            let (Some(setting), Some(number)) = (code.setting(), code.number()) else { continue };
            let what = if !(400..600).contains(&number) {
                format!("{number} is no code for a refusal")
            } else if name == "relay_domains_reject_code" && number < 500 && defers_relaying(&smtpd) {
                format!(
                    "defer_unauth_destination answers this code minus 100, and {} is no code for a refusal",
                    number - 100
                )
            } else {
                continue;
            };
            let default = instance
                .builtins()
                .get(name)
                .map_or("", |builtin| builtin.default(instance.version()));
            let finding = findings.add(
                &RULE,
                setting.value_span(),
                format!(
                    "{what}: Postfix answers \"450 4.7.1 Service unavailable\" and logs an error; the default \
                     is {default}"
                ),
            );
            finding.parameter(name).service(smtpd.label());
            let safety = if changes_with_time(name) { Safety::Unsafe } else { Safety::Safe };
            super::restore(finding, &code, safety);
        }
    }
}

/// Whether a service refuses to relay with `defer_unauth_destination`.
fn defers_relaying(smtpd: &Service<'_>) -> bool {
    let lists = smtpd.recipient_lists();
    lists.iter().any(|list| {
        let mut reached = list.walk(false).reached.into_iter();
        reached.any(|(restriction, _)| restriction.name() == "defer_unauth_destination")
    })
}
