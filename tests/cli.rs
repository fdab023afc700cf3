//! The command line: exit codes, what is looked at, which rules run, where the report goes.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::postlint::{command, run, run_with};
use common::{copy_tree, fixture};

/// A setting that RC001 warns about.
const WARNED: &str = "unknown_local_recipient_reject_code = 450\nmydestination = example.com\n";
const ONLY: &str = "--select=RC001";

/// A directory with these files.
fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, text).expect("a file");
    }
    directory
}

fn codes(directory: &Path, arguments: &[&str]) -> (Option<i32>, Vec<String>) {
    let mut all = vec!["--format=concise", "--quiet", "."];
    all.extend_from_slice(arguments);
    let outcome = run(directory, &all);
    let rules = outcome.out.lines().filter_map(|line| {
        let (_, rest) = line.split_once('[')?;
        Some(rest.split_once(']')?.0.to_owned())
    });
    (outcome.code, rules.collect())
}

#[test]
fn exit_codes() {
    let directory = tree(&[
        ("main.cf", WARNED),
        ("good/main.cf", "compatibility_level = 3.6\n"),
    ]);
    let code = |arguments: &[&str]| run(directory.path(), arguments).code;
    assert_eq!(code(&["good"]), Some(0));
    assert_eq!(code(&[".", ONLY]), Some(1));
    assert_eq!(code(&[".", ONLY, "--fail-on=error"]), Some(0));
    assert_eq!(code(&[".", ONLY, "--exit-zero"]), Some(0));
    assert_eq!(
        code(&[".", ONLY, "--severity=error", "--fail-on=note"]),
        Some(0)
    );
    for usage in [
        &["--no-such-option"][..],
        &[".", "--select=no-such-rule"],
        &[".", "--ignore=RC01"],
        &[".", "--config=no-such-file"],
        &[".", "--postfix-version=new"],
        &[".", "--map-path=x"],
        &["explain", "no-such-rule"],
    ] {
        let outcome = run(directory.path(), usage);
        assert_eq!(
            (outcome.code, outcome.out.as_str()),
            (Some(2), ""),
            "{usage:?}"
        );
        assert!(!outcome.err.is_empty(), "{usage:?}");
    }
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["--version"]), Some(0));
}

#[test]
fn what_cannot_be_read_is_named() {
    let directory = tree(&[("main.cf", WARNED), ("empty/virtual", "")]);
    for path in ["no/such/path", "empty"] {
        let outcome = run(directory.path(), &[".", path]);
        assert_eq!(
            (outcome.code, outcome.out.as_str()),
            (Some(3), ""),
            "{path}"
        );
        assert!(outcome.err.contains(path), "{}", outcome.err);
        assert!(
            outcome.err.contains("give a configuration directory"),
            "{}",
            outcome.err
        );
    }
}

#[test]
fn what_is_meant_is_suggested() {
    let directory = tree(&[("main.cf", WARNED)]);
    let err = |arguments: &[&str]| run(directory.path(), arguments).err;
    assert!(err(&[".", "--select=RC01"]).contains("did you mean 'RC001'?"));
    assert!(err(&["explain", "relay_domain"]).contains("did you mean 'relay_domains'?"));
    assert!(
        err(&["--select", "defered-unknown-recipient"]).contains("'deferred-unknown-recipient'")
    );
}

#[test]
fn every_way_to_name_a_configuration() {
    let directory = tree(&[
        ("main.cf", WARNED),
        ("b/main.cf", WARNED),
        ("services/master.cf", "smtp inet n - n - - smtpd\n"),
    ]);
    let places = |arguments: &[&str]| -> Vec<String> {
        let mut all = vec!["--format=concise", "--quiet", ONLY];
        all.extend_from_slice(arguments);
        let outcome = run(directory.path(), &all);
        assert_eq!(outcome.err, "", "{arguments:?}");
        (outcome.out.lines())
            .map(|line| line.split_once(": ").expect("a place").0.to_owned())
            .collect()
    };
    assert_eq!(places(&["main.cf"]), ["main.cf:1:39"]);
    assert_eq!(places(&["b", "."]), ["b/main.cf:1:39", "main.cf:1:39"]);
    assert_eq!(places(&["b", "b/", "b/main.cf"]), ["b/main.cf:1:39"]);
    assert!(places(&["services/master.cf"]).is_empty());

    let stdin = run_with(
        command(directory.path()).args(["check", ONLY, "--format=concise", "-q", "-"]),
        WARNED.as_bytes(),
    );
    assert!(stdin.out.starts_with("-:1:39: warning"), "{}", stdin.out);

    let host = run_with(
        command(directory.path())
            .args([ONLY, "--format=concise", "-q"])
            .env("MAIL_CONFIG", directory.path().join("b")),
        b"",
    );
    assert!(
        host.out.contains("b/main.cf:1:39: warning"),
        "{}{}",
        host.out,
        host.err
    );
}

#[test]
fn one_configuration_under_two_names_is_one() {
    let directory = tree(&[("b/main.cf", WARNED)]);
    symlink("b", directory.path().join("link")).expect("a link");
    let outcome = run(
        directory.path(),
        &["b", "link", ONLY, "--format=concise", "-q"],
    );
    assert_eq!(outcome.out.lines().count(), 1, "{}", outcome.out);
}

#[test]
fn rules_are_selected() {
    let main = "compatibility_level = 3.6\nunknown_local_recipient_reject_code = 450\n\
                local_recipient_maps =\nmydestination = example.com\n";
    let directory = tree(&[("main.cf", main)]);
    let both = ["deferred-unknown-recipient", "empty-local-recipient-maps"];
    let found = |arguments: &[&str]| codes(directory.path(), arguments).1;
    assert_eq!(found(&["--select=RC001,BS001"]), both);
    assert_eq!(found(&["--select", "rc001", "--select", "bs001"]), both);
    assert_eq!(found(&["--select=BS001,RC001", "--ignore=RC"]), both[1..]);
    assert_eq!(
        found(&["--select=BS001,RC001", "--severity=error"]),
        both[1..]
    );
    assert!(found(&["--select=PL"]).is_empty());
}

#[test]
fn notes_are_shown_when_asked_for() {
    let main = "compatibility_level = 3.6\nmynetworks = 127.0.0.0/8 10.0.0.0/8\n";
    let directory = tree(&[("main.cf", main)]);
    let shown = |arguments: &[&str]| {
        let (_, rules) = codes(directory.path(), arguments);
        rules.contains(&"private-networks-trusted".to_owned())
    };
    assert!(!shown(&[]));
    assert!(!shown(&["--select=RL"]));
    assert!(!shown(&["--pedantic", "--severity=warning"]));
    for arguments in [["--pedantic"], ["--severity=note"], ["--select=RL002"]] {
        assert!(shown(&arguments), "{arguments:?}");
    }
}

#[test]
fn suppressed_findings_are_not_shown() {
    let main = "# postlint: ignore[RC001] for a week\nunknown_local_recipient_reject_code = 450\n\
                mydestination = example.com\n";
    let master = "# postlint: ignore[RC] here\nsmtp inet n - n - - smtpd\n  -o unknown_relay_recipient_reject_code=450\n";
    let directory = tree(&[("main.cf", main), ("master.cf", master)]);
    assert_eq!(
        codes(directory.path(), &["--select=RC,PL"]),
        (Some(0), vec![])
    );
    // What did not run cannot have found nothing.
    assert_eq!(
        codes(directory.path(), &["--select=BS001,PL"]),
        (Some(0), vec![])
    );
}

#[test]
fn settings_stand_beside_main_cf() {
    let directory = tree(&[
        ("main.cf", WARNED),
        ("postlint.toml", "select = ['RC001']\nfail-on = 'error'\n"),
        ("other.toml", "ignore = ['RC001']\nselect = ['RC']\n"),
        (
            "strict.toml",
            "select = ['RC001']\n[rules]\ndeferred-unknown-recipient = 'error'\n",
        ),
        ("bad.toml", "\nselekt = ['RC001']\n"),
    ]);
    let found = |arguments: &[&str]| codes(directory.path(), arguments);
    let warned = vec!["deferred-unknown-recipient".to_owned()];
    assert_eq!(found(&[]), (Some(0), warned.clone()));
    assert_eq!(found(&["--fail-on=warning"]), (Some(1), warned.clone()));
    assert_eq!(found(&["--config=other.toml"]), (Some(0), vec![]));
    assert_eq!(
        found(&["--config=other.toml", "--select=RC001"]),
        (Some(1), warned.clone())
    );
    assert_eq!(
        found(&["--config=strict.toml", "--severity=error"]),
        (Some(1), warned)
    );
    let bad = run(directory.path(), &[".", "--config=bad.toml"]);
    assert_eq!(bad.code, Some(2));
    assert!(
        bad.err.contains("bad.toml:2: unknown key `selekt`"),
        "{}",
        bad.err
    );
    assert!(bad.err.contains("did you mean `select`?"), "{}", bad.err);
}

#[test]
fn each_configuration_has_its_own_settings() {
    let directory = tree(&[
        ("a/main.cf", WARNED),
        ("a/postlint.toml", "ignore = ['RC001']\n"),
        ("b/main.cf", WARNED),
        ("b/postlint.toml", "select = ['RC001']\n"),
    ]);
    let outcome = run(
        directory.path(),
        &["a", "b", "--format=concise", "-q", "--severity=warning"],
    );
    let lines: Vec<_> = outcome
        .out
        .lines()
        .filter(|line| line.contains("[deferred-"))
        .collect();
    assert_eq!(lines.len(), 1, "{}", outcome.out);
    assert!(lines[0].starts_with("b/main.cf:1:39:"));
}

#[test]
fn colours_are_for_terminals() {
    let directory = tree(&[("main.cf", WARNED)]);
    let colored = |arguments: &[&str], environment: &[(&str, &str)]| {
        let mut command = command(directory.path());
        command
            .args([".", ONLY])
            .args(arguments)
            .envs(environment.iter().copied());
        run_with(&mut command, b"").out.contains('\x1b')
    };
    assert!(!colored(&[], &[]));
    assert!(!colored(&["--color=auto"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["--color=never"], &[]));
    assert!(colored(&["--color=always"], &[]));
    assert!(colored(&["--color=always"], &[("NO_COLOR", "1")]));
    assert!(!colored(&["--color=always", "--format=json"], &[]));
}

#[test]
fn numbers_instead_of_findings() {
    let directory = tree(&[("main.cf", WARNED)]);
    let outcome = run(directory.path(), &[".", ONLY, "--statistics"]);
    assert_eq!(
        outcome.out,
        "1 RC001 warning deferred-unknown-recipient (1 fixable)\n1 warning; --fix mends 1\n"
    );
    let quiet = run(directory.path(), &[".", ONLY, "--statistics", "--quiet"]);
    assert_eq!(quiet.out.lines().count(), 1);
}

#[test]
fn a_report_in_a_file() {
    let directory = tree(&[("main.cf", WARNED)]);
    let arguments = [".", ONLY, "--format=json", "--output-file", "report.json"];
    let outcome = run(directory.path(), &arguments);
    assert_eq!((outcome.code, outcome.out.as_str()), (Some(1), ""));
    let text = fs::read_to_string(directory.path().join("report.json")).expect("the report");
    assert!(text.starts_with("{\n  \"version\": 1,"), "{text}");
    let nowhere = run(
        directory.path(),
        &[".", ONLY, "--output-file", "no/such/place"],
    );
    assert_eq!(nowhere.code, Some(3));
    assert!(nowhere.err.contains("no/such/place"), "{}", nowhere.err);
}

#[test]
fn a_reader_who_has_seen_enough_is_no_error() {
    let directory = tree(&[("main.cf", WARNED)]);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command(directory.path())
        .args([".", ONLY])
        .stdout(writer)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn pages_and_parameters() {
    let directory = tree(&[]);
    let out = |arguments: &[&str]| {
        let outcome = run(directory.path(), arguments);
        assert_eq!(
            (outcome.code, outcome.err.as_str()),
            (Some(0), ""),
            "{arguments:?}"
        );
        outcome.out
    };
    let page = out(&["explain", "rc001"]);
    assert_eq!(page, out(&["explain", "deferred-unknown-recipient"]));
    assert!(
        page.starts_with("# deferred-unknown-recipient (RC001)\n"),
        "{page}"
    );
    assert!(out(&["explain", "BS"]).starts_with("BS001 error "));
    let parameter = out(&[
        "explain",
        "smtpd_relay_restrictions",
        "--postfix-version=2.11",
    ]);
    assert!(
        parameter
            .contains("permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination"),
        "{parameter}"
    );
    assert!(parameter.contains("missing-relay-guard"), "{parameter}");
    assert!(
        out(&["explain", "postscreen_cache_map", "BS001"]).contains("# empty-local-recipient-maps")
    );

    let count = postlint::rules::all().count();
    assert_eq!(out(&["rules"]).lines().count(), count);
    let markdown = out(&["rules", "--markdown"]);
    assert_eq!(
        markdown.lines().filter(|line| line.contains("0")).count(),
        count
    );
    let json: serde_json::Value = serde_json::from_str(&out(&["rules", "--json"])).expect("JSON");
    assert_eq!(json.as_array().map(Vec::len), Some(count));
}

#[test]
fn runs_agree() {
    let directory = tempfile::tempdir().expect("a directory");
    copy_tree(&fixture("_mail"), directory.path());
    let arguments = [
        "story",
        "story-fixed",
        "--pedantic",
        "--passwd=story/passwd",
    ];
    let first = run(directory.path(), &arguments);
    assert!(first.out.lines().count() > 10, "{}", first.out);
    for _ in 0..3 {
        assert_eq!(run(directory.path(), &arguments).out, first.out);
    }
}

#[test]
fn a_file_alone_is_not_judged_by_what_others_would_say() {
    let directory = tree(&[("master.cf", "smtp inet n - n - - smtpd\n")]);
    let arguments = ["master.cf", "--format=concise", "--pedantic"];
    let outcome = run(directory.path(), &arguments);
    assert_eq!(outcome.code, Some(0), "{}", outcome.out);
}

#[test]
fn a_mistyped_command_is_no_path() {
    let directory = tree(&[("main.cf", WARNED)]);
    let outcome = run(directory.path(), &["explian", "RC001"]);
    assert_eq!(outcome.code, Some(3));
    let meant = "did you mean the command 'postlint explain'";
    assert!(outcome.err.contains(meant), "{}", outcome.err);
}
