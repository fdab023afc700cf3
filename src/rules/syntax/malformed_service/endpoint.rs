//! The names of services: addresses and ports, or files (`src/util/host_port.c`, `src/master/master_listen.c`).

use super::Report;
use crate::instance::Instance;
use crate::instance::endpoint::{Endpoint, EndpointFault};
use crate::instance::files::Opened;
use crate::rules::prelude::*;

/// Ports that Postfix 3.6 and later know by themselves, and that every services database has.
const PORTS: [&str; 5] = ["smtp", "smtps", "submission", "submissions", "lmtp"];

/// Looks at the name of a service.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let name = report.line.name();
    if report.line.kind() != "inet" {
        if name.contains('/') {
            let message = format!(
                "master stops when it comes to {name}, which cannot be the name of a socket; a name \
                 without / would be right"
            );
            report.add(report.field(0), message);
        }
        return;
    }
    let port = match Endpoint::parse(name) {
        Ok(endpoint) => endpoint.port,
        Err(fault) => {
            stops(report, reason(fault));
            return;
        }
    };
    if port.bytes().all(|byte| byte.is_ascii_digit()) {
        check_number(report, port);
    } else {
        check_port_name(report, port);
    }
}

/// What is wrong with a name.
fn reason(fault: EndpointFault) -> &'static str {
    match fault {
        EndpointFault::Unclosed => "the ] behind the address is missing",
        EndpointFault::AfterBracket => "something follows the ] that is not : and a port",
        EndpointFault::BadIpv6 => "there is no IPv6 address in [ipv6:…]",
        EndpointFault::NoPort => "there is no port",
        EndpointFault::BadHost => "there is neither a host name nor an address in front of the port",
        EndpointFault::AfterNumber => "something follows the number of the port",
    }
}

fn stops(report: &mut Report<'_, '_>, what: &str) {
    let message = format!("master stops when it comes to this service: {what}; PORT, HOST:PORT or \
                           [ADDRESS]:PORT would be right");
    report.add(report.field(0), message);
}

fn check_number(report: &mut Report<'_, '_>, port: &str) {
    let number: u64 = port.parse().unwrap_or(u64::MAX);
    if number > 65_535 {
        let listens = number % 65_536;
        let message = format!("master listens on port {listens}, because {port} is too large; a port is \
                               at most 65535");
        report.add(report.field(0), message);
    } else if number == 0 {
        let message = "master listens on a port that the system chooses each time; a port is at least 1";
        report.add(report.field(0), message);
    }
}

fn check_port_name(report: &mut Report<'_, '_>, port: &str) {
    if PORTS.contains(&port) || is_configured(report.instance, port) {
        return;
    }
    let near = super::super::nearest::nearest(port, PORTS.into_iter());
    let is_host = report.instance.files().is_host();
    if is_host && is_in_services(report.instance, port) {
        return;
    }
    let stops = "master stops when it comes to this service";
    let (severity, message) = match near {
        _ if is_host => (Severity::Error, format!("{stops}: no port is called {port}; a number would be \
                                                   right")),
        // The services database of another machine may have any name.
        Some(_) => (
            Severity::Warning,
            format!("{stops}, unless the services database has a port {port}; a number is certain"),
        ),
        None => (
            Severity::Note,
            format!("{stops} if the services database has no port {port}; a number is certain"),
        ),
    };
    let finding = report.add(report.field(0), message);
    finding.severity(severity);
    if let Some(near) = near {
        finding.choice(format!("write {near}"));
    }
}

/// Whether `known_tcp_ports` has a name (Postfix 3.6).
fn is_configured(instance: &Instance, port: &str) -> bool {
    let ports = instance.parameter("known_tcp_ports");
    let words = ports.words();
    words.iter().any(|word| {
        let mut names: Vec<&str> = word.as_str().split('=').map(str::trim).collect();
        names.pop();
        names.contains(&port)
    })
}

/// Whether services(5) of this host has a name.
fn is_in_services(instance: &Instance, port: &str) -> bool {
    let Opened::Found(services) = instance.files().open("/etc/services", instance.sources()) else {
        return true;
    };
    services.text().lines().any(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let name = words.next();
        let is_tcp = words.next().is_some_and(|port| port.ends_with("/tcp"));
        is_tcp && (name == Some(port) || words.any(|alias| alias == port))
    })
}
