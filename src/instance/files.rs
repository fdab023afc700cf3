//! Where the files that a configuration names are to be found.
//!
//! The configuration of this host names files by their real paths. A copy of a tree (a checkout in CI, a
//! backup) does not: what lies in its own configuration directory is looked for inside the copy, what the
//! user maps is looked for where he says, and the rest belongs to another machine.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::source::{Source, Sources, Stamp, Text};

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// A path that can be looked at.
    Here(PathBuf),
    /// The file belongs to a machine that is not at hand.
    Elsewhere,
}

/// The outcome of opening a file.
#[derive(Clone, Debug)]
pub enum Opened {
    /// The file.
    Found(Arc<Source>),
    /// There is no such file.
    Missing(PathBuf),
    /// There is something, but it cannot be read: the reason.
    Unreadable(PathBuf, String),
    /// The file belongs to a machine that is not at hand: its contents are unknown.
    Elsewhere,
}

/// What the user said about the places of files.
#[derive(Clone, Debug, Default)]
pub struct PathOptions {
    /// `FROM=TO`: names below FROM are looked for below TO.
    pub map_paths: Vec<(PathBuf, PathBuf)>,
    /// A directory in front of all absolute names.
    pub root: Option<PathBuf>,
    /// Contents that stand for those of the file on disk, by path.
    pub overlay: BTreeMap<PathBuf, Vec<u8>>,
}

/// Finds and reads the files that one configuration directory names.
#[derive(Debug)]
pub struct Files {
    /// The directory that was given.
    directory: PathBuf,
    /// The same as an absolute path.
    absolute: PathBuf,
    /// The names which the configuration itself uses for its directory.
    own_names: Vec<PathBuf>,
    /// The configuration is that of this host.
    is_host: bool,
    /// The configuration is a text without a directory: its files are those of a machine that is not at hand.
    is_detached: bool,
    /// The configuration is meant for this host and lies elsewhere.
    is_proposed: bool,
    options: PathOptions,
}

impl Files {
    /// `own_names` are the absolute names that the configuration uses for its own directory, such as
    /// `/etc/postfix`.
    pub fn new(
        directory: PathBuf,
        own_names: Vec<PathBuf>,
        is_host: bool,
        options: PathOptions,
    ) -> Self {
        let absolute = std::path::absolute(&directory).unwrap_or_else(|_| directory.clone());
        Self {
            directory,
            absolute,
            own_names,
            is_host,
            is_detached: false,
            is_proposed: false,
            options,
        }
    }

    /// A further name that the configuration uses for its own directory.
    pub fn add_own_name(&mut self, name: PathBuf) {
        if !self.own_names.contains(&name) {
            self.own_names.push(name);
        }
    }

    /// What `$config_directory` is: the directory itself on this host, the usual place for a copy.
    pub fn config_directory(&self) -> String {
        let name = if self.is_host && !self.is_proposed {
            Some(&self.directory)
        } else {
            self.own_names.first()
        };
        name.unwrap_or(&self.directory)
            .to_string_lossy()
            .into_owned()
    }

    /// The same for a configuration that is a text, in no directory.
    pub fn detached(self) -> Self {
        Self {
            is_detached: true,
            is_host: false,
            ..self
        }
    }

    /// The same for a configuration that is meant for this host and lies in another directory: it goes by the
    /// usual name, and indexes of its tables need not have been made.
    pub fn proposed(self) -> Self {
        Self {
            is_proposed: true,
            ..self
        }
    }

    /// Whether every file that the configuration names has to be at hand: it is that of this host, or of a
    /// whole file system below `--root`.
    pub fn is_complete(&self) -> bool {
        (self.is_host && !self.is_proposed) || self.options.root.is_some()
    }

    /// Whether a file of this name has to be at hand: what is not there does not exist on the machine itself.
    ///
    /// So is every file of a configuration that [is complete](Self::is_complete). Of a copy, that is what its
    /// main.cf names by the place of the copy, or by a `$config_directory` that it does not set. Where it says
    /// `/etc/postfix`, or the user mapped the name, the copy may be a part.
    pub fn has_to_be_here(&self, name: &Text) -> bool {
        if self.is_complete() {
            return true;
        }
        let path = normal(Path::new(name.as_str()));
        if is_never_there(&path) {
            return true;
        }
        let is_mapped = (self.options.map_paths.iter()).any(|(from, _)| path.starts_with(from));
        if self.is_detached || is_mapped {
            return false;
        }
        let is_written = name.span_of(0..1).is_some();
        let is_own_default = !is_written && path.starts_with(self.config_directory());
        is_own_default || path.starts_with(&self.directory) || path.starts_with(&self.absolute)
    }

    /// Whether the configuration is that of this host.
    pub fn is_host(&self) -> bool {
        self.is_host
    }

    /// Where `name`, as the configuration writes it, is to be found.
    ///
    /// A relative name is relative to the queue directory, which is not part of a configuration.
    pub fn locate(&self, name: &str) -> Location {
        let path = normal(Path::new(name));
        if !path.is_absolute() {
            return Location::Elsewhere;
        }
        let mapped = self
            .options
            .map_paths
            .iter()
            .filter_map(|(from, to)| Some((from, to, path.strip_prefix(from).ok()?)))
            .max_by_key(|(from, ..)| from.components().count());
        if let Some((_, to, rest)) = mapped {
            return Location::Here(join(to, rest));
        }
        if is_never_there(&path) {
            return Location::Here(path);
        }
        if self.is_detached {
            return match &self.options.root {
                Some(root) => Location::Here(join(root, path.strip_prefix("/").unwrap_or(&path))),
                None => Location::Elsewhere,
            };
        }
        if path.starts_with(&self.directory) {
            return Location::Here(path);
        }
        if let Ok(rest) = path.strip_prefix(&self.absolute) {
            return Location::Here(join(&self.directory, rest));
        }
        if let Some(rest) = self
            .own_names
            .iter()
            .find_map(|own| path.strip_prefix(own).ok())
        {
            return Location::Here(join(&self.directory, rest));
        }
        if let Some(root) = &self.options.root {
            return Location::Here(join(root, path.strip_prefix("/").unwrap_or(&path)));
        }
        // A tree that was copied as a whole, with its neighbours: /copy/etc and /copy/tables.
        let beside = self.absolute.parent().is_some_and(|parent| {
            parent.components().count() > 1
                && parent != Path::new("/etc")
                && path.starts_with(parent)
        });
        if self.is_host || beside {
            Location::Here(path)
        } else {
            Location::Elsewhere
        }
    }

    /// Reads the file that the configuration calls `name`; each file is read once.
    pub fn open(&self, name: &str, sources: &Sources) -> Opened {
        match self.locate(name) {
            Location::Elsewhere => Opened::Elsewhere,
            Location::Here(path) => self.open_path(&path, sources),
        }
    }

    /// Reads a path of this machine; each file is read once.
    pub fn open_path(&self, path: &Path, sources: &Sources) -> Opened {
        if let Some(source) = sources.find(path) {
            return Opened::Found(source);
        }
        if let Some(bytes) = self.options.overlay.get(path) {
            let stamp = std::fs::metadata(path)
                .ok()
                .map(|metadata| Stamp::of(&metadata));
            return Opened::Found(sources.add(path.to_path_buf(), bytes.clone(), stamp));
        }
        match sources.read(path) {
            Ok(source) => Opened::Found(source),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Opened::Missing(path.to_path_buf())
            }
            Err(error) => Opened::Unreadable(path.to_path_buf(), error.to_string()),
        }
    }

    /// What the file system says of the file that the configuration calls `name`, without reading it.
    pub fn stamp(&self, name: &str) -> Option<Stamp> {
        match self.locate(name) {
            Location::Here(path) => std::fs::metadata(path)
                .ok()
                .map(|metadata| Stamp::of(&metadata)),
            Location::Elsewhere => None,
        }
    }
}

/// Whether no machine has such a file: Debian's policy manual, "Non-existent home directories".
pub fn is_never_there(path: &Path) -> bool {
    path.starts_with("/nonexistent")
}

/// `base` with `rest` below it; the same path where `rest` is empty, without a slash at the end.
fn join(base: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() {
        base.to_path_buf()
    } else {
        base.join(rest)
    }
}

/// A path without `.` and doubled slashes. `..` stays: symbolic links decide what it means.
fn normal(path: &Path) -> PathBuf {
    path.components()
        .filter(|component| !matches!(component, Component::CurDir))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(is_host: bool, options: PathOptions) -> Files {
        Files::new(
            "/ci/repo/postfix".into(),
            vec!["/etc/postfix".into()],
            is_host,
            options,
        )
    }

    fn here(path: &str) -> Location {
        Location::Here(path.into())
    }

    #[test]
    fn a_copied_tree_stands_for_its_own_directory_only() {
        let files = files(false, PathOptions::default());
        assert_eq!(
            files.locate("/etc/postfix/virtual"),
            here("/ci/repo/postfix/virtual")
        );
        assert_eq!(
            files.locate("/ci/repo/tables/virtual"),
            here("/ci/repo/tables/virtual")
        );
        assert_eq!(files.locate("/etc/aliases"), Location::Elsewhere);
        assert_eq!(files.locate("virtual"), Location::Elsewhere);
    }

    #[test]
    fn maps_and_roots_win() {
        let options = PathOptions {
            map_paths: vec![("/etc/aliases".into(), "/ci/aliases".into())],
            root: Some("/mnt".into()),
            overlay: BTreeMap::new(),
        };
        let files = files(false, options);
        assert_eq!(files.locate("/etc/aliases"), here("/ci/aliases"));
        assert_eq!(files.locate("/var/x"), here("/mnt/var/x"));
    }

    #[test]
    fn what_a_copy_has_to_have() {
        let options = PathOptions {
            map_paths: vec![("/srv".into(), "/ci/repo/postfix/srv".into())],
            ..PathOptions::default()
        };
        let sources = Sources::default();
        let text =
            "/etc/postfix/virtual /ci/repo/postfix/virtual /srv/virtual /nonexistent/virtual";
        let source = sources.add("main.cf".into(), text.into(), None);
        let words = Text::of(&source, 0..text.len()).words(b" ");
        let copy = files(false, options.clone());
        let has = |files: &Files| -> Vec<bool> {
            words
                .iter()
                .map(|word| files.has_to_be_here(word))
                .collect()
        };
        assert_eq!(has(&copy), [false, true, false, true]);
        // $config_directory is written nowhere.
        assert!(copy.has_to_be_here(&Text::placeless("/etc/postfix/virtual")));
        assert_eq!(has(&files(true, options)), [true; 4]);
        assert_eq!(copy.locate("/nonexistent/x"), here("/nonexistent/x"));
    }
}
