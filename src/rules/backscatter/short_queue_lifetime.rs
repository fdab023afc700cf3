//! Mail bounces before the other server had time to take it.

use crate::rules::prelude::*;

pub(super) static RULE: Rule = Rule {
    name: "short-queue-lifetime",
    code: "BS026",
    group: Group::Backscatter,
    severity: Severity::Error,
    summary: "mail that cannot be delivered at once bounces too early",
    docs: include_str!("short_queue_lifetime.md"),
    check,
};

const HOUR: u64 = 3_600;
/// Servers that greylist, or restart, are back by then.
const SHORT: u64 = 4 * HOUR;
/// A server that is down over night is back by then.
const DAY: u64 = 24 * HOUR;

fn check(instance: &Instance, findings: &mut Findings) {
    let lifetime = instance.program("qmgr").parameter("maximal_queue_lifetime");
    let (Some(setting), Some(seconds)) = (lifetime.setting(), lifetime.seconds()) else { return };
    if seconds >= DAY {
        return;
    }
    let value = lifetime.text();
    let (severity, message) = if seconds == 0 {
        let message = "a message is tried once and bounces when the other server puts it off, as servers with \
                       greylisting do with every first message; 5d is the default";
        (Severity::Error, message.to_owned())
    } else {
        let severity = if seconds < SHORT { Severity::Error } else { Severity::Warning };
        (severity, format!("a message that another server puts off bounces after {value}; 5d is the default"))
    };
    findings
        .add(&RULE, setting.value_span(), message)
        .severity(severity)
        .parameter("maximal_queue_lifetime")
        .fix_if(
            "remove maximal_queue_lifetime: 5d is the default",
            Safety::Safe,
            edits::remove_parameter(&lifetime),
        );
}
