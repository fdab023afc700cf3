//! A list of tables that are asked in order: Postfix's `src/global/maps.c`.

use std::sync::Arc;

use super::flags::Flags;
use super::lookup::{Doubts, Lookup};
use super::reference::MalformedReference;
use super::{KeyKind, Table};

/// Which tables of a list are asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    /// All of them.
    #[default]
    All,
    /// Those with keys: for parts of an address (`DICT_FLAG_FIXED`).
    Fixed,
    /// Those with patterns (`DICT_FLAG_PATTERN`).
    Pattern,
}

impl Only {
    fn asks(self, table: &Table) -> bool {
        match self {
            Self::All => true,
            Self::Fixed => table.key_kind() == KeyKind::Fixed,
            Self::Pattern => table.key_kind() == KeyKind::Pattern,
        }
    }
}

/// The tables of one parameter, as one program opened them.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    /// The name of the parameter, for messages.
    pub title: String,
    /// The tables in order.
    pub tables: Vec<Arc<Table>>,
    /// The pieces that are no references. With one of them the program does not start.
    pub malformed: Vec<MalformedReference>,
    /// The flags.
    pub flags: Flags,
}

impl Maps {
    /// Whether there is no table.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// Looks a key up (`maps_find`): the first table that has it wins; an error, or an empty result, ends
    /// the search.
    pub fn find(&self, key: &[u8], only: Only) -> Lookup {
        self.find_with_table(key, only).0
    }

    /// As [`Maps::find`], with the index of the table that decided.
    pub fn find_with_table(&self, key: &[u8], only: Only) -> (Lookup, Option<usize>) {
        // maps_find asks no table for the empty key.
        if key.is_empty() {
            return (Lookup::NotFound, None);
        }
        let mut doubts = Doubts::default();
        let mut decider = None;
        for (index, table) in self.tables.iter().enumerate() {
            if !only.asks(table) {
                continue;
            }
            let answer = table.lookup(key, self.flags);
            let is_unknown = matches!(answer, Lookup::Unknown(_));
            let answer = self.refuse_empty(doubts.note(answer), key);
            if is_unknown || answer != Lookup::NotFound {
                decider.get_or_insert(index);
            }
            if answer != Lookup::NotFound {
                return (doubts.apply(answer), decider);
            }
        }
        (doubts.apply(Lookup::NotFound), decider)
    }

    fn refuse_empty(&self, found: Lookup, key: &[u8]) -> Lookup {
        if found.hits().iter().any(|hit| hit.value.is_empty()) {
            return Lookup::config(format!(
                "{} lookup of {} returns an empty string result",
                self.title,
                String::from_utf8_lossy(key)
            ));
        }
        found
    }
}
