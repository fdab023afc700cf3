//! Each form of a report, for small trees with all that is difficult: `fixtures/_report/<tree>` holds what is
//! printed in `expected.<form>`. `BLESS=1 cargo test --test formats` writes these files.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::copy_tree;
use common::postlint::{Outcome, run};
use postlint::testing::{assert_file, fixtures};
use serde_json::Value;

const TREES: [&str; 3] = ["difficult", "places", "secrets"];
/// Rules that further work on others leaves alone.
const RULES: &str = "--select=BS001,RC001,AC001,PL001,PL002";

fn report(tree: &str, arguments: &[&str]) -> Outcome {
    let mut all = vec![tree, RULES, "--postfix-version=3.7.11"];
    all.extend_from_slice(arguments);
    run(&fixtures().join("_report"), &all)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn reports_are_as_expected() {
    for tree in TREES {
        for format in ["full", "concise", "json", "github"] {
            let outcome = report(tree, &["--format", format]);
            assert_eq!(
                (outcome.code, outcome.err.as_str()),
                (Some(1), ""),
                "{tree}: {format}"
            );
            let path = fixtures()
                .join("_report")
                .join(tree)
                .join(format!("expected.{format}"));
            assert_file(&path, &outcome.out);
        }
    }
}

#[test]
fn nothing_that_a_terminal_obeys_is_printed() {
    for tree in TREES {
        for format in ["full", "concise", "json", "github", "sarif"] {
            // Not --diff: that is for patch(1), and keeps the bytes of the file where no terminal shows it.
            let outcome = report(tree, &["--format", format]);
            let bad = outcome
                .out
                .chars()
                .find(|&c| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}'));
            assert_eq!(bad, None, "{tree}: {format}");
        }
    }
}

#[test]
fn no_secret_is_printed() {
    let secrets = [
        "in-a-comment-1",
        "in-main-cf-2",
        "in-static-3",
        "in-a-comment-4",
        "in-master-cf-5",
        "in-inline-6",
        "in-table-7",
    ];
    for format in ["full", "concise", "json", "github", "sarif"] {
        for more in [&[][..], &["--diff"], &["--color=always"]] {
            let mut arguments = vec!["--format", format];
            arguments.extend_from_slice(more);
            let outcome = report("secrets", &arguments);
            for secret in secrets {
                assert!(
                    !outcome.out.contains(secret) && !outcome.err.contains(secret),
                    "{secret} with {arguments:?}: {}",
                    outcome.out
                );
            }
        }
    }
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let object = value
        .as_object()
        .unwrap_or_else(|| panic!("no object: {value}"));
    object.keys().map(String::as_str).collect()
}

/// The names of the objects are a promise: programs read them.
#[test]
fn json_keeps_its_form() {
    let report = json(&report("places", &["--format=json"]).out);
    assert_eq!(keys(&report), ["findings", "summary", "version"].into());
    assert_eq!(report["version"], 1);
    let findings = report["findings"].as_array().expect("a list");
    assert_eq!(findings.len(), 5);
    for finding in findings {
        assert_eq!(
            keys(finding),
            [
                "code",
                "column",
                "end_column",
                "end_line",
                "file",
                "fixes",
                "line",
                "message",
                "notes",
                "parameter",
                "related",
                "rule",
                "service",
                "severity",
                "witness",
            ]
            .into()
        );
        for related in finding["related"].as_array().expect("a list") {
            assert_eq!(keys(related), ["column", "file", "line", "message"].into());
        }
        for fix in finding["fixes"].as_array().expect("a list") {
            assert_eq!(keys(fix), ["edits", "safety", "title"].into());
            for edit in fix["edits"].as_array().expect("a list") {
                assert_eq!(keys(edit), ["end", "file", "start", "text"].into());
            }
        }
    }
    assert!(
        findings
            .iter()
            .any(|finding| finding["related"][0]["file"] == "places/virtual")
    );
    // Two services see it: the setting is one, and so is the finding.
    let merged = &findings[1];
    assert_eq!(
        (&merged["line"], &merged["service"]),
        (&7.into(), &Value::Null)
    );
    assert_eq!(report["summary"]["errors"], 2);
    assert_eq!(report["summary"]["safe_fixes"], 2);
}

/// The parts of SARIF 2.1.0 that its schema demands, and what code scanning services read.
#[test]
fn sarif_is_well_formed() {
    for tree in TREES {
        let log = json(&report(tree, &["--format=sarif"]).out);
        assert_eq!(keys(&log), ["$schema", "runs", "version"].into());
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "postlint");
        let rules = driver["rules"].as_array().expect("a list");
        for rule in rules {
            assert_eq!(
                keys(rule),
                [
                    "defaultConfiguration",
                    "help",
                    "id",
                    "name",
                    "properties",
                    "shortDescription"
                ]
                .into()
            );
            assert!(
                rule["help"]["markdown"]
                    .as_str()
                    .is_some_and(|text| text.contains("## Fix"))
            );
            is_level(&rule["defaultConfiguration"]["level"]);
        }
        let results = run["results"].as_array().expect("a list");
        assert!(!results.is_empty(), "{tree}");
        for result in results {
            let index = result["ruleIndex"].as_u64().expect("a number");
            let index = usize::try_from(index).expect("an index");
            assert_eq!(rules[index]["id"], result["ruleId"]);
            is_level(&result["level"]);
            assert!(result["message"]["text"].is_string());
            assert_eq!(result["locations"].as_array().map(Vec::len), Some(1));
            let related = result["relatedLocations"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            for location in result["locations"]
                .as_array()
                .into_iter()
                .flatten()
                .chain(&related)
            {
                let place = &location["physicalLocation"];
                assert!(place["artifactLocation"]["uri"].is_string());
                is_region(&place["region"]);
            }
            for fix in result["fixes"].as_array().into_iter().flatten() {
                let changes = fix["artifactChanges"].as_array().expect("a list");
                assert!(!changes.is_empty());
                for change in changes {
                    let replacements = change["replacements"].as_array().expect("a list");
                    assert!(!replacements.is_empty());
                    for replacement in replacements {
                        is_region(&replacement["deletedRegion"]);
                        assert!(replacement["insertedContent"]["text"].is_string());
                    }
                }
            }
        }
    }
}

fn is_level(level: &Value) {
    assert!(
        ["note", "warning", "error"]
            .iter()
            .any(|known| level == known),
        "{level}"
    );
}

fn is_region(region: &Value) {
    let number = |name: &str| {
        region[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {region}"))
    };
    let start = (number("startLine"), number("startColumn"));
    let end = (number("endLine"), number("endColumn"));
    assert!(start >= (1, 1) && end >= start, "{region}");
}

fn fingerprints(log: &Value) -> Vec<String> {
    let results = log["runs"][0]["results"].as_array().expect("a list");
    results
        .iter()
        .map(|result| {
            result["partialFingerprints"]["postlint/v1"]
                .as_str()
                .expect("a text")
                .into()
        })
        .collect()
}

#[test]
fn fingerprints_do_not_depend_on_lines() {
    let before = fingerprints(&json(&report("places", &["--format=sarif"]).out));
    let distinct: BTreeSet<_> = before.iter().collect();
    assert_eq!(distinct.len(), before.len());

    let directory = tempfile::tempdir().expect("a directory");
    let copy = directory.path().join("elsewhere");
    copy_tree(&fixtures().join("_report/places"), &copy);
    for name in ["main.cf", "master.cf", "virtual"] {
        let path = copy.join(name);
        let text = fs::read_to_string(&path).expect("a file of the tree");
        fs::write(&path, format!("# one line more\n\n{text}")).expect("a file");
    }
    let arguments = [
        "elsewhere",
        RULES,
        "--postfix-version=3.7.11",
        "--format=sarif",
    ];
    let after = fingerprints(&json(&run(directory.path(), &arguments).out));
    assert_eq!(before, after);
}
