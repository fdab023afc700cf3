//! smtpd(8) (`src/smtpd/smtpd.c: pre_jail_init, post_jail_init`, `src/smtpd/smtpd_check.c: smtpd_check_init`).

use super::general;
use super::open::Way;
use super::process::{Death, Process, fatal};
use super::server_settings::{self, MILTERS, POLICY};
use crate::instance::builtin::Version;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::instance::relay_guard::Guard;
use crate::instance::service::Service;
use crate::instance::text_value::text_value;
use crate::source::Text;
use crate::syntax::braces;

/// The restriction lists in the order in which they are read.
const LISTS: [&str; 8] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_etrn_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
];
const ACTIONS: [&str; 4] = [
    "unknown_helo_hostname_tempfail_action",
    "unknown_address_tempfail_action",
    "unverified_recipient_tempfail_action",
    "unverified_sender_tempfail_action",
];

/// Starts the program.
///
/// # Errors
/// It ends before anybody is served.
pub(super) fn start(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    general::start(process, service)?;
    process.read("smtpd", &|_| Ok(()))?;
    general::limits(service)?;
    for name in [
        "smtpd_noop_commands",
        "smtpd_forbidden_commands",
        "smtpd_authorized_verp_clients",
        "smtpd_authorized_xclient_hosts",
        "smtpd_authorized_xforward_hosts",
        "smtpd_client_event_limit_exceptions",
        "smtpd_forbid_bare_newline_exclusions",
    ] {
        process.list(name)?;
    }
    bare_newlines(process)?;
    checks(process, service)?;
    process.list("debug_peer_list")?;
    logins(process)?;
    let filter = process.value("smtpd_command_filter")?;
    if !filter.is_empty() {
        process.table(&filter, Way::Folded)?;
    }
    encryption(process)?;
    process.list("fast_flush_domains")?;
    for (name, way) in [
        ("smtpd_discard_ehlo_keyword_address_maps", Way::Plain),
        ("smtpd_milter_maps", Way::Plain),
        ("smtpd_dns_reply_filter", Way::Plain),
        ("smtpd_reject_footer_maps", Way::Plain),
    ] {
        process.maps(name, way)?;
    }
    process.local_domains()?;
    process.words("receive_override_options", "receive_override_options")?;
    if !process.value("smtpd_proxy_filter")?.is_empty() {
        process.words("smtpd_proxy_options", "smtpd_proxy_options")?;
    }
    process.choice("header_from_format", |value| {
        format!("invalid setting: \"header_from_format = {value}\"")
    })
}

/// Up to Postfix 3.8.4 and the like the parameter is a switch, and those before do not have it.
fn bare_newlines(process: &Process<'_>) -> Result<(), Death> {
    let name = "smtpd_forbid_bare_newline";
    let builtin = process.instance().builtins().get(name);
    let is_switch = builtin.is_none_or(|builtin| {
        let kind = builtin.kind(process.version());
        kind == crate::instance::builtin::Kind::Bool
    });
    if is_switch {
        return Ok(());
    }
    process.choice(name, |value| {
        format!("bad parameter value: '{name} = {value}'")
    })
}

/// `smtpd_check_init`.
fn checks(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    for name in ["mynetworks", "relay_domains", "permit_mx_backup_networks"] {
        process.list(name)?;
    }
    for name in [
        "relay_clientcerts",
        "local_recipient_maps",
        "sender_canonical_maps",
        "recipient_canonical_maps",
        "canonical_maps",
        "virtual_alias_maps",
        "virtual_mailbox_maps",
        "relay_recipient_maps",
        "rbl_reply_maps",
        "smtpd_sender_login_maps",
    ] {
        process.maps(name, Way::Folded)?;
    }
    for name in LISTS {
        restrictions(process, &process.value(name)?)?;
    }
    for class in process
        .value("smtpd_restriction_classes")?
        .words(LIST_SEPARATORS)
    {
        let value = process.value(class.as_str())?;
        if value.is_empty() {
            return fatal(format!("restriction class `{class}' needs a definition"));
        }
        restrictions(process, &value)?;
    }
    let (guard, warnings) = service.relay_guard();
    for warning in warnings {
        process.warn(warning);
    }
    match guard {
        Guard::Found => {}
        Guard::Missing => {
            return fatal(
                "in parameter smtpd_relay_restrictions or smtpd_recipient_restrictions, specify at \
                 least one working instance of: reject_unauth_destination, \
                 defer_unauth_destination, reject, defer, defer_if_permit or check_relay_domains",
            );
        }
        Guard::Endless => return Err(Death::Crash),
    }
    rewriting_clients(process)?;
    for name in ACTIONS {
        process.choice(name, |value| format!("bad configuration: {name} = {value}"))?;
    }
    process.list("smtpd_log_access_permit_actions")
}

/// `smtpd_check_parse`: policy servers are noted, tables are opened, names are looked at later.
fn restrictions(process: &Process<'_>, value: &Text) -> Result<(), Death> {
    let mut is_policy = false;
    for word in value.words_outside_braces(LIST_SEPARATORS) {
        if is_policy {
            server_settings::check(process, &word, &POLICY)?;
        } else {
            access_table(process, &word)?;
        }
        is_policy = word.as_str().eq_ignore_ascii_case("check_policy_service");
    }
    Ok(())
}

/// `local_header_rewrite_clients` has tables, but no policy servers.
fn rewriting_clients(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("local_header_rewrite_clients")?;
    for word in value.words_outside_braces(LIST_SEPARATORS) {
        access_table(process, &word)?;
    }
    Ok(())
}

/// A table of a restriction list; in braces with settings of its own since Postfix 3.5
/// (`src/global/map_search.c`).
fn access_table(process: &Process<'_>, word: &Text) -> Result<(), Death> {
    let is_braced = word.as_bytes().first() == Some(&b'{');
    if !is_braced {
        return if word.as_bytes().contains(&b':') {
            process.table(word, Way::Folded)
        } else {
            Ok(())
        };
    }
    if process.version() < Version::release(3, 5, 0) {
        return process.table(word, Way::Folded);
    }
    let Ok(inner) = braces::extract(word, true) else {
        return Ok(());
    };
    match inner.words_outside_braces(LIST_SEPARATORS).first() {
        Some(table) if table.as_bytes().contains(&b':') => process.table(table, Way::Folded),
        _ => Ok(()),
    }
}

/// `src/smtpd/smtpd_sasl_glue.c: smtpd_sasl_initialize`.
fn logins(process: &Process<'_>) -> Result<(), Death> {
    if !process.is_on("smtpd_sasl_auth_enable")? {
        return Ok(());
    }
    let kind = process.value("smtpd_sasl_type")?;
    if !text_value("smtpd_sasl_type").allows(&kind, process.version()) {
        process.warn(format!("unsupported SASL server implementation: {kind}"));
        return fatal("SASL per-process initialization failed");
    }
    process.list("smtpd_sasl_exceptions_networks")
}

fn encryption(process: &Process<'_>) -> Result<(), Death> {
    let wrapper = process.is_on("smtpd_tls_wrappermode")?;
    let level = process.value("smtpd_tls_security_level")?;
    let mut uses_tls = process.is_on("smtpd_use_tls")? || process.is_on("smtpd_enforce_tls")?;
    if !wrapper && !level.is_empty() {
        process.choice("smtpd_tls_security_level", |value| {
            format!("Invalid TLS level \"{value}\"")
        })?;
        let is = |word: &&str| level.as_str().eq_ignore_ascii_case(word);
        if ["verify", "secure", "fingerprint"].iter().any(is) {
            process.warn(format!(
                "smtpd_tls_security_level: unsupported TLS level \"{level}\", using \"encrypt\""
            ));
        }
        uses_tls = !level.as_str().eq_ignore_ascii_case("none");
    }
    if !uses_tls && !wrapper {
        return Ok(());
    }
    let certificates = [
        "smtpd_tls_cert_file",
        "smtpd_tls_eccert_file",
        "smtpd_tls_dcert_file",
        "smtpd_tls_chain_files",
    ];
    let mut has_certificate = false;
    for name in certificates {
        has_certificate |= !process.value(name)?.is_empty();
    }
    if !has_certificate {
        process.warn("No server certs available. TLS won't be enabled");
        return Ok(());
    }
    process.read("smtpd/tls", &|_| Ok(()))
}

/// What ends the process at each connection, before the greeting.
///
/// # Errors
/// It ends.
pub(super) fn connect(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    if let Some(word) = service.line.operands.first() {
        return fatal(format!("unexpected command-line argument: {}", word.value));
    }
    process.words("notify_classes", "notify_classes")?;
    for word in process
        .value("smtpd_milters")?
        .words_outside_braces(LIST_SEPARATORS)
    {
        server_settings::check(process, &word, &MILTERS)?;
    }
    session_logins(process)
}

/// What `smtpd_sasl_security_options` may have, in any case (`src/xsasl/xsasl_cyrus_security.c`,
/// `xsasl_dovecot_server.c`).
const SECURITY_OPTIONS: [&str; 6] = [
    "noplaintext",
    "noactive",
    "nodictionary",
    "noanonymous",
    "forward_secrecy",
    "mutual_auth",
];

/// `src/smtpd/smtpd_sasl_glue.c: smtpd_sasl_activate`, when AUTH is offered without TLS.
fn session_logins(process: &Process<'_>) -> Result<(), Death> {
    let mut needs_tls = process.is_on("smtpd_tls_auth_only")?
        || process.is_on("smtpd_tls_wrappermode")?
        || process.is_on("smtpd_enforce_tls")?;
    let level = process.text("smtpd_tls_security_level")?.to_lowercase();
    needs_tls |= ["encrypt", "verify", "secure", "fingerprint"].contains(&level.as_str());
    if needs_tls || !process.is_on("smtpd_sasl_auth_enable")? {
        return Ok(());
    }
    let options = process.value("smtpd_sasl_security_options")?;
    let is_known = |word: &Text| {
        let mut known = SECURITY_OPTIONS.iter();
        known.any(|option| word.as_str().eq_ignore_ascii_case(option))
    };
    if let Some(word) = options
        .words(LIST_SEPARATORS)
        .iter()
        .find(|word| !is_known(word))
    {
        process.warn(format!(
            "unknown SASL security options value \"{word}\" in \"{options}\""
        ));
        process.warn("bad per-session SASL security properties");
        return fatal("SASL per-connection initialization failed");
    }
    // The socket of Dovecot can be missed on its own host only.
    let path = process.text("smtpd_sasl_path")?;
    let path = match path.strip_prefix("unix:").unwrap_or(&path) {
        absolute if absolute.starts_with('/') => absolute.to_owned(),
        relative => format!("{}/{relative}", process.text("queue_directory")?),
    };
    let instance = process.instance();
    let is_missing = process.text("smtpd_sasl_type")? == "dovecot"
        && instance.files().is_host()
        && !process
            .value("smtpd_sasl_path")?
            .as_bytes()
            .starts_with(b"inet:")
        && instance.open_exists(&path) == Some(false);
    if is_missing {
        return fatal("no SASL authentication mechanisms");
    }
    Ok(())
}
