//! The types of lookup tables: which exist in which version, what their names mean.

use std::fmt;

use crate::instance::builtin::Version;

/// A type of lookup table, the `type` of `type:name`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the variants are the names of the types")]
pub enum TableType {
    Btree,
    Cdb,
    Cidr,
    Dbm,
    Debug,
    Environ,
    Fail,
    Hash,
    Inline,
    Internal,
    Ldap,
    Lmdb,
    Memcache,
    Mongodb,
    Mysql,
    Netinfo,
    Nis,
    Nisplus,
    Pcre,
    Pgsql,
    Pipemap,
    Proxy,
    Randmap,
    Regexp,
    Sdbm,
    Socketmap,
    Sqlite,
    Static,
    Tcp,
    Texthash,
    Unionmap,
    Unix,
}

/// What the `name` of a reference is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameKind {
    /// The path of an index, without the suffix.
    Index,
    /// The path of a text file, or `{…}` where inline patterns are known.
    TextFile,
    /// The path of a client configuration when it starts with `/` or `.`, else a prefix of parameters.
    Client,
    /// Something else.
    Other,
}

struct Facts {
    kind: TableType,
    name: &'static str,
    /// The first version that has it, as (major, minor); (0, 0) for every version.
    since: (u16, u16),
    /// Built into every Postfix; else it depends on the build, or comes from dynamicmaps.cf.
    always: bool,
    name_kind: NameKind,
}

const fn facts(
    kind: TableType,
    name: &'static str,
    since: (u16, u16),
    always: bool,
    name_kind: NameKind,
) -> Facts {
    Facts {
        kind,
        name,
        since,
        always,
        name_kind,
    }
}

/// `DATABASE_README`, `src/util/dict_open.c` and `src/global/mail_dict.c` of each version.
static FACTS: &[Facts] = {
    use NameKind::{Client, Index, Other, TextFile};
    use TableType as T;
    &[
        facts(T::Btree, "btree", (0, 0), false, Index),
        facts(T::Cdb, "cdb", (0, 0), false, Index),
        facts(T::Cidr, "cidr", (0, 0), true, TextFile),
        facts(T::Dbm, "dbm", (0, 0), false, Index),
        facts(T::Debug, "debug", (3, 11), true, Other),
        facts(T::Environ, "environ", (0, 0), true, Other),
        facts(T::Fail, "fail", (2, 9), true, Other),
        facts(T::Hash, "hash", (0, 0), false, Index),
        facts(T::Inline, "inline", (3, 0), true, Other),
        facts(T::Internal, "internal", (0, 0), true, Other),
        facts(T::Ldap, "ldap", (0, 0), false, Client),
        facts(T::Lmdb, "lmdb", (2, 11), false, Index),
        facts(T::Memcache, "memcache", (2, 9), true, Client),
        facts(T::Mongodb, "mongodb", (3, 9), false, Client),
        facts(T::Mysql, "mysql", (0, 0), false, Client),
        facts(T::Netinfo, "netinfo", (0, 0), false, Other),
        facts(T::Nis, "nis", (0, 0), false, Other),
        facts(T::Nisplus, "nisplus", (0, 0), false, Other),
        facts(T::Pcre, "pcre", (0, 0), false, TextFile),
        facts(T::Pgsql, "pgsql", (0, 0), false, Client),
        facts(T::Pipemap, "pipemap", (3, 0), true, Other),
        facts(T::Proxy, "proxy", (0, 0), true, Other),
        facts(T::Randmap, "randmap", (3, 0), true, Other),
        facts(T::Regexp, "regexp", (0, 0), true, TextFile),
        facts(T::Sdbm, "sdbm", (0, 0), false, Index),
        facts(T::Socketmap, "socketmap", (2, 10), true, Other),
        facts(T::Sqlite, "sqlite", (2, 8), false, Client),
        facts(T::Static, "static", (0, 0), true, Other),
        facts(T::Tcp, "tcp", (0, 0), true, Other),
        facts(T::Texthash, "texthash", (2, 8), true, TextFile),
        facts(T::Unionmap, "unionmap", (3, 0), true, Other),
        facts(T::Unix, "unix", (0, 0), true, Other),
    ]
};

/// Whether a type can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It is part of every Postfix of that version.
    Always,
    /// It depends on how Postfix was built, or on a package that adds it to dynamicmaps.cf.
    Depends,
    /// It came with a later version.
    Since {
        /// Its major and minor number.
        major: u16,
        /// See `major`.
        minor: u16,
    },
    /// There is no such type.
    Never,
}

impl TableType {
    /// The type of that name. Names are case sensitive.
    pub fn of(name: &str) -> Option<Self> {
        FACTS
            .iter()
            .find(|facts| facts.name == name)
            .map(|facts| facts.kind)
    }

    /// All types in the order of their names.
    pub fn all() -> impl Iterator<Item = Self> {
        FACTS.iter().map(|facts| facts.kind)
    }

    fn facts(self) -> &'static Facts {
        FACTS
            .iter()
            .find(|facts| facts.kind == self)
            .unwrap_or(&FACTS[0])
    }

    /// The name of the type.
    pub fn as_str(self) -> &'static str {
        self.facts().name
    }

    /// Whether the type can be used in `version`.
    pub fn availability(self, version: Version) -> Availability {
        let facts = self.facts();
        let (major, minor) = facts.since;
        if (version.major, version.minor) < (major, minor) {
            Availability::Since { major, minor }
        } else if facts.always {
            Availability::Always
        } else {
            Availability::Depends
        }
    }

    /// What the name of such a table is.
    pub fn name_kind(self) -> NameKind {
        self.facts().name_kind
    }

    /// Suffixes of the files that a table of this type reads, empty for those that have no index.
    pub fn index_suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Hash | Self::Btree => &[".db"],
            Self::Lmdb => &[".lmdb"],
            Self::Cdb => &[".cdb"],
            Self::Dbm | Self::Sdbm => &[".dir", ".pag"],
            _ => &[],
        }
    }

    /// Whether the tables are lookups in an index that postmap(1) or postalias(1) builds.
    pub fn is_indexed(self) -> bool {
        !self.index_suffixes().is_empty()
    }

    /// Whether `{…}` in the place of the file name holds the rules (Postfix 3.7).
    pub fn has_inline_rules(self) -> bool {
        matches!(self, Self::Regexp | Self::Pcre | Self::Cidr)
    }
}

impl fmt::Display for TableType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether `name` is a table type of `version`, be it built in or added by a package.
pub fn is_known_type(name: &str, version: Version) -> bool {
    TableType::of(name).is_some_and(|kind| {
        matches!(
            kind.availability(version),
            Availability::Always | Availability::Depends
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_their_versions() {
        let old = Version::release(2, 10, 0);
        assert!(is_known_type("hash", old) && !is_known_type("HASH", old));
        assert!(!is_known_type("pipemap", old));
        assert!(is_known_type("pipemap", Version::release(3, 0, 0)));
        assert_eq!(
            TableType::Debug.availability(Version::release(3, 7, 11)),
            Availability::Since {
                major: 3,
                minor: 11
            }
        );
    }

    #[test]
    fn facts_are_sorted_and_complete() {
        assert!(FACTS.is_sorted_by_key(|facts| facts.name));
        for kind in TableType::all() {
            assert_eq!(TableType::of(kind.as_str()), Some(kind));
        }
    }
}
