//! A table type that this Postfix does not have, or none at all.

use crate::instance::Instance;
use crate::instance::table::{Availability, TableType};
use crate::instance::table_uses::{Role, TableUse};
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "unknown-table-type",
    code: "TB003",
    group: Group::Tables,
    severity: Severity::Error,
    summary: "a table without a type, or of a type that Postfix does not have",
    docs: include_str!("unknown_table_type.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for usage in instance.table_uses() {
        match &usage.table {
            // In a comment at the end of a value each word is a finding; SX001 says it once.
            Err(malformed) if usage.role == Role::Maps && !in_comment(&usage, &malformed.written) => {
                let Some(span) = malformed.written.span().or(usage.parameter.span()) else { continue };
                let finding = findings.add(
                    &RULE,
                    span,
                    format!(
                        "the program that reads {} stops: {} has no table type; it has to be type:name",
                        usage.parameter.name(),
                        malformed.written
                    ),
                );
                finding.parameter(usage.parameter.name());
                if malformed.written.as_str().starts_with('/') {
                    let kind = instance.scope().parameter("default_database_type").text();
                    finding.fix_if(
                        format!("write {kind}:{}", malformed.written),
                        Safety::Unsafe,
                        edits::replace_word(
                            &instance.sources().get(span.file),
                            &malformed.written,
                            &format!("{kind}:{}", malformed.written),
                        ),
                    );
                } else {
                    finding.choice("put the type of the table in front of its name");
                }
            }
            Err(_) => {}
            Ok(reference) => {
                for reference in reference.with_members() {
                    judge(instance, &usage, &reference.type_name, reference.table_type, findings);
                }
            }
        }
    }
}

fn judge(
    instance: &Instance,
    usage: &TableUse<'_>,
    name: &Text,
    kind: Option<TableType>,
    findings: &mut Findings,
) {
    // An IPv6 address without brackets is RL003's.
    if usage.role == Role::List && name.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return;
    }
    let why = match kind.map(|kind| (kind, kind.availability(instance.version()))) {
        None => format!("there is no table type {name}"),
        Some((_, Availability::Always | Availability::Depends)) => return,
        Some((kind, Availability::Since { major, minor })) => {
            format!("the table type {kind} came with Postfix {major}.{minor}")
        }
        Some((kind, Availability::Never)) => format!("there is no table type {kind}"),
    };
    let Some(span) = name.span().or(usage.parameter.span()) else { return };
    let finding = findings.add(
        &RULE,
        span,
        format!("{why}: every lookup in it fails, and mail is put off with 451"),
    );
    finding.parameter(usage.parameter.name());
    let near = TableType::all()
        .filter(|kind| {
            matches!(
                kind.availability(instance.version()),
                Availability::Always | Availability::Depends
            )
        })
        .map(|kind| (strsim::damerau_levenshtein(kind.as_str(), &name.as_str().to_lowercase()), kind))
        .min_by_key(|(distance, kind)| (*distance, kind.as_str()));
    match near {
        Some((distance, near)) if distance <= 2 && near.as_str() != name.as_str() => {
            finding.fix_if(
                format!("write {near}"),
                Safety::Unsafe,
                edits::replace_word(&instance.sources().get(span.file), name, near.as_str()),
            );
        }
        _ => {
            finding.choice("use a table type that this Postfix has (postconf -m lists them)");
        }
    }
}

fn in_comment(usage: &TableUse<'_>, word: &Text) -> bool {
    let raw = usage.parameter.raw();
    let Some(comment) = raw.as_str().find('#').and_then(|at| raw.span_of(at..raw.len())) else {
        return false;
    };
    word.span().is_some_and(|span| span.file == comment.file && span.start >= comment.start)
}
