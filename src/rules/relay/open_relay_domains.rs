//! A class list that matches other people's domains.

use crate::instance::address_class::{CLASSES, Class, ClassFacts};
use crate::instance::domain_list::{DomainList, Element, ElementKind, domain_list};
use crate::instance::table::{Flags, Table};
use crate::rules::prelude::*;
use crate::syntax::pattern_table::PatternLineKind;

pub(super) static RULE: Rule = Rule {
    name: "open-relay-domains",
    code: "RL014",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "a list of domains matches those of strangers",
    docs: include_str!("open_relay_domains.md"),
    check,
};

/// Domains that belong to nobody (RFC 2606, RFC 6761).
const STRANGERS: [&str; 3] = ["stranger.example", "no-such-x7q2.example.net", "elsewhere.invalid"];

fn check(instance: &Instance, findings: &mut Findings) {
    if !instance.smtpd_services().any(|smtpd| smtpd.is_open_to_strangers()) {
        return;
    }
    // A host name of one label, in relay_domains through $mydestination: nobody's top-level domain.
    let mut own_names: Vec<String> = ["localhost", "localdomain"].map(str::to_owned).to_vec();
    own_names.extend(
        domain_list(instance.scope(), "mydestination")
            .domains(1_000)
            .into_iter()
            .map(|(name, _)| name),
    );
    for class in &CLASSES {
        let Some(name) = class.domains else { continue };
        let list = domain_list(instance.scope(), name);
        for element in list.elements.iter().filter(|element| !element.negated) {
            let Some((severity, what, stranger)) = judge(&list, element, class, &own_names) else { continue };
            let Some(span) = element.text.span() else { continue };
            let finding = findings.add(&RULE, span, what);
            finding.severity(severity).parameter(name).choice("list the own domains by their full names");
            if class.class == Class::Relay && severity == Severity::Error {
                finding.witness(stranger.map(|domain| format!("anybody@{domain}")));
            }
        }
    }
}

/// How bad it is, what happens, and a stranger's domain that the element matches.
fn judge(
    list: &DomainList,
    element: &Element,
    class: &ClassFacts,
    own_names: &[String],
) -> Option<(Severity, String, Option<String>)> {
    let then = if class.class == Class::Relay {
        "anybody may send mail there through this server"
    } else {
        "mail from here to those domains is kept here"
    };
    match &element.kind {
        ElementKind::Pattern(pattern) if pattern == "*" => Some((
            Severity::Warning,
            format!("* matches no domain at all in {}; it is no wildcard", list.name),
            None,
        )),
        ElementKind::Pattern(pattern)
            if list.matches_subdomains
                && !pattern.contains('.')
                && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !own_names.contains(pattern) =>
        {
            Some((
                Severity::Error,
                format!("{pattern} stands for all domains below .{pattern}: {then}"),
                Some(format!("stranger.{pattern}")),
            ))
        }
        ElementKind::Table(table) => {
            if STRANGERS
                .iter()
                .all(|domain| table.lookup(domain.as_bytes(), Flags::LIST).exists() == Some(true))
            {
                return Some((
                    Severity::Error,
                    format!("{} matches every domain: {then}", table.reference().written),
                    Some(STRANGERS[0].to_owned()),
                ));
            }
            let (domain, other) = wider_than_written(table)?;
            Some((
                Severity::Error,
                format!("the pattern for {domain} also matches {other}: {then}; it needs ^ and $"),
                Some(other),
            ))
        }
        _ => None,
    }
}

/// A pattern that is written for one domain and matches others that contain it, such as `/example.com/`:
/// the domain, and another one that the table accepts.
fn wider_than_written(table: &Table) -> Option<(String, String)> {
    table.patterns()?.lines().find_map(|(text, kind)| {
        let PatternLineKind::Match { pattern, .. } = kind else { return None };
        let body = text.slice(pattern.expression).to_string();
        let body = body.trim_start_matches('^').trim_end_matches('$').replace("\\.", ".");
        let is_domain = body.contains('.')
            && body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
        if !is_domain {
            return None;
        }
        let body = body.trim_matches('.');
        [format!("{body}.stranger.example"), format!("stranger{body}")]
            .into_iter()
            .find(|other| table.lookup(other.as_bytes(), Flags::LIST).exists() == Some(true))
            .map(|other| (body.to_owned(), other))
    })
}
