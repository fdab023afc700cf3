//! An alias for an address of ours that does not exist.

use std::collections::{HashMap, HashSet};

use crate::finding::Finding;
use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::mail::{Acceptance, Address, AliasGraph, Fate, Leaf, Listing, Suspect};
use crate::rules::prelude::*;
use crate::rules::rows::rows;
use crate::rules::syntax::nearest::Spellings;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "dangling-alias-target",
    code: "BS006",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "an alias stands for an address that does not exist: its mail is accepted, then bounced",
    docs: include_str!("dangling_alias_target.md"),
    check,
};

/// So many suspect entries are looked at for each service.
const MOST_SUSPECTS: usize = 10_000;
/// So many of them at once, before what was found of them is reported.
const SUSPECTS_AT_ONCE: usize = 1_000;
/// So many findings there are for each service.
const MOST_FINDINGS: usize = 10_000;
/// So many entries of a table are tried one by one.
const MOST_OTHERS: usize = 1_000;
/// For so many domains a name that may be meant is looked for.
const MOST_DOMAINS: usize = 20;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let graph = AliasGraph::of(instance);
        let ways = graph.ways(smtpd);
        let mut names = Names::default();
        let mut count = 0;
        let mut known = HashSet::new();
        // What a whole domain stands for is looked at by wildcard-virtual-alias.
        let suspects = graph.dead().filter(|suspect| !suspect.key.as_str().starts_with('@'));
        let mut suspects = suspects.take(MOST_SUSPECTS);
        loop {
            let some: Vec<Suspect> = suspects.by_ref().take(SUSPECTS_AT_ONCE).collect();
            if some.is_empty() || count >= MOST_FINDINGS {
                break;
            }
            let found = ways.to_each(&some, Acceptance::comes_back);
            for (suspect, acceptance) in some.iter().zip(found) {
                let Some(mut acceptance) = acceptance.filter(|_| count < MOST_FINDINGS) else { continue };
                if !acceptance.bounces() {
                    // Another way there may be one for strangers.
                    acceptance = ways.to(suspect, Acceptance::bounces).unwrap_or(acceptance);
                }
                known.extend(dead_addresses(&acceptance));
                count += report(&smtpd, suspect, &acceptance, &mut names, findings);
            }
        }
        for parameter in ["virtual_alias_maps", "recipient_canonical_maps", "canonical_maps", "alias_maps"] {
            other_entries(&smtpd, parameter, &mut known, findings);
        }
    }
}

/// Where mail bounces.
fn dead_addresses(acceptance: &Acceptance) -> impl Iterator<Item = Address> {
    let dead = acceptance.leaves.iter().filter(|leaf| matches!(leaf.fate, Fate::Bounces(_)));
    dead.map(|leaf| leaf.address.clone())
}

/// Whether a key without a local part is one of our domains.
fn is_domain(smtpd: &Service<'_>, key: &str) -> bool {
    smtpd.instance.class_of(key).is_some_and(|class| class != Class::Default)
}

/// Entries whose mail bounces although their targets are in no list of ours: patterns, and addresses whose
/// transport refuses them. The targets in `known` are told already.
fn other_entries(
    smtpd: &Service<'_>,
    parameter: &'static str,
    known: &mut HashSet<Address>,
    findings: &mut Findings,
) {
    let is_local = parameter == "alias_maps";
    let (scope, program) = if is_local { (smtpd.instance.program("local"), "local") } else { (smtpd.scope(), "smtpd") };
    let local = smtpd.domains_of(Class::Local).into_iter().next();
    let options = smtpd.parameter("receive_override_options").words();
    // Where nobody looks at the table, that is what has to be told: aliases-not-expanded does it, and
    // wrong-recipient-table-for-transport.
    let is_unread = is_local || options.iter().any(|word| *word == "no_address_mappings");
    let mut count = 0;
    for table in scope.maps(parameter, program).tables {
        for row in rows(&table).take(MOST_OTHERS) {
            let proof = row.questions().into_iter().find_map(|key| {
                let address = match key.rsplit_once('@') {
                    Some(("", _)) => return None,
                    Some((name, domain)) if !is_local => Address::new(name, domain),
                    // The entry is there to make the key one of our domains.
                    None if is_domain(smtpd, &key) => return None,
                    _ => Address::new(key, local.as_ref()?),
                };
                let acceptance = smtpd.accepts(&address).filter(Acceptance::bounces)?;
                // What may be known elsewhere is not tried one by one.
                if !acceptance.world.is_certain() {
                    return None;
                }
                let Listing::Listed { hit, .. } = &acceptance.listing else { return None };
                let is_this = hit.key_span.or(hit.span)? == row.key.span()?;
                let is_circle = acceptance.leaves.iter().any(Leaf::is_loop);
                let is_told = |dead: &Address| known.contains(dead) || (is_unread && *dead == address);
                let is_new = !dead_addresses(&acceptance).all(|dead| is_told(&dead));
                (is_this && is_new && !is_circle).then_some(acceptance)
            });
            let Some(acceptance) = proof else { continue };
            let Some(place) = row.value.span().or(row.key.span()) else { continue };
            let leaf = acceptance.leaves.iter().find(|leaf| !known.contains(&leaf.address) && leaf.is_told);
            let Some((leaf, Fate::Bounces(reason))) = leaf.map(|leaf| (leaf, &leaf.fate)) else { continue };
            let finding = findings.add(
                &RULE,
                place,
                format!(
                    "mail for {} goes to {}, and bounces ({reason}): it is accepted first, so the notice goes to \
                     whoever the sender claims to be; the alias has to name an address that exists",
                    acceptance.address, leaf.address
                ),
            );
            finding
                .parameter(parameter)
                .service(smtpd.label())
                .related(smtpd.parameter(parameter).span(), "the table is used here")
                .choice("remove the entry, or name an address that exists");
            super::prove(finding, smtpd, &acceptance);
            known.extend(dead_addresses(&acceptance));
            count += 1;
            if count >= MOST_OTHERS {
                return;
            }
        }
    }
}

/// Reports the dead targets of an entry: how many there are.
fn report(
    smtpd: &Service<'_>,
    suspect: &Suspect,
    acceptance: &Acceptance,
    names: &mut Names,
    findings: &mut Findings,
) -> usize {
    let dead: Vec<(Text, Address, &Leaf)> = suspect
        .dead
        .iter()
        .filter_map(|range| {
            let target = suspect.value.slice(range.clone());
            let address = Address::written(smtpd.instance, target.as_str());
            let leaf = dead_leaf(acceptance, &address, suspect.targets == 1)?;
            Some((target, address, leaf))
        })
        .collect();
    for (target, address, leaf) in &dead {
        let Some(place) = target.span().or(suspect.key.span()) else { continue };
        let Fate::Bounces(reason) = &leaf.fate else { continue };
        let mut message = format!("{} stands for {target}, and mail for that bounces ({reason})", suspect.key);
        message.push_str(if acceptance.bounces() {
            ": it is accepted first, so the notice goes to whoever the sender claims to be; the alias has \
             to name an address that exists"
        } else {
            ", with a notice to the owner of the list or to another address of this host; the alias has to name an \
             address that exists"
        });
        let finding = findings.add(&RULE, place, message);
        finding
            .parameter(suspect.parameter)
            .service(smtpd.label())
            .related(smtpd.parameter(suspect.parameter).span(), "the table is used here");
        super::prove(finding, smtpd, acceptance);
        if !acceptance.bounces() {
            // A witness is somebody whose mail comes back to strangers.
            super::warn(finding).witness(None);
        }
        if let Some(name) = names.like(smtpd, address) {
            finding.choice(format!("name {name}@{} instead, if that is meant", address.domain));
        }
        mend(finding, smtpd, suspect, target, dead.len());
    }
    dead.len()
}

/// The bounce that a target leads to.
fn dead_leaf<'a>(
    acceptance: &'a Acceptance,
    target: &Address,
    is_only_target: bool,
) -> Option<&'a Leaf> {
    let is_same = |leaf: &&Leaf| {
        leaf.address.domain == target.domain && leaf.address.local.eq_ignore_ascii_case(&target.local)
    };
    let mut bounces = acceptance.leaves.iter().filter(|leaf| matches!(leaf.fate, Fate::Bounces(_)));
    // A file or a command bounces under the name of the alias.
    bounces.clone().find(is_same).or_else(|| bounces.next().filter(|_| is_only_target))
}

fn mend(
    finding: &mut Finding,
    smtpd: &Service<'_>,
    suspect: &Suspect,
    target: &Text,
    dead: usize,
) {
    let Some(line) = suspect.line else {
        finding.choice(format!("remove {target}, or name an address that exists"));
        return;
    };
    let source = smtpd.instance.sources().get(line.file);
    if dead < suspect.targets {
        // The other targets get their mail as before.
        let safety = if finding.severity == Severity::Error { Safety::Safe } else { Safety::Unsafe };
        let edits = edits::remove_word(&source, &suspect.value, target);
        if let Some(edits) = edits {
            finding.fix(format!("remove {target} from {}", suspect.key), safety, edits);
        }
    } else if dead == 1 {
        finding.fix(
            format!("remove {}, so that mail for it is refused", suspect.key),
            Safety::Unsafe,
            edits::remove_line(&source, line),
        );
    } else {
        finding.choice(format!("remove {}, or name addresses that exist", suspect.key));
    }
}

/// The recipients of the domains that were asked for.
#[derive(Default)]
struct Names(HashMap<String, Spellings>);

impl Names {
    /// A recipient whose name is spelt nearly like that of an address.
    fn like(&mut self, smtpd: &Service<'_>, address: &Address) -> Option<&str> {
        let domain = &address.domain;
        if !self.0.contains_key(domain) && self.0.len() < MOST_DOMAINS {
            let names = smtpd.recipients_of(domain).unwrap_or_default();
            self.0.insert(domain.clone(), Spellings::of(names));
        }
        self.0.get(domain)?.nearest(&address.local.to_lowercase())
    }
}
