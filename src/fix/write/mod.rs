//! Patched files to disk: all of them, or none.
//!
//! 1. Every file is looked at again. It has to be the file that was read, with the same contents; symbolic
//!    links are followed, and stay. A file with several hard links is refused: replacing it would leave the
//!    other names with the old contents, and writing into it is not atomic.
//! 2. The new contents are written beside each file under a hidden name, with the owner, mode, ACL and
//!    extended attributes of the file, and brought to disk.
//! 3. Each file changes places with its new contents. What comes out is looked at once more: if somebody
//!    changed the file meanwhile, theirs is put back.
//! 4. Directories are brought to disk, backups get their names.
//!
//! If any step fails, or postlint panics, every file is put back, the very inode that it was. Only when all
//! has succeeded are the old files removed. A kill in the midst leaves them under names that begin with
//! `.postlint-`.

pub(crate) mod attributes;
mod copies;
mod put_back;
mod swap;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail, ensure};
use tempfile::TempPath;

pub use copies::write_copies;
pub use put_back::put_back;

use super::ChangedFile;
use crate::source::{Source, Stamp};

/// What the hidden names begin with.
const HIDDEN: &str = ".postlint-";
/// How many backups of one file are kept apart by a number.
const MOST_BACKUPS: u32 = 9999;

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The path as it is shown to the user.
    pub path: PathBuf,
    /// Where the old file is now, when a backup was asked for.
    pub backup: Option<PathBuf>,
    /// A hidden name of the old file that could not be removed.
    pub leftover: Option<PathBuf>,
}

/// Writes all files, or none.
///
/// With `backup`, the old file stays beside the new one under its name with this suffix. A backup that exists
/// is not touched: the next one gets a number, `main.cf.orig.1`.
///
/// # Errors
/// A file cannot be replaced, or is not the one that was read. Every file is then as it was before, unless
/// the error says otherwise.
pub fn write(files: &[ChangedFile], backup: Option<&str>) -> anyhow::Result<Vec<Written>> {
    write_with(files, backup, &mut |_| Ok(()))
}

/// What is about to be done; tests make it fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'p> {
    /// The new contents are written beside this file.
    Stage(&'p Path),
    /// This file changes places with its new contents.
    Replace(&'p Path),
    /// This file gets a backup.
    Backup(&'p Path),
    /// This directory is brought to disk.
    Sync(&'p Path),
}

type Watch<'w> = &'w mut dyn FnMut(Step<'_>) -> io::Result<()>;

fn write_with(
    files: &[ChangedFile],
    backup: Option<&str>,
    watch: Watch<'_>,
) -> anyhow::Result<Vec<Written>> {
    if let Some(suffix) = backup {
        ensure!(
            !suffix.is_empty() && !suffix.contains(['/', '\0']),
            "\"{suffix}\" cannot be the suffix of a backup"
        );
    }
    let targets = targets(files)?;
    let mut staged = Vec::new();
    for target in &targets {
        let new = watch(Step::Stage(&target.real)).and_then(|()| target.stage());
        staged.push(new.with_context(|| nothing_written(target.shown))?);
    }
    let mut transaction = Transaction::default();
    match transaction.run(&targets, staged, backup, watch) {
        Ok(()) => Ok(transaction.commit(&targets)),
        Err(error) => Err(transaction.roll_back(error)),
    }
}

fn nothing_written(path: &Path) -> String {
    format!("cannot write {}; nothing was changed", path.display())
}

/// A file that is to be replaced.
struct Target<'c> {
    /// The path as the user knows it.
    shown: &'c Path,
    /// The path without symbolic links.
    real: PathBuf,
    before: &'c Source,
    after: &'c [u8],
    /// The file, open, for its attributes.
    file: File,
}

/// Looks at the files again. Two paths of one file are one target.
fn targets(files: &[ChangedFile]) -> anyhow::Result<Vec<Target<'_>>> {
    let mut targets: Vec<Target<'_>> = Vec::new();
    for file in files {
        let target = Target::of(file).with_context(|| nothing_written(file.path()))?;
        match targets.iter().find(|other| other.real == target.real) {
            None => targets.push(target),
            Some(other) if other.after == target.after => {}
            Some(other) => bail!(
                "{} and {} are the same file and would get different contents; nothing was changed",
                other.shown.display(),
                target.shown.display()
            ),
        }
    }
    Ok(targets)
}

impl<'c> Target<'c> {
    fn of(changed: &'c ChangedFile) -> anyhow::Result<Self> {
        let shown = changed.path();
        ensure!(
            changed.before.stamp().is_some(),
            "it was not read from a file"
        );
        let real = fs::canonicalize(shown)?;
        let file = File::open(&real)?;
        let links = file.metadata()?.nlink();
        ensure!(
            links == 1,
            "it has {links} names (hard links), and the others would keep the old contents"
        );
        let target = Self {
            shown,
            real,
            before: &changed.before,
            after: &changed.after,
            file,
        };
        target.ensure_unchanged(&target.file)?;
        Ok(target)
    }

    /// That `file` is the one that was read, with the same contents.
    fn ensure_unchanged(&self, mut file: &File) -> io::Result<()> {
        let same = Some(&Stamp::of(&file.metadata()?)) == self.before.stamp();
        let mut bytes = Vec::new();
        if same {
            file.read_to_end(&mut bytes)?;
        }
        if same && bytes == self.before.bytes() {
            Ok(())
        } else {
            Err(io::Error::other("it changed after it was read"))
        }
    }

    fn directory(&self) -> &Path {
        self.real.parent().unwrap_or(Path::new("/"))
    }

    /// Writes the new contents beside the file.
    fn stage(&self) -> io::Result<TempPath> {
        let mut new = tempfile::Builder::new()
            .prefix(HIDDEN)
            .tempfile_in(self.directory())?;
        new.write_all(self.after)?;
        attributes::copy(&self.file, new.as_file())?;
        new.as_file().sync_all()?;
        Ok(new.into_temp_path())
    }
}

/// A file that has changed places with its new contents.
struct Replaced {
    real: PathBuf,
    /// Where the old file is.
    kept: PathBuf,
    backup: Option<PathBuf>,
}

/// What has been done, to be undone unless all succeeds.
#[derive(Default)]
struct Transaction {
    replaced: Vec<Replaced>,
}

impl Transaction {
    fn run(
        &mut self,
        targets: &[Target<'_>],
        staged: Vec<TempPath>,
        backup: Option<&str>,
        watch: Watch<'_>,
    ) -> anyhow::Result<()> {
        for (target, new) in targets.iter().zip(staged) {
            let shown = || format!("cannot replace {}", target.shown.display());
            watch(Step::Replace(&target.real)).with_context(shown)?;
            let kept = swap::swap(new, &target.real).with_context(shown)?;
            self.replaced.push(Replaced {
                real: target.real.clone(),
                kept: kept.clone(),
                backup: None,
            });
            File::open(&kept)
                .and_then(|old| target.ensure_unchanged(&old))
                .with_context(shown)?;
        }
        if let Some(suffix) = backup {
            for replaced in &mut self.replaced {
                let shown = || format!("cannot back up {}", replaced.real.display());
                watch(Step::Backup(&replaced.real)).with_context(shown)?;
                replaced.backup =
                    Some(name_backup(&replaced.kept, &replaced.real, suffix).with_context(shown)?);
            }
        }
        for directory in self.directories() {
            watch(Step::Sync(&directory))
                .and_then(|()| sync_directory(&directory))
                .with_context(|| format!("cannot bring {} to disk", directory.display()))?;
        }
        Ok(())
    }

    fn directories(&self) -> BTreeSet<PathBuf> {
        self.replaced
            .iter()
            .filter_map(|replaced| Some(replaced.real.parent()?.to_path_buf()))
            .collect()
    }

    /// Lets go of the old files.
    fn commit(mut self, targets: &[Target<'_>]) -> Vec<Written> {
        let replaced = std::mem::take(&mut self.replaced);
        targets
            .iter()
            .zip(replaced)
            .map(|(target, replaced)| Written {
                path: target.shown.to_path_buf(),
                backup: replaced.backup,
                leftover: fs::remove_file(&replaced.kept)
                    .is_err()
                    .then_some(replaced.kept),
            })
            .collect()
    }

    /// Puts all files back and says so.
    fn roll_back(mut self, error: anyhow::Error) -> anyhow::Error {
        let failures = self.undo();
        if failures.is_empty() {
            return error.context("nothing was changed: every file is as it was");
        }
        error.context(failures.join("; "))
    }

    /// Puts all files back, the last one first. Gives what could not be put back.
    fn undo(&mut self) -> Vec<String> {
        let directories = self.directories();
        let mut failures = Vec::new();
        while let Some(replaced) = self.replaced.pop() {
            // The backup is a second name of the kept file.
            let kept = match (fs::rename(&replaced.kept, &replaced.real), replaced.backup) {
                (Ok(()), None) => continue,
                (Ok(()), Some(backup)) => {
                    if let Err(error) = fs::remove_file(&backup) {
                        failures.push(format!("cannot remove {}: {error}", backup.display()));
                    }
                    continue;
                }
                (Err(error), _) => (replaced.kept, error),
            };
            failures.push(format!(
                "{} could not be put back ({}): its old contents are in {}",
                replaced.real.display(),
                kept.1,
                kept.0.display()
            ));
        }
        for directory in directories {
            // The files are back; whether that is on disk already is all that may be wrong.
            let _ = sync_directory(&directory);
        }
        failures
    }
}

impl Drop for Transaction {
    /// A panic between two steps leaves nothing half done.
    fn drop(&mut self) {
        self.undo();
    }
}

/// Gives the old file its name as a backup, beside the hidden one. `hard_link` never overwrites.
fn name_backup(kept: &Path, real: &Path, suffix: &str) -> io::Result<PathBuf> {
    let mut name = real.as_os_str().to_owned();
    name.push(suffix);
    for number in 0..=MOST_BACKUPS {
        let mut name = name.clone();
        if number > 0 {
            name.push(format!(".{number}"));
        }
        let backup = PathBuf::from(name);
        match fs::hard_link(kept, &backup) {
            Ok(()) => return Ok(backup),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::from(io::ErrorKind::AlreadyExists))
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some file systems cannot do it, and a directory may be writable but not readable.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}
