//! Tables that no file here holds (LDAP, SQL, a socket), asked through the installed postmap(1).
//!
//! Nothing of this happens unless the user asks for it: a program is started, and a server is connected to.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::flags::Flags;
use super::lookup::{Hit, Lookup, Unknown, UnknownReason};
use super::reference::Reference;
use crate::source::Text;

/// What postmap prints beyond this is no answer.
const LONGEST_OUTPUT: u64 = 1 << 20;

/// The postmap(1) that is installed here, and what it is to know of the configuration.
#[derive(Clone, Debug)]
pub struct Postmap {
    /// The program.
    pub program: PathBuf,
    /// The configuration directory; `None` where there is none that postmap could read.
    pub directory: Option<PathBuf>,
    /// How long one question may take. A table that takes longer is not asked again.
    pub patience: Duration,
}

/// A table that postmap asks. Each key is asked once.
#[derive(Debug)]
pub(super) struct LiveTable {
    postmap: Postmap,
    /// As postmap finds it here.
    table: String,
    answers: Mutex<HashMap<(Vec<u8>, Asking), Answer>>,
    given_up: OnceLock<String>,
}

/// What decides how postmap asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asking {
    fold: bool,
    utf8: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Found(Vec<u8>),
    NotFound,
    /// The table fails, for each program that asks.
    Error(String),
    /// It could not be asked.
    Unknown(String),
}

impl LiveTable {
    pub(super) fn new(postmap: Postmap, table: String) -> Self {
        Self {
            postmap,
            table,
            answers: Mutex::new(HashMap::new()),
            given_up: OnceLock::new(),
        }
    }

    /// Asks the table. `utf8` is whether keys and values have to be UTF-8.
    pub(super) fn lookup(
        &self,
        key: &[u8],
        flags: Flags,
        utf8: bool,
        reference: &Reference,
    ) -> Lookup {
        let asking = Asking {
            fold: flags.fold,
            utf8,
        };
        match self.answer(key, asking) {
            Answer::Found(value) => Lookup::Found(Hit {
                value: Text::placeless_bytes(&value),
                span: None,
                key_span: None,
            }),
            Answer::NotFound => Lookup::NotFound,
            Answer::Error(message) => Lookup::retry(message),
            Answer::Unknown(error) => Lookup::Unknown(Unknown {
                table: reference.to_string(),
                reason: UnknownReason::NotAnswering { error },
                otherwise: Box::new(Lookup::NotFound),
            }),
        }
    }

    fn answer(&self, key: &[u8], asking: Asking) -> Answer {
        let lock = || self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let question = (key.to_vec(), asking);
        if let Some(known) = lock().get(&question) {
            return known.clone();
        }
        let answer = match self.given_up.get() {
            Some(error) => Answer::Unknown(error.clone()),
            None => self.ask(key, asking),
        };
        lock().insert(question, answer.clone());
        answer
    }

    fn ask(&self, key: &[u8], asking: Asking) -> Answer {
        match self.run(key, asking) {
            Ok(output) => judge(key, &output),
            Err(error) => Answer::Unknown(self.given_up.get_or_init(|| error).clone()),
        }
    }

    /// Runs postmap for one key, which it reads from standard input, where no other user sees it.
    fn run(&self, key: &[u8], asking: Asking) -> Result<Output, String> {
        let mut command = Command::new(&self.postmap.program);
        if let Some(directory) = &self.postmap.directory {
            command.arg("-c").arg(directory);
        }
        if !asking.fold {
            command.arg("-f");
        }
        if !asking.utf8 {
            command.arg("-u");
        }
        // A key of several lines would be several keys there.
        let is_line = !key.contains(&b'\n');
        let argument = if is_line { b"-" } else { key };
        let argument: &OsStr = std::os::unix::ffi::OsStrExt::from_bytes(argument);
        command.arg("-q").arg(argument).arg(&self.table);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command
            .spawn()
            .map_err(|error| format!("{}: {error}", self.postmap.program.display()))?;
        if let (Some(mut input), true) = (child.stdin.take(), is_line) {
            // One that has given up already reads nothing; its words say why.
            let _ = input.write_all(&[key, b"\n"].concat());
        }
        let out = read_in_background(child.stdout.take());
        let err = read_in_background(child.stderr.take());
        let patience = self.postmap.patience;
        let found = wait(&mut child, started + patience)?
            .ok_or_else(|| format!("no answer within {} seconds", patience.as_secs()))?;
        Ok(Output {
            found,
            is_line,
            out: out.join().unwrap_or_default(),
            err: String::from_utf8_lossy(&err.join().unwrap_or_default()).into_owned(),
        })
    }
}

/// What postmap said.
struct Output {
    /// It ended with 0.
    found: bool,
    /// The key stands in front of the value.
    is_line: bool,
    out: Vec<u8>,
    err: String,
}

/// Waits for a child; one that is too slow is killed. Whether it ended with 0, `None` when it was killed.
fn wait(child: &mut Child, end: Instant) -> Result<Option<bool>, String> {
    let mut pause = Duration::from_micros(200);
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(Some(status.success())),
            Ok(None) if Instant::now() < end => {
                thread::sleep(pause);
                pause = (pause * 2).min(Duration::from_millis(20));
            }
            Ok(None) => {
                // It may have ended in between; it is waited for either way, so that nothing of it remains.
                let _ = child.kill();
                let _ = child.wait();
                return Ok(None);
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn read_in_background(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // What was read until an error says more than the error.
            let _ = pipe.take(LONGEST_OUTPUT).read_to_end(&mut bytes);
        }
        bytes
    })
}

/// What the output means (`src/postmap/postmap.c`).
fn judge(key: &[u8], output: &Output) -> Answer {
    if output.found {
        let text = output.out.strip_suffix(b"\n").unwrap_or(&output.out);
        let value = if output.is_line {
            text.strip_prefix(key)
                .and_then(|rest| rest.strip_prefix(b"\t"))
        } else {
            Some(text)
        };
        return match value {
            Some(value) => Answer::Found(value.to_vec()),
            None => Answer::Unknown("postmap gives no answer to the key".to_owned()),
        };
    }
    let messages = output
        .err
        .lines()
        .filter_map(|line| line.strip_prefix("postmap: "));
    let fatal = messages
        .filter_map(|line| line.strip_prefix("fatal: "))
        .next_back();
    match fatal {
        None if output.err.contains("postmap: panic: ") => {
            Answer::Unknown("postmap gives up".to_owned())
        }
        None => Answer::NotFound,
        // That this Postfix lacks the type says nothing about the one that the configuration is for.
        Some(message) if message.starts_with("unsupported dictionary type: ") => {
            Answer::Unknown(message.to_owned())
        }
        Some(message) => Answer::Error(message.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::instance::builtin::Version;

    /// A program that stands for postmap.
    fn table(script: &str, patience: Duration) -> (tempfile::TempDir, LiveTable) {
        let directory = tempfile::tempdir().expect("a directory");
        let program = directory.path().join("postmap");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a file");
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).expect("a mode");
        let postmap = Postmap {
            program,
            directory: Some("/config".into()),
            patience,
        };
        (directory, LiveTable::new(postmap, "ldap:/x".to_owned()))
    }

    fn ask(table: &LiveTable, key: &str) -> Lookup {
        let reference = Text::placeless("ldap:/x");
        let reference = super::super::reference::parse(&reference, Version::NEWEST);
        table.lookup(
            key.as_bytes(),
            Flags::MAILBOX,
            true,
            &reference.expect("a table"),
        )
    }

    const PATIENT: Duration = Duration::from_secs(60);

    #[test]
    fn what_the_output_means() {
        let script = "read key; case $key in\n\
             a) printf 'a\\tann, %s\\n' \"$*\";;\n\
             b) echo 'postmap: warning: slow' >&2; exit 1;;\n\
             c) echo 'postmap: fatal: table ldap:/x: query error: Connection refused' >&2; exit 1;;\n\
             d) echo 'postmap: fatal: unsupported dictionary type: ldap' >&2; exit 1;;\n\
             esac";
        let (_directory, table) = table(script, PATIENT);
        let found = ask(&table, "a");
        assert_eq!(
            found.hits()[0].value,
            Text::placeless("ann, -c /config -f -q - ldap:/x")
        );
        assert_eq!(ask(&table, "b"), Lookup::NotFound);
        let Lookup::Error(error) = ask(&table, "c") else {
            panic!("no error")
        };
        assert_eq!(
            error.message,
            "table ldap:/x: query error: Connection refused"
        );
        assert!(matches!(ask(&table, "d"), Lookup::Unknown(_)));
    }

    #[test]
    fn each_key_is_asked_once() {
        let (directory, table) = table("read key; echo x >> ${0%/*}/count; exit 1", PATIENT);
        for _ in 0..3 {
            assert_eq!(ask(&table, "a"), Lookup::NotFound);
        }
        let count = std::fs::read_to_string(directory.path().join("count"));
        assert_eq!(count.expect("a file"), "x\n");
    }

    #[test]
    fn a_slow_table_is_killed_and_left_alone() {
        let (_directory, table) = table("exec sleep 600", Duration::from_millis(50));
        let started = Instant::now();
        for key in ["a", "b"] {
            assert!(matches!(ask(&table, key), Lookup::Unknown(_)));
        }
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
