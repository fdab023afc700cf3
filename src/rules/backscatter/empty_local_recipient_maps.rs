//! An empty `local_recipient_maps` makes every local address valid.

use crate::instance::address_class::Class;
use crate::instance::parameter::Origin;
use crate::mail::Listing;
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
        let Some(acceptance) = smtpd.unknown_recipient(Class::Local, |acceptance| {
            acceptance.listing == Listing::NoList && acceptance.may_bounce()
        }) else {
            continue;
        };
        let is_literal = acceptance.address.domain.starts_with('[');
        let message = if let (false, Some(transport)) = (is_literal, acceptance.late_transport()) {
            &format!(
                "every local address is accepted, and mail for users whom {transport} does not know bounces to \
                 whoever the sender claims to be; a table has to list the valid recipients"
            )
        } else if is_literal {
            "no domain is local, but addresses with the number of this host are: mail for any name there is \
             accepted, and bounces to whoever the sender claims to be; a table has to list the valid recipients"
        } else {
            "every local address is accepted, and mail for unknown users bounces to whoever the sender claims \
             to be; a table has to list the valid recipients"
        };
        let finding = findings.add(&RULE, setting.span, message);
        if is_literal {
            finding.severity(Severity::Warning);
        }
        finding
            .parameter("local_recipient_maps")
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service");
        super::prove(finding, &smtpd, &acceptance);
        // Behind an override stands what main.cf says.
        let restores_default =
            matches!(maps.origin(), Origin::MainCf(_)) || !instance.parameter("local_recipient_maps").is_set();
        let safety = if restores_default && instance.has_stock_local_delivery() {
            Safety::Safe
        } else {
            Safety::Unsafe
        };
        finding.fix_if(
            "remove local_recipient_maps: the default lists the users and the aliases",
            safety,
            edits::remove_parameter(&maps),
        );
    }
}
