//! A DNS blocklist that has closed.

use crate::finding::Edit;
use crate::instance::parameter::Parameter;
use crate::instance::restriction::{Meaning, RECIPIENT_LISTS};
use crate::instance::restriction_table::Argument;
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "dead-dnsbl",
    code: "UP004",
    group: Group::Upgrade,
    severity: Severity::Error,
    summary: "a DNS blocklist has closed: it may refuse all mail",
    docs: include_str!("dead_dnsbl.md"),
    check,
};

static DEAD: &str = include_str!("dead_dnsbls.tsv");

fn check(instance: &Instance, findings: &mut Findings) {
    let late = ["smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"];
    for smtpd in instance.smtpd_services() {
        for name in RECIPIENT_LISTS.into_iter().chain(late) {
            let list = smtpd.restriction_list(name);
            for restriction in list.flat() {
                let (Meaning::Builtin(facts), Some(zone)) = (&restriction.meaning, &restriction.argument)
                else {
                    continue;
                };
                if facts.argument != Argument::Domain {
                    continue;
                }
                let Some(year) = closed(zone.as_str()) else { continue };
                let words = [restriction.word.clone(), zone.clone()];
                let safety =
                    if facts.name.starts_with("reject") { Safety::Safe } else { Safety::Unsafe };
                let removal = remove(instance, &words);
                report(findings, zone, year, name, removal, safety);
            }
        }
    }
    for service in instance.services().filter(|service| service.line.command() == "postscreen") {
        let sites: Parameter<'_> = service.parameter("postscreen_dnsbl_sites");
        for site in sites.words() {
            let Some(year) = closed(site.as_str()) else { continue };
            let is_negative = site.as_str().rsplit_once('*').is_some_and(|(_, w)| w.trim().starts_with('-'));
            let safety = if is_negative { Safety::Unsafe } else { Safety::Safe };
            let removal = remove(instance, std::slice::from_ref(&site));
            report(findings, &site, year, "postscreen_dnsbl_sites", removal, safety);
        }
    }
}

fn report(
    findings: &mut Findings,
    zone: &Text,
    year: &str,
    parameter: &str,
    removal: Option<Vec<Edit>>,
    safety: Safety,
) {
    let Some(span) = zone.span() else { return };
    let domain = zone_of(zone.as_str());
    findings
        .add(
            &RULE,
            span,
            format!(
                "{domain} closed in {year}: a closed list answers for every client, which refuses all mail, or \
                 for none, which delays it"
            ),
        )
        .parameter(parameter)
        .fix_if("remove the list", safety, removal);
}

/// Removes words where they are written, be it in a restriction class.
fn remove(instance: &Instance, words: &[Text]) -> Option<Vec<Edit>> {
    super::set_parameters(instance)
        .iter()
        .find_map(|parameter| edits::remove_parameter_words(parameter, words))
}

/// The DNS zone in `zone=filter*weight`.
fn zone_of(site: &str) -> &str {
    site.split(['=', '*']).next().unwrap_or_default().trim_end_matches('.')
}

/// The year in which a list closed; `None` for one that works as far as we know. It may be written as a site
/// of `postscreen_dnsbl_sites`.
pub fn closed(site: &str) -> Option<&'static str> {
    let zone = zone_of(site).to_ascii_lowercase();
    DEAD.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let (dead, year) = line.split_once('\t')?;
        let is_dead = zone == dead || zone.strip_suffix(dead).is_some_and(|front| front.ends_with('.'));
        is_dead.then_some(year)
    })
}
