//! An alias for an address of ours that does not exist.

use std::collections::HashMap;

use crate::finding::Finding;
use crate::instance::service::Service;
use crate::mail::{Acceptance, Address, AliasGraph, Fate, Leaf, Suspect};
use crate::rules::prelude::*;
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
/// For so many domains a name that may be meant is looked for.
const MOST_DOMAINS: usize = 20;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let graph = AliasGraph::of(instance);
        let ways = graph.ways(smtpd);
        let mut names = Names::default();
        let mut count = 0;
        // What a whole domain stands for is looked at by wildcard-virtual-alias.
        let suspects = graph.dead().filter(|suspect| !suspect.key.as_str().starts_with('@'));
        let mut suspects = suspects.take(MOST_SUSPECTS);
        loop {
            let some: Vec<Suspect> = suspects.by_ref().take(SUSPECTS_AT_ONCE).collect();
            if some.is_empty() || count >= MOST_FINDINGS {
                break;
            }
            let found = ways.to_each(&some, Acceptance::bounces);
            for (suspect, acceptance) in some.iter().zip(found) {
                let Some(acceptance) = acceptance.filter(|_| count < MOST_FINDINGS) else { continue };
                count += report(&smtpd, suspect, &acceptance, &mut names, findings);
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
        message.push_str(
            ": it is accepted first, so the notice goes to whoever the sender claims to be; the alias has \
             to name an address that exists",
        );
        let finding = findings.add(&RULE, place, message);
        finding
            .parameter(suspect.parameter)
            .service(smtpd.label())
            .related(smtpd.parameter(suspect.parameter).span(), "the table is used here");
        super::prove(finding, smtpd, acceptance);
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
