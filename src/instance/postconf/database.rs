//! References to tables in values, and the names that their clients know (`src/postconf/postconf_dbms.c`).
//!
//! A reference `mysql:/file` names a file with the client's parameters. A reference `mysql:name` is of the
//! old kind: the parameters stand in main.cf, behind `name_`.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::notice::{Notice, NoticeKind};
use super::settings::Settings;
use super::{Postconf, Scope};
use crate::instance::builtin::{Version, client_parameters};
use crate::instance::files::{Files, Location, Opened};
use crate::source::{Source, Sources, Text, error_text};
use crate::syntax::braces::{self, COMMA_SPACE};
use crate::syntax::main_cf::MainCf;

/// The files that were looked at.
pub(super) struct Visit<'a> {
    files: Option<(&'a Files, &'a Sources)>,
    seen: BTreeSet<(String, String)>,
}

impl<'a> Visit<'a> {
    pub(super) fn new(files: Option<(&'a Files, &'a Sources)>) -> Self {
        Self {
            files,
            seen: BTreeSet::new(),
        }
    }
}

/// The database types whose clients have parameters.
const CLIENTS: [&str; 6] = ["ldap", "mysql", "pgsql", "sqlite", "memcache", "mongodb"];

impl Postconf {
    /// `pcf_register_dbms_parameters`.
    pub(super) fn search_tables(&mut self, value: &Text, scope: Scope, visit: &mut Visit<'_>) {
        let mut said = Vec::new();
        let expanded = self.expand(value, scope, &mut said);
        self.notices.extend(said);
        if let Ok(value) = expanded {
            self.search_words(&value, scope, visit, true);
        }
    }

    /// `pcf_register_dbms_helper`. `into_braces` is not set within inline patterns, whose `{` are their own.
    fn search_words(
        &mut self,
        value: &Text,
        scope: Scope,
        visit: &mut Visit<'_>,
        into_braces: bool,
    ) {
        // Nearly all values name no table: not worth cutting them up.
        if memchr::memchr3(b':', b'{', b'#', value.as_bytes()).is_none() {
            return;
        }
        let knows_braces = self.version >= Version::release(3, 0, 0);
        let mut at = 0;
        while let Some((word, next)) = token(value, at, knows_braces) {
            at = next;
            let first = word.as_bytes().first().copied().unwrap_or(0);
            if first == b'#' && self.version >= Version::release(3, 8, 0) {
                let message = format!(
                    "{}: #comment after other text is not allowed: {word} {}...",
                    self.path(scope),
                    value.slice(next..next + 20)
                );
                let notice = Notice::new(NoticeKind::Comment, message);
                self.notices.push(notice.at(word.span()));
                return;
            }
            if first == b'{' && self.version >= Version::release(3, 5, 0) {
                let inner = self.open_braces(&word, scope);
                if into_braces {
                    self.search_words(&inner, scope, visit, true);
                }
                continue;
            }
            if let Some((kind, name)) = self.table(&word) {
                self.look_at_table(kind.as_str(), &name, scope, visit, into_braces);
            }
        }
    }

    /// The type and the name of a table, without the names of other tables that it is wrapped in.
    fn table(&self, word: &Text) -> Option<(Text, Text)> {
        let mut rest = word.clone();
        loop {
            let colon = memchr::memchr(b':', rest.as_bytes())?;
            let kind = rest.slice(0..colon);
            rest = rest.slice(colon + 1..rest.len());
            let is_wrapper =
                kind == "proxy" || (kind == "debug" && self.version >= Version::release(3, 11, 0));
            if !is_wrapper {
                return Some((kind, rest));
            }
        }
    }

    fn look_at_table(
        &mut self,
        kind: &str,
        name: &Text,
        scope: Scope,
        visit: &mut Visit<'_>,
        into_braces: bool,
    ) {
        let client = CLIENTS
            .iter()
            .copied()
            .find(|client| *client == kind)
            .filter(|client| client_parameters(client, self.version).next().is_some());
        match name.as_bytes().first() {
            Some(b'/') => {
                if let Some(client) = client
                    && self.version >= Version::release(3, 3, 0)
                {
                    self.check_client(client, name, visit);
                }
            }
            Some(b'.') => {}
            Some(b'{') if self.version >= Version::release(3, 0, 0) => {
                let inner = self.open_braces(name, scope);
                let is_pattern = matches!(kind, "regexp" | "pcre");
                let into_braces =
                    into_braces && !(is_pattern && self.version >= Version::release(3, 8, 0));
                self.search_words(&inner, scope, visit, into_braces);
            }
            _ => {
                let suffixes = client.map(|client| client_parameters(client, self.version));
                for suffix in suffixes.into_iter().flatten() {
                    let mut parameter = name.clone();
                    parameter.push(&Text::placeless("_"));
                    parameter.push(&Text::placeless(suffix));
                    self.refer_to(&parameter, scope, true);
                }
            }
        }
    }

    fn open_braces(&mut self, word: &Text, scope: Scope) -> Text {
        let (inner, error) = braces::open(word, false);
        if let Some(error) = error {
            let has_full_path = self.version >= Version::release(3, 8, 0);
            let file = match (has_full_path, scope) {
                (true, _) => self.path(scope),
                (false, Scope::Entry(_)) => "master.cf",
                (false, _) => "main.cf",
            };
            let message = match scope {
                Scope::Entry(index) => {
                    format!("{file}:{}: {error}", self.entries[index].name_space())
                }
                Scope::Main | Scope::Defaults => format!("{file}: {error}"),
            };
            let notice = Notice::new(NoticeKind::Braces, message);
            self.notices.push(notice.at(word.span()));
        }
        inner
    }

    /// `pcf_check_dbms_client`.
    fn check_client(&mut self, client: &'static str, name: &Text, visit: &mut Visit<'_>) {
        let path = name.as_str();
        let Some((files, sources)) = visit.files else {
            return;
        };
        if !visit.seen.insert((client.to_owned(), path.to_owned())) {
            return;
        }
        let source = match open(files, sources, path) {
            Ok(Some(source)) => source,
            Ok(None) => return,
            Err(reason) => {
                let message = format!("open \"{client}\" configuration \"{path}\": {reason}");
                let notice = Notice::new(NoticeKind::UnreadableClient, message);
                self.notices.push(notice.at(name.span()));
                return;
            }
        };
        let file = MainCf::parse(source);
        let mut settings = Settings::default();
        settings.load(&file, path, self.version, &mut self.notices);
        let mut known = client_parameters(client, self.version).peekable();
        for assigned in settings.iter() {
            let name = assigned.name.as_bytes();
            while known.peek().is_some_and(|known| known.as_bytes() < name) {
                known.next();
            }
            if known.peek().is_some_and(|known| known.as_bytes() == name) {
                continue;
            }
            let message = format!(
                "{client}:{path}: unused parameter: {}={}",
                assigned.name, assigned.value
            );
            let notice = Notice::new(NoticeKind::UnusedInClient, message).of(&assigned.name);
            self.notices.push(notice.at(assigned.span));
        }
    }
}

/// The source of a client file; `None` where postconf says nothing about not having one.
fn open(files: &Files, sources: &Sources, path: &str) -> Result<Option<Arc<Source>>, String> {
    let Location::Here(here) = files.locate(path) else {
        return Ok(None);
    };
    // Passwords are in there: not everybody may read it.
    match std::fs::metadata(&here) {
        Ok(metadata) if !metadata.is_file() => return Err("not a regular file".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) if sources.find(&here).is_none() => return Err(error_text(&error)),
        _ => {}
    }
    match files.open_path(&here, sources) {
        Opened::Found(source) => Ok(Some(source)),
        _ => Ok(None),
    }
}

/// The next word from `at` on, and the offset after it and its separator (`mystrtokq`).
fn token(text: &Text, at: usize, braces: bool) -> Option<(Text, usize)> {
    let bytes = text.as_bytes();
    let is_separator = |byte: &u8| COMMA_SPACE.contains(byte);
    let start = at
        + bytes
            .get(at..)?
            .iter()
            .position(|byte| !is_separator(byte))?;
    let mut depth = 0_usize;
    for (end, byte) in bytes.iter().enumerate().skip(start) {
        match byte {
            b'{' if braces => depth += 1,
            b'}' if braces => depth = depth.saturating_sub(1),
            byte if depth == 0 && is_separator(byte) => {
                return Some((text.slice(start..end), end + 1));
            }
            _ => {}
        }
    }
    Some((text.slice(start..bytes.len()), bytes.len()))
}
