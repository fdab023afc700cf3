//! An empty `local_recipient_maps` makes every local address valid.

use crate::instance::address_class::Class;
use crate::instance::restriction::RecipientCheck;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "empty-local-recipient-maps",
    code: "BS001",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail for unknown local users is accepted, then bounced",
    docs: include_str!("empty_local_recipient_maps.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let maps = smtpd.parameter("local_recipient_maps");
        let Some(setting) = maps.setting().filter(|_| maps.is_empty()) else { continue };
        if !smtpd.is_open_to_strangers()
            || smtpd.recipient_verification() == RecipientCheck::Always
            || instance.parameter("local_transport").text().starts_with("error:")
        {
            continue;
        }
        let finding = findings.add(
            &RULE,
            setting.span,
            "every local address is accepted, and mail for unknown users bounces to whoever the sender \
             claims to be; a table has to list the valid recipients",
        );
        finding
            .parameter("local_recipient_maps")
            .service(smtpd.label())
            .witness(smtpd.unknown_recipient(Class::Local));
    }
}
