//! An `-o` that opens what main.cf keeps closed.

use crate::instance::parameter::Origin;
use crate::instance::restriction::{Effect, RELAY_LISTS, Restriction};
use crate::instance::service::{Reach, Service};
use crate::rules::prelude::*;
use crate::syntax::main_cf::Setting;

use super::relays_for_networks;
use super::way_through::{Hole, holes, trusts_strangers};

pub(super) static RULE: Rule = Rule {
    name: "override-weakens-relay",
    code: "RL006",
    group: Group::Relay,
    severity: Severity::Error,
    summary: "an -o in master.cf lets strangers relay, which main.cf does not",
    docs: include_str!("override_weakens_relay.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        if smtpd.reach() != Reach::Network || !smtpd.has_relay_guard() {
            continue;
        }
        let Some(weakening) = weakening(&smtpd) else { continue };
        let name = weakening.setting.name.to_string();
        let who = match &weakening.hole {
            Some(hole) => hole.what.clone(),
            None => "every client is trusted and may send to other people's domains through this server".to_owned(),
        };
        let finding = findings.add(
            &RULE,
            weakening.setting.value_span(),
            format!("with this {name}, {who}; main.cf does not allow that, and neither should this service"),
        );
        finding
            .parameter(name.clone())
            .service(smtpd.label())
            .related(smtpd.span(), "in force for this service")
            .related(instance.scope().named(name.clone()).span(), "what main.cf has instead")
            .choice(format!("remove -o {name}"))
            .choice("or let the service listen on 127.0.0.1 only, if just this host uses it");
        match weakening.hole {
            Some(hole) => {
                finding.severity(hole.severity).related(hole.restriction.word.span(), "this permits");
                if let Some(recipient) = hole.recipient {
                    let session = hole.session.map_or_else(String::new, |session| format!("{session}, "));
                    finding.note(format!("a stranger is answered 250 who says {session}RCPT TO:<{recipient}>"));
                    finding.witness(Some(recipient));
                }
            }
            None => {
                finding.witness(Some("anybody@stranger.example".to_owned()));
            }
        }
    }
}

/// An override that lets strangers relay.
pub(super) struct Weakening<'i> {
    pub(super) setting: &'i Setting,
    /// What lets them through; `None` when it is `mynetworks`.
    pub(super) hole: Option<Hole>,
}

/// The override of a service that lets strangers relay where main.cf does not.
pub(super) fn weakening<'i>(smtpd: &Service<'i>) -> Option<Weakening<'i>> {
    let main = smtpd.instance.scope();
    let overriding = |name: &'static str| match smtpd.scope().any_parameter(name).origin() {
        Origin::Override(setting) => Some(setting),
        _ => None,
    };
    if let Some(setting) = overriding("mynetworks")
        && trusts_strangers(smtpd.scope())
        && !trusts_strangers(main)
        && relays_for_networks(smtpd)
        && lets_networks_in(smtpd)
    {
        return Some(Weakening { setting, hole: None });
    }
    let names = RELAY_LISTS.into_iter().chain(["smtpd_restriction_classes"]);
    let setting = names.clone().find_map(overriding)?;
    if smtpd.refuses_strangers(false) {
        return None;
    }
    let is_open = |hole: &Hole| hole.severity > Severity::Note;
    if holes(main).iter().any(is_open) {
        return None;
    }
    // The override that the way leads through, if it is one.
    let hole = holes(smtpd.scope()).into_iter().find(is_open)?;
    let setting = overriding(hole.list).unwrap_or(setting);
    Some(Weakening { setting, hole: Some(hole) })
}

/// Whether the lists that are asked first refuse no clients in `mynetworks`.
fn lets_networks_in(smtpd: &Service<'_>) -> bool {
    let first = ["smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions"];
    first.into_iter().all(|name| {
        let list = smtpd.restriction_list(name);
        let decides = |restriction: &&Restriction| {
            restriction.name() == "permit_mynetworks" || restriction.effect(false) == Effect::Refuses
        };
        let first = list.flat().into_iter().find(decides).map(Restriction::name);
        first.is_none_or(|first| first == "permit_mynetworks")
    })
}
