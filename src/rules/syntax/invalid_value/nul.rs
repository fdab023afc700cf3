//! NUL bytes, where Postfix stops reading a logical line.

use super::RULE;
use crate::instance::Instance;
use crate::instance::postconf::NoticeKind;
use crate::rules::prelude::*;
use crate::source::Source;
use crate::syntax::logical_line::LogicalLines;

/// Looks for NUL bytes in main.cf and master.cf.
pub(super) fn check(instance: &Instance, findings: &mut Findings) {
    let main_cf = instance.main_cf().map(|file| &file.source);
    let master_cf = instance.master_cf().map(|file| &file.source);
    for source in [main_cf, master_cf].into_iter().flatten() {
        check_file(instance, source, findings);
    }
}

fn check_file(instance: &Instance, source: &Source, findings: &mut Findings) {
    let bytes = source.bytes();
    if memchr::memchr(0, bytes).is_none() {
        return;
    }
    let mut lines = Vec::new();
    for line in LogicalLines::of(source) {
        let nul = line.pieces().find_map(|piece| {
            memchr::memchr(0, &bytes[piece.clone()]).map(|offset| piece.start + offset)
        });
        let Some(nul) = nul else { continue };
        lines.push(line.range());
        findings.add(
            &RULE,
            source.span_of(nul..nul + 1),
            "Postfix does not read what follows the NUL byte, further lines of the same value included; \
             a line without it would be right",
        );
    }
    // Newer versions warn about comments, too.
    for notice in instance.postconf().notices() {
        let Some(place) = notice.span.filter(|_| notice.kind == NoticeKind::Nul) else { continue };
        let is_known = lines.iter().any(|line| line.start <= place.end && place.start <= line.end);
        if place.file == source.id() && !is_known {
            findings
                .add(&RULE, place, "postconf warns about a NUL byte in this comment; it does no harm")
                .severity(Severity::Note);
        }
    }
}
