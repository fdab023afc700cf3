//! Opening what parameters name: tables, lists of patterns, words (`src/global/maps.c`, `src/util/dict_open.c`,
//! `src/util/match_list.c`, `src/util/name_mask.c`).

use super::process::{Death, Process, fatal};
use crate::instance::builtin::Version;
use crate::instance::files::Opened;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::instance::table::{Body, NameKind, Reference, TableType, reference};
use crate::instance::text_value::text_value;
use crate::source::Text;

/// So many tables that cannot be used end a program (`src/util/msg.c`).
const TOO_MANY_ERRORS: usize = 13;
/// `/file` within `/file`, deeper than this, is not followed.
const MOST_FILES: usize = 20;

/// How a table is opened, for those who open the same one twice.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// A list of tables with keys that are folded: `maps_create` of most parameters.
    Folded,
    /// As it is written.
    Plain,
    /// An element of a list of patterns.
    List,
}

impl Process<'_> {
    /// Opens the tables of a parameter.
    ///
    /// # Errors
    /// The program ends, or waits for ever.
    pub(super) fn maps(&self, name: &str, way: Way) -> Result<(), Death> {
        self.tables(&self.value(name)?, way)
    }

    /// Opens several tables.
    ///
    /// # Errors
    /// The program ends, or waits for ever.
    pub(super) fn tables(&self, value: &Text, way: Way) -> Result<(), Death> {
        for piece in value.words_outside_braces(LIST_SEPARATORS) {
            self.table(&piece, way)?;
        }
        Ok(())
    }

    /// Opens one table.
    ///
    /// # Errors
    /// The program ends, or waits for ever.
    pub(super) fn table(&self, piece: &Text, way: Way) -> Result<(), Death> {
        match reference::parse(piece, self.version()) {
            Ok(reference) => self.open(&reference, way),
            // Postfix 3.12 goes on with a table that answers nothing.
            Err(malformed) if self.version() >= Version::release(3, 12, 0) => {
                self.unusable(&malformed.written, way, &malformed.message)
            }
            Err(malformed) => fatal(malformed.message),
        }
    }

    fn open(&self, reference: &Reference, way: Way) -> Result<(), Death> {
        if let Some(proxies) = self.proxies.as_ref().filter(|_| reference.proxy) {
            let table = reference.to_string();
            if proxies.is_approved(&table)? {
                return Ok(());
            }
            let message = format!("proxymap service is not configured for table \"{table}\"");
            if self.version() >= Version::release(3, 11, 0) {
                return self.unusable(&reference.written, way, &message);
            }
            return fatal(message);
        }
        if let Body::Members(members) = &reference.body {
            for member in members {
                self.open(member, way)?;
            }
        }
        match self.open_error(reference)? {
            Some(message) => self.unusable(&reference.written, way, &message),
            None => Ok(()),
        }
    }

    /// Why a table cannot be used, as far as that shows without reading it.
    fn open_error(&self, reference: &Reference) -> Result<Option<String>, Death> {
        let instance = self.instance();
        if let Body::Unusable(message) = &reference.body {
            return Ok(Some(message.clone()));
        }
        let Some(kind) = reference.table_type else {
            return Ok(Some(format!(
                "unsupported dictionary type: {}",
                reference.type_name
            )));
        };
        let is_missing = |path: &str| instance.open_exists(path) == Some(false);
        let missing =
            |what: &str, path: &str| Ok(Some(format!("{what} {path}: No such file or directory")));
        let name = reference.name.as_str();
        match kind.name_kind() {
            NameKind::Index => match reference.index_paths().first() {
                Some(index) if is_missing(index) && is_missing(name) => {
                    missing("open database", index)
                }
                _ => Ok(None),
            },
            NameKind::TextFile if reference.body == Body::Name => {
                if is_missing(name) {
                    let what = if kind == TableType::Texthash {
                        "open database"
                    } else {
                        "open"
                    };
                    return missing(what, name);
                }
                match kind {
                    TableType::Texthash if self.is_directory(name) => {
                        fatal(format!("read {name}: Is a directory"))
                    }
                    TableType::Cidr if self.is_directory(name) => {
                        fatal(format!("cidr map {name}: read error: Is a directory"))
                    }
                    _ => Ok(None),
                }
            }
            NameKind::Client if name.starts_with(['/', '.']) && is_missing(name) => {
                missing("open", name)
            }
            _ => Ok(None),
        }
    }

    fn is_directory(&self, path: &str) -> bool {
        use crate::instance::files::Location;
        match self.instance().files().locate(path) {
            Location::Here(path) => path.is_dir(),
            Location::Elsewhere => false,
        }
    }

    /// Counts a table that cannot be used.
    fn unusable(&self, written: &Text, way: Way, message: &str) -> Result<(), Death> {
        if !self
            .opened
            .borrow_mut()
            .insert(format!("{written} {way:?}"))
        {
            return Ok(());
        }
        if self.is_on("daemon_table_open_error_is_fatal")? {
            return fatal(message);
        }
        self.errors.set(self.errors.get() + 1);
        if self.errors.get() >= TOO_MANY_ERRORS {
            return fatal("too many errors - program terminated");
        }
        Ok(())
    }

    /// Reads a list of patterns.
    ///
    /// # Errors
    /// The program ends, or waits for ever.
    pub(super) fn list(&self, name: &str) -> Result<(), Death> {
        self.patterns(name, &self.value(name)?, 0)
    }

    fn patterns(&self, name: &str, value: &Text, depth: usize) -> Result<(), Death> {
        for word in value.words_outside_braces(LIST_SEPARATORS) {
            let text = word.as_str();
            if text.starts_with('#') {
                break;
            }
            let marks = text.bytes().take_while(|&byte| byte == b'!').count();
            let item = word.slice(marks..word.len());
            if item.is_empty() {
                let who = if self.version() < Version::release(3, 0, 0) {
                    "match_list_parse"
                } else {
                    name
                };
                return fatal(format!("{who}: no pattern after '!'"));
            }
            if item.as_str().starts_with('/') {
                self.pattern_file(name, item.as_str(), depth)?;
            } else if item.as_bytes().contains(&b':') && !item.as_str().starts_with('[') {
                self.table(&item, Way::List)?;
            }
        }
        Ok(())
    }

    fn pattern_file(&self, name: &str, path: &str, depth: usize) -> Result<(), Death> {
        if self.is_directory(path) {
            return fatal(format!(
                "match_list_parse: read file {path}: Is a directory"
            ));
        }
        let instance = self.instance();
        let Opened::Found(source) = instance.files().open(path, instance.sources()) else {
            return Ok(());
        };
        if depth >= MOST_FILES {
            return Ok(());
        }
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let end = start + line.len();
            if !line.starts_with('#') {
                self.patterns(name, &Text::of(&source, start..end), depth + 1)?;
            }
            start = end;
        }
        Ok(())
    }

    /// The list that every daemon reads last (`src/global/resolve_local.c`).
    ///
    /// # Errors
    /// The program ends, or waits for ever.
    pub(super) fn local_domains(&self) -> Result<(), Death> {
        self.list("mydestination")
    }

    /// Looks at a value of words (`name_mask`); `context` is what the complaint calls it.
    ///
    /// # Errors
    /// The program does not know a word, and ends.
    pub(super) fn words(&self, name: &'static str, context: &str) -> Result<(), Death> {
        let value = self.value(name)?;
        match text_value(name).unknown_word(&value, self.version()) {
            Some(word) => fatal(format!("unknown {context} value \"{word}\" in \"{value}\"")),
            None => Ok(()),
        }
    }

    /// Looks at a value that is one word out of several; `complaint` makes the text for another one.
    ///
    /// # Errors
    /// The program does not know the word, and ends.
    pub(super) fn choice(
        &self,
        name: &'static str,
        complaint: impl Fn(&Text) -> String,
    ) -> Result<(), Death> {
        let value = self.value(name)?;
        // A parameter that the version does not have.
        if self.instance().builtins().get(name).is_none()
            || text_value(name).allows(&value, self.version())
        {
            return Ok(());
        }
        fatal(complaint(&value))
    }
}
