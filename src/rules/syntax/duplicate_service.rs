//! Of several services with one name and type, master(8) runs the last one.

use std::net::IpAddr;

use crate::rules::prelude::*;
use crate::syntax::master_cf::{MasterCf, ServiceLine};

pub(super) static RULE: Rule = Rule {
    name: "duplicate-service",
    code: "SX011",
    group: Group::Syntax,
    severity: Severity::Warning,
    summary: "a service is defined twice, and the last definition wins",
    docs: include_str!("duplicate_service.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let Some(master_cf) = instance.master_cf() else { return };
    let lines: Vec<(&ServiceLine, String)> = master_cf
        .services()
        .filter(|line| line.is_complete() && !instance.is_disabled(line))
        .map(|line| (line, identity(line)))
        .collect();
    for (index, (line, identity)) in lines.iter().enumerate() {
        let last = lines[index + 1..].iter().rev().find(|(_, other)| other == identity);
        let Some((winner, _)) = last else { continue };
        report(master_cf, line, winner, findings);
    }
}

fn report(
    master_cf: &MasterCf,
    loser: &ServiceLine,
    winner: &ServiceLine,
    findings: &mut Findings,
) {
    let label = format!("{}/{}", loser.name(), loser.kind());
    let other = if loser.name() == winner.name() {
        String::new()
    } else {
        format!(" as {}", winner.name())
    };
    let message = format!(
        "master does not run this {label}: the service is defined again{other} further down, and the \
         last definition wins"
    );
    findings
        .add(&RULE, loser.head_span(), message)
        .service(label)
        .related(winner.head_span(), "this definition is in force")
        .fix(
            "remove the definition without effect",
            Safety::Safe,
            edits::remove_line(&master_cf.source, loser.span),
        );
}

/// What master(8) tells services apart by (`src/master/master_ent.c`): the type, and the name with host and
/// port as numbers, or with the directory of its socket.
fn identity(line: &ServiceLine) -> String {
    let name = line.name();
    if line.kind() != "inet" {
        let directory = if line.field(2) == "n" { "public" } else { "private" };
        return format!("{} {directory}/{name}", line.kind());
    }
    let (host, port) = match name.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None => ("", name),
    };
    let port = match port {
        "smtp" => "25",
        "lmtp" => "24",
        "smtps" | "submissions" => "465",
        "submission" => "587",
        port => port,
    };
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let host = host.strip_prefix("ipv6:").unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(address) => format!("inet [{address}]:{port}"),
        Err(_) => format!("inet [{host}]:{port}"),
    }
}
