//! What is asked of git(1): the top of the repository, the names in a tree, the contents of files.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, bail};

/// A name in a tree.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The name of the object.
    pub(super) id: String,
    pub(super) kind: EntryKind,
}

/// What a name in a tree stands for.
#[derive(Clone, Debug)]
pub(super) enum EntryKind {
    File,
    /// A symbolic link and what it says.
    Link(PathBuf),
    Submodule,
}

/// The repository around the current directory.
#[derive(Clone, Debug)]
pub(super) struct Git {
    /// The top of the working tree; `None` for a repository without one.
    top: Option<PathBuf>,
}

impl Git {
    /// # Errors
    /// There is no git, or no repository.
    pub(super) fn around() -> anyhow::Result<Self> {
        run(&["rev-parse", "--git-dir"])?;
        let top = run(&["rev-parse", "--show-toplevel"]).ok();
        let top = top.map(|top| path_of(line(&top)));
        Ok(Self {
            top: top.filter(|top| !top.as_os_str().is_empty()),
        })
    }

    /// The top of the working tree.
    pub(super) fn top(&self) -> Option<&Path> {
        self.top.as_deref()
    }

    /// The current directory, from the top.
    pub(super) fn prefix(&self) -> anyhow::Result<PathBuf> {
        Ok(path_of(line(&run(&["rev-parse", "--show-prefix"])?)))
    }

    /// A path of the working tree, from the top; `None` for another one.
    pub(super) fn inside(&self, path: &Path) -> Option<PathBuf> {
        let top = self.top.as_deref()?;
        if let Ok(inside) = path.strip_prefix(top) {
            return Some(inside.to_path_buf());
        }
        // git says where the top really is; the current directory may have another name.
        let (directory, name) = (path.parent()?, path.file_name()?);
        let real = directory.canonicalize().ok()?.join(name);
        real.strip_prefix(top).ok().map(Path::to_path_buf)
    }

    /// The files of a revision.
    ///
    /// # Errors
    /// There is no such revision.
    pub(super) fn tree(&self, revision: &str) -> anyhow::Result<BTreeMap<PathBuf, Entry>> {
        let object = format!("{revision}^{{tree}}");
        let verify = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &object,
        ];
        let Ok(tree) = run(&verify) else {
            let is_shallow = run(&["rev-parse", "--is-shallow-repository"])
                .is_ok_and(|answer| line(&answer) == b"true");
            let hint = match is_shallow {
                true => "; this clone is a shallow one: git fetch --unshallow brings older ones",
                false => "",
            };
            bail!("there is no revision {revision} in this repository{hint}");
        };
        let tree = String::from_utf8_lossy(line(&tree)).into_owned();
        let listed = run(&["ls-tree", "-r", "-z", "--full-tree", &tree])?;
        // MODE TYPE ID<tab>PATH
        self.entries(&listed, |head| match head {
            [mode, _, id] => Some((*mode, *id)),
            _ => None,
        })
    }

    /// The files that are staged.
    ///
    /// # Errors
    /// git does not list them, or a merge is not finished.
    pub(super) fn staged(&self) -> anyhow::Result<BTreeMap<PathBuf, Entry>> {
        let Some(top) = &self.top else {
            bail!("a repository without a working tree has nothing staged");
        };
        let top = top.as_os_str();
        let listed = run_os(&[
            OsStr::new("-C"),
            top,
            OsStr::new("ls-files"),
            OsStr::new("-s"),
            OsStr::new("-z"),
        ])?;
        // MODE ID STAGE<tab>PATH
        self.entries(&listed, |head| match head {
            [mode, id, stage] => (*stage == "0").then_some((*mode, *id)),
            _ => None,
        })
    }

    fn entries(
        &self,
        listed: &[u8],
        read: impl for<'h> Fn(&[&'h str]) -> Option<(&'h str, &'h str)>,
    ) -> anyhow::Result<BTreeMap<PathBuf, Entry>> {
        let mut entries = BTreeMap::new();
        let mut links: Vec<(PathBuf, String)> = Vec::new();
        for record in listed
            .split(|byte| *byte == 0)
            .filter(|record| !record.is_empty())
        {
            let tab =
                memchr::memchr(b'\t', record).context("git lists its files in another way")?;
            let path = path_of(&record[tab + 1..]);
            let head = str::from_utf8(&record[..tab]).unwrap_or_default();
            let words: Vec<&str> = head.split_ascii_whitespace().collect();
            let Some((mode, id)) = read(&words) else {
                bail!("{} is in a merge that is not finished", path.display());
            };
            let is_plain = |part: Component<'_>| matches!(part, Component::Normal(_));
            if !path.components().all(is_plain) {
                bail!(
                    "the repository has a file that is called {}",
                    path.display()
                );
            }
            let kind = match mode {
                "160000" => EntryKind::Submodule,
                "120000" => {
                    links.push((path, id.to_owned()));
                    continue;
                }
                _ => EntryKind::File,
            };
            let id = id.to_owned();
            entries.insert(path, Entry { id, kind });
        }
        let ids: Vec<String> = links.iter().map(|(_, id)| id.clone()).collect();
        let mut links = links.into_iter();
        self.contents(&ids, &mut |target| {
            if let Some((path, id)) = links.next() {
                let kind = EntryKind::Link(path_of(target));
                entries.insert(path, Entry { id, kind });
            }
            Ok(())
        })?;
        Ok(entries)
    }

    /// Hands over the contents of objects, in order.
    ///
    /// # Errors
    /// git has not got one of them, or what `take` says.
    pub(super) fn contents(
        &self,
        ids: &[String],
        take: &mut dyn FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut child = command(&[OsStr::new("cat-file"), OsStr::new("--batch")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run git")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let asked = ids.join("\n") + "\n";
        // git answers while it is asked: neither may wait for the other.
        let asks = thread::spawn(move || {
            // Where git is gone, what it answered tells.
            stdin.map(|mut stdin| stdin.write_all(asked.as_bytes()))
        });
        let mut stdout = BufReader::new(stdout.context("git has no output")?);
        let mut answered = || -> anyhow::Result<()> {
            let mut bytes = Vec::new();
            for id in ids {
                let mut head = String::new();
                stdout.read_line(&mut head)?;
                let size = head.split_ascii_whitespace().nth(2);
                let size: Option<u64> = size.and_then(|size| size.parse().ok());
                let Some(size) = size else {
                    bail!("the repository has no object {id}");
                };
                bytes.clear();
                (&mut stdout).take(size).read_to_end(&mut bytes)?;
                if bytes.len() as u64 != size {
                    bail!("git does not give object {id} to its end");
                }
                stdout.read_line(&mut String::new())?;
                take(&bytes)?;
            }
            Ok(())
        };
        let result = answered();
        drop(stdout);
        drop(asks.join());
        // With its output closed it ends.
        drop(child.wait());
        result
    }
}

fn command(arguments: &[&OsStr]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .args(arguments)
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0");
    command
}

/// What git prints.
fn run(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    run_os(&arguments)
}

fn run_os(arguments: &[&OsStr]) -> anyhow::Result<Vec<u8>> {
    let output = command(arguments)
        .stdin(Stdio::null())
        .output()
        .context("cannot run git, which REV:PATH needs")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim();
        let said = said.strip_prefix("fatal: ").unwrap_or(said);
        bail!("git: {said}");
    }
    Ok(output.stdout)
}

/// Output without the newline at its end.
fn line(output: &[u8]) -> &[u8] {
    output.strip_suffix(b"\n").unwrap_or(output)
}

fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}
