//! Entries of alias tables that look as if they led nowhere, or in a circle: found in one pass over tables of
//! any size.
//!
//! The pass knows less than the model of the rest of [`mail`](super): it only looks whether a target is an
//! alias, a user or a mailbox. What it finds is *suspect*; [`Service::accepts`] then tells what happens to
//! mail for it. What it does not find is in order.

mod circles;
mod domains;
mod scan;
mod table_facts;

pub use table_facts::{Outside, TableFacts, foreign_target};

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZero;
use std::ops::Range;
use std::sync::Arc;

use self::circles::Graph;
use super::address::Address;
use super::witness::Acceptance;
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::Table;
use crate::source::{Span, Text};

/// So many entries that lead to a suspect one are asked whether strangers can get there.
const MOST_WAYS: usize = 100;

/// So few suspect entries are not worth a thread.
const FEW: usize = 32;

/// An entry of an alias table: the number of its table, and where its line starts, or for tables without
/// lines its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Node(u64);

/// The parameters whose tables name other addresses, in the order in which a scan numbers them.
const ALIAS_PARAMETERS: [&str; 4] = [
    "virtual_alias_maps",
    "alias_maps",
    "recipient_canonical_maps",
    "canonical_maps",
];

/// A table, and the parameter that names it.
#[derive(Debug)]
struct AliasTable {
    parameter: &'static str,
    table: Arc<Table>,
    /// The number of its first entry among those of all tables.
    first: usize,
    facts: TableFacts,
}

impl AliasTable {
    /// The number among those of all tables of the entry with a number in this one. Beyond two billion there
    /// is none.
    fn number(&self, number: usize) -> Option<u32> {
        let number = u32::try_from(self.first + number).ok()?;
        (number < 1 << 31).then_some(number)
    }
}

/// The entry with a number among those of all tables.
fn node(tables: &[AliasTable], number: u32) -> Option<Node> {
    let number = usize::try_from(number).ok()?;
    let at = tables
        .partition_point(|of| of.first <= number)
        .checked_sub(1)?;
    let of = &tables[at];
    let number = number - of.first;
    Some(match of.table.keys() {
        Some(keys) => Node::new(at, keys.offset_of(number)),
        None => Node::new(at, number),
    })
}

/// What a scan of all alias tables of an instance found.
#[derive(Debug, Default)]
pub struct AliasGraph {
    tables: Vec<AliasTable>,
    /// Entries with targets that look dead, and the index of each of these in the list of targets; sorted.
    dead: Vec<(Node, u32)>,
    /// Entries that lead back to themselves, or are replaced too often; sorted.
    circles: Vec<Node>,
    /// From entries to the entries that their targets are.
    edges: Graph,
}

/// A suspect entry.
#[derive(Clone, Debug)]
pub struct Suspect {
    node: Node,
    /// The parameter whose table it is in.
    pub parameter: &'static str,
    /// The key, as it is written.
    pub key: Text,
    /// The value, with places.
    pub value: Text,
    /// The whole entry; `None` for one that is not written in a file.
    pub line: Option<Span>,
    /// The targets that look dead: which bytes of the value.
    pub dead: Vec<Range<usize>>,
    /// How many targets there are.
    pub targets: usize,
}

impl AliasGraph {
    /// The graph of an instance, made once.
    pub fn of(instance: &Instance) -> Arc<Self> {
        instance.remember(scan::scan)
    }

    /// The entries with targets that look dead, in the order of the tables.
    pub fn dead(&self) -> impl Iterator<Item = Suspect> {
        self.dead
            .chunk_by(|(one, _), (two, _)| one == two)
            .filter_map(|dead| self.suspect(dead.first()?.0, dead))
    }

    /// The entries that go round, in the order of the tables.
    pub fn circles(&self) -> impl Iterator<Item = Suspect> {
        self.circles
            .iter()
            .filter_map(|&node| self.suspect(node, &[]))
    }

    /// What was found in a table of a parameter; `None` for one that was not looked at: only tables whose
    /// entries can be read one by one are, and only those of cleanup(8) and local(8).
    pub fn facts(&self, parameter: &str, table: &Table) -> Option<&TableFacts> {
        let keys = table.keys()?;
        let is_it = |of: &&AliasTable| {
            let other = of.table.keys();
            of.parameter == parameter && other.is_some_and(|other| std::ptr::eq(keys, other))
        };
        self.tables.iter().find(is_it).map(|of| &of.facts)
    }

    fn suspect(&self, node: Node, dead: &[(Node, u32)]) -> Option<Suspect> {
        let of = self.tables.get(node.table())?;
        let (key, value, line) = node.entry(&of.table)?;
        let targets = scan::targets(of.parameter, value.as_bytes());
        Some(Suspect {
            node,
            parameter: of.parameter,
            key,
            line,
            dead: dead
                .iter()
                .filter_map(|&(_, index)| targets.get(index as usize).cloned())
                .collect(),
            targets: targets.len(),
            value,
        })
    }

    /// The entry with a number.
    fn node(&self, number: u32) -> Option<Node> {
        node(&self.tables, number)
    }

    /// The entries that lead to one.
    fn leading_to(&self, node: Node) -> impl Iterator<Item = Node> {
        let number = self.tables.get(node.table()).and_then(|of| {
            let number = match of.table.keys() {
                Some(keys) => keys.number_of(&keys.entry_starting_at(node.offset())?)?,
                None => node.offset(),
            };
            of.number(number)
        });
        let numbers = number
            .into_iter()
            .flat_map(|number| self.edges.leading_to(number));
        numbers.filter_map(|number| self.node(number))
    }

    /// The ways through a service to entries.
    pub fn ways<'g, 'i>(&'g self, smtpd: Service<'i>) -> Ways<'g, 'i> {
        let myorigin = smtpd.parameter("myorigin").text();
        let domains = smtpd.domains_of(Class::Local);
        let own = domains.iter().find(|domain| **domain == myorigin);
        Ways {
            graph: self,
            smtpd,
            local: own.or(domains.first()).cloned(),
            myorigin,
        }
    }
}

/// How mail of strangers gets through a service to entries of alias tables.
#[derive(Debug)]
pub struct Ways<'g, 'i> {
    graph: &'g AliasGraph,
    smtpd: Service<'i>,
    /// The domain in which a client names an alias of aliases(5).
    local: Option<String>,
    myorigin: String,
}

impl Ways<'_, '_> {
    /// As [`Ways::to`] for each of `suspects`. They are many and none needs to know of another, so all
    /// processors take their share.
    pub fn to_each(
        &self,
        suspects: &[Suspect],
        is_wanted: impl Fn(&Acceptance) -> bool + Sync,
    ) -> Vec<Option<Acceptance>> {
        let is_wanted = &is_wanted;
        let find = |suspects: &[Suspect]| -> Vec<Option<Acceptance>> {
            suspects
                .iter()
                .map(|suspect| self.to(suspect, is_wanted))
                .collect()
        };
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        if processors == 1 || suspects.len() < FEW {
            return find(suspects);
        }
        std::thread::scope(|scope| {
            let shares = suspects.chunks(suspects.len().div_ceil(processors));
            let threads: Vec<_> = shares
                .map(|share| scope.spawn(move || find(share)))
                .collect();
            let found = threads.into_iter().map(|thread| match thread.join() {
                Ok(found) => found,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            found.flatten().collect()
        })
    }

    /// A recipient whom a stranger may name and whose mail gets to the entry, and what happens to it: first
    /// the entry's own key is tried, then those of entries that lead there.
    pub fn to(
        &self,
        suspect: &Suspect,
        is_wanted: impl Fn(&Acceptance) -> bool,
    ) -> Option<Acceptance> {
        let graph = self.graph;
        let mut seen = BTreeSet::from([suspect.node]);
        let mut next = VecDeque::from([suspect.node]);
        while let Some(node) = next.pop_front() {
            let of = graph.tables.get(node.table())?;
            if let Some((key, ..)) = node.entry(&of.table)
                && let Some(address) = self.recipient(of.parameter, key.as_str())
                && let Some(acceptance) = self.smtpd.accepts(&address)
                && is_wanted(&acceptance)
            {
                return Some(acceptance);
            }
            // What leads there is asked for only where there is still room for it.
            if seen.len() < MOST_WAYS {
                for from in graph.leading_to(node) {
                    if seen.insert(from) {
                        next.push_back(from);
                    }
                    if seen.len() >= MOST_WAYS {
                        break;
                    }
                }
            }
        }
        None
    }

    /// The recipient whom a client names to get to an entry with this key.
    fn recipient(&self, parameter: &str, key: &str) -> Option<Address> {
        if parameter == "alias_maps" {
            return Some(Address::new(key, self.local.as_ref()?));
        }
        match key.rsplit_once('@') {
            Some(("", domain)) => Some(Address::new(super::witness::NOBODY, domain)),
            Some((local, domain)) => Some(Address::new(local, domain)),
            // The entry is there to make the key one of our domains.
            None if self.smtpd.instance.class_of(key) == Some(Class::VirtualAlias) => None,
            None => Some(Address::new(key, &self.myorigin)),
        }
    }
}

impl Node {
    /// Bits for the offset in a file: a terabyte.
    const BITS: u32 = 40;

    fn new(table: usize, offset: usize) -> Self {
        Self(((table as u64) << Self::BITS) | (offset as u64 & ((1 << Self::BITS) - 1)))
    }

    fn table(self) -> usize {
        usize::try_from(self.0 >> Self::BITS).unwrap_or(usize::MAX)
    }

    fn offset(self) -> usize {
        usize::try_from(self.0 & ((1 << Self::BITS) - 1)).unwrap_or(usize::MAX)
    }

    /// Key, value and line of the entry.
    fn entry(self, table: &Table) -> Option<(Text, Text, Option<Span>)> {
        if let Some(keys) = table.keys() {
            let entry = keys.entry_starting_at(self.offset())?;
            let source = keys.source();
            return Some((
                entry.key_text(source),
                entry.value_text(source),
                Some(entry.span(source)),
            ));
        }
        let entry = table.inline()?.entries().get(self.offset())?;
        Some((entry.key.clone(), entry.value.clone(), None))
    }
}

#[cfg(test)]
mod tests;
