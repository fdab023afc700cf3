//! Findings give an address as a witness, and a real Postfix says whether the witness tells the truth: what
//! the bad cases of `fixtures/` accept, what becomes of that mail, and that mending them ends it.

mod common;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::postfix::{Private, is_available};
use common::{copy_tree, fixture};
use postlint::finding::{Finding, Findings, Severity};
use postlint::instance::{Instance, Target};
use postlint::rule::{Group, Rule};
use postlint::{rules, testing};

/// The service that a finding is about, by its name in master.cf.
fn service(finding: &Finding) -> &str {
    let service = finding.service.as_deref().unwrap_or("smtp/inet");
    service.strip_suffix("/inet").unwrap_or(service)
}

/// Mail to the witness of a bad case has to be accepted, and to bounce where that is what the rule says.
fn doubt(postfix: &Private, finding: &Finding, witness: &str) -> Option<String> {
    let outcome = match postfix.try_send(service(finding), witness) {
        Ok(outcome) => outcome,
        Err(reply) => return Some(format!("{witness} is refused: {reply}")),
    };
    let bounces = finding.rule.group == Group::Backscatter && finding.severity == Severity::Error;
    (bounces && !outcome.is_bounced)
        .then(|| format!("mail to {witness} is accepted and does not bounce: {outcome:#?}"))
}

/// Mail to the witness has to be refused in the mended case, or to be delivered here.
fn doubt_when_fixed(postfix: &Private, finding: &Finding, witness: &str) -> Option<String> {
    let before = postfix.sent_away().len();
    let outcome = postfix.try_send(service(finding), witness).ok()?;
    (outcome.is_bounced || postfix.sent_away().len() > before)
        .then(|| format!("mail to {witness} is still accepted: {outcome:#?}"))
}

/// What is wrong with the witnesses of one rule in one of its bad cases, and in the same case mended.
fn examine(rule: &'static Rule, case: &Path) -> anyhow::Result<String> {
    let target = Target::Path(case.to_path_buf());
    let instance = Instance::load(&target, &testing::case_options(case))?;
    let mut findings = Findings::default();
    (rule.check)(&instance, &mut findings);
    let findings = findings.into_vec();
    let witnesses: Vec<(&Finding, &str)> = findings
        .iter()
        .filter_map(|finding| Some((finding, finding.witness.as_deref()?)))
        .collect();
    let mut wrong = String::new();
    if witnesses.is_empty() {
        return Ok(wrong);
    }
    let postfix = Private::start(case, &[]).map_err(anyhow::Error::msg)?;
    for (finding, witness) in &witnesses {
        if let Some(doubt) = doubt(&postfix, finding, witness) {
            writeln!(wrong, "{}: {}: {doubt}", case.display(), rule.name)?;
        }
    }
    // bad/CASE and fixed/CASE; the second has the files that change.
    let fixed = case.iter().rev().nth(2).zip(case.file_name());
    let fixed = fixed.map(|(rule, case)| fixture("").join(rule).join("fixed").join(case));
    if let Some(fixed) = fixed.filter(|fixed| fixed.is_dir()) {
        let directory = tempfile::tempdir()?;
        copy_tree(case, directory.path());
        copy_tree(&fixed, directory.path());
        let postfix = Private::start(directory.path(), &[]).map_err(anyhow::Error::msg)?;
        for (finding, witness) in &witnesses {
            if let Some(doubt) = doubt_when_fixed(&postfix, finding, witness) {
                writeln!(wrong, "{}: {}: {doubt}", fixed.display(), rule.name)?;
            }
        }
    }
    Ok(wrong)
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
                    let said = examine(rule, case)
                        .unwrap_or_else(|error| format!("{}: {error:#}\n", case.display()));
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
