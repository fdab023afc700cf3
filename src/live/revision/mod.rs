//! A configuration as a git repository has it: `REV:PATH`, as `git show` takes it, written into a temporary
//! directory by the installed git(1).
//!
//! Only what is asked for is written, and nothing outside of the directory can be reached from it: a symbolic
//! link that leads out of the repository is left out, and so is a submodule.

mod git;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use tempfile::TempDir;

use git::{Entry, EntryKind, Git};

/// As many symbolic links are followed from a name as Linux follows.
const MOST_LINKS: usize = 40;

/// What stands on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// The revision, such as `HEAD~1`; empty for what is staged.
    pub name: String,
    /// The path below the top of the repository, or `./…` from where the program runs.
    pub path: PathBuf,
}

impl Revision {
    /// Reads `REV:PATH`; `:PATH` is what is staged. `None` for what is no revision, or is the name of a file.
    pub fn parse(text: &Path) -> Option<Self> {
        let bytes = text.as_os_str().as_bytes();
        let colon = memchr::memchr(b':', bytes)?;
        if text.exists() {
            return None;
        }
        let name = str::from_utf8(&bytes[..colon]).ok()?;
        let path = &bytes[colon + 1..];
        // `:0:PATH` is the long form of `:PATH`.
        let path = match path.strip_prefix(b"0:") {
            Some(path) if name.is_empty() => path,
            _ => path,
        };
        Some(Self {
            name: name.to_owned(),
            path: OsStr::from_bytes(path).into(),
        })
    }

    /// The name in messages.
    fn shown(&self) -> &str {
        match self.name.as_str() {
            "" => "the index",
            name => name,
        }
    }
}

/// Where a name in a tree leads.
enum Leads {
    /// To a file or directory in the tree.
    To(PathBuf),
    /// To nothing.
    Nowhere,
    /// Out of the repository: the symbolic link.
    Out(PathBuf),
    /// Into a submodule.
    Submodule(PathBuf),
}

/// The files of one revision.
#[derive(Debug)]
pub struct Tree {
    revision: Revision,
    git: Git,
    /// The path that was asked for, from the top of the repository.
    path: PathBuf,
    entries: BTreeMap<PathBuf, Entry>,
    scratch: TempDir,
    written: BTreeSet<PathBuf>,
    notes: Vec<String>,
}

impl Tree {
    /// Lists the files of a revision in the repository around the current directory.
    ///
    /// # Errors
    /// There is no git, no repository, or no such revision.
    pub fn open(revision: Revision) -> anyhow::Result<Self> {
        if revision.name.starts_with('-') {
            bail!("{} is no revision", revision.name);
        }
        let git = Git::around()?;
        let is_relative = revision.path.starts_with(".") || revision.path.starts_with("..");
        let path = match is_relative {
            true => normal(&git.prefix()?.join(&revision.path)),
            false => normal(&revision.path),
        };
        let Some(path) = path.filter(|path| !path.is_absolute()) else {
            bail!(
                "{} is not in the repository: a path is one from its top, or begins with ./",
                revision.path.display()
            );
        };
        let entries = match revision.name.as_str() {
            "" => git.staged()?,
            name => git.tree(name)?,
        };
        let scratch = tempfile::Builder::new()
            .prefix("postlint-")
            .tempdir()
            .context("cannot make a temporary directory")?;
        Ok(Self {
            revision,
            git,
            path,
            entries,
            scratch,
            written: BTreeSet::new(),
            notes: Vec::new(),
        })
    }

    /// Writes the configuration that was asked for; with a file, the directory that it is in. Gives its path.
    ///
    /// # Errors
    /// It is not in the revision, or cannot be written.
    pub fn configuration(&mut self) -> anyhow::Result<PathBuf> {
        let shown = self.path.display().to_string();
        let shown = match shown.as_str() {
            "" => "top directory",
            path => path,
        };
        let revision = self.revision.shown().to_owned();
        let path = match self.resolve(&self.path)? {
            Leads::To(path) => path,
            Leads::Nowhere => bail!("{revision} has no {shown}"),
            Leads::Out(link) => bail!(
                "{shown} in {revision} is behind {}, a symbolic link out of the repository",
                link.display()
            ),
            Leads::Submodule(module) => bail!(
                "{shown} in {revision} is in the submodule {}: name a revision of that repository, inside \
                 of it",
                module.display()
            ),
        };
        if self.entries.contains_key(&path) {
            let directory = path.parent().unwrap_or(Path::new("")).to_path_buf();
            self.write(&directory)?;
        } else if self.entries.contains_key(&path.join("main.cf")) {
            self.write(&path)?;
        } else {
            bail!(
                "{shown} in {revision} holds no main.cf: name a configuration directory, or a file"
            );
        }
        Ok(below(self.scratch.path(), &path))
    }

    /// Writes a file or directory, given as a path of the working tree or of the directory for this revision.
    /// `None` where it lies outside, or is not in the revision.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn counterpart(&mut self, path: &Path) -> anyhow::Result<Option<PathBuf>> {
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        let Some(absolute) = normal(&absolute) else {
            return Ok(None);
        };
        let inside = match absolute.strip_prefix(self.scratch.path()) {
            Ok(inside) => Some(inside.to_path_buf()),
            Err(_) => self.git.inside(&absolute),
        };
        let Some(inside) = inside else {
            return Ok(None);
        };
        let Leads::To(path) = self.resolve(&inside)? else {
            return Ok(None);
        };
        self.write(&path)?;
        Ok(Some(below(self.scratch.path(), &path)))
    }

    /// Whether the configuration that was asked for lies in the working tree where `directory` is.
    pub fn is_of(&self, directory: &Path) -> bool {
        let here = self.git.top().map(|top| top.join(&self.path));
        let real = |path: &Path| path.canonicalize().ok();
        here.and_then(|here| real(&here))
            .is_some_and(|here| real(directory) == Some(here))
    }

    /// What was left out, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The revision as the user wrote it.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// A text in which files are named as those of the revision, not as those of the temporary directory.
    pub fn shown(&self, text: &str) -> String {
        let scratch = self.scratch.path().to_string_lossy();
        let name = &self.revision.name;
        text.replace(&format!("{scratch}/"), &format!("{name}:"))
            .replace(&*scratch, &format!("{name}:"))
    }

    /// Writes a file or a directory with all that is in it, once.
    fn write(&mut self, path: &Path) -> anyhow::Result<()> {
        let mut waiting = vec![path.to_path_buf()];
        while let Some(path) = waiting.pop() {
            let mut blobs: Vec<(PathBuf, String)> = Vec::new();
            let mut links: Vec<PathBuf> = Vec::new();
            for (name, entry) in &self.entries {
                if !name.starts_with(&path) || !self.written.insert(name.clone()) {
                    continue;
                }
                match entry.kind {
                    EntryKind::File => blobs.push((name.clone(), entry.id.clone())),
                    EntryKind::Link(_) => links.push(name.clone()),
                    EntryKind::Submodule => self.notes.push(format!(
                        "{}:{} is a submodule: what is in it is not known here",
                        self.revision.name,
                        name.display()
                    )),
                }
            }
            self.write_files(&blobs)?;
            for link in links {
                match self.resolve(&link)? {
                    Leads::To(target) => {
                        let at = self.prepared(&link)?;
                        symlink(below(self.scratch.path(), &target), &at)
                            .with_context(|| format!("cannot write {}", at.display()))?;
                        waiting.push(target);
                    }
                    Leads::Nowhere => {}
                    Leads::Out(_) | Leads::Submodule(_) => self.notes.push(format!(
                        "{}:{} is a symbolic link out of the repository: what is there is not known here",
                        self.revision.name,
                        link.display()
                    )),
                }
            }
        }
        Ok(())
    }

    fn write_files(&mut self, blobs: &[(PathBuf, String)]) -> anyhow::Result<()> {
        let ids: Vec<String> = blobs.iter().map(|(_, id)| id.clone()).collect();
        let git = self.git.clone();
        let mut notes = Vec::new();
        let mut next = blobs.iter();
        git.contents(&ids, &mut |bytes| {
            let Some((name, _)) = next.next() else {
                return Ok(());
            };
            if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
                notes.push(format!(
                    "{}:{} is kept by Git LFS: only the pointer to it is in the repository",
                    self.revision.name,
                    name.display()
                ));
            }
            let at = self.prepared(name)?;
            fs::write(&at, bytes).with_context(|| format!("cannot write {}", at.display()))
        })?;
        self.notes.extend(notes);
        Ok(())
    }

    /// The path of a name in the temporary directory, with the directories above it made.
    fn prepared(&self, name: &Path) -> anyhow::Result<PathBuf> {
        let at = self.scratch.path().join(name);
        if let Some(parent) = at.parent() {
            fs::create_dir_all(parent)
                .with_context(|| format!("cannot make {}", parent.display()))?;
        }
        Ok(at)
    }

    /// Follows symbolic links inside of the tree.
    fn resolve(&self, path: &Path) -> anyhow::Result<Leads> {
        let mut path = path.to_path_buf();
        for _ in 0..MOST_LINKS {
            let on_the_way = path.ancestors().filter(|part| !part.as_os_str().is_empty());
            let entry = on_the_way
                .filter_map(|part| Some((part, self.entries.get(part)?)))
                .last();
            let (at, target) = match entry {
                Some((at, entry)) => match &entry.kind {
                    EntryKind::Submodule => return Ok(Leads::Submodule(at.to_path_buf())),
                    EntryKind::Link(target) => (at.to_path_buf(), target.clone()),
                    // Nothing is below a file.
                    EntryKind::File if at != path => return Ok(Leads::Nowhere),
                    EntryKind::File => return Ok(Leads::To(path)),
                },
                None => {
                    let is_there = path.as_os_str().is_empty()
                        || (self.entries.range(path.clone()..).next())
                            .is_some_and(|(name, _)| name.starts_with(&path));
                    return Ok(if is_there {
                        Leads::To(path)
                    } else {
                        Leads::Nowhere
                    });
                }
            };
            let rest = path
                .strip_prefix(&at)
                .unwrap_or(Path::new(""))
                .to_path_buf();
            let target = match target.is_absolute() {
                true => self.git.inside(&target),
                false => normal(&at.parent().unwrap_or(Path::new("")).join(&target)),
            };
            let Some(target) = target else {
                return Ok(Leads::Out(at));
            };
            path = below(&target, &rest);
        }
        bail!(
            "too many symbolic links on the way to {} in {}",
            path.display(),
            self.revision.shown()
        );
    }
}

/// `base` with `rest` below it, which may be empty.
fn below(base: &Path, rest: &Path) -> PathBuf {
    if rest.as_os_str().is_empty() {
        base.to_path_buf()
    } else {
        base.join(rest)
    }
}

/// A path without `.` and `..`; `None` where it leads above its beginning.
fn normal(path: &Path) -> Option<PathBuf> {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if !normal.pop() {
                    return None;
                }
            }
            part => normal.push(part),
        }
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(String, String)> {
        let revision = Revision::parse(Path::new(text))?;
        Some((revision.name, revision.path.to_string_lossy().into_owned()))
    }

    #[test]
    fn what_is_a_revision() {
        let pair = |name: &str, path: &str| Some((name.to_owned(), path.to_owned()));
        assert_eq!(parse("HEAD~1:etc/postfix"), pair("HEAD~1", "etc/postfix"));
        assert_eq!(parse("v1.0:"), pair("v1.0", ""));
        assert_eq!(parse(":etc"), pair("", "etc"));
        assert_eq!(parse(":0:etc"), pair("", "etc"));
        assert_eq!(parse("HEAD:./x:y"), pair("HEAD", "./x:y"));
        assert_eq!(parse("etc/postfix"), None);
    }

    #[test]
    fn paths_stay_below_the_top() {
        assert_eq!(normal(Path::new("a/./b/../c")), Some("a/c".into()));
        assert_eq!(normal(Path::new("a/../../b")), None);
    }
}
