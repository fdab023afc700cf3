//! The name of the host is a hosted domain: `mydestination` takes its mail.

use crate::instance::address_class::{CLASSES, Class, ClassFacts};
use crate::rules::prelude::*;
use crate::source::Text;
use crate::syntax::expression;

pub(super) static RULE: Rule = Rule {
    name: "hostname-is-mail-domain",
    code: "AC002",
    group: Group::Classes,
    severity: Severity::Error,
    summary: "myhostname is a hosted domain, and mydestination takes its mail: the recipients are refused",
    docs: include_str!("hostname_is_mail_domain.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for name in ["myhostname", "mydomain"] {
        let Some(capture) = captured(instance, name) else { continue };
        let parameter = instance.parameter(name);
        let destination = instance.parameter("mydestination");
        let (Some(domains), Some(recipients)) = (capture.hosted.domains, capture.hosted.recipients) else { continue };
        let hosted = instance.parameter(domains);
        // The default of the host is written nowhere.
        let Some(place) = parameter.span().or(destination.span()).or(hosted.span()) else { continue };
        let place = parameter.setting().map_or(place, |setting| setting.value_span());
        let remedy = if name == "myhostname" {
            format!("myhostname has to be a name of this host alone, such as mail.{}", capture.domain)
        } else {
            "$mydomain has to go from mydestination".to_owned()
        };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "mydestination has ${name}, so mail for {} is local, and recipients that only {recipients} knows are \
                 refused; {remedy}",
                capture.domain
            ),
        );
        finding
            .parameter(name)
            .related(capture.place.span().filter(|span| *span != place), format!("{domains} has the domain"))
            .related(destination.span().filter(|span| *span != place), "mydestination comes first");
        if name == "myhostname" {
            finding.choice(format!("set myhostname to the real name of this host, such as mail.{}", capture.domain));
        }
        if destination.is_set() {
            finding.choice(format!("or take ${name} out of mydestination; mail for bare names needs another myorigin then"));
        } else {
            finding.fix_if(
                "set mydestination to localhost alone; mail for bare names needs another myorigin then",
                Safety::Unsafe,
                instance
                    .main_cf()
                    .and_then(|main_cf| edits::insert_parameter(&main_cf.source, "mydestination", "localhost"))
                    .map(|edit| vec![edit]),
            );
        }
    }
}

/// A hosted domain that is local by the name of the host.
pub(super) struct Capture {
    pub(super) domain: String,
    hosted: &'static ClassFacts,
    /// Where the hosted class has it.
    place: Text,
}

/// The hosted domain that `mydestination` takes by a name of this host: `$myhostname` or `$mydomain`.
pub(super) fn captured(instance: &Instance, name: &'static str) -> Option<Capture> {
    let destination = instance.parameter("mydestination");
    let (references, _) = expression::references(destination.raw(), instance.dialect());
    if !references.iter().any(|reference| reference.name.as_str() == name) {
        return None;
    }
    let scope = instance.program("trivial-rewrite");
    let domain = instance.parameter(name).text().to_lowercase();
    if domain.is_empty() || scope.domain_list("mydestination").find(&domain).is_listed() != Some(true) {
        return None;
    }
    CLASSES.iter().find_map(|hosted| {
        let list = scope.domain_list(hosted.domains.filter(|_| hosted.class != Class::Local)?);
        if list.find(&domain).is_listed() != Some(true) {
            return None;
        }
        // As a key or a word of its own: a pattern for all domains, or relay_domains = $mydestination, hosts nothing.
        let (_, place) = list.domains(super::MOST_DOMAINS).into_iter().find(|(other, _)| *other == domain)?;
        let is_same = |word: &Text| word.span().is_some() && word.span() == place.span();
        let through_destination = hosted.class == Class::Relay
            && (place.span().is_none()
                || destination.words().iter().any(is_same)
                || place.span() == instance.parameter(name).setting().map(|setting| setting.value_span()));
        (!through_destination).then(|| Capture { domain: domain.clone(), hosted, place })
    })
}
