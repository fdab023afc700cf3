//! Whether a mailbox can be written, as far as the file system says it (`src/global/mbox_open.c`,
//! `src/local/maildir.c`).

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::instance::Instance;
use crate::instance::files::{Location, is_never_there};

/// Whose rights a mailbox is written with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

impl Owner {
    /// Whether something new can be made in a directory. Postfix uses no other groups.
    fn may_write(self, directory: &Metadata) -> bool {
        let mode = directory.mode();
        let bit = if self.uid == 0 {
            return true;
        } else if directory.uid() == self.uid {
            0o200
        } else if directory.gid() == self.gid {
            0o020
        } else {
            0o002
        };
        mode & bit != 0
    }
}

/// What the file system has under a name.
enum Found {
    Missing,
    Here(Metadata),
    Unknown,
}

/// A file that is not there says something only where its neighbours are: on this host, or in a tree that has
/// the directory at the top that it is in. A copy of `/etc` says nothing of `/home`.
fn found(instance: &Instance, path: &Path) -> Found {
    let files = instance.files();
    let metadata = |path: &Path| match files.locate(&path.to_string_lossy()) {
        Location::Here(path) => std::fs::metadata(path).map_err(|error| error.kind()),
        Location::Elsewhere => Err(ErrorKind::Other),
    };
    if !files.is_complete() {
        return Found::Unknown;
    }
    match metadata(path) {
        Ok(metadata) => Found::Here(metadata),
        Err(ErrorKind::NotADirectory) => Found::Missing,
        Err(ErrorKind::NotFound) => {
            let top = path
                .ancestors()
                .filter(|above| above.parent().is_some())
                .last();
            let has_top = |top: &Path| is_never_there(top) || metadata(top).is_ok();
            if files.is_host() || top.is_some_and(has_top) {
                Found::Missing
            } else {
                Found::Unknown
            }
        }
        Err(_) => Found::Unknown,
    }
}

/// Why a mailbox, or a maildir when its name ends with a slash, cannot be written: the words of Postfix.
/// `None` where nothing is known against it.
pub(super) fn obstacle(instance: &Instance, mailbox: &str, owner: Owner) -> Option<String> {
    let path = Path::new(mailbox);
    if mailbox.ends_with('/') {
        let why = maildir(instance, &path.join("tmp"), owner)?;
        return Some(format!("create maildir file {mailbox}tmp/…: {why}"));
    }
    match found(instance, path) {
        // The lock was made before, and may be again.
        Found::Here(_) | Found::Unknown => return None,
        Found::Missing => {}
    }
    let why = match found(instance, path.parent()?) {
        Found::Missing => "No such file or directory",
        Found::Here(parent) if !parent.is_dir() => "Not a directory",
        Found::Here(parent) if !owner.may_write(&parent) => "Permission denied",
        Found::Here(_) | Found::Unknown => return None,
    };
    Some(format!("unable to create lock file {mailbox}.lock: {why}"))
}

/// Directories that are not there are made on the way.
fn maildir(instance: &Instance, tmp: &Path, owner: Owner) -> Option<&'static str> {
    for directory in tmp.ancestors() {
        match found(instance, directory) {
            Found::Missing => {}
            Found::Unknown => return None,
            Found::Here(metadata) if !metadata.is_dir() => return Some("Not a directory"),
            Found::Here(metadata) => {
                return (!owner.may_write(&metadata)).then_some("Permission denied");
            }
        }
    }
    None
}
