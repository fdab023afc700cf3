//! A table or file that does not exist: whoever's mail gets to it is put off.

use crate::instance::domain_list::{ElementKind, domain_list};
use crate::instance::address_class::CLASSES;
use crate::instance::parameter::Parameter;
use crate::instance::table::{Reference, UnknownReason};
use crate::instance::table_uses::Role;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "missing-table",
    code: "TB001",
    group: Group::Tables,
    severity: Severity::Error,
    summary: "a lookup table does not exist: mail that needs it is put off",
    docs: include_str!("missing_table.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let is_complete = instance.files().is_complete();
    for usage in instance.table_uses() {
        let Ok(reference) = &usage.table else { continue };
        for reference in reference.with_members() {
            // A type that does not exist is another rule's.
            let Some(kind) = reference.table_type else { continue };
            let Some(path) = reference.text_path() else { continue };
            let table = instance.open_table(reference);
            if let Some(UnknownReason::Unreadable { path, error }) = table.unknown() {
                unreadable(&usage.parameter, reference, path, error, findings);
                continue;
            }
            if table.unusable().is_none() || instance.open_exists(path) != Some(false) {
                continue;
            }
            let index = reference.index_paths();
            if index.iter().any(|path| instance.open_exists(path) == Some(true)) {
                continue;
            }
            let Some(span) = reference.written.span().or(usage.parameter.span()) else { continue };
            let name = usage.parameter.name();
            let missing = if kind.is_indexed() {
                format!("neither {path} nor its index exists")
            } else {
                format!("{path} does not exist")
            };
            let finding =
                findings.add(&RULE, span, format!("{missing}: {}", who_is_hit(name)));
            finding.parameter(name);
            if let Some(service) = usage.parameter.scope().service {
                finding.service(service.label());
            }
            if !is_complete {
                finding.severity(Severity::Warning).note(
                    "this is a copy of a configuration: the file may exist where it is used; --map-path \
                     says where to look for it",
                );
            }
            finding.choice(if kind.is_indexed() {
                format!("write {path}, and run {} {kind}:{path}", build_command(name))
            } else {
                format!("write {path}")
            });
            finding.choice(match usage.role {
                Role::Restrictions => {
                    format!("remove the restriction with {reference} from {name}")
                }
                Role::Maps | Role::List => format!("remove {reference} from {name}"),
            });
        }
    }
    for class in &CLASSES {
        // What the list has from another parameter, through its default, is said there.
        let Some(name) = class.domains.filter(|name| instance.parameter(name).is_set()) else {
            continue;
        };
        for element in &domain_list(instance.scope(), name).elements {
            let (ElementKind::MissingFile(_), Some(span)) = (&element.kind, element.text.span()) else {
                continue;
            };
            let finding = findings.add(
                &RULE,
                span,
                format!("{} does not exist: {}", element.text, who_is_hit(name)),
            );
            finding.parameter(name).choice(format!("write {}, or remove it from {name}", element.text));
            if !is_complete {
                finding.severity(Severity::Warning);
            }
        }
    }
}

/// A table that is there, but not for us: what depends on it cannot be judged.
fn unreadable(
    parameter: &Parameter<'_>,
    reference: &Reference,
    path: &str,
    error: &str,
    findings: &mut Findings,
) {
    let Some(span) = reference.written.span().or(parameter.span()) else { return };
    findings
        .add(
            &RULE,
            span,
            format!("{path} cannot be read here ({error}): what depends on it is not looked at"),
        )
        .severity(Severity::Warning)
        .parameter(parameter.name())
        .choice("run postlint as a user who may read the file");
}

/// The program that builds the index.
fn build_command(parameter: &str) -> &'static str {
    if matches!(parameter, "alias_maps" | "alias_database") { "postalias" } else { "postmap" }
}

/// Who gets a temporary error, by the place where the table is asked for.
fn who_is_hit(parameter: &str) -> &'static str {
    match parameter {
        "transport_maps" | "relocated_maps" | "mydestination" => "every recipient gets 451",
        "virtual_alias_maps" | "virtual_maps" | "canonical_maps" | "recipient_canonical_maps" => {
            "every recipient that is not refused for relaying gets 451"
        }
        "virtual_alias_domains" | "virtual_mailbox_domains" => {
            "every recipient outside of the local domains gets 451"
        }
        "relay_domains" => "every recipient that is neither local nor virtual gets 451",
        "virtual_mailbox_maps" => "recipients in virtual mailbox domains get 451",
        "relay_recipient_maps" => "recipients in relay domains get 451",
        "alias_maps" | "local_recipient_maps" => "recipients in the local domains get 451",
        "alias_database" => "newaliases fails",
        "sender_canonical_maps" | "recipient_bcc_maps" | "sender_bcc_maps" | "header_checks"
        | "body_checks" | "mime_header_checks" | "nested_header_checks" => {
            "every message gets 451 after DATA"
        }
        "smtpd_command_filter" | "smtpd_discard_ehlo_keyword_address_maps" => {
            "every client gets 421"
        }
        name if name.starts_with("smtpd_") => "clients for whom it is asked get 451",
        name if name.starts_with("smtp_") || name.starts_with("lmtp_") => {
            "outgoing mail is put off, and bounces in the end"
        }
        _ => "mail that needs it is put off",
    }
}
