//! Puts an `-o` together again whose value blanks have split into several words.

use crate::edits::replace_span;
use crate::finding::Edit;
use crate::instance::builtin::Version;
use crate::source::{Source, Span, Text};
use crate::syntax::master_cf::ServiceLine;
use crate::syntax::name_value;

/// The repair of an option.
pub(super) struct Join {
    /// The parameter.
    pub(super) name: String,
    /// The change.
    pub(super) edit: Edit,
    /// Further options follow, which the program has not seen as such.
    pub(super) revives_options: bool,
}

/// Joins the option at `option` (its `-o` and what the program takes for its value) with the words that
/// follow it up to the next option or comment.
///
/// `None` when that gives no `name = value`, or when the words stand on several lines.
pub(super) fn join(
    source: &Source,
    line: &ServiceLine,
    option: Span,
    version: Version,
) -> Option<Join> {
    let words = &line.arguments;
    let first = words.iter().position(|word| word.span().is_some_and(|span| span.end == option.end))?;
    let rest = &words[first + 1..];
    let more = rest
        .iter()
        .take_while(|word| !word.written.as_str().starts_with(['-', '#']))
        .count();
    let run = &words[first..=first + more];
    let revives_options = rest[more..].iter().any(|word| word.written.as_str().starts_with('-'));
    let place = run.first()?.span()?.to(run.last()?.span()?);
    if source.bytes()[place.start..place.end].contains(&b'\n') {
        return None;
    }
    let joined = source.text().get(place.start..place.end)?;
    // `-o{ name = value }`: a blank in front of the brace is all that is missing.
    if let Some(braced) = joined.strip_prefix("-o{").and_then(|rest| rest.strip_suffix('}')) {
        let at = place.start + "-o".len();
        return Some(Join {
            name: split(braced)?.0,
            edit: replace_span(source.span_of(at..at), " "),
            revives_options,
        });
    }
    let (attached, assignment) = match joined.strip_prefix("-o") {
        Some(assignment) => ("-o ", assignment),
        None => ("", joined),
    };
    let (name, value) = split(assignment)?;
    let text = written(&name, &value, version)?;
    Some(Join {
        edit: replace_span(place, format!("{attached}{text}")),
        name,
        revives_options,
    })
}

/// Name and value, the value without the quotes around it.
fn split(assignment: &str) -> Option<(String, String)> {
    let pair = name_value::split(&Text::placeless(assignment)).ok()?;
    let name = pair.name.to_string();
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let value = pair.value.as_str();
    let bare = ['"', '\''].iter().find_map(|quote| {
        value.strip_prefix(*quote)?.strip_suffix(*quote).filter(|inner| !inner.contains(*quote))
    });
    is_name.then(|| (name, bare.unwrap_or(value).trim().to_owned()))
}

/// `name=value` as one argument: without the blanks that stand next to commas, else in braces, which
/// Postfix 3.0 and later understand.
fn written(name: &str, value: &str, version: Version) -> Option<String> {
    let items: Vec<&str> = value.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    let is_blank = |text: &str| text.contains([' ', '\t']);
    if !is_blank(value) {
        return Some(format!("{name}={value}"));
    }
    if items.iter().all(|item| !is_blank(item)) {
        return Some(format!("{name}={}", items.join(",")));
    }
    let is_balanced = value.matches('{').count() == value.matches('}').count();
    (version >= Version::release(3, 0, 0) && is_balanced)
        .then(|| format!("{{ {name} = {value} }}"))
}
