//! A line of main.cf that is not `name = value` stops every program.

use crate::edits::replace_span;
use crate::instance::postconf::NoticeKind;
use crate::rules::prelude::*;
use crate::source::Text;
use crate::syntax::main_cf::MainLine;
use crate::syntax::name_value::NameValueError;

pub(super) static RULE: Rule = Rule {
    name: "missing-equals",
    code: "SX002",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a line of main.cf is not name = value: no Postfix program starts",
    docs: include_str!("missing_equals.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    check_clients(instance, findings);
    let Some(main_cf) = instance.main_cf() else { return };
    let mut above: Option<&Text> = None;
    for line in &main_cf.lines {
        let (text, error, span) = match line {
            MainLine::Setting(setting) => {
                above = Some(&setting.name);
                continue;
            }
            MainLine::Discarded { .. } => continue,
            MainLine::Malformed { text, error, span } => (text, *error, *span),
        };
        let message = match error {
            NameValueError::MissingName => {
                "every Postfix program stops at this line, which has no parameter name; name = value \
                 would be right"
            }
            NameValueError::MissingEquals => {
                "every Postfix program stops at this line, which has no = behind its first word; name = \
                 value would be right"
            }
        };
        let finding = findings.add(&RULE, span, message);
        if let Some(name) = written_name(text) {
            let word = name.as_str().trim_end_matches(':');
            let end = name.slice(word.len()..name.len()).span();
            if instance.builtins().get(word).is_some() {
                finding.parameter(word);
                let edits = end.map(|end| vec![replace_span(end, " =")]);
                finding.fix_if(format!("put = behind {word}"), Safety::Unsafe, edits);
            } else if let Some(near) = super::nearest::parameter(word, instance) {
                finding.choice(format!("write it as {near} = VALUE"));
            }
        }
        finding.choice("put # in front of it, if it is a comment");
        if let Some(above) = above {
            finding.choice(format!("indent it, if it belongs to the value of {above}"));
        }
    }
}

/// The files of database clients.
fn check_clients(instance: &Instance, findings: &mut Findings) {
    let main_cf = instance.main_cf().map(|main_cf| main_cf.source.id());
    let malformed =
        instance.postconf().notices().iter().filter(|notice| notice.kind == NoticeKind::MalformedLine);
    for place in malformed.filter_map(|notice| notice.span) {
        if main_cf != Some(place.file) {
            findings.add(
                &RULE,
                place,
                "lookups with this client fail, and postconf stops, because the line is not name = \
                 value; name = value would be right",
            );
        }
    }
}

/// The first word; `None` for a line that begins with `=`.
fn written_name(text: &Text) -> Option<Text> {
    let text = text.trim();
    let blank = |byte: &u8| crate::source::is_space(*byte) || *byte == b'=';
    let end = text.as_bytes().iter().position(blank).unwrap_or(text.len());
    (end > 0).then(|| text.slice(0..end))
}
