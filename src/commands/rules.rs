//! `postlint rules`: the index of all rules.

use std::io::Write;

use colored::{Color, Colorize};
use serde::Serialize;

use super::color;
use crate::cli::RulesArgs;
use crate::exit::Exit;
use crate::finding::Severity;
use crate::rule::Rule;
use crate::rules;

pub(super) fn run(args: &RulesArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let all: Vec<&Rule> = rules::all().collect();
    if args.json {
        let all: Vec<_> = all.iter().map(|rule| RuleV1::of(rule)).collect();
        writeln!(out, "{}", serde_json::to_string_pretty(&all)?)?;
    } else if args.markdown {
        write_markdown(&all, out)?;
    } else {
        write_table(&all, out)?;
    }
    Ok(Exit::Clean)
}

/// One line a rule.
pub(super) fn write_table(all: &[&Rule], out: &mut dyn Write) -> std::io::Result<()> {
    let width = all.iter().map(|rule| rule.name.len()).max().unwrap_or(0);
    for rule in all {
        let severity = format!("{:<7}", rule.severity.as_str()).color(color_of(rule.severity));
        let name = format!("{:<width$}", rule.name).bold();
        writeln!(out, "{} {severity} {name} {}", rule.code, rule.summary)?;
    }
    Ok(())
}

fn color_of(severity: Severity) -> Color {
    match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Note => Color::Green,
    }
}

fn write_markdown(all: &[&Rule], out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "# Rules")?;
    for group in all.chunk_by(|one, next| one.group == next.group) {
        let Some(first) = group.first() else { continue };
        writeln!(
            out,
            "\n## {}: {}\n",
            first.group.prefix(),
            first.group.title()
        )?;
        writeln!(out, "| code | name | severity | what goes wrong |")?;
        writeln!(out, "|---|---|---|---|")?;
        for rule in group {
            writeln!(
                out,
                "| {} | {} | {} | {} |",
                rule.code,
                rule.name,
                rule.severity.as_str(),
                rule.summary.replace('|', "\\|")
            )?;
        }
    }
    Ok(())
}

/// A rule for programs: fields may be added, none changed or removed.
#[derive(Serialize)]
struct RuleV1 {
    code: &'static str,
    name: &'static str,
    group: &'static str,
    severity: &'static str,
    summary: &'static str,
    docs: &'static str,
}

impl RuleV1 {
    fn of(rule: &Rule) -> Self {
        Self {
            code: rule.code,
            name: rule.name,
            group: rule.group.prefix(),
            severity: rule.severity.as_str(),
            summary: rule.summary,
            docs: rule.docs,
        }
    }
}
