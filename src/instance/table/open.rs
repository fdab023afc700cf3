//! Opening tables: what a table needs from the instance that it belongs to.

use std::sync::Arc;

use super::accounts::Accounts;
use super::cidr::CidrTable;
use super::entry::SourceFormat;
use super::inline::InlineTable;
use super::key_table::{KeyTable, KeyTableKind};
use super::live::{LiveTable, Postmap};
use super::lookup::UnknownReason;
use super::patterns::PatternTable;
use super::reference::{Body, Reference};
use super::rule_source::RuleSource;
use super::types::{NameKind, TableType};
use super::{Kind, Surrogate, Table};
use crate::instance::builtin::Version;
use crate::source::{Source, Text};
use crate::syntax::cidr_table::CidrSyntax;
use crate::syntax::pattern_table::Flavour;
use crate::syntax::table::TableSyntax;

/// The outcome of opening a file.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The file.
    Found(Arc<Source>),
    /// There is no such file.
    Missing,
    /// There is something, but it cannot be read: the reason.
    Unreadable(String),
    /// The file belongs to a machine that is not at hand: its contents are unknown.
    Elsewhere,
}

/// What tables need to know of the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableSettings {
    /// The version of Postfix.
    pub version: Version,
    /// `smtputf8_enable`.
    pub utf8: bool,
}

impl TableSettings {
    fn since(self, major: u16, minor: u16) -> bool {
        (self.version.major, self.version.minor) >= (major, minor)
    }

    /// How lines of tables in the format of postmap(1) are read.
    pub fn table_syntax(self) -> TableSyntax {
        TableSyntax {
            quoted_keys: self.since(3, 2),
            utf8: self.utf8 && self.since(3, 0),
        }
    }

    /// How lines of cidr tables are read.
    pub fn cidr_syntax(self) -> CidrSyntax {
        CidrSyntax {
            conditions: self.since(3, 2),
        }
    }
}

/// What opens files and answers for the rest of the machine.
pub trait Opener {
    /// Reads the file that the configuration calls `path`.
    fn open(&self, path: &str) -> Opened;

    /// Opens a table inside another one, or finds it where it was opened before.
    fn open_member(&self, reference: &Reference, format: SourceFormat) -> Arc<Table>;

    /// Whether there is a file that the configuration calls `path`; `None` when that cannot be known.
    fn exists(&self, path: &str) -> Option<bool>;

    /// Whether the file of a table that is called `name` does not exist at all when it is not here.
    fn has_to_be_here(&self, _name: &Text) -> bool {
        true
    }

    /// Whether indexes are here where there are any: sources without them are no proof that nobody built them.
    fn has_indexes(&self) -> bool {
        false
    }

    /// The program that asks tables which are not files; `None` where nobody wants that.
    fn postmap(&self) -> Option<Postmap> {
        None
    }

    /// The absolute path of a file that the configuration calls `path`, as it is to be found here; `None` when it is on
    /// another machine.
    fn path_here(&self, path: &str) -> Option<String> {
        Some(path.to_owned())
    }

    /// The accounts of the machine.
    fn accounts(&self) -> Arc<dyn Accounts>;

    /// What the instance says.
    fn settings(&self) -> TableSettings;
}

impl Table {
    pub(super) fn open_kind(
        reference: &Reference,
        format: SourceFormat,
        opener: &dyn Opener,
    ) -> Kind {
        let open_all = |members: &[Reference]| {
            members
                .iter()
                .map(|member| opener.open_member(member, format))
                .collect()
        };
        let kind = match (reference.table_type, &reference.body) {
            (_, Body::Unusable(message)) => return Kind::surrogate(message.clone()),
            (None, _) => {
                let message = format!("unsupported dictionary type: {}", reference.type_name);
                return Kind::surrogate(message);
            }
            (Some(kind), _) => kind,
        };
        match (kind, &reference.body) {
            (_, Body::Value(value)) => Kind::Static(value.clone()),
            (_, Body::Entries(entries)) => {
                Kind::Inline(InlineTable::new(entries.clone(), opener.settings().utf8))
            }
            (_, Body::Values(values)) => Kind::Random(values.clone()),
            (TableType::Unionmap, Body::Members(members)) => Kind::Union(open_all(members)),
            (TableType::Pipemap, Body::Members(members)) => Kind::Pipe(open_all(members)),
            (_, Body::Members(members)) => Kind::Wrapped(open_all(members)),
            (_, Body::Rules(rules)) => Self::rules(kind, RuleSource::Inline(rules.clone()), opener),
            (TableType::Regexp | TableType::Pcre | TableType::Cidr, _) => {
                match Self::text(reference, opener, "open") {
                    Ok(source) => Self::rules(kind, RuleSource::File(source), opener),
                    Err(kind) => kind,
                }
            }
            (TableType::Texthash, _) => match Self::text(reference, opener, "open database") {
                Ok(source) => Kind::Keys(Box::new(KeyTable::new(
                    source,
                    SourceFormat::Postmap,
                    opener.settings().table_syntax(),
                    KeyTableKind::Texthash,
                ))),
                Err(kind) => kind,
            },
            (TableType::Fail, _) => Kind::Fail,
            (TableType::Internal, _) => Kind::Empty,
            (TableType::Environ, _) => Kind::Unknown(UnknownReason::Environment),
            (TableType::Unix, _) if reference.name == "passwd.byname" => {
                Kind::Passwd(opener.accounts())
            }
            (TableType::Unix, _) => Kind::Group(opener.accounts()),
            (kind, _) if kind.is_indexed() => Self::indexed(reference, format, opener),
            _ => Kind::client(reference, opener),
        }
    }

    fn rules(kind: TableType, source: RuleSource, opener: &dyn Opener) -> Kind {
        match kind {
            TableType::Regexp => Kind::Patterns(PatternTable::load(Flavour::Regexp, source)),
            TableType::Pcre => Kind::Patterns(PatternTable::load(Flavour::Pcre, source)),
            _ => Kind::Cidr(CidrTable::load(source, opener.settings().cidr_syntax())),
        }
    }

    /// The file of a table that is read as text.
    fn text(reference: &Reference, opener: &dyn Opener, what: &str) -> Result<Arc<Source>, Kind> {
        let path = reference.name.to_string();
        match opener.open(&path) {
            Opened::Found(source) => Ok(source),
            Opened::Missing => Err(Kind::missing(what, &path, reference, opener)),
            Opened::Unreadable(error) => {
                Err(Kind::Unknown(UnknownReason::Unreadable { path, error }))
            }
            Opened::Elsewhere => Err(Kind::Unknown(UnknownReason::Elsewhere { path })),
        }
    }

    /// An indexed table by its source. Postfix reads the index alone, so without a source the answers are
    /// those of an index that we do not read, or none at all.
    fn indexed(reference: &Reference, format: SourceFormat, opener: &dyn Opener) -> Kind {
        let path = reference.name.to_string();
        match opener.open(&path) {
            Opened::Found(source) => {
                let syntax = opener.settings().table_syntax();
                let table = KeyTable::new(source, format, syntax, KeyTableKind::Indexed);
                let is_missing = |index: &String| opener.exists(index) == Some(false);
                let missing = reference.index_paths().into_iter().find(is_missing);
                Kind::Keys(Box::new(match missing {
                    Some(index) if opener.has_indexes() => {
                        table.without_index(no_such_file("open database", &index))
                    }
                    _ => table,
                }))
            }
            Opened::Missing => {
                let index = reference.index_paths().into_iter().next();
                let index = index.unwrap_or_else(|| path.clone());
                match opener.exists(&index) {
                    Some(false) => Kind::missing("open database", &index, reference, opener),
                    Some(true) => Kind::Unknown(UnknownReason::IndexOnly { path: index }),
                    None => Kind::Unknown(UnknownReason::Elsewhere { path: index }),
                }
            }
            Opened::Unreadable(error) => Kind::Unknown(UnknownReason::Unreadable { path, error }),
            Opened::Elsewhere => Kind::Unknown(UnknownReason::Elsewhere { path }),
        }
    }
}

impl Kind {
    /// A table that cannot be used, for certain.
    fn surrogate(message: String) -> Self {
        Self::Surrogate(Surrogate {
            message,
            may_be_elsewhere: false,
        })
    }

    /// A table that a server or a library answers for.
    fn client(reference: &Reference, opener: &dyn Opener) -> Self {
        let Some(postmap) = opener.postmap() else {
            return Self::Unknown(UnknownReason::Client);
        };
        let is_file = reference.table_type.map(TableType::name_kind) == Some(NameKind::Client)
            && reference.name.as_str().starts_with(['/', '.']);
        let name = reference.name.as_str();
        let name = if is_file {
            opener.path_here(name)
        } else {
            Some(name.to_owned())
        };
        match name {
            Some(name) => {
                let table = format!("{}:{name}", reference.type_name);
                Self::Live(Box::new(LiveTable::new(postmap, table)))
            }
            None => Self::Unknown(UnknownReason::Elsewhere {
                path: reference.name.to_string(),
            }),
        }
    }

    /// A table whose file `path` is not here.
    fn missing(what: &str, path: &str, reference: &Reference, opener: &dyn Opener) -> Self {
        Self::Surrogate(Surrogate {
            message: no_such_file(what, path),
            may_be_elsewhere: !opener.has_to_be_here(&reference.name),
        })
    }
}

fn no_such_file(what: &str, path: &str) -> String {
    format!("{what} {path}: No such file or directory")
}
