//! What could not be looked at on the way to an answer.

use std::fmt;

use crate::instance::Instance;
use crate::instance::table::{Hit, Lookup, TableType};

/// Something that decides about an address and cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What it is, such as `mysql:/etc/postfix/users.cf` or `policy server inet:127.0.0.1:10031`.
    pub what: String,
    /// Why it cannot be looked at.
    pub why: String,
    /// What it was asked.
    pub key: String,
    /// It has only the names that somebody entered, one by one: no query, no pattern.
    pub is_keyed: bool,
}

/// The doubts about an answer, in the order in which they arose, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts(Vec<Doubt>);

/// What a lookup gave, unknown tables taken to know nothing.
pub(super) enum Known {
    /// The first hit.
    Hit(Hit),
    /// No hit.
    Nothing,
    /// The lookup fails: mail is put off.
    Fails,
}

impl Doubts {
    /// Adds a doubt.
    pub fn add(&mut self, doubt: Doubt) {
        let is_new = |known: &Doubt| known.what != doubt.what || known.key != doubt.key;
        if self.0.iter().all(is_new) {
            self.0.push(doubt);
        }
    }

    /// The doubts.
    pub fn iter(&self) -> impl Iterator<Item = &Doubt> {
        self.0.iter()
    }

    /// Whether the answer is certain.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Leaves out what is no doubt for a name that was made up: nobody entered it into a table of names.
    pub fn for_made_up(mut self, local: &str) -> Self {
        self.0
            .retain(|doubt| !(doubt.is_keyed && doubt.key.contains(local)));
        self
    }

    /// What is in doubt, each thing once, to be shown.
    pub fn subjects(&self) -> Vec<String> {
        let mut subjects: Vec<String> = Vec::new();
        for doubt in &self.0 {
            let subject = doubt.to_string();
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }

    /// Takes the doubts out of a lookup.
    pub(super) fn judge(&mut self, instance: &Instance, key: &str, mut answer: Lookup) -> Known {
        while let Lookup::Unknown(unknown) = answer {
            // Names of users and aliases have no domain.
            let is_possible = !(key.contains('@') && has_bare_names(instance, &unknown.table));
            if !is_possible {
                answer = *unknown.otherwise;
                continue;
            }
            self.add(Doubt {
                is_keyed: is_keyed(&unknown.table),
                what: unknown.table,
                why: unknown.reason.to_string(),
                key: key.to_owned(),
            });
            answer = *unknown.otherwise;
        }
        match answer {
            Lookup::Found(hit) => Known::Hit(hit),
            Lookup::OneOf(hits) => hits.into_iter().next().map_or(Known::Nothing, Known::Hit),
            Lookup::NotFound => Known::Nothing,
            // A copy need not be complete: what is missing there may well exist on the machine itself.
            Lookup::Error(error) if !instance.files().is_host() && error.is_missing_file() => {
                let what = error
                    .message
                    .split(" is unavailable. ")
                    .next()
                    .unwrap_or_default();
                self.add(Doubt {
                    what: what.to_owned(),
                    why: "the file is not here".to_owned(),
                    key: key.to_owned(),
                    // Postfix asks a table that is not there for whole addresses only.
                    is_keyed: is_keyed(what) && !key.contains('@'),
                });
                Known::Nothing
            }
            Lookup::Error(_) | Lookup::Unknown(_) => Known::Fails,
        }
    }
}

/// Whether a table has only names without a domain: passwd(5), or aliases(5) in a file or a NIS map.
fn has_bare_names(instance: &Instance, table: &str) -> bool {
    table.starts_with("unix:") || (is_keyed(table) && instance.is_alias_table(table))
}

/// Whether a table, given as `type:name`, has single names only.
fn is_keyed(table: &str) -> bool {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let kind = table.split(':').next().and_then(TableType::of);
    kind.is_some_and(|kind| {
        kind.is_indexed()
            || matches!(
                kind,
                TableType::Texthash | TableType::Unix | TableType::Nis | TableType::Nisplus
            )
    })
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.why)
    }
}
