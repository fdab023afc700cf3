//! The real postmap(1) and postalias(1), with a configuration directory of their own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postlint::instance::builtin::Version;
use postlint::instance::table::{
    Accounts, NoAccounts, Opened, Opener, Reference, SourceFormat, Table, TableSettings, reference,
};
use postlint::source::{Source, Sources, Text, same_length_lossy};

/// A directory with a main.cf for the real programs.
pub(crate) struct Oracle {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) utf8: bool,
    pub(crate) version: Version,
}

impl Oracle {
    /// `None`, with a loud word, where there is no Postfix.
    pub(crate) fn new(test: &str, utf8: bool) -> Option<Self> {
        let printed = command("postconf").args(["-dh", "mail_version"]).output();
        let version = printed
            .ok()
            .and_then(|output| Version::parse(String::from_utf8_lossy(&output.stdout).trim()));
        let Some(version) = version else {
            let message = format!("SKIPPED: {test} needs Postfix (apt-get install postfix)\n");
            assert!(
                std::env::var_os("POSTLINT_REQUIRE_POSTFIX").is_none_or(|value| value != "1"),
                "{message}"
            );
            drop(std::io::stderr().write_all(message.as_bytes()));
            return None;
        };
        let directory = tempfile::tempdir().expect("a temporary directory");
        let smtputf8 = if utf8 { "yes" } else { "no" };
        let main_cf = format!("compatibility_level = 3.6\nsmtputf8_enable = {smtputf8}\n");
        fs::write(directory.path().join("main.cf"), main_cf).expect("main.cf");
        Some(Self {
            directory,
            utf8,
            version,
        })
    }

    pub(crate) fn settings(&self) -> TableSettings {
        TableSettings {
            version: self.version,
            utf8: self.utf8,
        }
    }

    /// Writes a table with an old time stamp: texthash waits for young files to settle.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.directory.path().join(name);
        fs::write(&path, bytes).expect("a table");
        let old = SystemTime::now() - Duration::from_secs(3600);
        let file = File::options().write(true).open(path).expect("the table");
        file.set_modified(old).expect("its time");
    }

    pub(crate) fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = command(program)
            .arg("-c")
            .arg(self.directory.path())
            .args(arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        let mut stdin = child.stdin.take().expect("standard input");
        // A program that gives up early does not read all of it.
        drop(stdin.write_all(input));
        drop(stdin);
        child.wait_with_output().expect("its output")
    }

    /// Asks for each key; gives the answers by key, and the messages.
    pub(crate) fn ask(
        &self,
        table: &str,
        keys: &[Vec<u8>],
    ) -> (BTreeMap<Vec<u8>, Vec<u8>>, Vec<String>) {
        let mut input = keys.join(&b'\n');
        input.push(b'\n');
        let output = self.run("postmap", &["-q", "-", table], &input);
        (pairs(&output.stdout, b"\t"), messages(&output))
    }

    pub(crate) fn open(&self, piece: &str, format: SourceFormat) -> Result<Table, String> {
        let piece = Text::placeless(piece);
        match reference::parse(&piece, self.version) {
            Ok(reference) => Ok(Table::open(reference, format, self)),
            Err(malformed) => Err(malformed.message),
        }
    }

    pub(crate) fn source(&self, name: &str) -> Arc<Source> {
        match Opener::open(self, name) {
            Opened::Found(source) => source,
            other => panic!("{name}: {other:?}"),
        }
    }
}

impl Opener for Oracle {
    fn open(&self, path: &str) -> Opened {
        match Sources::default().read(&self.directory.path().join(path)) {
            Ok(source) => Opened::Found(source),
            Err(_) => Opened::Missing,
        }
    }

    fn open_member(&self, reference: &Reference, format: SourceFormat) -> Arc<Table> {
        Arc::new(Table::open(reference.clone(), format, self))
    }

    fn exists(&self, path: &str) -> Option<bool> {
        Some(self.directory.path().join(path).exists())
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::new(NoAccounts)
    }

    fn settings(&self) -> TableSettings {
        Self::settings(self)
    }
}

pub(crate) fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    );
    command
}

/// Lines `key SEPARATOR value`.
pub(crate) fn pairs(output: &[u8], separator: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    output
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let at = line
                .windows(separator.len())
                .position(|window| window == separator)?;
            Some((line[..at].to_vec(), line[at + separator.len()..].to_vec()))
        })
        .collect()
}

/// Warnings and errors without the name of the program.
pub(crate) fn messages(output: &Output) -> Vec<String> {
    same_length_lossy(&output.stderr)
        .lines()
        .map(|line| {
            let line = line.split_once(": ").map_or(line, |(_, rest)| rest);
            line.strip_prefix("warning: ").unwrap_or(line).to_owned()
        })
        // The reader of logical lines, whose words these are, is tested elsewhere.
        .filter(|line| {
            !line.contains("text after null byte may be ignored")
                && !line.contains("logical line must not start with whitespace")
        })
        .collect::<Vec<_>>()
}

pub(crate) fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}
