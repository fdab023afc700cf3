//! Verbs for settings: `name = value` in main.cf, and the value of an `-o` in master.cf.

use std::ops::Range;

use super::line::Line;
use super::lines::{append_line, insert_line_below, remove_line};
use super::{has_balanced_braces, is_one_line};
use crate::finding::Edit;
use crate::source::{Source, Span, Text};
use crate::syntax::main_cf::Setting;

/// How a setting is written, which decides what its value may look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// A logical line of main.cf.
    MainCf,
    /// `-o name=value`: no blanks outside braces.
    Word,
    /// `-o { name = value }` or `{-oname=value}`.
    Braces,
}

impl Writing {
    pub(super) fn of(line: &Line<'_>, setting: &Setting) -> Self {
        // In master.cf eight fields stand in front of the first option.
        if line.range().start == setting.span.start {
            return Self::MainCf;
        }
        let before_name = setting.span.start..setting.name_span().start;
        let braces = line
            .parts(before_name)
            .any(|(_, part)| line.bytes()[part].contains(&b'{'));
        if braces { Self::Braces } else { Self::Word }
    }
}

/// Removes a setting of main.cf. Comments between its physical lines stay.
///
/// An `-o` in master.cf is removed by [`super::remove_override`].
pub fn remove_setting(source: &Source, setting: &Setting) -> Vec<Edit> {
    remove_line(source, setting.span)
}

/// Gives a setting another value, which is one line. The name, the blanks around `=`, the indentation of
/// the value, and comments between its lines stay.
///
/// An `-o` whose new value has blanks is written as `-o { name = value }`, which Postfix 3.0 and later
/// understand.
pub fn set_value(source: &Source, setting: &Setting, new: &str) -> Option<Vec<Edit>> {
    if setting.value == new || !is_one_line(new) {
        return None;
    }
    let line = Line::around(source, setting.span.start)?;
    let writing = Writing::of(&line, setting);
    if writing != Writing::MainCf && !has_balanced_braces(new) {
        return None;
    }
    let name = setting.name_span();
    let equals = line.equals_after(name.end)?;
    let value = match setting.value.span() {
        Some(span) if !setting.value.is_empty() => span.start..span.end,
        _ => equals + 1..equals + 1,
    };
    if writing == Writing::Word && !is_one_word(new) {
        return into_braces(&line, name, value.end, setting, new);
    }
    if new.is_empty() {
        return line.cut(&[value]);
    }
    if value.is_empty() {
        return Some(vec![fill(&line, equals, writing, new)]);
    }
    line.replace(value, new)
}

/// Whether master(8) takes `name=new` as one argument.
fn is_one_word(new: &str) -> bool {
    let argument = Text::placeless(&format!("={new}"));
    argument.words_outside_braces(b" \t\r\n").len() == 1
}

/// Writes `-o name=value` as `-o { name = new }`.
fn into_braces(
    line: &Line<'_>,
    name: Span,
    end: usize,
    setting: &Setting,
    new: &str,
) -> Option<Vec<Edit>> {
    if setting.name.as_str().as_bytes() != setting.name.as_bytes() {
        return None;
    }
    let attached = name.start > 0 && !line.bytes()[name.start - 1].is_ascii_whitespace();
    let blank = if attached { " " } else { "" };
    let argument = format!("{blank}{{ {} = {new} }}", setting.name);
    line.replace(name.start..end, &argument)
}

/// Puts a value behind an `=` that has none.
fn fill(line: &Line<'_>, equals: usize, writing: Writing, new: &str) -> Edit {
    let bytes = line.bytes();
    if writing == Writing::Word {
        return line.edit(equals + 1..equals + 1, new);
    }
    let end = line
        .piece_at(equals)
        .map_or(equals + 1, |index| line.text_end(index));
    let rest = &bytes[equals + 1..end];
    let blank = if equals > 0 && matches!(bytes[equals - 1], b' ' | b'\t') {
        " "
    } else {
        ""
    };
    // Blanks at the end of the line are the ones that stood in front of a value.
    let place: Range<usize> = if rest.iter().all(u8::is_ascii_whitespace) {
        if rest.is_empty() {
            end..end
        } else {
            return line.edit(equals + 1 + rest.len()..end, new);
        }
    } else {
        equals + 1..equals + 1
    };
    line.edit(place, format!("{blank}{new}"))
}

/// Adds `name = value` at the end of main.cf.
///
/// `None` when the value is not one line.
pub fn insert_parameter(main_cf: &Source, name: &str, value: &str) -> Option<Edit> {
    is_one_line(value).then(|| append_line(main_cf, &written(name, value)))
}

/// Adds `name = value` behind a setting of main.cf.
///
/// `None` when the value is not one line.
pub fn insert_parameter_below(
    main_cf: &Source,
    setting: &Setting,
    name: &str,
    value: &str,
) -> Option<Edit> {
    is_one_line(value).then(|| insert_line_below(main_cf, setting.span, &written(name, value)))
}

fn written(name: &str, value: &str) -> String {
    if value.is_empty() {
        format!("{name} =")
    } else {
        format!("{name} = {value}")
    }
}
