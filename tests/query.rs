//! `postlint query`: what a table answers, where that is written, and how the program ends.

mod common;

use std::fs;
use std::path::Path;

use common::postlint::{Outcome, command, run, run_with};
use serde_json::Value;

const VIRTUAL: &str = "\
# who gets what
Info@Example.org  anna@example.com,
    bob@example.com
sales@example.org carl@example.com
info@example.org  nobody@example.com
";

fn tree() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let files = [
        (
            "main.cf",
            "compatibility_level = 3.6\n\
             alias_maps = hash:/etc/postfix/aliases\n\
             virtual_alias_maps = hash:/etc/postfix/virtual, inline:{{late@example.org = late}}\n",
        ),
        ("virtual", VIRTUAL),
        ("aliases", "Root: anna,bob\n\"two words\": carl\n"),
        (
            "rules",
            "/^(.*)@example\\.net$/ $1@example.com\n/unfinished x\n/empty/\n",
        ),
        ("networks", "192.0.2.0/24 OK\n192.0.2.1/24 OK\n"),
    ];
    for (name, text) in files {
        fs::write(directory.path().join(name), text).expect("a file");
    }
    directory
}

fn query(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut all = vec!["query", "--postfix-version=3.7.11", "-c", "."];
    all.extend_from_slice(arguments);
    run(directory, &all)
}

#[test]
fn the_value_and_where_it_is_written() {
    let tree = tree();
    let found = query(
        tree.path(),
        &["hash:/etc/postfix/virtual", "INFO@example.org"],
    );
    assert_eq!(
        (found.code, found.out.as_str(), found.err.as_str()),
        (
            Some(0),
            "anna@example.com,    bob@example.com\tvirtual:2\n",
            ""
        )
    );
    // A name alone is relative to where the user stands, and has the default type.
    let found = query(tree.path(), &["virtual", "sales@example.org"]);
    assert_eq!(found.out, "carl@example.com\tvirtual:4\n");
    let missing = query(tree.path(), &["hash:virtual", "no@example.org"]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(1), ""));
}

#[test]
fn several_keys() {
    let tree = tree();
    let found = query(
        tree.path(),
        &["cidr:networks", "192.0.2.77", "198.51.100.1", "192.0.2.3"],
    );
    assert_eq!(
        (found.code, found.out.as_str()),
        (
            Some(0),
            "192.0.2.77\tOK\tnetworks:1\n192.0.2.3\tOK\tnetworks:1\n"
        )
    );
    assert!(
        found.err.starts_with(
            "warning: cidr map networks, line 2: non-null host address bits in \"192.0.2.1/24\""
        ),
        "{}",
        found.err
    );
    let mut command = command(tree.path());
    command.args(["query", "-c", ".", "inline:{a=b}", "-"]);
    let found = run_with(&mut command, b"b\nA\n\na");
    assert_eq!((found.code, found.out.as_str()), (Some(0), "A\tb\na\tb\n"));
}

#[test]
fn the_tables_of_a_parameter() {
    let tree = tree();
    let found = query(tree.path(), &["$virtual_alias_maps", "late@example.org"]);
    assert_eq!(
        (found.code, found.out.as_str()),
        (Some(0), "late\tmain.cf:3\n")
    );
    let found = query(tree.path(), &["$relocated_maps", "x"]);
    assert_eq!(found.code, Some(2));
}

#[test]
fn programs_ask_in_different_ways() {
    let tree = tree();
    // The configuration says that this is an alias file.
    let found = query(tree.path(), &["hash:/etc/postfix/aliases", "two words"]);
    assert_eq!(found.out, "carl\taliases:2\n");
    let found = query(tree.path(), &["--as=alias", "hash:./aliases", "ROOT"]);
    assert_eq!(found.out, "anna, bob\taliases:1\n");
    let found = query(tree.path(), &["--as=map", "hash:aliases", "root:"]);
    assert_eq!(found.out, "anna,bob\taliases:1\n");
    let table = ["regexp:rules", "joe@example.net"];
    let found = query(tree.path(), &table);
    assert_eq!(found.out, "joe@example.com\trules:1\n");
    let found = query(tree.path(), &["--as=transport", table[0], table[1]]);
    assert_eq!(found.code, Some(1));
    // postmap -q uses a table that no daemon could open.
    let table = ["texthash:virtual", "info@example.org"];
    let found = query(tree.path(), &table);
    assert_eq!(found.code, Some(0));
    assert_eq!(
        found.err,
        "warning: virtual, line 5: duplicate entry: \"info@example.org\"\n"
    );
    let found = query(tree.path(), &["--as=transport", table[0], table[1]]);
    assert_eq!(found.code, Some(1));
    assert!(found.err.contains("error: "), "{}", found.err);
}

#[test]
fn what_fails_and_what_nobody_knows() {
    let tree = tree();
    let found = query(tree.path(), &["regexp:rules", "empty"]);
    assert_eq!((found.code, found.out.as_str()), (Some(0), "\trules:3\n"));
    let warnings: Vec<&str> = found.err.lines().collect();
    assert_eq!(
        warnings,
        [
            "warning: regexp map rules, line 2: no closing regexp delimiter \"/\": skipping this rule",
            "warning: regexp map rules, line 3: no replacement text: using empty string",
            "warning: table regexp:rules: key empty: empty string result is not allowed",
            "warning: table regexp:rules should return NO RESULT in case of NOT FOUND",
        ]
    );
    let found = query(tree.path(), &["fail:x", "key"]);
    assert_eq!(
        (found.code, found.err.as_str()),
        (Some(1), "error: table fail:x: query error\n")
    );
    let found = query(tree.path(), &["ldap:/etc/postfix/x.cf", "key"]);
    assert_eq!(found.code, Some(3));
    let found = query(tree.path(), &["static:", "key"]);
    assert_eq!(found.code, Some(2));
    assert!(found.err.contains("expecting \"type:name\" form"));
}

#[test]
fn one_json_object_for_each_key() {
    let tree = tree();
    let found = query(
        tree.path(),
        &[
            "--format=json",
            "hash:virtual",
            "info@example.org",
            "no@example.org",
        ],
    );
    let lines: Vec<Value> = (found.out.lines())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(lines[0]["result"], "found");
    assert_eq!(lines[0]["value"], "anna@example.com,    bob@example.com");
    assert_eq!(
        (&lines[0]["file"], &lines[0]["line"]),
        (&"virtual".into(), &2.into())
    );
    assert_eq!(lines[1]["result"], "not-found");
    assert_eq!(lines[1]["value"], Value::Null);
    let found = query(tree.path(), &["--format=json", "randmap:{a,b}", "x"]);
    assert!(
        found.out.contains("\"values\":[\"a\",\"b\"]"),
        "{}",
        found.out
    );
}
