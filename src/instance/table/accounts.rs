//! The accounts that `unix:passwd.byname` and `unix:group.byname` look up.

use std::collections::BTreeMap;
use std::fmt::Debug;

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It exists; the line of passwd(5) or group(5).
    Yes(String),
    /// It does not exist.
    No,
    /// That cannot be known.
    Unknown,
}

/// A source of accounts.
pub trait Accounts: Debug + Send + Sync {
    /// The account of that name.
    fn passwd_by_name(&self, name: &str) -> Known;
    /// The group of that name.
    fn group_by_name(&self, name: &str) -> Known;
}

/// No account is known, and none is known not to exist.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoAccounts;

impl Accounts for NoAccounts {
    fn passwd_by_name(&self, _: &str) -> Known {
        Known::Unknown
    }

    fn group_by_name(&self, _: &str) -> Known {
        Known::Unknown
    }
}

/// Accounts as files list them.
#[derive(Clone, Debug, Default)]
pub struct AccountFiles {
    /// Lines of passwd(5) by name.
    passwd: BTreeMap<String, String>,
    /// Lines of group(5) by name.
    group: BTreeMap<String, String>,
    /// There are no others: the host asks no directory service.
    pub complete: bool,
}

impl AccountFiles {
    /// Reads the contents of files in the formats of passwd(5) and group(5).
    pub fn new(passwd: &str, group: &str, complete: bool) -> Self {
        Self {
            passwd: by_name(passwd, 7),
            group: by_name(group, 4),
            complete,
        }
    }

    fn find(&self, lines: &BTreeMap<String, String>, name: &str) -> Known {
        match lines.get(name) {
            Some(line) => Known::Yes(line.clone()),
            None if self.complete => Known::No,
            None => Known::Unknown,
        }
    }
}

/// Lines by their first field; of several with one name the first counts.
fn by_name(text: &str, fields: usize) -> BTreeMap<String, String> {
    let mut lines = BTreeMap::new();
    for line in text.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let is_account = !name.is_empty()
            && !name.starts_with(['#', '+', '-'])
            && line.split(':').count() == fields;
        if is_account {
            lines
                .entry(name.to_owned())
                .or_insert_with(|| line.to_owned());
        }
    }
    lines
}

impl Accounts for AccountFiles {
    fn passwd_by_name(&self, name: &str) -> Known {
        self.find(&self.passwd, name)
    }

    fn group_by_name(&self, name: &str) -> Known {
        self.find(&self.group, name)
    }
}
