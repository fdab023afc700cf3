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

use std::collections::BTreeMap;
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
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

#[test]
#[ignore = "the model does not give replies yet: cargo test --test truth -- --ignored"]
fn the_model_says_what_postfix_does() {
    if !common::postfix::is_available("truth") {
        return;
    }
    let first = number("POSTLINT_TRUTH_SEED", SEED);
    let count = number("POSTLINT_TRUTH_CONFIGURATIONS", CONFIGURATIONS);
    let keep = env::var_os("POSTLINT_TRUTH_KEEP").map(PathBuf::from);
    let next = AtomicU64::new(first);
    let addresses = AtomicUsize::new(0);
    let accepted = AtomicUsize::new(0);
    let differences: Mutex<BTreeMap<u64, Vec<Difference>>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::SeqCst);
                    if seed >= first.saturating_add(count) {
                        break;
                    }
                    let case = Case::generate(seed);
                    let (facts, found) = examine(&case);
                    addresses.fetch_add(facts.len(), Ordering::SeqCst);
                    let taken = facts.iter().filter(|fact| fact.data.is_some()).count();
                    accepted.fetch_add(taken, Ordering::SeqCst);
                    if !found.is_empty() {
                        let mut all = differences.lock().expect("no panic while it is held");
                        all.insert(seed, found);
                    }
                }
            });
        }
    });
    let differences = differences
        .into_inner()
        .expect("no panic while it was held");
    let (addresses, accepted) = (addresses.into_inner(), accepted.into_inner());
    let different: usize = differences.values().map(Vec::len).sum();
    let report = report(&differences);
    say(&format!(
        "truth: {count} configurations from seed {first}, {addresses} addresses, {accepted} of them accepted: \
         {} agree ({:.2} %)\n{report}",
        addresses - different,
        100.0 * (addresses - different) as f64 / addresses.max(1) as f64,
    ));
    if let Some(directory) = keep {
        reduce::keep(&directory, &differences);
    }
    assert!(differences.is_empty(), "{different} differences");
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
fn report(differences: &BTreeMap<u64, Vec<Difference>>) -> String {
    let mut sorts: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for (seed, found) in differences {
        for one in found {
            let (count, _) = sorts
                .entry(one.signature())
                .or_insert_with(|| (0, format!("seed {seed}: {one}")));
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
