//! A line that the program which builds the table does not take as it was meant.

use std::sync::Arc;

use crate::instance::Instance;
use crate::instance::table::SourceFormat;
use crate::instance::table_uses::Role;
use crate::rules::prelude::*;
use crate::source::Source;
use crate::syntax::alias_table::{AliasLineKind, AliasLines};
use crate::syntax::table::{TableLineKind, TableLines};

use super::{key_files, lone_format, table_syntax};

pub(super) static RULE: Rule = Rule {
    name: "wrong-table-format",
    code: "TB005",
    group: Group::Tables,
    severity: Severity::Error,
    summary: "a line of a table is skipped, or means something else than it says",
    docs: include_str!("wrong_table_format.md"),
    check,
};

/// Findings per table; the rest is counted.
const MOST_FINDINGS: usize = 100_000;

/// What a table is used for, as far as it decides what a `#` in a result does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Results {
    /// Addresses: each word of a comment becomes a recipient.
    Addresses,
    /// Next hops: the comment becomes part of it.
    Transport,
    /// Anything else: the comment does no harm.
    Other,
}

fn check(instance: &Instance, findings: &mut Findings) {
    for file in key_files(instance) {
        let Some(keys) = file.keys() else { continue };
        let name = file.parameter.as_ref().map(|parameter| parameter.name().to_owned());
        let results = match (file.role, name.as_deref().unwrap_or_default()) {
            (
                Role::Maps,
                "virtual_alias_maps" | "virtual_maps" | "canonical_maps" | "recipient_canonical_maps"
                | "sender_canonical_maps" | "recipient_bcc_maps" | "sender_bcc_maps",
            ) => Results::Addresses,
            (Role::Maps, "transport_maps" | "sender_dependent_relayhost_maps"
                | "sender_dependent_default_transport_maps") => Results::Transport,
            _ => Results::Other,
        };
        let lines = match keys.format() {
            SourceFormat::Postmap => Lines { instance, source: keys.source(), results },
            SourceFormat::Postalias => {
                alias_lines(instance, keys.source(), findings, name.as_deref());
                continue;
            }
        };
        lines.check(findings, name.as_deref());
    }
    if let Some(source) = instance.lone_table() {
        match lone_format(source) {
            Some(SourceFormat::Postmap) => {
                Lines { instance, source, results: Results::Other }.check(findings, None);
            }
            Some(SourceFormat::Postalias) => alias_lines(instance, source, findings, None),
            None => {}
        }
    }
}

struct Lines<'i> {
    instance: &'i Instance,
    source: &'i Arc<Source>,
    results: Results,
}

impl Lines<'_> {
    fn check(&self, findings: &mut Findings, parameter: Option<&str>) {
        let source = self.source;
        let mut count = 0;
        for line in TableLines::of(source, table_syntax(self.instance)) {
            if count >= MOST_FINDINGS {
                return;
            }
            let span = line.text.line().span(source);
            let finding = match &line.kind {
                TableLineKind::Entry { key, .. } if line.has_alias_colon() => {
                    let colon = line.text.span(source, key.end - 1..key.end);
                    let finding = findings.add(
                        &RULE,
                        colon,
                        "the colon is part of the key, which is never looked up: this is not an alias file",
                    );
                    finding.fix("remove the colon", Safety::Unsafe, [edits::replace_span(colon, "")]);
                    finding
                }
                TableLineKind::Entry { value, .. } => {
                    let Some(at) = line.comment_in_value() else { continue };
                    let comment = line.text.span(source, at..value.end);
                    let finding = match self.results {
                        Results::Addresses => findings.add(
                            &RULE,
                            comment,
                            "a comment has to be on a line of its own: each word of this one becomes a \
                             recipient, and mail for it bounces to the sender",
                        ),
                        Results::Transport => findings.add(
                            &RULE,
                            comment,
                            "a comment has to be on a line of its own: this one becomes part of the next hop",
                        ),
                        Results::Other => continue,
                    };
                    // A word of the comment may be a real user, who gets this mail today.
                    finding.fix_if(
                        "move the comment to a line of its own",
                        Safety::Unsafe,
                        edits::move_comment_above(source, span, comment),
                    );
                    finding
                }
                TableLineKind::NoValue { key } => {
                    let key = line.text.span(source, key.clone());
                    findings.add(
                        &RULE,
                        key,
                        "postmap skips the line: there is no result; a line is a key, white space and a result",
                    )
                }
                TableLineKind::UnbalancedQuote { open } => {
                    let quote = line.text.span(source, *open..*open + 1);
                    findings.add(&RULE, quote, "postmap skips the line: the quote is not closed")
                }
                TableLineKind::NotUtf8 => {
                    findings.add(&RULE, span, "postmap skips the line: it is not UTF-8")
                }
                TableLineKind::Discarded => findings.add(
                    &RULE,
                    span,
                    "postmap skips the line: it starts with white space, and there is nothing that it could \
                     continue",
                ),
            };
            count += 1;
            if let Some(parameter) = parameter {
                finding.parameter(parameter);
            }
        }
    }
}

fn alias_lines(
    instance: &Instance,
    source: &Arc<Source>,
    findings: &mut Findings,
    parameter: Option<&str>,
) {
    for line in AliasLines::of(source, table_syntax(instance).utf8).take(1_000_000) {
        let span = line.text.line().span(source);
        let finding = match &line.kind {
            AliasLineKind::NoPair => findings.add(
                &RULE,
                span,
                "postalias skips the line: an alias is a name, a colon and its targets",
            ),
            AliasLineKind::NotLocal { at } => findings.add(
                &RULE,
                line.text.span(source, *at..*at + 1),
                "postalias skips the line: the name of an alias is local, without a domain; \
                 virtual_alias_maps are for addresses",
            ),
            AliasLineKind::NotUtf8 => {
                findings.add(&RULE, span, "postalias skips the line: it is not UTF-8")
            }
            AliasLineKind::Discarded => findings.add(
                &RULE,
                span,
                "postalias skips the line: it starts with white space, and there is nothing that it could \
                 continue",
            ),
            AliasLineKind::Entry { value, .. } => {
                let bytes = &line.text.bytes()[value.clone()];
                let Some(at) = comment_outside_quotes(bytes) else { continue };
                let comment = line.text.span(source, value.start + at..value.end);
                let finding = findings.add(
                    &RULE,
                    comment,
                    "a comment has to be on a line of its own: each word of this one becomes a recipient, \
                     and mail for it bounces to the sender",
                );
                finding.fix_if(
                    "move the comment to a line of its own",
                    Safety::Unsafe,
                    edits::move_comment_above(source, span, comment),
                );
                finding
            }
            AliasLineKind::Empty => continue,
        };
        if let Some(parameter) = parameter {
            finding.parameter(parameter);
        }
    }
}

/// Where a `#` follows white space outside of quotes.
fn comment_outside_quotes(bytes: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut before = b' ';
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'"' if before != b'\\' => quoted = !quoted,
            b'#' if !quoted && crate::source::is_space(before) => return Some(at),
            _ => {}
        }
        before = byte;
    }
    None
}
