//! Restrictions that are never asked.

use crate::finding::Edit;
use crate::instance::parameter::Parameter;
use crate::instance::restriction::{Meaning, RECIPIENT_LISTS, RELAY_LISTS, Restriction};
use crate::instance::restriction_table::restriction_word;
use crate::instance::service::Service;
use crate::instance::table::Body;
use crate::mail::{Action, action};
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "unreachable-restriction",
    code: "RL009",
    group: Group::Relay,
    severity: Severity::Warning,
    summary: "a restriction is never asked, because the list is decided before, or comes too early",
    docs: include_str!("unreachable_restriction.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let late = ["smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"];
    for smtpd in instance.smtpd_services() {
        for name in RECIPIENT_LISTS.into_iter().chain(late) {
            let list = smtpd.restriction_list(name);
            behind_decision(&smtpd, name, &list.restrictions, findings);
            behind_permit(&smtpd, name, &list.restrictions, findings);
        }
        if smtpd.parameter("smtpd_delay_reject").flag() == Some(false) {
            too_early(&smtpd, findings);
        }
    }
}

/// What ends a list for every client.
fn decides(restriction: &Restriction) -> Option<String> {
    if restriction.only_warns && restriction.name() != "permit" {
        return None;
    }
    match &restriction.meaning {
        Meaning::Class(inner) => inner
            .iter()
            .find_map(decides)
            .map(|what| format!("{}, which ends in {what},", restriction.word)),
        Meaning::Builtin(_) => match restriction.name() {
            name @ ("permit" | "reject" | "defer") => Some(name.to_owned()),
            name if name.starts_with("check_") => {
                // The words of a restriction list are no static answer.
                let table = restriction.argument.as_ref()?;
                let value = static_value(table)?;
                let ends = matches!(action(value.as_str().trim()), Action::Permit | Action::Refuse | Action::Discard);
                let may_end = ends && !name.contains("_mx_") && !name.contains("_ns_") && !name.contains("_a_");
                (may_end && matches!(name, "check_client_access" | "check_sender_access" | "check_recipient_access"))
                    .then(|| format!("{name} {table}"))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The value of a `static:` table.
fn static_value(table: &Text) -> Option<Text> {
    let reference = crate::instance::table::reference::parse(table, crate::instance::builtin::Version::release(3, 7, 0));
    match reference.ok()?.body {
        Body::Value(value) => Some(value),
        _ => None,
    }
}

/// Entries after one that always decides.
fn behind_decision(smtpd: &Service<'_>, name: &'static str, list: &[Restriction], findings: &mut Findings) {
    let mut decided: Option<(usize, String)> = list
        .iter()
        .enumerate()
        .find_map(|(index, restriction)| Some((index, decides(restriction)?)));
    // Mail for us is permitted by one, all other mail refused by the other.
    let position = |names: [&str; 2]| {
        list.iter().position(|restriction| names.contains(&restriction.name()) && !restriction.only_warns)
    };
    let ours = position(["permit_auth_destination", "permit_auth_destination"]);
    let others = position(["reject_unauth_destination", "defer_unauth_destination"]);
    if let (Some(ours), Some(others)) = (ours, others) {
        let both = ours.max(others);
        if decided.as_ref().is_none_or(|(index, _)| both < *index) {
            decided = Some((
                both,
                format!("{} together with {}", list[ours].name(), list[others].name()),
            ));
        }
    }
    let Some((index, what)) = decided else { return };
    let dead: Vec<&Restriction> = list[index + 1..].iter().collect();
    // Words of a comment or of a setting that became part of the list are other rules'.
    let is_own_trouble = |restriction: &&Restriction| {
        matches!(restriction.meaning, Meaning::Unknown)
    };
    let Some(first) = dead.first() else { return };
    if dead.iter().any(is_own_trouble) {
        return;
    }
    let parameter = smtpd.parameter(name);
    let Some(place) = first.word.span().or(parameter.span()) else { return };
    let count = match dead.len() {
        1 => " is".to_owned(),
        count => format!(" and {} more after it are", count - 1),
    };
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "{}{count} never asked, because {what} decides before; it belongs in front, or can go",
            first.word
        ),
    );
    finding
        .parameter(name)
        .service(smtpd.label())
        .related(list[index].word.span(), "this decides for everybody");
    let title = if dead.len() == 1 {
        format!("remove {}", first.word)
    } else {
        format!("remove the {} restrictions that are never asked", dead.len())
    };
    if counts_as_guard(name, &dead, &list[..=index]) {
        // smtpd counts the word, and would not run without it.
        finding.choice("put what should be asked in front of it");
    } else {
        finding.fix_if(title, Safety::Safe, removal(&parameter, &dead));
    }
}

/// Whether smtpd serves only because it finds one of these words.
fn counts_as_guard(name: &str, dead: &[&Restriction], before: &[Restriction]) -> bool {
    let is_guard = |restriction: &Restriction| {
        restriction_word(restriction.word.as_str()).is_some_and(|facts| facts.is_relay_guard)
    };
    let ends_search = |restriction: &Restriction| {
        restriction.word.as_str().eq_ignore_ascii_case("permit") || is_guard(restriction)
    };
    RELAY_LISTS.contains(&name)
        && dead.iter().any(|restriction| is_guard(restriction) || matches!(restriction.meaning, Meaning::Class(_)))
        && !before.iter().any(ends_search)
}

fn removal(parameter: &Parameter<'_>, dead: &[&Restriction]) -> Option<Vec<Edit>> {
    let words: Vec<Text> = dead
        .iter()
        .flat_map(|restriction| [Some(restriction.word.clone()), restriction.argument.clone()])
        .flatten()
        .collect();
    edits::remove_parameter_words(parameter, &words)
}

/// Checks of the sender's login that those clients never get to whom they are for.
fn behind_permit(smtpd: &Service<'_>, name: &'static str, list: &[Restriction], findings: &mut Findings) {
    if smtpd.parameter("smtpd_sasl_auth_enable").flag() != Some(true) {
        return;
    }
    let end = list.iter().position(|restriction| decides(restriction).is_some()).unwrap_or(list.len());
    let is_check = |restriction: &Restriction| {
        matches!(
            restriction.name(),
            "reject_sender_login_mismatch"
                | "reject_authenticated_sender_login_mismatch"
                | "reject_known_sender_login_mismatch"
        )
    };
    let Some(permit) = list[..end].iter().position(|restriction| restriction.name() == "permit_sasl_authenticated") else {
        return;
    };
    let Some(check) = list[..end].iter().position(is_check).filter(|check| *check > permit) else { return };
    // Another list may have it at the right place.
    let elsewhere = RECIPIENT_LISTS.iter().any(|other| {
        let other = smtpd.restriction_list(other);
        let check = other.restrictions.iter().position(is_check);
        let permit = other.restrictions.iter().position(|one| one.name() == "permit_sasl_authenticated");
        check.is_some_and(|check| permit.is_none_or(|permit| check < permit))
    });
    if elsewhere {
        return;
    }
    let (permit, check) = (&list[permit], &list[check]);
    let parameter = smtpd.parameter(name);
    let Some(place) = check.word.span().or(parameter.span()) else { return };
    let finding = findings.add(
        &RULE,
        place,
        format!(
            "{} is never asked about clients that have logged in, because permit_sasl_authenticated lets them pass \
             before: each of them may send as any other; it belongs in front of permit_sasl_authenticated",
            check.word
        ),
    );
    finding
        .parameter(name)
        .service(smtpd.label())
        .related(permit.word.span(), "this lets them pass");
    let edits = parameter.setting().and_then(|setting| {
        let source = smtpd.instance.sources().get(setting.span.file);
        let mut edits = edits::remove_parameter_words(&parameter, std::slice::from_ref(&check.word))?;
        edits.extend(edits::insert_word_before(&source, setting, &permit.word, check.word.as_str())?);
        Some(edits)
    });
    finding.fix_if(format!("move {} in front of permit_sasl_authenticated", check.word), Safety::Unsafe, edits);
}

/// Without `smtpd_delay_reject`, the first lists are evaluated when sender or recipient are not known yet.
fn too_early(smtpd: &Service<'_>, findings: &mut Findings) {
    for (name, has_sender) in [
        ("smtpd_client_restrictions", false),
        ("smtpd_helo_restrictions", false),
        ("smtpd_sender_restrictions", true),
    ] {
        let parameter = smtpd.parameter(name);
        for restriction in &smtpd.restriction_list(name).restrictions {
            let (needs, command) = match restriction.name() {
                "reject_unauth_destination" | "defer_unauth_destination" | "permit_auth_destination" | "check_recipient_access"
                | "reject_unlisted_recipient" | "reject_unverified_recipient" | "reject_non_fqdn_recipient"
                | "reject_unknown_recipient_domain" | "reject_rhsbl_recipient" => ("recipient", "RCPT TO"),
                "check_sender_access" | "reject_unlisted_sender" | "reject_unverified_sender" | "reject_non_fqdn_sender"
                | "reject_unknown_sender_domain" | "reject_sender_login_mismatch" | "reject_rhsbl_sender"
                    if !has_sender => ("sender", "MAIL FROM"),
                _ => continue,
            };
            let Some(place) = restriction.word.span().or(parameter.span()) else { continue };
            let finding = findings.add(
                &RULE,
                place,
                format!(
                    "{} is skipped here: with smtpd_delay_reject = no this list is evaluated before {command}, when there is \
                     no {needs} yet; it belongs in smtpd_{needs}_restrictions",
                    restriction.word
                ),
            );
            finding
                .parameter(name)
                .service(smtpd.label())
                .related(smtpd.parameter("smtpd_delay_reject").span(), "the lists are evaluated at once")
                .choice(format!("move it to smtpd_{needs}_restrictions"))
                .choice("or remove smtpd_delay_reject: yes, the default, evaluates all lists at RCPT TO");
        }
    }
}
