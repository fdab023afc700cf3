//! The pass over all entries.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::circles::{Edge, Limits, circles};
use super::{ALIAS_PARAMETERS, AliasGraph, AliasTable, Node};
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::table::{Lookup, Maps, Only};
use crate::syntax::alias_table::{AliasTargetKind, targets as alias_targets};
use crate::syntax::token;

/// The postconf(5) defaults of the limits of an expansion.
const DEFAULT_LIMIT: usize = 1000;

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
    let mut first_tables = HashMap::new();
    for parameter in ALIAS_PARAMETERS {
        first_tables.insert(parameter, graph.tables.len());
        let maps = maps(instance, parameter);
        graph.tables.extend(
            maps.tables
                .into_iter()
                .map(|table| AliasTable { parameter, table }),
        );
    }
    let mut scan = Scan::new(instance, &first_tables);
    for (number, of) in graph.tables.iter().enumerate() {
        scan.is_local = of.parameter == "alias_maps";
        scan.visit(of, number);
    }
    let number = |name: &'static str| {
        let value = instance.program("cleanup").parameter(name).number();
        value
            .and_then(|value| usize::try_from(value).ok())
            .unwrap_or(DEFAULT_LIMIT)
    };
    let limits = Limits {
        depth: number("virtual_alias_recursion_limit"),
        size: number("virtual_alias_expansion_limit"),
    };
    let Scan {
        mut edges, dead, ..
    } = scan;
    edges.sort_unstable();
    // canonical(5) follows a circle ten times and delivers all the same; local(8) has no limits but its own.
    let (virtual_edges, other): (Vec<Edge>, Vec<Edge>) = edges
        .iter()
        .copied()
        .partition(|edge| graph.tables[edge.from.table()].parameter == "virtual_alias_maps");
    let wide = Limits {
        depth: usize::MAX,
        size: usize::MAX,
    };
    graph.circles = circles(&virtual_edges, limits).into_iter().collect();
    graph.circles.extend(circles(&other, wide));
    graph.edges = edges.into_iter().map(|edge| (edge.from, edge.to)).collect();
    graph.edges.sort_unstable_by_key(|&(from, to)| (to, from));
    graph.dead = dead.into_iter().collect();
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

/// What is known of a domain.
#[derive(Clone, Copy)]
struct Domain {
    class: Option<Class>,
    /// Names without a domain are looked up for it, too.
    is_bare: bool,
    /// The `@domain` entry of the virtual aliases.
    wildcard: Found,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Nothing,
    /// In this entry.
    At(Node),
    /// Somewhere, or perhaps.
    Somewhere,
}

/// What a target is.
enum Target {
    Fine,
    Dead,
    Leads(Node),
}

struct Scan<'i> {
    instance: &'i Instance,
    /// The table in hand is one of aliases(5).
    is_local: bool,
    virtual_aliases: Numbered,
    local_aliases: Numbered,
    mailboxes: Maps,
    relay_recipients: Maps,
    myorigin: String,
    domains: HashMap<Vec<u8>, Domain>,
    dead: Vec<(Node, Vec<usize>)>,
    edges: Vec<Edge>,
    /// The target in hand, folded and complete.
    address: Vec<u8>,
}

impl<'i> Scan<'i> {
    fn new(instance: &'i Instance, starts: &HashMap<&'static str, usize>) -> Self {
        let smtpd = instance.program("smtpd");
        let numbered = |parameter| Numbered {
            maps: maps(instance, parameter),
            first: starts[parameter],
        };
        Self {
            instance,
            is_local: false,
            virtual_aliases: numbered("virtual_alias_maps"),
            local_aliases: numbered("alias_maps"),
            mailboxes: smtpd.maps("virtual_mailbox_maps", "smtpd"),
            relay_recipients: smtpd.maps("relay_recipient_maps", "smtpd"),
            myorigin: instance
                .program("cleanup")
                .parameter("myorigin")
                .text()
                .to_lowercase(),
            domains: HashMap::new(),
            dead: Vec::new(),
            edges: Vec::new(),
            address: Vec::new(),
        }
    }

    fn visit(&mut self, of: &AliasTable, number: usize) {
        if let Some(keys) = of.table.keys() {
            for entry in keys.entries() {
                self.entry(
                    of.parameter,
                    &entry.value(),
                    Node::new(number, entry.offset()),
                );
            }
        } else if let Some(inline) = of.table.inline() {
            for (index, entry) in inline.entries().iter().enumerate() {
                self.entry(
                    of.parameter,
                    entry.value.as_bytes(),
                    Node::new(number, index),
                );
            }
        }
    }

    fn entry(&mut self, parameter: &str, value: &[u8], node: Node) {
        let mut dead = Vec::new();
        let mut judge = |scan: &mut Self, index: usize, target: Option<&[u8]>| {
            // A file or a command, which may be missing.
            let judged = target.map_or(Target::Dead, |target| scan.target(target, node));
            match judged {
                Target::Fine => {}
                Target::Dead => dead.push(index),
                Target::Leads(to) => scan.edges.push(Edge {
                    from: node,
                    to,
                    is_first: index == 0,
                }),
            }
        };
        if is_plain(value) {
            let words = value.split(|&byte| matches!(byte, b',' | b' ' | b'\t'));
            let most = if parameter.contains("canonical") {
                1
            } else {
                usize::MAX
            };
            for (index, word) in words.filter(|word| !word.is_empty()).take(most).enumerate() {
                judge(self, index, Some(word));
            }
        } else if self.is_local {
            for (index, target) in alias_targets(value).iter().enumerate() {
                let is_address = target.kind == AliasTargetKind::Address;
                judge(self, index, is_address.then_some(target.text.as_slice()));
            }
        } else {
            let most = targets(parameter, value).len();
            for (index, address) in token::addresses(value).iter().take(most).enumerate() {
                judge(self, index, Some(&address.internal(value)));
            }
        }
        if !dead.is_empty() {
            self.dead.push((node, dead));
        }
    }

    fn target(&mut self, target: &[u8], own: Node) -> Target {
        let (local, domain) = match target.iter().rposition(|&byte| byte == b'@') {
            Some(at) => (&target[..at], Cow::Borrowed(&target[at + 1..])),
            None => (target, Cow::Owned(self.myorigin.clone().into_bytes())),
        };
        let mut address = std::mem::take(&mut self.address);
        address.clear();
        address.extend(local.iter().map(u8::to_ascii_lowercase));
        let at = address.len();
        address.push(b'@');
        address.extend(domain.iter().map(u8::to_ascii_lowercase));
        let target = self.complete(&address, at, own);
        self.address = address;
        target
    }

    /// Judges a folded, complete address, whose `@` is at `at`.
    fn complete(&mut self, address: &[u8], at: usize, own: Node) -> Target {
        let (local, domain) = (&address[..at], &address[at + 1..]);
        let domain = self.domain(domain);
        if local.is_empty() {
            return match domain.wildcard {
                Found::At(node) if node != own => Target::Leads(node),
                _ => Target::Fine,
            };
        }
        if !self.is_local {
            let mut found = self.find(address);
            if found == Found::Nothing && domain.is_bare {
                found = self.find(local);
            }
            if found == Found::Nothing {
                found = domain.wildcard;
            }
            match found {
                Found::At(node) if node != own => return Target::Leads(node),
                Found::Somewhere => return Target::Fine,
                // An address that stands for itself ends there.
                Found::At(_) | Found::Nothing => {}
            }
        }
        let is_dead = match domain.class {
            None | Some(Class::Default) => false,
            Some(Class::VirtualAlias) => true,
            Some(Class::VirtualMailbox) => !self.may_list(&self.mailboxes, address),
            Some(Class::Relay) => !self.may_list(&self.relay_recipients, address),
            Some(Class::Local) => {
                match self.find_alias(local) {
                    Found::At(node) if node != own && self.is_local => return Target::Leads(node),
                    Found::At(node) if node != own => return Target::Fine,
                    Found::Somewhere => return Target::Fine,
                    Found::At(_) | Found::Nothing => {}
                }
                std::str::from_utf8(local)
                    .is_ok_and(|local| self.instance.users().has(local) == Some(false))
            }
        };
        if is_dead { Target::Dead } else { Target::Fine }
    }

    fn domain(&mut self, domain: &[u8]) -> Domain {
        if let Some(known) = self.domains.get(domain) {
            return *known;
        }
        let name = String::from_utf8_lossy(domain);
        let class = self.instance.class_of(&name);
        let mut wildcard = vec![b'@'];
        wildcard.extend_from_slice(domain);
        let new = Domain {
            class,
            is_bare: class == Some(Class::Local) || *name == self.myorigin,
            wildcard: self.find(&wildcard),
        };
        self.domains.insert(domain.to_vec(), new);
        new
    }

    fn find(&self, key: &[u8]) -> Found {
        self.virtual_aliases.find(key)
    }

    fn find_alias(&self, key: &[u8]) -> Found {
        self.local_aliases.find(key)
    }

    /// Whether a list of recipients has an address, or may have it.
    fn may_list(&self, maps: &Maps, address: &[u8]) -> bool {
        let at = address
            .iter()
            .rposition(|&byte| byte == b'@')
            .unwrap_or_default();
        let has = |key: &[u8], only| maps.find(key, only).exists() != Some(false);
        maps.is_empty() || has(address, Only::All) || has(&address[at..], Only::Fixed)
    }
}

/// The tables of a list, with the number of the first.
struct Numbered {
    maps: Maps,
    first: usize,
}

impl Numbered {
    /// The entry for a folded key.
    fn find(&self, key: &[u8]) -> Found {
        for (index, table) in self.maps.tables.iter().enumerate() {
            let node = |offset| Found::At(Node::new(self.first + index, offset));
            if let Some(keys) = table.keys() {
                if let Some(entry) = keys.entry(key) {
                    return node(entry.offset());
                }
                continue;
            }
            match table.lookup(key, self.maps.flags) {
                Lookup::NotFound => {}
                Lookup::Found(hit) => {
                    let entries = table
                        .inline()
                        .map(|inline| inline.entries())
                        .unwrap_or_default();
                    let at = entries
                        .iter()
                        .position(|entry| entry.key.span() == hit.key_span);
                    return at.map_or(Found::Somewhere, node);
                }
                _ => return Found::Somewhere,
            }
        }
        Found::Nothing
    }
}

/// Whether a list of addresses has nothing that needs a parser: no quotes, comments, groups, files or commands.
fn is_plain(value: &[u8]) -> bool {
    value.iter().all(|byte| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'@' | b'.' | b'-' | b'_' | b'+' | b'=' | b',' | b' ' | b'\t'
            )
    })
}
