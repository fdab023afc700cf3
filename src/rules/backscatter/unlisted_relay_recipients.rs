//! Relay domains without a list of their recipients.

use crate::instance::address_class::Class;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "unlisted-relay-recipients",
    code: "BS002",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail for unknown users of relay domains is accepted, then bounced",
    docs: include_str!("unlisted_relay_recipients.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let finding = super::report_missing_list(findings, &RULE, &smtpd, Class::Relay, |acceptance| {
            format!(
                "every recipient in {} is accepted, and mail for those whom the next hop does not know \
                 bounces to whoever the sender claims to be; relay_recipient_maps has to list the valid \
                 recipients",
                acceptance.address.domain
            )
        });
        if let Some(finding) = finding {
            finding
                .choice("list the valid recipients in relay_recipient_maps")
                .choice(super::ASK_FIRST)
                .choice("or take domains that are not served any more out of relay_domains");
        }
    }
}
