//! What proxymap(8) does for a program that opens `proxy:type:name` (`src/global/dict_proxy.c`).

use std::collections::BTreeSet;

use super::general;
use super::process::{Death, Process};
use crate::instance::Instance;
use crate::instance::builtin::Version;
use crate::instance::service::Service;
use crate::instance::table::approved_for_proxy;

/// The proxymap service of an instance.
#[derive(Debug)]
pub(super) struct Proxies {
    /// The tables that it answers for; why it never answers.
    approved: Result<BTreeSet<String>, String>,
}

impl Proxies {
    /// Starts the service.
    pub(super) fn of(instance: &Instance) -> Self {
        let name = instance.parameter("proxymap_service_name").text();
        let approved = match local_service(instance, &name) {
            Some(service) => match start(service) {
                Ok(approved) => Ok(approved),
                Err(death) => Err(super::obituary("proxymap", &death)),
            },
            None => Err(format!("master.cf has no service {name}")),
        };
        Self { approved }
    }

    /// Whether the service lets a program have a table, given as `type:name`.
    ///
    /// # Errors
    /// It never answers.
    pub(super) fn is_approved(&self, table: &str) -> Result<bool, Death> {
        match &self.approved {
            Ok(approved) => Ok(approved.contains(table)),
            Err(reason) => Err(Death::Waits(reason.clone())),
        }
    }
}

/// The service that listens on a local socket of a name.
pub(super) fn local_service<'i>(instance: &'i Instance, name: &str) -> Option<Service<'i>> {
    instance.services().find(|service| {
        service.name() == name
            && service.line.kind() == "unix"
            && !instance.is_disabled(service.line)
    })
}

/// `src/proxymap/proxymap.c`.
fn start(service: Service<'_>) -> Result<BTreeSet<String>, Death> {
    let process = Process::new("proxymap", service.scope(), None);
    general::start(&process, service)?;
    process.read("proxymap", &|_| Ok(()))?;
    general::limits(service)?;
    process.local_domains()?;
    let version = process.version();
    let nested = version >= Version::release(3, 7, 0)
        || [(3, 4, 24), (3, 5, 14), (3, 6, 4)]
            .iter()
            .any(|&(major, minor, patch)| {
                (version.major, version.minor) == (major, minor)
                    && version >= Version::release(major, minor, patch)
            });
    Ok(approved_for_proxy(
        &process.value("proxy_read_maps")?,
        nested,
    ))
}
