//! Findings give an address as a witness, and a real Postfix says whether the witness tells the truth: what
//! the bad cases of `fixtures/` accept, and what becomes of that mail.

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::postfix::{Private, is_available};
use postlint::finding::{Finding, Findings, Severity};
use postlint::instance::{Instance, Target};
use postlint::rule::{Group, Rule};
use postlint::{rules, testing};

/// What is wrong with a witness, if anything is.
fn doubts(postfix: &Private, finding: &Finding, witness: &str) -> Option<String> {
    let service = finding.service.as_deref().unwrap_or("smtp/inet");
    let service = service.strip_suffix("/inet").unwrap_or(service);
    let outcome = match postfix.try_send(service, witness) {
        Ok(outcome) => outcome,
        Err(reply) => return Some(format!("{witness} is refused: {reply}")),
    };
    let bounces = finding.rule.group == Group::Backscatter && finding.severity == Severity::Error;
    (bounces && !outcome.is_bounced)
        .then(|| format!("mail to {witness} is accepted and does not bounce: {outcome:#?}"))
}

/// What is wrong with the witnesses of one rule in one of its bad cases.
fn examine(rule: &'static Rule, case: &Path) -> String {
    let mut wrong = String::new();
    let target = Target::Path(case.to_path_buf());
    let instance = match Instance::load(&target, &testing::case_options(case)) {
        Ok(instance) => instance,
        Err(error) => return format!("{}: {error:#}\n", case.display()),
    };
    let mut findings = Findings::default();
    (rule.check)(&instance, &mut findings);
    let findings = findings.into_vec();
    let mut witnesses = findings
        .iter()
        .filter_map(|finding| Some((finding, finding.witness.as_deref()?)))
        .peekable();
    if witnesses.peek().is_none() {
        return wrong;
    }
    let postfix = match Private::start(case, &[]) {
        Ok(postfix) => postfix,
        Err(error) => return format!("{}: {error}\n", case.display()),
    };
    for (finding, witness) in witnesses {
        if let Some(doubt) = doubts(&postfix, finding, witness) {
            let _ = writeln!(wrong, "{}: {}: {doubt}", case.display(), rule.name);
        }
    }
    wrong
}

#[test]
fn witnesses_tell_the_truth() {
    if !is_available("witnesses") {
        return;
    }
    // A case for another version of Postfix proves nothing here.
    let cases: Vec<(&'static Rule, PathBuf)> = rules::all()
        .flat_map(|rule| {
            testing::cases(rule, "bad")
                .into_iter()
                .map(move |case| (rule, case))
        })
        .filter(|(_, case)| !case.join("version").exists())
        .collect();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(String::new());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((rule, case)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let said = examine(rule, case);
                    wrong
                        .lock()
                        .expect("no panic while it is held")
                        .push_str(&said);
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no panic while it was held");
    assert!(wrong.is_empty(), "{wrong}");
}
