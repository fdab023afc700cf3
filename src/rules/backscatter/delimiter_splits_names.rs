//! A delimiter of extensions that occurs in names of users.

use crate::instance::address_class::Class;
use crate::mail::{Acceptance, Address};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "delimiter-splits-names",
    code: "BS027",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "recipient_delimiter occurs in names of users: their mail is accepted, then bounced",
    docs: include_str!("delimiter_splits_names.md"),
    check,
};

/// So many names are written out.
const MOST_NAMES: usize = 5;

fn check(instance: &Instance, findings: &mut Findings) {
    let delimiters = instance.program("local").parameter("recipient_delimiter");
    let Some(place) = delimiters.setting().map(|setting| setting.value_span()) else { return };
    let text = delimiters.text();
    let is_split = |name: &&str| name.chars().skip(1).any(|c| text.contains(c));
    let names: Vec<&str> = instance.users().names().filter(is_split).collect();
    if names.is_empty() {
        return;
    }
    for smtpd in instance.smtpd_services() {
        let domains = smtpd.domains_of(Class::Local);
        let Some(domain) = domains.first() else { continue };
        let bouncing: Vec<(&str, Acceptance)> = names
            .iter()
            .filter_map(|&name| {
                let acceptance = smtpd.accepts(&Address::new(name, domain))?;
                acceptance.bounces().then_some((name, acceptance))
            })
            .collect();
        let Some((first, acceptance)) = bouncing.first() else { continue };
        let split = Address::new(*first, domain);
        let Some((user, _)) = split.split_extension(instance.program("local")) else { continue };
        let mut shown: Vec<&str> = bouncing.iter().take(MOST_NAMES).map(|(name, _)| *name).collect();
        let more = format!("{} more", bouncing.len().saturating_sub(MOST_NAMES));
        if bouncing.len() > MOST_NAMES {
            shown.push(&more);
        }
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "the delimiter {text} splits names of users ({}): mail for {first} is accepted, since the user \
                 exists, and then bounces, since it goes to {user}; the delimiter has to be a character that no \
                 name has",
                shown.join(", ")
            ),
        );
        finding
            .parameter("recipient_delimiter")
            .service(smtpd.label())
            .choice("use a character that no name has: recipient_delimiter = +")
            .choice(format!("give each of these names an alias to another address: {first}: postmaster"));
        super::prove(finding, &smtpd, acceptance);
    }
}
