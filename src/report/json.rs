//! JSON for programs. The types are this format's own, so that it does not change when those of the
//! library do: within version 1, fields may be added and none changed or removed. What does not apply is
//! null or an empty list.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use serde_json::ser::{Formatter, PrettyFormatter};

use super::Entry;
use super::summary::{RuleCount, Summary};
use super::visible::stand_in;
use crate::finding::{Edit, Fix, Related, Safety};
use crate::source::same_length_lossy;

#[derive(Serialize)]
struct ReportV1<'e> {
    version: u32,
    findings: FindingsV1<'e>,
    summary: SummaryV1,
}

/// The findings, each made into a [`FindingV1`] when its turn comes: there may be many.
struct FindingsV1<'e>(&'e [Entry<'e>]);

impl Serialize for FindingsV1<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(finding))
    }
}

#[derive(Serialize)]
struct FindingV1 {
    rule: &'static str,
    code: &'static str,
    severity: &'static str,
    message: String,
    file: String,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    parameter: Option<String>,
    service: Option<String>,
    witness: Option<String>,
    related: Vec<RelatedV1>,
    notes: Vec<String>,
    fixes: Vec<FixV1>,
}

#[derive(Serialize)]
struct RelatedV1 {
    file: String,
    line: usize,
    column: usize,
    message: String,
}

#[derive(Serialize)]
struct FixV1 {
    title: String,
    safety: &'static str,
    edits: Vec<EditV1>,
}

/// `start` and `end` are byte offsets.
#[derive(Serialize)]
struct EditV1 {
    file: String,
    start: usize,
    end: usize,
    text: String,
}

#[derive(Serialize)]
struct SummaryV1 {
    findings: usize,
    errors: usize,
    warnings: usize,
    notes: usize,
    /// Findings that `--fix` mends.
    safe_fixes: usize,
    /// Findings that only `--fix --unsafe-fixes` mends.
    unsafe_fixes: usize,
    rules: Vec<RuleV1>,
}

#[derive(Serialize)]
struct RuleV1 {
    rule: &'static str,
    code: &'static str,
    findings: usize,
    fixable: usize,
}

pub(super) fn write(
    entries: &[Entry<'_>],
    summary: &Summary,
    out: &mut dyn Write,
) -> io::Result<()> {
    let report = ReportV1 {
        version: 1,
        findings: FindingsV1(entries),
        summary: SummaryV1 {
            findings: summary.total(),
            errors: summary.errors,
            warnings: summary.warnings,
            notes: summary.notes,
            safe_fixes: summary.safe_fixes,
            unsafe_fixes: summary.unsafe_fixes,
            rules: summary.rules.iter().map(rule).collect(),
        },
    };
    write_json(&report, out)
}

fn rule(rule: &RuleCount) -> RuleV1 {
    RuleV1 {
        rule: rule.name,
        code: rule.code,
        findings: rule.count,
        fixable: rule.fixable,
    }
}

/// Writes a value as JSON, with `\u` in place of each character that a terminal would obey. Outside of
/// strings JSON has none of these.
pub(super) fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut out = io::BufWriter::new(out);
    let formatter = Escaping(PrettyFormatter::new());
    value.serialize(&mut serde_json::Serializer::with_formatter(
        &mut out, formatter,
    ))?;
    writeln!(out)?;
    out.flush()
}

/// The form of [`write_json`].
struct Escaping(PrettyFormatter<'static>);

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some((at, c)) = rest.char_indices().find(|(_, c)| stand_in(*c).is_some()) {
            out.write_all(&rest.as_bytes()[..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

fn finding(entry: &Entry<'_>) -> FindingV1 {
    let place = entry.place();
    let finding = &entry.finding;
    FindingV1 {
        rule: finding.rule.name,
        code: finding.rule.code,
        severity: finding.severity.as_str(),
        message: entry.secrets.hide(&finding.message),
        file: place.file,
        line: place.line,
        column: place.column,
        end_line: place.end_line,
        end_column: place.end_column,
        parameter: finding.parameter.clone(),
        service: finding.service.clone(),
        witness: finding
            .witness
            .as_deref()
            .map(|witness| entry.secrets.hide(witness)),
        related: finding
            .related
            .iter()
            .map(|place| related(entry, place))
            .collect(),
        notes: finding
            .notes
            .iter()
            .map(|note| entry.secrets.hide(note))
            .collect(),
        fixes: finding.fixes.iter().map(|one| fix(entry, one)).collect(),
    }
}

fn related(entry: &Entry<'_>, related: &Related) -> RelatedV1 {
    let place = entry.place_of(related.span);
    RelatedV1 {
        file: place.file,
        line: place.line,
        column: place.column,
        message: entry.secrets.hide(&related.message),
    }
}

fn fix(entry: &Entry<'_>, fix: &Fix) -> FixV1 {
    // With asterisks or question marks in it, it would destroy what they stand for.
    let is_exact = fix
        .edits
        .iter()
        .all(|edit| entry.exact_text(edit).is_some());
    let safety = if is_exact {
        fix.safety
    } else {
        Safety::DisplayOnly
    };
    FixV1 {
        title: entry.secrets.hide(&fix.title),
        safety: safety.as_str(),
        edits: fix.edits.iter().map(|one| edit(entry, one)).collect(),
    }
}

fn edit(entry: &Entry<'_>, edit: &Edit) -> EditV1 {
    EditV1 {
        file: entry.place_of(edit.span).file,
        start: edit.span.start,
        end: edit.span.end,
        text: entry.secrets.hide(&same_length_lossy(&edit.text)),
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::edits::replace_span;
    use crate::finding::Findings;
    use crate::report::Secrets;
    use crate::rules;
    use crate::source::Sources;

    #[test]
    fn a_program_cannot_apply_what_cannot_be_shown() {
        let sources = Sources::default();
        let source = sources.add("./main.cf".into(), b"a = b\n".to_vec(), None);
        let rule = rules::all().next().expect("there are rules");
        let mut findings = Findings::default();
        let span = source.span_of(4..5);
        findings
            .add(rule, span, "m")
            .fix("one", Safety::Safe, [replace_span(span, "c")])
            .fix("two", Safety::Safe, [replace_span(span, *b"caf\xe9")]);
        let secrets = Secrets::default();
        let finding = findings.into_vec().remove(0);
        let entry = Entry {
            finding: Cow::Owned(finding),
            sources: &sources,
            secrets: &secrets,
        };
        let shown = super::finding(&entry);
        let safety: Vec<_> = shown.fixes.iter().map(|fix| fix.safety).collect();
        assert_eq!(safety, ["safe", "display-only"]);
        assert_eq!(shown.fixes[1].edits[0].text, "caf?");
        assert_eq!(shown.file, "main.cf");
    }
}
