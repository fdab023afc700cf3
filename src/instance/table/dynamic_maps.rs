//! dynamicmaps.cf: the table types that packages add (`src/global/dynamicmaps.c`).

use std::collections::BTreeMap;

use crate::source::{Source, Span};

/// The table types that come from libraries.
#[derive(Clone, Debug, Default)]
pub struct DynamicMaps {
    types: BTreeMap<String, DynamicMap>,
    malformed: Vec<Span>,
}

/// One line of dynamicmaps.cf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicMap {
    /// The library, relative to `shlib_directory` unless absolute.
    pub library: String,
    /// Where it says so.
    pub span: Span,
}

impl DynamicMaps {
    /// Adds a file: first `dynamicmaps.cf`, then those in `dynamicmaps.cf.d/`. The first line for a type
    /// counts.
    pub fn add(&mut self, source: &Source) {
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let range = start..start + line.trim_end_matches('\n').len();
            start += line.len();
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let span = source.span_of(range);
            let words: Vec<_> = line.split_ascii_whitespace().collect();
            let ([name, library, _] | [name, library, _, _]) = words[..] else {
                self.malformed.push(span);
                continue;
            };
            self.types
                .entry(name.to_owned())
                .or_insert_with(|| DynamicMap {
                    library: library.to_owned(),
                    span,
                });
        }
    }

    /// What is said of a type.
    pub fn get(&self, name: &str) -> Option<&DynamicMap> {
        self.types.get(name)
    }

    /// The names of the types, sorted.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// Lines that do not have three or four words: every program that opens a table ends there.
    pub fn malformed(&self) -> &[Span] {
        &self.malformed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn lines_of_three_or_four_words() {
        let sources = Sources::default();
        let text = "# c\n\nldap\tpostfix-ldap.so dict_ldap_open\nlmdb l.so dict_lmdb_open mkmap_lmdb_open\nx y\n";
        let source = sources.add("dynamicmaps.cf".into(), text.as_bytes().to_vec(), None);
        let mut maps = DynamicMaps::default();
        maps.add(&source);
        assert_eq!(maps.types().collect::<Vec<_>>(), ["ldap", "lmdb"]);
        assert_eq!(
            maps.get("lmdb").map(|map| map.library.as_str()),
            Some("l.so")
        );
        assert_eq!(
            maps.malformed(),
            [source.span_of(text.len() - 4..text.len() - 1)]
        );
    }
}
