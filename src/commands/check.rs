//! `postlint check`: finds, reports, and decides how the program ends.

use std::io::Write;

use super::color;
use super::instances::{load_all, load_options, targets};
use crate::cli::{CheckArgs, FormatArg};
use crate::exit::{Exit, UsageError};
use crate::finding::Severity;
use crate::lint::{self, Selection, Wanted};
use crate::report::{self, Checked, Entry, Format, Style};

pub(super) fn run(
    args: &CheckArgs,
    out: &mut dyn Write,
    _err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let selection = Selection::of(&Wanted {
        select: args.select.clone(),
        ignore: args.ignore.clone(),
        severities: Vec::new(),
        minimum: args.severity.map(Severity::from),
        pedantic: args.pedantic,
    })
    .map_err(|error| UsageError(error.to_string()))?;
    let checked: Vec<Checked> = load_all(&targets(&args.paths)?, &load_options(&args.instance))?
        .into_iter()
        .map(|instance| {
            let findings = lint::run(&instance, &selection);
            Checked::new(instance, findings)
        })
        .collect();
    let entries = report::entries(&checked);
    let style = Style {
        color: color::decide(args.color),
    };
    report::write(format(args.format), style, &entries, out)?;
    Ok(exit(args, &entries))
}

fn format(asked: Option<FormatArg>) -> Format {
    match asked {
        None | Some(FormatArg::Full) => Format::Full,
        Some(FormatArg::Concise) => Format::Concise,
        Some(FormatArg::Json) => Format::Json,
    }
}

fn exit(args: &CheckArgs, entries: &[Entry<'_>]) -> Exit {
    let threshold = args.fail_on.map_or(Severity::Warning, Severity::from);
    let reached = |entry: &Entry<'_>| entry.finding.severity >= threshold;
    if !args.exit_zero && entries.iter().any(reached) {
        Exit::Findings
    } else {
        Exit::Clean
    }
}
