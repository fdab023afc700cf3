//! Virtual mailbox domains without a list of their mailboxes.

use crate::instance::address_class::Class;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "empty-virtual-mailbox-maps",
    code: "BS003",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail for unknown virtual mailboxes is accepted, then bounced",
    docs: include_str!("empty_virtual_mailbox_maps.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let class = Class::VirtualMailbox;
        let finding = super::report_missing_list(findings, &RULE, &smtpd, class, |acceptance| {
            let domain = &acceptance.address.domain;
            if acceptance.bounces() {
                format!(
                    "all mail for {domain} is accepted, and bounces to whoever the sender claims to be, \
                     because virtual(8) knows no mailbox; virtual_mailbox_maps has to list them"
                )
            } else {
                format!(
                    "every address in {domain} is accepted, and mail for those that virtual_transport does \
                     not know bounces to whoever the sender claims to be; virtual_mailbox_maps has to list \
                     the mailboxes"
                )
            }
        });
        if let Some(finding) = finding {
            finding.choice("list the mailboxes in virtual_mailbox_maps").choice(super::ASK_FIRST);
        }
    }
}
