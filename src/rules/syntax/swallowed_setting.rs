//! A setting that Postfix takes for part of the one above it, or throws away, because its line is indented
//! or the newline in front of it is lost.

use std::ops::Range;

use crate::edits::replace_span;
use crate::finding::{Edit, Finding};
use crate::instance::builtin;
use crate::instance::text_value::{Usage, text_value};
use crate::rules::prelude::*;
use crate::source::{Source, Span, is_space};
use crate::syntax::main_cf::{MainLine, Setting};

pub(super) static RULE: Rule = Rule {
    name: "swallowed-setting",
    code: "SX006",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a setting became part of the one above it: neither is in force as it is meant",
    docs: include_str!("swallowed_setting.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let Some(main_cf) = instance.main_cf() else { return };
    let source = &main_cf.source;
    for line in &main_cf.lines {
        match line {
            MainLine::Setting(setting) => {
                for swallowed in swallowed(source, setting) {
                    report(source, setting, &swallowed, findings);
                }
            }
            MainLine::Discarded { span, .. } => report_discarded(source, *span, findings),
            MainLine::Malformed { .. } => {}
        }
    }
}

/// A setting inside of another one's value.
pub(super) struct Swallowed {
    /// The name of the parameter.
    name: &'static str,
    /// From its name to the end of the physical line.
    place: Range<usize>,
    /// It stands at the beginning of an indented line.
    is_indented: bool,
}

/// The settings of known parameters that stand inside of a value, outside braces.
pub(super) fn swallowed(source: &Source, setting: &Setting) -> Vec<Swallowed> {
    let bytes = source.bytes();
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut start = setting.value_span().start;
    while start < setting.span.end {
        let end = line_end(bytes, start).min(setting.span.end);
        let line = &bytes[start..end];
        let is_continuation = start > setting.value_span().start;
        if line[indentation(line)..].first() != Some(&b'#') || !is_continuation {
            found.extend(in_line(bytes, start..end, is_continuation, depth));
            for byte in line {
                match byte {
                    b'{' => depth += 1,
                    b'}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        start = end + 1;
    }
    found
}

/// What a physical line of a value swallows.
fn in_line(
    bytes: &[u8],
    line: Range<usize>,
    is_continuation: bool,
    mut depth: usize,
) -> Option<Swallowed> {
    let text = &bytes[line.clone()];
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth = depth.saturating_sub(1),
            b'=' if depth == 0 && is_assignment(text, at) => {
                let before = text[..at].trim_ascii_end();
                let Some((name, start)) = name_at_end(before) else { continue };
                return Some(Swallowed {
                    name,
                    place: line.start + start..line.end,
                    is_indented: is_continuation && start == indentation(text),
                });
            }
            _ => {}
        }
    }
    None
}

/// Whether the `=` at `at` is one by itself, not part of `==`, `!=`, `<=` or `>=`.
fn is_assignment(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    !matches!(before, Some(b'=' | b'!' | b'<' | b'>')) && text.get(at + 1) != Some(&b'=')
}

/// The longest name of a parameter that a text ends with. Whatever stands in front of it in the same word was
/// the end of the line before.
fn name_at_end(text: &[u8]) -> Option<(&'static str, usize)> {
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let start = text.iter().rposition(|byte| !is_letter(byte)).map_or(0, |at| at + 1);
    (start..text.len()).find_map(|start| {
        let name = str::from_utf8(&text[start..]).ok()?;
        builtin::parameter(name).map(|builtin| (builtin.name(), start))
    })
}

fn indentation(line: &[u8]) -> usize {
    line.iter().take_while(|byte| is_space(**byte)).count()
}

fn line_end(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
}

/// The name in an indented `name = value`.
fn assigned(line: &[u8]) -> Option<&str> {
    let line = str::from_utf8(line).ok()?;
    let (name, _) = line.split_once('=')?;
    let name = name.trim();
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then_some(name)
}

/// A logical line at the beginning of the file that begins with white space.
fn report_discarded(source: &Source, span: Span, findings: &mut Findings) {
    let bytes = source.bytes();
    let mut assignments = Vec::new();
    let mut start = span.start;
    while start < span.end {
        let end = line_end(bytes, start);
        let text = start + indentation(&bytes[start..end])..end;
        if let Some(name) = assigned(&bytes[text.clone()]) {
            assignments.push((name, source.span_of(text)));
        }
        start = end + 1;
    }
    let first = span.start + indentation(&bytes[span.start..span.end]);
    let finding = findings.add(
        &RULE,
        source.span_of(first..line_end(bytes, first)),
        "Postfix throws this line away, because it begins with a blank and there is nothing above it to \
         continue; a setting begins in column 1",
    );
    let names: Vec<&str> = assignments.iter().map(|(name, _)| *name).collect();
    let Some(name) = names.first() else {
        finding.severity(Severity::Warning);
        return;
    };
    let edits = assignments.iter().filter_map(|(_, place)| edits::unindent(source, *place));
    finding.parameter(*name).fix(
        format!("bring {} into force: remove the blanks", names.join(", ")),
        Safety::Unsafe,
        edits,
    );
}

fn report(source: &Source, setting: &Setting, swallowed: &Swallowed, findings: &mut Findings) {
    let Swallowed { name, place, is_indented } = swallowed;
    let outer = &setting.name;
    let why = if *is_indented {
        "the line begins with a blank"
    } else {
        "it does not begin a line"
    };
    let message = format!(
        "Postfix takes this for part of the value of {outer}, because {why}, so {name} is not set; a \
         setting begins in column 1"
    );
    let finding: &mut Finding = findings.add(&RULE, source.span_of(place.clone()), message);
    let usage = text_value(outer.as_str()).usage;
    if matches!(usage, Usage::List | Usage::Items) {
        finding.severity(Severity::Warning);
    }
    finding
        .parameter(*name)
        .related(setting.name_span(), "part of this value");
    let edit = if *is_indented {
        edits::unindent(source, source.span_of(place.clone()))
    } else {
        Some(new_line(source, place.start))
    };
    finding.fix_if(
        format!("make {name} a setting of its own"),
        Safety::Unsafe,
        edit.map(|edit| vec![edit]),
    );
}

/// A line break in place of the blanks in front of `at`.
fn new_line(source: &Source, at: usize) -> Edit {
    let bytes = source.bytes();
    let blanks = bytes[..at].iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    replace_span(source.span_of(at - blanks..at), "\n")
}
