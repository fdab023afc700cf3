//! smtpd(8) does not serve anybody unless a list holds a word that stops relaying.

use crate::instance::relay_guard::Guard;
use crate::instance::restriction::RELAY_LISTS;
use crate::instance::service::Service;
use crate::rules::prelude::*;

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
        // Without a main.cf only lists that the service itself sets are known.
        let is_known =
            |name: &str| smtpd.override_of(name.as_bytes()).is_some();
        if instance.main_cf().is_none() && !RELAY_LISTS.iter().all(|name| is_known(name)) {
            continue;
        }
        let guard = smtpd.relay_guard().0;
        if guard == Guard::Found {
            continue;
        }
        let set = RELAY_LISTS.map(|name| smtpd.parameter(name)).into_iter().find(|p| p.is_set());
        let place = set.as_ref().and_then(|list| list.span()).or_else(|| instance.anchor());
        let Some(place) = place else { continue };
        let message = match guard {
            Guard::Endless => {
                "smtpd is killed as soon as a client connects: a restriction class leads back to \
                 itself before there is a reject_unauth_destination; one in front would be right"
            }
            _ => {
                "smtpd stops as soon as a client connects: neither smtpd_relay_restrictions nor \
                 smtpd_recipient_restrictions has a working reject_unauth_destination"
            }
        };
        let finding = findings.add(&RULE, place, message);
        finding.service(smtpd.label()).related(smtpd.span(), "this service does not run");
        if guard == Guard::Endless {
            finding.choice("take the class out of its own list");
            continue;
        }
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
