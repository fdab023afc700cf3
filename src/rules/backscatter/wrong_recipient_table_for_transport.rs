//! A transport that delivers elsewhere than where smtpd looks recipients up.

use crate::instance::address_class::{CLASSES, Class};
use crate::instance::parameter::Parameter;
use crate::instance::service::{Reach, Service};
use crate::mail::{Acceptance, Address, Fate, Listing};
use crate::rules::prelude::*;
use crate::rules::rows::rows;

pub(super) static RULE: Rule = Rule {
    name: "wrong-recipient-table-for-transport",
    code: "BS014",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail is delivered elsewhere than where smtpd looks for its recipients",
    docs: include_str!("wrong_recipient_table_for_transport.md"),
    check,
};

/// So many recipients are tried in each domain.
const MOST_NAMES: usize = 10;
/// So many entries of a table are tried.
const MOST_ENTRIES: usize = 1_000;
/// So many domains are tried in each class.
const MOST_DOMAINS: usize = 20;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network {
            continue;
        }
        let mut judged = Vec::new();
        for class in [Class::Local, Class::VirtualMailbox] {
            let domains = smtpd.domains_of(class);
            let domains = domains.iter().filter(|domain| !domain.starts_with('['));
            for domain in domains.take(MOST_DOMAINS) {
                if judge(&smtpd, class, domain, findings) {
                    judged.push(class);
                    break;
                }
            }
        }
        for class in CLASSES.iter().filter(|class| !judged.contains(&class.class)) {
            // What virtual aliases stand for is looked at by dangling-alias-target.
            if let Some(parameter) = class.recipients.filter(|_| class.class != Class::VirtualAlias) {
                unknown_entries(&smtpd, class.class, parameter, findings);
            }
        }
        undelivered_class(&smtpd, findings);
    }
}

/// Tries the recipients of a domain; whether something was found.
fn judge(smtpd: &Service<'_>, class: Class, domain: &str, findings: &mut Findings) -> bool {
    let Some(table) = class.facts().recipients else { return false };
    let names: Vec<String> = if class == Class::Local {
        smtpd.instance.users().names().take(MOST_NAMES).map(str::to_owned).collect()
    } else {
        smtpd.names_in(table, domain).names.into_iter().take(MOST_NAMES).collect()
    };
    let accepted: Vec<Acceptance> = names
        .iter()
        .filter_map(|name| smtpd.accepts(&Address::new(name.as_str(), domain)))
        .collect();
    let Some(first) = accepted.first() else { return false };
    let Some(setting) = transport_setting(smtpd, class) else { return false };
    let Some(place) = setting.span() else { return false };
    let goes_to = |fate: fn(&Fate) -> bool| {
        accepted.iter().all(|acceptance| acceptance.leaves.iter().all(|leaf| fate(&leaf.fate)))
    };
    if !goes_to(|fate| matches!(fate, Fate::Bounces(_))) {
        return false;
    }
    let reason = first.leaves.iter().find_map(|leaf| match &leaf.fate {
        Fate::Bounces(reason) => Some(reason.as_str()),
        _ => None,
    });
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "mail for {domain} does not go where {table} has its recipients: it is accepted for them, and then \
             bounces ({}); the table has to list whom the transport delivers to",
            reason.unwrap_or_default()
        ),
    );
    finding
        .parameter(setting.name())
        .service(smtpd.label())
        .related(smtpd.parameter(table).span(), "the recipients are looked up here")
        .choice(format!("set {table} to a table with the recipients that the transport knows"))
        .choice("deliver the mail where these recipients are");
    super::prove(finding, smtpd, first);
    true
}

/// Entries of a list of valid recipients whose mail comes back all the same: one finding for a table.
fn unknown_entries(smtpd: &Service<'_>, class: Class, parameter: &'static str, findings: &mut Findings) {
    let domains = smtpd.domains_of(class);
    let aliases = smtpd.instance.program("local").maps("alias_maps", "local").tables;
    for table in smtpd.scope().maps(parameter, "smtpd").tables {
        // What aliases of local(8) stand for is looked at by dangling-alias-target.
        if aliases.iter().any(|alias| alias.reference().to_string() == table.reference().to_string()) {
            continue;
        }
        let rows = rows(&table).take(MOST_ENTRIES);
        let questions = rows.flat_map(|row| row.questions()).filter(|key| key != "*");
        let mut unknown = questions.filter_map(|key| {
            let address = recipient(smtpd, class, &domains, &key)?;
            let acceptance = smtpd.accepts(&address).filter(Acceptance::bounces)?;
            // What may be known elsewhere is not tried one by one.
            if !acceptance.world.is_certain() {
                return None;
            }
            let Listing::Listed { parameter: by, hit } = &acceptance.listing else { return None };
            let place = hit.key_span.or(hit.span).or(smtpd.parameter(parameter).span())?;
            // Where another address takes its place, the alias is wrong.
            let leaf = acceptance.leaves.iter().find(|leaf| leaf.address == address)?;
            let Fate::Bounces(reason) = leaf.fate.clone() else { return None };
            (*by == parameter).then_some((reason, place, acceptance))
        });
        let Some((reason, place, acceptance)) = unknown.next() else { continue };
        let others = match unknown.count() {
            0 => String::new(),
            count => format!(" (and {count} more in this table)"),
        };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "{}{others} is in {parameter}, and mail for it bounces ({reason}): it is accepted first, so the notice \
                 goes to whoever the sender claims to be; the table has to list whom the transport delivers to",
                acceptance.address
            ),
        );
        finding
            .parameter(parameter)
            .service(smtpd.label())
            .related(smtpd.parameter(parameter).span().filter(|span| *span != place), "the table is used here")
            .choice(format!("remove {} from {parameter}", acceptance.address))
            .choice("or make the mailbox, or send the mail where the mailbox is");
        super::prove(finding, smtpd, &acceptance);
    }
}

/// The recipient whom a key of a list names; `None` for a whole domain.
fn recipient(smtpd: &Service<'_>, class: Class, domains: &[String], key: &str) -> Option<Address> {
    let address = match key.rsplit_once('@') {
        Some((local, "")) => Address::new(local, domains.first()?),
        Some((local, domain)) => Address::new(local, domain),
        None if class == Class::Local => Address::new(key, domains.first()?),
        None => return None,
    };
    let is_name = !address.local.is_empty() && smtpd.instance.class_of(&address.domain) == Some(class);
    is_name.then_some(address)
}

/// The setting that sends mail of a class elsewhere than to the agent it has by default.
fn transport_setting<'i>(smtpd: &Service<'i>, class: Class) -> Option<Parameter<'i>> {
    let scope = smtpd.instance.program("trivial-rewrite");
    let transport = scope.parameter(class.facts().transport?);
    if transport.is_set() {
        return Some(transport);
    }
    let maps = scope.parameter("transport_maps");
    maps.is_set().then_some(maps)
}

/// Classes whose whole mail is thrown away.
fn undelivered_class(smtpd: &Service<'_>, findings: &mut Findings) {
    let scope = smtpd.instance.program("trivial-rewrite");
    for (class, name) in [
        (Class::Local, "local_transport"),
        (Class::VirtualMailbox, "virtual_transport"),
        (Class::Relay, "relay_transport"),
    ] {
        let transport = scope.parameter(name);
        let text = transport.text();
        let agent = smtpd.instance.agent(text.split(':').next().unwrap_or_default());
        let is_discarded = agent.is_some_and(|agent| agent.line.command() == "discard");
        let Some(place) = transport.span().filter(|_| is_discarded) else { continue };
        let Some(domain) = smtpd.domains_of(class).into_iter().next() else { continue };
        findings
            .add(
                &RULE,
                place,
                format!(
                    "mail for {domain} is accepted and thrown away, whoever it is for; a domain that takes no mail \
                     refuses it with {name} = error:5.1.1 no mail here"
                ),
            )
            .severity(Severity::Warning)
            .parameter(name)
            .service(smtpd.label())
            .choice(format!("refuse the mail instead: {name} = error:5.1.1 no mail here"));
    }
}
