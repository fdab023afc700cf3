//! The rules as data: names, codes, pages and fixtures. What is missing is named with the path to create.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use postlint::finding::{Finding, Findings, Safety};
use postlint::instance::{Instance, Target};
use postlint::rule::Rule;
use postlint::rules;
use postlint::testing::{case_options, cases, fixtures};

/// The headings of a page, in order.
const HEADINGS: [&str; 6] = [
    "What it finds",
    "Why it matters",
    "Example",
    "Instead",
    "Fix",
    "See",
];
/// Beginnings of names that speak of the remedy, not of the problem.
const BANNED: [&str; 9] = [
    "check-",
    "avoid-",
    "use-",
    "prefer-",
    "no-",
    "do-",
    "dont-",
    "require-",
    "disallow-",
];

/// Fails with all complaints at once.
fn assert_none(complaints: &[String]) {
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

fn page_of(rule: &Rule) -> String {
    format!("{}.md", rule.name.replace('-', "_"))
}

fn findings_of(rule: &Rule, case: &Path) -> Vec<Finding> {
    let instances = Instance::load_all(&Target::Path(case.to_path_buf()), &case_options(case))
        .unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
    let mut findings = Findings::default();
    for instance in &instances {
        (rule.check)(instance, &mut findings);
    }
    findings.into_vec()
}

fn file_names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned()))
                .collect()
        })
        .unwrap_or_default();
    names.sort();
    names
}

#[test]
fn names_and_codes() {
    let mut complaints = Vec::new();
    let mut seen = BTreeSet::new();
    let mut last: Option<&Rule> = None;
    for rule in rules::all() {
        let mut complain =
            |what: &str| complaints.push(format!("{} ({}): {what}", rule.name, rule.code));
        if !seen.insert(rule.name) || !seen.insert(rule.code) {
            complain("another rule has this name or code");
        }
        let words: Vec<&str> = rule.name.split('-').collect();
        let is_kebab = words.iter().all(|word| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        });
        if !is_kebab || words.len() < 2 {
            complain("a name is two or more words in small letters, with - between them");
        }
        if BANNED.iter().any(|banned| rule.name.starts_with(banned)) {
            complain("a name says what is wrong, so that 'ignore' in front of it reads well");
        }
        let number = rule.code.strip_prefix(rule.group.prefix());
        if !number.is_some_and(|n| n.len() == 3 && n.bytes().all(|c| c.is_ascii_digit())) {
            complain("a code is the letters of the group and three digits");
        }
        if last.is_some_and(|last| last.group == rule.group && last.code >= rule.code) {
            complain("the list of its group is not in the order of codes");
        }
        last = Some(rule);
    }
    assert_none(&complaints);
}

#[test]
fn groups_stand_together() {
    let groups: Vec<_> = rules::all().map(|rule| rule.group).collect();
    let runs: Vec<_> = groups
        .chunk_by(|one, next| one == next)
        .map(|run| run[0])
        .collect();
    let distinct: BTreeSet<_> = groups.iter().copied().collect();
    assert_eq!(
        runs.len(),
        distinct.len(),
        "a group is in the registry twice"
    );
}

/// What is wrong with the style of a message or summary.
fn style(text: &str) -> Option<&'static str> {
    let first = text
        .split(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let is_capital = first.chars().next().is_some_and(char::is_uppercase);
    // Names of commands and protocols have more capitals (VRFY, IPv4), that of Postfix has one.
    let is_name = first == "Postfix" || first.chars().filter(|c| c.is_uppercase()).count() > 1;
    if is_capital && !is_name {
        Some("begins with a capital letter")
    } else if text.ends_with('.') && !text.ends_with("...") {
        Some("ends in a full stop")
    } else if text.trim() != text || text.is_empty() {
        Some("is empty or has blanks at its ends")
    } else if text.contains('\n') {
        Some("has more than one line")
    } else {
        None
    }
}

#[test]
fn texts_are_in_style() {
    let mut complaints = Vec::new();
    for rule in rules::all() {
        let mut check = |what: &str, text: &str| {
            if let Some(wrong) = style(text) {
                complaints.push(format!("{}: the {what} \"{text}\" {wrong}", rule.name));
            }
        };
        check("summary", rule.summary);
        for case in cases(rule, "bad") {
            for finding in findings_of(rule, &case) {
                check("message", &finding.message);
                for related in &finding.related {
                    check("message of a related place", &related.message);
                }
                for fix in &finding.fixes {
                    check("title of a fix", &fix.title);
                }
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn pages_have_their_headings() {
    let mut complaints = Vec::new();
    for rule in rules::all() {
        let mut complain = |what: String| complaints.push(format!("{}: {what}", page_of(rule)));
        let title = format!("# {} ({})", rule.name, rule.code);
        if rule.docs.lines().next() != Some(&title) {
            complain(format!("the first line has to be \"{title}\""));
        }
        let headings: Vec<&str> = rule
            .docs
            .lines()
            .filter_map(|line| line.strip_prefix("## "))
            .collect();
        if headings != HEADINGS {
            complain(format!("the headings are {headings:?}, not {HEADINGS:?}"));
        }
        let see = rule.docs.rsplit("## See").next().unwrap_or_default();
        if !(see.contains("(5)")
            || see.contains("(8)")
            || see.contains("(1)")
            || see.contains("README"))
        {
            complain("See names no manual page or README of Postfix".into());
        }
        if let Some(line) = rule
            .docs
            .lines()
            .find(|line| line.chars().count() > 120 && !line.starts_with('|'))
        {
            complain(format!("longer than 120 characters: {line}"));
        }
    }
    assert_none(&complaints);
}

/// An example on a page.
struct Example {
    /// Whether the rule has to find something.
    is_bad: bool,
    /// Names and texts of the files.
    files: Vec<(String, String)>,
}

/// The examples of a page. A fenced block is a file: its first word is the name, the second `bad` or `good`.
/// Blocks with the same second word that follow each other make one configuration, until a name comes again
/// or the next heading.
fn examples(page: &str) -> Result<Vec<Example>, String> {
    let mut examples: Vec<Example> = Vec::new();
    let mut lines = page.lines();
    let mut open = false;
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            open = false;
        }
        let Some(info) = line.strip_prefix("```") else {
            continue;
        };
        let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let text = text.join("\n") + "\n";
        let (name, is_bad) = match info.split(' ').collect::<Vec<_>>()[..] {
            [name, "bad"] => (name, true),
            [name, "good"] => (name, false),
            [_] => continue,
            _ => {
                return Err(format!(
                    "\"```{info}\": a block is marked FILE bad or FILE good"
                ));
            }
        };
        let file = (name.to_owned(), text);
        match examples.last_mut() {
            Some(last)
                if open
                    && last.is_bad == is_bad
                    && last.files.iter().all(|(have, _)| have != name) =>
            {
                last.files.push(file);
            }
            _ => examples.push(Example {
                is_bad,
                files: vec![file],
            }),
        }
        open = true;
    }
    Ok(examples)
}

#[test]
fn examples_on_pages_are_true() {
    let mut complaints = Vec::new();
    for rule in rules::all() {
        let examples = match examples(rule.docs) {
            Ok(examples) => examples,
            Err(error) => {
                complaints.push(format!("{}: {error}", page_of(rule)));
                continue;
            }
        };
        for (is_bad, word) in [(true, "bad"), (false, "good")] {
            if !examples.iter().any(|example| example.is_bad == is_bad) {
                complaints.push(format!(
                    "{}: no block is marked ```main.cf {word}",
                    page_of(rule)
                ));
            }
        }
        for example in examples {
            let directory = tempfile::tempdir().expect("a temporary directory");
            for (name, text) in &example.files {
                fs::write(directory.path().join(name), text).expect("a file of an example");
            }
            let main = directory.path().join("main.cf");
            if !main.exists() {
                fs::write(main, "").expect("an empty main.cf");
            }
            let findings = findings_of(rule, directory.path());
            if findings.is_empty() == example.is_bad {
                let what = if example.is_bad {
                    "finds nothing in"
                } else {
                    "finds something in"
                };
                let files: Vec<String> = (example.files.iter())
                    .map(|(name, text)| format!("{name}:\n{text}"))
                    .collect();
                complaints.push(format!(
                    "{}: the rule {what}\n{}",
                    page_of(rule),
                    files.join("")
                ));
            }
        }
    }
    assert_none(&complaints);
}

fn is_same(one: &Path, other: &Path, name: &str) -> bool {
    let read = |directory: &Path| fs::read(directory.join(name)).unwrap_or_default();
    read(one) == read(other)
}

#[test]
fn every_fixture_belongs_to_a_rule() {
    let mut complaints = Vec::new();
    for name in file_names(&fixtures()) {
        if name.starts_with('_') {
            continue;
        }
        let directory = fixtures().join(&name);
        let Some(rule) = rules::find(&name).filter(|rule| rule.name == name) else {
            complaints.push(format!("{}: there is no rule {name}", directory.display()));
            continue;
        };
        for kind in file_names(&directory) {
            let cases: Vec<PathBuf> = cases(rule, &kind);
            if !["bad", "good", "fixed"].contains(&kind.as_str()) || cases.is_empty() {
                complaints.push(format!(
                    "{}: nothing uses it",
                    directory.join(&kind).display()
                ));
            }
            for case in cases {
                if !case.is_dir() || file_names(&case).is_empty() {
                    complaints.push(format!("{}: not a case", case.display()));
                }
                let bad = directory
                    .join("bad")
                    .join(case.file_name().unwrap_or_default());
                if kind == "fixed" && !bad.is_dir() {
                    complaints.push(format!("{}: there is no {}", case.display(), bad.display()));
                }
                if kind == "fixed"
                    && file_names(&case)
                        .iter()
                        .all(|name| is_same(&case, &bad, name))
                {
                    complaints.push(format!("{}: the fixes change nothing", case.display()));
                }
                if kind != "bad" && case.join("expected.txt").exists() {
                    complaints.push(format!(
                        "{}: only bad cases have expected.txt",
                        case.display()
                    ));
                }
            }
        }
    }
    assert_none(&complaints);
}

#[test]
fn every_rule_has_cases() {
    let mut complaints = Vec::new();
    for rule in rules::all() {
        let directory = fixtures().join(rule.name);
        let mut needed = vec!["bad", "good"];
        let is_fixable = cases(rule, "bad").iter().any(|case| {
            findings_of(rule, case)
                .iter()
                .flat_map(|finding| &finding.fixes)
                .any(|fix| fix.safety > Safety::DisplayOnly)
        });
        if is_fixable {
            needed.push("fixed");
        }
        for kind in needed {
            if cases(rule, kind).is_empty() {
                let missing = directory.join(kind).join("NAME");
                complaints.push(format!(
                    "{} has no {kind} case: make {}",
                    rule.name,
                    missing.display()
                ));
            }
        }
    }
    assert_none(&complaints);
}
