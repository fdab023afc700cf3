//! A suppression that suppresses nothing hides the next finding on its line.

use crate::edits;
use crate::finding::Edit;
use crate::rules::prelude::*;
use crate::suppression::{Suppression, Suppressions};

pub(crate) static RULE: Rule = Rule {
    name: "unused-suppression",
    code: "PL001",
    group: Group::Postlint,
    severity: Severity::Warning,
    summary: "a comment suppresses a rule that finds nothing there",
    docs: include_str!("unused_suppression.md"),
    check,
};

/// Asks all other rules. A run that has their findings already calls [`report_unused`] instead.
fn check(instance: &Instance, findings: &mut Findings) {
    let others: Vec<_> = crate::rules::all()
        .filter(|rule| rule.code != RULE.code)
        .collect();
    let mut found = Findings::default();
    for rule in &others {
        (rule.check)(instance, &mut found);
    }
    let mut suppressions = Suppressions::of(instance.sources());
    suppressions.apply(found.into_vec());
    report_unused(&suppressions, &others, findings);
}

/// Adds the findings for suppressions that did nothing, as far as the rules that they name ran.
pub(crate) fn report_unused(
    suppressions: &Suppressions,
    ran: &[&'static Rule],
    findings: &mut Findings,
) {
    for suppression in suppressions.iter() {
        let unused: Vec<_> = suppression.unused(ran).collect();
        if unused.is_empty() {
            continue;
        }
        let names = crate::instance::join_words(&unused.iter().map(|word| (*word).clone()).collect::<Vec<_>>());
        let message = if suppression.has_line() {
            format!(
                "there is nothing for {names} to find in the line below: this comment would only hide what comes later"
            )
        } else {
            format!(
                "this comment suppresses nothing: it has to stand directly above the first line of a setting, \
                 a service or an entry to suppress {names}"
            )
        };
        let all = unused.len() == suppression.words.len();
        let span = match unused.first().and_then(|word| word.span()) {
            Some(span) if !all => span,
            _ => suppression.span,
        };
        let finding = findings.add(&RULE, span, message);
        if all {
            // What postlint finds depends on what it can see from here: another machine may need the comment.
            finding.fix(
                "remove the comment",
                Safety::Unsafe,
                [edits::replace_span(suppression.physical, "")],
            );
        } else {
            finding.fix_if(
                format!("remove {names} from the comment"),
                Safety::Unsafe,
                without_words(suppression, &unused.iter().map(|word| word.as_str()).collect::<Vec<_>>()),
            );
        }
    }
}

/// Writes the words that stay anew.
fn without_words(suppression: &Suppression, unused: &[&str]) -> Option<Vec<Edit>> {
    let first = suppression.words.first()?.span()?;
    let last = suppression.words.last()?.span()?;
    let kept: Vec<_> = suppression
        .words
        .iter()
        .map(crate::source::Text::as_str)
        .filter(|word| !unused.contains(word))
        .collect();
    Some(vec![edits::replace_span(first.to(last), kept.join(", "))])
}
