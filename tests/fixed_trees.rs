//! What the fixes leave is a configuration that the real postconf accepts, and in which only those
//! parameters changed that the findings speak of.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use common::copy_tree;
use postlint::finding::Findings;
use postlint::instance::{Instance, Target};
use postlint::rule::Rule;
use postlint::{rules, testing};

/// What postconf prints for a directory: the values of main.cf, and those of the `-o` options. `None` when it
/// does not accept the files.
fn postconf(directory: &Path) -> Option<BTreeMap<String, String>> {
    // Postfix reads a young main.cf again and again until it is older.
    let old = SystemTime::now() - Duration::from_secs(3_600);
    for name in ["main.cf", "master.cf"] {
        if let Ok(file) = File::options().append(true).open(directory.join(name)) {
            file.set_modified(old)
                .expect("the time of a copy can be set");
        }
    }
    let mut values = BTreeMap::new();
    let mut lists = vec!["-n"];
    if directory.join("master.cf").exists() {
        lists.push("-P");
    }
    for list in lists {
        let output = Command::new("postconf")
            .arg("-c")
            .arg(directory)
            .arg(list)
            .output()
            .expect("postconf can be started");
        if !output.status.success() {
            return None;
        }
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, value) = line.split_once('=').unwrap_or((line, ""));
            // Two services can have the same name, and then print the same.
            values.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    values.remove("config_directory");
    Some(values)
}

/// Rules about whole lines of master.cf: which options a service has is what they mend.
const ABOUT_SERVICES: [&str; 2] = ["malformed-service", "duplicate-service"];

/// All that the findings of a rule say about a case, and the names of the settings that they point at.
fn said(rule: &'static Rule, case: &Path) -> String {
    let options = testing::case_options(case);
    let instances = Instance::load_all(&Target::Path(case.to_path_buf()), &options)
        .unwrap_or_else(|error| panic!("{}: {error:#}", case.display()));
    let mut said = String::new();
    for instance in &instances {
        let mut findings = Findings::default();
        (rule.check)(instance, &mut findings);
        for finding in findings.into_vec() {
            let titles = finding.fixes.iter().map(|fix| fix.title.as_str());
            let parts = [finding.message.as_str()].into_iter().chain(titles);
            for part in parts.chain(finding.parameter.as_deref()) {
                said.push_str(part);
                said.push(' ');
            }
            let settings = instance
                .main_cf()
                .into_iter()
                .flat_map(|file| file.settings());
            for setting in settings.filter(|setting| setting.span.to(finding.span) == setting.span)
            {
                said.push_str(setting.name.as_str());
                said.push(' ');
            }
        }
    }
    said
}

#[test]
fn the_real_postconf_accepts_what_fixes_leave() {
    if !common::postfix::is_installed("fixed trees") {
        return;
    }
    let mut wrong = Vec::new();
    let mut compared = 0;
    for rule in rules::all() {
        for fixed in testing::cases(rule, "fixed") {
            let name = fixed.file_name().expect("a case has a name");
            let bad = testing::fixtures().join(rule.name).join("bad").join(name);
            let before = tempfile::tempdir().expect("a temporary directory");
            copy_tree(&bad, before.path());
            let after = tempfile::tempdir().expect("a temporary directory");
            copy_tree(&bad, after.path());
            copy_tree(&fixed, after.path());
            let old = postconf(before.path());
            let Some(new) = postconf(after.path()) else {
                // A second mistake that has no fix may be left in the case.
                if old.is_some() {
                    wrong.push(format!("{}: postconf gives up", fixed.display()));
                }
                continue;
            };
            let Some(old) = old else { continue };
            compared += 1;
            let said = said(rule, &bad);
            let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for name in names
                .into_iter()
                .filter(|name| old.get(*name) != new.get(*name))
            {
                let parameter = name.rsplit('/').next().unwrap_or(name);
                let is_service = name.contains('/') && ABOUT_SERVICES.contains(&rule.name);
                // A second finding of the rule may come to light when the first one is mended; then it is
                // on the rule's page.
                let is_known = said.contains(parameter) || rule.docs.contains(parameter);
                if !is_known && !is_service {
                    wrong.push(format!("{}: {name} changed, too", fixed.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(compared > 40, "only {compared} cases were compared");
}
