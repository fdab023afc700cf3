//! Lookup tables: from the value of a parameter to answers.
//!
//! [`mod@reference`] cuts a value such as `hash:/etc/postfix/virtual, regexp:/etc/postfix/catch` into
//! references; [`Table::open`] opens one; [`Table::lookup`] asks it as `dict_get` does, and [`Maps::find`]
//! asks several in order as `maps_find` does. What an LDAP server or a file on another machine would say is
//! not known, so every answer may be [`Lookup::Unknown`].

mod accounts;
mod build_warning;
mod cidr;
mod combined;
mod dynamic_maps;
mod entry;
pub mod flags;
pub mod fold;
mod index;
mod index_file;
mod inline;
mod key_table;
mod live;
mod lookup;
mod maps;
mod open;
mod patterns;
mod pcre_regex;
mod posix_regex;
mod problem;
pub mod proxy;
pub mod reference;
mod regex;
mod rule_source;
pub mod types;

pub use accounts::{AccountFiles, Accounts, Known, NoAccounts};
pub use cidr::CidrTable;
pub use dynamic_maps::{DynamicMap, DynamicMaps};
pub use entry::{Entries, Entry, SourceFormat};
pub use flags::Flags;
pub use index_file::{IndexDifference, IndexError, compare_index, read_index};
pub use inline::InlineTable;
pub use key_table::{Duplicate, KeyTable};
pub use live::Postmap;
pub use lookup::{ErrorClass, Hit, Lookup, LookupError, Unknown, UnknownReason};
pub use maps::{Maps, Only};
pub use open::{Opened, Opener, TableSettings};
pub use patterns::PatternTable;
pub use problem::{ProblemKind, TableProblem};
pub use proxy::approved_for_proxy;
pub use reference::{Body, InlineEntry, MalformedReference, Reference};
pub use types::{Availability, NameKind, TableType, is_known_type};

use live::LiveTable;
use std::borrow::Cow;
use std::sync::Arc;

use crate::source::Text;

/// A table that was opened.
#[derive(Debug)]
pub struct Table {
    reference: Reference,
    settings: TableSettings,
    kind: Arc<Kind>,
}

#[derive(Debug)]
enum Kind {
    Keys(Box<KeyTable>),
    Inline(InlineTable),
    Patterns(PatternTable),
    Cidr(CidrTable),
    Static(Text),
    Random(Vec<Text>),
    Union(Vec<Arc<Table>>),
    Pipe(Vec<Arc<Table>>),
    /// debug: the same answers as the table inside.
    Wrapped(Vec<Arc<Table>>),
    Passwd(Arc<dyn Accounts>),
    Group(Arc<dyn Accounts>),
    /// Every lookup fails, without a text.
    Fail,
    /// internal: no entry.
    Empty,
    /// The table cannot be used: every lookup fails.
    Surrogate(Surrogate),
    /// postmap(1) asks it.
    Live(Box<LiveTable>),
    /// Nobody here knows.
    Unknown(UnknownReason),
}

/// What stands for a table that cannot be opened (`src/util/dict_surrogate.c`).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Surrogate {
    /// What Postfix says.
    message: String,
    /// The file is not in this copy of a configuration, but may be on the machine itself.
    may_be_elsewhere: bool,
}

/// The two kinds of tables that programs tell apart when they ask for parts of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// The table has keys (`DICT_FLAG_FIXED`).
    Fixed,
    /// The table has patterns (`DICT_FLAG_PATTERN`).
    Pattern,
    /// mongodb: neither.
    Neither,
}

impl Table {
    /// Opens the table behind a reference.
    ///
    /// `format` says which program makes the index of an indexed table; other types ignore it.
    pub fn open(reference: Reference, format: SourceFormat, opener: &dyn Opener) -> Self {
        let settings = opener.settings();
        let kind = Arc::new(Self::open_kind(&reference, format, opener));
        Self {
            reference,
            settings,
            kind,
        }
    }

    /// The same table behind a reference that is written elsewhere; `None` when the table is no file, so
    /// that opening it again costs nothing.
    pub fn at(&self, reference: Reference) -> Option<Self> {
        let is_same = reference.type_name == self.reference.type_name
            && reference.name == self.reference.name
            && reference.body == Body::Name;
        is_same.then(|| Self {
            reference,
            settings: self.settings,
            kind: Arc::clone(&self.kind),
        })
    }

    /// The reference.
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The entries, when the table is one with keys in a text file.
    pub fn keys(&self) -> Option<&KeyTable> {
        match &*self.kind {
            Kind::Keys(table) => Some(table),
            _ => None,
        }
    }

    /// The entries, when the table is written in the reference.
    pub fn inline(&self) -> Option<&InlineTable> {
        match &*self.kind {
            Kind::Inline(table) => Some(table),
            _ => None,
        }
    }

    /// The rules, when the table is one of regular expressions.
    pub fn patterns(&self) -> Option<&PatternTable> {
        match &*self.kind {
            Kind::Patterns(table) => Some(table),
            _ => None,
        }
    }

    /// The rules, when the table is one of networks.
    pub fn networks(&self) -> Option<&CidrTable> {
        match &*self.kind {
            Kind::Cidr(table) => Some(table),
            _ => None,
        }
    }

    /// The tables inside a unionmap, pipemap or debug table.
    pub fn members(&self) -> &[Arc<Self>] {
        match &*self.kind {
            Kind::Union(members) | Kind::Pipe(members) | Kind::Wrapped(members) => members,
            _ => &[],
        }
    }

    /// Why every lookup fails: what Postfix says when it opens the table. A texthash table with doubled keys
    /// is not among these, since that depends on the reader.
    pub fn unusable(&self) -> Option<&str> {
        match &*self.kind {
            Kind::Surrogate(surrogate) => Some(&surrogate.message),
            Kind::Keys(table) => table.unbuilt(),
            _ => None,
        }
    }

    /// Why nothing can be known of the table.
    pub fn unknown(&self) -> Option<&UnknownReason> {
        match &*self.kind {
            Kind::Unknown(reason) => Some(reason),
            _ => None,
        }
    }

    /// What Postfix warns about when it opens the table: rules of regexp, pcre and cidr tables.
    pub fn problems(&self) -> &[TableProblem] {
        match &*self.kind {
            Kind::Patterns(table) => table.problems(),
            Kind::Cidr(table) => table.problems(),
            _ => &[],
        }
    }

    /// Whether the table has keys or patterns.
    pub fn key_kind(&self) -> KeyKind {
        match &*self.kind {
            Kind::Keys(table) if table.unbuilt().is_some() => KeyKind::Pattern,
            Kind::Keys(_)
            | Kind::Inline(_)
            | Kind::Static(_)
            | Kind::Passwd(_)
            | Kind::Group(_)
            | Kind::Empty => KeyKind::Fixed,
            Kind::Patterns(_)
            | Kind::Cidr(_)
            | Kind::Random(_)
            | Kind::Fail
            | Kind::Surrogate(_) => KeyKind::Pattern,
            Kind::Union(members) | Kind::Pipe(members) | Kind::Wrapped(members) => members
                .first()
                .map_or(KeyKind::Pattern, |first| first.key_kind()),
            Kind::Live(_) | Kind::Unknown(_) => match self.reference.table_type {
                Some(TableType::Mongodb) => KeyKind::Neither,
                Some(
                    TableType::Regexp
                    | TableType::Pcre
                    | TableType::Cidr
                    | TableType::Tcp
                    | TableType::Socketmap,
                )
                | None => KeyKind::Pattern,
                Some(_) => KeyKind::Fixed,
            },
        }
    }

    /// Shows the keys that are written one by one, not folded, to `visit`, until that gives false. `None` for a
    /// table that has none: a query, patterns; else whether all were shown.
    pub fn visit_keys(&self, visit: &mut dyn FnMut(&[u8]) -> bool) -> Option<bool> {
        if let Some(keys) = self.keys() {
            return Some(keys.entries().all(|entry| visit(entry.key())));
        }
        let entries = self.inline()?.entries();
        Some(entries.iter().all(|entry| visit(entry.key.as_bytes())))
    }

    /// Asks the table as a program does that opened it with `flags` (`dict_get`).
    ///
    /// The key is used as it is given, up to a NUL: no address logic, and the empty key is really asked.
    pub fn lookup(&self, key: &[u8], flags: Flags) -> Lookup {
        let key = &key[..memchr::memchr(0, key).unwrap_or(key.len())];
        let utf8 = flags.utf8 && self.settings.utf8;
        if !utf8 {
            return self.lookup_own(Cow::Borrowed(key), flags, false);
        }
        // src/util/dict_utf8.c wraps every table in UTF-8 mode.
        if !fold::is_utf8(key) {
            return Lookup::NotFound;
        }
        let folds = flags.fold && self.key_kind() == KeyKind::Fixed;
        let query = if folds {
            fold::fold(Cow::Borrowed(key), true)
        } else {
            Cow::Borrowed(key)
        };
        let found = self.lookup_own(query, flags, true);
        self.check_utf8(key, found)
    }

    /// A value that is not UTF-8 is an error.
    fn check_utf8(&self, key: &[u8], found: Lookup) -> Lookup {
        let all_utf8 = found
            .hits()
            .iter()
            .all(|hit| fold::is_utf8(hit.value.as_bytes()));
        match &found {
            Lookup::Found(hit) if !all_utf8 => Lookup::config(format!(
                "{}: key \"{}\": non-UTF-8 value \"{}\": malformed UTF-8 or invalid codepoint",
                self.reference,
                String::from_utf8_lossy(key),
                hit.value
            )),
            _ => found,
        }
    }

    /// The lookup of the table itself. In UTF-8 mode the key is folded already.
    fn lookup_own(&self, key: Cow<'_, [u8]>, flags: Flags, utf8: bool) -> Lookup {
        if let Some(error) = self.refused(flags) {
            return error;
        }
        let folded = |key: Cow<'_, [u8]>| {
            if flags.fold && !utf8 {
                fold::fold(key, false).into_owned()
            } else {
                key.into_owned()
            }
        };
        match &*self.kind {
            Kind::Keys(table) => match table.unbuilt() {
                Some(message) => Lookup::retry(self.unavailable(message)),
                None => table.lookup(&folded(key), flags, self.reference.name.as_str()),
            },
            Kind::Inline(table) => table.lookup(&folded(key), flags.fold, utf8, &self.reference),
            Kind::Patterns(table) => {
                table.lookup(&key, flags.no_regsub, &|| self.reference.to_string())
            }
            Kind::Cidr(table) => table.lookup(&key),
            Kind::Static(value) => Lookup::Found(Hit {
                value: value.clone(),
                span: self.reference.written.span(),
                key_span: None,
            }),
            Kind::Random(values) => combined::random(values),
            Kind::Union(members) => combined::union(members, &key, flags),
            Kind::Pipe(members) => combined::pipe(members, &key, flags),
            Kind::Wrapped(members) => match members.first() {
                Some(member) => member.lookup(&key, flags),
                None => Lookup::NotFound,
            },
            Kind::Passwd(accounts) => {
                let key = folded(key);
                self.account(accounts.passwd_by_name(&String::from_utf8_lossy(&key)))
            }
            Kind::Group(accounts) => {
                let key = folded(key);
                self.account(accounts.group_by_name(&String::from_utf8_lossy(&key)))
            }
            Kind::Fail => Lookup::retry(""),
            Kind::Empty => Lookup::NotFound,
            Kind::Surrogate(surrogate) => Lookup::Error(LookupError {
                class: ErrorClass::Retry,
                message: self.unavailable(&surrogate.message),
                may_be_elsewhere: surrogate.may_be_elsewhere,
            }),
            Kind::Live(table) => table.lookup(&key, flags, utf8, &self.reference),
            Kind::Unknown(reason) => self.unknown_answer(reason.clone()),
        }
    }

    fn unavailable(&self, message: &str) -> String {
        format!("{} is unavailable. {message}", self.reference)
    }

    /// The error of a table that a reader with these flags does not open.
    fn refused(&self, flags: Flags) -> Option<Lookup> {
        let secure = match self.reference.table_type? {
            TableType::Tcp => "security sensitive",
            TableType::Socketmap | TableType::Memcache => "security-sensitive",
            _ => return None,
        };
        flags.no_unauth.then(|| {
            Lookup::retry(format!(
                "{reference} is unavailable. {reference} map is not allowed for {secure} data",
                reference = self.reference
            ))
        })
    }

    fn account(&self, known: Known) -> Lookup {
        match known {
            Known::Yes(line) => Lookup::Found(Hit {
                value: Text::placeless(&line),
                span: None,
                key_span: None,
            }),
            Known::No => Lookup::NotFound,
            Known::Unknown => self.unknown_answer(UnknownReason::Client),
        }
    }

    fn unknown_answer(&self, reason: UnknownReason) -> Lookup {
        Lookup::Unknown(Unknown {
            table: self.reference.to_string(),
            reason,
            otherwise: Box::new(Lookup::NotFound),
        })
    }
}

#[cfg(test)]
mod tests;
