//! The local user names, which decide whether a local recipient exists.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;

/// What is known of the local users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// All of them.
    All(BTreeSet<String>),
    /// These exist; others may (the host asks a directory service, too).
    AtLeast(BTreeSet<String>),
    /// Nothing is known: the configuration is that of another machine.
    Unknown,
}

impl Users {
    /// Reads a file in the format of passwd(5), or with one user name a line.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn from_file(path: &Path) -> anyhow::Result<Self> {
        let bytes = std::fs::read(path)
            .with_context(|| format!("cannot read the user names from {}", path.display()))?;
        Ok(Self::All(names(&bytes)))
    }

    /// The users of this host.
    pub fn of_this_host() -> Self {
        match std::fs::read("/etc/passwd") {
            Ok(bytes) => {
                let switch = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
                if only_local_files(&switch) {
                    Self::All(names(&bytes))
                } else {
                    Self::AtLeast(names(&bytes))
                }
            }
            Err(_) => Self::Unknown,
        }
    }

    /// Whether `name` is a user; `None` when that cannot be known.
    pub fn has(&self, name: &str) -> Option<bool> {
        match self {
            Self::All(names) => Some(names.contains(name)),
            Self::AtLeast(names) => names.contains(name).then_some(true),
            Self::Unknown => None,
        }
    }

    /// The names that are known, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::All(names) | Self::AtLeast(names) => Some(names),
            Self::Unknown => None,
        }
        .into_iter()
        .flatten()
        .map(String::as_str)
    }
}

fn names(bytes: &[u8]) -> BTreeSet<String> {
    String::from_utf8_lossy(bytes)
        .lines()
        .map(|line| line.split(':').next().unwrap_or_default().trim())
        .filter(|name| !name.is_empty() && !name.starts_with(['#', '+', '-']))
        .map(str::to_owned)
        .collect()
}

/// Whether nsswitch.conf(5) takes users from files of this host only.
fn only_local_files(switch: &str) -> bool {
    let Some(services) = switch
        .lines()
        .find_map(|line| line.trim().strip_prefix("passwd:"))
    else {
        return true;
    };
    services
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .all(|word| matches!(word, "files" | "compat" | "db" | "systemd") || word.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_file_formats() {
        let set = names(b"root:x:0:0::/root:/bin/sh\n# c\nbob\n\n+nis\n");
        assert_eq!(set.into_iter().collect::<Vec<_>>(), ["bob", "root"]);
    }

    #[test]
    fn a_directory_service_makes_the_list_incomplete() {
        assert!(only_local_files("passwd:  files systemd\n"));
        assert!(!only_local_files("passwd: files sss\n"));
    }
}
