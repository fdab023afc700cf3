//! A bare number as the result of an access table permits.

use std::collections::BTreeSet;

use crate::instance::table_uses::Role;
use crate::rules::prelude::*;
use crate::source::{Span, Text};
use crate::syntax::cidr_table::CidrLine;
use crate::syntax::pattern_table::PatternLineKind;

pub(super) static RULE: Rule = Rule {
    name: "number-means-ok",
    code: "RC006",
    group: Group::RejectCode,
    severity: Severity::Error,
    summary: "a bare number in an access table means OK: what should be refused is permitted",
    docs: include_str!("number_means_ok.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let mut seen: BTreeSet<Span> = BTreeSet::new();
    for usage in instance.table_uses() {
        let (Role::Restrictions, Ok(reference)) = (usage.role, &usage.table) else { continue };
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            let mut results: Vec<Text> = Vec::new();
            if let Some(keys) = table.keys() {
                results.extend(
                    keys.entries()
                        .filter(|entry| is_refusal(&entry.value()))
                        .map(|entry| entry.value_text(keys.source())),
                );
            }
            let inline = table.inline().map_or(&[][..], |inline| inline.entries());
            results.extend(inline.iter().map(|entry| entry.value.clone()));
            let bare_entries: Vec<_> =
                inline.iter().filter(|entry| !entry.written.as_str().starts_with('{')).collect();
            let patterns = table.patterns().into_iter().flat_map(|patterns| patterns.lines());
            results.extend(patterns.filter_map(|(text, kind)| match kind {
                PatternLineKind::Match { result, .. } => Some(text.slice(result)),
                _ => None,
            }));
            let networks = table.networks().into_iter().flat_map(|networks| networks.lines());
            results.extend(networks.filter_map(|(text, line)| match line {
                CidrLine::Match { result, .. } => Some(text.slice(result)),
                _ => None,
            }));
            for result in results.iter().filter(|result| is_refusal(result.as_bytes())) {
                let Some(span) = result.span().filter(|span| seen.insert(*span)) else { continue };
                let source = instance.sources().get(span.file);
                // Without braces of its own, an entry of an inline table ends at the first blank.
                let bare = bare_entries.iter().find(|entry| entry.value.span() == Some(span));
                let (old, new) = match bare {
                    Some(entry) => {
                        let value = refusal(result.as_str());
                        (&entry.written, format!("{{ {} = {value} }}", entry.key))
                    }
                    None => (result, refusal(result.as_str())),
                };
                findings
                    .add(
                        &RULE,
                        span,
                        format!(
                            "{result} alone means OK in an access table, so that this permits what it should \
                             refuse; a refusal needs a text, such as \"{result} Access denied\""
                        ),
                    )
                    .parameter(usage.parameter.name())
                    .fix_if(
                        "write a refusal",
                        Safety::Unsafe,
                        edits::replace_word(&source, old, &new),
                    );
            }
        }
    }
}

/// Whether a result is a number that was meant as a refusal.
fn is_refusal(result: &[u8]) -> bool {
    matches!(result, [b'4' | b'5', second, third] if second.is_ascii_digit() && third.is_ascii_digit())
}

fn refusal(code: &str) -> String {
    format!("{code} {}.7.1 Access denied", &code[..1])
}
