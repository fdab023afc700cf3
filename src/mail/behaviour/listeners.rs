//! Which smtpd of one configuration stands where another one stood, and who connects to it.

use std::net::IpAddr;

use super::Sender;
use crate::instance::Instance;
use crate::instance::network_list::{Network, network, network_list};
use crate::instance::service::{Reach, Service};
use crate::mail::session::Session;

/// So many clients in `mynetworks` are asked for.
const MOST_CLIENTS: usize = 6;

/// An smtpd before and after; one of the two is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair<'o, 'n> {
    pub(super) before: Option<Service<'o>>,
    pub(super) after: Option<Service<'n>>,
}

/// The services of two configurations that run smtpd(8) and can be reached, those of the first one first.
///
/// They belong together when they have the same name and type, else when clients come to them through the
/// same port: smtpd behind postscreen(8) stands where smtpd alone stood.
pub(super) fn pairs<'o, 'n>(before: &'o Instance, after: &'n Instance) -> Vec<Pair<'o, 'n>> {
    let old = listeners(before);
    let mut new: Vec<Option<Service<'n>>> = listeners(after).into_iter().map(Some).collect();
    let mut pairs: Vec<Pair<'o, 'n>> = (old.into_iter())
        .map(|service| Pair {
            before: Some(service),
            after: None,
        })
        .collect();
    let is_same: [fn(&Service<'_>, &Service<'_>) -> bool; 2] = [
        |one, other| one.label() == other.label(),
        |one, other| entrance(one).is_some_and(|here| entrance(other) == Some(here)),
    ];
    for is_same in is_same {
        for pair in &mut pairs {
            let (Some(one), None) = (pair.before, pair.after) else {
                continue;
            };
            let same = (new.iter_mut())
                .find(|other| other.as_ref().is_some_and(|other| is_same(&one, other)));
            pair.after = same.and_then(Option::take);
        }
    }
    let fresh = new.into_iter().flatten().map(|service| Pair {
        before: None,
        after: Some(service),
    });
    pairs.extend(fresh);
    pairs
}

fn listeners(instance: &Instance) -> Vec<Service<'_>> {
    let is_reached = |service: &Service<'_>| service.reach() != Reach::Nobody;
    instance.smtpd_services().filter(is_reached).collect()
}

/// The host and the port at which clients come to a service.
fn entrance(service: &Service<'_>) -> Option<(String, u16)> {
    let front = match service.line.kind() {
        "inet" => *service,
        "pass" => (service.instance.services()).find(|front| {
            front.line.command() == "postscreen"
                && front.line.kind() == "inet"
                && front.parameter("smtpd_service_name").text() == service.name()
        })?,
        _ => return None,
    };
    let host = front.name().rsplit_once(':').map_or("", |(host, _)| host);
    Some((host.to_owned(), front.port()?))
}

/// Who sends through a pair of services: everybody who has to do with one of the two. Clients in
/// `mynetworks` are those of the first configuration, at first those that are in no network of the second.
pub(super) fn sessions(pair: Pair<'_, '_>) -> Vec<(Sender, Session)> {
    let mut sessions = Vec::new();
    let services = || pair.before.into_iter().chain(pair.after);
    if services().any(|service| service.reach() == Reach::Network) {
        sessions.push((Sender::Stranger, Session::stranger()));
    }
    sessions.push((Sender::Host, host()));
    let clients = clients(pair).into_iter();
    sessions.extend(clients.map(|client| (Sender::Network, in_network(client))));
    if services().any(|service| service.parameter("smtpd_sasl_auth_enable").flag() == Some(true)) {
        sessions.push((Sender::User, user()));
    }
    sessions
}

/// A program of this host that speaks SMTP.
pub(super) fn host() -> Session {
    Session {
        client: IpAddr::from([127, 0, 0, 1]),
        client_name: Some("localhost".to_owned()),
        reverse_name: Some("localhost".to_owned()),
        helo: Some("localhost".to_owned()),
        ..Session::stranger()
    }
}

/// A client in a network of ours.
pub(super) fn in_network(client: IpAddr) -> Session {
    Session {
        client,
        client_name: None,
        reverse_name: None,
        helo: Some("client".to_owned()),
        ..Session::stranger()
    }
}

/// Somebody who has logged in.
pub(super) fn user() -> Session {
    Session {
        sasl_user: Some("user".to_owned()),
        tls: true,
        ..Session::stranger()
    }
}

/// One client of each network in `mynetworks` that is not the loopback one.
pub(super) fn network_clients(service: Service<'_>) -> Vec<IpAddr> {
    let list = network_list(service.scope(), "mynetworks");
    let clients = list.elements.iter().filter_map(|element| {
        let Network::Net(net) = network(element.text.as_str()) else {
            return None;
        };
        let first = net.hosts().next()?;
        (!element.negated && !first.is_loopback() && net.prefix_len() > 0).then_some(first)
    });
    clients.collect()
}

fn clients(pair: Pair<'_, '_>) -> Vec<IpAddr> {
    let old = pair.before.map(network_clients).unwrap_or_default();
    let new = pair.after.map(network_clients).unwrap_or_default();
    let (mut clients, kept): (Vec<IpAddr>, Vec<IpAddr>) =
        old.into_iter().partition(|client| !new.contains(client));
    clients.extend(kept.first());
    clients.truncate(MOST_CLIENTS);
    clients
}
