//! The eight fields (`src/master/master_ent.c`, `src/postconf/postconf_master.c`).

use super::Report;
use crate::instance::builtin::Version;
use crate::rules::prelude::*;
use crate::source::Text;
use crate::syntax::master_cf::FIELD_NAMES;

/// Types of service.
const TYPES: [&str; 5] = ["inet", "unix", "fifo", "pass", "unix-dgram"];
/// What any mistake in a field means.
const NOTHING_STARTS: &str = "master does not start, and no postfix command works";

/// Looks at the fields. Whether there are eight of them, so that the rest of the line makes sense.
pub(super) fn check(report: &mut Report<'_, '_>) -> bool {
    let line = report.line;
    if line.name().starts_with('-') {
        let source = &report.master_cf.source;
        let start = line.span.start;
        let message = format!(
            "{NOTHING_STARTS}: an option that begins in column 1 is taken for a service; blanks in front \
             of it make it part of the service above"
        );
        report.add(None, message).fix(
            "indent the line",
            Safety::Unsafe,
            [crate::edits::replace_span(source.span_of(start..start), "  ")],
        );
        return false;
    }
    if !line.is_complete() {
        let message = format!(
            "{NOTHING_STARTS}: a service has eight fields ({}), and this one has {}",
            FIELD_NAMES.join(", "),
            line.fields.len()
        );
        report.add(None, message);
        return false;
    }
    check_type(report);
    for index in 2..5 {
        let value = line.field(index);
        if !matches!(value, "y" | "n" | "-") {
            let right = match value.to_ascii_lowercase().as_str() {
                "y" | "yes" | "true" => Some("y"),
                "n" | "no" | "false" => Some("n"),
                _ => None,
            };
            report.add_field(index, bad_field(index, value, "y, n or -"), right);
        }
    }
    if line.kind() == "inet" && matches!(line.field(2), "y" | "-") {
        let message = "master stops when it comes to this service: an inet service cannot be private; n \
                       would be right"
            .to_owned();
        report.add_field(2, message, Some("n"));
    }
    let (wakeup, limit) = (line.field(5), line.field(6));
    if wakeup != "-" && !is_number(wakeup.strip_suffix('?').unwrap_or(wakeup)) {
        report.add_field(5, bad_field(5, wakeup, "-, or seconds with or without a ? behind them"), None);
    }
    if limit != "-" && !is_number(limit) {
        report.add_field(6, bad_field(6, limit, "- or a number"), None);
    }
    if line.command() == "-" {
        report.add_field(7, "master stops when it comes to this service: the command has no default; the \
                             name of a program would be right".to_owned(), None);
    }
    true
}

fn check_type(report: &mut Report<'_, '_>) {
    let kind = report.line.kind();
    let has_datagrams = report.instance.version() >= Version::release(3, 4, 0);
    if TYPES.contains(&kind) && (kind != "unix-dgram" || has_datagrams) {
        return;
    }
    let lower = kind.to_ascii_lowercase();
    let right = match lower.as_str() {
        "tcp" | "tcp4" | "tcp6" | "inet4" | "inet6" => Some("inet"),
        _ => TYPES.into_iter().find(|known| *known == lower),
    };
    let message = format!("{NOTHING_STARTS}: there is no type {kind}; inet, unix, fifo and pass are types");
    report.add_field(1, message, right);
}

fn bad_field(index: usize, value: &str, right: &str) -> String {
    format!("{NOTHING_STARTS}: the field {} cannot be {value}; it is {right}", FIELD_NAMES[index])
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a field has this value, a `-` being `default`.
pub(super) fn has_value(field: Option<&Text>, default: &str, value: &str) -> bool {
    let text = field.map_or("", Text::as_str);
    let text = if text == "-" { default } else { text };
    match (text.parse::<u64>(), value.parse::<u64>()) {
        (Ok(one), Ok(other)) => one == other,
        _ => text == value,
    }
}
