//! `--fix` and `--diff`: what is written where, what is said, and how the program ends.

mod common;

use std::fs;
use std::path::Path;
use std::process::Command;

use common::postlint::{command, run, run_with};

/// RC001 warns, and has a safe fix.
const WARNED: &str = "mydestination = example.com\nunknown_local_recipient_reject_code = 450\n";
const MENDED: &str = "mydestination = example.com\n";
/// RL001 has an unsafe fix.
const OPEN: &str = "mynetworks = 0.0.0.0/0 127.0.0.0/8\ncompatibility_level = 3.6\n";
const ONLY: &str = "--select=RC001,RL001";

fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    directory
}

fn read(directory: &Path, name: &str) -> String {
    fs::read_to_string(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries
        .map(|entry| name(entry).to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn safe_fixes_are_written_and_the_rest_is_reported() {
    let both = format!("{WARNED}{OPEN}");
    let directory = tree(&[("main.cf", &both)]);
    let outcome = run(
        directory.path(),
        &["--fix", ONLY, "--format=concise", "main.cf"],
    );
    assert_eq!(read(directory.path(), "main.cf"), format!("{MENDED}{OPEN}"));
    assert_eq!(names(directory.path()), ["main.cf"]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .out
            .starts_with("main.cf:2:14: error[open-relay-networks]")
    );
    assert!(
        outcome
            .out
            .ends_with("1 error; --fix --unsafe-fixes mends 1\n")
    );
    assert_eq!(
        outcome.err,
        "fixed main.cf:2: remove unknown_local_recipient_reject_code: 550 is the default \
         [deferred-unknown-recipient]\n\
         what happens to mail changes 2 times for 5 addresses:\n    \
         no-such-user-x7q2@example.com from a stranger at smtp/inet: 450 -> 550\n    \
         no-such-user-x7q2@[127.0.0.1] from a stranger at smtp/inet: 450 -> 550\n\
         for Postfix to take notice, run:\n    postfix reload\n"
    );
    let outcome = run(
        directory.path(),
        &["--fix", "--unsafe-fixes", ONLY, "--quiet", "."],
    );
    assert_eq!(
        read(directory.path(), "main.cf"),
        format!("{MENDED}mynetworks = 127.0.0.0/8\ncompatibility_level = 3.6\n")
    );
    assert_eq!(
        (outcome.code, outcome.out.as_str(), outcome.err.as_str()),
        (Some(0), "", "")
    );
}

#[test]
fn a_diff_changes_nothing() {
    let directory = tree(&[("etc/main.cf", WARNED)]);
    let outcome = run(directory.path(), &["--diff", ONLY, "etc"]);
    assert_eq!(
        outcome.out,
        "--- a/etc/main.cf\n+++ b/etc/main.cf\n@@ -1,2 +1 @@\n mydestination = example.com\n\
         -unknown_local_recipient_reject_code = 450\n"
    );
    assert!(outcome.err.starts_with("would fix etc/main.cf:2: remove "));
    assert_eq!(outcome.code, Some(1));
    assert_eq!(read(directory.path(), "etc/main.cf"), WARNED);
    let outcome = run(directory.path(), &["--fix", "--diff", ONLY, "-q", "etc"]);
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(1), ""));
    assert_eq!(read(directory.path(), "etc/main.cf"), WARNED);
}

#[test]
fn a_diff_shows_no_password() {
    let text = format!("x_password = hunter22\n{WARNED}");
    let directory = tree(&[("main.cf", &text)]);
    let outcome = run(directory.path(), &["--diff", ONLY, "."]);
    assert!(
        outcome.out.contains("\n x_password = ********\n"),
        "{}",
        outcome.out
    );
    assert!(
        outcome.err.contains("in place of passwords"),
        "{}",
        outcome.err
    );
}

#[test]
fn old_files_can_be_kept() {
    let directory = tree(&[("main.cf", WARNED)]);
    let outcome = run(directory.path(), &["--fix", "--backup", ONLY, "."]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(names(directory.path()), ["main.cf", "main.cf.orig"]);
    assert_eq!(read(directory.path(), "main.cf.orig"), WARNED);
    fs::write(directory.path().join("main.cf"), WARNED).expect("a file");
    let outcome = run(directory.path(), &["--fix", "--backup=~", ONLY, "."]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(
        names(directory.path()),
        ["main.cf", "main.cf.orig", "main.cf~"]
    );
    assert!(!outcome.err.contains("bug"), "{}", outcome.err);
}

#[test]
fn copies_go_into_another_directory() {
    let directory = tree(&[("etc/main.cf", WARNED), ("etc/virtual", "")]);
    let arguments = ["--fix", "--output=new", ONLY, "etc"];
    let outcome = run(directory.path(), &arguments);
    assert_eq!(outcome.code, Some(0), "{}", outcome.err);
    assert_eq!(names(&directory.path().join("new")), ["main.cf"]);
    assert_eq!(read(directory.path(), "new/main.cf"), MENDED);
    assert_eq!(read(directory.path(), "etc/main.cf"), WARNED);
    // What is there is not overwritten.
    assert_eq!(run(directory.path(), &arguments).code, Some(3));
    let outcome = run(directory.path(), &["--fix", "--output=x", "-"]);
    assert_eq!(outcome.code, Some(2));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let directory = tree(&[]);
    let mut filter = command(directory.path());
    let outcome = run_with(filter.args(["--fix", ONLY, "-"]), WARNED.as_bytes());
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(0), MENDED));
    assert!(
        outcome.err.starts_with("fixed -:2: remove "),
        "{}",
        outcome.err
    );
    // What needs no fix passes through.
    let mut filter = command(directory.path());
    let outcome = run_with(filter.args(["--fix", ONLY, "-q", "-"]), MENDED.as_bytes());
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(0), MENDED));
    assert_eq!(outcome.err, "");
}

#[test]
fn several_configurations_are_mended_in_one_run() {
    let directory = tree(&[("one/main.cf", WARNED), ("two/main.cf", WARNED)]);
    let outcome = run(directory.path(), &["--fix", ONLY, "one", "two"]);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(read(directory.path(), "one/main.cf"), MENDED);
    assert_eq!(read(directory.path(), "two/main.cf"), MENDED);
    let directory = tree(&[("one/main.cf", WARNED), ("two/main.cf", WARNED)]);
    let outcome = run(
        directory.path(),
        &["--fix", "--output=new", ONLY, "one", "two"],
    );
    assert_eq!(outcome.code, Some(3));
    assert!(!directory.path().join("new").exists());
}

#[test]
fn a_file_that_postfix_cannot_read_is_left_alone() {
    let text = format!("no value\n{WARNED}");
    let directory = tree(&[("main.cf", &text)]);
    let outcome = run(directory.path(), &["--fix", ONLY, "main.cf"]);
    assert_eq!(outcome.code, Some(1));
    assert_eq!(read(directory.path(), "main.cf"), text);
    assert!(
        outcome
            .err
            .ends_with(": mend main.cf:1 first, which Postfix cannot read\n"),
        "{}",
        outcome.err
    );
}

#[test]
fn options_that_do_not_go_together() {
    let directory = tree(&[("main.cf", WARNED)]);
    for arguments in [
        &["--unsafe-fixes", "."][..],
        &["--output=x", "."],
        &["--backup", "."],
        &["--diff", "--backup", "."],
        &["--diff", "--output=x", "."],
        &["--fix", "--backup", "--output=x", "."],
        &["--fix", "--backup=", "."],
        &["--fix", "--backup=a/b", "."],
    ] {
        assert_eq!(
            run(directory.path(), arguments).code,
            Some(2),
            "{arguments:?}"
        );
    }
    assert_eq!(read(directory.path(), "main.cf"), WARNED);
}

#[test]
fn a_diff_can_be_applied() {
    // Bytes that are no text, CR LF, no newline at the end.
    let main =
        b"# caf\xe9\r\nunknown_local_recipient_reject_code = 450\r\nmydestination = example.com";
    let directory = tree(&[]);
    fs::write(directory.path().join("main.cf"), main).expect("a file");
    let output = command(directory.path())
        .args(["--diff", ONLY, "."])
        .output()
        .expect("it runs");
    fs::write(directory.path().join("the.patch"), &output.stdout).expect("a file");
    let applied = Command::new("git")
        .args(["apply", "-p1", "the.patch"])
        .current_dir(directory.path())
        .output()
        .expect("git, with which this project is kept");
    assert!(
        applied.status.success(),
        "{}",
        String::from_utf8_lossy(&applied.stderr)
    );
    let patched = fs::read(directory.path().join("main.cf")).expect("main.cf");
    assert_eq!(patched, b"# caf\xe9\r\nmydestination = example.com");
}

#[test]
fn what_cannot_be_written_stays_and_is_an_error() {
    let directory = tree(&[("main.cf", WARNED)]);
    // Replacing one name of two would tear them apart.
    let other = directory.path().join("other");
    fs::hard_link(directory.path().join("main.cf"), other).expect("a link");
    let outcome = run(directory.path(), &["--fix", ONLY, "."]);
    assert_eq!(
        (outcome.code, outcome.out.as_str()),
        (Some(3), ""),
        "{}",
        outcome.err
    );
    assert!(outcome.err.contains("main.cf"), "{}", outcome.err);
    assert_eq!(read(directory.path(), "main.cf"), WARNED);
}

#[test]
fn what_is_to_be_run_is_said_once_files_are_written() {
    let said = |arguments: &[&str]| {
        let directory = tree(&[("main.cf", WARNED)]);
        let mut all = vec![ONLY, "main.cf"];
        all.extend_from_slice(arguments);
        run(directory.path(), &all)
            .err
            .contains("    postfix reload\n")
    };
    assert!(said(&["--fix"]));
    assert!(!said(&["--fix", "--quiet"]));
    assert!(!said(&["--fix", "--output=copy"]));
    assert!(!said(&["--diff"]));
    assert!(!said(&["--fix", "--ignore=RC001"]));
}

#[test]
fn the_last_of_two_options_wins() {
    let directory = tree(&[("main.cf", WARNED)]);
    let outcome = run(
        directory.path(),
        &["--format=json", ONLY, "main.cf", "--format=concise", "-q"],
    );
    assert!(
        outcome.out.starts_with("main.cf:2:39: "),
        "{}{}",
        outcome.out,
        outcome.err
    );
}
