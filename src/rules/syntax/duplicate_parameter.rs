//! Of several settings of one parameter, the last one wins.

use std::collections::HashMap;

use crate::instance::postconf::NoticeKind;
use crate::rules::prelude::*;
use crate::source::{Source, Span};
use crate::syntax::main_cf::{MainCf, Setting};

pub(super) static RULE: Rule = Rule {
    name: "duplicate-parameter",
    code: "SX003",
    group: Group::Syntax,
    severity: Severity::Warning,
    summary: "a parameter is set twice, and the last setting wins",
    docs: include_str!("duplicate_parameter.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for (loser, winner) in losers(instance.main_cf().into_iter().flat_map(MainCf::settings)) {
        let source = instance.sources().get(loser.span.file);
        let edits = edits::remove_setting(&source, loser);
        report(&source, loser, winner, Some(edits), findings);
    }
    check_clients(instance, findings);
    let Some(master_cf) = instance.master_cf() else { return };
    for service in master_cf.services().filter(|service| service.is_complete()) {
        let label = format!("{}/{}", service.name(), service.kind());
        for (loser, winner) in losers(service.overrides.iter()) {
            let source = &master_cf.source;
            let edits = edits::remove_override(source, service, loser);
            report(source, loser, winner, edits, findings).service(label.clone());
        }
    }
}

/// The files of database clients.
fn check_clients(instance: &Instance, findings: &mut Findings) {
    let main_cf = instance.main_cf().map(|main_cf| main_cf.source.id());
    let duplicates =
        instance.postconf().notices().iter().filter(|notice| notice.kind == NoticeKind::Duplicate);
    for notice in duplicates {
        let (Some(winner), Some(loser)) = (notice.span, notice.related) else { continue };
        if main_cf == Some(loser.file) {
            continue;
        }
        let source = instance.sources().get(loser.file);
        let name = notice.name.as_ref().map_or("this parameter", |name| name.as_str());
        findings
            .add(&RULE, first_line(&source, loser), loses(name))
            .parameter(name)
            .related(winner, "this setting is in force")
            .fix(
                "remove the setting without effect",
                Safety::Safe,
                edits::remove_line(&source, loser),
            );
    }
}

fn loses(name: &str) -> String {
    format!(
        "this value of {name} has no effect: the parameter is set again further down, and the last \
         setting wins"
    )
}

/// The settings that a later one replaces, each with the one that is in force.
fn losers<'s>(
    settings: impl Iterator<Item = &'s Setting>,
) -> impl Iterator<Item = (&'s Setting, &'s Setting)> {
    let settings: Vec<&Setting> = settings.collect();
    let mut last: HashMap<&[u8], &Setting> = HashMap::new();
    for setting in &settings {
        last.insert(setting.name.as_bytes(), setting);
    }
    settings.into_iter().filter_map(move |setting| {
        let winner = *last.get(setting.name.as_bytes())?;
        (winner.span != setting.span).then_some((setting, winner))
    })
}

fn report<'f>(
    source: &Source,
    loser: &Setting,
    winner: &Setting,
    edits: Option<Vec<crate::finding::Edit>>,
    findings: &'f mut Findings,
) -> &'f mut crate::finding::Finding {
    let name = &loser.name;
    let same = loser.value == winner.value;
    let message = if same {
        format!("{name} is set to the same value again further down; once is enough")
    } else {
        loses(name.as_str())
    };
    let finding = findings.add(&RULE, first_line(source, loser.span), message);
    if same {
        finding.severity(Severity::Note);
    }
    finding
        .parameter(name.to_string())
        .related(winner.span, "this setting is in force")
        .fix_if("remove the setting without effect", Safety::Safe, edits)
}

/// A long value is shown by its first line.
fn first_line(source: &Source, span: Span) -> Span {
    let bytes = &source.bytes()[span.start..span.end];
    let end = memchr::memchr(b'\n', bytes).map_or(span.end, |length| span.start + length);
    Span { end, ..span }
}
