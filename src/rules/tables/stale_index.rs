//! An index that is older than its source, or missing beside it: Postfix does not see what was edited.

use crate::instance::Instance;
use crate::instance::table::Reference;
use crate::rules::prelude::*;
use crate::source::Stamp;

pub(super) static RULE: Rule = Rule {
    name: "stale-index",
    code: "TB002",
    group: Group::Tables,
    severity: Severity::Warning,
    summary: "the index of a table is missing or older than its source",
    docs: include_str!("stale_index.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let uses = instance.table_uses();
    let references = || {
        uses.iter().flat_map(|usage| {
            let members = usage.table.as_ref().map(Reference::with_members).unwrap_or_default();
            members.into_iter().map(move |reference| (usage, reference))
        })
    };
    // A checkout holds sources only: there, a missing index says nothing.
    let has_indexes = instance.files().is_complete()
        || references().any(|(_, reference)| newest_index(instance, reference).is_some());
    for (usage, reference) in references() {
        let (Some(kind), Some(path)) = (reference.table_type, reference.text_path()) else { continue };
        if !kind.is_indexed() {
            continue;
        }
        let Some(source) = instance.files().stamp(path) else { continue };
        let Some(span) = reference.written.span().or(usage.parameter.span()) else { continue };
        let name = usage.parameter.name();
        let is_alias = matches!(name, "alias_maps" | "alias_database");
        let build = format!("{} {kind}:{path}", if is_alias { "postalias" } else { "postmap" });
        match newest_index(instance, reference) {
            Some(index) if index.modified < source.modified => {
                findings
                    .add(
                        &RULE,
                        span,
                        format!(
                            "{path} was changed after its index was built: Postfix goes on with the old \
                             contents until {build} is run"
                        ),
                    )
                    .parameter(name)
                    .choice(format!("run {build}"));
            }
            Some(_) => {}
            None if has_indexes => {
                findings
                    .add(
                        &RULE,
                        span,
                        format!("{path} has no index, and lookups fail with 451 until {build} is run"),
                    )
                    .severity(Severity::Error)
                    .parameter(name)
                    .choice(format!("run {build}"));
            }
            None => {}
        }
    }
}

/// The stamp of the index that was changed last; `None` when there is none.
fn newest_index(instance: &Instance, reference: &Reference) -> Option<Stamp> {
    reference
        .index_paths()
        .iter()
        .filter_map(|path| instance.files().stamp(path))
        .max_by_key(|stamp| stamp.modified)
}
