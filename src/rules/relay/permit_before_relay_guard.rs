//! Something permits strangers before relaying is refused.

use crate::instance::service::Reach;
use crate::rules::prelude::*;
use crate::source::Text;

use super::override_weakens_relay::weakening;
use super::way_through::{Hole, holes};

pub(super) static RULE: Rule = Rule {
    name: "permit-before-relay-guard",
    code: "RL005",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "something permits strangers before relaying is refused: an open relay",
    docs: include_str!("permit_before_relay_guard.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network
            || smtpd.refuses_strangers(false)
            || !smtpd.has_relay_guard()
            // What only an override lets through is its rule's business.
            || weakening(&smtpd).is_some()
        {
            continue;
        }
        for hole in holes(smtpd.scope()) {
            let list = smtpd.parameter(hole.list);
            let Some(place) = hole.restriction.word.span().or(list.span()) else { continue };
            let guard = hole.guard.as_ref().map_or("reject_unauth_destination", Text::as_str);
            let message = format!("{}, because nothing refuses that before; {guard} belongs in front", hole.what);
            let finding = findings.add(&RULE, place, message);
            finding
                .severity(hole.severity)
                .parameter(hole.list)
                .service(smtpd.label())
                .related(hole.entry.filter(|entry| *entry != place), "this permits")
                .related(smtpd.span(), "in force for this service");
            if let Some(recipient) = &hole.recipient {
                // A witness stands for a stranger as they are, who gives a name.
                if hole.restriction.name() != "permit_naked_ip_address" {
                    finding.witness(Some(recipient.clone()));
                }
                let session = hole.session.as_ref().map_or_else(String::new, |session| format!("{session}, "));
                finding.note(format!("a stranger is answered 250 who says {session}RCPT TO:<{recipient}>"));
            }
            if hole.severity == Severity::Note {
                finding.note("what the policy server answers cannot be known here");
            }
            finding.fix_if(
                format!("move {} behind {guard}", hole.restriction.name()),
                Safety::Unsafe,
                behind_guard(instance, &list, &hole),
            );
            finding.choice(format!("put {guard} in front of {}", hole.restriction.word));
        }
    }
}

/// Moves a restriction behind what refuses relaying in the same list. Moved the other way, the guard would come in
/// front of what permits the own clients.
fn behind_guard(
    instance: &Instance,
    list: &crate::instance::parameter::Parameter<'_>,
    hole: &Hole,
) -> Option<Vec<crate::finding::Edit>> {
    let guard = hole.guard.as_ref()?;
    let restriction = &hole.restriction;
    if restriction.name() == "permit" || restriction.only_warns {
        return None;
    }
    let words: Vec<Text> = [Some(&restriction.word), restriction.argument.as_ref()].into_iter().flatten().cloned().collect();
    let setting = list.setting()?;
    let source = instance.sources().get(setting.span.file);
    // As it is written, with its $names.
    let spans: Option<Vec<_>> = words.iter().map(Text::span).collect();
    let spans = spans.filter(|spans| spans.iter().all(|span| span.file == source.id()))?;
    let written: Option<Vec<&str>> = spans.iter().map(|span| source.text().get(span.start..span.end)).collect();
    let text = written?.join(" ");
    let mut edits = edits::remove_parameter_words(list, &words)?;
    edits.extend(edits::insert_word_after(&source, setting, guard, &text)?);
    Some(edits)
}
