//! `soft_bounce` turns every refusal into "try again later".

use crate::instance::service::Reach;
use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "soft-bounce",
    code: "RC002",
    group: Group::RejectCode,
    severity: Severity::Warning,
    summary: "every refusal says \"try again later\": senders do, for days",
    docs: include_str!("soft_bounce.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let main = instance.parameter("soft_bounce");
    let views = std::iter::once(main).chain(
        instance
            .services()
            .filter(|service| service.override_of(b"soft_bounce").is_some())
            // What a content filter brings back may well wait in the filter's queue.
            .filter(|service| service.line.command() != "smtpd" || service.reach() == Reach::Network)
            .map(|service| service.parameter("soft_bounce")),
    );
    for soft_bounce in views {
        let Some(setting) = soft_bounce.setting().filter(|_| soft_bounce.flag() == Some(true)) else {
            continue;
        };
        let service = soft_bounce.scope().service;
        let message = match &service {
            Some(service) if service.line.command() == "smtpd" => {
                "this service refuses with 4xx instead of 5xx, so that senders try again for days; what it \
                 accepts still bounces"
            }
            Some(_) => {
                "mail that this service cannot deliver stays in the queue and is tried again for days, and nobody \
                 is told; it is meant for tests"
            }
            None => {
                "every refusal is a 4xx reply and undeliverable mail stays in the queue, so that senders try \
                 again for days and nobody is told; it is meant for tests"
            }
        };
        let finding = findings.add(&RULE, setting.span, message);
        finding.parameter("soft_bounce").fix_if(
            "remove soft_bounce",
            Safety::Unsafe,
            edits::remove_parameter(&soft_bounce),
        );
        if let Some(service) = service {
            finding.service(service.label());
        }
    }
}
