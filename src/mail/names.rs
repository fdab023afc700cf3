//! Whom the tables name: the recipients of a domain, where they can be read.

use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::SourceFormat;
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
        let suffix = format!("@{domain}");
        let mut found = Names {
            names: Vec::new(),
            is_complete: true,
        };
        for table in self.scope().maps(parameter, "smtpd").tables {
            let keys: Vec<String> = match (table.keys(), table.inline()) {
                (Some(keys), _) => keys
                    .entries()
                    .take(MOST_ENTRIES)
                    .map(|entry| String::from_utf8_lossy(entry.key()).to_lowercase())
                    .collect(),
                (_, Some(inline)) => {
                    let keys = inline.entries().iter();
                    keys.map(|entry| entry.key.to_string().to_lowercase())
                        .collect()
                }
                _ => Vec::new(),
            };
            let is_readable = table.keys().is_some() || table.inline().is_some();
            found.is_complete &= is_readable && keys.len() < MOST_ENTRIES;
            for key in keys {
                match key.strip_suffix(&suffix) {
                    Some("") => found.is_complete = false,
                    Some(name) => found.names.push(name.to_owned()),
                    None => {}
                }
            }
        }
        let mut seen = std::collections::BTreeSet::new();
        found.names.retain(|name| seen.insert(name.clone()));
        found
    }

    /// All recipients in a domain of ours; `None` where that cannot be known.
    pub fn recipients_of(&self, domain: &str) -> Option<Vec<String>> {
        let class = self.instance.class_of(domain)?;
        if class == Class::Local {
            return self.local_names();
        }
        let found = self.names_in(class.facts().recipients?, domain);
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
