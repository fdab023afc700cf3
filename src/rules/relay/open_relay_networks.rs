//! `mynetworks` that covers other people's hosts makes an open relay.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::instance::domain_list::{Element, ElementKind};
use crate::instance::network_list::{Network, network, network_list};
use crate::instance::service::Reach;
use crate::instance::table::{Flags, Table};
use crate::rules::prelude::*;
use crate::source::Span;
use crate::syntax::cidr_table::CidrLine;

use super::relays_for_networks;

pub(super) static RULE: Rule = Rule {
    name: "open-relay-networks",
    code: "RL001",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "mynetworks covers strangers: an open relay",
    docs: include_str!("open_relay_networks.md"),
    check,
};

/// What is left when nothing else is trusted.
const LOOPBACK: &str = "127.0.0.0/8 [::1]/128";
/// Hosts of strangers: documentation addresses, which belong to nobody.
const STRANGERS: [[u8; 4]; 3] = [[198, 51, 100, 7], [203, 0, 113, 99], [192, 0, 2, 55]];

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network || !relays_for_networks(&smtpd) {
            continue;
        }
        let mynetworks = smtpd.parameter("mynetworks");
        for element in &network_list(smtpd.scope(), "mynetworks").elements {
            let Some((severity, place, what)) = judge(element) else { continue };
            // Without any network the own host could not relay, either.
            let (title, removal) = if Some(place) != element.text.span() {
                // One entry of a table is wrong, not the table.
                (String::new(), None)
            } else if mynetworks.words().len() > 1 {
                let words = std::slice::from_ref(&element.text);
                let removal = edits::remove_parameter_words(&mynetworks, words);
                (format!("remove {} from mynetworks", element.text), removal)
            } else {
                let removal = edits::set_parameter(&mynetworks, LOOPBACK);
                (format!("set mynetworks to {LOOPBACK}"), removal)
            };
            let finding = findings.add(
                &RULE,
                place,
                format!("{what}, and may send mail to anybody through this server; mynetworks should list own hosts only"),
            );
            finding
                .severity(severity)
                .parameter("mynetworks")
                .service(smtpd.label())
                .fix_if(title, Safety::Unsafe, removal)
                .choice("exclude a host with ! in front of it, before the network that it is in")
                .choice("set mynetworks to the own networks, such as 127.0.0.0/8 [::1]/128");
        }
    }
}

fn judge(element: &Element) -> Option<(Severity, Span, String)> {
    if element.negated {
        return None;
    }
    let span = element.text.span()?;
    match &element.kind {
        ElementKind::Pattern(pattern) => match network(pattern) {
            Network::Net(net) => {
                let severity = severity_of(&net)?;
                Some((severity, span, format!("every host in {net} is trusted")))
            }
            Network::Name if is_domain(pattern) => Some((
                Severity::Warning,
                span,
                format!("every host whose name is {pattern} or ends in .{pattern} is trusted"),
            )),
            Network::Name | Network::Broken(_) => None,
        },
        ElementKind::Table(table) => judge_table(table, span),
        ElementKind::Malformed(_)
        | ElementKind::NoPattern
        | ElementKind::MissingFile(_) | ElementKind::UnknownFile => None,
    }
}

/// A network so large that it cannot be one's own, or hardly.
fn severity_of(net: &IpNet) -> Option<Severity> {
    let is_own = match net.network() {
        IpAddr::V4(address) => {
            net.prefix_len() >= 8 && (address.is_loopback() || address.is_private() || address.is_link_local())
        }
        IpAddr::V6(address) => {
            net.prefix_len() >= 7 && (address.octets()[0] & 0xfe == 0xfc || address.octets()[0] == 0xfe)
        }
    };
    let (open, wide) = if net.addr().is_ipv4() { (8, 15) } else { (16, 31) };
    match net.prefix_len() {
        _ if is_own => None,
        length if length <= open => Some(Severity::Error),
        length if length <= wide => Some(Severity::Warning),
        _ => None,
    }
}

/// A name that can match the name of a client: `.example.net` does not, while `mynetworks` is in
/// `parent_domain_matches_subdomains` as it is by default.
fn is_domain(pattern: &str) -> bool {
    pattern.contains('.')
        && !pattern.starts_with('.')
        && pattern.bytes().any(|byte| byte.is_ascii_alphabetic())
        && pattern.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

fn judge_table(table: &Table, span: Span) -> Option<(Severity, Span, String)> {
    let hits_all = STRANGERS.iter().all(|&address| {
        let key = IpAddr::from(address).to_string();
        table.lookup(key.as_bytes(), Flags::LIST).exists() == Some(true)
    });
    if hits_all {
        let name = &table.reference().written;
        return Some((Severity::Error, span, format!("{name} matches every client, so everybody is trusted")));
    }
    // The result of a table does not count: a match is a match.
    let refused = table.networks().and_then(|networks| {
        networks.lines().find_map(|(text, line)| match line {
            CidrLine::Match { pattern, result } if is_refusal(text.slice(result.clone()).as_str()) => {
                let net = pattern.network;
                text.span().map(|span| (span, net.to_string()))
            }
            _ => None,
        })
    });
    let refused = refused.or_else(|| {
        let keys = table.keys()?;
        let source = keys.source();
        keys.entries().find(|entry| is_refusal(&String::from_utf8_lossy(&entry.value()))).map(|entry| {
            (entry.span(source), String::from_utf8_lossy(entry.key()).into_owned())
        })
    });
    let (place, who) = refused?;
    Some((
        Severity::Error,
        place,
        format!("only the key counts in this list, so {who} is trusted in spite of its result"),
    ))
}

fn is_refusal(result: &str) -> bool {
    let word = result.split_ascii_whitespace().next().unwrap_or_default();
    ["REJECT", "DEFER", "DISCARD", "DUNNO", "NO"].iter().any(|refusal| word.eq_ignore_ascii_case(refusal))
}
