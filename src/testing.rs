//! Runs the fixtures of a rule. For the tests of this crate only.
//!
//! `fixtures/<rule>/bad/<case>/` must raise the rule as `expected.txt` says, `good/<case>/` must not, and
//! `fixed/<case>/` is what the rule's own fixes, unsafe ones included, make of the bad case. `BLESS=1 cargo
//! test` writes the expected files, and those of a `fixed/<case>/` that exists.
//! A case is a configuration directory; a file `version` in it names the Postfix version (else 3.7.11), a
//! file `passwd` the local users.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::finding::{Findings, Safety};
use crate::fix::{Fixer, Linted, Overlay, broken_lines};
use crate::instance::builtin::Version;
use crate::instance::{Instance, LoadOptions, Target};
use crate::rule::Rule;

/// Where the fixtures are.
pub fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

/// Whether expected files are written instead of compared.
pub fn is_blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// How a case is loaded.
pub fn case_options(case: &Path) -> LoadOptions {
    let version = std::fs::read_to_string(case.join("version")).unwrap_or_default();
    let passwd = case.join("passwd");
    LoadOptions {
        version: Version::target(version.trim()).or(Version::parse("3.7.11")),
        passwd: passwd.is_file().then_some(passwd),
        ..LoadOptions::default()
    }
}

/// The cases below `fixtures/<rule>/<kind>`, sorted.
pub fn cases(rule: &Rule, kind: &str) -> Vec<PathBuf> {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(fixtures().join(rule.name).join(kind))
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect()
        })
        .unwrap_or_default();
    cases.sort();
    cases
}

/// Compares `actual` with the file `path`, or writes it when blessing.
///
/// # Panics
/// When they differ: with a diff, and how to accept the new text.
pub fn assert_file(path: &Path, actual: &str) {
    if is_blessing() {
        std::fs::write(path, actual).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    let diff = similar::TextDiff::from_lines(&expected, actual.to_owned().as_str())
        .unified_diff()
        .to_string();
    assert!(
        expected == actual,
        "{} differs:\n{diff}\nto accept it: BLESS=1 cargo test",
        path.display()
    );
}

/// The findings of one rule for a case, one line each.
fn findings_of(rule: &'static Rule, case: &Path) -> String {
    let instances = Instance::load_all(&Target::Path(case.to_path_buf()), &case_options(case))
        .unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
    let mut lines = Vec::new();
    for instance in &instances {
        let mut findings = Findings::default();
        (rule.check)(instance, &mut findings);
        for finding in findings.into_vec() {
            let source = instance.sources().get(finding.span.file);
            let place = source.line_column(finding.span.start);
            let path = source
                .path()
                .strip_prefix(case)
                .unwrap_or(source.path())
                .to_path_buf();
            lines.push((
                path,
                place,
                format!(
                    "{}[{}] {}",
                    finding.severity.as_str(),
                    rule.name,
                    finding.message
                ),
            ));
        }
    }
    lines.sort();
    lines.dedup();
    let mut text = String::new();
    for (path, place, message) in lines {
        let _ = writeln!(
            text,
            "{}:{}:{}: {message}",
            path.display(),
            place.line,
            place.column
        );
    }
    text
}

/// The files of a bad case after the fixes of one rule, by their names in the case, sorted.
///
/// # Panics
/// When a fix is withdrawn, or the fixes do not come to an end.
fn fixed_files(rule: &'static Rule, case: &Path) -> Vec<(String, Vec<u8>)> {
    let shown = case.display();
    let mut lint = |overlay: &Overlay| {
        let mut options = case_options(case);
        options.paths.overlay = overlay.clone();
        let instance = Instance::load(&Target::Path(case.to_path_buf()), &options)?;
        let mut findings = Findings::default();
        (rule.check)(&instance, &mut findings);
        Ok(Linted {
            sources: instance.shared_sources(),
            findings: findings.into_vec(),
            broken: broken_lines(instance.main_cf(), instance.master_cf()),
            state: (),
        })
    };
    let fixer = Fixer {
        lint: &mut lint,
        worse: &mut |(), ()| None,
        threshold: Safety::Unsafe,
    };
    let outcome = fixer
        .run()
        .unwrap_or_else(|error| panic!("{shown}: {error:#}"));
    if let Some((report, reason)) = outcome.withheld.first() {
        panic!(
            "{shown}: the fix \"{}\" is withdrawn: {reason}",
            report.title
        );
    }
    let names = file_names(case).into_iter();
    names
        .filter(|name| name != "expected.txt")
        .map(|name| {
            let path = case.join(&name);
            let bytes = match outcome.overlay.get(&path) {
                Some(bytes) => bytes.clone(),
                None => std::fs::read(&path).unwrap_or_else(|error| panic!("{shown}: {error}")),
            };
            (name, bytes)
        })
        .collect()
}

/// The names of the files in a directory, sorted.
fn file_names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter(|entry| entry.path().is_file());
    let mut names: Vec<_> = files
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Compares what the fixes make of each bad case with the case in `fixed`, where there is one.
fn check_fixed(rule: &'static Rule) {
    for fixed in cases(rule, "fixed") {
        let bad = fixtures()
            .join(rule.name)
            .join("bad")
            .join(fixed.file_name().unwrap_or_default());
        for (name, bytes) in fixed_files(rule, &bad) {
            let path = fixed.join(name);
            if is_blessing() {
                std::fs::write(&path, &bytes)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            } else if std::fs::read(&path).unwrap_or_default() != bytes {
                assert_file(&path, &String::from_utf8_lossy(&bytes));
            }
        }
    }
}

/// Runs all cases of a rule.
///
/// # Panics
/// When a case does not do what its folder says, or there is none.
pub fn check_fixtures(rule: &'static Rule) {
    let (bad, good) = (cases(rule, "bad"), cases(rule, "good"));
    let root = fixtures().join(rule.name);
    assert!(
        !bad.is_empty(),
        "a rule needs a bad case: make {}",
        root.join("bad/NAME").display()
    );
    assert!(
        !good.is_empty(),
        "a rule needs a good case: make {}",
        root.join("good/NAME").display()
    );
    for case in &bad {
        let actual = findings_of(rule, case);
        assert!(
            !actual.is_empty(),
            "{} finds nothing in {}",
            rule.name,
            case.display()
        );
        assert_file(&case.join("expected.txt"), &actual);
    }
    for case in &good {
        let actual = findings_of(rule, case);
        assert!(
            actual.is_empty(),
            "{} must be silent in {}:\n{actual}",
            rule.name,
            case.display()
        );
    }
    check_fixed(rule);
}
