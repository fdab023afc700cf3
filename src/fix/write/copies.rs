//! Patched files into another directory; the configuration stays as it is.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};

use super::super::ChangedFile;

/// Writes the patched files below `output`, all of them or none, and gives their paths.
///
/// A file below `directory` (the configuration directory) gets the same path below `output`; another one its
/// absolute path: `DIR/main.cf`, `DIR/etc/aliases`. Nothing is overwritten, and no symbolic link below
/// `output` is followed. A copy is readable for others only if the file is: it has another owner.
///
/// # Errors
/// A copy exists already, or cannot be written; those that were written are removed again.
pub fn write_copies(
    files: &[ChangedFile],
    directory: &Path,
    output: &Path,
) -> anyhow::Result<Vec<PathBuf>> {
    let mut made = Made::default();
    made.directories_to(output)
        .with_context(|| format!("cannot make {}", output.display()))?;
    for file in files {
        let relative = relative(file.path(), directory)?;
        let shown = || format!("cannot write {}", output.join(&relative).display());
        let parent = made
            .below(output, relative.parent().unwrap_or(Path::new("")))
            .with_context(shown)?;
        let Some(name) = relative.file_name() else {
            bail!("{} is not a file", file.path().display());
        };
        made.file(&parent.join(name), file).with_context(shown)?;
    }
    Ok(made.keep())
}

/// The path of a copy below the output directory.
fn relative(path: &Path, directory: &Path) -> anyhow::Result<PathBuf> {
    if let Ok(relative) = path.strip_prefix(directory)
        && is_plain(relative)
    {
        return Ok(relative.to_path_buf());
    }
    let real = |path: &Path| {
        fs::canonicalize(path).with_context(|| format!("cannot find {}", path.display()))
    };
    let (path, directory) = (real(path)?, real(directory)?);
    Ok(match path.strip_prefix(&directory) {
        Ok(relative) => relative.to_path_buf(),
        Err(_) => path.strip_prefix("/").unwrap_or(&path).to_path_buf(),
    })
}

fn is_plain(path: &Path) -> bool {
    path.components()
        .all(|part| matches!(part, Component::Normal(_)))
}

/// What was made, to be removed again unless all succeeds.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    directories: Vec<PathBuf>,
}

impl Made {
    /// Makes a directory and those above it. The user named it, so links in it are his.
    fn directories_to(&mut self, path: &Path) -> io::Result<()> {
        if path.is_dir() || path.as_os_str().is_empty() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.directories_to(parent)?;
        }
        self.directory(path)
    }

    /// Makes the directories of `relative` below `base` that are not there.
    fn below(&mut self, base: &Path, relative: &Path) -> io::Result<PathBuf> {
        let mut path = base.to_path_buf();
        for part in relative.components() {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(io::Error::from(io::ErrorKind::NotADirectory)),
                Err(_) => self.directory(&path)?,
            }
        }
        Ok(path)
    }

    fn directory(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir(path)?;
        self.directories.push(path.to_path_buf());
        Ok(())
    }

    fn file(&mut self, path: &Path, file: &ChangedFile) -> io::Result<()> {
        let mode = fs::metadata(file.path())?.permissions().mode();
        let mode = if mode & 0o004 == 0 { 0o600 } else { 0o644 };
        let mut copy = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        self.files.push(path.to_path_buf());
        copy.write_all(&file.after)?;
        copy.set_permissions(Permissions::from_mode(mode))?;
        copy.sync_all()
    }

    fn keep(mut self) -> Vec<PathBuf> {
        self.directories.clear();
        std::mem::take(&mut self.files)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // The error that led here is told; what cannot be removed is nobody's loss.
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for directory in self.directories.iter().rev() {
            let _ = fs::remove_dir(directory);
        }
    }
}
