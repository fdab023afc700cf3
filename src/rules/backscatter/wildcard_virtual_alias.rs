//! An alias for everybody in a domain.

use crate::finding::Edit;
use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::Hit;
use crate::mail::{Acceptance, Address, Fate, Listing};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "wildcard-virtual-alias",
    code: "BS005",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "an alias for a whole domain makes every address valid",
    docs: include_str!("wildcard_virtual_alias.md"),
    check,
};

/// So many lines a fix writes at the most.
const MOST_LINES: usize = 200;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        for (acceptance, parameter, hit) in super::wildcards(&smtpd) {
            let setting = smtpd.parameter(parameter).span();
            let Some(place) = hit.key_span.or(hit.span).or(setting) else { continue };
            if parameter != "virtual_alias_maps" {
                continue;
            }
            let Some((severity, then)) = judge(&smtpd, &acceptance, &hit) else { continue };
            let key = super::written_key(instance, &hit);
            let finding = findings.add(
                &RULE,
                place,
                format!(
                    "{} makes every address in {} valid: {then}",
                    key.as_deref().unwrap_or("an alias"),
                    acceptance.address.domain
                ),
            );
            finding
                .severity(severity)
                .parameter(parameter)
                .service(smtpd.label())
                .related(setting.filter(|setting| *setting != place), "the table is used here");
            super::prove(finding, &smtpd, &acceptance);
            if !acceptance.may_bounce() {
                // Nothing bounces where mailboxes lose their mail.
                if severity == Severity::Error {
                    finding.witness(None);
                }
                continue;
            }
            if let Some((title, edits)) = one_by_one(&smtpd, &acceptance, &hit) {
                finding.fix(title, Safety::Unsafe, edits);
            }
            finding.choice("list the valid addresses one by one").choice(super::ASK_FIRST);
        }
    }
}

/// How bad it is, and what happens to the mail.
fn judge(smtpd: &Service<'_>, acceptance: &Acceptance, hit: &Hit) -> Option<(Severity, String)> {
    let domain = &acceptance.address.domain;
    if let Some(severity) = super::severity_of(acceptance) {
        let then = if acceptance.bounces() {
            "mail for people who do not exist is accepted, then bounced to whoever the sender claims to be; \
             the valid addresses have to be listed one by one"
                .to_owned()
        } else if severity == Severity::Error {
            let leaf = acceptance.leaves.iter().find(|leaf| matches!(leaf.fate, Fate::Elsewhere { .. }))?;
            format!(
                "mail for people who do not exist in {} is accepted, and bounces to whoever the sender claims to \
                 be when the server there refuses it; the valid addresses have to be listed one by one",
                leaf.address.domain
            )
        } else {
            "all spam for the domain is sent on, and what the other server refuses bounces to whoever the \
             sender claims to be; only addresses that are in use should be listed"
                .to_owned()
        };
        return Some((severity, then));
    }
    if acceptance.leaves.iter().all(|leaf| leaf.fate == Fate::Discarded) {
        return Some((Severity::Note, "mail for people who do not exist is thrown away".to_owned()));
    }
    if !acceptance.leaves.iter().any(|leaf| leaf.fate == Fate::Delivered) {
        return None;
    }
    match shadowed(smtpd, domain, hit) {
        Some(mailbox) => Some((
            Severity::Error,
            format!(
                "mail for {mailbox} goes there, too, and not to its mailbox; each mailbox needs a line of its own, \
                 {mailbox} {mailbox}"
            ),
        )),
        None => Some((
            Severity::Warning,
            "all spam for the domain is taken and delivered; only addresses that are in use should be listed"
                .to_owned(),
        )),
    }
}

/// A mailbox of the domain whose mail the catch-all takes away.
fn shadowed(smtpd: &Service<'_>, domain: &str, catch_all: &Hit) -> Option<String> {
    let class = smtpd.instance.class_of(domain)?;
    if class != Class::VirtualMailbox {
        return None;
    }
    smtpd.find_name("virtual_mailbox_maps", domain, |local| {
        let address = Address::new(local, domain);
        let acceptance = smtpd.accepts(&address)?;
        match acceptance.listing {
            Listing::Listed { hit, .. } if hit.key_span == catch_all.key_span => {
                let arrives = acceptance.leaves.iter().any(|leaf| leaf.address == address);
                (!arrives).then(|| address.to_string())
            }
            _ => None,
        }
    })
}

/// The lines that name each recipient of the domain to which `@a @b` leads.
fn one_by_one(
    smtpd: &Service<'_>,
    acceptance: &Acceptance,
    hit: &Hit,
) -> Option<(String, Vec<Edit>)> {
    let (line, key) = (hit.span?, hit.key_span?);
    let from = &acceptance.address.domain;
    let source = smtpd.instance.sources().get(line.file);
    let is_plain = source.text().get(key.start..key.end)?.eq_ignore_ascii_case(&format!("@{from}"));
    let to = hit.value.as_str().strip_prefix('@')?.to_lowercase();
    if !is_plain || to.contains([',', ' ', '\t']) {
        return None;
    }
    if to == *from {
        return Some((format!("remove the line @{from}"), edits::remove_line(&source, line)));
    }
    // In the column of the old line, if that has blanks and no tab.
    let value = hit.value.span()?;
    let gap = source.text().get(key.end..value.start)?;
    let gap = gap.bytes().all(|byte| byte == b' ').then(|| value.start - key.start);
    let names = smtpd.recipients_of(&to)?;
    let own = smtpd.names_in("virtual_alias_maps", from).names;
    let lines: Vec<String> = names
        .iter()
        // Whoever would bounce is no recipient.
        .filter(|name| {
            let address = Address::new(name.as_str(), &to);
            !own.contains(name) && smtpd.accepts(&address).is_some_and(|found| !found.bounces())
        })
        .map(|name| {
            let address = format!("{name}@{from}");
            let gap = gap.as_ref().map_or_else(
                || "\t".to_owned(),
                |column| " ".repeat(column.saturating_sub(address.len()).max(1)),
            );
            format!("{address}{gap}{name}@{to}")
        })
        .collect();
    let title = format!("name the {} recipients of {to} one by one", lines.len());
    (!lines.is_empty() && lines.len() <= MOST_LINES)
        .then(|| (title, vec![edits::replace_span(line, lines.join("\n"))]))
}
