//! Postfix's own programs: where a configuration has them, and running them.
//!
//! Each run gets the configuration directory with `-c`, an environment in which messages are not translated,
//! and a time limit; what a program says on standard error is kept for the message of an error.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, bail};

use crate::instance::{Instance, host_directory};

/// So much of what a program says on standard error is kept.
const LONGEST_COMPLAINT: u64 = 64 * 1024;
/// Where administrators' programs are when the configuration does not say it.
const USUAL_DIRECTORIES: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The programs of a Postfix.
#[derive(Clone, Debug)]
pub struct Programs {
    command_directory: PathBuf,
    daemon_directory: PathBuf,
    /// The configuration directory, unless it is that of this host: users may not name others.
    config_directory: Option<PathBuf>,
}

impl Programs {
    /// The programs that a configuration uses: those in its `command_directory` and `daemon_directory`.
    pub fn of(instance: &Instance) -> Self {
        let directory = |name| PathBuf::from(instance.parameter(name).text());
        let own = instance.directory();
        let same = |one: &Path, other: &Path| {
            one == other
                || matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
        };
        let is_host = same(own, &host_directory()) && std::env::var_os("MAIL_CONFIG").is_none();
        let absolute = || std::path::absolute(own).unwrap_or_else(|_| own.to_path_buf());
        Self {
            command_directory: directory("command_directory"),
            daemon_directory: directory("daemon_directory"),
            config_directory: (!is_host).then(absolute),
        }
    }

    /// A command such as `postqueue`, to be run for the configuration: the one in `command_directory`, else
    /// one on the search path.
    ///
    /// # Errors
    /// There is none; the message says what to do.
    pub fn command(&self, name: &str) -> anyhow::Result<Command> {
        self.prepared(name, &self.command_directory, "command_directory")
    }

    /// A program of `daemon_directory`, such as `postfix-script`, to be run for the configuration.
    ///
    /// # Errors
    /// There is none; the message says what to do.
    pub fn daemon(&self, name: &str) -> anyhow::Result<Command> {
        self.prepared(name, &self.daemon_directory, "daemon_directory")
    }

    fn prepared(&self, name: &str, directory: &Path, parameter: &str) -> anyhow::Result<Command> {
        let configured = directory.join(name);
        let search = std::env::var_os("PATH").unwrap_or_default();
        let program = std::iter::once(configured.clone())
            .chain(std::env::split_paths(&search).map(|directory| directory.join(name)))
            .chain(USUAL_DIRECTORIES.map(|directory| Path::new(directory).join(name)))
            .find(|program| program.is_absolute() && program.is_file())
            .with_context(|| {
                format!(
                    "there is no {name} here, neither {} nor on the search path: no Postfix is installed, or \
                     {parameter} is wrong",
                    configured.display()
                )
            })?;
        let mut command = Command::new(program);
        if let Some(directory) = &self.config_directory {
            command.arg("-c").arg(directory);
        }
        command.env("LC_ALL", "C");
        Ok(command)
    }
}

/// What a program left.
#[derive(Debug)]
pub struct Ran {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: Vec<u8>,
    /// What it said on standard error.
    pub err: String,
}

/// Runs a command to its end with an input.
///
/// # Errors
/// It cannot be started, or is not through within the limit; it is killed then.
pub fn run(command: &mut Command, input: Vec<u8>, limit: Duration) -> anyhow::Result<Ran> {
    let mut running = Running::start(command, input, limit)?;
    let mut out = Vec::new();
    running
        .read_to_end(&mut out)
        .with_context(|| running.shown.clone())?;
    let (status, err) = running.finish()?;
    Ok(Ran { status, out, err })
}

/// A program whose standard output is read while it runs.
#[derive(Debug)]
pub struct Running {
    child: Arc<Mutex<Child>>,
    shown: String,
    out: ChildStdout,
    err: Option<JoinHandle<String>>,
    watch: Watch,
    limit: Duration,
}

impl Running {
    /// Starts a command with an input. It is killed when it is not through within `limit`.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn start(command: &mut Command, input: Vec<u8>, limit: Duration) -> anyhow::Result<Self> {
        let shown = shown(command);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {shown}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // One that has given up already reads nothing; its words say why.
            thread::spawn(move || drop(stdin.write_all(&input)));
        }
        let err = child.stderr.take().map(|pipe| {
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let mut pipe = pipe.take(LONGEST_COMPLAINT);
                // What was read until an error says more than the error.
                let _ = pipe.read_to_end(&mut bytes);
                let _ = io::copy(&mut pipe.into_inner(), &mut io::sink());
                String::from_utf8_lossy(&bytes).into_owned()
            })
        });
        let Some(out) = child.stdout.take() else {
            bail!("cannot read from {shown}");
        };
        let child = Arc::new(Mutex::new(child));
        Ok(Self {
            watch: Watch::over(Arc::clone(&child), limit),
            child,
            shown,
            out,
            err,
            limit,
        })
    }

    /// Waits for the end: how it ended, and what it said on standard error.
    ///
    /// # Errors
    /// It took longer than its limit.
    pub fn finish(mut self) -> anyhow::Result<(ExitStatus, String)> {
        // The watch kills one that does not end, so this ends, too.
        let status = loop {
            if let Some(status) = locked(&self.child).try_wait()? {
                break status;
            }
            thread::sleep(Duration::from_millis(1));
        };
        let was_too_slow = self.watch.stop();
        let err = self.err.take().and_then(|thread| thread.join().ok());
        if was_too_slow {
            bail!(
                "{} took longer than {} seconds",
                self.shown,
                self.limit.as_secs()
            );
        }
        Ok((status, err.unwrap_or_default()))
    }
}

impl Read for Running {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.out.read(buffer)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.watch.stop();
        // After `finish` there is nothing left to end.
        let mut child = locked(&self.child);
        if let Ok(None) = child.try_wait() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Ends a process that takes too long.
#[derive(Debug)]
struct Watch {
    state: Arc<(Mutex<bool>, Condvar)>,
    has_killed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    fn over(child: Arc<Mutex<Child>>, limit: Duration) -> Self {
        let state = Arc::new((Mutex::new(false), Condvar::new()));
        let has_killed = Arc::new(AtomicBool::new(false));
        let (shared, killed) = (Arc::clone(&state), Arc::clone(&has_killed));
        let thread = thread::spawn(move || {
            let (is_over, changed) = &*shared;
            let lock = locked(is_over);
            let waited = changed.wait_timeout_while(lock, limit, |is_over| !*is_over);
            let (lock, _) = waited.unwrap_or_else(PoisonError::into_inner);
            // A child that was waited for is not killed: its number may be another's by now.
            if !*lock && locked(&child).kill().is_ok() {
                killed.store(true, Ordering::SeqCst);
            }
        });
        Self {
            state,
            has_killed,
            thread: Some(thread),
        }
    }

    /// Ends the watch; whether it had to kill.
    fn stop(&mut self) -> bool {
        let (is_over, changed) = &*self.state;
        *locked(is_over) = true;
        changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A watch that panicked has killed nothing.
            let _ = thread.join();
        }
        self.has_killed.load(Ordering::SeqCst)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_name().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// The reason that a program of Postfix gives for its failure: the text of its last `fatal`, `error` or
/// `panic` line, else its last line.
pub fn complaint(err: &str) -> &str {
    let lines = || err.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_severe = |line: &&str| {
        let words = ["fatal: ", "error: ", "panic: "];
        words.iter().any(|word| line.contains(word))
    };
    let severe = lines().rfind(is_severe);
    severe
        .or_else(|| lines().next_back())
        .unwrap_or("it does not say why")
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn input_output_and_status_come_through() {
        let mut cat = Command::new("sh");
        cat.args(["-c", "cat; echo no >&2; exit 3"]);
        let ran = run(&mut cat, b"text".to_vec(), Duration::from_secs(20)).expect("sh runs");
        assert_eq!(
            (ran.out.as_slice(), ran.err.as_str()),
            (&b"text"[..], "no\n")
        );
        assert_eq!(ran.status.code(), Some(3));
    }

    #[test]
    fn one_that_takes_too_long_is_ended() {
        let mut sleep = Command::new("sleep");
        sleep.arg("600");
        let started = Instant::now();
        let error = run(&mut sleep, Vec::new(), Duration::from_millis(50)).expect_err("too slow");
        assert!(
            error.to_string().starts_with("sleep 600 took longer"),
            "{error}"
        );
        assert!(started.elapsed() < Duration::from_secs(60));
    }

    #[test]
    fn the_reason_is_the_last_fatal_line() {
        let err = "postqueue: warning: x\npostqueue: fatal: mail system is down\n\n";
        assert_eq!(complaint(err), "postqueue: fatal: mail system is down");
        assert_eq!(complaint(" \n"), "it does not say why");
    }
}
