//! The options of a service (`getopt` in `src/master/*_server.c`), and words that are none.

use super::Report;
use crate::edits::move_comment_above;
use crate::instance::builtin::Version;
use crate::instance::daemon::{Operands, daemon_of};
use crate::rules::prelude::*;
use crate::source::Span;
use crate::syntax::master_cf::OptionError;

/// Looks at the words behind the command.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let line = report.line;
    let mut has_bad_braces = false;
    for word in &line.arguments {
        if let Some(error) = word.error {
            has_bad_braces = true;
            let message = format!(
                "master stops when it comes to this service: {}; a word that begins with {{ ends with \
                 its }}",
                error.message(&word.written)
            );
            report.add(word.span(), message);
        }
    }
    if has_bad_braces {
        return;
    }
    let program = line.command();
    for error in &line.option_errors {
        let (span, what) = match error {
            OptionError::NotNameValue { span, .. } => (
                *span,
                "-o takes name=value, or { name = value } where there are blanks".to_owned(),
            ),
            OptionError::MissingValue { letter, span } => {
                (*span, format!("nothing follows the option -{letter}"))
            }
            OptionError::Unknown { letter, span } => {
                (*span, format!("there is no option -{letter}"))
            }
        };
        let message = format!("{program} stops when it is started: {what}");
        if matches!(error, OptionError::NotNameValue { .. }) {
            report_split(report, span, span, message);
        } else {
            report.add(Some(span), message);
        }
    }
    // What follows the first mistake is often the rest of the same value.
    if line.option_errors.is_empty() {
        check_operands(report);
    }
}

fn check_operands(report: &mut Report<'_, '_>) {
    let (line, version) = (report.line, report.instance.version());
    let Some(daemon) = daemon_of(line.command(), version) else { return };
    let takes_flags =
        daemon.operands == Operands::Flags && version >= Version::release(3, 5, 0);
    let first = match daemon.operands {
        Operands::None | Operands::Flags => line
            .operands
            .iter()
            .find(|word| !takes_flags || !is_delivery_flags(word.value.as_str())),
        Operands::Pipe | Operands::Spawn | Operands::Ignored => None,
    };
    let Some(word) = first else { return };
    let Some(span) = word.span() else { return };
    let (program, word) = (daemon.name, &word.written);
    if word.as_str().starts_with('#') {
        let message = format!(
            "{program} stops when it is started: it takes the comment for arguments; a comment needs a \
             line of its own"
        );
        report_comment(report, span, message);
        return;
    }
    let message = format!("{program} stops when it is started: it does not know what {word} is for");
    let last = line.overrides.last().map(|setting| setting.span);
    let index = line.arguments.iter().position(|word| word.span() == Some(span));
    let before = index.and_then(|index| line.arguments.get(index.checked_sub(1)?)?.span());
    match last.filter(|last| before.is_some_and(|before| before.end == last.end)) {
        Some(option) => report_split(
            report,
            span,
            option,
            format!("{message}; a value with blanks is written as -o {{ name = value }}"),
        ),
        None if takes_flags => {
            report.add(Some(span), format!("{message}; flags= with letters out of DORX is all that it \
                                            takes"));
        }
        None => {
            report.add(Some(span), message);
        }
    }
}

/// smtp(8)'s `flags=` (`src/smtp/smtp.c: get_cli_attr`).
fn is_delivery_flags(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, flags)| {
        name.eq_ignore_ascii_case("flags") && flags.bytes().all(|flag| b"DORX".contains(&flag))
    })
}

/// Reports `place`, and offers to make one word of the option `option` and what follows it.
fn report_split(report: &mut Report<'_, '_>, place: Span, option: Span, message: String) {
    let (instance, line) = (report.instance, report.line);
    let join = super::join::join(&report.master_cf.source, line, option, instance.version());
    let finding = report.add(Some(place), message);
    let Some(join) = join else { return };
    let safety = if join.revives_options {
        Safety::Unsafe
    } else {
        super::super::revival::safety(instance, &join.name)
    };
    finding
        .parameter(join.name.clone())
        .fix(format!("make one option of {}", join.name), safety, [join.edit]);
}

fn report_comment(report: &mut Report<'_, '_>, place: Span, message: String) {
    let (instance, line, source) = (report.instance, report.line, &report.master_cf.source);
    let end = source.line_column(place.start).line;
    let below = line.operands.iter().filter(|word| {
        word.span().is_some_and(|span| source.line_column(span.start).line > end)
    });
    // They were arguments, and become options that are in force.
    let revives_options = below.into_iter().any(|word| word.value.as_str().starts_with('-'));
    let safety = if revives_options {
        Safety::Unsafe
    } else {
        super::super::revival::safety(instance, "master_service_disable")
    };
    let edits = move_comment_above(source, line.span, place);
    report
        .add(Some(place), message)
        .fix_if("move the comment above the service", safety, edits);
}
