//! SARIF 2.1.0, the OASIS format in which tools give findings to code scanning services.

mod fingerprint;
mod log;

use std::io::{self, Write};

use super::json::write_json;
use super::{Entry, Place};
use crate::finding::{Edit, Fix, Safety, Severity};
use crate::rule::Rule;
use crate::rules;
use crate::source::Span;
use fingerprint::Fingerprints;
use log::*;

pub(super) fn write(entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut fingerprints = Fingerprints::default();
    let known: Vec<&'static Rule> = rules::all().collect();
    let results = entries
        .iter()
        .map(|entry| result(entry, &known, &mut fingerprints))
        .collect();
    let log = Log {
        schema: "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        version: "2.1.0",
        runs: vec![Run {
            tool: Tool {
                driver: Driver {
                    name: "postlint",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    rules: known.iter().map(|rule| descriptor(rule)).collect(),
                },
            },
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    write_json(&log, out)
}

fn level(severity: Severity) -> &'static str {
    severity.as_str()
}

fn descriptor(rule: &Rule) -> Descriptor {
    let text = |text: &str| Message {
        text: text.to_owned(),
    };
    Descriptor {
        id: rule.code,
        name: rule.name,
        short_description: text(rule.summary),
        help: MultiformatMessage {
            text: rule.docs.to_owned(),
            markdown: rule.docs.to_owned(),
        },
        default_configuration: Configuration {
            level: level(rule.severity),
        },
        properties: RuleProperties {
            tags: vec![rule.group.title()],
        },
    }
}

fn result(entry: &Entry<'_>, known: &[&'static Rule], fingerprints: &mut Fingerprints) -> Outcome {
    let finding = &entry.finding;
    let mut message = entry.secrets.hide(&finding.message);
    for note in &finding.notes {
        message.push_str("\n\n");
        message.push_str(&entry.secrets.hide(note));
    }
    Outcome {
        rule_id: finding.rule.code,
        rule_index: known.iter().position(|rule| rule.code == finding.rule.code),
        level: level(finding.severity),
        message: Message { text: message },
        locations: vec![location(entry, finding.span, None, None)],
        related_locations: finding
            .related
            .iter()
            .enumerate()
            .map(|(index, related)| {
                let text = entry.secrets.hide(&related.message);
                location(entry, related.span, Some(index), Some(text))
            })
            .collect(),
        partial_fingerprints: PartialFingerprints {
            finding: fingerprints.of(entry),
        },
        fixes: finding
            .fixes
            .iter()
            .filter_map(|one| fix(entry, one))
            .collect(),
        properties: ResultProperties {
            parameter: finding.parameter.clone(),
            service: finding.service.clone(),
            witness: finding
                .witness
                .as_deref()
                .map(|witness| entry.secrets.hide(witness)),
        },
    }
}

fn location(entry: &Entry<'_>, span: Span, id: Option<usize>, text: Option<String>) -> Location {
    let place = entry.place_of(span);
    Location {
        id,
        message: text.map(|text| Message { text }),
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation {
                uri: uri(&place.file),
            },
            region: region(&place, None),
        },
    }
}

fn region(place: &Place, bytes: Option<Span>) -> Region {
    Region {
        start_line: place.line,
        start_column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        byte_offset: bytes.map(|span| span.start),
        byte_length: bytes.map(|span| span.end - span.start),
    }
}

/// A fix for a program to apply; `None` when there is nothing to apply, or what it writes cannot be shown.
fn fix(entry: &Entry<'_>, fix: &Fix) -> Option<FixObject> {
    if fix.edits.is_empty() {
        return None;
    }
    let mut changes: Vec<ArtifactChange> = Vec::new();
    for edit in &fix.edits {
        let uri = uri(&entry.place_of(edit.span).file);
        let replacement = replacement(entry, edit)?;
        match changes
            .iter_mut()
            .find(|change| change.artifact_location.uri == uri)
        {
            Some(change) => change.replacements.push(replacement),
            None => changes.push(ArtifactChange {
                artifact_location: ArtifactLocation { uri },
                replacements: vec![replacement],
            }),
        }
    }
    let how = match fix.safety {
        Safety::Safe => "safe",
        Safety::Unsafe | Safety::DisplayOnly => "unsafe: needs review",
    };
    Some(FixObject {
        description: Message {
            text: format!("{} ({how})", entry.secrets.hide(&fix.title)),
        },
        artifact_changes: changes,
    })
}

fn replacement(entry: &Entry<'_>, edit: &Edit) -> Option<Replacement> {
    Some(Replacement {
        deleted_region: region(&entry.place_of(edit.span), Some(edit.span)),
        inserted_content: Message {
            text: entry.exact_text(edit)?.to_owned(),
        },
    })
}

/// A path as a URI reference: relative paths stay relative.
fn uri(path: &str) -> String {
    let mut uri = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris() {
        assert_eq!(uri("etc/main.cf"), "etc/main.cf");
        assert_eq!(uri("/a b/ü:1"), "file:///a%20b/%C3%BC%3A1");
    }
}
