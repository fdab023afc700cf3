//! `permit_mx_backup`: mail for any domain whose MX records name this host.

use crate::instance::builtin::Version;
use crate::instance::restriction::RecipientCheck;
use crate::instance::service::Reach;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "permit-mx-backup",
    code: "BS013",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail for domains of other people is accepted, and bounces when their server refuses it",
    docs: include_str!("permit_mx_backup.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let is_open = smtpd.reach() == Reach::Network
            && !smtpd.refuses_strangers(false)
            && smtpd.recipient_verification() != RecipientCheck::Always;
        if !is_open || !smtpd.parameter("permit_mx_backup_networks").is_empty() {
            continue;
        }
        for list in smtpd.recipient_lists() {
            for (restriction, _) in list.walk(false).reached {
                let Some(place) = restriction.word.span() else { continue };
                if restriction.name() != "permit_mx_backup" {
                    continue;
                }
                let finding = findings.add(
                    &RULE,
                    place,
                    "mail is accepted for every domain whose MX records name this host behind another one, for \
                     all recipients, and bounces to whoever the sender claims to be when the other one refuses \
                     it; the domains belong into relay_domains, their recipients into relay_recipient_maps",
                );
                finding
                    .parameter(list.name)
                    .service(smtpd.label())
                    .related(smtpd.span(), "in force for this service")
                    .choice(
                        "list the domains in relay_domains and their recipients in relay_recipient_maps, and \
                         remove permit_mx_backup",
                    )
                    .choice(
                        "or set permit_mx_backup_networks to the networks of the domains' own servers, and put \
                         reject_unverified_recipient in front of permit_mx_backup",
                    );
                if instance.version() < Version::release(3, 9, 0) {
                    finding.note("Postfix 3.9 and later warn that permit_mx_backup will be removed");
                }
                if !smtpd.has_relay_guard() {
                    super::warn(finding);
                }
            }
        }
    }
}
