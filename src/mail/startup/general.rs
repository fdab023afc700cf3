//! What every program does first: options, the parameters that all of them read, accounts and addresses
//! (`src/master/single_server.c`, `src/global/mail_params.c: mail_params_init`).

use super::process::{Death, Process, fatal};
use crate::instance::builtin::Version;
use crate::instance::daemon::daemon_of;
use crate::instance::files::Opened;
use crate::instance::host;
use crate::instance::hostname::hostname_fault;
use crate::instance::interfaces::interfaces_fault;
use crate::instance::parameter::{LIST_SEPARATORS, parse_number};
use crate::instance::service::Service;
use crate::instance::text_value::text_value;
use crate::instance::users::Users;
use crate::source::Text;
use crate::syntax::expression::compatibility_level;
use crate::syntax::master_cf::OptionError;

/// Reads the options of a service, and the parameters that every program reads.
///
/// # Errors
/// The program ends.
pub(super) fn start(process: &Process<'_>, service: Service<'_>) -> Result<(), Death> {
    match service.line.option_errors.first() {
        Some(OptionError::NotNameValue { value, error, .. }) => fatal(format!(
            "invalid \"-o {value}\" option value: {}",
            error.message()
        )),
        Some(OptionError::MissingValue { letter, .. } | OptionError::Unknown { letter, .. }) => {
            fatal(format!("invalid option: {letter}"))
        }
        None => read(process),
    }
}

/// Reads the parameters that every program reads.
///
/// # Errors
/// The program ends.
pub(super) fn read(process: &Process<'_>) -> Result<(), Death> {
    process.read("all", &|name| match name {
        "mail_version" => level(process),
        "daemon_table_open_error_is_fatal" => facility(process),
        "myhostname" => protocols(process),
        "mail_name" => names(process),
        "default_process_limit" => origin_file(process),
        "mynetworks" => accounts(process).and_then(|()| networks(process)),
        _ => Ok(()),
    })?;
    interfaces(process)?;
    own_name(process)?;
    let origin = process.value("myorigin")?;
    let is_separator = |byte: &u8| LIST_SEPARATORS.contains(byte);
    if origin.as_bytes().iter().any(is_separator) {
        let what = "myorigin parameter setting must not contain multiple values";
        return fatal(format!("{what}: {origin}"));
    }
    delimiters(process)?;
    log_file(process)
}

/// `src/global/compat_level.c`; before Postfix 3.6 it is a number.
fn level(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("compatibility_level")?;
    if process.version() < Version::release(3, 6, 0) || compatibility_level(&value).is_ok() {
        return Ok(());
    }
    fatal(format!("malformed compatibility level syntax: \"{value}\""))
}

fn facility(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("syslog_facility")?;
    if text_value("syslog_facility").allows(&value, process.version()) {
        return Ok(());
    }
    let file = process.main_cf();
    fatal(format!(
        "file {file}: parameter syslog_facility: unrecognized value: {value}"
    ))
}

fn protocols(process: &Process<'_>) -> Result<(), Death> {
    process.words("inet_protocols", "inet_protocols")
}

fn names(process: &Process<'_>) -> Result<(), Death> {
    for name in ["myhostname", "mydomain"] {
        let value = process.text(name)?;
        if let Some(fault) = hostname_fault(&value) {
            process.warn(fault.warning(&value));
            let file = process.main_cf();
            return fatal(format!(
                "file {file}: parameter {name}: bad parameter value: {value}"
            ));
        }
    }
    Ok(())
}

/// The packages of Debian and Ubuntu read `myorigin` from a file.
fn origin_file(process: &Process<'_>) -> Result<(), Death> {
    let value = process.text("myorigin")?;
    if !value.starts_with('/') {
        return Ok(());
    }
    let instance = process.instance();
    match instance.files().open(&value, instance.sources()) {
        Opened::Missing(_) => fatal(format!(
            "{value}: cannot open file: No such file or directory"
        )),
        Opened::Found(source) => {
            let first = source.text().lines().next().unwrap_or_default().trim();
            if first.is_empty() {
                return fatal(format!("myorigin file {value} is empty"));
            }
            Ok(())
        }
        Opened::Unreadable(..) | Opened::Elsewhere => Ok(()),
    }
}

/// The accounts, as far as their names tell: which ids they have is known to the host alone.
fn accounts(process: &Process<'_>) -> Result<(), Death> {
    let file = process.main_cf();
    let users = process.instance().users();
    // A list without root is one of people, not of the accounts of the system.
    let is_missing = |name: &str| users.has("root") == Some(true) && users.has(name) == Some(false);
    let privs = process.text("default_privs")?;
    let owner = process.text("mail_owner")?;
    for (name, user) in [("default_privs", &privs), ("mail_owner", &owner)] {
        let complaint = if is_missing(user) {
            format!("unknown user name value: {user}")
        } else if user == "root" {
            format!("user {user} has privileged user ID")
        } else {
            continue;
        };
        return fatal(format!("file {file}: parameter {name}: {complaint}"));
    }
    let group = process.text("setgid_group")?;
    let complaint = if is_group_missing(process, &group) {
        Some(format!("unknown group name: {group}"))
    } else {
        (group == "root").then(|| format!("group {group} has privileged group ID"))
    };
    if let Some(complaint) = complaint {
        return fatal(format!("file {file}: parameter setgid_group: {complaint}"));
    }
    if privs == owner {
        return fatal(format!(
            "file {file}: parameters default_privs and mail_owner specify the same user {privs}"
        ));
    }
    Ok(())
}

/// Whether a host that is at hand has no such group; a directory service may have any.
fn is_group_missing(process: &Process<'_>, group: &str) -> bool {
    let instance = process.instance();
    if !instance.files().is_host() || !matches!(instance.users(), Users::All(_)) {
        return false;
    }
    let Opened::Found(groups) = instance.files().open("/etc/group", instance.sources()) else {
        return false;
    };
    let has_it = |line: &str| line.split(':').next() == Some(group);
    !groups.text().lines().any(has_it)
}

/// `src/global/mynetworks.c`, which is asked when the parameter is not set.
fn networks(process: &Process<'_>) -> Result<(), Death> {
    if process.scope.setting("mynetworks").is_some() {
        return Ok(());
    }
    let interfaces = process.value("inet_interfaces")?;
    if interfaces_fault(&interfaces, process.scope).is_some() {
        return self::interfaces(process);
    }
    // The style is all that can be wrong on a machine that is not at hand.
    let networks = process.instance().host().networks(
        &process.text("mynetworks_style")?,
        "all",
        &process.text("inet_protocols")?,
        host::resolve_offline,
    );
    networks.map(|_| ()).or_else(fatal)
}

fn interfaces(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("inet_interfaces")?;
    match interfaces_fault(&value, process.scope) {
        Some((word, fault)) => fatal(fault.complaint(&word)),
        None => Ok(()),
    }
}

fn own_name(process: &Process<'_>) -> Result<(), Death> {
    let (own, relay) = (process.text("myhostname")?, process.text("relayhost")?);
    if own.to_lowercase() != relay.to_lowercase() {
        return Ok(());
    }
    let what = "myhostname and relayhost parameter settings must not be identical";
    fatal(format!("{what}: {own}"))
}

/// `src/global/verp_sender.c: verp_delims_verify`.
fn delimiters(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("default_verp_delimiters")?;
    let filter = process.value("verp_delimiter_filter")?;
    let is_bad = |at: usize| {
        let byte = value.as_bytes().get(at);
        byte.is_some_and(|byte| !filter.as_bytes().contains(byte))
    };
    let which = match (is_bad(0), is_bad(1)) {
        (true, _) => "first",
        (false, true) => "second",
        (false, false) => return Ok(()),
    };
    let file = process.main_cf();
    fatal(format!(
        "file {file}: parameters default_verp_delimiters and verp_delimiter_filter: bad {which} VERP \
         delimiter character"
    ))
}

/// `src/global/maillog_client.c`.
fn log_file(process: &Process<'_>) -> Result<(), Death> {
    let value = process.value("maillog_file")?;
    let prefixes = process
        .value("maillog_file_prefixes")?
        .words(LIST_SEPARATORS);
    let is_allowed = |prefix: &Text| value.as_bytes().starts_with(prefix.as_bytes());
    if value.is_empty() || prefixes.iter().any(is_allowed) {
        return Ok(());
    }
    fatal(format!(
        "maillog_file value '{value}' does not match any prefix in maillog_file_prefixes"
    ))
}

/// What the program needs from its line in master.cf (`src/master/*_server.c`).
///
/// # Errors
/// The program ends.
pub(super) fn limits(service: Service<'_>) -> Result<(), Death> {
    let line = service.line;
    let Some(daemon) = daemon_of(line.command(), service.instance.version()) else {
        return Ok(());
    };
    let name = service.name();
    let limit = match line.field(6) {
        "-" => service.instance.parameter("default_process_limit").number(),
        number => parse_number(number),
    };
    if let (Some(needed), Some(limit)) = (daemon.limit, limit)
        && i64::from(needed) != limit
    {
        return fatal(format!(
            "service {name} requires a process limit of {needed}"
        ));
    }
    if daemon.is_privileged && line.field(3) != "n" {
        return fatal(format!("service {name} requires privileged operation"));
    }
    if !daemon.types.contains(&line.kind()) {
        return fatal(format!("unsupported transport type: {}", line.kind()));
    }
    Ok(())
}
