//! The pass over all entries, which the rules that look at each entry share.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::circles::{Edge, Graph, Limits};
use super::domains::{Domain, Domains};
use super::table_facts::{Outside, TableFacts, foreign_target};
use super::{ALIAS_PARAMETERS, AliasGraph, AliasTable, Node};
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::table::{KeyTable, Lookup, Maps, Only};
use crate::instance::users::Users;
use crate::mail::Address;
use crate::source::same_length_lossy;
use crate::syntax::alias_table::{AliasTargetKind, targets as alias_targets};
use crate::syntax::token;

/// The postconf(5) defaults of the limits of an expansion.
const DEFAULT_LIMIT: u32 = 1000;

/// The targets in a value: which bytes of it.
pub(super) fn targets(parameter: &str, value: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<_> = if parameter == "alias_maps" {
        let targets = alias_targets(value).into_iter();
        targets.map(|target| target.range).collect()
    } else {
        let addresses = token::addresses(value).into_iter();
        addresses.map(|address| address.range).collect()
    };
    // canonical(5) knows one result.
    if parameter.contains("canonical") {
        ranges.truncate(1);
    }
    ranges
}

/// Looks at every entry of the alias tables of an instance.
pub(super) fn scan(instance: &Instance) -> AliasGraph {
    let mut graph = AliasGraph::default();
    let mut places = HashMap::new();
    let mut next = 0;
    let mut virtual_end = 0;
    for parameter in ALIAS_PARAMETERS {
        let first = graph.tables.len();
        for table in maps(instance, parameter).tables {
            let length = match (table.keys(), table.inline()) {
                (Some(keys), _) => keys.len(),
                (None, Some(inline)) => inline.entries().len(),
                (None, None) => 0,
            };
            graph.tables.push(AliasTable {
                parameter,
                table,
                first: next,
                facts: TableFacts::default(),
            });
            next += length;
        }
        places.insert(parameter, first..graph.tables.len());
        if parameter == "virtual_alias_maps" {
            virtual_end = next;
        }
    }
    let tables = std::mem::take(&mut graph.tables);
    let mut scan = Scan::new(instance, &tables, &places);
    let facts: Vec<TableFacts> = (0..tables.len()).map(|number| scan.visit(number)).collect();
    let Scan { edges, dead, .. } = scan;
    graph.tables = tables;
    for (table, facts) in graph.tables.iter_mut().zip(facts) {
        table.facts = facts;
    }
    graph.dead = dead;
    let number = |name: &'static str| {
        let value = instance.program("cleanup").parameter(name).number();
        value.map_or(DEFAULT_LIMIT, |value| {
            u32::try_from(value).unwrap_or(DEFAULT_LIMIT)
        })
    };
    // canonical(5) follows a circle ten times and delivers all the same; local(8) has no limits but its own.
    let limits = Limits {
        depth: number("virtual_alias_recursion_limit"),
        size: number("virtual_alias_expansion_limit"),
        numbers: 0..u32::try_from(virtual_end).unwrap_or(u32::MAX),
    };
    let (edges, circles) = Graph::of(edges, &limits);
    graph.edges = edges;
    graph.circles = circles
        .iter()
        .filter_map(|&number| graph.node(number))
        .collect();
    graph.circles.sort_unstable();
    graph
}

fn maps(instance: &Instance, parameter: &'static str) -> Maps {
    let program = if parameter == "alias_maps" {
        "local"
    } else {
        "cleanup"
    };
    instance.program(program).maps(parameter, program)
}

/// Where a key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    Nothing,
    /// In this entry: its number.
    At(u32),
    /// Somewhere, or perhaps.
    Somewhere,
}

/// What a target is.
enum Target {
    Fine,
    Dead,
    Leads(u32),
}

/// The entry in hand.
struct InHand<'e> {
    node: Node,
    /// The number, worked out when it is needed.
    number: &'e dyn Fn() -> Option<u32>,
    parameter: &'static str,
    /// The key as it is written.
    key: &'e [u8],
    value: &'e [u8],
}

struct Scan<'i> {
    instance: &'i Instance,
    tables: &'i [AliasTable],
    /// The table in hand is one of aliases(5).
    is_local: bool,
    virtual_aliases: Numbered<'i>,
    local_aliases: Numbered<'i>,
    mailboxes: Maps,
    relay_recipients: Maps,
    /// All users, where these are known.
    users: Option<HashSet<&'i [u8]>>,
    myorigin: Vec<u8>,
    /// The domain that an address without one gets.
    domain_of_bare: u32,
    domains: Domains,
    dead: Vec<(Node, u32)>,
    edges: Vec<Edge>,
    /// The target in hand, folded and complete.
    address: Vec<u8>,
}

impl<'i> Scan<'i> {
    fn new(
        instance: &'i Instance,
        tables: &'i [AliasTable],
        places: &HashMap<&'static str, Range<usize>>,
    ) -> Self {
        let smtpd = instance.program("smtpd");
        let numbered = |parameter| Numbered {
            maps: maps(instance, parameter),
            tables: &tables[places[parameter].clone()],
        };
        let users = match instance.users() {
            Users::All(users) => Some(users.iter().map(String::as_bytes).collect()),
            Users::AtLeast(_) | Users::Unknown => None,
        };
        let myorigin = instance.program("cleanup").parameter("myorigin").text();
        let mut scan = Self {
            instance,
            tables,
            is_local: false,
            virtual_aliases: numbered("virtual_alias_maps"),
            local_aliases: numbered("alias_maps"),
            mailboxes: smtpd.maps("virtual_mailbox_maps", "smtpd"),
            relay_recipients: smtpd.maps("relay_recipient_maps", "smtpd"),
            users,
            myorigin: myorigin.to_lowercase().into_bytes(),
            domain_of_bare: 0,
            domains: Domains::default(),
            dead: Vec::new(),
            edges: Vec::new(),
            address: Vec::new(),
        };
        let bare = Address::written(instance, "x");
        scan.domain_of_bare = scan.domain(bare.domain.as_bytes());
        scan
    }

    /// Looks at the entries of the table with this number.
    fn visit(&mut self, number: usize) -> TableFacts {
        let of = &self.tables[number];
        self.is_local = of.parameter == "alias_maps";
        let mut facts = TableFacts::default();
        if let Some(keys) = of.table.keys() {
            keys.visit(&mut |entry| {
                let own = || Some(of.number(keys.number_of(entry)?)).flatten();
                let entry = InHand {
                    node: Node::new(number, entry.offset()),
                    number: &own,
                    parameter: of.parameter,
                    key: entry.written_key(),
                    value: &entry.value(),
                };
                self.entry(&entry, &mut facts);
                true
            });
        } else if let Some(inline) = of.table.inline() {
            for (index, entry) in inline.entries().iter().enumerate() {
                let own = || of.number(index);
                let entry = InHand {
                    node: Node::new(number, index),
                    number: &own,
                    parameter: of.parameter,
                    key: entry.key.as_bytes(),
                    value: entry.value.as_bytes(),
                };
                self.entry(&entry, &mut facts);
            }
        }
        facts.targets = self.domains.take_targets();
        facts
    }

    fn entry(&mut self, entry: &InHand<'_>, facts: &mut TableFacts) {
        let key_domain = if entry.parameter == "virtual_alias_maps" {
            self.key_domain(entry.key)
        } else {
            None
        };
        let mut stays_inside = false;
        let mut is_forward = false;
        if let Some(words) = plain_targets(entry.value) {
            let is_canonical = entry.parameter.contains("canonical");
            let most = if is_canonical { 1 } else { usize::MAX };
            for (index, word) in words.take(most).enumerate() {
                let (domain, at) = match memchr::memrchr(b'@', word) {
                    Some(at) => (self.domain(&word[at + 1..]), Some(at)),
                    None => (self.origin(), None),
                };
                let known = self.domains.get(domain);
                is_forward |= at.is_some() && known.class == Some(Class::Default) && known.has_dot;
                if let Some(key_domain) = key_domain {
                    let domain = match at {
                        Some(_) if known.is_complete => domain,
                        Some(_) => self.written_domain(&String::from_utf8_lossy(word)),
                        None if word.contains(&b'%') => {
                            self.written_domain(&String::from_utf8_lossy(word))
                        }
                        None => self.domain_of_bare,
                    };
                    stays_inside |= domain == key_domain;
                    self.domains.get_mut(domain).is_target |= domain != key_domain;
                }
                let target = self.target(&word[..at.unwrap_or(word.len())], domain, entry.node);
                self.judged(entry, index, target);
            }
        } else {
            is_forward = !entry.parameter.contains("canonical")
                && foreign_target(self.instance, self.is_local, entry.value).is_some();
            if let Some(key_domain) = key_domain {
                for target in token::addresses(entry.value) {
                    let domain =
                        self.written_domain(&String::from_utf8_lossy(&entry.value[target.range]));
                    stays_inside |= domain == key_domain;
                    self.domains.get_mut(domain).is_target |= domain != key_domain;
                }
            }
            self.odd_entry(entry);
        }
        if is_forward && (self.is_local || memchr::memrchr(b'@', entry.key) != Some(0)) {
            facts.forwards.add(entry.node.offset());
        }
        if let Some(key_domain) = key_domain {
            let domain = self.domains.get_mut(key_domain);
            if domain.class == Some(Class::Default) {
                Outside::add(
                    &mut facts.outside,
                    domain,
                    entry.node.offset(),
                    stays_inside,
                );
            }
        }
    }

    /// Judges the targets of an entry that needs a parser.
    fn odd_entry(&mut self, entry: &InHand<'_>) {
        let value = entry.value;
        let mut judge = |index: usize, target: Option<&[u8]>| {
            // A file or a command, which may be missing.
            let judged = target.map_or(Target::Dead, |target| {
                let at = target.iter().rposition(|&byte| byte == b'@');
                let domain = match at {
                    Some(at) => self.domain(&target[at + 1..]),
                    None => self.origin(),
                };
                self.target(&target[..at.unwrap_or(target.len())], domain, entry.node)
            });
            self.judged(entry, index, judged);
        };
        if entry.parameter == "alias_maps" {
            for (index, target) in alias_targets(value).iter().enumerate() {
                let is_address = target.kind == AliasTargetKind::Address;
                judge(index, is_address.then_some(target.text.as_slice()));
            }
        } else {
            let most = if entry.parameter.contains("canonical") {
                1
            } else {
                usize::MAX
            };
            for (index, address) in token::addresses(value).iter().take(most).enumerate() {
                judge(index, Some(&address.internal(value)));
            }
        }
    }

    fn judged(&mut self, entry: &InHand<'_>, index: usize, target: Target) {
        match target {
            Target::Fine => {}
            Target::Dead => {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                self.dead.push((entry.node, index));
            }
            Target::Leads(to) => {
                if let Some(own) = (entry.number)() {
                    self.edges.push(Edge::new(own, to, index == 0));
                }
            }
        }
    }

    /// The domain of a key, as it is written.
    fn key_domain(&mut self, key: &[u8]) -> Option<u32> {
        let at = memchr::memrchr(b'@', key)?;
        let domain = &key[at + 1..];
        if domain.is_ascii() {
            return Some(self.domain(domain));
        }
        let domain = same_length_lossy(domain).to_lowercase();
        Some(self.domain(domain.as_bytes()))
    }

    /// The domain of a target, made complete.
    fn written_domain(&mut self, target: &str) -> u32 {
        let address = Address::written(self.instance, target);
        self.domain(address.domain.as_bytes())
    }

    fn origin(&mut self) -> u32 {
        let myorigin = std::mem::take(&mut self.myorigin);
        let number = self.domain(&myorigin);
        self.myorigin = myorigin;
        number
    }

    fn domain(&mut self, name: &[u8]) -> u32 {
        let Self {
            domains,
            instance,
            virtual_aliases,
            myorigin,
            ..
        } = self;
        domains.number(name, |name| {
            let mut domain = Domain::ask(instance, name, myorigin);
            domain.may_have_aliases = virtual_aliases.may_have(name);
            if domain.may_have_aliases {
                domain.wildcard = virtual_aliases.find(&[b"@", name].concat());
            }
            domain
        })
    }

    /// Judges a target: what stands in front of its last `@`, and its domain.
    fn target(&mut self, local: &[u8], domain: u32, own: Node) -> Target {
        let mut address = std::mem::take(&mut self.address);
        let target = self.complete(local, self.domains.get(domain), own, &mut address);
        self.address = address;
        target
    }

    fn complete(&self, local: &[u8], domain: &Domain, own: Node, address: &mut Vec<u8>) -> Target {
        let is_own = |number: u32| self.node(number) == Some(own);
        if local.is_empty() {
            return match domain.wildcard {
                Found::At(number) if !is_own(number) => Target::Leads(number),
                _ => Target::Fine,
            };
        }
        address.clear();
        address.extend(local.iter().map(u8::to_ascii_lowercase));
        address.push(b'@');
        address.extend_from_slice(&domain.name);
        let local = &address[..local.len()];
        if !self.is_local {
            let mut found = Found::Nothing;
            if domain.may_have_aliases {
                found = self.virtual_aliases.find(address);
            }
            if found == Found::Nothing && domain.is_bare && self.virtual_aliases.may_have(local) {
                found = self.virtual_aliases.find(local);
            }
            if found == Found::Nothing {
                found = domain.wildcard;
            }
            match found {
                Found::At(number) if !is_own(number) => return Target::Leads(number),
                Found::Somewhere => return Target::Fine,
                // An address that stands for itself ends there.
                Found::At(_) | Found::Nothing => {}
            }
        }
        let is_dead = match domain.class {
            None | Some(Class::Default) => false,
            Some(Class::VirtualAlias) => true,
            Some(Class::VirtualMailbox) => !may_list(&self.mailboxes, address, local.len()),
            Some(Class::Relay) => !may_list(&self.relay_recipients, address, local.len()),
            Some(Class::Local) => {
                match self.local_aliases.find(local) {
                    Found::At(number) if !is_own(number) && self.is_local => {
                        return Target::Leads(number);
                    }
                    Found::At(number) if !is_own(number) => return Target::Fine,
                    Found::Somewhere => return Target::Fine,
                    Found::At(_) | Found::Nothing => {}
                }
                let is_unknown = |users: &HashSet<&[u8]>| !users.contains(local);
                str::from_utf8(local).is_ok() && self.users.as_ref().is_some_and(is_unknown)
            }
        };
        if is_dead { Target::Dead } else { Target::Fine }
    }

    fn node(&self, number: u32) -> Option<Node> {
        super::node(self.tables, number)
    }
}

/// Whether a list of recipients has an address, whose `@` is at `at`, or may have it.
fn may_list(maps: &Maps, address: &[u8], at: usize) -> bool {
    let has = |key: &[u8], only| maps.find(key, only).exists() != Some(false);
    maps.is_empty() || has(address, Only::All) || has(&address[at..], Only::Fixed)
}

/// The tables of a list, with the numbers of their entries.
struct Numbered<'i> {
    maps: Maps,
    tables: &'i [AliasTable],
}

impl Numbered<'_> {
    /// Whether there may be a key in a domain, or a key without one.
    fn may_have(&self, domain: &[u8]) -> bool {
        let may_have = |keys: &KeyTable| keys.may_have(domain);
        self.tables
            .iter()
            .any(|of| of.table.keys().is_none_or(may_have))
    }

    /// The entry for a folded key.
    fn find(&self, key: &[u8]) -> Found {
        for of in self.tables {
            let at = |index| of.number(index).map_or(Found::Somewhere, Found::At);
            if let Some(keys) = of.table.keys() {
                if let Some(number) = keys.number(key) {
                    return at(number);
                }
                continue;
            }
            match of.table.lookup(key, self.maps.flags) {
                Lookup::NotFound => {}
                Lookup::Found(hit) => {
                    let entries = of.table.inline().map(|inline| inline.entries());
                    let mut entries = entries.unwrap_or_default().iter();
                    let index = entries.position(|entry| entry.key.span() == hit.key_span);
                    return index.map_or(Found::Somewhere, at);
                }
                _ => return Found::Somewhere,
            }
        }
        Found::Nothing
    }
}

/// The targets in a list of addresses that has nothing that needs a parser: no quotes, comments, groups, files or
/// commands.
pub(super) fn plain_targets(value: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let is_plain = value.iter().all(|&byte| PLAIN[usize::from(byte)]);
    (is_plain && !joins_words(value)).then(|| {
        let words = value.split(|&byte| matches!(byte, b',' | b' ' | b'\t'));
        words.filter(|word| !word.is_empty())
    })
}

/// Whether blanks part no words, because one of `. @ %` stands beside them.
fn joins_words(value: &[u8]) -> bool {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let is_operator = |byte: u8| matches!(byte, b'.' | b'@' | b'%');
    let mut blanks = memchr::memchr2_iter(b' ', b'\t', value);
    blanks.any(|at| {
        let before = value[..at]
            .iter()
            .rev()
            .copied()
            .find(|&byte| !is_blank(byte));
        let after = value[at..].iter().copied().find(|&byte| !is_blank(byte));
        match (before, after) {
            (Some(b','), _) | (_, Some(b',')) => false,
            (Some(before), Some(after)) => is_operator(before) || is_operator(after),
            _ => false,
        }
    })
}

/// The bytes of such lists.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'@' | b'.' | b'-' | b'_' | b'+' | b'=' | b'%' | b',' | b' ' | b'\t'
            );
        byte += 1;
    }
    plain
};
