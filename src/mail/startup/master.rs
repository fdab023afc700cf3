//! master(8): main.cf, its parameters, and every line of master.cf. Whatever ends it, nothing runs at all
//! (`src/master/master.c`, `master_vars.c`, `master_ent.c`).

use super::general;
use super::process::{Death, Process, fatal};
use crate::instance::builtin::Version;
use crate::instance::endpoint::Endpoint;
use crate::instance::postconf::NoticeKind;
use crate::instance::service::Service;
use crate::syntax::master_cf::ServiceLine;

/// The fields behind the type, as master calls them, with what it takes for them.
const FIELDS: [(&str, Takes); 6] = [
    ("private", Takes::Switch),
    ("unprivileged", Takes::Switch),
    ("chroot", Takes::Switch),
    ("wakeup_time", Takes::Number),
    ("max_proc", Takes::Number),
    ("command", Takes::Word),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Switch,
    Number,
    Word,
}

/// Starts the mail system.
///
/// # Errors
/// master ends.
pub(super) fn start(process: &Process<'_>) -> Result<(), Death> {
    main_cf(process)?;
    general::read(process)?;
    process.read("master", &|_| Ok(()))?;
    let instance = process.instance();
    let Some(master_cf) = instance.master_cf() else {
        return Ok(());
    };
    let uses_network = !instance.parameter("inet_protocols").is_empty();
    for line in master_cf.services() {
        let place = master_cf.source.line_column(line.head_span().start).line;
        let directory = instance.directory().display();
        let context = format!("{directory}/master.cf: line {place}");
        if line.fields.len() < 2 || !instance.is_disabled(line) {
            let is_off = line.kind() == "inet" && !uses_network;
            if !is_off {
                entry(process, line, &context)?;
            }
        }
    }
    // What master takes is not always what postconf(1) takes, which postfix(1) asks before it starts master.
    let refusal = instance
        .postconf()
        .notices()
        .iter()
        .find(|notice| notice.kind == NoticeKind::MalformedService);
    match refusal {
        Some(notice) => fatal(notice.message.clone()),
        None => Ok(()),
    }
}

/// What is said of the lines of main.cf.
fn main_cf(process: &Process<'_>) -> Result<(), Death> {
    let instance = process.instance();
    let Some(main_cf) = instance.main_cf() else {
        return Ok(());
    };
    let is_here = |span: crate::source::Span| span.file == main_cf.source.id();
    for notice in instance.postconf().notices() {
        if !notice.span.is_some_and(is_here) {
            continue;
        }
        match notice.kind {
            NoticeKind::DiscardedLine | NoticeKind::Nul | NoticeKind::Duplicate => {
                process.warn(notice.message.clone());
            }
            NoticeKind::MalformedLine => return fatal(notice.message.clone()),
            _ => {}
        }
    }
    Ok(())
}

/// `get_master_ent`.
fn entry(process: &Process<'_>, line: &ServiceLine, context: &str) -> Result<(), Death> {
    let stop = |what: String| fatal::<()>(format!("{context}: {what}"));
    let kind = match line.fields.get(1) {
        None => return stop("missing \"transport type\" field".to_owned()),
        Some(kind) if *kind == "-" => {
            return stop("field \"transport type\" has no default value".to_owned());
        }
        Some(kind) => kind.as_str(),
    };
    let has_datagrams = process.version() >= Version::release(3, 4, 0);
    match kind {
        "inet" => {}
        "unix" | "fifo" | "pass" => {}
        "unix-dgram" if has_datagrams => {}
        _ => return stop(format!("bad transport type: {kind}")),
    }
    if kind == "inet" {
        match Endpoint::parse(line.name()) {
            Err(fault) => return stop(format!("{} in \"{}\"", fault.words(), line.name())),
            // RFC 6761: no name below `invalid` has an address.
            Ok(endpoint) if endpoint.host.ends_with(".invalid") => {
                return stop(format!("bad hostname or network address: {}", line.name()));
            }
            Ok(_) => {}
        }
    }
    for (at, (name, takes)) in FIELDS.iter().enumerate() {
        let Some(value) = line.fields.get(at + 2).map(|field| field.as_str()) else {
            return stop(format!("missing \"{name}\" field"));
        };
        let is_right = match takes {
            _ if value == "-" => *takes != Takes::Word,
            Takes::Switch => matches!(value, "y" | "n"),
            Takes::Number => value.starts_with(|first: char| first.is_ascii_digit()),
            Takes::Word => true,
        };
        if !is_right && value == "-" {
            return stop(format!("field \"{name}\" has no default value"));
        }
        if !is_right {
            return stop(format!("field \"{name}\": bad value: \"{value}\""));
        }
        if kind == "inet" && at == 0 {
            if value != "n" {
                return stop("inet service cannot be private".to_owned());
            }
            no_address(process, line).map_or(Ok(()), stop)?;
        }
    }
    for word in &line.arguments {
        if let Some(error) = word.error {
            return stop(error.message(&word.written));
        }
    }
    if kind != "inet" && line.name().contains('/') {
        let class = if line.field(2) == "n" {
            "public"
        } else {
            "private"
        };
        let name = line.name();
        return fatal(format!("bind: {class}/{name}: No such file or directory"));
    }
    Ok(())
}

/// Without an address nothing can listen.
fn no_address(process: &Process<'_>, line: &ServiceLine) -> Option<String> {
    let has_host = Endpoint::parse(line.name()).is_ok_and(|endpoint| !endpoint.host.is_empty());
    if has_host || !process.instance().parameter("inet_interfaces").is_empty() {
        return None;
    }
    let name = line.name();
    Some(if process.version() >= Version::release(3, 9, 0) {
        "service definition requires valid host name or address, or non-empty inet_interfaces setting"
            .to_owned()
    } else {
        format!("no valid IP address found: {name}")
    })
}

/// Why nobody can connect to a service although master runs.
pub(super) fn closed(service: Service<'_>) -> Option<String> {
    let instance = service.instance;
    if instance.is_disabled(service.line) {
        let name = service.label();
        return Some(format!("master_service_disable switches {name} off"));
    }
    let protocols = instance.parameter("inet_protocols");
    (service.line.kind() == "inet" && protocols.is_empty())
        .then(|| "all network protocols are disabled (inet_protocols = )".to_owned())
}
