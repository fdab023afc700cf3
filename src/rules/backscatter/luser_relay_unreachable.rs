//! `luser_relay` that no mail gets to, or whose value it cannot take.

use crate::instance::address_class::Class;
use crate::instance::restriction::RecipientCheck;
use crate::instance::service::Reach;
use crate::rules::prelude::*;
use crate::source::Text;
use crate::syntax::{expression, token};

pub(super) static RULE: Rule = Rule {
    name: "luser-relay-unreachable",
    code: "BS010",
    group: Group::Backscatter,
    severity: Severity::Warning,
    summary: "luser_relay catches nothing, or has a value that it cannot take",
    docs: include_str!("luser_relay_unreachable.md"),
    check,
};

/// The names that local(8) knows in `luser_relay` (`src/local/local_expand.c`).
const NAMES: [&str; 9] = [
    "user",
    "local",
    "mailbox",
    "domain",
    "extension",
    "recipient",
    "recipient_delimiter",
    "home",
    "shell",
];

fn check(instance: &Instance, findings: &mut Findings) {
    let relay = instance.program("local").parameter("luser_relay");
    let Some(setting) = relay.setting().filter(|_| !relay.raw().is_empty()) else { return };
    let value = relay.raw().to_string();
    if let Some(problem) = problem_of(instance, &value) {
        findings
            .add(&RULE, setting.value_span(), problem)
            .parameter("luser_relay")
            .choice("name one address, which can be an alias in aliases(5)");
    } else if let Some(problem) = unreached(instance) {
        findings
            .add(&RULE, setting.value_span(), problem)
            .parameter("luser_relay")
            .fix_if("remove luser_relay", Safety::Unsafe, edits::remove_parameter(&relay))
            .choice(
                "or, to catch mail for unknown users, let it get there: an empty local_recipient_maps, without \
                 mailbox_transport and fallback_transport",
            );
    }
}

/// What is wrong with the value itself.
fn problem_of(instance: &Instance, value: &str) -> Option<String> {
    if value.starts_with(['|', '/', ':']) {
        return Some(format!(
            "luser_relay is one address, and {value} makes one that nobody has: mail for unknown users bounces; \
             name a mailbox"
        ));
    }
    let raw = Text::placeless(value);
    let (references, _) = expression::references(&raw, instance.dialect());
    if let Some(reference) = references.iter().find(|one| !NAMES.contains(&one.name.as_str())) {
        return Some(format!(
            "local(8) does not know ${} in luser_relay and takes it for nothing: mail for unknown users can \
             vanish without a trace; write the address itself",
            reference.name
        ));
    }
    (token::addresses(value.as_bytes()).len() > 1).then(|| {
        "luser_relay is one address, and this is a list: mail for unknown users vanishes without a trace; name \
         one address, which can be an alias"
            .to_owned()
    })
}

/// Why no mail for unknown users gets as far as `luser_relay`.
fn unreached(instance: &Instance) -> Option<String> {
    let transport = instance.program("trivial-rewrite").parameter("local_transport").text();
    let transport = transport.split(':').next().unwrap_or_default();
    if instance.agent(transport).is_some_and(|agent| agent.line.command() != "local") {
        return Some(format!(
            "luser_relay is not used, because local_transport hands local mail to {transport} and not to \
             local(8)"
        ));
    }
    for name in ["mailbox_transport", "fallback_transport"] {
        if !instance.program("local").parameter(name).is_empty() {
            return Some(format!(
                "luser_relay is not used, because {name} takes the mail for unknown users first"
            ));
        }
    }
    let services: Vec<_> =
        instance.smtpd_services().filter(|smtpd| smtpd.reach() == Reach::Network).collect();
    let all_refuse = !services.is_empty()
        && services.iter().all(|smtpd| {
            smtpd.recipient_check() == RecipientCheck::Always
                && !smtpd.parameter("local_recipient_maps").is_empty()
                && smtpd.unknown_recipient(Class::Local, |_| true).is_none()
        });
    all_refuse.then(|| {
        "luser_relay catches no mail from other hosts, because local_recipient_maps refuses unknown users before; \
         one of the two has to go"
            .to_owned()
    })
}
