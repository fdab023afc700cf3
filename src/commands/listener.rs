//! Which smtpd a command asks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};

use anyhow::Context;

use crate::exit::UsageError;
use crate::instance::Instance;
use crate::instance::endpoint::Endpoint;
use crate::instance::service::{Reach, Service, port_of};

/// The service that was asked for, as master.cf names it, else the one that strangers reach.
///
/// # Errors
/// No service runs smtpd, or none is called so: a [`UsageError`] that names those which there are.
pub(super) fn listener<'i>(
    instance: &'i Instance,
    asked: Option<&str>,
) -> anyhow::Result<Service<'i>> {
    let services: Vec<Service<'i>> = instance.smtpd_services().collect();
    let listed = || {
        let labels: Vec<String> = services.iter().map(Service::label).collect();
        match labels.as_slice() {
            [] => "master.cf has no service that runs smtpd".to_owned(),
            labels => format!("smtpd runs as {}", labels.join(", ")),
        }
    };
    let Some(asked) = asked else {
        let is_reached = |service: &&Service<'_>| service.reach() == Reach::Network;
        let is_front = |service: &&Service<'_>| service.port().is_none_or(|port| port == 25);
        let reached = || services.iter().filter(is_reached);
        let found = reached()
            .find(is_front)
            .or_else(|| reached().next())
            .or(services.first());
        return found.copied().with_context(listed);
    };
    let (name, kind) = match asked.rsplit_once('/') {
        Some((name, kind)) => (name, Some(kind)),
        None => (asked, None),
    };
    let is_kind = |service: &Service<'_>| kind.is_none_or(|kind| service.line.kind() == kind);
    let is_named = |service: &&Service<'_>| service.name() == name && is_kind(service);
    if let Some(service) = services.iter().find(is_named) {
        return Ok(*service);
    }
    // postscreen(8) hands decent clients over.
    let front = (instance.services())
        .find(|front| is_named(&front) && front.line.command() == "postscreen")
        .map(|front| front.parameter("smtpd_service_name").text());
    let behind = front.and_then(|name| {
        let is_behind = |service: &&Service<'_>| service.name() == name;
        services.iter().find(is_behind)
    });
    // `smtp` may be written as 25, or with an address in front.
    let port = port_of(name);
    let has_port = |service: &&Service<'_>| {
        port.is_some()
            && service.line.kind() == "inet"
            && service.port() == port
            && is_kind(service)
    };
    match behind.or_else(|| services.iter().find(has_port)) {
        Some(service) => Ok(*service),
        None => Err(UsageError(format!("no smtpd service is called {asked}: {}", listed())).into()),
    }
}

/// Where this host can ask a service: its own address if it names one, else the first of `inet_interfaces`.
/// `None` when it listens nowhere.
pub(super) fn own_address(service: &Service<'_>) -> Option<SocketAddr> {
    let instance = service.instance;
    // postscreen(8) listens for the smtpd behind it.
    let front = instance.services().find(|front| {
        front.line.command() == "postscreen"
            && front.line.kind() == "inet"
            && front.parameter("smtpd_service_name").text() == service.name()
    });
    let service = match service.line.kind() {
        "pass" => front?,
        "inet" => *service,
        _ => return None,
    };
    let endpoint = Endpoint::parse(service.name()).ok()?;
    let port = port_of(endpoint.port)?;
    let scope = instance.scope();
    let loopback: IpAddr = match scope.parameter("inet_protocols").text().trim() {
        "ipv6" => Ipv6Addr::LOCALHOST.into(),
        _ => Ipv4Addr::LOCALHOST.into(),
    };
    let interfaces = scope.parameter("inet_interfaces").words();
    let host = match endpoint.host {
        "" => interfaces.first().map_or("", |word| word.as_str()),
        host => host,
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let bare = bare.strip_prefix("ipv6:").unwrap_or(bare);
    match bare {
        "" => None,
        "all" | "loopback-only" => Some((loopback, port).into()),
        host => (host, port).to_socket_addrs().ok()?.next(),
    }
}
