//! Which addresses two configurations may treat differently.
//!
//! Where nothing but entries of tables with single keys has changed, only those addresses can be treated
//! differently that have such an entry, or that lead to one through the values of other entries. Tables of
//! millions of lines are compared in a few passes then, and a handful of addresses is asked for.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::files::Opened;
use crate::instance::table::{Entry, KeyTable, SourceFormat, Table};
use crate::mail::witness::NOBODY;
use crate::source::Source;

/// Addresses that are nobody's here: whoever may relay is judged by these.
pub(super) const FOREIGN: [&str; 2] = ["somebody@elsewhere.invalid", "postmaster"];
/// So often the values of all tables are searched for what leads to a changed entry: as deep as cleanup(8)
/// follows virtual aliases by default.
const MOST_ROUNDS: usize = 100;

/// The addresses to ask for.
#[derive(Clone, Debug, Default)]
pub struct Candidates {
    /// Each once, the most telling ones first.
    pub addresses: Vec<String>,
    /// How many addresses there are besides that may change, and are too many.
    pub left_out: usize,
    /// How many entries of tables cannot change what happens: they and all that they lead to are the same.
    pub unaffected: usize,
}

/// Collects addresses up to a number.
struct Collector {
    seen: BTreeSet<String>,
    most: usize,
    found: Candidates,
}

impl Collector {
    fn add(&mut self, address: String) {
        if self.seen.contains(&address) {
            return;
        }
        if self.found.addresses.len() < self.most {
            self.found.addresses.push(address.clone());
            self.seen.insert(address);
        } else {
            self.found.left_out += 1;
        }
    }
}

impl Candidates {
    /// The addresses to ask for, at most `most`: those of `given`, foreign ones, somebody who does not exist in
    /// each domain, what changed entries concern, and, where more than entries has changed, all keys of
    /// tables of addresses.
    ///
    /// What was read of the two so far is compared: rules should have run.
    pub fn of(before: &Instance, after: &Instance, given: &[String], most: usize) -> Self {
        let mut collector = Collector {
            seen: BTreeSet::new(),
            most,
            found: Self::default(),
        };
        let foreign = FOREIGN.iter().map(|address| (*address).to_owned());
        (given.iter().cloned().chain(foreign)).for_each(|address| collector.add(address));
        for instance in [before, after] {
            witnesses(instance, &mut collector);
        }
        let (old, new) = (tables(before), tables(after));
        let Some(mut changed) = Changed::between(&old, &new) else {
            all(&[(before, &old), (after, &new)], &mut collector);
            return collector.found;
        };
        let is_only_entries = before.users() == after.users()
            && plain_files(before, &old) == plain_files(after, &new);
        changed.close(&[(before, &old), (after, &new)]);
        for (instance, tables) in [(before, &old), (after, &new)] {
            let local = local_domain(instance);
            for table in tables.iter() {
                table.visit_keys(&mut |key| {
                    let is_affected = changed.concerns(key);
                    if is_affected && let Some(address) = address(key, table, &local) {
                        collector.add(address);
                    }
                    collector.found.unaffected += usize::from(!is_affected);
                    true
                });
            }
        }
        if !is_only_entries {
            collector.found.unaffected = 0;
            all(&[(before, &old), (after, &new)], &mut collector);
        } else {
            // Most entries are in both.
            collector.found.unaffected /= 2;
        }
        collector.found
    }
}

/// Somebody who does not exist, in each domain.
fn witnesses(instance: &Instance, collector: &mut Collector) {
    let Some(smtpd) = instance.smtpd_services().next() else {
        return;
    };
    for facts in &CLASSES {
        for domain in smtpd.domains_of(facts.class) {
            collector.add(format!("{NOBODY}@{domain}"));
            if !domain.starts_with('[') {
                collector.add(format!("{NOBODY}@sub.{domain}"));
            }
        }
    }
}

/// The users of the host, and all keys that are addresses.
fn all(sides: &[(&Instance, &Vec<Arc<Table>>)], collector: &mut Collector) {
    for (instance, tables) in sides {
        let local = local_domain(instance);
        for name in instance.users().names() {
            collector.add(format!("{name}@{local}"));
        }
        for table in tables.iter() {
            table.visit_keys(&mut |key| {
                if let Some(address) = address(key, table, &local) {
                    collector.add(address);
                }
                true
            });
        }
    }
}

fn local_domain(instance: &Instance) -> String {
    let smtpd = instance.smtpd_services().next();
    let domains = smtpd.map(|smtpd| smtpd.domains_of(Class::Local));
    let first = domains.and_then(|domains| domains.into_iter().next());
    first.unwrap_or_else(|| "localhost".to_owned())
}

/// The tables with keys that may be addresses or lead to some, each reference once. `alias_maps` has tables by
/// default.
fn tables(instance: &Instance) -> Vec<Arc<Table>> {
    let mut seen = BTreeSet::new();
    let mut tables = Vec::new();
    let uses = instance.table_uses();
    let used = uses
        .iter()
        .filter(|usage| !usage.parameter.name().ends_with("_checks"))
        .filter_map(|usage| usage.table.as_ref().ok());
    let used = used.flat_map(|reference| reference.with_members());
    let aliases = instance.program("local").maps("alias_maps", "local").tables;
    let opened = used.map(|reference| instance.open_table(reference));
    for table in opened.chain(aliases) {
        if seen.insert(table.reference().to_string()) {
            tables.push(table);
        }
    }
    tables
}

/// The files that were read besides tables with single keys, by their place in the configuration.
fn plain_files(instance: &Instance, tables: &[Arc<Table>]) -> BTreeSet<(PathBuf, Vec<u8>)> {
    let keyed: BTreeSet<_> = (tables.iter())
        .filter_map(|table| table.keys())
        .map(|keys| keys.source().id())
        .collect();
    let sources = instance.sources().all().into_iter();
    let plain = sources.filter(|source| !keyed.contains(&source.id()));
    plain
        .map(|source| (place(instance, &source), source.bytes().to_vec()))
        .collect()
}

fn place(instance: &Instance, source: &Source) -> PathBuf {
    let path = source.path();
    let inside = path.strip_prefix(instance.directory());
    inside.map_or_else(|_| path.to_path_buf(), |rest| Path::new(".").join(rest))
}

/// The address that a key stands for, with a made-up name where it stands for a domain.
fn address(key: &[u8], table: &Table, local: &str) -> Option<String> {
    let is_alias = (table.keys()).is_some_and(|keys| keys.format() == SourceFormat::Postalias);
    let key = String::from_utf8_lossy(key);
    match key.split_once('@') {
        Some(("", domain)) => Some(format!("{NOBODY}@{domain}")),
        Some(_) => Some(key.into_owned()),
        None if is_alias || !key.contains(['.', ':', '<', '*']) => Some(format!("{key}@{local}")),
        None if is_domain(&key) => Some(match key.strip_prefix('.') {
            Some(parent) => format!("{NOBODY}@sub.{parent}"),
            None => format!("{NOBODY}@{key}"),
        }),
        None => None,
    }
}

/// Whether a key can be the name of a domain, and no network address.
fn is_domain(key: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    key.chars().all(is_name) && key.chars().any(|c| !c.is_ascii_digit() && c != '.')
}

/// What changed entries are about, in lower case.
#[derive(Debug, Default)]
struct Changed {
    /// Whole keys: addresses, domains, names.
    keys: BTreeSet<String>,
    /// Local parts of these, and names without a domain.
    names: BTreeSet<String>,
    /// Domains of which any address may change.
    domains: BTreeSet<String>,
}

impl Changed {
    /// The entries that only one of two lists of tables has, or that have other values. `None` where more than
    /// that has changed: tables come or go, or the change concerns everybody.
    fn between(old: &[Arc<Table>], new: &[Arc<Table>]) -> Option<Self> {
        let name = |table: &Arc<Table>| table.reference().to_string();
        let mut changed = Self::default();
        if old.len() != new.len() {
            return None;
        }
        for one in old {
            let other = new.iter().find(|other| name(other) == name(one))?;
            match (one.keys(), other.keys()) {
                (Some(one), Some(other)) => changed.compare(one, other),
                (None, None) => {}
                _ => return None,
            }
        }
        (!changed.keys.contains("*")).then_some(changed)
    }

    fn compare(&mut self, one: &KeyTable, other: &KeyTable) {
        if one.source().bytes() == other.source().bytes() {
            return;
        }
        for (here, there) in [(one, other), (other, one)] {
            let utf8 = here.syntax().utf8;
            for entry in here.entries() {
                let key = entry.folded_key(utf8);
                let same = |found: Entry<'_>| found.value() == entry.value();
                if !there.entry(&key).is_some_and(same) {
                    self.add(&key);
                }
            }
        }
    }

    /// Whether it was not known before.
    fn add(&mut self, key: &[u8]) -> bool {
        let key = String::from_utf8_lossy(key).to_lowercase();
        match key.split_once('@') {
            Some(("", domain)) => self.domains.insert(domain.to_owned()),
            Some((name, _)) => self.names.insert(name.to_owned()),
            None if is_domain(&key) && key.contains('.') => {
                let domain = key.strip_prefix('.').unwrap_or(&key);
                self.domains.insert(domain.to_owned())
            }
            None => self.names.insert(key.clone()),
        };
        self.keys.insert(key)
    }

    /// Whether what happens to mail for a key may change.
    fn concerns(&self, key: &[u8]) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let key = String::from_utf8_lossy(key).to_lowercase();
        self.keys.contains(&key) || self.concerns_address(&key)
    }

    /// Whether an address, perhaps without a domain, may lead to a changed entry: rather too often than not.
    fn concerns_address(&self, address: &str) -> bool {
        let (name, domain) = match address.rsplit_once('@') {
            Some((name, domain)) => (name, Some(domain)),
            None => (address, None),
        };
        // With an extension, the address without it is asked for, too.
        let plain = name.split(['+', '-', '_', '=', '#']).next();
        let is_named = |name: &str| self.names.contains(name);
        if is_named(name) || plain.is_some_and(is_named) {
            return true;
        }
        let mut domain = domain;
        while let Some(part) = domain {
            if self.domains.contains(part) {
                return true;
            }
            domain = part.split_once('.').map(|(_, parent)| parent);
        }
        false
    }

    /// Adds the keys whose values lead to what has changed, and those which lead to these.
    fn close(&mut self, sides: &[(&Instance, &Vec<Arc<Table>>); 2]) {
        let [(before, _), (after, _)] = sides;
        for _ in 0..MOST_ROUNDS {
            let mut grows = false;
            for (_, tables) in sides {
                for keys in tables.iter().filter_map(|table| table.keys()) {
                    for entry in keys.entries() {
                        let leads = || {
                            let value = entry.value();
                            self.is_in_value(&value) || includes_changed_file(&value, before, after)
                        };
                        if !self.concerns(entry.key()) && leads() {
                            grows |= self.add(entry.key());
                        }
                    }
                }
            }
            if !grows {
                return;
            }
        }
    }

    fn is_in_value(&self, value: &[u8]) -> bool {
        if self.keys.is_empty() {
            return false;
        }
        let value = String::from_utf8_lossy(value).to_lowercase();
        let mut words =
            value.split(|c: char| c.is_whitespace() || matches!(c, ',' | '"' | '<' | '>'));
        words.any(|word| !word.is_empty() && self.concerns_address(word.trim_start_matches('\\')))
    }
}

/// Whether a value of aliases(5) names a list of addresses in a file that has changed.
fn includes_changed_file(value: &[u8], before: &Instance, after: &Instance) -> bool {
    const INCLUDE: &str = ":include:";
    let value = String::from_utf8_lossy(value);
    value.match_indices(INCLUDE).any(|(at, _)| {
        let rest = &value[at + INCLUDE.len()..];
        let end = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '"'));
        let path = &rest[..end.unwrap_or(rest.len())];
        let bytes = |instance: &Instance| match instance.files().open(path, instance.sources()) {
            Opened::Found(source) => Some(source.bytes().to_vec()),
            Opened::Missing(_) | Opened::Unreadable(..) | Opened::Elsewhere => None,
        };
        bytes(before) != bytes(after)
    })
}
