//! The same key twice in a table: only one of the entries counts, or none.

use std::sync::Arc;

use crate::instance::Instance;
use crate::instance::table::{Entries, TableType};
use crate::rules::prelude::*;
use crate::source::Source;

use super::{key_files, lone_format, table_syntax};

pub(super) static RULE: Rule = Rule {
    name: "duplicate-key",
    code: "TB004",
    group: Group::Tables,
    severity: Severity::Warning,
    summary: "a key is in a table twice: only one entry counts, or the table is unusable",
    docs: include_str!("duplicate_key.md"),
    check,
};

/// Findings per table; the rest is counted.
const MOST_FINDINGS: usize = 100_000;

fn check(instance: &Instance, findings: &mut Findings) {
    for file in key_files(instance) {
        let Some(keys) = file.keys() else { continue };
        let source = keys.source();
        let is_texthash = file.table.reference().table_type == Some(TableType::Texthash);
        let duplicates = keys.duplicates();
        let hidden = duplicates.len().saturating_sub(MOST_FINDINGS);
        for (index, duplicate) in duplicates.into_iter().take(MOST_FINDINGS).enumerate() {
            let key = String::from_utf8_lossy(&duplicate.key).into_owned();
            let message = if is_texthash {
                format!("{key} is here twice, which makes the whole texthash table unusable: 451 for every lookup")
            } else if duplicate.same_value {
                format!("{key} is already in this table, with the same result; this entry never counts")
            } else {
                format!("{key} is already in this table: the first entry counts, and this one never does")
            };
            let finding = findings.add(&RULE, duplicate.second_key, message);
            finding.related(duplicate.first, "the first entry");
            if let Some(parameter) = &file.parameter {
                finding.parameter(parameter.name());
            }
            if is_texthash {
                finding.severity(Severity::Error);
            }
            if is_texthash && !duplicate.same_value {
                finding.choice("remove one of the two entries");
            } else {
                finding.fix(
                    "remove the entry that never counts",
                    Safety::Safe,
                    edits::remove_line(source, duplicate.second),
                );
            }
            if index == 0 && hidden > 0 {
                finding.note(format!("{hidden} more keys of this table are not shown"));
            }
        }
    }
    inline_tables(instance, findings);
    if let Some(source) = instance.lone_table() {
        lone_table(instance, source, findings);
    }
}

/// Of an inline table the last entry counts, and nobody is told.
fn inline_tables(instance: &Instance, findings: &mut Findings) {
    for usage in instance.table_uses() {
        let Ok(reference) = &usage.table else { continue };
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            for duplicate in table.inline().map(|table| table.duplicates()).unwrap_or_default() {
                let key = String::from_utf8_lossy(&duplicate.key).into_owned();
                findings
                    .add(
                        &RULE,
                        duplicate.first,
                        format!("{key} is in this table again: in an inline table the last entry counts"),
                    )
                    .parameter(usage.parameter.name())
                    .related(duplicate.second, "the entry that counts")
                    .choice("remove the entry that never counts");
            }
        }
    }
}

/// A table that was given alone is taken for one that postmap or postalias builds.
fn lone_table(instance: &Instance, source: &Arc<Source>, findings: &mut Findings) {
    let Some(format) = lone_format(source) else { return };
    let syntax = table_syntax(instance);
    let mut first = std::collections::HashMap::new();
    for entry in Entries::of(source, format, syntax) {
        let key = entry.folded_key(syntax.utf8).into_owned();
        match first.entry(key) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entry.span(source));
            }
            std::collections::hash_map::Entry::Occupied(place) => {
                let key = String::from_utf8_lossy(place.key()).into_owned();
                findings
                    .add(
                        &RULE,
                        entry.key_span(source),
                        format!("{key} is already in this table: the first entry counts, and this one never does"),
                    )
                    .related(*place.get(), "the first entry")
                    .fix(
                        "remove the entry that never counts",
                        Safety::Safe,
                        edits::remove_line(source, entry.span(source)),
                    );
            }
        }
    }
}
