//! A comment for postlint that cannot be read, or names a rule that does not exist.

use crate::rules::prelude::*;
use crate::syntax::suppression::{CommentError, CommentKind, suppression_comments};

pub(super) static RULE: Rule = Rule {
    name: "malformed-suppression",
    code: "PL002",
    group: Group::Postlint,
    severity: Severity::Warning,
    summary: "a comment for postlint cannot be read, or names an unknown rule",
    docs: include_str!("malformed_suppression.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for source in instance.sources().all() {
        for comment in suppression_comments(&source) {
            match comment.kind {
                CommentKind::Malformed(error) => {
                    findings
                        .add(&RULE, comment.span, message(error))
                        .note("the form is: # postlint: ignore[rule, rule] reason");
                }
                CommentKind::Ignore(words) => {
                    for word in words {
                        if crate::rules::is_known(word.as_str()) {
                            continue;
                        }
                        let text = match crate::rules::nearest(word.as_str()) {
                            Some(nearest) => format!(
                                "there is no rule {word}, so nothing is suppressed; did you mean {nearest}?"
                            ),
                            None => format!("there is no rule {word}, so nothing is suppressed"),
                        };
                        let finding = findings.add(&RULE, word.span().unwrap_or(comment.span), text);
                        if crate::rules::nearest(word.as_str()).is_none() {
                            finding.note("postlint rules lists all rules");
                        }
                    }
                }
            }
        }
    }
}

fn message(error: CommentError) -> &'static str {
    match error {
        CommentError::NotIgnore => {
            "this comment suppresses nothing: ignore[…] has to follow postlint:"
        }
        CommentError::Unclosed => "this comment suppresses nothing: the ] is missing",
        CommentError::NoRule => "this comment suppresses nothing: no rule stands in the brackets",
        CommentError::BehindText => {
            "this is a part of the text before it: Postfix has no comments there; it belongs on the line above"
        }
    }
}
