//! What the tests of this folder share: a rule and findings without an instance.

use std::ops::Range;

use crate::finding::{Edit, Finding, Findings, Severity};
use crate::rule::{Group, Rule};
use crate::source::{Source, Span};

/// A rule that checks nothing: its findings are made by hand.
pub(super) static RULE: Rule = rule("some-problem", Severity::Warning);
/// The same as an error.
pub(super) static ERROR: Rule = rule("some-error", Severity::Error);

const fn rule(name: &'static str, severity: Severity) -> Rule {
    Rule {
        name,
        code: name,
        group: Group::Syntax,
        severity,
        summary: "something is wrong",
        docs: "",
        check: |_, _| {},
    }
}

pub(super) fn finding(rule: &'static Rule, span: Span, message: &str) -> Finding {
    let mut findings = Findings::default();
    findings.add(rule, span, message).clone()
}

pub(super) fn edit(source: &Source, range: Range<usize>, text: &str) -> Edit {
    Edit {
        span: source.span_of(range),
        text: text.into(),
    }
}
