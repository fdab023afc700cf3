//! Opening tables: what a table needs from the instance that it belongs to.

use std::sync::Arc;

use super::Table;
use super::accounts::Accounts;
use super::entry::SourceFormat;
use super::reference::Reference;
use crate::instance::builtin::Version;
use crate::source::Source;
use crate::syntax::cidr_table::CidrSyntax;
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

    /// The accounts of the machine.
    fn accounts(&self) -> Arc<dyn Accounts>;

    /// What the instance says.
    fn settings(&self) -> TableSettings;
}
