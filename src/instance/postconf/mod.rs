//! What postconf(1) makes of main.cf and master.cf: which names are known, what it prints, and what it says
//! against them.
//!
//! [`Postconf`] mirrors the program (`src/postconf/`), its oddities included, so that output and warnings
//! are the same on a machine without Postfix. The rest of this crate asks what daemons do with a
//! configuration; this module asks what the administrator's own tool says of it.

mod computed;
mod database;
mod defaults;
mod entry;
mod notice;
mod print;
mod print_services;
mod references;
mod request;
mod settings;
mod unused;

use std::collections::{BTreeMap, BTreeSet};

use super::builtin::{Builtin, Builtins, Kind, ServiceParameter, Version, service_parameters};
use super::dialect_of;
use super::files::Files;
use super::host::{Host, Resolve};
use crate::source::{Sources, Text};
use crate::syntax::expression::{Dialect, Meaning, expand_with};
use crate::syntax::main_cf::MainCf;
use crate::syntax::master_cf::MasterCf;
use crate::syntax::name_value::NameValue;

use computed::Computed;
use defaults::BuildDefaults;
use entry::Entry;
use settings::{Assigned, Settings};

pub use notice::{Notice, NoticeKind};
pub use print::{Classes, Show};
pub use request::{FieldRequest, ServiceRequest};

/// What postconf reads and knows before it begins.
#[derive(Debug)]
pub struct Given<'a> {
    /// The version of postconf.
    pub version: Version,
    /// The configuration directory, as it is called in messages.
    pub directory: &'a str,
    /// The value that `config_directory` has before main.cf is read: the directory, when it was chosen by
    /// `-c` or `MAIL_CONFIG`.
    pub config_directory: Option<Text>,
    /// main.cf; `None` for a look at the defaults.
    pub main_cf: Option<&'a MainCf>,
    /// master.cf, when there is one.
    pub master_cf: Option<&'a MasterCf>,
    /// master.cf is read before main.cf, so that it is the first to be complained about.
    pub master_cf_first: bool,
    /// Values that count more than those of main.cf (`-o`).
    pub overrides: Vec<NameValue>,
    /// The machine.
    pub host: Host,
    /// Finds addresses for the names in `inet_interfaces`.
    pub resolve: Resolve,
    /// Whether a Postfix that is installed and has this version is asked for what was fixed when it was
    /// built.
    pub ask_installed: bool,
    /// Where database client files are found, and the place to keep them.
    pub files: Option<(&'a Files, &'a Sources)>,
}

/// The view that postconf has of a configuration.
#[derive(Debug)]
pub struct Postconf {
    version: Version,
    dialect: Dialect,
    builtins: Builtins,
    /// main.cf and master.cf as they are called in messages.
    main_path: String,
    master_path: String,
    main: Settings,
    entries: Vec<Entry>,
    /// The `-o` values of the entries with one name and type.
    spaces: Vec<Settings>,
    /// Parameters that exist because of an entry in master.cf.
    services: BTreeMap<Vec<u8>, &'static ServiceParameter>,
    /// User-defined names that are known to main.cf.
    users: BTreeSet<Vec<u8>>,
    /// Legacy names that are set, and count as user-defined since.
    revived: BTreeSet<&'static str>,
    computed: Computed,
    build_defaults: BuildDefaults,
    /// What was said before anything is printed.
    notices: Vec<Notice>,
}

/// Where a parameter comes from (`src/postconf/postconf.h`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Built into Postfix.
    Builtin,
    /// Made of the name of a service.
    Service,
    /// Defined by the configuration.
    User,
    /// Known for the sake of old configurations only.
    Legacy,
}

/// Whose values a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// Nothing but defaults.
    Defaults,
    /// main.cf and defaults.
    Main,
    /// An entry of master.cf, then main.cf and defaults.
    Entry(usize),
}

impl Postconf {
    /// Reads a configuration as postconf does.
    pub fn read(given: Given<'_>) -> Self {
        let version = given.version;
        let mut postconf = Self {
            version,
            dialect: dialect_of(version),
            builtins: Builtins::of(version),
            main_path: format!("{}/main.cf", given.directory),
            master_path: format!("{}/master.cf", given.directory),
            main: Settings::default(),
            entries: Vec::new(),
            spaces: Vec::new(),
            services: BTreeMap::new(),
            users: BTreeSet::new(),
            revived: BTreeSet::new(),
            computed: Computed::new(given.host, given.resolve),
            build_defaults: BuildDefaults::new(given.ask_installed),
            notices: Vec::new(),
        };
        if given.master_cf_first {
            postconf.read_master_cf(given.master_cf);
        }
        postconf.read_main_cf(given.main_cf, given.config_directory, given.overrides);
        if !given.master_cf_first {
            postconf.read_master_cf(given.master_cf);
        }
        if given.main_cf.is_some() {
            postconf.register_user_parameters(given.files);
        }
        postconf
    }

    fn read_main_cf(
        &mut self,
        main_cf: Option<&MainCf>,
        config_directory: Option<Text>,
        overrides: Vec<NameValue>,
    ) {
        if let Some(value) = config_directory {
            self.main.set(Assigned {
                name: Text::placeless("config_directory"),
                value,
                span: None,
            });
        }
        let Some(main_cf) = main_cf else { return };
        self.main
            .load(main_cf, &self.main_path, self.version, &mut self.notices);
        for pair in overrides {
            self.main.set(Assigned {
                name: pair.name,
                value: pair.value,
                span: None,
            });
        }
    }

    /// Reads the entries, and what their names and `-o` bring about.
    fn read_master_cf(&mut self, master_cf: Option<&MasterCf>) {
        let Some(master_cf) = master_cf else { return };
        self.entries = entry::read(
            master_cf,
            &self.master_path,
            self.version,
            &mut self.notices,
        );
        let mut spaces: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for entry in &mut self.entries {
            let command = entry.command().as_str();
            for parameter in service_parameters(command, self.version) {
                let mut name = entry.service().as_bytes().to_vec();
                name.extend_from_slice(parameter.suffix.as_bytes());
                self.services.insert(name, parameter);
            }
            let name_space = entry.name_space().as_bytes().to_vec();
            for assigned in entry.overrides(self.version) {
                let space = *spaces.entry(name_space.clone()).or_insert_with(|| {
                    self.spaces.push(Settings::default());
                    self.spaces.len() - 1
                });
                self.spaces[space].set(assigned);
            }
            entry.space = spaces.get(&name_space).copied();
        }
    }

    /// What postconf says before it prints anything.
    pub fn notices(&self) -> &[Notice] {
        &self.notices
    }

    /// Where a name comes from; `None` for one that is not known.
    pub fn class(&self, name: &[u8]) -> Option<Class> {
        if self.services.contains_key(name) {
            return Some(Class::Service);
        }
        if let Some(builtin) = self.builtin(name) {
            return Some(if !builtin.is_legacy(self.version) {
                Class::Builtin
            } else if self.revived.contains(builtin.name()) {
                Class::User
            } else {
                Class::Legacy
            });
        }
        self.users.contains(name).then_some(Class::User)
    }

    fn builtin(&self, name: &[u8]) -> Option<&'static Builtin> {
        self.builtins.get(str::from_utf8(name).ok()?)
    }

    /// Whether Postfix leaves the value of a parameter to the program that uses it.
    fn is_raw(&self, name: &[u8]) -> bool {
        self.builtin(name)
            .is_some_and(|builtin| builtin.kind(self.version) == Kind::Raw)
    }

    /// The value of a name (`pcf_lookup_parameter_value`).
    fn lookup(&self, name: &[u8], scope: Scope) -> Option<Text> {
        if let Scope::Entry(index) = scope {
            let entry = &self.entries[index];
            if self.version >= Version::release(3, 3, 0) {
                match name {
                    b"process_name" => return Some(entry.process_name()),
                    b"service_name" => return Some(entry.service().clone()),
                    _ => {}
                }
            }
            let own = entry.space.and_then(|space| self.spaces[space].get(name));
            if let Some(assigned) = own {
                return Some(assigned.value.clone());
            }
        }
        if scope != Scope::Defaults
            && let Some(assigned) = self.main.get(name)
        {
            return Some(assigned.value.clone());
        }
        self.default(name, scope)
    }

    /// Expands a value (`pcf_expand_parameter_value`); `said` gets what is said meanwhile.
    ///
    /// # Errors
    /// postconf gives up; the last thing said is fatal.
    fn expand(&self, value: &Text, scope: Scope, said: &mut Vec<Notice>) -> Result<Text, GaveUp> {
        let lookup = |name: &str| self.lookup(name.as_bytes(), scope);
        self.expand_with(value, "macro processing error", &lookup, said)
    }

    /// As [`Postconf::expand`], with the names of a list of settings only (`dict_eval`).
    fn expand_within(
        &self,
        value: &Text,
        settings: &Settings,
        list: &str,
        said: &mut Vec<Notice>,
    ) -> Result<Text, GaveUp> {
        let fatal = format!("dictionary {list}: macro processing error");
        let lookup = |name: &str| {
            let assigned = settings.get(name.as_bytes());
            assigned.map(|assigned| assigned.value.clone())
        };
        self.expand_with(value, &fatal, &lookup, said)
    }

    fn expand_with(
        &self,
        value: &Text,
        fatal: &str,
        lookup: &dyn Fn(&str) -> Option<Text>,
        said: &mut Vec<Notice>,
    ) -> Result<Text, GaveUp> {
        let keeps_raw = self.version >= Version::release(3, 11, 0);
        let lookup = |name: &str| {
            let value = lookup(name)?;
            Some(if keeps_raw && self.is_raw(name.as_bytes()) {
                Meaning::Verbatim(value)
            } else {
                Meaning::Value(value)
            })
        };
        let (text, errors) = expand_with(value, self.dialect, &lookup);
        let mut has_ended = false;
        for error in errors {
            has_ended = error.kind.ends_program();
            let kind = if has_ended {
                NoticeKind::Unusable
            } else {
                NoticeKind::MalformedExpression
            };
            said.push(Notice::new(kind, error.message).at(value.span()));
        }
        if text.is_none() && !has_ended {
            said.push(Notice::new(NoticeKind::Unusable, fatal).at(value.span()));
        }
        text.ok_or(GaveUp)
    }
}

/// postconf has said why it does not go on.
#[derive(Clone, Copy, Debug)]
struct GaveUp;

#[cfg(test)]
mod tests;
