//! The programs behind smtpd(8): trivial-rewrite(8) resolves addresses, cleanup(8) makes the queue file.

use std::sync::Arc;

use super::general;
use super::obituary;
use super::open::Way;
use super::process::{Death, Process};
use super::proxies::{Proxies, local_service};
use super::server_settings::{self, MILTERS};
use crate::instance::Instance;
use crate::instance::parameter::{LIST_SEPARATORS, Scope};
use crate::instance::service::Service;

/// Why a program never answers, in the words of the log: the service is not there, or the program does not
/// start.
pub(super) fn silence(
    instance: &Instance,
    asking: Scope<'_>,
    parameter: &'static str,
    class: &str,
    proxies: &Arc<Proxies>,
) -> Option<String> {
    let name = asking.parameter(parameter).text();
    let Some(service) = local_service(instance, &name) else {
        let what = format!("connect #11 to subsystem {class}/{name}: No such file or directory");
        return Some(obituary("smtpd", &Death::Fatal(what)));
    };
    let start = |program| Process::new(program, service.scope(), Some(Arc::clone(proxies)));
    let (process, end) = match service.line.command() {
        "trivial-rewrite" => {
            let process = start("trivial-rewrite");
            let end = rewrite(&process, service);
            (process, end)
        }
        "cleanup" => {
            let process = start("cleanup");
            let end = cleanup(&process, service);
            if end.is_ok() && !service.line.operands.is_empty() {
                // It ends when smtpd has connected, which smtpd notices, and tries again for a while.
                let what = format!("unable to connect to the {class} {name} service");
                return Some(obituary("smtpd", &Death::Fatal(what)));
            }
            (process, end)
        }
        // Somebody's own program: it may do anything.
        _ => return None,
    };
    let death = end.err()?;
    Some(obituary(process.program, &death))
}

/// `src/trivial-rewrite/trivial-rewrite.c`, `resolve.c`.
fn rewrite(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    general::start(process, service)?;
    process.read("trivial-rewrite", &|_| Ok(()))?;
    general::limits(service)?;
    for name in [
        "virtual_alias_domains",
        "virtual_mailbox_domains",
        "relay_domains",
    ] {
        process.list(name)?;
    }
    for (name, way) in [
        ("relocated_maps", Way::Folded),
        ("transport_maps", Way::Folded),
        ("address_verify_transport_maps", Way::Folded),
        ("sender_dependent_relayhost_maps", Way::Folded),
        (
            "address_verify_sender_dependent_relayhost_maps",
            Way::Folded,
        ),
        ("sender_dependent_default_transport_maps", Way::Folded),
        (
            "address_verify_sender_dependent_default_transport_maps",
            Way::Folded,
        ),
    ] {
        process.maps(name, way)?;
    }
    process.local_domains()?;
    operands(service)
}

/// `src/cleanup/cleanup_init.c`.
fn cleanup(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    general::start(process, service)?;
    process.read("cleanup", &|_| Ok(()))?;
    general::limits(service)?;
    for name in [
        "canonical_maps",
        "sender_canonical_maps",
        "recipient_canonical_maps",
        "virtual_alias_maps",
    ] {
        process.maps(name, Way::Folded)?;
    }
    for name in [
        "canonical_classes",
        "sender_canonical_classes",
        "recipient_canonical_classes",
    ] {
        // All three go by the name of the first.
        process.words(name, "canonical_classes")?;
    }
    for name in [
        "header_checks",
        "mime_header_checks",
        "nested_header_checks",
        "body_checks",
    ] {
        process.maps(name, Way::Plain)?;
    }
    process.list("masquerade_exceptions")?;
    process.words("masquerade_classes", "masquerade_classes")?;
    process.maps("sender_bcc_maps", Way::Folded)?;
    process.maps("recipient_bcc_maps", Way::Folded)?;
    for word in process
        .value("non_smtpd_milters")?
        .words_outside_braces(LIST_SEPARATORS)
    {
        server_settings::check(process, &word, &MILTERS)?;
    }
    process.maps("milter_header_checks", Way::Plain)?;
    process.list("fast_flush_domains")?;
    process.local_domains()?;
    process.words(
        "propagate_unmatched_extensions",
        "propagate_unmatched_extensions",
    )?;
    process.choice("header_from_format", |value| {
        format!("invalid setting: \"header_from_format = {value}\"")
    })?;
    Ok(())
}

/// They take no words behind the options.
fn operands(service: Service<'_>) -> Result<(), Death> {
    match service.line.operands.first() {
        Some(word) => {
            super::process::fatal(format!("unexpected command-line argument: {}", word.value))
        }
        None => Ok(()),
    }
}
