//! The lookup tables that parameters name: opened once, when a question needs them.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Instance;
use super::files::{Location, Opened};
use super::parameter::Scope;
use super::table::{self, Accounts, Flags, Known, Maps, Opener, Reference, SourceFormat, Table};
use super::users::Users;
use crate::source::Text;

/// Tables by reference and by the program that would index them.
type TablesByReference = HashMap<(String, SourceFormat), Arc<Table>>;

/// The tables that were opened so far.
#[derive(Debug, Default)]
pub(super) struct TableCache {
    tables: Mutex<TablesByReference>,
    /// References that postalias(1) indexes, `proxy:` left out.
    aliases: OnceLock<HashSet<String>>,
}

impl Instance {
    /// Opens the table behind one reference; each is opened once.
    pub fn open_table(&self, reference: &Reference) -> Arc<Table> {
        let name = format!("{}:{}", reference.type_name, reference.name);
        let format = if self.alias_references().contains(&name) {
            SourceFormat::Postalias
        } else {
            SourceFormat::Postmap
        };
        let key = (name, format);
        let lock = || {
            self.tables
                .tables
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(table) = lock().get(&key)
            // The same table written in two places: a finding has to point at the right one.
            && table.reference() == reference
            && table.reference().written.span() == reference.written.span()
        {
            return Arc::clone(table);
        }
        let table = Arc::new(Table::open(reference.clone(), format, self));
        lock().insert(key, Arc::clone(&table));
        table
    }

    /// The tables that postalias(1) makes: those of `alias_maps` and `alias_database`.
    fn alias_references(&self) -> &HashSet<String> {
        self.tables.aliases.get_or_init(|| {
            ["alias_maps", "alias_database"]
                .iter()
                .flat_map(|name| self.scope().any_parameter(name).words())
                .filter_map(|word| table::reference::parse(&word, self.version()).ok())
                .map(|reference| format!("{}:{}", reference.type_name, reference.name))
                .collect()
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

    fn exists(&self, path: &str) -> Option<bool> {
        match self.files().locate(path) {
            Location::Here(path) => Some(path.exists()),
            Location::Elsewhere => None,
        }
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::new(self.users().clone())
    }

    fn settings(&self) -> table::TableSettings {
        table::TableSettings {
            version: self.version(),
            utf8: self.scope().any_parameter("smtputf8_enable").flag() == Some(true),
        }
    }
}

impl Accounts for Users {
    fn passwd_by_name(&self, name: &str) -> Known {
        match self.has(name) {
            Some(true) => Known::Yes(format!("{name}:*:::::")),
            Some(false) => Known::No,
            None => Known::Unknown,
        }
    }

    fn group_by_name(&self, _: &str) -> Known {
        Known::Unknown
    }
}
