//! Owner, mode, ACL and extended attributes of a file, for the one that takes its place.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};

use xattr::FileExt;

/// What the kernel keeps about contents: wrong for other contents, and not ours to set.
const OF_CONTENTS: [&str; 2] = ["security.ima", "security.evm"];
/// A label that every file has: it is replaced, not removed.
const LABEL: &str = "security.selinux";

/// Gives `new` the owner, group, extended attributes (ACLs are some of them) and mode of `old`.
///
/// # Errors
/// Something cannot be kept. The text says what, and for the owner also how to get there.
pub(crate) fn copy(old: &File, new: &File) -> io::Result<()> {
    copy_owner(old, new)?;
    copy_extended(old, new)?;
    // Last: a change of owner clears bits of the mode, a change of the ACL alters them.
    let mode = old.metadata()?.mode() & 0o7777;
    new.set_permissions(Permissions::from_mode(mode))
}

fn copy_owner(old: &File, new: &File) -> io::Result<()> {
    let (old, created) = (old.metadata()?, new.metadata()?);
    let (uid, gid) = (old.uid(), old.gid());
    if (uid, gid) == (created.uid(), created.gid()) {
        return Ok(());
    }
    fchown(new, Some(uid), Some(gid)).map_err(|error| {
        io::Error::new(
            error.kind(),
            format!(
                "its owner {uid}:{gid} cannot be kept ({error}); run postlint as root or as that user"
            ),
        )
    })
}

fn copy_extended(old: &File, new: &File) -> io::Result<()> {
    let wanted = names(old)?;
    // A directory may give new files an ACL that the old one does not have.
    for name in names(new)?.difference(&wanted) {
        if name != LABEL {
            new.remove_xattr(name)
                .map_err(|error| cannot_keep(name, &error))?;
        }
    }
    for name in &wanted {
        let Some(value) = old.get_xattr(name)? else {
            continue;
        };
        if new.get_xattr(name)?.as_ref() != Some(&value) {
            new.set_xattr(name, &value)
                .map_err(|error| cannot_keep(name, &error))?;
        }
    }
    Ok(())
}

fn cannot_keep(name: &OsString, error: &io::Error) -> io::Error {
    let name = name.to_string_lossy();
    io::Error::new(
        error.kind(),
        format!("its extended attribute {name} cannot be kept ({error})"),
    )
}

/// The names of the attributes to keep; none where the file system has no attributes.
fn names(file: &File) -> io::Result<BTreeSet<OsString>> {
    match file.list_xattr() {
        Ok(names) => Ok(names
            .filter(|name| !OF_CONTENTS.iter().any(|other| name == other))
            .collect()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}
