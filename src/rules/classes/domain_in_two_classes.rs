//! A domain in two classes: one of them gets its mail, the recipients of the other are refused.

use crate::instance::address_class::{CLASSES, Class, ClassFacts};
use crate::instance::domain_list::{DomainList, Membership, domain_list};
use super::MOST_DOMAINS;
use super::hostname_is_mail_domain::captured;
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "domain-in-two-classes",
    code: "AC001",
    group: Group::Classes,
    severity: Severity::Error,
    summary: "a domain is in two address classes: the recipients of one are refused",
    docs: include_str!("domain_in_two_classes.md"),
    check,
};

/// Findings per pair of lists; the rest is counted.
const MOST_FINDINGS: usize = 20;

fn check(instance: &Instance, findings: &mut Findings) {
    // A domain that is local by the name of the host is hostname-is-mail-domain's.
    let by_name: Vec<String> =
        ["myhostname", "mydomain"].into_iter().filter_map(|name| captured(instance, name)).map(|found| found.domain).collect();
    let lists: Vec<(&ClassFacts, DomainList)> = CLASSES
        .iter()
        .filter_map(|class| Some((class, domain_list(instance.scope(), class.domains?))))
        .collect();
    for (index, (loser, list)) in lists.iter().enumerate() {
        let mut shown = 0;
        let mut seen = Vec::new();
        for (domain, place) in list.domains(MOST_DOMAINS) {
            if domain.starts_with('.')
                || by_name.contains(&domain)
                || list.find(&domain).is_listed() != Some(true)
                || seen.contains(&domain)
            {
                continue;
            }
            let winner = lists[..index].iter().find_map(|(class, other)| match other.find(&domain) {
                Membership::Listed(element) => Some((*class, other, element.text.clone())),
                _ => None,
            });
            let Some((winner, winner_list, winner_place)) = winner else { continue };
            seen.push(domain.clone());
            shown += 1;
            if shown <= MOST_FINDINGS {
                report(instance, findings, &Pair {
                    domain: &domain,
                    winner,
                    loser,
                    winner_place: winner_text(winner_list, &domain).unwrap_or(winner_place),
                    loser_place: place,
                });
            }
        }
    }
}

/// A domain with the two classes that want it.
struct Pair<'p> {
    domain: &'p str,
    winner: &'static ClassFacts,
    loser: &'p ClassFacts,
    winner_place: Text,
    loser_place: Text,
}

/// Where the winner's list names the domain, be it in a table.
fn winner_text(list: &DomainList, domain: &str) -> Option<Text> {
    list.domains(MOST_DOMAINS).into_iter().find(|(other, _)| other == domain).map(|(_, text)| text)
}

fn report(instance: &Instance, findings: &mut Findings, pair: &Pair<'_>) {
    let (Some(winner_name), Some(loser_name)) = (pair.winner.domains, pair.loser.domains) else {
        return;
    };
    let is_old_default = pair.winner.class == Class::Local && pair.loser.class == Class::Relay;
    let (place, other) = match (pair.loser_place.span(), pair.winner_place.span()) {
        (Some(loser), winner) => (loser, winner),
        (None, Some(winner)) => (winner, None),
        (None, None) => return,
    };
    if is_old_default && pair.loser_place.span() == pair.winner_place.span() {
        // relay_domains = $mydestination, a default of old: only sub-domains are relayed.
        return;
    }
    let message = format!(
        "{} is in {winner_name}, too, and belongs to the {} class: recipients that only {} knows are \
         refused; a domain belongs into one list",
        pair.domain,
        pair.winner.name,
        pair.loser.recipients.unwrap_or(loser_name),
    );
    let finding = findings.add(&RULE, place, message);
    finding
        .parameter(loser_name)
        .related(other.filter(|other| *other != place), format!("{winner_name} comes first"));
    if is_old_default {
        finding.severity(Severity::Note);
    }
    let removal = edits::remove_parameter_words(
        &instance.parameter(winner_name),
        std::slice::from_ref(&pair.winner_place),
    );
    match removal {
        Some(edits) if !is_old_default => {
            finding.fix(
                format!("remove {} from {winner_name}", pair.domain),
                Safety::Unsafe,
                edits,
            );
        }
        _ => {
            finding.choice(format!("take {} out of {winner_name}", pair.domain));
        }
    }
    finding.choice(format!("take {} out of {loser_name}", pair.domain));
}
