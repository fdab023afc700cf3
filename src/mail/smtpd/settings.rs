//! The parameters of an smtpd(8) that decide about replies, read once.

use crate::instance::builtin::Version;
use crate::instance::parameter::Scope;
use crate::instance::{Instance, level};
use crate::mail::reply::Reply;

/// Whether and how TLS is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tls {
    None,
    May,
    Encrypt,
}

/// What to do when something cannot be found out for the time being (`*_tempfail_action`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tempfail {
    Defer,
    DeferIfPermit,
}

impl Tempfail {
    pub(super) fn waits(self) -> bool {
        self == Self::DeferIfPermit
    }
}

/// The parameters of `reject_unverified_sender` or `reject_unverified_recipient`.
#[derive(Clone, Debug)]
pub(super) struct Verify {
    pub(super) defer_code: i64,
    pub(super) reject_code: i64,
    pub(super) tempfail: Tempfail,
    pub(super) reason: String,
}

/// The parameters.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) version: Version,
    pub(super) delays: bool,
    pub(super) relay_first: bool,
    pub(super) helo_required: bool,
    pub(super) soft_bounce: bool,
    pub(super) looks_up_peers: bool,
    pub(super) tls: Tls,
    pub(super) wrapper: bool,
    pub(super) sasl: bool,
    /// Letters beyond ASCII can be printed.
    pub(super) utf8: bool,
    pub(super) rejects_unlisted_recipient: bool,
    pub(super) rejects_unlisted_sender: bool,
    pub(super) checks_recipients: bool,
    pub(super) shows_table: bool,
    pub(super) untrusted_routing: bool,
    /// Names above a name are looked up in access tables without a dot in front.
    pub(super) parents_without_dot: bool,
    pub(super) null_key: String,
    pub(super) proxy_filter: String,
    pub(super) rbl_reply: String,
    pub(super) maps_rbl_domains: Vec<String>,
    pub(super) reject_code: i64,
    pub(super) defer_code: i64,
    pub(super) access_reject_code: i64,
    pub(super) access_defer_code: i64,
    pub(super) relay_code: i64,
    pub(super) rbl_code: i64,
    pub(super) invalid_hostname_code: i64,
    pub(super) non_fqdn_code: i64,
    pub(super) unknown_address_code: i64,
    pub(super) unknown_client_code: i64,
    pub(super) unknown_hostname_code: i64,
    pub(super) plaintext_code: i64,
    pub(super) local_code: i64,
    pub(super) relay_recipient_code: i64,
    pub(super) virtual_alias_code: i64,
    pub(super) virtual_mailbox_code: i64,
    pub(super) unknown_helo: Tempfail,
    pub(super) unknown_address: Tempfail,
    pub(super) sender: Verify,
    pub(super) recipient: Verify,
    /// The address that probes are sent from; what its local part may be followed by is a
    /// time.
    pub(super) probe: String,
    pub(super) probe_has_time: bool,
}

impl Settings {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let instance = scope.instance;
        let text = |name| scope.any_parameter(name).text();
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let code = |name| scope.any_parameter(name).number().unwrap_or(0);
        let has_word = |name, wanted: &str| {
            let words = scope.any_parameter(name).words();
            words.iter().any(|word| *word == wanted)
        };
        let tempfail = |name| {
            if text(name).eq_ignore_ascii_case("defer") {
                Tempfail::Defer
            } else {
                Tempfail::DeferIfPermit
            }
        };
        let transparent = scope.any_parameter("receive_override_options").words();
        Self {
            version: instance.version(),
            delays: flag("smtpd_delay_reject"),
            relay_first: flag("smtpd_relay_before_recipient_restrictions")
                && !relays_by_old_default(scope),
            helo_required: flag("smtpd_helo_required"),
            soft_bounce: flag("soft_bounce"),
            looks_up_peers: flag("smtpd_peername_lookup"),
            tls: tls(scope),
            wrapper: flag("smtpd_tls_wrappermode"),
            sasl: flag("smtpd_sasl_auth_enable"),
            utf8: instance.version() >= Version::release(3, 0, 0) && flag("smtputf8_enable"),
            rejects_unlisted_recipient: flag("smtpd_reject_unlisted_recipient"),
            rejects_unlisted_sender: flag("smtpd_reject_unlisted_sender"),
            checks_recipients: !transparent.iter().any(|word| {
                word.as_str()
                    .eq_ignore_ascii_case("no_unknown_recipient_checks")
            }),
            shows_table: flag("show_user_unknown_table_name"),
            untrusted_routing: flag("allow_untrusted_routing"),
            parents_without_dot: has_word("parent_domain_matches_subdomains", "smtpd_access_maps"),
            null_key: text("smtpd_null_access_lookup_key"),
            proxy_filter: text("smtpd_proxy_filter"),
            rbl_reply: text("default_rbl_reply"),
            maps_rbl_domains: (scope.any_parameter("maps_rbl_domains").words().iter())
                .map(ToString::to_string)
                .collect(),
            reject_code: code("reject_code"),
            defer_code: code("defer_code"),
            access_reject_code: code("access_map_reject_code"),
            access_defer_code: code("access_map_defer_code"),
            relay_code: code("relay_domains_reject_code"),
            rbl_code: code("maps_rbl_reject_code"),
            invalid_hostname_code: code("invalid_hostname_reject_code"),
            non_fqdn_code: code("non_fqdn_reject_code"),
            unknown_address_code: code("unknown_address_reject_code"),
            unknown_client_code: code("unknown_client_reject_code"),
            unknown_hostname_code: code("unknown_hostname_reject_code"),
            plaintext_code: code("plaintext_reject_code"),
            local_code: code("unknown_local_recipient_reject_code"),
            relay_recipient_code: code("unknown_relay_recipient_reject_code"),
            virtual_alias_code: code("unknown_virtual_alias_reject_code"),
            virtual_mailbox_code: code("unknown_virtual_mailbox_reject_code"),
            unknown_helo: tempfail("unknown_helo_hostname_tempfail_action"),
            unknown_address: tempfail("unknown_address_tempfail_action"),
            sender: Verify {
                defer_code: code("unverified_sender_defer_code"),
                reject_code: code("unverified_sender_reject_code"),
                tempfail: tempfail("unverified_sender_tempfail_action"),
                reason: text("unverified_sender_reject_reason"),
            },
            recipient: Verify {
                defer_code: code("unverified_recipient_defer_code"),
                reject_code: code("unverified_recipient_reject_code"),
                tempfail: tempfail("unverified_recipient_tempfail_action"),
                reason: text("unverified_recipient_reject_reason"),
            },
            probe: text("address_verify_sender"),
            probe_has_time: scope.any_parameter("address_verify_sender_ttl").seconds() != Some(0),
        }
    }

    /// A reply as `soft_bounce` sends it; the status code follows the reply code in any case.
    pub(super) fn softened(&self, mut reply: Reply) -> Reply {
        if self.soft_bounce && reply.code >= 500 {
            reply.code -= 100;
        }
        if !reply.dsn.is_empty() {
            let digit = if reply.code >= 500 { "5" } else { "4" };
            reply.dsn.replace_range(..1, digit);
        }
        reply
    }
}

/// Whether `smtpd_relay_restrictions` is empty only because the compatibility level is below 1: Postfix then
/// evaluates the lists in the old order (`warn_compat_break_relay_restrictions`).
pub(super) fn relays_by_old_default(scope: Scope<'_>) -> bool {
    let instance: &Instance = scope.instance;
    instance.version() >= Version::release(3, 3, 0)
        && instance
            .compatibility_level()
            .is_some_and(|is| is < level(1, 0))
        && !scope.any_parameter("smtpd_relay_restrictions").is_set()
}

fn tls(scope: Scope<'_>) -> Tls {
    let flag = |name| scope.any_parameter(name).flag() == Some(true);
    let level = scope.any_parameter("smtpd_tls_security_level").text();
    match level.to_ascii_lowercase().as_str() {
        "may" => Tls::May,
        "encrypt" | "verify" | "secure" | "fingerprint" | "dane" | "dane-only" => Tls::Encrypt,
        "" if flag("smtpd_enforce_tls") => Tls::Encrypt,
        "" if flag("smtpd_use_tls") => Tls::May,
        _ => Tls::None,
    }
}
