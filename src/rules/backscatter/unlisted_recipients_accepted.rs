//! The check of recipients is switched off where strangers may send.

use crate::finding::Edit;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::parameter::Parameter;
use crate::instance::service::Service;
use crate::mail::{Acceptance, Listing};
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "unlisted-recipients-accepted",
    code: "BS009",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "unknown recipients are not refused, although tables list the valid ones",
    docs: include_str!("unlisted_recipients_accepted.md"),
    check,
};

const OPTION: &str = "no_unknown_recipient_checks";

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        let options = smtpd.parameter("receive_override_options");
        let option = options.words().into_iter().find(|word| *word == OPTION);
        let switch = smtpd.parameter("smtpd_reject_unlisted_recipient");
        let is_off = switch.flag() == Some(false);
        if option.is_none() && !is_off {
            continue;
        }
        let is_wanted = |acceptance: &Acceptance| {
            matches!(acceptance.listing, Listing::Unlisted | Listing::Closed) && acceptance.may_bounce()
        };
        let Some((class, acceptance)) = CLASSES.iter().find_map(|class| {
            Some((class, smtpd.unknown_recipient(class.class, is_wanted)?))
        }) else {
            continue;
        };
        let (parameter, place, what) = match &option {
            Some(word) => {
                let place = word.span().or(options.span());
                (&options, place, format!("{OPTION} switches the check of recipients off"))
            }
            None => (
                &switch,
                switch.span(),
                "smtpd_reject_unlisted_recipient = no switches the check of recipients off".to_owned(),
            ),
        };
        let Some(place) = place else { continue };
        let finding = findings.add(
            &RULE,
            place,
            format!(
                "{what}: mail for unknown recipients of the {} class is accepted, then bounced to whoever \
                 the sender claims to be; the check has to stay on where strangers may send",
                class.name
            ),
        );
        finding
            .parameter(parameter.name())
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service");
        super::prove(finding, &smtpd, &acceptance);
        let safety = if tables_decide(&smtpd) { Safety::Safe } else { Safety::Unsafe };
        finding.fix_if(
            "switch the check on again",
            safety,
            switched_on(&options, option.as_ref(), is_off.then_some(&switch)),
        );
    }
}

/// The edits that switch the check on: both switches have to go.
fn switched_on(
    options: &Parameter<'_>,
    option: Option<&Text>,
    switch: Option<&Parameter<'_>>,
) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    if let Some(option) = option {
        let is_alone = options.words().len() == 1;
        edits.extend(if is_alone {
            edits::remove_parameter(options)?
        } else {
            edits::remove_parameter_words(options, std::slice::from_ref(option))?
        });
    }
    if let Some(switch) = switch {
        edits.extend(edits::remove_parameter(switch)?);
    }
    Some(edits)
}

/// Whether whoever is not in the tables has no mail delivered today: the agents look at the same tables, or
/// nowhere else.
fn tables_decide(smtpd: &Service<'_>) -> bool {
    let instance = smtpd.instance;
    let local = smtpd.parameter("local_recipient_maps");
    let is_default = |name: &'static str| !smtpd.parameter(name).is_set();
    let agent_of = |name: &'static str| {
        let transport = instance.program("trivial-rewrite").parameter(name).text();
        let transport = transport.split(':').next().unwrap_or_default().to_owned();
        instance.agent(&transport).is_some_and(|agent| agent.line.command() == "virtual")
    };
    let has = |class| !smtpd.domains_of(class).is_empty();
    (!local.is_set() || local.is_empty())
        && is_default("transport_maps")
        && instance.has_stock_local_delivery()
        && (!has(Class::VirtualMailbox) || agent_of("virtual_transport"))
        && (!has(Class::Relay) || smtpd.parameter("relay_recipient_maps").is_empty())
        && smtpd.line.overrides.iter().all(|setting| !setting.name.as_str().ends_with("_maps"))
}
