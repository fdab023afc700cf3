//! A pattern or network that an earlier one always hides.

use ipnet::IpNet;

use crate::instance::table::Table;
use crate::instance::table_uses::TableUse;
use crate::rules::prelude::*;
use crate::source::{Span, Text};
use crate::syntax::cidr_table::CidrLine;
use crate::syntax::pattern_table::{PatternLineKind, PatternOptions};

pub(super) static RULE: Rule = Rule {
    name: "shadowed-entry",
    code: "TB010",
    group: Group::Tables,
    severity: Severity::Warning,
    summary: "an entry never matches, because an earlier pattern or network always matches first",
    docs: include_str!("shadowed_entry.md"),
    check,
};

/// So many lines of a table are compared with those before.
const MOST_LINES: usize = 2_000;
/// Expressions that every text matches.
const ALL: [&str; 9] = ["", "^", "$", ".*", "^.*", ".*$", "^.*$", "(.*)", "^(.*)$"];
/// Expressions that every text matches which is not empty.
const ALL_BUT_EMPTY: [&str; 9] = [".", "^.", ".+", "^.+", ".+$", "^.+$", "./", "(.+)", "^(.+)$"];

fn check(instance: &Instance, findings: &mut Findings) {
    let mut seen = Vec::new();
    for usage in instance.table_uses() {
        let Ok(reference) = &usage.table else { continue };
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            let shadowed = if table.patterns().is_some() { patterns(&table, &usage) } else { networks(&table) };
            for shadow in shadowed {
                let Some(place) = shadow.line.span().filter(|place| !seen.contains(place)) else { continue };
                seen.push(place);
                report(instance, &usage, &shadow, place, findings);
            }
        }
    }
}

/// A line that never matches, and the one that matches first.
struct Shadow {
    line: Text,
    key: String,
    first: Text,
    first_key: String,
}

fn report(instance: &Instance, usage: &TableUse<'_>, shadow: &Shadow, place: Span, findings: &mut Findings) {
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "{} never matches, because {} in front of it matches all that it would; it belongs in front, or can go",
            shadow.key, shadow.first_key
        ),
    );
    finding
        .parameter(usage.parameter.name())
        .related(shadow.first.span(), "this matches first");
    let source = instance.sources().get(place.file);
    let is_own_file = usage.parameter.span().is_none_or(|span| span.file != place.file);
    if is_own_file {
        finding.fix("remove the line that never matches", Safety::Safe, edits::remove_line(&source, place));
    } else {
        finding.choice("remove the rule that never matches");
    }
}

fn patterns(table: &Table, usage: &TableUse<'_>) -> Vec<Shadow> {
    // A line of a message can be empty, a key cannot.
    let is_text = usage.parameter.name().ends_with("_checks");
    let mut shadows = Vec::new();
    let mut before: Vec<(Text, Text, PatternOptions, bool)> = Vec::new();
    let mut depth = 0_usize;
    let lines = table.patterns().into_iter().flat_map(|patterns| patterns.lines());
    for (line, kind) in lines.take(MOST_LINES) {
        match kind {
            PatternLineKind::If(_) => depth += 1,
            PatternLineKind::EndIf => depth = depth.saturating_sub(1),
            PatternLineKind::Match { pattern, second, result, .. } => {
                let key = line.slice(pattern.expression.clone());
                let first = before.iter().find(|(_, other, options, negated)| {
                    let is_same = *other == key && *options == pattern.options && *negated == pattern.negated;
                    (is_same && second.is_none()) || (!negated && matches_all(other.as_str(), *options, is_text))
                });
                if let Some((first, other, ..)) = first {
                    shadows.push(Shadow {
                        key: format!("/{key}/"),
                        line: line.clone(),
                        first: first.clone(),
                        first_key: format!("/{other}/"),
                    });
                }
                // What is inside of an if hides only what is there, too; and a line with two patterns says less.
                // Some programs skip patterns whose result takes parts of the key.
                let is_asked = !line.slice(result).as_str().contains('$');
                if depth == 0 && second.is_none() && is_asked {
                    before.push((line.clone(), key, pattern.options, pattern.negated));
                }
            }
            _ => {}
        }
    }
    shadows
}

/// Whether an expression matches everything that is asked for.
fn matches_all(expression: &str, options: PatternOptions, is_text: bool) -> bool {
    // With unusual flags the expression may mean something else.
    let is_usual = !options.multi_line && !options.ungreedy && !options.dollar_end_only;
    is_usual && (ALL.contains(&expression) || (!is_text && ALL_BUT_EMPTY.contains(&expression)))
}

fn networks(table: &Table) -> Vec<Shadow> {
    let mut shadows = Vec::new();
    let mut before: Vec<(Text, IpNet)> = Vec::new();
    let mut depth = 0_usize;
    let lines = table.networks().into_iter().flat_map(|networks| networks.lines());
    for (line, kind) in lines.take(MOST_LINES) {
        match kind {
            CidrLine::If(_) => depth += 1,
            CidrLine::EndIf => depth = depth.saturating_sub(1),
            CidrLine::Match { pattern, .. } => {
                let first = before.iter().find(|(_, network)| !pattern.negated && network.contains(&pattern.network));
                if let Some((first, network)) = first {
                    shadows.push(Shadow {
                        key: pattern.network.to_string(),
                        line: line.clone(),
                        first: first.clone(),
                        first_key: network.to_string(),
                    });
                }
                if depth == 0 && !pattern.negated {
                    before.push((line.clone(), pattern.network));
                }
            }
            _ => {}
        }
    }
    shadows
}
