//! Aliases that send mail on to servers of other people.

use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::Table;
use crate::mail::{Acceptance, Address, AliasGraph, Fate, foreign_target};
use crate::rules::prelude::*;
use crate::rules::rows::{Row, rows, rows_at};

pub(super) static RULE: Rule = Rule {
    name: "remote-forward",
    code: "BS008",
    group: Group::Backscatter,
    severity: Severity::Note,
    summary: "an alias sends mail on to another server: what that refuses bounces to whoever the sender claims to be",
    docs: include_str!("remote_forward.md"),
    check,
};

/// So many aliases of a table are tried for a proof.
const MOST_ALIASES: usize = 1_000;

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if !smtpd.is_open_to_strangers() {
            continue;
        }
        for (parameter, program) in [("virtual_alias_maps", "smtpd"), ("alias_maps", "local")] {
            for table in smtpd.scope().maps(parameter, program).tables {
                look(&smtpd, parameter, &table, findings);
            }
        }
    }
}

/// One finding for a table: where its first such alias is, and how many there are.
fn look(smtpd: &Service<'_>, parameter: &'static str, table: &Table, findings: &mut Findings) {
    let is_alias_table = parameter == "alias_maps";
    let local_domain = smtpd.domains_of(Class::Local).into_iter().next();
    let forward = |row: Row| {
        let target = foreign_target(smtpd.instance, is_alias_table, row.value.as_bytes())?;
        Some((recipient(smtpd, is_alias_table, local_domain.as_deref(), &row)?, row, target))
    };
    let graph = AliasGraph::of(smtpd.instance);
    let (first, count): (Vec<_>, usize) = match graph.facts(parameter, table) {
        Some(facts) => {
            let first = rows_at(table, &facts.forwards.first).filter_map(forward);
            (first.take(MOST_ALIASES).collect(), facts.forwards.count)
        }
        None => {
            let mut forwards = rows(table).filter_map(forward);
            let first: Vec<_> = forwards.by_ref().take(MOST_ALIASES).collect();
            let count = first.len() + forwards.count();
            (first, count)
        }
    };
    let proof = first.iter().find_map(|(address, row, target)| {
        let acceptance = smtpd.accepts(address).filter(leads_away)?;
        Some((acceptance, row, target))
    });
    let Some((acceptance, row, target)) = proof else { return };
    let Some(place) = row.key.span().or(smtpd.parameter(parameter).span()) else { return };
    let others = match count {
        1 => String::new(),
        count => format!(" (and {} more in this table)", count - 1),
    };
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "{}{others} sends mail on to {target}: what the server there refuses, such as spam, bounces to whoever \
             the sender claims to be; filter before sending on, or keep the mail in a mailbox here",
            row.key
        ),
    );
    finding
        .parameter(parameter)
        .service(smtpd.label())
        .related(smtpd.parameter(parameter).span().filter(|span| *span != place), "the table is used here")
        .note(
            "the other server sees the sender's own domain come from this host, which SPF does not allow; a sender \
             rewriting scheme (SRS, by sender_canonical_maps or a milter) is the remedy for that",
        )
        .witness(Some(acceptance.address.to_string()));
}

/// Whether mail goes to other people's servers.
fn leads_away(acceptance: &Acceptance) -> bool {
    acceptance
        .leaves
        .iter()
        .any(|leaf| leaf.class == Some(Class::Default) && matches!(leaf.fate, Fate::Elsewhere { .. }))
}

/// The recipient whom a client names for an alias; `None` for one of a whole domain.
fn recipient(smtpd: &Service<'_>, is_alias_table: bool, local: Option<&str>, row: &Row) -> Option<Address> {
    let key = row.key.as_str();
    if is_alias_table {
        return Some(Address::new(key.trim_matches('"'), local?));
    }
    match key.rsplit_once('@') {
        Some(("", _)) => None,
        Some((local, domain)) => Some(Address::new(local, domain)),
        None => Some(Address::new(key, &smtpd.parameter("myorigin").text())),
    }
}
