//! The listener behind a content filter, open to other hosts.

use crate::instance::service::{Reach, Service};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "reinjection-exposed",
    code: "RL007",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "strangers can connect to the listener behind a content filter, and get past the filter",
    docs: include_str!("reinjection_exposed.md"),
    check,
};

/// Ports that are there for other hosts.
const PUBLIC_PORTS: [u16; 3] = [25, 465, 587];
/// The filters that a listener behind them has to switch off.
const FILTERS: [&str; 2] = ["content_filter", "smtpd_proxy_filter"];
/// Checks that the front has made already.
const DONE_IN_FRONT: [&str; 3] = ["no_unknown_recipient_checks", "no_header_body_checks", "no_milters"];

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let is_other_port = smtpd.port().is_some_and(|port| !PUBLIC_PORTS.contains(&port));
        if smtpd.line.kind() != "inet" || !is_other_port || smtpd.reach() != Reach::Network || smtpd.refuses_strangers(true) {
            continue;
        }
        let Some(what) = passed_by(instance, &smtpd) else { continue };
        let Some(place) = smtpd.span() else { continue };
        let name = smtpd.name();
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "other hosts can connect to port {name}, where {what}: strangers send past it; the listener behind a \
                 filter belongs on 127.0.0.1"
            ),
        );
        finding.service(smtpd.label());
        if !smtpd.has_relay_guard() {
            finding.severity(Severity::Warning).note("this smtpd does not run at all, because no restriction stops relaying");
        }
        let field = smtpd.line.fields.first();
        match field.filter(|_| !name.contains(':')) {
            Some(field) => {
                finding.fix_if(
                    format!("listen on 127.0.0.1:{name}"),
                    Safety::Unsafe,
                    edits::replace_word(
                        &instance.sources().get(place.file),
                        field,
                        &format!("127.0.0.1:{name}"),
                    ),
                );
            }
            None => {
                finding.choice("let it listen on 127.0.0.1");
            }
        }
        finding.choice(
            "or, where the filter is on another host, refuse all others: -o smtpd_client_restrictions=permit_mynetworks,reject, \
             with mynetworks set to the address of that host",
        );
    }
}

/// What mail through this listener gets past.
fn passed_by(instance: &Instance, smtpd: &Service<'_>) -> Option<String> {
    let fronts: Vec<Service<'_>> = instance
        .smtpd_services()
        .filter(|front| front.line.span != smtpd.line.span && front.reach() == Reach::Network)
        .collect();
    for name in FILTERS {
        let is_off = smtpd.override_of(name.as_bytes()).is_some() && smtpd.parameter(name).is_empty();
        let front = fronts.iter().find(|front| !front.parameter(name).is_empty());
        if is_off && let Some(front) = front {
            return Some(format!("{name} {} is switched off", front.parameter(name).text()));
        }
    }
    // The filter is asked for by other means, such as an access table; the options tell.
    smtpd.override_of(b"receive_override_options")?;
    let options = smtpd.parameter("receive_override_options").words();
    let skipped = options.iter().find(|word| DONE_IN_FRONT.iter().any(|done| **word == *done))?;
    (smtpd.override_of(b"content_filter").is_some() && smtpd.parameter("content_filter").is_empty())
        .then(|| format!("{skipped} is set"))
}
