//! `postlint explain`: the page of a rule, the rules of a group, or what is known of a parameter.

use std::io::{self, Write};

use colored::Colorize;

use super::color;
use super::rules::write_table;
use crate::cli::ExplainArgs;
use crate::exit::{Exit, UsageError};
use crate::instance::builtin::{self, Builtin, Builtins, Definition, Kind, Version, branches};
use crate::instance::installed_version;
use crate::rule::Rule;
use crate::rules;

pub(super) fn run(args: &ExplainArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let version = (args.postfix_version)
        .or_else(installed_version)
        .unwrap_or(Version::NEWEST);
    for (index, word) in args.words.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        explain(word, version, out)?;
    }
    Ok(Exit::Clean)
}

fn explain(word: &str, version: Version, out: &mut dyn Write) -> anyhow::Result<()> {
    if let Some(rule) = rules::find(word) {
        write_page(rule.docs, out)?;
        return Ok(());
    }
    let group: Vec<&Rule> = rules::all().filter(|rule| rule.is_named(word)).collect();
    if !group.is_empty() {
        write_table(&group, out)?;
        return Ok(());
    }
    match builtin::parameter(word) {
        Some(parameter) => write_parameter(parameter, version, out)?,
        None => return Err(UsageError(unknown(word)).into()),
    }
    Ok(())
}

fn unknown(word: &str) -> String {
    let message = format!("there is no rule, group or parameter '{word}'");
    match rules::nearest(word).or_else(|| nearest_parameter(word)) {
        Some(nearest) => format!("{message}; did you mean '{nearest}'?"),
        None => format!("{message}; 'postlint rules' lists all rules"),
    }
}

fn nearest_parameter(word: &str) -> Option<&'static str> {
    Builtins::of(Version::NEWEST)
        .iter()
        .map(|parameter| parameter.name())
        .map(|name| (strsim::damerau_levenshtein(word, name), name))
        .filter(|(distance, name)| distance * 3 <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// The page as it is, with headings and code set off where there are colours.
fn write_page(page: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut in_code = false;
    for line in page.trim_end().lines() {
        if line.starts_with("```") {
            in_code = !in_code;
            writeln!(out, "{}", line.dimmed())?;
        } else if in_code {
            writeln!(out, "{}", line.cyan())?;
        } else if line.starts_with('#') {
            writeln!(out, "{}", line.bold())?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn write_parameter(
    parameter: &'static Builtin,
    version: Version,
    out: &mut dyn Write,
) -> io::Result<()> {
    let definition = parameter.definition(version);
    writeln!(out, "{}", parameter.name().bold())?;
    let mut row = |title: &str, text: &str| {
        let label = if title.is_empty() {
            String::new()
        } else {
            format!("{title}:")
        };
        writeln!(out, "  {label:<9} {text}")
    };
    if parameter.exists_in(version) {
        row("default", &default(parameter, version))?;
    } else {
        row(
            "default",
            &format!("none: Postfix {version} does not know this parameter"),
        )?;
    }
    for (first, text) in defaults_by_branch(parameter) {
        row("", &format!("from {first} on: {text}"))?;
    }
    row("value", &kind(parameter, &definition))?;
    if let Some(since) = parameter.exists().since() {
        row("since", &format!("Postfix {since}"))?;
    }
    if let Some(deprecation) = parameter.deprecation(version) {
        let what = if deprecation.removed {
            "removed"
        } else {
            "deprecated"
        };
        let instead = match deprecation.replacement {
            Some(name) => format!("{what}; use {name}"),
            None => what.to_owned(),
        };
        row("note", &instead)?;
    }
    let readers: Vec<&str> = parameter.scope().collect();
    match readers.as_slice() {
        [] => {}
        ["all"] => row("read by", "all programs")?,
        readers => row("read by", &readers.join(", "))?,
    }
    if parameter.is_read_only() {
        row("change", "not in main.cf: Postfix sets it itself")?;
    } else if parameter.needs_restart() {
        row(
            "change",
            "takes effect after postfix stop and postfix start; a reload ignores it",
        )?;
    } else {
        row("change", "takes effect after postfix reload")?;
    }
    let named: Vec<&str> = rules::all()
        .filter(|rule| names(rule.docs, parameter.name()))
        .map(|rule| rule.name)
        .collect();
    if !named.is_empty() {
        row("rules", &named.join(", "))?;
    }
    row(
        "see",
        &format!("postconf(5); postconf -d {}", parameter.name()),
    )
}

/// The defaults that other branches have, oldest first, each with the branch that introduced it; nothing when
/// all have the same.
fn defaults_by_branch(parameter: &'static Builtin) -> Vec<(String, String)> {
    let mut runs: Vec<(String, String)> = Vec::new();
    for branch in branches() {
        if !parameter.exists_in(branch) || parameter.is_computed() {
            continue;
        }
        let text = default(parameter, branch);
        if runs.last().is_none_or(|(_, last)| *last != text) {
            runs.push((branch.to_string(), text));
        }
    }
    if runs.len() > 1 { runs } else { Vec::new() }
}

fn default(parameter: &'static Builtin, version: Version) -> String {
    if parameter.is_computed() {
        return "found out when Postfix starts".to_owned();
    }
    let text = match parameter.default(version) {
        "" => "(empty)".to_owned(),
        text => text.to_owned(),
    };
    if parameter.is_fixed_at_build() {
        text + " (chosen when Postfix is built)"
    } else {
        text
    }
}

fn kind(parameter: &Builtin, definition: &Definition) -> String {
    let kind = match definition.kind {
        Kind::Str => "text".to_owned(),
        Kind::Raw => "text; the program expands $name itself".to_owned(),
        Kind::Int | Kind::Nint | Kind::Long => "whole number".to_owned(),
        Kind::Bool | Kind::Nbool => "yes or no".to_owned(),
        Kind::Time => match parameter.unit() {
            Some(unit) => format!("time: a number and one of s m h d w, {unit} when there is none"),
            None => "time: a number and one of s m h d w".to_owned(),
        },
    };
    // Limits of a text are those of its length.
    let unit = match definition.kind {
        Kind::Time => " seconds",
        Kind::Str | Kind::Raw => " characters",
        Kind::Int | Kind::Nint | Kind::Long | Kind::Bool | Kind::Nbool => "",
    };
    match (definition.min.filter(|min| *min > 0), definition.max) {
        (Some(min), Some(max)) => format!("{kind}; {min} to {max}{unit}"),
        (Some(min), None) => format!("{kind}; at least {min}{unit}"),
        (None, Some(max)) => format!("{kind}; at most {max}{unit}"),
        (None, None) => kind,
    }
}

/// Whether a page speaks of a parameter.
fn names(page: &str, parameter: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    page.match_indices(parameter).any(|(at, _)| {
        !page[..at].ends_with(is_word) && !page[at + parameter.len()..].starts_with(is_word)
    })
}
