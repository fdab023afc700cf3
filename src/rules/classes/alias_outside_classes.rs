//! Aliases in a domain that is none of ours.

use std::collections::{BTreeMap, BTreeSet};

use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::table::Table;
use crate::mail::{Address, AliasGraph, TableFacts};
use crate::rules::prelude::*;
use crate::rules::rows::{rows, rows_at};
use crate::source::Text;
use crate::syntax::token;

pub(super) static RULE: Rule = Rule {
    name: "alias-outside-classes",
    code: "AC003",
    group: Group::Classes,
    severity: Severity::Warning,
    summary: "an alias in a domain that is in no address class: senders are refused before it is looked up",
    docs: include_str!("alias_outside_classes.md"),
    check,
};

/// So many domains are reported.
const MOST_FINDINGS: usize = 50;

/// The aliases of a domain.
struct Domain {
    /// The first one.
    key: Text,
    count: usize,
    /// One of them stands for an address in the domain itself.
    leads_inside: bool,
}

fn check(instance: &Instance, findings: &mut Findings) {
    if !instance.smtpd_services().any(|smtpd| smtpd.is_open_to_strangers()) {
        return;
    }
    let scope = instance.program("cleanup");
    let maps = scope.maps("virtual_alias_maps", "cleanup");
    let mut targets = BTreeSet::new();
    let mut domains: BTreeMap<String, Domain> = BTreeMap::new();
    let graph = AliasGraph::of(instance);
    for table in &maps.tables {
        match graph.facts("virtual_alias_maps", table) {
            Some(facts) => take(facts, table, &mut domains, &mut targets),
            None => collect(instance, table, &mut domains, &mut targets),
        }
    }
    // What another alias leads to is a step on the way.
    domains.retain(|domain, found| {
        (found.leads_inside || !targets.contains(domain)) && is_foreign(instance, domain)
    });
    for (domain, found) in domains.iter().take(MOST_FINDINGS) {
        let place = found.key.span().or_else(|| scope.parameter("virtual_alias_maps").span());
        let Some(place) = place else { continue };
        let others = match found.count {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "strangers who write to {}{others} are refused with \"Relay access denied\", because {domain} is in no \
                 address class, and only mail of own clients gets to the alias; the domain belongs into \
                 virtual_alias_domains",
                found.key
            ),
        );
        finding
            .parameter("virtual_alias_maps")
            .related(scope.parameter("virtual_alias_maps").span(), "the table is used here");
        let title = format!("add {domain} to virtual_alias_domains");
        let list = instance.parameter("virtual_alias_domains");
        let edits = match (list.setting(), instance.main_cf()) {
            (Some(setting), _) => {
                let source = instance.sources().get(setting.span.file);
                edits::append_word(&source, setting, domain)
            }
            (None, Some(main_cf)) => {
                // The default is the table itself: a bare key makes a domain one of its own.
                let value = format!("$virtual_alias_maps {domain}");
                edits::insert_parameter(&main_cf.source, "virtual_alias_domains", &value).map(|edit| vec![edit])
            }
            (None, None) => None,
        };
        if found.leads_inside {
            // As a virtual alias domain it would have no mailboxes.
            finding.choice(format!("put {domain} into the class that has its mailboxes"));
        } else {
            finding.fix_if(title, Safety::Unsafe, edits);
        }
    }
}

/// Takes over what the pass over all entries of a table found.
fn take(
    facts: &TableFacts,
    table: &Table,
    domains: &mut BTreeMap<String, Domain>,
    targets: &mut BTreeSet<String>,
) {
    targets.extend(facts.targets.iter().cloned());
    for outside in &facts.outside {
        let Some(row) = rows_at(table, &[outside.first]).next() else { continue };
        let found = domains.entry(outside.domain.clone()).or_insert_with(|| Domain {
            key: row.key,
            count: 0,
            leads_inside: false,
        });
        found.count += outside.count;
        found.leads_inside |= outside.leads_inside;
    }
}

fn collect(
    instance: &Instance,
    table: &Table,
    domains: &mut BTreeMap<String, Domain>,
    targets: &mut BTreeSet<String>,
) {
    // The keys of a pattern are no addresses.
    if table.patterns().is_some() || table.networks().is_some() {
        return;
    }
    for row in rows(table) {
        let Some((_, domain)) = row.key.as_str().rsplit_once('@') else { continue };
        let domain = domain.to_lowercase();
        let value = row.value.as_bytes();
        let leads_to: Vec<Address> = token::addresses(value)
            .into_iter()
            .map(|target| Address::written(instance, &String::from_utf8_lossy(&value[target.range])))
            .collect();
        let inside = leads_to.iter().any(|target| target.domain == domain);
        targets.extend(leads_to.into_iter().map(|target| target.domain).filter(|target| *target != domain));
        let found = domains.entry(domain).or_insert_with(|| Domain {
            key: row.key.clone(),
            count: 0,
            leads_inside: false,
        });
        found.count += 1;
        found.leads_inside |= inside;
    }
}

/// Whether a domain is certainly in no class.
fn is_foreign(instance: &Instance, domain: &str) -> bool {
    let scope = instance.program("trivial-rewrite");
    let is_known = CLASSES
        .iter()
        .filter_map(|facts| facts.domains)
        .all(|name| scope.domain_list(name).find(domain).is_listed() == Some(false));
    is_known && !domain.is_empty() && instance.class_of(domain) == Some(Class::Default)
}
