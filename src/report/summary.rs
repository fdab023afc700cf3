//! What was found, in numbers.

use std::collections::BTreeMap;
use std::io::{self, Write};

use colored::{Color, Colorize};

use super::Entry;
use crate::finding::{Finding, Safety, Severity};

/// The numbers of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Findings of each severity.
    pub errors: usize,
    /// Likewise.
    pub warnings: usize,
    /// Likewise.
    pub notes: usize,
    /// Findings with a safe fix.
    pub safe_fixes: usize,
    /// Findings whose best fix is an unsafe one.
    pub unsafe_fixes: usize,
    /// By rule, in the order of codes.
    pub rules: Vec<RuleCount>,
}

/// How often a rule found something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleCount {
    /// The code of the rule.
    pub code: &'static str,
    /// The name of the rule.
    pub name: &'static str,
    /// The worst severity.
    pub severity: Severity,
    /// How many findings.
    pub count: usize,
    /// How many of them have a fix that `--fix`, or `--fix --unsafe-fixes`, applies.
    pub fixable: usize,
}

impl Summary {
    /// Counts.
    pub fn of(entries: &[Entry<'_>]) -> Self {
        let mut summary = Self::default();
        let mut rules: BTreeMap<&'static str, RuleCount> = BTreeMap::new();
        for entry in entries {
            let finding = &entry.finding;
            match finding.severity {
                Severity::Error => summary.errors += 1,
                Severity::Warning => summary.warnings += 1,
                Severity::Note => summary.notes += 1,
            }
            let safety = best_safety(finding);
            match safety {
                Some(Safety::Safe) => summary.safe_fixes += 1,
                Some(Safety::Unsafe) => summary.unsafe_fixes += 1,
                Some(Safety::DisplayOnly) | None => {}
            }
            let rule = rules.entry(finding.rule.code).or_insert(RuleCount {
                code: finding.rule.code,
                name: finding.rule.name,
                severity: finding.severity,
                count: 0,
                fixable: 0,
            });
            rule.count += 1;
            rule.severity = rule.severity.max(finding.severity);
            rule.fixable += usize::from(safety > Some(Safety::DisplayOnly));
        }
        summary.rules = rules.into_values().collect();
        summary
    }

    /// How many findings there are.
    pub fn total(&self) -> usize {
        self.errors + self.warnings + self.notes
    }
}

/// The safety of the fix that would be applied.
fn best_safety(finding: &Finding) -> Option<Safety> {
    finding.fixes.iter().map(|fix| fix.safety).max()
}

/// One line: how many of what, and what could be mended.
pub(super) fn write_line(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    if summary.total() == 0 {
        return writeln!(out, "{}", "nothing found".green());
    }
    let counts: Vec<String> = [
        (summary.errors, "error", Color::Red),
        (summary.warnings, "warning", Color::Yellow),
        (summary.notes, "note", Color::Green),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, word, color)| plural(count, word).color(color).bold().to_string())
    .collect();
    let fixes = match (summary.safe_fixes, summary.unsafe_fixes) {
        (0, 0) => String::new(),
        (safe, 0) => format!("; --fix mends {safe}"),
        (0, held) => format!("; --fix --unsafe-fixes mends {held}"),
        (safe, held) => format!("; --fix mends {safe}, with --unsafe-fixes {held} more"),
    };
    writeln!(out, "{}{fixes}", counts.join(", "))
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// One line a rule: how often, and whether there are fixes; the most frequent first.
pub(super) fn write_statistics(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let mut rules: Vec<&RuleCount> = summary.rules.iter().collect();
    rules.sort_by_key(|rule| (std::cmp::Reverse(rule.count), rule.code));
    let width = rules.iter().map(|rule| rule.count.to_string().len()).max();
    let width = width.unwrap_or(0);
    for rule in rules {
        let fixable = match rule.fixable {
            0 => String::new(),
            fixable => format!(" ({fixable} fixable)"),
        };
        writeln!(
            out,
            "{:>width$} {} {:<7} {}{fixable}",
            rule.count,
            rule.code,
            rule.severity.as_str(),
            rule.name
        )?;
    }
    Ok(())
}
