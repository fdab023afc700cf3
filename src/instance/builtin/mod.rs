//! The main.cf parameters that Postfix has built in: names, kinds, defaults and limits by version.
//!
//! All facts stand in `builtin.tsv`, which explains its columns. The text is split into rows once; what
//! a row says about a version is read when it is asked for, so that start-up stays cheap and nothing
//! is copied.
//!
//! Names that only a configuration brings into being are elsewhere: [`service_parameters`] for those
//! made from master.cf service names, [`client_parameters`] for database clients.

mod client;
mod service;
mod version;
mod version_set;

use std::sync::LazyLock;

pub use client::client_parameters;
pub use service::{ServiceParameter, service_parameters};
pub use version::{Stage, Version, branches};
pub use version_set::VersionSet;

/// How a program reads a value (`src/global/mail_conf_*.c`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Text; `$name` is expanded, the limits are for its length.
    Str,
    /// Text whose `$name` the program expands itself, later and with names of its own.
    Raw,
    /// A 32 bit number.
    Int,
    /// As `Int`; the default is text to be expanded.
    Nint,
    /// A 64 bit number.
    Long,
    /// `yes` or `no`.
    Bool,
    /// As `Bool`; the default is text to be expanded.
    Nbool,
    /// A number with a unit of time; the limits are in seconds.
    Time,
}

/// What a version has built in for a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How the value is read.
    pub kind: Kind,
    /// No program reads the parameter any more, only the default of its successor refers to it.
    pub legacy: bool,
    /// The smallest length, number or count of seconds.
    pub min: Option<i64>,
    /// The largest length, number or count of seconds.
    pub max: Option<i64>,
    /// The default as `postconf -d` prints it, not expanded. Empty when [`Builtin::is_computed`].
    pub default: &'static str,
}

/// What postconf(1) says about a deprecated parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deprecation {
    /// The parameter to set instead; `None` if there is nothing to set.
    pub replacement: Option<&'static str>,
    /// No program of this version reads the old name.
    pub removed: bool,
}

/// A built-in parameter through all versions.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    name: &'static str,
    exists: VersionSet,
    scope: &'static str,
    flags: &'static str,
    deprecated: VersionSet,
    replacement: &'static str,
    unit: &'static str,
    /// The columns kind to default of the newest version.
    newest: &'static str,
    /// The rows of versions that differ.
    earlier: &'static str,
}

impl Builtin {
    /// The parameter's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The versions that know the parameter, be it as a legacy name.
    pub fn exists(&self) -> VersionSet {
        self.exists
    }

    /// Whether `version` knows the parameter, be it as a legacy name.
    pub fn exists_in(&self, version: Version) -> bool {
        self.exists.contains(version)
    }

    /// What `version` has built in. For a version that does not know the parameter: what the newest
    /// version that does has.
    pub fn definition(&self, version: Version) -> Definition {
        let columns = self.earlier.lines().find_map(|row| {
            let (versions, columns) = row.strip_prefix('\t')?.split_once('\t')?;
            VersionSet::new(versions)
                .contains(version)
                .then_some(columns)
        });
        definition(columns.unwrap_or(self.newest))
    }

    /// How `version` reads the value.
    pub fn kind(&self, version: Version) -> Kind {
        self.definition(version).kind
    }

    /// The default in `version`, not expanded; empty when [`Builtin::is_computed`].
    pub fn default(&self, version: Version) -> &'static str {
        if self.has("release") {
            let release = version.known_release();
            return release.map_or("", |release| match self.name {
                "mail_version" => release.mail_version,
                _ => release.date,
            });
        }
        self.definition(version).default
    }

    /// The unit of a time value without one: `s`, `m`, `h`, `d` or `w`.
    pub fn unit(&self) -> Option<char> {
        self.unit.chars().next()
    }

    /// The programs that read the parameter when they start, sorted; only `all` for what every program
    /// reads. Empty for a name that was never anything but legacy.
    pub fn scope(&self) -> impl Iterator<Item = &'static str> {
        self.scope.split(',').filter(|program| !program.is_empty())
    }

    /// Whether `program` (`smtpd`, `trivial-rewrite`, …) reads the parameter when it starts. An `-o`
    /// for another program has no effect.
    pub fn is_read_by(&self, program: &str) -> bool {
        self.scope()
            .any(|reader| reader == program || reader == "all")
    }

    /// What postconf of `version` says about the name; also for a name which that version has dropped.
    pub fn deprecation(&self, version: Version) -> Option<Deprecation> {
        self.deprecated.contains(version).then(|| Deprecation {
            replacement: (!self.replacement.is_empty()).then_some(self.replacement),
            removed: !self.exists_in(version),
        })
    }

    /// Whether `version` reads the name only through the default of its successor.
    pub fn is_legacy(&self, version: Version) -> bool {
        self.definition(version).legacy
    }

    /// A new value is taken over by stop and start only; reload warns and ignores it.
    pub fn needs_restart(&self) -> bool {
        self.has("restart")
    }

    /// The default is found out when a program starts (`myhostname`, `mydomain`, `mynetworks`, and the
    /// names of the process itself); the table has none.
    pub fn is_computed(&self) -> bool {
        self.has("computed")
    }

    /// The default was chosen when Postfix was built, or depends on the libraries it was built with.
    /// The table says what Debian's package has; an installed postconf knows better.
    pub fn is_fixed_at_build(&self) -> bool {
        self.has("build")
    }

    /// postconf drops an assignment in main.cf (`process_id`, `process_name`, `service_name`).
    pub fn is_read_only(&self) -> bool {
        self.has("readonly")
    }

    fn has(&self, flag: &str) -> bool {
        self.flags.split(',').any(|have| have == flag)
    }
}

/// The built-in parameters of one version.
#[derive(Clone, Copy, Debug)]
pub struct Builtins {
    version: Version,
}

impl Builtins {
    /// The built-in parameters of `version`.
    pub fn of(version: Version) -> Self {
        Self { version }
    }

    /// The version.
    pub fn version(self) -> Version {
        self.version
    }

    /// The parameter, if this version knows it. Names are case sensitive.
    pub fn get(self, name: &str) -> Option<&'static Builtin> {
        parameter(name).filter(|builtin| builtin.exists_in(self.version))
    }

    /// The parameters of this version in the order in which postconf prints them: by the bytes of the
    /// name. Legacy names are among them; `postconf -d` leaves those out.
    pub fn iter(self) -> impl Iterator<Item = &'static Builtin> {
        TABLE
            .iter()
            .filter(move |builtin| builtin.exists_in(self.version))
    }
}

/// The parameter, if any version knows it.
pub fn parameter(name: &str) -> Option<&'static Builtin> {
    let place = TABLE
        .binary_search_by(|builtin| builtin.name.cmp(name))
        .ok()?;
    TABLE.get(place)
}

static TABLE: LazyLock<Vec<Builtin>> = LazyLock::new(|| rows(include_str!("../builtin.tsv")));

/// Splits the table into parameters. A malformed row is left out; the tests see to it that there is
/// none.
fn rows(mut text: &'static str) -> Vec<Builtin> {
    let mut table = Vec::with_capacity(1000);
    while !text.is_empty() {
        let (row, rest) = split_row(text);
        let mut end = 0;
        while rest[end..].starts_with('\t') {
            end += rest.len() - end - split_row(&rest[end..]).1.len();
        }
        let (earlier, rest) = rest.split_at(end);
        text = rest;
        if !row.starts_with('#') {
            table.extend(builtin(row, earlier));
        }
    }
    table
}

fn split_row(text: &str) -> (&str, &str) {
    text.split_once('\n').unwrap_or((text, ""))
}

fn builtin(row: &'static str, earlier: &'static str) -> Option<Builtin> {
    let mut columns = row.splitn(8, '\t');
    Some(Builtin {
        name: columns.next()?,
        exists: VersionSet::new(columns.next()?),
        scope: columns.next()?,
        flags: columns.next()?,
        deprecated: VersionSet::new(columns.next()?),
        replacement: columns.next()?,
        unit: columns.next()?,
        newest: columns.next()?,
        earlier,
    })
}

/// Reads the columns kind, min, max, default.
fn definition(columns: &'static str) -> Definition {
    let mut columns = columns.splitn(4, '\t');
    let mut next = || columns.next().unwrap_or_default();
    let kind = next();
    Definition {
        kind: match kind {
            "raw" => Kind::Raw,
            "int" => Kind::Int,
            "nint" => Kind::Nint,
            "long" => Kind::Long,
            "bool" => Kind::Bool,
            "nbool" => Kind::Nbool,
            "time" => Kind::Time,
            _ => Kind::Str,
        },
        legacy: kind == "legacy",
        min: next().parse().ok(),
        max: next().parse().ok(),
        default: next(),
    }
}

#[cfg(test)]
mod tests;
