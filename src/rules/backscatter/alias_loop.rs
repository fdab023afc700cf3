//! Aliases that lead back to themselves.

use crate::mail::{Acceptance, AliasGraph, Fate};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "alias-loop",
    code: "BS007",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "aliases lead in a circle, or farther than Postfix follows: their mail is never delivered",
    docs: include_str!("alias_loop.md"),
    check,
};

/// So many suspect entries are looked at for each service.
const MOST_SUSPECTS: usize = 1_000;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let graph = AliasGraph::of(instance);
        let ways = graph.ways(smtpd);
        let suspects: Vec<_> = graph.circles().take(MOST_SUSPECTS).collect();
        let found = ways.to_each(&suspects, is_lost);
        for (suspect, acceptance) in suspects.iter().zip(found) {
            let Some(acceptance) = acceptance else { continue };
            let Some(place) = suspect.key.span().or(suspect.line) else { continue };
            let then = if acceptance.bounces() {
                "is accepted, then bounced to whoever the sender claims to be"
            } else {
                "is accepted, then put off with 451 after DATA, with all other recipients of the message, as \
                 long as the sender tries"
            };
            let finding = findings.add(
                &RULE,
                place,
                format!(
                    "{} leads in a circle, or farther than Postfix follows: mail for it {then}; one of the aliases \
                     has to name a mailbox",
                    suspect.key
                ),
            );
            finding
                .parameter(suspect.parameter)
                .service(smtpd.label())
                .related(smtpd.parameter(suspect.parameter).span(), "the table is used here")
                .choice(format!("let {} name where its mail is kept, instead of {}", suspect.key, suspect.value));
            super::prove(finding, &smtpd, &acceptance);
            if !acceptance.bounces() {
                // A witness is somebody whose mail bounces.
                finding.witness(None);
            }
        }
    }
}

/// Whether mail is accepted that nobody gets.
fn is_lost(acceptance: &Acceptance) -> bool {
    acceptance.bounces() || acceptance.leaves.iter().any(|leaf| leaf.fate == Fate::PutOff)
}
