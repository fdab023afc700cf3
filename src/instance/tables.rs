//! The lookup tables that parameters name: opened once, when a question needs them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Instance;
use super::files::{Location, Opened};
use super::parameter::Scope;
use super::table::{
    self, AccountFiles, Accounts, Flags, Known, Maps, Opener, Postmap, Reference, SourceFormat,
    Table,
};
use super::table_uses::TableUse;
use super::users::Users;
use crate::source::Text;

/// Tables by reference and by the program that would index them. A table that is written in several places
/// is there once for each, since a finding has to point at the right one; they share their contents.
type TablesByReference = HashMap<(String, SourceFormat), Vec<Arc<Table>>>;

/// The tables that were opened so far.
#[derive(Debug, Default)]
pub(super) struct TableCache {
    tables: Mutex<TablesByReference>,
    /// References that postalias(1) indexes, `proxy:` left out.
    aliases: OnceLock<HashSet<String>>,
    /// Some table has an index.
    has_indexes: OnceLock<bool>,
}

impl Instance {
    /// Which program makes the index of a table, given as `type:name`.
    pub(super) fn format_of(&self, name: &str) -> SourceFormat {
        if self.alias_references().contains(name) {
            SourceFormat::Postalias
        } else {
            SourceFormat::Postmap
        }
    }

    /// Opens the table behind one reference; each is opened once.
    pub fn open_table(&self, reference: &Reference) -> Arc<Table> {
        let name = reference.to_string();
        let format = self.format_of(&name);
        let key = (name, format);
        let lock = || {
            self.tables
                .tables
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let mut known = None;
        if let Some(tables) = lock().get(&key) {
            let here = reference.written.span();
            let same = |table: &&Arc<Table>| {
                table.reference() == reference && table.reference().written.span() == here
            };
            if let Some(table) = tables.iter().find(same) {
                return Arc::clone(table);
            }
            known = tables.iter().find_map(|table| table.at(reference.clone()));
        }
        // Not while the lock is held: a table of tables opens those inside it.
        let table = known.unwrap_or_else(|| Table::open(reference.clone(), format, self));
        let table = Arc::new(table);
        lock().entry(key).or_default().push(Arc::clone(&table));
        table
    }

    /// Whether there is a file that the configuration calls `path`; `None` when that cannot be known here.
    pub fn open_exists(&self, path: &str) -> Option<bool> {
        Opener::exists(self, path)
    }

    /// Whether a table, given as `type:name`, is one of aliases(5).
    pub fn is_alias_table(&self, table: &str) -> bool {
        self.alias_references().contains(table)
    }

    /// Whether an index of a table in a parameter is here.
    fn is_built(&self, usage: &TableUse<'_>) -> bool {
        let members = usage.table.as_ref().map(Reference::with_members);
        let mut paths = (members.unwrap_or_default().into_iter()).flat_map(Reference::index_paths);
        paths.any(|path| Opener::exists(self, &path) == Some(true))
    }

    /// The tables that postalias(1) makes: those of `alias_maps` and `alias_database`.
    fn alias_references(&self) -> &HashSet<String> {
        self.tables.aliases.get_or_init(|| {
            let mut names = HashSet::new();
            // A service may have a list of its own.
            let scopes = (self.services()).map(|service| service.scope());
            for scope in scopes.chain([self.scope()]) {
                for parameter in ["alias_maps", "alias_database"] {
                    let value = scope.any_parameter(parameter).value();
                    let value = value.unwrap_or_default();
                    for reference in table::reference::parse_list(&value, self.version()).flatten()
                    {
                        names.extend(reference.with_members().iter().map(ToString::to_string));
                    }
                }
            }
            names
        })
    }
}

impl<'i> Scope<'i> {
    /// The tables of a parameter as `program` (a daemon, such as `smtpd`) opens them.
    pub fn maps(self, parameter: &'static str, program: &str) -> Maps {
        self.maps_of(
            &self.any_parameter(parameter).value().unwrap_or_default(),
            parameter,
            program,
        )
    }

    /// As [`Scope::maps`], for a list that is at hand already.
    pub fn maps_of(self, value: &Text, parameter: &str, program: &str) -> Maps {
        let mut maps = Maps {
            title: parameter.to_owned(),
            flags: Flags::of(program, parameter),
            ..Maps::default()
        };
        for piece in table::reference::parse_list(value, self.instance.version()) {
            match piece {
                Ok(reference) => maps.tables.push(self.instance.open_table(&reference)),
                Err(malformed) => maps.malformed.push(malformed),
            }
        }
        maps
    }
}

impl Opener for Instance {
    fn open(&self, path: &str) -> table::Opened {
        match self.files().open(path, self.sources()) {
            Opened::Found(source) => table::Opened::Found(source),
            Opened::Missing(_) => table::Opened::Missing,
            Opened::Unreadable(_, reason) => table::Opened::Unreadable(reason),
            Opened::Elsewhere => table::Opened::Elsewhere,
        }
    }

    fn open_member(&self, reference: &Reference, _: SourceFormat) -> Arc<Table> {
        self.open_table(reference)
    }

    fn exists(&self, path: &str) -> Option<bool> {
        match self.files().locate(path) {
            Location::Here(path) => Some(path.exists()),
            Location::Elsewhere => None,
        }
    }

    fn postmap(&self) -> Option<Postmap> {
        self.postmap.clone()
    }

    fn path_here(&self, path: &str) -> Option<String> {
        match self.files().locate(path) {
            // Clients take a name that does not begin with a slash or a dot for something else.
            Location::Here(path) => {
                let path = std::path::absolute(&path).unwrap_or(path);
                Some(path.to_string_lossy().into_owned())
            }
            Location::Elsewhere => None,
        }
    }

    fn has_to_be_here(&self, name: &Text) -> bool {
        self.files().has_to_be_here(name)
    }

    fn has_indexes(&self) -> bool {
        *self.tables.has_indexes.get_or_init(|| {
            // A checkout holds sources only: there, a missing index says nothing.
            self.files().is_complete() || self.table_uses().iter().any(|usage| self.is_built(usage))
        })
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        let read = |path| std::fs::read(path).unwrap_or_default();
        let lines = self.files().is_host().then(|| {
            let (passwd, group) = (read("/etc/passwd"), read("/etc/group"));
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            AccountFiles::new(&text(&passwd), &text(&group), false)
        });
        Arc::new(InstanceAccounts {
            users: self.users().clone(),
            lines: lines.unwrap_or_default(),
        })
    }

    fn settings(&self) -> table::TableSettings {
        table::TableSettings {
            version: self.version(),
            utf8: self.scope().any_parameter("smtputf8_enable").flag() == Some(true),
        }
    }
}

/// The users that are known by name, and what the files of this host say of them.
#[derive(Debug)]
struct InstanceAccounts {
    users: Users,
    lines: AccountFiles,
}

impl Accounts for InstanceAccounts {
    fn passwd_by_name(&self, name: &str) -> Known {
        match self.users.has(name) {
            Some(true) => match self.lines.passwd_by_name(name) {
                Known::Yes(line) => Known::Yes(line),
                Known::No | Known::Unknown => Known::Yes(format!("{name}:*:::::")),
            },
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }

    fn group_by_name(&self, name: &str) -> Known {
        self.lines.group_by_name(name)
    }
}
