//! What rules want to know of each alias table: which entries send mail on, and which are in domains that are
//! in no class.

use super::domains::Domain;
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::syntax::alias_table::targets as alias_targets;
use crate::syntax::token;

/// So many entries are kept, of which one may be a proof.
const MOST_KEPT: usize = 1_000;

/// What a pass over the entries of a table found.
#[derive(Debug, Default)]
pub struct TableFacts {
    /// The entries with a target in a domain of other people; for virtual(5) without those of whole domains.
    pub forwards: Forwards,
    /// The domains of keys that are in no class (virtual aliases only), in the order of the table.
    pub outside: Vec<Outside>,
    /// The domains in no class that targets of entries in other domains are in.
    pub targets: Vec<String>,
}

/// Entries that send mail on.
#[derive(Debug, Default)]
pub struct Forwards {
    /// How many there are.
    pub count: usize,
    /// Where the lines of the first ones start; for tables without lines their numbers.
    pub first: Vec<usize>,
}

/// A domain of keys that is in no class.
#[derive(Clone, Debug)]
pub struct Outside {
    /// In lower case.
    pub domain: String,
    /// Where the line of its first key starts; for tables without lines the number of that entry.
    pub first: usize,
    /// How many keys it has.
    pub count: usize,
    /// One of them stands for an address in the domain itself.
    pub leads_inside: bool,
}

impl Forwards {
    pub(super) fn add(&mut self, offset: usize) {
        self.count += 1;
        if self.first.len() < MOST_KEPT {
            self.first.push(offset);
        }
    }
}

impl Outside {
    /// Counts a key of a domain.
    pub(super) fn add(
        list: &mut Vec<Self>,
        domain: &mut Domain,
        offset: usize,
        leads_inside: bool,
    ) {
        let at = *domain.outside.get_or_insert_with(|| {
            list.push(Self {
                domain: String::from_utf8_lossy(&domain.name).into_owned(),
                first: offset,
                count: 0,
                leads_inside: false,
            });
            list.len() as u32 - 1
        });
        let outside = &mut list[at as usize];
        outside.count += 1;
        outside.leads_inside |= leads_inside;
    }
}

/// The first target in the value of an alias that is in a domain of other people; of an alias of aliases(5) when
/// `is_alias_table`.
pub fn foreign_target(instance: &Instance, is_alias_table: bool, value: &[u8]) -> Option<String> {
    let ranges: Vec<_> = if is_alias_table {
        let targets = alias_targets(value).into_iter();
        targets.map(|target| target.range).collect()
    } else {
        let addresses = token::addresses(value).into_iter();
        addresses.map(|address| address.range).collect()
    };
    ranges.into_iter().find_map(|range| {
        let target = String::from_utf8_lossy(&value[range]).into_owned();
        let (_, domain) = target.rsplit_once('@')?;
        let is_address = !target.starts_with(['|', '/', ':', '"', '\\']) && domain.contains('.');
        let is_foreign = instance.class_of(&domain.to_lowercase()) == Some(Class::Default);
        (is_address && is_foreign).then_some(target)
    })
}
