//! All rules mend each fixture together: fixes come to an end, do no harm, and leave nothing for a second run.

use std::path::{Path, PathBuf};

use postlint::finding::Safety;
use postlint::fix::{self, ChangedFile, Fixer, Linted, Outcome, Overlay, Reason};
use postlint::instance::{Instance, Target};
use postlint::lint::{self, Selection};
use postlint::testing::{case_options, fixtures};

/// Every directory below `fixtures` with a main.cf, sorted.
fn configurations(directory: &Path, found: &mut Vec<PathBuf>) {
    if directory.join("main.cf").is_file() {
        found.push(directory.to_path_buf());
    }
    let entries = std::fs::read_dir(directory).expect("fixtures can be read");
    let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for entry in entries.iter().filter(|entry| entry.is_dir()) {
        configurations(entry, found);
    }
}

/// Mends a configuration as it is under `start`.
fn mend(case: &Path, start: &Overlay, threshold: Safety) -> anyhow::Result<Outcome<()>> {
    let mut lint = |overlay: &Overlay| {
        let mut options = case_options(case);
        options.paths.overlay = start.clone();
        options.paths.overlay.extend(overlay.clone());
        let instance = Instance::load(&Target::Path(case.to_path_buf()), &options)?;
        Ok(Linted {
            sources: instance.shared_sources(),
            findings: lint::run(&instance, &Selection::default()),
            broken: fix::broken_lines(instance.main_cf(), instance.master_cf()),
            state: (),
        })
    };
    Fixer {
        lint: &mut lint,
        worse: &mut |(), ()| None,
        threshold,
    }
    .run()
}

#[test]
fn fixes_of_all_rules_come_to_an_end() {
    let mut cases = Vec::new();
    configurations(&fixtures(), &mut cases);
    assert!(cases.len() > 20, "{}", cases.len());
    for case in &cases {
        for threshold in [Safety::Safe, Safety::Unsafe] {
            let shown = case.display();
            let once = mend(case, &Overlay::new(), threshold)
                .unwrap_or_else(|error| panic!("{shown}: {error:#}"));
            for (fix, reason) in &once.withheld {
                let is_bug = matches!(
                    reason,
                    Reason::Malformed | Reason::StillThere | Reason::BreaksFile(_)
                );
                assert!(
                    !is_bug,
                    "{shown}: {} {}: {reason}",
                    fix.rule.name, fix.title
                );
            }
            let twice = mend(case, &once.overlay, threshold)
                .unwrap_or_else(|error| panic!("{shown}, again: {error:#}"));
            let again: Vec<_> = twice.files.iter().map(ChangedFile::path).collect();
            assert!(again.is_empty(), "{shown}, again: {again:?}");
            assert_eq!(
                once.remaining.findings.len(),
                twice.remaining.findings.len()
            );
        }
    }
}
