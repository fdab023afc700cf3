//! Which lookup tables a configuration uses, in which parameter, as which service sees it.

use std::collections::BTreeSet;

use super::Instance;
use super::builtin;
use super::parameter::{LIST_SEPARATORS, Parameter, Scope};
use super::table::reference::{self, MalformedReference, Reference};
use crate::source::Text;
use crate::syntax::main_cf::MainCf;

/// How a program reads the parameter that names a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A list of tables: a word that is none ends the program.
    Maps,
    /// A list of domains or networks, in which tables are one kind of element.
    List,
    /// A restriction list.
    Restrictions,
}

/// A table in a parameter.
#[derive(Clone, Debug)]
pub struct TableUse<'i> {
    /// The parameter, in the view of the service that overrides it, else of main.cf.
    pub parameter: Parameter<'i>,
    /// How the parameter is read.
    pub role: Role,
    /// The table, or the word that should be one.
    pub table: Result<Reference, MalformedReference>,
}

/// Lists whose elements can be tables (`src/util/match_list.c`).
const LISTS: [&str; 9] = [
    "debug_peer_list",
    "fast_flush_domains",
    "mydestination",
    "mynetworks",
    "permit_mx_backup_networks",
    "relay_domains",
    "smtpd_client_event_limit_exceptions",
    "virtual_alias_domains",
    "virtual_mailbox_domains",
];

/// How a parameter is read, `None` when it holds no tables.
pub fn role_of(name: &str) -> Option<Role> {
    if LISTS.contains(&name) {
        return Some(Role::List);
    }
    if name.ends_with("_restrictions") {
        return Some(Role::Restrictions);
    }
    // These list tables that are approved, or name a cache, or hold a table for another purpose.
    let is_other = matches!(
        name,
        "proxy_read_maps" | "proxy_write_maps" | "address_verify_map"
    );
    let is_maps = ["_maps", "_checks"].iter().any(|end| name.ends_with(end))
        || matches!(name, "alias_database" | "virtual_maps");
    (is_maps && !is_other).then_some(Role::Maps)
}

impl Instance {
    /// The tables that the settings use: those of main.cf, and those of `-o` options. Defaults are left out,
    /// apart from those that a setting refers to.
    pub fn table_uses(&self) -> Vec<TableUse<'_>> {
        let mut uses = Vec::new();
        let mut seen = BTreeSet::new();
        for setting in self.main_cf().into_iter().flat_map(MainCf::settings) {
            let name = setting.name.to_string();
            if seen.insert(name.clone()) {
                self.add_uses(self.scope(), name, &mut uses);
            }
        }
        for service in self
            .services()
            .filter(|service| !self.is_disabled(service.line))
        {
            let mut seen = BTreeSet::new();
            for setting in &service.line.overrides {
                let name = setting.name.to_string();
                if seen.insert(name.clone()) {
                    self.add_uses(service.scope(), name, &mut uses);
                }
            }
        }
        uses
    }

    fn add_uses<'i>(&'i self, scope: Scope<'i>, name: String, uses: &mut Vec<TableUse<'i>>) {
        let classes = scope.parameter("smtpd_restriction_classes").words();
        let is_class = classes.iter().any(|class| *class == name.as_str());
        let role = if is_class {
            Role::Restrictions
        } else if builtin::parameter(&name).is_some() {
            match role_of(&name) {
                Some(role) => role,
                None => return,
            }
        } else {
            return;
        };
        let parameter = scope.named(name);
        let Ok(value) = parameter.value() else { return };
        for word in value.words_outside_braces(LIST_SEPARATORS) {
            let Some(word) = table_word(&word, role) else {
                continue;
            };
            uses.push(TableUse {
                parameter: parameter.clone(),
                role,
                table: reference::parse(&word, self.version()),
            });
        }
    }
}

/// The part of a word that names a table, `None` for a word that is something else in this kind of list.
fn table_word(word: &Text, role: Role) -> Option<Text> {
    let text = word.as_str();
    match role {
        Role::Maps => Some(word.clone()),
        Role::List => {
            let marks = text.bytes().take_while(|&byte| byte == b'!').count();
            let element = word.slice(marks..word.len());
            let text = element.as_str();
            (text.contains(':') && !text.starts_with(['[', '/', '#'])).then_some(element)
        }
        // `unix:…` and `inet:…` are policy servers; `{ … }` is the long form of other things, too.
        Role::Restrictions => {
            let other = ["unix:", "inet:", "{"]
                .iter()
                .any(|start| text.starts_with(start));
            (text.contains(':') && !other).then(|| word.clone())
        }
    }
}
