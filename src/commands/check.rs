//! `postlint check`: finds, reports, and decides how the program ends.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::instances::{Loaded, Plan, load, plans};
use super::{color, fix};
use crate::cli::{CheckArgs, FormatArg, OutputArgs, SelectionArgs};
use crate::exit::{Exit, UsageError};
use crate::finding::Severity;
use crate::lint::{self, Selection, Wanted};
use crate::report::{self, Checked, Format, Style};
use crate::settings::Settings;

pub(super) fn run(
    args: &CheckArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let fixes_stdin = args.fixes.fix && args.paths.iter().any(|path| path.as_os_str() == "-");
    let to_stdout = args.output.output_file.is_none() && !fixes_stdin;
    let color = color::decide(args.output.color, to_stdout);
    let mut fixes = fix::Fixes::new(&args.fixes)?;
    let mut checked = Vec::new();
    let mut failed = false;
    let mut seen = Vec::new();
    for plan in plans(&args.paths, &args.instance)? {
        let selection = selection(&args.rules, &plan)?;
        let threshold = threshold(&args.output, &plan);
        for Loaded { target, instance } in load(&plan, &mut seen)? {
            let findings = lint::run(&instance, &selection);
            let mut one = Checked::new(instance, findings);
            if let Some(fixes) = &mut fixes {
                one = fixes.apply(one, &target, &plan.options, &selection)?;
            }
            failed |= (one.findings.iter()).any(|finding| finding.severity >= threshold);
            checked.push(one);
        }
    }
    if let Some(fixes) = fixes {
        fixes.finish(args.output.quiet, out, err)?;
    }
    let report = match &args.output.output_file {
        Some(path) => {
            let mut bytes = Vec::new();
            write_report(&args.output, color, &checked, &mut bytes)?;
            write_file(path, &bytes)
        }
        // The diff is what was asked for.
        None if args.fixes.diff => Ok(()),
        // Standard output is for the main.cf.
        None if fixes_stdin => write_report(&args.output, color, &checked, err),
        None => write_report(&args.output, color, &checked, out),
    };
    report?;
    Ok(if failed && !args.output.exit_zero {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// The rules that run for a plan: the command line adds to the settings file, and where it selects, it alone
/// decides which rules.
pub(super) fn selection(args: &SelectionArgs, plan: &Plan) -> anyhow::Result<Selection> {
    let Settings { select, ignore, .. } = &plan.settings;
    let (select, mut ignore) = if args.select.is_empty() {
        (select.clone(), ignore.clone())
    } else {
        (args.select.clone(), Vec::new())
    };
    ignore.extend(args.ignore.iter().cloned());
    let wanted = Wanted {
        select,
        ignore,
        severities: plan.settings.rules.clone(),
        minimum: args.severity.map(Severity::from).or(plan.settings.severity),
        pedantic: args.pedantic || plan.settings.pedantic,
    };
    Ok(Selection::of(&wanted).map_err(|error| UsageError(error.to_string()))?)
}

fn threshold(args: &OutputArgs, plan: &Plan) -> Severity {
    let asked = args.fail_on.map(Severity::from);
    asked.or(plan.settings.fail_on).unwrap_or(Severity::Warning)
}

fn write_report(
    args: &OutputArgs,
    color: bool,
    checked: &[Checked],
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let style = Style {
        format: format(args.format),
        color,
        quiet: args.quiet,
        statistics: args.statistics,
    };
    report::write(style, &report::entries(checked), out)?;
    Ok(())
}

/// Writes a report into a file, all of it or nothing.
fn write_file(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let shown = || format!("cannot write the report to {}", path.display());
    // A device or a pipe cannot change places with a file.
    if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::write(path, bytes).with_context(shown);
    }
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
        .tempfile_in(directory)
        .with_context(shown)?;
    file.write_all(bytes).with_context(shown)?;
    file.persist(path).with_context(shown)?;
    Ok(())
}

fn format(asked: Option<FormatArg>) -> Format {
    match asked {
        None | Some(FormatArg::Full) => Format::Full,
        Some(FormatArg::Concise) => Format::Concise,
        Some(FormatArg::Json) => Format::Json,
        Some(FormatArg::Sarif) => Format::Sarif,
        Some(FormatArg::Github) => Format::Github,
    }
}
