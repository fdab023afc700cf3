//! `postlint postconf` against Postfix's own, on random configurations.
//!
//! `POSTLINT_ORACLE_PAIRS` says how many, `POSTLINT_ORACLE_SEED` from which on. A failure names the seed of
//! the configuration, with which it comes back alone. `POSTLINT_ORACLE_POSTCONF` is the path of a postconf
//! to ask in place of the installed one, be it of another version.

mod common;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use clap::Parser;
use common::configuration::{BUILT_IN, Configuration, OTHER, configuration};
use common::random::Random;
use postlint::cli::Cli;
use postlint::exit::Exit;
use postlint::instance::builtin::Version;

/// Configurations that a plain `cargo test` compares.
const PAIRS: u64 = 150;
/// Threads for each processor: Postfix sleeps a second when it gives up.
const THREADS: usize = 8;
/// Failures that are reported before the test gives up.
const ENOUGH: usize = 5;

/// What a run came to.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    succeeds: bool,
    stdout: Vec<u8>,
    /// Sorted: Postfix has no order. Empty after a failure: which mistake is met first is chance, too.
    warnings: Vec<Vec<u8>>,
}

impl Outcome {
    fn new(program: &str, succeeds: bool, stdout: Vec<u8>, stderr: &[u8]) -> Self {
        let prefix = format!("{program}: ");
        let mut warnings = Vec::new();
        if succeeds {
            let lines = stderr.split(|&byte| byte == b'\n');
            let lines = lines.filter_map(|line| line.strip_prefix(prefix.as_bytes()));
            warnings.extend(lines.map(<[u8]>::to_vec));
            warnings.sort_unstable();
        }
        Self {
            succeeds,
            stdout,
            warnings,
        }
    }

    fn show(&self) -> String {
        let mut text = format!("succeeds: {}\n", self.succeeds);
        for line in self.stdout.split_inclusive(|&byte| byte == b'\n') {
            text += &format!("> {}\n", line.escape_ascii());
        }
        for line in &self.warnings {
            text += &format!("! {}\n", line.escape_ascii());
        }
        text
    }
}

/// Options that are tried on a configuration.
fn requests(random: &mut Random, version: Version) -> Vec<Vec<String>> {
    let mut requests: Vec<Vec<String>> = ["-n", "-nx", "-M", "-Mf", "-P"]
        .iter()
        .map(|option| vec![(*option).to_owned()])
        .collect();
    let mut names = vec!["-hx".to_owned()];
    for _ in 0..6 {
        let known = random.one_in(2);
        names.push(random.word(if known { BUILT_IN } else { OTHER }).to_owned());
    }
    // An option to clap.
    names.retain(|name| !name.contains('='));
    requests.push(names);
    let extra = random.pick(&[
        &["-F"][..],
        &["-Fx", "smtp", "*/unix/command"],
        &["-Fhf", "*/*/command"],
        &["-Fff", "*/*/command"],
        &["-Px"],
        &["-Ph", "smtp/inet/smtpd_banner", "*/*/foo", "nosuch"],
        &["-PH", "*/unix"],
        &["-Mx"],
        &["-Mfx", "smtp/inet", "slow"],
        &["-nf"],
        &["-nfx"],
        &["-nH"],
        &["-C", "user"],
        &["-C", "service,user", "-x"],
        &["-o", "foo=${bar}", "-o", "mydomain = x", "-nx"],
        &[
            "-d",
            "mydomain",
            "smtp_destination_recipient_limit",
            "mynetworks",
            "foo",
        ],
        &[
            "-dx",
            "mydestination",
            "slow_time_limit",
            "local_destination_recipient_limit",
        ],
        &["-fx", "-C", "service"],
    ]);
    requests.push(extra.iter().map(|&option| option.to_owned()).collect());
    // -H came with Postfix 3.1; -F and -P with 2.11.
    let is_known = |request: &[String]| match request.first().map(String::as_str) {
        Some("-nH" | "-PH") => version >= Version::release(3, 1, 0),
        Some(option) if option.starts_with("-F") || option.starts_with("-P") => {
            version >= Version::release(2, 11, 0)
        }
        _ => true,
    };
    requests.retain(|request| is_known(request));
    requests
}

fn write(directory: &Path, name: &str, contents: &[u8]) {
    let path = directory.join(name);
    let there = directory.display().to_string();
    let mut bytes = Vec::new();
    for part in contents.split_inclusive(|&byte| byte == b'@') {
        match part.strip_suffix(b"@") {
            Some(part) => {
                bytes.extend_from_slice(part);
                bytes.extend_from_slice(there.as_bytes());
            }
            None => bytes.extend_from_slice(part),
        }
    }
    fs::write(&path, bytes).expect("a writable directory");
    // Postfix waits for a file that was just written.
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let file = File::options().write(true).open(&path).expect("the file");
    file.set_modified(hour_ago).expect("a new time");
}

/// The postconf to compare with.
struct Oracle {
    program: OsString,
    version: Version,
}

impl Oracle {
    fn new() -> Self {
        let program = std::env::var_os("POSTLINT_ORACLE_POSTCONF");
        let program = program.unwrap_or_else(|| "postconf".into());
        let output = Command::new(&program)
            .args(["-c", "/nonexistent", "-d", "-h", "mail_version"])
            .output()
            .expect("a postconf that runs");
        let version = String::from_utf8_lossy(&output.stdout);
        let version = Version::parse(version.trim()).expect("a version");
        Self { program, version }
    }
}

fn theirs(oracle: &Oracle, directory: &Path, request: &[String]) -> Outcome {
    let output = Command::new(&oracle.program)
        .arg0("postconf")
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .arg("-c")
        .arg(directory)
        .args(request)
        .stdin(Stdio::null())
        .output()
        .expect("postconf");
    Outcome::new(
        "postconf",
        output.status.success(),
        output.stdout,
        &output.stderr,
    )
}

fn ours(oracle: &Oracle, directory: &Path, request: &[String]) -> Outcome {
    let directory = directory.display().to_string();
    let mut arguments = vec!["postlint", "postconf", "-c", &directory];
    let version = oracle.version.to_string();
    arguments.extend(["--postfix-version", &version]);
    arguments.extend(request.iter().map(String::as_str));
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let cli = Cli::try_parse_from(arguments).unwrap_or_else(|error| panic!("{error}"));
    let exit = postlint::commands::run(cli, &mut stdout, &mut stderr)
        .unwrap_or_else(|error| panic!("{error:#}"));
    Outcome::new("postlint", exit == Exit::Clean, stdout, &stderr)
}

/// What was compared.
#[derive(Default)]
struct Count {
    requests: AtomicU64,
    gave_up: AtomicU64,
}

/// Compares all requests on one configuration; what differs.
fn compare(oracle: &Oracle, directory: &Path, seed: u64, count: &Count) -> Option<String> {
    let mut random = Random::new(seed);
    let Configuration {
        main_cf,
        master_cf,
        clients,
    } = configuration(&mut random);
    write(directory, "main.cf", &main_cf);
    write(directory, "master.cf", &master_cf);
    for (name, contents) in &clients {
        write(directory, name, contents);
    }
    let mut gave_up = 0;
    for request in requests(&mut random, oracle.version) {
        let theirs = theirs(oracle, directory, &request);
        gave_up += u64::from(!theirs.succeeds);
        count.requests.fetch_add(1, Ordering::Relaxed);
        count
            .gave_up
            .fetch_add(u64::from(!theirs.succeeds), Ordering::Relaxed);
        let ours = catch_unwind(AssertUnwindSafe(|| ours(oracle, directory, &request)));
        let shown = match ours {
            // What makes postconf give up, and sleep, will do so again.
            Ok(ours) if ours == theirs && gave_up > 1 => break,
            Ok(ours) if ours == theirs => continue,
            Ok(ours) => ours.show(),
            Err(_) => "a panic".to_owned(),
        };
        let theirs = theirs.show();
        let difference = similar::TextDiff::from_lines(&theirs, &shown)
            .unified_diff()
            .header("postconf", "postlint")
            .to_string();
        return Some(format!(
            "POSTLINT_ORACLE_PAIRS=1 POSTLINT_ORACLE_SEED={seed}: postconf {}\n{difference}\
             --- main.cf\n{}\n--- master.cf\n{}\n",
            request.join(" "),
            String::from_utf8_lossy(&main_cf),
            String::from_utf8_lossy(&master_cf),
        ));
    }
    None
}

fn number(variable: &str, default: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
        Err(_) => default,
    }
}

#[test]
fn prints_what_postconf_prints() {
    if !common::postfix::is_installed("prints_what_postconf_prints") {
        return;
    }
    let first = number("POSTLINT_ORACLE_SEED", 1);
    let end = first + number("POSTLINT_ORACLE_PAIRS", PAIRS);
    let next = AtomicU64::new(first);
    let oracle = Oracle::new();
    let count = Count::default();
    let failures: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..processors * THREADS {
            scope.spawn(|| {
                let directory = tempfile::tempdir().expect("a temporary directory");
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    let is_enough = failures.lock().is_ok_and(|found| found.len() >= ENOUGH);
                    if seed >= end || is_enough {
                        return;
                    }
                    if let Some(failure) = compare(&oracle, directory.path(), seed, &count) {
                        failures.lock().expect("no panic").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    let said = format!(
        "configurations {first} to {}: {} runs of postconf {}, which gave up in {}\n",
        end - 1,
        count.requests.into_inner(),
        oracle.version,
        count.gave_up.into_inner(),
    );
    drop(std::io::stderr().write_all(said.as_bytes()));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
