//! Private networks in `mynetworks` trust whoever comes through a NAT gateway or a container bridge.

use ipnet::IpNet;

use crate::instance::domain_list::ElementKind;
use crate::instance::network_list::{Network, network, network_list};
use crate::instance::service::Reach;
use crate::rules::prelude::*;

use super::relays_for_networks;

pub(super) static RULE: Rule = Rule {
    name: "private-networks-trusted",
    code: "RL002",
    group: Group::Relay,
    severity: Severity::Note,
    summary: "private networks may relay: so may everybody behind the same NAT",
    docs: include_str!("private_networks_trusted.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network || !relays_for_networks(&smtpd) {
            continue;
        }
        for element in &network_list(smtpd.scope(), "mynetworks").elements {
            let (ElementKind::Pattern(pattern), false) = (&element.kind, element.negated) else {
                continue;
            };
            let (Network::Net(net), Some(span)) = (network(pattern), element.text.span()) else {
                continue;
            };
            if !is_private(&net) {
                continue;
            }
            findings
                .add(
                    &RULE,
                    span,
                    format!(
                        "every host in {net} may relay, and so may strangers whose connections come \
                         from there through a NAT gateway or a container bridge"
                    ),
                )
                .parameter("mynetworks")
                .service(smtpd.label())
                .choice("list only the hosts that have to relay, or let them log in");
        }
    }
}

/// RFC 1918 and unique local networks that hold more than one host.
fn is_private(net: &IpNet) -> bool {
    match net {
        IpNet::V4(net) => net.prefix_len() < 32 && net.network().is_private() && net.broadcast().is_private(),
        IpNet::V6(net) => net.prefix_len() < 128 && net.network().octets()[0] & 0xfe == 0xfc,
    }
}
