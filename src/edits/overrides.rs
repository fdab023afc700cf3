//! Verbs for the `-o name=value` options of a service in master.cf.

use super::line::Line;
use super::{has_balanced_braces, is_one_line};
use crate::finding::Edit;
use crate::source::{Source, Text};
use crate::syntax::main_cf::Setting;
use crate::syntax::master_cf::ServiceLine;

/// Removes an override: the option, its value, and a physical line of which nothing is left. Other options
/// in the same word (`-vo name=value`) stay.
pub fn remove_override(
    source: &Source,
    service: &ServiceLine,
    setting: &Setting,
) -> Option<Vec<Edit>> {
    let range = setting.span.start..setting.span.end;
    let line = Line::around(source, range.start)?;
    let word = service
        .arguments
        .iter()
        .find(|word| word.span().is_some_and(|span| span.start == range.start))?;
    let flags = other_flags(word.value.as_str())?;
    if !flags.is_empty() {
        return line.replace(range, &format!("-{flags}"));
    }
    let next = service
        .arguments
        .iter()
        .filter_map(|word| word.span())
        .find(|span| span.start >= range.end);
    let end = match next {
        Some(next) if line.piece_at(next.start) == line.piece_at(range.end) => next.start,
        _ => range.end,
    };
    let option = range.start..end;
    line.cut(std::slice::from_ref(&option))
}

/// The letters between the `-` and the `o` of an option word.
fn other_flags(word: &str) -> Option<&str> {
    let letters = word.strip_prefix('-')?;
    // The first letter with a value ends the letters.
    letters
        .find(|letter| "imnorst".contains(letter))
        .filter(|&at| letters.as_bytes()[at] == b'o')
        .map(|at| &letters[..at])
}

/// Adds `-o name=value` behind the other overrides of a service, where it wins; `-o { name = value }`, which
/// Postfix 3.0 and later understand, when the value has blanks.
///
/// `None` when the value cannot be written, or `--` ends the options of the service.
pub fn insert_override(
    source: &Source,
    service: &ServiceLine,
    name: &str,
    value: &str,
) -> Option<Vec<Edit>> {
    let options = service.arguments.len() - service.operands.len();
    let ended = service.arguments[..options]
        .iter()
        .any(|word| word.value == "--");
    if !service.is_complete() || !is_one_line(value) || !has_balanced_braces(value) || ended {
        return None;
    }
    let last = match service.overrides.last() {
        Some(last) => last.span,
        None => service.fields.last()?.span()?,
    };
    let at = last.end;
    let line = Line::around(source, at)?;
    let argument = Text::placeless(&format!("{name}={value}"));
    let option = if argument.words_outside_braces(b" \t\r\n").len() == 1 {
        format!("-o {name}={value}")
    } else {
        format!("-o {{ {name} = {value} }}")
    };
    let piece = line.piece_at(at)?;
    let rest = &line.bytes()[at..line.text_end(piece).max(at)];
    let text = if rest.iter().all(u8::is_ascii_whitespace) {
        format!("{}{}{option}", line.newline(at), indentation(&line, piece))
    } else {
        format!(" {option}")
    };
    Some(vec![line.edit(at..at, text)])
}

/// The indentation of the last override's line, of the first continuation, or the customary one.
fn indentation(line: &Line<'_>, piece: usize) -> String {
    let index = if piece > 0 { piece } else { 1 };
    line.pieces()
        .get(index)
        .map(|range| &line.bytes()[range.start..line.text_start(index)])
        .and_then(|blanks| str::from_utf8(blanks).ok())
        .map_or_else(|| "  ".to_owned(), str::to_owned)
}
