//! A DNS list restriction without its domain takes the next restriction for the domain.

use crate::instance::restriction::{Meaning, RECIPIENT_LISTS};
use crate::instance::restriction_table::{Argument, restriction_word};
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "argument-swallows-restriction",
    code: "RL015",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "a restriction without its argument takes the next restriction for it",
    docs: include_str!("argument_swallows_restriction.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let late = ["smtpd_data_restrictions", "smtpd_end_of_data_restrictions", "smtpd_etrn_restrictions"];
    for smtpd in instance.smtpd_services() {
        for name in RECIPIENT_LISTS.into_iter().chain(late) {
            let list = smtpd.restriction_list(name);
            for restriction in list.flat() {
                let Meaning::Builtin(facts) = &restriction.meaning else { continue };
                if facts.argument != Argument::Domain {
                    continue;
                }
                let Some(span) = restriction.word.span() else { continue };
                match &restriction.argument {
                    Some(argument) => {
                        let Some(swallowed) = restriction_word(argument.as_str()) else { continue };
                        let message = if swallowed.is_relay_guard {
                            format!(
                                "smtpd takes {} for the domain of {}, so that nothing stops relaying \
                                 there: anybody may send through this server; name the DNS list",
                                argument, facts.name
                            )
                        } else {
                            format!(
                                "smtpd takes {} for the domain of {}, so that {} is not in force; name \
                                 the DNS list",
                                argument, facts.name, argument
                            )
                        };
                        findings
                            .add(&RULE, span, message)
                            .parameter(name)
                            .service(smtpd.label())
                            .related(argument.span(), "taken for the name of a DNS list")
                            .fix_if(
                                format!("remove {}, which has no argument", facts.name),
                                Safety::Unsafe,
                                edits::remove_parameter_words(
                                    &smtpd.parameter(name),
                                    std::slice::from_ref(&restriction.word),
                                ),
                            );
                    }
                    None => {
                        findings
                            .add(
                                &RULE,
                                span,
                                format!("{} has no argument and does nothing; name the DNS list", facts.name),
                            )
                            .severity(Severity::Warning)
                            .parameter(name)
                            .service(smtpd.label())
                            .fix_if(
                                format!("remove {}, which does nothing", facts.name),
                                Safety::Safe,
                                edits::remove_parameter_words(
                                    &smtpd.parameter(name),
                                    std::slice::from_ref(&restriction.word),
                                ),
                            );
                    }
                }
            }
        }
    }
}
