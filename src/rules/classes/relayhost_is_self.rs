//! A next hop that is this very host.

use std::net::IpAddr;

use crate::instance::address_class::CLASSES;
use crate::instance::parameter::Parameter;
use crate::instance::service::Service;
use crate::rules::prelude::*;
use crate::rules::rows::rows;
use crate::source::{Span, Text};

pub(super) static RULE: Rule = Rule {
    name: "relayhost-is-self",
    code: "AC004",
    group: Group::Classes,
    severity: Severity::Error,
    summary: "mail is sent on to this very host",
    docs: include_str!("relayhost_is_self.md"),
    check,
};

/// So many entries of `transport_maps` are looked at.
const MOST_ENTRIES: usize = 100_000;

fn check(instance: &Instance, findings: &mut Findings) {
    relayhost(instance, findings);
    let scope = instance.program("trivial-rewrite");
    let transports = CLASSES.iter().filter_map(|class| class.transport);
    for name in transports {
        let parameter = scope.any_parameter(name);
        let Some(setting) = parameter.setting() else { continue };
        let Ok(value) = parameter.value() else { continue };
        report(instance, &value, setting.value_span(), &parameter, findings);
    }
    for table in scope.maps("transport_maps", "trivial-rewrite").tables {
        for row in rows(&table).take(MOST_ENTRIES) {
            let parameter = scope.parameter("transport_maps");
            let Some(place) = row.value.span().or(row.key.span()).or(parameter.span()) else { continue };
            report(instance, &row.value, place, &parameter, findings);
        }
    }
}

fn relayhost(instance: &Instance, findings: &mut Findings) {
    let relayhost = instance.program("trivial-rewrite").parameter("relayhost");
    let Some(setting) = relayhost.setting() else { return };
    let value = relayhost.text();
    let own_name = instance.parameter("myhostname").text();
    // src/global/mail_params.c: the text as it is, so that brackets or a port make a difference.
    if value.eq_ignore_ascii_case(&own_name) && !value.is_empty() {
        findings
            .add(
                &RULE,
                setting.value_span(),
                "every program of Postfix stops: relayhost and myhostname must not be the same; relayhost is the server \
                 that this host sends its mail to, and empty where it delivers by itself",
            )
            .parameter("relayhost")
            .related(instance.parameter("myhostname").span(), "the own name")
            .choice("remove relayhost, so that mail goes to the servers of the recipients")
            .choice("or name the server of the provider");
        return;
    }
    let Some(loops) = way_back(instance, &value) else { return };
    let finding = findings.add(
        &RULE,
        setting.value_span(),
        format!("{}: mail for other domains {}; relayhost is the server that this host sends its mail to", loops.what, loops.then),
    );
    finding
        .parameter("relayhost")
        .related(loops.listener, "the mail comes back here")
        .choice("remove relayhost, so that mail goes to the servers of the recipients")
        .choice("or name the server of the provider");
}

/// Reports a `transport:nexthop` that leads back.
fn report(instance: &Instance, value: &Text, place: Span, parameter: &Parameter<'_>, findings: &mut Findings) {
    let Some((transport, nexthop)) = value.as_str().split_once(':') else { return };
    let class_transport = if transport.is_empty() { "smtp" } else { transport };
    if instance.agent(class_transport).is_none_or(|agent| agent.line.command() != "smtp") {
        return;
    }
    let Some(loops) = way_back(instance, nexthop) else { return };
    findings
        .add(
            &RULE,
            place,
            format!(
                "{}: mail that goes there {}; a domain of this host belongs into an address class, without a transport of \
                 its own",
                loops.what, loops.then
            ),
        )
        .parameter(parameter.name())
        .related(parameter.span().filter(|span| *span != place), "used here")
        .related(loops.listener, "the mail comes back here")
        .choice("name the server that has the mailboxes")
        .choice("or remove the transport, and put the domain into mydestination or virtual_mailbox_domains");
}

/// How mail comes back.
struct Loop {
    what: String,
    then: &'static str,
    listener: Option<Span>,
}

/// Whether a next hop of smtp(8) leads back to this Postfix.
fn way_back(instance: &Instance, nexthop: &str) -> Option<Loop> {
    // Without brackets the MX records of the name count, which cannot be known here.
    let (host, port) = nexthop.trim().strip_prefix('[')?.split_once(']')?;
    let port = match port.strip_prefix(':') {
        Some("smtp") | None => Some(25),
        Some(port) => port.parse::<u16>().ok(),
    }?;
    if !is_own(instance, host) {
        return None;
    }
    if port == 25 {
        // src/smtp/smtp_addr.c: smtp_find_self, for the standard port only.
        return Some(Loop {
            what: format!("{nexthop} is this host"),
            then: "loops back, as smtp(8) notices: it is put off, and bounces in the end",
            listener: None,
        });
    }
    let listener = instance.smtpd_services().find(|smtpd| {
        smtpd.port() == Some(port)
            && smtpd.line.kind() == "inet"
            && listens_on(smtpd, host)
            && smtpd.parameter("content_filter").is_empty()
            && smtpd.parameter("smtpd_proxy_filter").is_empty()
    })?;
    Some(Loop {
        what: format!("{nexthop} is the service {} of this Postfix", listener.name()),
        then: "goes round until there are too many hops, and bounces then",
        listener: listener.span(),
    })
}

/// Whether smtp(8) takes a host for the own one (`src/global/own_inet_addr.c`).
fn is_own(instance: &Instance, host: &str) -> bool {
    let host = host.to_lowercase();
    let text = host.strip_prefix("ipv6:").unwrap_or(&host);
    let interfaces = instance.parameter("inet_interfaces").text().to_lowercase();
    let (all, loopback) = (interfaces == "all", matches!(interfaces.as_str(), "all" | "loopback-only" | "localhost"));
    let is_named = |name: &'static str| {
        instance.parameter(name).words().iter().any(|word| word.as_str().trim_matches(['[', ']']).eq_ignore_ascii_case(text))
    };
    match text.parse::<IpAddr>() {
        Ok(address) => {
            (loopback && address.is_loopback())
                || (all && instance.host().interfaces.iter().any(|(own, _)| *own == address))
                || is_named("inet_interfaces")
                || is_named("proxy_interfaces")
        }
        Err(_) => {
            (loopback && text == "localhost")
                || (all && text.eq_ignore_ascii_case(&instance.parameter("myhostname").text()))
                || is_named("inet_interfaces")
        }
    }
}

/// Whether a service listens where a connection to `host` arrives.
fn listens_on(smtpd: &Service<'_>, host: &str) -> bool {
    match smtpd.name().rsplit_once(':') {
        None => true,
        Some((own, _)) => {
            let own = own.trim_matches(['[', ']']);
            own.is_empty() || own.eq_ignore_ascii_case(host) || (is_loopback(own) && is_loopback(host))
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
