//! `no_address_mappings` where no other listener does the mapping: aliases are accepted, and bounce.

use crate::instance::parameter::Scope;
use crate::instance::service::{Reach, Service};
use crate::mail::{Acceptance, Address};
use crate::rules::prelude::*;
use crate::rules::rows::rows;

pub(super) static RULE: Rule = Rule {
    name: "aliases-not-expanded",
    code: "BS024",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "aliases are accepted as recipients and never looked up: their mail bounces",
    docs: include_str!("aliases_not_expanded.md"),
    check,
};

const OPTION: &str = "no_address_mappings";
/// The tables that cleanup(8) does not ask then, and whose keys smtpd(8) accepts.
const MAPPINGS: [&str; 3] = ["virtual_alias_maps", "recipient_canonical_maps", "canonical_maps"];
/// So many aliases are tried for a proof.
const MOST_ALIASES: usize = 1_000;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network || smtpd.refuses_strangers(true) || maps(smtpd.scope()) {
            continue;
        }
        // A proxy filter takes the message before it comes into the queue; this smtpd stores nothing then.
        let has_filter = ["content_filter", "smtpd_proxy_filter"].iter().any(|name| {
            !smtpd.scope().any_parameter(name).is_empty()
        });
        let Some(mappings) = MAPPINGS.iter().find(|name| !smtpd.parameter(name).is_empty()) else { continue };
        if has_filter && comes_back(instance, &smtpd) {
            continue;
        }
        let options = smtpd.parameter("receive_override_options");
        let words = options.words();
        let Some(word) = words.iter().find(|word| *word == OPTION) else { continue };
        let Some(place) = word.span().or(options.span()) else { continue };
        let back = if has_filter { ", nor does what takes mail back from the filter" } else { "" };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "nothing looks up {mappings} for mail that comes in here{back}: aliases are accepted as recipients and \
                 bounce as unknown; {OPTION} belongs on one side of a content filter only"
            ),
        );
        finding
            .parameter("receive_override_options")
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service")
            .related(smtpd.parameter(mappings).span(), "not looked up");
        if let Some(acceptance) = bouncing_alias(&smtpd) {
            super::prove(finding, &smtpd, &acceptance);
        } else if !has_filter {
            super::warn(finding);
        }
        let edits = if words.len() > 1 {
            edits::remove_parameter_words(&options, std::slice::from_ref(word))
        } else {
            edits::remove_parameter(&options)
        };
        finding.fix_if(format!("remove {OPTION}"), Safety::Unsafe, edits);
    }
}

/// Whether cleanup(8) maps addresses of mail from a program with this view.
fn maps(scope: Scope<'_>) -> bool {
    !scope.parameter("receive_override_options").words().iter().any(|word| *word == OPTION)
}

/// Whether mail that comes back from a filter is mapped: through another smtpd(8), or through sendmail(1).
fn comes_back(instance: &Instance, front: &Service<'_>) -> bool {
    instance
        .services()
        .filter(|service| {
            matches!(service.line.command(), "smtpd" | "qmqpd" | "pickup")
                && !instance.is_disabled(service.line)
                && service.line.span != front.line.span
        })
        .any(|service| maps(service.scope()) && service.parameter("content_filter").is_empty())
}

/// A virtual alias that is accepted and bounces.
fn bouncing_alias(smtpd: &Service<'_>) -> Option<Acceptance> {
    let tables = smtpd.scope().maps("virtual_alias_maps", "smtpd").tables;
    let keys = tables.iter().flat_map(|table| rows(table)).map(|row| row.key.to_string());
    keys.filter_map(|key| {
        let (local, domain) = key.rsplit_once('@')?;
        (!local.is_empty()).then(|| Address::new(local, domain))
    })
    .take(MOST_ALIASES)
    .find_map(|address| smtpd.accepts(&address).filter(Acceptance::bounces))
}
