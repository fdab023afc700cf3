//! A broken element of `mynetworks` makes smtpd answer 451 to whoever gets to it.

use crate::instance::domain_list::ElementKind;
use crate::instance::network_list::{Network, network, network_list};
use crate::instance::restriction::RecipientCheck;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "network-host-bits",
    code: "RL003",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "a broken network in mynetworks: strangers get 451",
    docs: include_str!("network_host_bits.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reaches("permit_mynetworks") == RecipientCheck::Never {
            continue;
        }
        for element in &network_list(smtpd.scope(), "mynetworks").elements {
            let Some(span) = element.text.span() else { continue };
            let (what, then) = match &element.kind {
                ElementKind::Pattern(pattern) => match network(pattern) {
                    Network::Broken(message) => {
                        let family = if pattern.contains(':') { "IPv6" } else { "IPv4" };
                        (message, format!("{family} clients that are not listed before it get 451"))
                    }
                    Network::Net(_) | Network::Name => continue,
                },
                ElementKind::MissingFile(_) => (
                    format!("there is no file {}", element.text),
                    "clients that are not listed before it get 451".to_owned(),
                ),
                ElementKind::Malformed(_) => (
                    "an IPv6 address or network needs brackets, a table needs a type".to_owned(),
                    "smtpd stops".to_owned(),
                ),
                ElementKind::Table(table) if looks_like_ipv6(element.text.as_str()) => (
                    format!(
                        "without brackets it is a table of the type {}",
                        table.reference().type_name
                    ),
                    "clients that are not listed before it get 451".to_owned(),
                ),
                ElementKind::Table(_) | ElementKind::UnknownFile | ElementKind::NoPattern => continue,
            };
            let finding = findings.add(&RULE, span, format!("{then}: {what}"));
            finding.parameter("mynetworks").service(smtpd.label());
            if let ElementKind::Pattern(pattern) = &element.kind
                && let Some((address, length)) = pattern.split_once('/')
                && let Ok(address) = address.trim_matches(['[', ']']).parse::<std::net::IpAddr>()
                && let Some(net) =
                    length.parse().ok().and_then(|length| ipnet::IpNet::new(address, length).ok())
            {
                let bits = if address.is_ipv4() { 32 } else { 128 };
                finding.choice(format!("{address}/{bits}, to trust this one host"));
                // A mask that takes in half of the Internet was hardly meant.
                let is_own = address.is_loopback() || net.prefix_len() >= 16;
                if is_own {
                    finding.choice(format!("{}, to trust the whole network", net.trunc()));
                }
            } else if looks_like_ipv6(element.text.as_str()) {
                finding.choice("put the address into brackets: [address]/length");
            } else {
                finding.choice("correct the element, or remove it");
            }
        }
    }
}

/// Whether a word that Postfix takes for `type:table` was meant as an IPv6 address.
fn looks_like_ipv6(word: &str) -> bool {
    let address = word.split('/').next().unwrap_or_default();
    address.parse::<std::net::Ipv6Addr>().is_ok()
}
