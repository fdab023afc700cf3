//! The fixed point with a small linter of its own, whose rules do on purpose what no rule should.

use std::cell::Cell;

use super::testing::{ERROR, RULE, edit, finding};
use super::*;
use crate::edits;
use crate::finding::Edit;
use crate::source::Stamp;
use crate::syntax::main_cf::Setting;

const MAIN: &str = "/x/main.cf";
const OTHER: &str = "/x/other";

/// What the small linter finds in a setting, by its value.
fn check(source: &Source, setting: &Setting, findings: &mut Vec<Finding>) {
    let value = setting.value.as_str();
    let mut add = |rule: &'static Rule, fix: Option<(Safety, Option<Vec<Edit>>)>| {
        let mut found = finding(rule, setting.span, &format!("{value} is wrong"));
        found.parameter(setting.name.as_str());
        if let Some((safety, Some(edits))) = fix {
            found.fix("mend it", safety, edits);
        }
        findings.push(found);
    };
    let set = |new| edits::set_value(source, setting, new);
    match value {
        "bad" => add(&RULE, Some((Safety::Safe, set("good")))),
        "risky" => add(&RULE, Some((Safety::Unsafe, set("good")))),
        "never" => add(&RULE, Some((Safety::Safe, set("never ever")))),
        "never ever" => add(&RULE, None),
        "trap" => add(&RULE, Some((Safety::Safe, set("fatal")))),
        "fatal" => add(&ERROR, None),
        "cut" => add(
            &RULE,
            Some((
                Safety::Safe,
                Some(vec![edits::replace_span(setting.span, "no setting")]),
            )),
        ),
        "unmailable" => add(&RULE, Some((Safety::Safe, set("lost")))),
        "unmailable?" => add(&RULE, Some((Safety::Unsafe, set("lost")))),
        "step1" => add(&RULE, Some((Safety::Safe, set("step2")))),
        "step2" => add(&ERROR, Some((Safety::Safe, set("good")))),
        "ping" => add(&RULE, Some((Safety::Safe, set("pong")))),
        "pong" => add(&ERROR, Some((Safety::Safe, set("ping")))),
        "twice" => add(
            &RULE,
            Some((
                Safety::Safe,
                Some(vec![edits::append_line(
                    source,
                    &format!("{}x = 1", setting.name),
                )]),
            )),
        ),
        "outside" => {
            let mut span = setting.span;
            span.end += 1000;
            let edits = vec![edits::replace_span(span, "")];
            add(&RULE, Some((Safety::Safe, Some(edits))));
        }
        _ => {}
    }
}

/// Reads main.cf and one more file, each with the overlay in front.
fn lint(main: &[u8], other: &[u8], overlay: &Overlay) -> Linted<usize> {
    let sources = Arc::new(Sources::default());
    let stamp = Stamp {
        device: 0,
        inode: 0,
        size: 0,
        modified: None,
    };
    let add = |path: &str, disk: &[u8]| {
        let path = PathBuf::from(path);
        let bytes = overlay.get(&path).map_or(disk, Vec::as_slice).to_vec();
        sources.add(path, bytes, Some(stamp.clone()))
    };
    let other = add(OTHER, other);
    let main_cf = MainCf::parse(add(MAIN, main));
    let mut findings = Vec::new();
    let source = Arc::clone(&main_cf.source);
    for setting in main_cf.settings() {
        let done = setting.name.to_string() + "x";
        if setting.value != "twice" || !main_cf.settings().any(|other| other.name == done.as_str())
        {
            check(&source, setting, &mut findings);
        }
        // A problem whose fix is in two files.
        if setting.value == "far" && other.bytes().starts_with(b"far") {
            let mut found = finding(&RULE, setting.span, "far");
            let near = edit(&source, setting.span.start..setting.span.end, "n = near");
            found.fix(
                "mend both",
                Safety::Safe,
                [edit(&other, 0..3, "near"), near],
            );
            findings.push(found);
        }
    }
    if let Some(MainLine::Malformed { span, text, .. }) = main_cf.first_malformed() {
        let mut found = finding(&ERROR, *span, "malformed");
        if text.as_str().starts_with("mendable") {
            let fix = edit(&source, span.start..span.end, "mended = 1");
            found.fix("mend it", Safety::Safe, [fix]);
        }
        findings.push(found);
    }
    let broken = broken_lines(Some(&main_cf), None);
    let lost = main_cf.settings().filter(|setting| setting.value == "lost");
    let state = lost.count();
    Linted {
        sources,
        findings,
        broken,
        state,
    }
}

fn run(main: &str, other: &str, threshold: Safety) -> anyhow::Result<Outcome<usize>> {
    Fixer {
        lint: &mut |overlay| Ok(lint(main.as_bytes(), other.as_bytes(), overlay)),
        worse: &mut |before, after| (after > before).then(|| "a message is lost".to_owned()),
        threshold,
    }
    .run()
}

fn fixed(main: &str, threshold: Safety) -> (String, Outcome<usize>) {
    let outcome = run(main, "", threshold).expect("it ends");
    let text = outcome.files.first().map_or_else(
        || main.to_owned(),
        |file| String::from_utf8_lossy(&file.after).into_owned(),
    );
    (text, outcome)
}

fn reasons(outcome: &Outcome<usize>) -> Vec<(usize, Reason)> {
    outcome
        .withheld
        .iter()
        .map(|(fix, reason)| (fix.line, reason.clone()))
        .collect()
}

#[test]
fn fixes_are_applied_until_none_is_left() {
    let (text, outcome) = fixed("a = bad\nb = 1\nc = step1\nd = risky\n", Safety::Safe);
    // The second step is an error that was not there before: that fix is withheld.
    assert_eq!(text, "a = good\nb = 1\nc = step1\nd = risky\n");
    assert_eq!(outcome.held_back, 1);
    assert_eq!(outcome.applied.len(), 1);
    assert_eq!(outcome.remaining.findings.len(), 2);
    let (text, outcome) = fixed("d = risky\nc = step2", Safety::Unsafe);
    assert_eq!(text, "d = good\nc = good");
    assert_eq!(outcome.held_back, 0);
    assert!(outcome.remaining.findings.is_empty());
}

#[test]
fn what_does_harm_is_withheld_and_the_rest_stays() {
    let main = "a = bad\nb = never\nc = trap\nd = cut\ne = unmailable\nf = bad\n";
    let (text, outcome) = fixed(main, Safety::Safe);
    assert_eq!(
        text,
        "a = good\nb = never\nc = trap\nd = cut\ne = unmailable\nf = good\n"
    );
    let new = |message: &str| Reason::NewError {
        rule: ERROR.name,
        message: message.to_owned(),
    };
    assert_eq!(
        reasons(&outcome),
        [
            (2, Reason::StillThere),
            (3, new("fatal is wrong")),
            (4, Reason::BreaksFile(MAIN.into())),
            (5, Reason::WorseForMail("a message is lost".to_owned())),
        ]
    );
    // The operator asked for unsafe fixes and reviews them.
    let (text, _) = fixed("a = unmailable?\n", Safety::Unsafe);
    assert_eq!(text, "a = lost\n");
}

#[test]
fn edits_that_cannot_be_are_a_bug_that_does_no_harm() {
    let (text, outcome) = fixed("a = bad\nb = outside\n", Safety::Safe);
    assert_eq!(text, "a = good\nb = outside\n");
    assert_eq!(reasons(&outcome), [(2, Reason::Malformed)]);
}

#[test]
fn a_broken_file_is_mended_first() {
    let (text, outcome) = fixed("a = bad\nmendable\n", Safety::Safe);
    assert_eq!(text, "a = good\nmended = 1\n");
    assert!(outcome.withheld.is_empty());
    let (text, outcome) = fixed("a = bad\nhopeless\n", Safety::Safe);
    assert_eq!(text, "a = bad\nhopeless\n");
    assert!(outcome.files.is_empty());
    let reason = Reason::BrokenFile {
        path: MAIN.into(),
        line: 2,
    };
    assert_eq!(reasons(&outcome), [(1, reason)]);
}

#[test]
fn a_fix_over_two_files_is_one() {
    let outcome = run("n = far\n", "far away", Safety::Safe).expect("it ends");
    let files: Vec<_> = outcome
        .files
        .iter()
        .map(|file| {
            (
                file.path().to_path_buf(),
                String::from_utf8_lossy(&file.after),
            )
        })
        .collect();
    assert_eq!(
        files,
        [
            (MAIN.into(), "n = near\n".into()),
            (OTHER.into(), "near away".into())
        ]
    );
    assert_eq!(outcome.applied.len(), 1);
}

#[test]
fn insertions_at_one_place_take_a_round_each() {
    let main: String = (0..25).map(|index| format!("a{index} = twice\n")).collect();
    let (text, outcome) = fixed(&main, Safety::Safe);
    assert_eq!(outcome.applied.len(), 25);
    assert_eq!(text.lines().count(), 50);
    assert!(text.ends_with("a24x = 1\n"));
}

#[test]
fn fixes_that_fight_are_an_error() {
    let rounds = Cell::new(0);
    let fight = Fixer {
        lint: &mut |overlay: &Overlay| {
            rounds.set(rounds.get() + 1);
            let mut linted = lint(b"a = ping\n", b"", overlay);
            // As two warnings they do not withhold each other.
            for finding in &mut linted.findings {
                finding.severity = crate::finding::Severity::Warning;
            }
            Ok(linted)
        },
        worse: &mut |_, _| None,
        threshold: Safety::Safe,
    };
    let error = fight.run().expect_err("it does not end");
    assert!(error.to_string().contains("some-"), "{error}");
    assert!(rounds.get() < 15);
}

/// A linter that shows the first `shown` settings with the value `bad` or `worse` as errors, all with one
/// message.
fn lint_some(main: &str, overlay: &Overlay, shown: usize, new: &str) -> Linted<()> {
    let sources = Arc::new(Sources::default());
    let path = PathBuf::from(STDIN);
    let text = overlay.get(&path).map_or(main.as_bytes(), Vec::as_slice);
    let main_cf = MainCf::parse(sources.add(path.clone(), text.to_vec(), None));
    let is_bad = |value: &str| value == "bad" || value == "worse";
    let bad = main_cf
        .settings()
        .filter(|setting| is_bad(setting.value.as_str()));
    let findings = bad
        .take(shown)
        .map(|setting| {
            let mut found = finding(&ERROR, setting.span, "bad");
            let edits = edits::set_value(&main_cf.source, setting, new).unwrap_or_default();
            found.fix("mend it", Safety::Safe, edits);
            found
        })
        .collect();
    Linted {
        sources: Arc::clone(&sources),
        findings,
        broken: Vec::new(),
        state: (),
    }
}

const STDIN: &str = "-";

#[test]
fn what_a_rule_left_out_is_fixed_in_later_rounds() {
    let main: String = (0..500).map(|index| format!("a{index} = bad\n")).collect();
    for new in ["good", "x"] {
        let outcome = Fixer {
            lint: &mut |overlay: &Overlay| Ok(lint_some(&main, overlay, 20, new)),
            worse: &mut |(), ()| None,
            threshold: Safety::Safe,
        }
        .run()
        .expect("it ends");
        assert_eq!(outcome.applied.len(), 500);
        assert!(outcome.withheld.is_empty());
    }
}

#[test]
fn a_rule_that_always_fails_is_not_tried_for_ever() {
    let main: String = (0..500).map(|index| format!("a{index} = bad\n")).collect();
    let rounds = Cell::new(0);
    let outcome = Fixer {
        lint: &mut |overlay: &Overlay| {
            rounds.set(rounds.get() + 1);
            Ok(lint_some(&main, overlay, 500, "worse"))
        },
        worse: &mut |(), ()| None,
        threshold: Safety::Safe,
    }
    .run()
    .expect("it ends");
    assert!(outcome.files.is_empty());
    assert_eq!(outcome.withheld.len(), 500);
    assert_eq!(outcome.withheld[499].1, Reason::OthersFailed);
    assert!(rounds.get() < 40, "{}", rounds.get());
}

#[test]
fn the_stock_services_are_not_a_file() {
    let outcome = Fixer {
        lint: &mut |_: &Overlay| {
            let sources = Arc::new(Sources::default());
            let source = sources.add("/x/master.cf".into(), b"smtp".to_vec(), None);
            let mut found = finding(&RULE, source.span(), "m");
            found.fix("f", Safety::Safe, [edit(&source, 0..4, "lmtp")]);
            Ok(Linted {
                sources,
                findings: vec![found],
                broken: Vec::new(),
                state: (),
            })
        },
        worse: &mut |(), ()| None,
        threshold: Safety::Safe,
    }
    .run()
    .expect("it ends");
    assert_eq!(
        outcome.withheld[0].1,
        Reason::NotAFile("/x/master.cf".into())
    );
    assert!(outcome.files.is_empty());
}

#[test]
fn fixing_twice_changes_nothing() {
    let main = "a = bad\nb = step2\nc = trap\nd = twice\ne = bad";
    let (once, _) = fixed(main, Safety::Unsafe);
    let (twice, outcome) = fixed(&once, Safety::Unsafe);
    assert_eq!(once, twice);
    assert!(outcome.applied.is_empty());
}
