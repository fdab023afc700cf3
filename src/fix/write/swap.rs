//! A file and its new contents change places.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use tempfile::TempPath;

/// Puts the file `new` in the place of `real`, and gives the name under which the old file then is.
///
/// On Linux and macOS this is one system call: there is no moment without a file, and the old file is
/// whichever one was there in that moment. On file systems that cannot do it (NFS), the old file first gets
/// a second name.
///
/// # Errors
/// What the operating system said; `real` is as it was then, and `new` is gone.
pub(super) fn swap(new: TempPath, real: &Path) -> io::Result<PathBuf> {
    match exchange(&new, real) {
        Ok(()) => new.keep().map_err(|error| error.error),
        Err(error) if is_unsupported(&error) => link_and_rename(new, real),
        Err(error) => Err(error),
    }
}

fn link_and_rename(new: TempPath, real: &Path) -> io::Result<PathBuf> {
    let mut name = new.as_os_str().to_owned();
    name.push("-old");
    let kept = PathBuf::from(name);
    fs::hard_link(real, &kept)?;
    match new.persist(real) {
        Ok(()) => Ok(kept),
        Err(error) => {
            fs::remove_file(&kept)?;
            Err(error.error)
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "macos"))]
fn exchange(new: &Path, real: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    Ok(renameat_with(CWD, new, CWD, real, RenameFlags::EXCHANGE)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "macos")))]
fn exchange(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}

/// Whether the file system cannot exchange files at all.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (tempfile::TempDir, TempPath, PathBuf) {
        let directory = tempfile::tempdir().expect("a directory");
        let real = directory.path().join("f");
        fs::write(&real, "old").expect("write");
        let new = tempfile::NamedTempFile::new_in(directory.path()).expect("a file");
        fs::write(new.path(), "new").expect("write");
        (directory, new.into_temp_path(), real)
    }

    #[test]
    fn both_ways_leave_the_old_file_beside_the_new_one() {
        for way in [swap, link_and_rename] {
            let (directory, new, real) = pair();
            let kept = way(new, &real).expect("it can be done");
            assert_eq!(fs::read_to_string(&real).expect("read"), "new");
            assert_eq!(fs::read_to_string(&kept).expect("read"), "old");
            assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 2);
        }
    }

    #[test]
    fn a_missing_file_is_not_made() {
        for way in [swap, link_and_rename] {
            let (directory, new, real) = pair();
            fs::remove_file(&real).expect("remove");
            assert!(way(new, &real).is_err());
            assert_eq!(fs::read_dir(directory.path()).expect("read").count(), 0);
        }
    }
}
