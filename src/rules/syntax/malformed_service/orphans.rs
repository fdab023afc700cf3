//! Options below a service that is commented out: they belong to the service before.

use super::Report;
use crate::edits::replace_span;
use crate::rules::prelude::*;
use crate::source::{Source, Span, is_space};

/// Looks for comments that look like a service, with options below that are none.
pub(super) fn check(report: &mut Report<'_, '_>) {
    let source = &report.master_cf.source;
    let bytes = source.bytes();
    let mut commented: Option<String> = None;
    let mut start = report.line.span.start;
    let mut found: Vec<(String, Span)> = Vec::new();
    while start < report.line.span.end {
        let end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length);
        let text = source.text().get(start..end).unwrap_or_default();
        let trimmed = text.trim_start();
        if let Some(comment) = trimmed.strip_prefix('#') {
            if let Some(service) = service_in(comment) {
                commented = Some(service);
            }
        } else if trimmed.starts_with("-o")
            && let Some(service) = &commented {
                let place = source.span_of(start + text.len() - trimmed.len()..end);
                found.push((service.clone(), place));
            }
        start = end + 1;
    }
    for run in found.chunk_by(|(one, _), (next, _)| one == next) {
        report_run(report, source, run);
    }
}

fn report_run(report: &mut Report<'_, '_>, source: &Source, run: &[(String, Span)]) {
    let [(commented, first), ..] = run else { return };
    let owner = format!("{}/{}", report.line.name(), report.line.kind());
    let message = format!(
        "these options are in force for {owner}: {commented} above them is a comment, and a comment does \
         not end the service before it"
    );
    // An option that takes restrictions away opens the service that it was not meant for.
    let is_empty = report.line.overrides.iter().any(|setting| {
        setting.value.is_empty()
            && setting.name.as_str().ends_with("_restrictions")
            && run.iter().any(|(_, place)| place.start <= setting.span.start && setting.span.end <= place.end)
    });
    let comments = run.iter().map(|(_, place)| {
        let at = indentation_start(source, *place);
        replace_span(source.span_of(at..at), "#")
    });
    let head = report.line.head_span();
    let finding = report.add(Some(*first), message);
    if !is_empty {
        finding.severity(Severity::Warning);
    }
    finding
        .related(head, "the service that they change")
        .fix("make comments of the options, too", Safety::Unsafe, comments)
        .choice(format!("remove the # in front of {commented}, if the service is meant to run"));
}

fn indentation_start(source: &Source, place: Span) -> usize {
    let bytes = &source.bytes()[..place.start];
    bytes.iter().rposition(|byte| !is_space(*byte) || *byte == b'\n').map_or(0, |at| at + 1)
}

/// The service that a comment defines, `name/type`.
fn service_in(comment: &str) -> Option<String> {
    let words: Vec<&str> = comment.split_ascii_whitespace().take(8).collect();
    let [name, kind, private, unprivileged, chroot, ..] = words[..] else { return None };
    let is_service = words.len() == 8
        && matches!(kind, "inet" | "unix" | "fifo" | "pass" | "unix-dgram")
        && [private, unprivileged, chroot].iter().all(|field| matches!(*field, "y" | "n" | "-"));
    is_service.then(|| format!("{name}/{kind}"))
}
