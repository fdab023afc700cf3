//! A word in a restriction list that smtpd does not know, or that lacks its argument.

use crate::instance::restriction::{Effect, Meaning, RECIPIENT_LISTS, Restriction};
use crate::instance::restriction_table::{
    Argument, RestrictionWord, restriction_word, restriction_words,
};
use crate::instance::service::Service;
use crate::rules::prelude::*;

use super::revival;

pub(super) static RULE: Rule = Rule {
    name: "unknown-restriction",
    code: "SX009",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "smtpd does not know a restriction: 451 to everyone for whom it is reached",
    docs: include_str!("unknown_restriction.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let late = [
        "smtpd_data_restrictions",
        "smtpd_end_of_data_restrictions",
        "smtpd_etrn_restrictions",
    ];
    for smtpd in instance.smtpd_services() {
        for name in RECIPIENT_LISTS.into_iter().chain(late) {
            let list = smtpd.restriction_list(name);
            walk(&smtpd, name, &list.restrictions, findings);
        }
    }
}

/// Looks at a list up to the restriction that always decides.
fn walk(smtpd: &Service<'_>, name: &str, list: &[Restriction], findings: &mut Findings) {
    for (index, restriction) in list.iter().enumerate() {
        match &restriction.meaning {
            Meaning::Unknown => {
                // The words of a comment, and of a setting that became part of the list, are other rules'.
                let next = list.get(index + 1).map_or("", |next| next.word.as_str());
                let word = restriction.word.as_str();
                if word.starts_with('#') || word.contains('=') || next.starts_with('=') {
                    return;
                }
                if !super::quotes::has_quote(restriction.word.as_str()) {
                    unknown(smtpd, name, restriction, findings);
                }
            }
            Meaning::Class(inner) => walk(smtpd, name, inner, findings),
            Meaning::Builtin(facts) => {
                let version = smtpd.instance.version();
                if facts.works.contains(version) {
                    bad_argument(smtpd, name, restriction, facts, findings);
                } else {
                    removed(smtpd, name, restriction, facts, findings);
                }
                let decides = |effect| matches!(effect, Effect::Permits | Effect::Refuses);
                if decides(restriction.effect(true)) && decides(restriction.effect(false)) {
                    return;
                }
            }
            Meaning::AccessTable => {}
        }
    }
}

fn unknown(smtpd: &Service<'_>, name: &str, restriction: &Restriction, findings: &mut Findings) {
    let word = restriction.word.as_str();
    let Some(span) = restriction.word.span() else { return };
    let version = smtpd.instance.version();
    let near = super::nearest::nearest(word, restriction_words(version).map(|facts| facts.name));
    let hint = near.map_or_else(String::new, |near| format!("; {near} is near to it"));
    let finding = findings.add(
        &RULE,
        span,
        format!(
            "smtpd does not know {word}, and answers 451 to every client for whom it gets there{hint}"
        ),
    );
    finding.parameter(name).service(smtpd.label());
    match near {
        Some(near) => {
            finding.fix_if(
                format!("write {near}"),
                match restriction_word(near) {
                    Some(facts) => revival::safety_of_word(smtpd.instance, span, facts),
                    None => Safety::Unsafe,
                },
                edits::replace_word(
                    &smtpd.instance.sources().get(span.file),
                    &restriction.word,
                    near,
                ),
            );
        }
        None => {
            finding
                .choice("remove the word")
                .choice("name it in smtpd_restriction_classes, if it is a restriction class");
        }
    }
}

fn removed(
    smtpd: &Service<'_>,
    name: &str,
    restriction: &Restriction,
    facts: &RestrictionWord,
    findings: &mut Findings,
) {
    let Some(span) = restriction.word.span() else { return };
    let version = smtpd.instance.version();
    let finding = findings.add(
        &RULE,
        span,
        format!(
            "Postfix {version} does not have {}, and answers 451 to every client for whom it gets there",
            facts.name
        ),
    );
    finding.parameter(name).service(smtpd.label());
    let instead: Vec<&str> = facts.replacements().collect();
    match instead[..] {
        [] => {
            finding.choice("remove the word");
        }
        // It refuses strangers as the old one did, and permits nobody.
        ["reject_unauth_destination"] => {
            let new = restriction_word("reject_unauth_destination");
            let safety = new.map_or(Safety::Unsafe, |new| {
                revival::safety_of_word(smtpd.instance, span, new)
            });
            let source = smtpd.instance.sources().get(span.file);
            finding.fix_if(
                "write reject_unauth_destination",
                safety,
                edits::replace_word(&source, &restriction.word, "reject_unauth_destination"),
            );
        }
        _ => {
            finding.choice(format!("write {} instead", instead.join(" or ")));
        }
    }
}

fn bad_argument(
    smtpd: &Service<'_>,
    name: &str,
    restriction: &Restriction,
    facts: &RestrictionWord,
    findings: &mut Findings,
) {
    let argument = restriction.argument.as_ref();
    let text = argument.map_or("", |argument| argument.as_str());
    let is_bad = match facts.argument {
        Argument::Table | Argument::Policy => !text.contains(':'),
        Argument::Seconds => !text.bytes().next().is_some_and(|byte| byte.is_ascii_digit()),
        Argument::None | Argument::Domain => false,
    };
    let Some(span) = restriction.word.span().filter(|_| is_bad) else { return };
    let wanted = match facts.argument {
        Argument::Table => "type:table",
        Argument::Policy => "transport:server",
        _ => "a number of seconds",
    };
    let what = if facts.argument == Argument::Policy && !text.is_empty() {
        "smtpd stops"
    } else {
        "every client for whom smtpd gets there is answered 451"
    };
    let got = if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
    findings
        .add(
            &RULE,
            span,
            format!("{what}: {wanted} has to follow {}, not {got}", facts.name),
        )
        .parameter(name)
        .service(smtpd.label())
        .related(argument.and_then(|argument| argument.span()), "taken for the argument")
        .choice(format!("put {wanted} behind {}", facts.name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Target;
    use crate::testing::{case_options, fixtures};

    /// The safety of the first fix of each finding.
    fn safeties(case: &str) -> Vec<Safety> {
        let case = fixtures().join("unknown-restriction/bad").join(case);
        let options = case_options(&case);
        let instance = Instance::load(&Target::Path(case), &options).unwrap();
        let mut findings = Findings::default();
        check(&instance, &mut findings);
        let findings = findings.into_vec();
        findings.iter().filter_map(|finding| finding.fixes.first()).map(|fix| fix.safety).collect()
    }

    #[test]
    fn a_refusal_may_come_back_behind_a_guard() {
        assert_eq!(safeties("misspelt"), [Safety::Unsafe, Safety::Safe]);
        assert_eq!(safeties("removed-guard"), [Safety::Safe]);
    }

    #[test]
    fn what_closes_a_relay_by_mistake_stays() {
        assert_eq!(safeties("no-guard"), [Safety::Unsafe, Safety::Unsafe]);
    }
}
