//! TB: lookup tables.

rules![
    missing_table,
    stale_index,
    unknown_table_type,
    duplicate_key,
    wrong_table_format,
    shadowed_entry,
    unknown_access_action,
    unapproved_proxy_table,
];

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::instance::Instance;
use crate::instance::parameter::Parameter;
use crate::instance::table::{KeyTable, SourceFormat, Table};
use crate::instance::table_uses::Role;
use crate::source::Source;
use crate::syntax::table::TableSyntax;

/// A text file with keys, and the parameter that uses it; `None` for a file that was given alone.
struct KeyFile<'i> {
    table: Arc<Table>,
    parameter: Option<Parameter<'i>>,
    role: Role,
}

impl KeyFile<'_> {
    fn keys(&self) -> Option<&KeyTable> {
        self.table.keys()
    }
}

/// The files with keys that the settings use, each once, in the order of their paths.
fn key_files(instance: &Instance) -> Vec<KeyFile<'_>> {
    let mut files = BTreeMap::new();
    for usage in instance.table_uses() {
        let Ok(reference) = usage.table else { continue };
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            let Some(path) = table.keys().map(|keys| keys.source().path().to_path_buf()) else {
                continue;
            };
            files.entry(path).or_insert_with(|| KeyFile {
                table: Arc::clone(&table),
                parameter: Some(usage.parameter.clone()),
                role: usage.role,
            });
        }
    }
    files.into_values().collect()
}

/// The format of a table that was given alone, by its name and what its lines look like.
fn lone_format(source: &Source) -> Option<SourceFormat> {
    let name = source
        .path()
        .file_name()?
        .to_string_lossy()
        .to_ascii_lowercase();
    let is_pattern = [
        "pcre",
        "regexp",
        "cidr",
        "header_checks",
        "body_checks",
        "mime_header_checks",
    ]
    .iter()
    .any(|word| name.contains(word));
    let first = crate::syntax::LogicalLines::of(source).find(|line| !line.discarded)?;
    let text = first.text(source);
    if is_pattern || text.as_str().starts_with(['/', '!']) {
        return None;
    }
    let key = text
        .as_str()
        .split_ascii_whitespace()
        .next()
        .unwrap_or_default();
    if name.contains("aliases") || (key.ends_with(':') && !key.contains('@')) {
        Some(SourceFormat::Postalias)
    } else {
        Some(SourceFormat::Postmap)
    }
}

/// How postmap of the target version reads a line.
fn table_syntax(instance: &Instance) -> TableSyntax {
    use crate::instance::table::Opener;
    instance.settings().table_syntax()
}
