//! `postlint trace`: what it takes, and what it prints for people and for programs.

mod common;

use std::fs;
use std::path::Path;

use common::postlint::{Outcome, command, run, run_with};
use serde_json::Value;

const MAIN_CF: &str = "\
compatibility_level = 3.6
myhostname = mail.example.com
mydestination = example.com
alias_maps =
virtual_alias_domains = example.org
virtual_alias_maps = inline:{{info@example.org = anna@example.com}, {gone@example.org = ghost@example.com}}
virtual_mailbox_domains = example.net
virtual_mailbox_maps = ldap:/etc/postfix/mailboxes.cf
relay_domains = example.edu
";
const MASTER_CF: &str = "\
submission inet n - n - - smtpd
  -o smtpd_recipient_restrictions=reject
smtp inet n - n - 1 postscreen
smtpd pass - - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
local unix - n n - - local
virtual unix - n n - - virtual
relay unix - - n - - smtp
smtp unix - - n - - smtp
";
const OPTIONS: [&str; 3] = ["trace", "--postfix-version=3.7.11", "--passwd=passwd"];

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let files = [
        ("main.cf", MAIN_CF),
        ("master.cf", MASTER_CF),
        ("passwd", "root\nnobody\npostfix\nanna\n"),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

fn trace(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut all = OPTIONS.to_vec();
    all.extend(["-c", "."]);
    all.extend_from_slice(arguments);
    run(directory, &all)
}

fn lines(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.out.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("each line is JSON"))
        .collect()
}

#[test]
fn one_object_for_each_address() {
    let directory = tree();
    let addresses = [
        "info@example.org",
        "gone@example.org",
        "nobody@example.org",
        "x@example.edu",
        "x@example.net",
        "x@elsewhere.test",
    ];
    let mut arguments = vec!["--format=json"];
    arguments.extend(addresses);
    let outcome = trace(directory.path(), &arguments);
    assert_eq!((outcome.code, outcome.err.as_str()), (Some(0), ""));
    let lines = lines(&outcome);
    let seen: Vec<&str> = (lines.iter())
        .filter_map(|line| line["address"].as_str())
        .collect();
    assert_eq!(seen, addresses);

    assert_eq!(lines[0]["code"], 250);
    assert_eq!(lines[0]["stage"], "rcpt");
    assert_eq!(lines[0]["class"], "virtual alias");
    assert_eq!(lines[0]["certainty"], "certain");
    assert_eq!(lines[0]["backscatter"], false);
    assert_eq!(lines[0]["outcome"][0]["address"], "anna@example.com");
    assert_eq!(lines[0]["outcome"][0]["result"], "delivered");

    assert_eq!(lines[1]["code"], 250);
    assert_eq!(lines[1]["backscatter"], true);
    assert_eq!(lines[1]["outcome"][0]["result"], "bounced");

    assert_eq!(lines[3]["outcome"][0]["result"], "relayed");
    assert_eq!(lines[3]["backscatter"], Value::Null);

    let unknown = &lines[4];
    assert_eq!(unknown["code"], Value::Null);
    assert_eq!(unknown["certainty"], "unknown");
    let depends = unknown["depends_on"][0].as_str().expect("a table");
    assert!(
        depends.starts_with("ldap:/etc/postfix/mailboxes.cf"),
        "{depends}"
    );
}

#[test]
fn addresses_come_from_files_and_pipes_in_any_encoding() {
    let directory = tree();
    let list = b"info@example.org\n\n<>\r\n\xff\xfe@example.org\nlast@example.org";
    fs::write(directory.path().join("list"), list).expect("a file");
    let from_file = trace(
        directory.path(),
        &["--format=json", "--recipients=list", "x@example.edu"],
    );
    let addresses = |outcome: &Outcome| -> Vec<String> {
        let all = lines(outcome);
        all.iter()
            .filter_map(|line| line["address"].as_str().map(str::to_owned))
            .collect()
    };
    let rest = [
        "info@example.org",
        "",
        "\u{fffd}\u{fffd}@example.org",
        "last@example.org",
    ];
    let mut all = vec!["x@example.edu"];
    all.extend(rest);
    assert_eq!(addresses(&from_file), all);
    let mut program = command(directory.path());
    program
        .args(OPTIONS)
        .args(["-c", ".", "--format=json", "--recipients=-"]);
    assert_eq!(addresses(&run_with(&mut program, list)), rest);
}

#[test]
fn the_service_is_that_of_strangers_or_the_one_that_is_named() {
    let directory = tree();
    let label = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.push("info@example.org");
        let outcome = trace(directory.path(), &all);
        let head = outcome.out.lines().next().unwrap_or_default();
        head.split(": ").next().unwrap_or_default().to_owned()
    };
    assert_eq!(label(&[]), "smtpd/pass");
    assert_eq!(label(&["--service=smtp"]), "smtpd/pass");
    assert_eq!(label(&["--service=submission"]), "submission/inet");
    assert_eq!(label(&["--service=submission/inet"]), "submission/inet");
    assert_eq!(label(&["--service=587"]), "submission/inet");
    let outcome = trace(directory.path(), &["--service=lmtp", "info@example.org"]);
    assert_eq!(outcome.code, Some(2));
    assert_eq!(
        outcome.err,
        "postlint: no smtpd service is called lmtp: smtpd runs as submission/inet, smtpd/pass\n"
    );
}

#[test]
fn the_text_begins_with_who_sends_and_shows_reply_and_end() {
    let directory = tree();
    let outcome = trace(
        directory.path(),
        &[
            "--client=192.0.2.1",
            "--client-name=client.example",
            "--helo=me",
            "--from=<>",
            "--tls",
            "--sasl=anna",
            "gone@example.org",
        ],
    );
    let lines: Vec<&str> = outcome.out.lines().collect();
    assert_eq!(
        lines[0],
        "smtpd/pass: client.example[192.0.2.1], HELO me, TLS, logged in as anna, MAIL FROM:<>"
    );
    assert_eq!(lines[2], "RCPT TO:<gone@example.org>");
    assert!(lines.contains(&"250 2.1.5 Ok"), "{}", outcome.out);
    let end = lines.last().expect("an end");
    assert!(
        end.starts_with("  -> ghost@example.com: returned to the sender"),
        "{end}"
    );
}

#[test]
fn colours_are_asked_for() {
    let directory = tree();
    let plain = trace(directory.path(), &["info@example.org"]);
    assert!(!plain.out.contains('\x1b'));
    let colored = trace(directory.path(), &["--color=always", "info@example.org"]);
    assert!(colored.out.contains("\x1b["));
}

#[test]
fn what_is_missing_is_said() {
    let directory = tree();
    let outcome = trace(directory.path(), &[]);
    assert_eq!(outcome.code, Some(2));
    assert!(outcome.err.contains("name an address"), "{}", outcome.err);
    let outcome = trace(directory.path(), &["--recipients=no-such-file"]);
    assert_eq!(outcome.code, Some(3));
    assert!(outcome.err.contains("no-such-file"), "{}", outcome.err);
    let outcome = trace(directory.path(), &["--interface=192.0.2.1", "x"]);
    assert_eq!(outcome.code, Some(2));
    fs::write(directory.path().join("virtual"), "a b\n").expect("a file");
    let outcome = run(directory.path(), &["trace", "-c", "virtual", "x"]);
    assert_eq!(outcome.code, Some(3));
}

#[test]
fn an_interface_makes_its_address_one_of_the_host() {
    let directory = tree();
    let main_cf = format!("{MAIN_CF}inet_interfaces = all\n");
    fs::write(directory.path().join("main.cf"), main_cf).expect("a file");
    let class = |arguments: &[&str]| {
        let mut all = vec!["--format=json", "root@[192.0.2.1]"];
        all.extend_from_slice(arguments);
        lines(&trace(directory.path(), &all))[0]["class"].clone()
    };
    assert_eq!(class(&[]), "default");
    assert_eq!(class(&["--interface=192.0.2.1/24"]), "local");
}
