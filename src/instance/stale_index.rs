//! Indexes that are missing or older than their sources: what Postfix reads is not what was edited
//! (`DATABASE_README`).

use super::Instance;
use super::parameter::Parameter;
use super::table::reference::Reference;
use crate::source::Stamp;

/// An index that has to be built.
#[derive(Clone, Debug)]
pub struct StaleIndex<'i> {
    /// The parameter that names the table.
    pub parameter: Parameter<'i>,
    /// The table.
    pub reference: Reference,
    /// There is none at all; else it is older than the source.
    pub is_missing: bool,
}

impl StaleIndex<'_> {
    /// Whether postalias(1) builds it, and not postmap(1).
    pub fn is_alias(&self) -> bool {
        matches!(self.parameter.name(), "alias_maps" | "alias_database")
    }
}

impl Instance {
    /// The indexes to build, in the order in which settings name their tables, once for each use. A missing
    /// one counts only where there are others: a checkout holds sources alone.
    pub fn stale_indexes(&self) -> Vec<StaleIndex<'_>> {
        let uses = self.table_uses();
        let tables: Vec<(&Parameter<'_>, &Reference)> = (uses.iter())
            .flat_map(|usage| {
                let members = usage.table.as_ref().map(Reference::with_members);
                let members = members.unwrap_or_default();
                members
                    .into_iter()
                    .map(move |table| (&usage.parameter, table))
            })
            .collect();
        let has_indexes = self.files().is_complete()
            || (tables.iter()).any(|(_, table)| self.newest_index(table).is_some());
        let stale = tables.into_iter().filter_map(|(parameter, reference)| {
            if !reference.table_type?.is_indexed() {
                return None;
            }
            let source = self.files().stamp(reference.text_path()?)?;
            let is_missing = match self.newest_index(reference) {
                Some(index) if index.modified < source.modified => false,
                None if has_indexes => true,
                _ => return None,
            };
            Some(StaleIndex {
                parameter: parameter.clone(),
                reference: reference.clone(),
                is_missing,
            })
        });
        stale.collect()
    }

    /// The stamp of the index that was changed last; `None` when there is none.
    fn newest_index(&self, reference: &Reference) -> Option<Stamp> {
        let stamps = reference.index_paths();
        let stamps = stamps.iter().filter_map(|path| self.files().stamp(path));
        stamps.max_by_key(|stamp| stamp.modified)
    }
}
