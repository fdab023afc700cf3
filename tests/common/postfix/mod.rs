//! A real Postfix of its own for a test, made from a configuration directory.
//!
//! The instance lives in private mount, process and host name namespaces (see `unshare(1)`). There, the paths that
//! configurations name, `/etc/postfix`, `/etc/aliases`, `/etc/passwd`, the queue and the mailboxes, are
//! directories of the test. So a configuration runs as it stands, the host's own Postfix is neither used
//! nor changed, and when the test ends, however it ends, the kernel ends all processes of the instance.
//!
//! What a test gives it is a directory like a `/etc/postfix`, where these names mean more:
//! - `aliases` is `/etc/aliases`, which else names the postmaster only;
//! - `passwd` is `/etc/passwd`, the users that exist, and `forward-NAME` is the `.forward` of one;
//! - without `master.cf`, [`layout::MASTER_CF`] is used.
//!
//! It listens on the loopback interface only, each inet service on a free port. It asks no DNS, and all
//! mail to elsewhere goes to a [`Sink`]. The host is called `localhost`.

mod layout;
mod outcome;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::smtp::{Message, Reply, Session, Sink};
use layout::{infrastructure, lay_out};
pub(crate) use outcome::Outcome;

/// What runs inside the namespaces: puts the private directories where Postfix looks for them, compiles
/// the tables, starts master(8), and waits until the test closes its end of the pipe.
/// Arguments: the private root, then the settings for main.cf.
const KEEPER: &str = r#"
set -eu
root=$1; shift
echo localhost >/proc/sys/kernel/hostname
for pair in spool:/var/spool/postfix lib:/var/lib/postfix mail:/var/mail log:/var/log home:/home etc:/etc
do mount --bind "$root/${pair%%:*}" "${pair#*:}"
done
# Not while the files are young: Postfix lets those "cool down" for some seconds.
postconf -e "$@"
find /etc -type f -exec touch -d '1 hour ago' {} +
while read -r command table
do "$command" "$table" || echo "$command $table failed" >&2
done <"$root/tables"
"$(postconf -h daemon_directory)/master" -w
echo ready
read -r line || true
"#;

const PATIENCE: Duration = Duration::from_secs(60);
/// Mail that is on its way and does not move between so many looks at the queue does not move at all.
const STANDSTILL: usize = 150;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Whether a private Postfix can run here. If not, says so loudly, and fails the test if the environment
/// has `POSTLINT_REQUIRE_POSTFIX=1`, as in CI.
pub(crate) fn is_available(test: &str) -> bool {
    let missing = missing_program().or_else(missing_namespaces);
    missing.is_none_or(|reason| skip(test, &reason))
}

/// As [`is_available`], for a test that only runs Postfix's commands.
pub(crate) fn is_installed(test: &str) -> bool {
    missing_program().is_none_or(|reason| skip(test, &reason))
}

/// As [`is_available`], for a test that only runs another program.
pub(crate) fn is_there(test: &str, program: &Path) -> bool {
    program.exists() || skip(test, &format!("there is no {}", program.display()))
}

fn skip(test: &str, reason: &str) -> bool {
    let message = format!("SKIPPED: {test} {reason}\n");
    assert!(
        std::env::var_os("POSTLINT_REQUIRE_POSTFIX").is_none_or(|value| value != "1"),
        "{message}"
    );
    // Past the test runner, which keeps back what a passing test prints.
    drop(io::stderr().write_all(message.as_bytes()));
    false
}

fn works(program: &str, arguments: &[&str]) -> bool {
    command(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success())
}

fn missing_program() -> Option<String> {
    let works = works("postconf", &["-d", "mail_version"]);
    (!works).then(|| "needs Postfix (apt-get install postfix)".to_owned())
}

fn missing_namespaces() -> Option<String> {
    let works = works(
        "unshare",
        &["--mount", "--pid", "--fork", "--mount-proc", "true"],
    );
    (!works)
        .then(|| "needs root, and the right to make mount namespaces, to run Postfix".to_owned())
}

/// A running instance, which ends when it is dropped.
pub(crate) struct Private {
    root: tempfile::TempDir,
    ports: BTreeMap<String, u16>,
    sink: Sink,
    keeper: Child,
}

impl Private {
    /// Starts Postfix with the configuration in `directory`. `settings` are written into its main.cf, each
    /// `name = value`.
    ///
    /// # Errors
    /// Postfix does not start: what it says.
    pub(crate) fn start(directory: &Path, settings: &[&str]) -> Result<Self, String> {
        // Somebody else may take a port between our look and Postfix's.
        let mut said = String::new();
        for _ in 0..5 {
            let error = match Self::try_start(directory, settings) {
                Ok(started) => return Ok(started),
                Err(error) => error,
            };
            said = error;
            if !said.contains("Address already in use") {
                break;
            }
        }
        Err(said)
    }

    fn try_start(directory: &Path, settings: &[&str]) -> Result<Self, String> {
        let sink = Sink::start().map_err(|error| format!("cannot listen: {error}"))?;
        let root =
            tempfile::tempdir().map_err(|error| format!("no temporary directory: {error}"))?;
        let ports = lay_out(directory, root.path())
            .map_err(|error| format!("cannot lay out {}: {error}", root.path().display()))?;
        let errors = File::create(root.path().join("stderr"))
            .map_err(|error| format!("cannot write: {error}"))?;
        let mut keeper = command("unshare")
            .args([
                "--mount",
                "--uts",
                "--pid",
                "--fork",
                "--kill-child",
                "--mount-proc",
            ])
            .args(["sh", "-c", KEEPER, "keeper"])
            .arg(root.path())
            .args(infrastructure(sink.port())?)
            .args(settings)
            .process_group(0) // Ctrl-C is for the test; the keeper sees the pipe closed.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot run unshare: {error}"))?;
        let stdout = keeper.stdout.take();
        let private = Self {
            root,
            ports,
            sink,
            keeper,
        };
        let (sender, answer) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            if let Some(stdout) = stdout {
                drop(BufReader::new(stdout).read_line(&mut line));
            }
            drop(sender.send(line));
        });
        match answer.recv_timeout(PATIENCE) {
            Ok(line) if line.trim() == "ready" => Ok(private),
            Ok(_) => Err(format!("Postfix does not start\n{}", private.said())),
            Err(_) => Err(format!(
                "Postfix does not start in time\n{}",
                private.said()
            )),
        }
    }

    /// The port on which an inet service of master.cf listens, by the name that it has there.
    pub(crate) fn port(&self, service: &str) -> u16 {
        *self
            .ports
            .get(service)
            .unwrap_or_else(|| panic!("no inet service {service} in master.cf"))
    }

    /// What a stranger is answered who names this recipient to the service `smtp`.
    pub(crate) fn rcpt(&self, address: &str) -> Reply {
        Session::open(self.port("smtp"))
            .and_then(|mut session| session.rcpt(address))
            .unwrap_or_else(|error| panic!("RCPT TO:<{address}>: {error}\n{}", self.said()))
    }

    /// A stranger sends a message to the service `smtp`; what becomes of it, once Postfix is through.
    pub(crate) fn send(&self, address: &str) -> Outcome {
        self.try_send("smtp", address).unwrap_or_else(|reply| {
            panic!("mail to {address} is refused: {reply}\n{}", self.said())
        })
    }

    /// A stranger sends a message to a service; what becomes of it, once Postfix is through.
    ///
    /// # Errors
    /// The answer that refuses the recipient or the message.
    pub(crate) fn try_send(&self, service: &str, address: &str) -> Result<Outcome, Reply> {
        let reply = Session::open(self.port(service))
            .and_then(|mut session| {
                let reply = session.rcpt(address)?;
                if reply.code == 250 {
                    session.data()
                } else {
                    Ok(reply)
                }
            })
            .unwrap_or_else(|error| panic!("mail to {address}: {error}\n{}", self.said()));
        match reply.text.split_once("queued as ") {
            Some((_, id)) => Ok(self.follow(id.trim())),
            None => Err(reply),
        }
    }

    /// The directory that is the top of what the instance sees of `/etc`.
    pub(crate) fn root(&self) -> &Path {
        self.root.path()
    }

    /// Waits until nothing is on its way: every message is delivered, returned, deferred or held. Where a
    /// program dies mail may stay on its way: until nothing has happened for a while.
    pub(crate) fn settle(&self) {
        let end = Instant::now() + PATIENCE;
        let mut before = (usize::MAX, 0);
        let mut quiet = 0;
        while Instant::now() < end && quiet < STANDSTILL {
            let waiting = ["maildrop", "incoming", "active"]
                .iter()
                .map(|queue| self.root.path().join("spool").join(queue))
                .filter_map(|queue| fs::read_dir(queue).ok())
                .map(Iterator::count)
                .sum();
            let length = fs::metadata(self.root.path().join("log/mail.log"));
            let now = (waiting, length.map_or(0, |metadata| metadata.len()));
            quiet = if now == before { quiet + 1 } else { 0 };
            if waiting == 0 && quiet >= 3 {
                break;
            }
            before = now;
            thread::sleep(Duration::from_millis(15));
        }
    }

    /// The messages that left the host.
    pub(crate) fn sent_away(&self) -> Vec<Message> {
        self.sink.messages()
    }

    /// Runs a program where it sees what the instance sees, such as `postqueue -p`.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> io::Result<Output> {
        command("nsenter")
            .args([
                "--mount",
                "--target",
                &self.keeper.id().to_string(),
                program,
            ])
            .args(arguments)
            .output()
    }

    /// As [`run`](Self::run), among the processes of the instance: for what sends signals to them.
    pub(crate) fn run_inside(&self, program: &str, arguments: &[&str]) -> io::Result<Output> {
        let processes = format!("--pid=/proc/{}/ns/pid_for_children", self.keeper.id());
        command("nsenter")
            .args([
                "--mount",
                "--target",
                &self.keeper.id().to_string(),
                &processes,
                program,
            ])
            .args(arguments)
            .output()
    }

    /// The log so far.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.root.path().join("log/mail.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn follow(&self, id: &str) -> Outcome {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(outcome) = Outcome::read(&self.log(), id) {
                return outcome;
            }
            assert!(
                Instant::now() < end,
                "{id} stays in the queue\n{}",
                self.said()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that the instance has said, for the message of a failing test.
    fn said(&self) -> String {
        let errors = fs::read(self.root.path().join("stderr")).unwrap_or_default();
        format!("{}{}", String::from_utf8_lossy(&errors), self.log())
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // At the end of its input the keeper goes, and with it, the first process of its namespace, all
        // others there.
        drop(self.keeper.stdin.take());
        let end = Instant::now() + Duration::from_secs(5);
        while matches!(self.keeper.try_wait(), Ok(None)) {
            if Instant::now() > end {
                drop(self.keeper.kill());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).stdin(Stdio::null());
    command
}
