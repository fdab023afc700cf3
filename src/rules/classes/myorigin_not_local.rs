//! Bare names get a domain that does not have them.

use crate::instance::Scale;
use crate::instance::address_class::Class;
use crate::instance::service::{Reach, Service};
use crate::mail::{Address, Fate, Listing, World};
use crate::rules::prelude::*;
use crate::rules::rows::rows;
use crate::source::Text;
use crate::syntax::alias_table::targets as alias_targets;
use crate::syntax::token;

pub(super) static RULE: Rule = Rule {
    name: "myorigin-not-local",
    code: "AC007",
    group: Group::Classes,
    severity: Severity::Error,
    summary: "names without a domain get a domain that does not have them: mail of cron and for aliases is lost",
    docs: include_str!("myorigin_not_local.md"),
    check,
};

/// So many entries of a table are looked at.
const MOST_ENTRIES: usize = 100_000;
/// So many names are asked for.
const MOST_NAMES: usize = 1_000;
/// Whom the programs of a system write to.
const SYSTEM_NAME: &str = "root";

fn check(instance: &Instance, findings: &mut Findings) {
    if instance.scale() != Scale::Configuration {
        return;
    }
    let scope = instance.program("trivial-rewrite");
    let parameter = scope.parameter("myorigin");
    let origin = parameter.text().to_lowercase();
    // Debian reads a file that is named there.
    if origin.is_empty() || origin.contains(['/', ' ', ',']) {
        return;
    }
    // The name of another machine is not known unless it is set.
    let name = instance.parameter("myhostname");
    if !instance.files().is_host() && !name.is_set() {
        let domain = instance.parameter("mydomain");
        let is_unset_domain = !domain.is_set() && domain.text().to_lowercase() == origin;
        if is_unset_domain || name.text().to_lowercase() == origin {
            return;
        }
    }
    // A host that takes no mail at all.
    let takes_mail = instance.smtpd_services().any(|smtpd| smtpd.reach() == Reach::Network);
    if !takes_mail && scope.domain_list("mydestination").is_empty() {
        return;
    }
    let Some(class) = instance.class_of(&origin).filter(|class| *class != Class::Local) else { return };
    let bare = bare_targets(instance);
    let place = [parameter.span(), instance.parameter("mydestination").span(), bare.first().and_then(|(_, name)| name.span())]
        .into_iter()
        .flatten()
        .next()
        .or_else(|| instance.anchor());
    let Some(place) = parameter.setting().map(|setting| setting.value_span()).or(place) else { return };
    let example = bare.first().map_or_else(|| SYSTEM_NAME.to_owned(), |(_, name)| name.to_string());
    let (severity, message) = match class {
        Class::Local => return,
        Class::Default => {
            if is_sent_on(instance, &Address::new(example.as_str(), &origin)) || is_in_doubt(instance, &origin) {
                return;
            }
            if origin.eq_ignore_ascii_case(&instance.parameter("myhostname").text()) {
                let severity = if bare.is_empty() { Severity::Warning } else { Severity::Error };
                (severity, format!(
                    "names without a domain, such as {example}, become {example}@{origin}, which is this host and in no \
                     address class: their mail loops back and bounces; {origin} belongs into mydestination"
                ))
            } else {
                (Severity::Warning, format!(
                    "names without a domain, such as {example}, become {example}@{origin}, which is no domain of this \
                     host: their mail leaves for the servers of {origin}; myorigin should be a domain of mydestination"
                ))
            }
        }
        Class::VirtualAlias | Class::VirtualMailbox | Class::Relay => {
            let Some(smtpd) = instance.smtpd_services().next() else { return };
            let names = bare.iter().map(|(_, name)| name.to_string()).take(MOST_NAMES);
            let Some(name) = names.chain([SYSTEM_NAME.to_owned()]).find(|name| is_unknown(&smtpd, name, &origin)) else {
                return;
            };
            let severity = if bare.iter().any(|(_, other)| *other == name.as_str()) { Severity::Error } else { Severity::Warning };
            (severity, format!(
                "names without a domain, such as {name}, become {name}@{origin}, and {} does not have that: their mail \
                 bounces; myorigin should be a domain of mydestination, or {name}@{origin} an alias",
                class.facts().recipients.unwrap_or("the domain")
            ))
        }
    };
    let finding = findings.add(&RULE, place, message);
    finding
        .severity(severity)
        .parameter("myorigin")
        .related(bare.first().and_then(|(_, name)| name.span()).filter(|span| *span != place), "a name without a domain")
        .choice("let myorigin be $myhostname, and put $myhostname into mydestination")
        .choice("or write full addresses where aliases name users, and one for root in alias_maps");
}

/// Targets of aliases without a domain: the parameter, and the target.
fn bare_targets(instance: &Instance) -> Vec<(&'static str, Text)> {
    let mut bare = Vec::new();
    for (name, program) in [("virtual_alias_maps", "cleanup"), ("canonical_maps", "cleanup"), ("alias_maps", "local")] {
        // local(8) delivers nothing where nothing is local, and asks no aliases then.
        if name == "alias_maps" && instance.program("trivial-rewrite").domain_list("mydestination").is_empty() {
            continue;
        }
        for table in instance.program(program).maps(name, program).tables {
            for row in rows(&table).take(MOST_ENTRIES) {
                // The value of a bare domain is nobody's address.
                if name == "virtual_alias_maps" && !row.key.as_str().contains('@') && row.key.as_str().contains('.') {
                    continue;
                }
                let value = row.value.as_bytes();
                let ranges: Vec<_> = if name == "alias_maps" {
                    alias_targets(value).into_iter().map(|target| target.range).collect()
                } else {
                    token::addresses(value).into_iter().map(|address| address.range).collect()
                };
                let names = ranges.into_iter().map(|range| row.value.slice(range));
                bare.extend(
                    names
                        .filter(|target| {
                            target.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
                        })
                        .map(|target| (name, target)),
                );
            }
        }
    }
    bare
}

/// Whether mail for a domain elsewhere goes to a server that is named.
fn is_sent_on(instance: &Instance, address: &Address) -> bool {
    let scope = instance.program("trivial-rewrite");
    if !scope.parameter("relayhost").is_empty() || !scope.parameter("sender_dependent_relayhost_maps").is_empty() {
        return true;
    }
    let mut world = World::default();
    match instance.route(address, &mut world) {
        Some(route) => !world.is_certain() || route.nexthop != address.domain || route.transport != "smtp",
        None => true,
    }
}

/// Whether a list that cannot be read may have the domain.
fn is_in_doubt(instance: &Instance, domain: &str) -> bool {
    let scope = instance.program("trivial-rewrite");
    ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"]
        .iter()
        .any(|name| scope.domain_list(name).find(domain).is_listed().is_none())
}

/// Whether mail for a name in a hosted domain certainly bounces.
fn is_unknown(smtpd: &Service<'_>, name: &str, domain: &str) -> bool {
    let mut world = World::default();
    let address = Address::new(name, domain);
    let listing = smtpd.listing(&address, &mut world);
    if !world.is_certain() {
        return false;
    }
    match listing {
        Listing::Unlisted => true,
        Listing::NoList => smtpd
            .accepts(&address)
            .is_some_and(|acceptance| acceptance.leaves.iter().any(|leaf| matches!(leaf.fate, Fate::Bounces(_)))),
        _ => false,
    }
}
