//! inline tables: `inline:{key=value, …}` (`src/util/dict_inline.c`).

use std::borrow::Cow;

use super::fold::{fold, is_utf8};
use super::key_table::Duplicate;
use super::lookup::{Hit, Lookup};
use super::reference::{InlineEntry, Reference};

/// A table that is written in a reference.
#[derive(Debug)]
pub struct InlineTable {
    entries: Vec<InlineEntry>,
    utf8: bool,
}

impl InlineTable {
    pub(super) fn new(entries: Vec<InlineEntry>, utf8: bool) -> Self {
        Self { entries, utf8 }
    }

    /// The entries in order.
    pub fn entries(&self) -> &[InlineEntry] {
        &self.entries
    }

    /// Asks the table; of equal keys the last wins. `folded` is how the reader opened it.
    pub(super) fn lookup(
        &self,
        key: &[u8],
        folded: bool,
        utf8: bool,
        reference: &Reference,
    ) -> Lookup {
        if utf8 && !is_utf8(reference.name.as_bytes()) {
            return Lookup::retry(format!(
                "{reference} is unavailable. bad UTF-8 syntax: \"{reference}\"; need \
                 \"inline:{{name=value...}}\""
            ));
        }
        let found = self
            .entries
            .iter()
            .rfind(|entry| stored_key(entry, folded, utf8).as_ref() == key);
        match found {
            Some(entry) => Lookup::Found(Hit {
                value: entry.value.clone(),
                span: entry.written.span(),
                key_span: entry.key.span(),
            }),
            None => Lookup::NotFound,
        }
    }

    /// All entries that share a folded key with an earlier one: unlike elsewhere, the later one counts.
    pub fn duplicates(&self) -> Vec<Duplicate> {
        let mut found = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let key = stored_key(entry, true, self.utf8);
            let first = self.entries[..index]
                .iter()
                .find(|first| stored_key(first, true, self.utf8) == key);
            if let Some(first) = first
                && let (Some(first_span), Some(second), Some(second_key)) =
                    (first.written.span(), entry.written.span(), entry.key.span())
            {
                found.push(Duplicate {
                    key: key.into_owned(),
                    first: first_span,
                    second,
                    second_key,
                    offset: index,
                    same_value: first.value == entry.value,
                });
            }
        }
        found
    }
}

fn stored_key(entry: &InlineEntry, folded: bool, utf8: bool) -> Cow<'_, [u8]> {
    let key = Cow::Borrowed(entry.key.as_bytes());
    if folded { fold(key, utf8) } else { key }
}
