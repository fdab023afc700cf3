//! Random configurations, and a few that were thought of: a real Postfix answers, and the model has to have
//! said the same.
//!
//! `POSTLINT_TRUTH_CONFIGURATIONS` is how many, `POSTLINT_TRUTH_SEED` the first seed, and `POSTLINT_TRUTH_KEEP` a
//! directory for what differs, reduced to the settings that it takes:
//!
//! ```text
//! POSTLINT_TRUTH_CONFIGURATIONS=2000 POSTLINT_TRUTH_KEEP=/tmp/differ cargo test --release --test truth -- --nocapture
//! ```

mod ask;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod generate;
mod reduce;
mod tables;
mod written;

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use compare::Difference;
use generate::Case;

/// A seed and a number that take about half a minute.
const SEED: u64 = 1;
const CONFIGURATIONS: u64 = 60;
/// More at a time than there are processors: most of the time is waiting.
const AT_A_TIME: usize = 4;

fn number(name: &str, otherwise: u64) -> u64 {
    match env::var(name) {
        Ok(text) => (text.parse()).unwrap_or_else(|_| panic!("{name} is no number: {text}")),
        Err(_) => otherwise,
    }
}

/// Past the test runner, which keeps back what a passing test prints.
fn say(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

/// What was found out about some cases.
#[derive(Default)]
struct Findings {
    addresses: usize,
    accepted: usize,
    /// By the name of the case.
    differences: BTreeMap<String, (Case, Vec<Difference>)>,
}

/// Asks about cases, several at a time. `case` gives the name and the case of a number, from 0 on.
fn examine_all(count: usize, case: impl Fn(usize) -> (String, Case) + Sync) -> Findings {
    let next = AtomicUsize::new(0);
    let findings: Mutex<Findings> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= count {
                        break;
                    }
                    let (name, case) = case(number);
                    let (facts, found) = examine(&case);
                    let mut findings = findings.lock().expect("no panic while it is held");
                    findings.addresses += facts.len();
                    findings.accepted += facts.iter().filter(|fact| fact.data.is_some()).count();
                    if !found.is_empty() {
                        findings.differences.insert(name, (case, found));
                    }
                }
            });
        }
    });
    findings.into_inner().expect("no panic while it was held")
}

/// Says how many agree, keeps what differs, and fails when anything does.
fn conclude(what: &str, findings: &Findings) {
    let Findings {
        addresses,
        accepted,
        differences,
    } = findings;
    let different: usize = differences.values().map(|(_, found)| found.len()).sum();
    let agree = addresses - different.min(*addresses);
    say(&format!(
        "truth: {what}, {addresses} addresses, {accepted} of them accepted: {agree} agree ({:.2} %)\n{}",
        100.0 * agree as f64 / (*addresses).max(1) as f64,
        report(differences)
    ));
    if let Some(directory) = env::var_os("POSTLINT_TRUTH_KEEP") {
        reduce::keep(Path::new(&directory), differences);
    }
    assert!(differences.is_empty(), "{different} differences");
}

#[test]
fn the_model_says_what_postfix_does() {
    if !common::postfix::is_available("truth") {
        return;
    }
    let first = number("POSTLINT_TRUTH_SEED", SEED);
    let count = number("POSTLINT_TRUTH_CONFIGURATIONS", CONFIGURATIONS);
    let findings = examine_all(usize::try_from(count).unwrap_or(usize::MAX), |number| {
        let seed = first.wrapping_add(u64::try_from(number).unwrap_or(0));
        (format!("seed-{seed}"), Case::generate(seed))
    });
    conclude(
        &format!("{count} configurations from seed {first}"),
        &findings,
    );
}

#[test]
fn the_model_knows_the_traps() {
    if !common::postfix::is_available("truth: traps") {
        return;
    }
    let cases = written::cases();
    let findings = examine_all(cases.len(), |number| {
        (format!("written-{}", number + 1), cases[number].clone())
    });
    conclude("the traps", &findings);
}

/// Asks both about a case.
fn examine(case: &Case) -> (Vec<ask::Fact>, Vec<Difference>) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let asked = ask::ask(case, directory.path());
    let found = compare::compare(case, &asked, directory.path());
    let facts = asked.facts.clone();
    asked.end();
    (facts, found)
}

/// How many differences there are of each sort, with one of them.
fn report(differences: &BTreeMap<String, (Case, Vec<Difference>)>) -> String {
    let mut sorts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (name, (_, found)) in differences {
        for one in found {
            let (count, _) = sorts
                .entry(one.signature())
                .or_insert_with(|| (0, format!("{name}: {one}")));
            *count += 1;
        }
    }
    let mut sorts: Vec<(usize, String)> = sorts.into_values().collect();
    sorts.sort_by(|one, other| other.cmp(one));
    sorts
        .iter()
        .map(|(count, example)| format!("{count} like {example}\n"))
        .collect()
}
