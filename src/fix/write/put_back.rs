//! Written files back to what they were, from their backups.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use super::{Written, sync_directory};
use crate::fix::ChangedFile;

/// Gives each file that [`write`](super::write) wrote with a backup its old contents back: the very file that
/// it was. One that somebody has changed since stays. Gives what could not be put back, and why; the old
/// contents are in the backup then.
pub fn put_back(files: &[ChangedFile], written: &[Written]) -> Vec<String> {
    let mut failures = Vec::new();
    for written in written {
        let Some(backup) = &written.backup else {
            continue;
        };
        let file = files.iter().find(|file| file.path() == written.path);
        let outcome = file
            .context("it was not among the files that were written")
            .and_then(|file| put_one_back(file, backup));
        if let Err(error) = outcome {
            failures.push(format!(
                "{} could not be put back ({error:#}): its old contents are in {}",
                written.path.display(),
                backup.display()
            ));
        }
    }
    failures
}

fn put_one_back(file: &ChangedFile, backup: &Path) -> anyhow::Result<()> {
    let real = fs::canonicalize(file.path())?;
    ensure!(
        fs::read(&real)? == file.after,
        "it changed after it was written"
    );
    fs::rename(backup, &real)?;
    let directory = real.parent().unwrap_or(Path::new("/"));
    // It is back; whether that is on disk already is all that may be wrong.
    let _ = sync_directory(directory);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fix::write::write;
    use crate::source::Sources;

    #[test]
    fn the_old_file_is_back_unless_somebody_changed_the_new_one() {
        let directory = tempfile::tempdir().expect("a directory");
        let sources = Sources::default();
        let mut files = Vec::new();
        for name in ["main.cf", "virtual"] {
            let path = directory.path().join(name);
            fs::write(&path, "old\n").expect("write");
            files.push(ChangedFile {
                before: sources.read(&path).expect("it is there"),
                after: b"new\n".to_vec(),
            });
        }
        let written = write(&files, Some(".before")).expect("written");
        let read = |name: &str| fs::read_to_string(directory.path().join(name)).expect("read");
        assert_eq!(
            (read("main.cf"), read("virtual")),
            ("new\n".into(), "new\n".into())
        );
        fs::write(directory.path().join("virtual"), "theirs\n").expect("write");
        let failures = put_back(&files, &written);
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(failures[0].contains("virtual.before"), "{failures:?}");
        assert_eq!(
            (read("main.cf"), read("virtual")),
            ("old\n".into(), "theirs\n".into())
        );
        assert!(!directory.path().join("main.cf.before").exists());
        assert_eq!(read("virtual.before"), "old\n");
    }
}
