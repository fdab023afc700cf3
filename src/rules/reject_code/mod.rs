//! RC: what refusals say.

rules![
    deferred_unknown_recipient,
    soft_bounce,
    deferred_policy_reject,
    invalid_reject_code,
    number_means_ok,
];

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
