//! Passwords that stand in a configuration, and must not leave it through a report.
//!
//! Every format shows files and messages through [`Secrets`]. These places hold passwords: values whose name
//! says so (`bind_pw = …` of `ldap_table(5)`, `password = …` of `mysql_table(5)`), `static:user:password` and
//! `inline:{…}` in a `*_password_maps` parameter, the results of the tables that such a parameter names, URLs
//! with a user in them, and the names of block lists that begin with their customer's key.
//! Too much is hidden rather than too little: a comment may hold a password that was in force yesterday.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::instance::Instance;
use crate::instance::files::Location;
use crate::instance::parameter::Scope;
use crate::instance::table::reference::{self, Body, Reference};
use crate::source::{FileId, Source, Span, Text, is_space, same_length_lossy};
use crate::syntax::main_cf::Setting;

/// A secret shorter than this is hidden in messages only where it is a word of its own.
const WORD_LENGTH: usize = 4;

/// The secrets of one instance.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The bytes to hide, by file, sorted, not overlapping.
    ranges: BTreeMap<FileId, Vec<Range<usize>>>,
    /// The same as texts.
    words: Words,
}

impl Secrets {
    /// Finds the secrets in all files that were read.
    pub fn of(instance: &Instance) -> Self {
        let mut ranges: BTreeMap<FileId, Vec<Range<usize>>> = BTreeMap::new();
        let mut add = |span: Span| {
            let list = ranges.entry(span.file).or_default();
            list.push(span.start..span.end);
        };
        let tables = password_tables(instance, &mut add);
        for source in instance.sources().all() {
            for range in scan::named_values(source.bytes()) {
                add(source.span_of(range));
            }
            let is_table = tables.contains(&source.id()) || is_named_for_passwords(&source);
            let is_main = [
                instance.main_cf().map(|file| &file.source),
                instance.master_cf().map(|file| &file.source),
            ];
            if is_table
                && !is_main
                    .into_iter()
                    .flatten()
                    .any(|file| file.id() == source.id())
            {
                for range in scan::results(source.bytes()) {
                    add(source.span_of(range));
                }
            }
        }
        let mut words = BTreeSet::new();
        for (file, list) in &mut ranges {
            join(list);
            let source = instance.sources().get(*file);
            for range in list {
                collect_words(
                    source.text().get(range.clone()).unwrap_or_default(),
                    &mut words,
                );
            }
        }
        Self {
            ranges,
            words: Words::of(words),
        }
    }

    /// Part of a file's text, with `*` in place of each byte of a secret that is not white space.
    pub fn masked(&self, source: &Source, range: Range<usize>) -> String {
        let bytes = source.text().as_bytes();
        let range = range.start.min(bytes.len())..range.end.min(bytes.len());
        let mut part = bytes[range.clone()].to_vec();
        let list = self.ranges.get(&source.id()).map(Vec::as_slice);
        let list = list.unwrap_or_default();
        let first = list.partition_point(|secret| secret.end <= range.start);
        for secret in list.iter().skip(first) {
            if secret.start >= range.end {
                break;
            }
            let from = secret.start.max(range.start) - range.start;
            let to = secret.end.min(range.end) - range.start;
            for byte in &mut part[from..to] {
                if !is_space(*byte) {
                    *byte = b'*';
                }
            }
        }
        same_length_lossy(&part).into_owned()
    }

    /// A text that may quote the configuration, with `*` in place of each byte of a secret.
    pub fn hide(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for range in self.words.in_text(text) {
            bytes[range].fill(b'*');
        }
        same_length_lossy(&bytes).into_owned()
    }
}

/// Texts to look for, by their first bytes: there may be as many as a table of passwords has lines.
#[derive(Clone, Debug, Default)]
struct Words {
    by_start: BTreeMap<Vec<u8>, Vec<String>>,
}

impl Words {
    fn of(words: BTreeSet<String>) -> Self {
        let mut by_start: BTreeMap<Vec<u8>, Vec<String>> = BTreeMap::new();
        for word in words {
            let start = word.as_bytes()[..word.len().min(WORD_LENGTH)].to_vec();
            by_start.entry(start).or_default().push(word);
        }
        Self { by_start }
    }

    /// Where a text has one of the words.
    fn in_text(&self, text: &str) -> Vec<Range<usize>> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        if self.by_start.is_empty() {
            return found;
        }
        for at in 0..bytes.len() {
            for length in 1..=WORD_LENGTH.min(bytes.len() - at) {
                let words = self.by_start.get(&bytes[at..at + length]);
                for word in words.into_iter().flatten() {
                    let range = at..at + word.len();
                    if bytes[at..].starts_with(word.as_bytes())
                        && (word.len() >= WORD_LENGTH || is_word(text, range.clone()))
                    {
                        found.push(range);
                    }
                }
            }
        }
        found
    }
}

fn is_word(text: &str, range: Range<usize>) -> bool {
    let touches = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    !touches(text[..range.start].chars().next_back()) && !touches(text[range.end..].chars().next())
}

/// Sorts ranges and joins those that meet.
fn join(list: &mut Vec<Range<usize>>) {
    list.sort_by_key(|range| (range.start, range.end));
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(list.len());
    for range in list.drain(..) {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    *list = joined;
}

/// The texts by which a secret would be quoted: each physical line of it, and what follows `user:`.
fn collect_words(secret: &str, words: &mut BTreeSet<String>) {
    for line in secret.lines() {
        let line =
            line.trim_matches(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\'' | ','));
        let password = line.split_once(':').map_or("", |(_, password)| password);
        for word in [line, password] {
            // `$name` is no secret; the value of that name is one of its own.
            if !word.is_empty() && !word.starts_with('$') {
                words.insert(word.to_owned());
            }
        }
    }
}

fn is_named_for_passwords(source: &Source) -> bool {
    source.path().file_name().is_some_and(|name| {
        let name = name.to_string_lossy().to_ascii_lowercase();
        name.contains("passw") || name.contains("secret")
    })
}

/// The files of the tables that `*_password_maps` parameters name, as main.cf and each service see them;
/// `add` gets the passwords inside of the parameters.
fn password_tables(instance: &Instance, add: &mut dyn FnMut(Span)) -> BTreeSet<FileId> {
    let mut tables = BTreeSet::new();
    let main = instance
        .main_cf()
        .into_iter()
        .flat_map(|file| file.settings());
    collect(instance.scope(), main, &mut tables, add);
    for service in instance.services() {
        collect(
            service.scope(),
            service.line.overrides.iter(),
            &mut tables,
            add,
        );
    }
    tables
}

fn collect<'s>(
    scope: Scope<'_>,
    settings: impl Iterator<Item = &'s Setting>,
    tables: &mut BTreeSet<FileId>,
    add: &mut dyn FnMut(Span),
) {
    for setting in settings.filter(|setting| setting.name.as_str().ends_with("password_maps")) {
        let value = scope
            .expand(&setting.value)
            .unwrap_or_else(|_| setting.value.clone());
        for reference in reference::parse_list(&value, scope.instance.version()).flatten() {
            collect_reference(scope.instance, &reference, tables, add);
        }
    }
}

fn collect_reference(
    instance: &Instance,
    reference: &Reference,
    tables: &mut BTreeSet<FileId>,
    add: &mut dyn FnMut(Span),
) {
    let mut hide = |text: &Text| {
        if let Some(span) = text.span() {
            add(span);
        }
    };
    match &reference.body {
        Body::Value(value) => hide(value),
        Body::Entries(entries) => entries.iter().for_each(|entry| hide(&entry.value)),
        Body::Values(values) | Body::Rules(values) => values.iter().for_each(hide),
        Body::Unusable(_) => hide(&reference.name),
        Body::Members(members) => {
            for member in members {
                collect_reference(instance, member, tables, add);
            }
        }
        Body::Name => {
            if let Location::Here(path) = instance.files().locate(reference.name.as_str())
                && let Some(source) = instance.sources().find(&path)
            {
                tables.insert(source.id());
            }
        }
    }
}

#[cfg(test)]
mod tests;
