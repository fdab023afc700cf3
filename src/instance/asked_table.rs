//! A table that somebody asks by hand: the name is relative to the directory in which he stands, not to the
//! queue directory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Instance;
use super::table::{
    Accounts, Opened, Opener, Postmap, Reference, SourceFormat, Table, TableSettings,
};
use crate::source::Text;

/// Opens the files of a table by names that are relative to a directory.
struct Asked<'i> {
    instance: &'i Instance,
    directory: &'i Path,
    /// Which program made the index, where that is said.
    format: Option<SourceFormat>,
}

impl Instance {
    /// Opens a table by a name that is relative to `directory`, as postmap(1) opens it in a shell that stands
    /// there. `format` is the program that made the index; else what the configuration says of the table.
    pub fn open_asked(
        &self,
        reference: &Reference,
        format: Option<SourceFormat>,
        directory: &Path,
    ) -> Table {
        let asked = Asked {
            instance: self,
            directory,
            format,
        };
        asked.table(reference)
    }
}

impl Asked<'_> {
    fn table(&self, reference: &Reference) -> Table {
        let format = self.format;
        let format = format.unwrap_or_else(|| self.instance.format_of(&reference.to_string()));
        Table::open(reference.clone(), format, self)
    }

    fn absolute(&self, path: &str) -> String {
        let absolute: PathBuf = self.directory.join(path);
        absolute.to_string_lossy().into_owned()
    }
}

impl Opener for Asked<'_> {
    fn open(&self, path: &str) -> Opened {
        Opener::open(self.instance, &self.absolute(path))
    }

    fn open_member(&self, reference: &Reference, _: SourceFormat) -> Arc<Table> {
        Arc::new(self.table(reference))
    }

    fn exists(&self, path: &str) -> Option<bool> {
        Opener::exists(self.instance, &self.absolute(path))
    }

    fn postmap(&self) -> Option<Postmap> {
        Opener::postmap(self.instance)
    }

    fn path_here(&self, path: &str) -> Option<String> {
        Opener::path_here(self.instance, &self.absolute(path))
    }

    fn has_to_be_here(&self, name: &Text) -> bool {
        // What is named by hand is meant to be there, but for what a copy calls its own directory.
        !Path::new(name.as_str()).is_absolute() || Opener::has_to_be_here(self.instance, name)
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Opener::accounts(self.instance)
    }

    fn settings(&self) -> TableSettings {
        Opener::settings(self.instance)
    }
}
