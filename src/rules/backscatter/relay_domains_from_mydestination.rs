//! Local domains in `relay_domains`: their sub-domains are relayed.

use crate::instance::address_class::Class;
use crate::instance::builtin::Version;
use crate::instance::domain_list::ElementKind;
use crate::instance::service::Service;
use crate::mail::{Acceptance, Listing};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "relay-domains-from-mydestination",
    code: "BS012",
    group: Group::Backscatter,
    severity: Severity::Warning,
    summary: "relay_domains has local domains: mail for any of their sub-domains is taken, whoever it is for",
    docs: include_str!("relay_domains_from_mydestination.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let relay = instance.parameter("relay_domains");
    for smtpd in instance.smtpd_services() {
        let Some((domain, acceptance)) = relayed_below(&smtpd) else { continue };
        let place = match relay.setting() {
            Some(setting) => Some(setting.value_span()),
            None => instance.parameter("mydestination").span().or_else(|| instance.anchor()),
        };
        let Some(place) = place else { continue };
        let why = if relay.is_set() {
            format!("relay_domains has the local domain {domain}")
        } else if instance.version() < Version::release(3, 0, 0) {
            "relay_domains is $mydestination by default".to_owned()
        } else {
            "relay_domains is $mydestination by default below compatibility_level 2".to_owned()
        };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "{why}: mail for any sub-domain such as {} is accepted for all recipients, and what cannot be \
                 passed on bounces to whoever the sender claims to be; relay_domains has to be empty, or to \
                 list other domains only",
                acceptance.address.domain
            ),
        );
        finding
            .parameter("relay_domains")
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service");
        super::prove(finding, &smtpd, &acceptance);
        super::doubt_made_up_domain(finding, &smtpd);
        // Other domains in the list may be there for a reason.
        let only_local = relay.raw().trim() == "$mydestination";
        let edits = match (instance.main_cf(), relay.is_set()) {
            (Some(main_cf), false) => {
                edits::insert_parameter(&main_cf.source, "relay_domains", "").map(|edit| vec![edit])
            }
            (_, true) if only_local => edits::set_parameter(&relay, ""),
            _ => None,
        };
        finding.fix_if("set relay_domains to nothing", Safety::Unsafe, edits);
        if relay.is_set() && !only_local {
            finding.choice(format!("take {domain} out of relay_domains"));
        }
    }
}

/// A local domain in `relay_domains`, and a recipient below it whom a stranger may write to.
fn relayed_below(smtpd: &Service<'_>) -> Option<(String, Acceptance)> {
    let scope = smtpd.instance.program("trivial-rewrite");
    let list = scope.domain_list("relay_domains");
    if !list.matches_subdomains || !smtpd.parameter("relay_recipient_maps").is_empty() {
        return None;
    }
    let mut domains: Vec<&String> = list
        .elements
        .iter()
        .filter(|element| !element.negated)
        .filter_map(|element| match &element.kind {
            ElementKind::Pattern(pattern) => Some(pattern),
            _ => None,
        })
        .filter(|domain| !domain.starts_with('.'))
        .filter(|domain| smtpd.instance.class_of(domain) == Some(Class::Local))
        .collect();
    domains.sort_by_key(|domain| !domain.contains('.') || domain.starts_with("localhost"));
    domains.into_iter().find_map(|domain| {
        let acceptance = smtpd.accepts_nobody(&format!("sub.{domain}"))?;
        (acceptance.listing == Listing::NoList && acceptance.may_bounce())
            .then(|| (domain.clone(), acceptance))
    })
}
