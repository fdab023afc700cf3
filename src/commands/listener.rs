//! Which smtpd a command asks.

use anyhow::Context;

use crate::exit::UsageError;
use crate::instance::Instance;
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
