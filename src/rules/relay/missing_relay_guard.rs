//! smtpd(8) does not serve anybody unless a list holds a word that stops relaying.

use crate::instance::parameter::{LIST_SEPARATORS, Scope};
use crate::instance::restriction_table::restriction_word;
use crate::instance::service::Service;
use crate::rules::prelude::*;
use crate::source::Text;

use super::RELAY_LISTS;

pub(super) static RULE: Rule = Rule {
    name: "missing-relay-guard",
    code: "RL004",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "no restriction stops relaying: smtpd refuses to run",
    docs: include_str!("missing_relay_guard.md"),
    check,
};

/// The list that Postfix 3.3 and later use from compatibility level 1 on.
const STOCK_LIST: &str = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination";

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if RELAY_LISTS.iter().any(|name| {
            let words = smtpd.parameter(name).words();
            has_guard(smtpd.scope(), &words, 0)
        }) {
            continue;
        }
        let set = RELAY_LISTS.map(|name| smtpd.parameter(name)).into_iter().find(|p| p.is_set());
        let place = set.as_ref().and_then(|list| list.span()).or_else(|| instance.anchor());
        let Some(place) = place else { continue };
        let finding = findings.add(
            &RULE,
            place,
            "smtpd stops as soon as a client connects: neither smtpd_relay_restrictions nor \
             smtpd_recipient_restrictions has a working reject_unauth_destination",
        );
        finding.service(smtpd.label()).related(smtpd.span(), "this service does not run");
        match &set {
            Some(list) => {
                finding.parameter(list.name());
                let words = list.words();
                let permits_all = words.iter().any(|word| word.as_str().eq_ignore_ascii_case("permit"));
                let value = if words.is_empty() {
                    "reject_unauth_destination".to_owned()
                } else {
                    format!("{}, reject_unauth_destination", list.raw().as_str().trim_end_matches([',', ' ']))
                };
                if !permits_all {
                    // With nothing in front of it, the guard lets nobody relay.
                    let safety = if words.is_empty() && others_permit_nobody(&smtpd, list.name()) {
                        Safety::Safe
                    } else {
                        Safety::Unsafe
                    };
                    finding.fix_if(
                        "let the list end with reject_unauth_destination",
                        safety,
                        edits::set_parameter(list, &value),
                    );
                } else {
                    finding.choice("put reject_unauth_destination in front of permit");
                }
            }
            None => {
                finding.parameter("smtpd_relay_restrictions");
                finding.note(
                    "neither list is set, and their defaults are empty below compatibility_level 1",
                );
                if let Some(main_cf) = instance.main_cf() {
                    finding.fix(
                        "set smtpd_relay_restrictions to the list that newer versions use",
                        Safety::Unsafe,
                        edits::insert_parameter(&main_cf.source, "smtpd_relay_restrictions", STOCK_LIST),
                    );
                }
            }
        }
    }
}

/// Whether the other list gives nobody the right to relay: it is empty.
fn others_permit_nobody(smtpd: &Service<'_>, name: &str) -> bool {
    RELAY_LISTS
        .iter()
        .filter(|other| **other != name)
        .all(|other| smtpd.parameter(other).words().is_empty())
}

/// `src/smtpd/smtpd_check.c: has_required`: a guard word before a plain `permit`. Arguments are not skipped,
/// classes count by their contents.
fn has_guard(scope: Scope<'_>, words: &[Text], depth: usize) -> bool {
    let classes = scope.parameter("smtpd_restriction_classes").words();
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        let text = word.as_str();
        if text.eq_ignore_ascii_case("warn_if_reject") {
            index += 1;
        } else if text.eq_ignore_ascii_case("permit") {
            return false;
        } else if restriction_word(text).is_some_and(|facts| facts.is_relay_guard) {
            return true;
        } else if depth < 50 && classes.contains(word) {
            let inner = scope.named(text.to_owned()).value().unwrap_or_default();
            if has_guard(scope, &inner.words_outside_braces(LIST_SEPARATORS), depth + 1) {
                return true;
            }
        }
    }
    false
}
