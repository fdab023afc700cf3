//! Whom the tables name: the recipients of a domain, where they can be read.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::{SourceFormat, Table};
use crate::instance::users::Users;

/// So many entries of a table are looked at.
const MOST_ENTRIES: usize = 100_000;

/// The names that tables have in a domain.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// What stands before `@domain`, in lower case, in the order of the tables, each once.
    pub names: Vec<String>,
    /// There are no others: all tables can be read to the end, and none has everybody in it.
    pub is_complete: bool,
}

impl Service<'_> {
    /// The names in a domain that the tables of a parameter have as `name@domain`.
    pub fn names_in(&self, parameter: &'static str, domain: &str) -> Names {
        let mut seen = BTreeSet::new();
        let mut names = Vec::new();
        let is_complete = self.visit_names(parameter, domain, &mut |name| {
            if seen.insert(name.to_owned()) {
                names.push(name.to_owned());
            }
            true
        });
        Names { names, is_complete }
    }

    /// The first of the names in a domain, in the order of the tables, for which `find` gives something.
    pub fn find_name<T>(
        &self,
        parameter: &'static str,
        domain: &str,
        mut find: impl FnMut(&str) -> Option<T>,
    ) -> Option<T> {
        let mut found = None;
        self.visit_names(parameter, domain, &mut |name| {
            found = find(name);
            found.is_none()
        });
        found
    }

    /// Shows the names in a domain to `visit`, until that gives false. Whether these are all.
    fn visit_names(
        &self,
        parameter: &'static str,
        domain: &str,
        visit: &mut dyn FnMut(&str) -> bool,
    ) -> bool {
        let suffix = format!("@{domain}");
        let mut is_complete = true;
        let mut entries = 0;
        let mut take = |key: &[u8]| {
            entries += 1;
            let Some(at) = key.len().checked_sub(suffix.len()) else {
                return true;
            };
            if !key[at..].eq_ignore_ascii_case(suffix.as_bytes()) {
                return true;
            }
            let name = String::from_utf8_lossy(&key[..at]).to_lowercase();
            if name.is_empty() {
                is_complete = false;
                return true;
            }
            visit(&name)
        };
        let mut is_readable = true;
        for table in self.scope().maps(parameter, "smtpd").tables {
            let mut left = MOST_ENTRIES;
            let mut goes_on = true;
            let visited = table.visit_keys(&mut |key| {
                let is_left = left > 0;
                left = left.saturating_sub(1);
                goes_on = !is_left || take(key);
                is_left && goes_on
            });
            is_readable &= visited.is_some();
            if !goes_on {
                break;
            }
        }
        is_complete && is_readable && entries < MOST_ENTRIES
    }

    /// All recipients in a domain of ours; `None` where that cannot be known.
    pub fn recipients_of(&self, domain: &str) -> Option<Vec<String>> {
        let class = self.instance.class_of(domain)?;
        if class == Class::Local {
            return self.local_names();
        }
        let recipients = class.facts().recipients?;
        // Not all of a table that long is read: the names would not be complete.
        let tables = self.scope().maps(recipients, "smtpd").tables;
        let is_long =
            |table: &Arc<Table>| table.keys().is_some_and(|keys| keys.len() >= MOST_ENTRIES);
        if tables.iter().any(is_long) {
            return None;
        }
        let found = self.names_in(recipients, domain);
        (found.is_complete && !found.names.is_empty()).then_some(found.names)
    }

    /// The users and the aliases.
    fn local_names(&self) -> Option<Vec<String>> {
        let Users::All(users) = self.instance.users() else {
            return None;
        };
        let mut names: Vec<String> = users.iter().cloned().collect();
        for table in self.scope().maps("alias_maps", "local").tables {
            let keys = table
                .keys()
                .filter(|keys| keys.format() == SourceFormat::Postalias)?;
            names.extend(
                keys.entries()
                    .map(|entry| String::from_utf8_lossy(entry.key()).to_lowercase()),
            );
        }
        names.sort();
        names.dedup();
        Some(names)
    }
}
