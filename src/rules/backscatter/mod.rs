//! BS: accepting mail that will bounce, or writing to forged senders.

rules![
    empty_local_recipient_maps,
    unlisted_relay_recipients,
    empty_virtual_mailbox_maps,
    wildcard_recipient_table,
    wildcard_virtual_alias,
    dangling_alias_target,
    alias_loop,
    remote_forward,
    unlisted_recipients_accepted,
    luser_relay_unreachable,
    inherited_relay_subdomains,
    relay_domains_from_mydestination,
    permit_mx_backup,
    wrong_recipient_table_for_transport,
    delay_notices_to_strangers,
    mailbox_limit_below_message_limit,
    aliases_not_expanded,
    short_queue_lifetime,
    delimiter_splits_names,
];

/// How to accept only recipients that the server behind knows. Own clients come first in the list: without a
/// permission they would be refused where they send to others.
const ASK_FIRST: &str = "or let recipients be asked for first, where the server behind answers: \
    smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, \
    reject_unauth_destination, reject_unverified_recipient";

use crate::finding::{Finding, Findings, Severity};
use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::restriction::RecipientCheck;
use crate::instance::service::Service;
use crate::instance::table::Hit;
use crate::mail::{Acceptance, Fate, Listing, NOBODY};
use crate::rule::Rule;

/// The most findings of a rule for one service.
const MOST_FINDINGS: usize = 50;

/// Gives a finding its proof. What could not be looked at on the way makes an error a warning, and is named;
/// so does what keeps bounces back: `soft_bounce`, and an smtpd that does not run.
fn prove<'f>(
    finding: &'f mut Finding,
    smtpd: &Service<'_>,
    acceptance: &Acceptance,
) -> &'f mut Finding {
    finding.witness(Some(acceptance.address.to_string()));
    let doubts = acceptance.world.subjects();
    if !doubts.is_empty() {
        warn(finding).note(format!(
            "this is not certain, because it cannot be known what is decided by {}",
            doubts.join(", ")
        ));
    }
    if smtpd.instance.parameter("soft_bounce").flag() == Some(true) {
        warn(finding)
            .note("as long as soft_bounce = yes, the bounce goes out when the message expires");
    }
    if !smtpd.has_relay_guard() {
        warn(finding).note("this smtpd does not run at all, because no restriction stops relaying");
    }
    finding
}

/// What a sub-domain that was made up is no proof of, where recipients in domains that do not exist are refused.
fn doubt_made_up_domain(finding: &mut Finding, smtpd: &Service<'_>) {
    if smtpd.reaches("reject_unknown_recipient_domain") == RecipientCheck::Always {
        finding
            .severity(Severity::Note)
            .witness(None)
            .note("reject_unknown_recipient_domain refuses mail for sub-domains that do not exist");
    }
}

/// Makes an error a warning.
fn warn(finding: &mut Finding) -> &mut Finding {
    let severity = finding.severity.min(Severity::Warning);
    finding.severity(severity)
}

/// Reports that a class has domains, but no list of recipients.
fn report_missing_list<'f>(
    findings: &'f mut Findings,
    rule: &'static Rule,
    smtpd: &Service<'_>,
    class: Class,
    message: impl Fn(&Acceptance) -> String,
) -> Option<&'f mut Finding> {
    let facts = class.facts();
    let (domains, recipients) = (facts.domains?, facts.recipients?);
    let list = smtpd.parameter(recipients);
    if !list.is_empty() {
        return None;
    }
    let acceptance = smtpd.unknown_recipient(class, |acceptance| {
        acceptance.listing == Listing::NoList && acceptance.may_bounce()
    })?;
    // Where the default is the trouble, the setting that puts domains into the class is the place.
    let domains = smtpd.instance.parameter(domains);
    let place = list.setting().map(|setting| setting.span);
    let place = place.or(domains.setting().map(|setting| setting.value_span()))?;
    let finding = findings.add(rule, place, message(&acceptance));
    finding
        .parameter(recipients)
        .service(smtpd.label())
        .related(smtpd.span(), "in force for this service");
    if list.is_set() {
        finding.related(domains.span(), "the domains");
    }
    Some(prove(finding, smtpd, &acceptance))
}

/// The entries that make a name known which was made up: an acceptance and the entry for each, with the
/// parameter whose table it is.
fn wildcards(smtpd: &Service<'_>) -> Vec<(Acceptance, &'static str, Hit)> {
    let mut found: Vec<(Acceptance, &'static str, Hit)> = Vec::new();
    for class in &CLASSES {
        for domain in smtpd.domains_of(class.class) {
            let Some(acceptance) = smtpd.accepts_nobody(&domain) else {
                continue;
            };
            let Listing::Listed { parameter, hit } = acceptance.listing.clone() else {
                continue;
            };
            let place = |hit: &Hit| hit.key_span.or(hit.span);
            if found
                .iter()
                .all(|(_, _, other)| place(other) != place(&hit))
            {
                found.push((acceptance, parameter, hit));
            }
            if found.len() >= MOST_FINDINGS {
                return found;
            }
        }
    }
    found
}

/// How bad it is that everybody in a domain is taken for known: whether notices go to strangers.
fn severity_of(acceptance: &Acceptance) -> Option<Severity> {
    if acceptance.bounces() {
        return Some(Severity::Error);
    }
    let elsewhere = acceptance
        .leaves
        .iter()
        .filter(|leaf| matches!(leaf.fate, Fate::Elsewhere { .. }));
    // The name was made up: nobody has it over there, either.
    elsewhere
        .map(|leaf| {
            if leaf.address.local == NOBODY {
                Severity::Error
            } else {
                Severity::Warning
            }
        })
        .max()
}

/// The text of a key, as it is written.
fn written_key(instance: &Instance, hit: &Hit) -> Option<String> {
    let span = hit.key_span.or(hit.span)?;
    let source = instance.sources().get(span.file);
    source
        .text()
        .get(span.start..span.end)
        .map(|text| text.trim().to_owned())
}
