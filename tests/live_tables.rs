//! `--live-tables`: a real SQLite table behind a real postmap(1).

mod common;

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use common::postlint::{Outcome, run};

const MAIN_CF: &str = "\
compatibility_level = 3.6
virtual_mailbox_domains = example.org
virtual_mailbox_maps = sqlite:/etc/postfix/users.cf
";
const SQL: &str = "\
CREATE TABLE users (address TEXT, mailbox TEXT);
INSERT INTO users VALUES ('anna@example.org', 'anna/'), ('it''s@example.org', 'quoted/');
";

/// Whether this machine can ask SQLite tables.
fn is_possible() -> bool {
    let runs = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .ok()
            .filter(|out| out.status.success())
    };
    let types = runs("postconf", &["-m"])
        .map(|out| out.stdout)
        .unwrap_or_default();
    let has_driver = String::from_utf8_lossy(&types)
        .lines()
        .any(|kind| kind == "sqlite");
    let is_possible = has_driver && runs("sqlite3", &["--version"]).is_some();
    if !is_possible {
        let message = "SKIPPED: --live-tables needs postfix-sqlite and sqlite3\n";
        let is_required = std::env::var_os("POSTLINT_REQUIRE_POSTFIX");
        assert!(is_required.is_none_or(|value| value != "1"), "{message}");
        // Past the test runner, which keeps back what a passing test prints.
        drop(io::stderr().write_all(message.as_bytes()));
    }
    is_possible
}

/// A copy of a configuration whose table is a database.
fn tree() -> tempfile::TempDir {
    let tree = tempfile::tempdir().expect("a directory");
    let database = tree.path().join("users.db");
    let made = Command::new("sqlite3").arg(&database).arg(SQL).status();
    assert!(made.expect("sqlite3 runs").success());
    let write = |name: &str, text: String| fs::write(tree.path().join(name), text).expect("a file");
    write("main.cf", MAIN_CF.to_owned());
    let path = database.display();
    for (name, query) in [
        ("users.cf", "SELECT mailbox FROM users WHERE address = '%s'"),
        (
            "broken.cf",
            "SELECT mailbox FROM nowhere WHERE address = '%s'",
        ),
    ] {
        write(name, format!("dbpath = {path}\nquery = {query}\n"));
    }
    tree
}

fn query(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut all = vec!["query", "-c", "."];
    all.extend_from_slice(arguments);
    run(directory, &all)
}

#[test]
fn a_database_is_asked_when_the_user_wants_that() {
    if !is_possible() {
        return;
    }
    let tree = tree();
    let live = |arguments: &[&str]| {
        let mut all = vec!["--live-tables"];
        all.extend_from_slice(arguments);
        query(tree.path(), &all)
    };
    let table = "sqlite:/etc/postfix/users.cf";
    let found = live(&[table, "Anna@example.org"]);
    assert_eq!(
        (found.code, found.out.as_str()),
        (Some(0), "anna/\n"),
        "{}",
        found.err
    );
    let found = live(&[
        "$virtual_mailbox_maps",
        "it's@example.org",
        "ben@example.org",
    ]);
    assert_eq!(found.out, "it's@example.org\tquoted/\n");
    let missing = live(&[table, "ben@example.org"]);
    assert_eq!((missing.code, missing.err.as_str()), (Some(1), ""));
    // Keys that postmap would take for something else.
    for key in ["-", "-v", "", "a\nanna@example.org"] {
        let missing = live(&["--", table, key]);
        assert_eq!(
            (missing.code, missing.out.as_str()),
            (Some(1), ""),
            "{key:?}"
        );
    }
    let broken = live(&["sqlite:/etc/postfix/broken.cf", "anna@example.org"]);
    assert_eq!(broken.code, Some(1));
    assert!(broken.err.contains("no such table"), "{}", broken.err);

    let unasked = query(tree.path(), &[table, "anna@example.org"]);
    assert_eq!((unasked.code, unasked.out.as_str()), (Some(3), ""));
}

#[test]
fn a_table_of_another_machine_stays_unknown() {
    if !is_possible() {
        return;
    }
    let tree = tree();
    let found = query(
        tree.path(),
        &["--live-tables", "sqlite:/srv/mail/users.cf", "x"],
    );
    assert_eq!(found.code, Some(3));
    assert!(
        found
            .err
            .contains("/srv/mail/users.cf is on another machine"),
        "{}",
        found.err
    );
}
