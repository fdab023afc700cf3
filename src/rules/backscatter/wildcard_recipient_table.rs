//! A table of valid recipients that everybody is in.

use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "wildcard-recipient-table",
    code: "BS004",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "a table of valid recipients has everybody in it: their mail bounces later",
    docs: include_str!("wildcard_recipient_table.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        for (acceptance, parameter, hit) in super::wildcards(&smtpd) {
            let Some(severity) = super::severity_of(&acceptance) else { continue };
            let setting = smtpd.parameter(parameter).span();
            let Some(place) = hit.key_span.or(hit.span).or(setting) else { continue };
            if parameter == "virtual_alias_maps" {
                continue;
            }
            let key = super::written_key(instance, &hit);
            let finding = findings.add(
                &RULE,
                place,
                format!(
                    "{} in {parameter} makes every address in {} valid: mail for people who do not exist is \
                     accepted, then bounced to whoever the sender claims to be; the valid addresses have to \
                     be listed one by one",
                    key.as_deref().unwrap_or("an entry"),
                    acceptance.address.domain
                ),
            );
            finding
                .severity(severity)
                .parameter(parameter)
                .service(smtpd.label())
                .related(setting.filter(|setting| *setting != place), "the table is used here");
            super::prove(finding, &smtpd, &acceptance)
                .choice("list the valid addresses one by one")
                .choice(super::ASK_FIRST);
        }
    }
}
