//! Tables with fixed keys whose entries are lines of a text file: the indexed types by their source, and
//! texthash (`src/util/dict_thash.c`).

use std::borrow::Cow;
use std::collections::HashSet;
use std::hash::{self, BuildHasherDefault};
use std::sync::{Arc, OnceLock};

use super::entry::{Entries, Entry, SourceFormat};
use super::flags::Flags;
use super::fold::fold;
use super::index::{Hasher, KeyHash, KeyIndex};
use super::lookup::{Hit, Lookup};
use crate::source::{Source, Span, Text};
use crate::syntax::table::TableSyntax;

/// A table with fixed keys.
#[derive(Debug)]
pub struct KeyTable {
    source: Arc<Source>,
    format: SourceFormat,
    syntax: TableSyntax,
    kind: KeyTableKind,
    /// What Postfix says when the index that belongs to the source does not exist.
    unbuilt: Option<String>,
    hasher: Hasher,
    /// By folded keys.
    folded: OnceLock<Keys>,
    /// By keys as they are (texthash only).
    plain: OnceLock<Keys>,
    /// The first line of a texthash table that makes it unusable, with and without folding.
    doubled: [OnceLock<Option<Duplicate>>; 2],
}

/// How such a table comes to its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyTableKind {
    /// postmap(1) or postalias(1) has folded them; of equal keys the first stays.
    Indexed,
    /// The reader folds them or not; equal keys make the table unusable.
    Texthash,
}

/// What is kept of the keys.
#[derive(Debug)]
struct Keys {
    index: KeyIndex,
    /// The hashes of the domains behind the last `@` of the keys, and of the keys without one: most
    /// addresses have a domain that no key has.
    domains: HashSet<u64, BuildHasherDefault<Hashed>>,
}

/// The hash of what is a hash already.
#[derive(Debug, Default)]
struct Hashed(u64);

impl hash::Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = (bytes.iter()).fold(self.0, |hash, &byte| hash.rotate_left(8) ^ u64::from(byte));
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// An entry whose key an earlier entry has, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key that both have.
    pub key: Vec<u8>,
    /// The first entry with that key: the one that counts, except in an inline table.
    pub first: Span,
    /// The later entry.
    pub second: Span,
    /// The key of the later entry as it is written.
    pub second_key: Span,
    /// Where its logical line starts; for inline tables the number of the entry.
    pub offset: usize,
    /// Both have the same value.
    pub same_value: bool,
}

impl KeyTable {
    pub(super) fn new(
        source: Arc<Source>,
        format: SourceFormat,
        syntax: TableSyntax,
        kind: KeyTableKind,
    ) -> Self {
        Self {
            source,
            format,
            syntax,
            kind,
            unbuilt: None,
            hasher: Hasher::new(),
            folded: OnceLock::new(),
            plain: OnceLock::new(),
            doubled: [const { OnceLock::new() }; 2],
        }
    }

    /// The same where there is no index: every lookup fails with these words.
    pub(super) fn without_index(self, message: String) -> Self {
        Self {
            unbuilt: Some(message),
            ..self
        }
    }

    /// Why every lookup fails although the source is here: nobody has made an index of it.
    pub(super) fn unbuilt(&self) -> Option<&str> {
        self.unbuilt.as_deref()
    }

    /// Whether programs read the text itself, not an index that was made of it.
    pub fn is_texthash(&self) -> bool {
        self.kind == KeyTableKind::Texthash
    }

    /// The file.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Which program reads the file.
    pub fn format(&self) -> SourceFormat {
        self.format
    }

    /// How its lines are read.
    pub fn syntax(&self) -> TableSyntax {
        self.syntax
    }

    /// The entries in the order of the file. This does not build the index.
    pub fn entries(&self) -> Entries<'_> {
        Entries::of(&self.source, self.format, self.syntax)
    }

    /// Shows the entries in the order of the file to `visit`, until that gives false. Whether all were shown.
    pub fn visit(&self, visit: &mut dyn FnMut(&Entry<'_>) -> bool) -> bool {
        self.entries().all(|entry| visit(&entry))
    }

    /// Number of entries, doubled ones included.
    pub fn len(&self) -> usize {
        self.keys(true).index.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries().next().is_none()
    }

    fn keys(&self, folded: bool) -> &Keys {
        let cell = if folded { &self.folded } else { &self.plain };
        cell.get_or_init(|| {
            let mut domains = HashSet::default();
            // Entries of a domain often stand together.
            let mut last = Vec::new();
            let index = KeyIndex::build(self.source.bytes().len(), |add| {
                self.visit(&mut |entry| {
                    let hash = self.hash(entry.key(), folded);
                    add(hash, entry.offset());
                    match domain_of(entry.key()) {
                        Some(domain) if domain == last => {}
                        Some(domain) => {
                            last.clear();
                            last.extend_from_slice(domain);
                            domains.insert(self.hash(domain, folded).bits());
                        }
                        None => {
                            domains.insert(hash.bits());
                        }
                    }
                    true
                });
            });
            domains.shrink_to_fit();
            Keys { index, domains }
        })
    }

    fn hash(&self, key: &[u8], folded: bool) -> KeyHash {
        // Pure ASCII, nearly all there is, is folded while it is hashed.
        if folded && self.syntax.utf8 && !key.is_ascii() {
            let key = fold(Cow::Borrowed(key), true);
            self.hasher.hash(&key, false)
        } else {
            self.hasher.hash(key, folded)
        }
    }

    /// Whether there may be a folded key in a domain, which is folded, too; for a name without `@`: whether
    /// there may be that key.
    pub fn may_have(&self, domain: &[u8]) -> bool {
        let hash = self.hasher.hash(domain, false);
        self.keys(true).domains.contains(&hash.bits())
    }

    /// The number of the entry that counts for a folded key, from 0 up to the number of entries, in no order.
    ///
    /// Only the hashes of the keys are compared: 64 bits, with a way to hash that is chosen anew each time.
    pub fn number(&self, key: &[u8]) -> Option<usize> {
        self.keys(true).index.slot(self.hasher.hash(key, false))
    }

    /// The number of an entry.
    pub fn number_of(&self, entry: &Entry<'_>) -> Option<usize> {
        let hash = self.hash(entry.key(), true);
        self.keys(true).index.slot_at(hash, entry.offset())
    }

    /// The offset of the logical line of the entry with a number.
    pub fn offset_of(&self, number: usize) -> usize {
        self.keys(true).index.offset_of(number)
    }

    /// The key of an entry as the table has it.
    fn stored_key<'e>(&self, entry: &'e Entry<'_>, folded: bool) -> Cow<'e, [u8]> {
        if folded {
            entry.folded_key(self.syntax.utf8)
        } else {
            Cow::Borrowed(entry.key())
        }
    }

    fn entry_at(&self, offset: usize) -> Option<Entry<'_>> {
        Entries::starting_at(&self.source, self.format, self.syntax, offset).next()
    }

    /// The entry that has exactly this key. `folded` is how the reader opened a texthash table.
    pub(super) fn find(&self, key: &[u8], folded: bool) -> Option<Entry<'_>> {
        let folded = folded || self.kind == KeyTableKind::Indexed;
        let hash = self.hasher.hash(key, false);
        self.keys(folded)
            .index
            .candidates(hash)
            .filter_map(|offset| self.entry_at(offset))
            .find(|entry| self.stored_key(entry, folded).as_ref() == key)
    }

    /// The entry that counts for a key which is folded already, whether or not the whole table is usable.
    pub fn entry(&self, key: &[u8]) -> Option<Entry<'_>> {
        self.find(key, true)
    }

    /// The entry whose logical line starts at `offset`.
    pub fn entry_starting_at(&self, offset: usize) -> Option<Entry<'_>> {
        self.entry_at(offset)
            .filter(|entry| entry.offset() == offset)
    }

    /// Asks the table.
    pub(super) fn lookup(&self, key: &[u8], flags: Flags, name: &str) -> Lookup {
        if self.kind == KeyTableKind::Texthash
            && !flags.dup_warn
            && let Some(doubled) = self.first_duplicate(flags.fold)
        {
            let line = self.source.line_column(doubled.offset).line;
            let bytes = &self.source.bytes()[doubled.second_key.start..doubled.second_key.end];
            return Lookup::retry(format!(
                "{name}, line {line}: duplicate entry: \"{}\"",
                String::from_utf8_lossy(bytes)
            ));
        }
        match self.find(key, flags.fold) {
            Some(entry) => Lookup::Found(self.hit(&entry)),
            // postalias(1) adds it for the sake of Sendmail.
            None if key == b"@" && self.format == SourceFormat::Postalias => Lookup::Found(Hit {
                value: Text::placeless("@"),
                span: None,
                key_span: None,
            }),
            None => Lookup::NotFound,
        }
    }

    fn hit(&self, entry: &Entry<'_>) -> Hit {
        Hit {
            value: entry.value_text(&self.source),
            span: Some(entry.span(&self.source)),
            key_span: Some(entry.key_span(&self.source)),
        }
    }

    /// The first entry of a texthash table that makes it unusable for a reader with these flags.
    pub fn first_duplicate(&self, folded: bool) -> Option<&Duplicate> {
        self.doubled[usize::from(folded)]
            .get_or_init(|| self.duplicates_as(folded).into_iter().next())
            .as_ref()
    }

    /// All entries that share a folded key with an earlier one, in the order of the file.
    pub fn duplicates(&self) -> Vec<Duplicate> {
        self.duplicates_as(true)
    }

    fn duplicates_as(&self, folded: bool) -> Vec<Duplicate> {
        let mut found = Vec::new();
        for group in self.keys(folded).index.collisions() {
            // The members of a group have equal hashes, not always equal keys.
            let mut firsts: Vec<(Vec<u8>, Entry<'_>)> = Vec::new();
            for entry in group.into_iter().filter_map(|offset| self.entry_at(offset)) {
                let key = self.stored_key(&entry, folded).into_owned();
                match firsts.iter().find(|(first, _)| *first == key) {
                    Some((_, first)) => found.push(Duplicate {
                        first: first.span(&self.source),
                        second: entry.span(&self.source),
                        second_key: entry.key_span(&self.source),
                        offset: entry.offset(),
                        same_value: first.value() == entry.value(),
                        key,
                    }),
                    None => firsts.push((key, entry)),
                }
            }
        }
        found.sort_unstable_by_key(|duplicate| duplicate.offset);
        found
    }
}

/// What stands behind the last `@`.
fn domain_of(key: &[u8]) -> Option<&[u8]> {
    memchr::memrchr(b'@', key).map(|at| &key[at + 1..])
}
