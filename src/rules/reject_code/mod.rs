//! RC: what refusals say.

rules![
    deferred_unknown_recipient,
    soft_bounce,
    deferred_policy_reject,
    invalid_reject_code,
    number_means_ok,
];

use crate::edits;
use crate::finding::{Finding, Safety};
use crate::instance::parameter::{Origin, Parameter};

/// The codes that smtpd(8) sends as they are set, with a default of 5xx.
const PERMANENT_CODES: [&str; 7] = [
    "access_map_reject_code",
    "invalid_hostname_reject_code",
    "maps_rbl_reject_code",
    "multi_recipient_bounce_reject_code",
    "non_fqdn_reject_code",
    "reject_code",
    "relay_domains_reject_code",
];

/// Whether mail that is refused with this code may be accepted at a later attempt, because the decision
/// changes with time: a listing ends, an administrator lifts a `reject`.
fn changes_with_time(code: &str) -> bool {
    matches!(code, "maps_rbl_reject_code" | "reject_code")
}

/// Makes a code what it is by default: by removing what sets it, or where that lets another setting come into
/// force, by setting it.
fn restore(finding: &mut Finding, code: &Parameter<'_>, safety: Safety) {
    let instance = code.scope().instance;
    let Some(builtin) = instance.builtins().get(code.name()) else {
        return;
    };
    let default = builtin.default(instance.version());
    let behind = instance.scope().named(code.name().to_owned());
    let is_override = matches!(code.origin(), Origin::Override(_));
    if is_override && behind.is_set() && behind.text() != default {
        finding.fix_if(
            format!("set {} to {default}", code.name()),
            safety,
            edits::set_parameter(code, default),
        );
    } else {
        finding.fix_if(
            format!("remove {}: {default} is the default", code.name()),
            safety,
            edits::remove_parameter(code),
        );
    }
}
