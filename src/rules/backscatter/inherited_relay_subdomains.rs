//! Sub-domains of relay domains that nobody listed.

use crate::instance::address_class::Class;
use crate::instance::domain_list::{ElementKind, Membership};
use crate::instance::service::Service;
use crate::mail::{Acceptance, Listing, MOST_DOMAINS};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "inherited-relay-subdomains",
    code: "BS011",
    group: Group::Backscatter,
    severity: Severity::Warning,
    summary: "mail for every sub-domain of a relay domain is taken, whoever it is for",
    docs: include_str!("inherited_relay_subdomains.md"),
    check,
};

/// A name below a domain that is hardly in use.
const SUBDOMAIN: &str = "no-such-domain-x7q2";

fn check(instance: &Instance, findings: &mut Findings) {
    let relay = instance.program("trivial-rewrite").parameter("relay_domains");
    let Some(setting) = relay.setting() else { return };
    for smtpd in instance.smtpd_services() {
        let Some((domain, acceptance)) = relayed_below(&smtpd) else { continue };
        let finding = findings.add(
            &RULE,
            setting.value_span(),
            format!(
                "mail for every domain below {domain} is accepted, too, for all recipients, and bounces to whoever the \
                 sender claims to be when it cannot be passed on; list the sub-domains that there are, and take \
                 relay_domains out of parent_domain_matches_subdomains",
            ),
        );
        finding
            .parameter("relay_domains")
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service")
            .related(
                instance.parameter("parent_domain_matches_subdomains").span(),
                "here relay_domains is said to match sub-domains",
            )
            .choice(
                "set parent_domain_matches_subdomains to its default without relay_domains, and list sub-domains as \
                 .example.com or by their names",
            )
            .choice("or list the valid recipients in relay_recipient_maps");
        super::prove(finding, &smtpd, &acceptance);
        super::doubt_made_up_domain(finding, &smtpd);
    }
}

/// A domain in `relay_domains` that is relayed, and a recipient below it whom a stranger may write to.
fn relayed_below(smtpd: &Service<'_>) -> Option<(String, Acceptance)> {
    let scope = smtpd.instance.program("trivial-rewrite");
    let list = scope.domain_list("relay_domains");
    if !list.matches_subdomains || !smtpd.parameter("relay_recipient_maps").is_empty() {
        return None;
    }
    // A pattern says by itself which domains it means.
    let is_pattern = |domain: &str| match list.find(domain) {
        Membership::Listed(element) => match &element.kind {
            ElementKind::Table(table) => table.patterns().is_some(),
            _ => false,
        },
        _ => true,
    };
    list.domains(MOST_DOMAINS)
        .into_iter()
        .map(|(domain, _)| domain)
        // One label is open-relay-domains' business.
        .filter(|domain| domain.contains('.') && !domain.starts_with('.') && !is_pattern(domain))
        .filter(|domain| smtpd.instance.class_of(domain) == Some(Class::Relay))
        .find_map(|domain| {
            let acceptance = smtpd.accepts_nobody(&format!("{SUBDOMAIN}.{domain}"))?;
            (acceptance.listing == Listing::NoList && acceptance.may_bounce()).then_some((domain, acceptance))
        })
}
