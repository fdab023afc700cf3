//! A mail server as there are many, and what mending it changes, told by a real Postfix.
//!
//! `fixtures/_mail/story` accepts mail for users who do not exist, and then sends bounces to whoever the
//! sender is said to be. `fixtures/_mail/story-fixed` is the same server mended.

mod common;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::postfix::{Private, is_available};
use common::smtp::SENDER;
use common::{copy_tree, fixture};
use tempfile::TempDir;

/// Whom the server has mail boxes for, under all their names.
const KNOWN: [&str; 8] = [
    "anna@example.com",
    "ben@mail.example.com",
    "postmaster@example.com",
    "abuse@example.com",
    "info@example.org",
    "orders@example.org",
    "info@example.net",
    "postmaster@example.net",
];

/// Nobody's addresses, which the server accepts, and what is wrong there.
const ACCEPTED_BUT_UNKNOWN: [(&str, &str); 3] = [
    ("nobody-here@example.com", "local_recipient_maps is empty"),
    ("nobody-here@example.net", "@example.net matches everybody"),
    ("shop@example.org", "its target is not a user"),
];

fn start(directory: &Path) -> Private {
    Private::start(directory, &[])
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
}

fn assert_serves_known(postfix: &Private) {
    for address in KNOWN {
        let outcome = postfix.send(address);
        assert!(
            outcome.is_delivered() && !outcome.is_bounced,
            "{address}: {outcome:#?}"
        );
    }
    assert!(postfix.sent_away().is_empty(), "{:#?}", postfix.sent_away());
}

fn assert_refuses_unknown(postfix: &Private) {
    for (address, _) in ACCEPTED_BUT_UNKNOWN {
        let reply = postfix.rcpt(address);
        assert_eq!(
            (reply.code, reply.dsn.as_str()),
            (550, "5.1.1"),
            "{address}: {reply}"
        );
    }
}

#[test]
fn before_unknown_users_are_accepted_and_strangers_get_the_bounces() {
    if !is_available("story: before") {
        return;
    }
    let postfix = start(&fixture("_mail/story"));
    assert_serves_known(&postfix);
    for (count, (address, why)) in (1..).zip(ACCEPTED_BUT_UNKNOWN) {
        let outcome = postfix.send(address);
        assert!(outcome.is_bounced, "{address}, {why}: {outcome:#?}");
        let away = postfix.sent_away();
        assert_eq!(away.len(), count, "{address}, {why}: {away:#?}");
        let bounce = away.last().expect("counted");
        assert_eq!(
            (bounce.sender.as_str(), &bounce.recipients),
            ("", &vec![SENDER.to_owned()])
        );
    }
}

#[test]
fn with_the_tables_back_the_code_still_asks_to_try_again() {
    if !is_available("story: half mended") {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    copy_tree(&fixture("_mail/story"), directory.path());
    let main_cf = directory.path().join("main.cf");
    let text = fs::read_to_string(&main_cf).expect("main.cf");
    let mended = text.replace("\nlocal_recipient_maps =\n", "\n");
    assert_ne!(text, mended, "the story has changed");
    fs::write(&main_cf, mended).expect("main.cf");

    let postfix = start(directory.path());
    let reply = postfix.rcpt("nobody-here@example.com");
    assert_eq!((reply.code, reply.dsn.as_str()), (450, "4.1.1"), "{reply}");
    assert_eq!(postfix.rcpt("anna@example.com").code, 250);
}

/// A copy of the server as it was, mended by the program.
fn mended() -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    copy_tree(&fixture("_mail/story"), directory.path());
    let output = Command::new(env!("CARGO_BIN_EXE_postlint"))
        .args(["--fix", "--unsafe-fixes"])
        .arg(directory.path())
        .env_clear()
        .output()
        .expect("postlint runs");
    assert!(
        matches!(output.status.code(), Some(0 | 1)),
        "{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    directory
}

/// The files that the server has, with their contents.
fn files(directory: &Path) -> Vec<(OsString, String)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| {
            let entry = entry.expect("a directory");
            (
                entry.file_name(),
                fs::read_to_string(entry.path()).expect("a text file"),
            )
        })
        .collect();
    files.sort();
    files
}

#[test]
fn postlint_mends_it_as_a_person_would() {
    let mended = mended();
    assert_eq!(files(mended.path()), files(&fixture("_mail/story-fixed")));
}

#[test]
fn mended_by_postlint_it_refuses_unknown_users_and_serves_the_others() {
    if !is_available("story: mended by postlint") {
        return;
    }
    let directory = mended();
    let postfix = start(directory.path());
    assert_serves_known(&postfix);
    assert_refuses_unknown(&postfix);
}

#[test]
fn after_unknown_users_are_refused_and_nobody_else() {
    if !is_available("story: after") {
        return;
    }
    let postfix = start(&fixture("_mail/story-fixed"));
    assert_serves_known(&postfix);
    assert_refuses_unknown(&postfix);
}
