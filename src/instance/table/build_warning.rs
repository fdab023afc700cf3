//! What postmap(1) and postalias(1) warn about when they read the source of a table, and
//! `src/util/dict_thash.c` when it reads a texthash table.

use super::entry::SourceFormat;
use super::key_table::KeyTable;
use crate::instance::builtin::Version;
use crate::source::Source;
use crate::syntax::alias_table::{AliasLineKind, AliasLines};
use crate::syntax::line_text::LineText;
use crate::syntax::table::{TableLineKind, TableLines};

impl KeyTable {
    /// The warnings about lines and about equal keys, in the order of the file. `file` is what the program
    /// calls it, `index` the name under which a doubled key is reported.
    pub fn warnings(&self, file: &str, index: &str, version: Version) -> Vec<String> {
        let source = self.source();
        let mut found = match self.format() {
            SourceFormat::Postmap => self.table_warnings(file),
            SourceFormat::Postalias => self.alias_warnings(file, version),
        };
        for duplicate in self.duplicates() {
            let warning = if self.is_texthash() {
                let key = &source.bytes()[duplicate.second_key.start..duplicate.second_key.end];
                let line = source.line_column(duplicate.offset).line;
                format!("{file}, line {line}: duplicate entry: \"{}\"", shown(key))
            } else {
                format!("{index}: duplicate entry: \"{}\"", shown(&duplicate.key))
            };
            found.push((duplicate.offset, warning));
        }
        found.sort_by_key(|(offset, _)| *offset);
        found.into_iter().map(|(_, warning)| warning).collect()
    }

    fn table_warnings(&self, file: &str) -> Vec<(usize, String)> {
        let source = self.source();
        let ignored = if self.is_texthash() {
            " -- ignoring this line"
        } else {
            ""
        };
        let mut found = Vec::new();
        for line in TableLines::starting_at(source, self.syntax(), 0) {
            let warning = match &line.kind {
                TableLineKind::Entry { .. } if !line.has_alias_colon() => continue,
                TableLineKind::Entry { .. } => {
                    "record is in \"key: value\" format; is this an alias file?".to_owned()
                }
                TableLineKind::NoValue { .. } => {
                    format!("expected format: key whitespace value{ignored}")
                }
                TableLineKind::UnbalancedQuote { .. } => format!(
                    "unbalanced '\"' in '{}' -- ignoring this line",
                    shown(line.text.bytes())
                ),
                TableLineKind::NotUtf8 => not_utf8(&line.text),
                TableLineKind::Discarded => {
                    found.push(discarded(file, &line.text));
                    continue;
                }
            };
            found.push(placed(source, file, &line.text, &warning));
        }
        found
    }

    fn alias_warnings(&self, file: &str, version: Version) -> Vec<(usize, String)> {
        let source = self.source();
        let mut found = Vec::new();
        for line in AliasLines::starting_at(source, self.syntax().utf8, 0) {
            let warning = match &line.kind {
                AliasLineKind::Entry { .. } | AliasLineKind::Empty => continue,
                AliasLineKind::NoPair => "need name:value pair".to_owned(),
                AliasLineKind::NotLocal { .. } if (version.major, version.minor) >= (3, 10) => {
                    "name must be local and have no domain".to_owned()
                }
                AliasLineKind::NotLocal { .. } => "name must be local".to_owned(),
                AliasLineKind::NotUtf8 => not_utf8(&line.text),
                AliasLineKind::Discarded => {
                    found.push(discarded(file, &line.text));
                    continue;
                }
            };
            found.push(placed(source, file, &line.text, &warning));
        }
        found
    }
}

fn placed(source: &Source, file: &str, text: &LineText<'_>, warning: &str) -> (usize, String) {
    let offset = text.line().range().start;
    let line = source.line_column(offset).line;
    (offset, format!("{file}, line {line}: {warning}"))
}

fn not_utf8(text: &LineText<'_>) -> String {
    format!(
        "non-UTF-8 input \"{}\" -- ignoring this line",
        shown(text.bytes())
    )
}

/// `src/util/readlline.c`.
fn discarded(file: &str, text: &LineText<'_>) -> (usize, String) {
    let bytes = text.bytes();
    let start = &bytes[..bytes.len().min(30)];
    let rest = if start.len() < bytes.len() { "..." } else { "" };
    (
        text.line().range().start,
        format!(
            "{file}: logical line must not start with whitespace: \"{}{rest}\"",
            shown(start)
        ),
    )
}

/// Bytes as Postfix logs them: a `?` for what cannot be printed.
fn shown(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            text.push(if c.is_ascii_control() { '?' } else { c });
        }
        for _ in chunk.invalid() {
            text.push('?');
        }
    }
    text
}
