//! Policy servers and mail filters, with settings of their own in braces (`src/global/attr_override.c`).

use super::process::{Death, Process, fatal};
use crate::instance::builtin::Kind;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::instance::server_settings::{MILTER_SETTINGS, POLICY_SETTINGS, ServerSettings};
use crate::instance::value_fault::{Facts, Fault};
use crate::source::Text;
use crate::syntax::{braces, name_value};

/// A kind of server.
#[derive(Clone, Copy, Debug)]
pub(super) struct Server {
    settings: &'static ServerSettings,
    /// What stands in front of a complaint about the braces.
    syntax: &'static str,
    empty: &'static str,
    /// The address is looked at when the program starts.
    is_address_read: bool,
}

/// `src/smtpd/smtpd_check.c: policy_client_register`.
pub(super) const POLICY: Server = Server {
    settings: &POLICY_SETTINGS,
    syntax: "policy service syntax error",
    empty: "empty policy service",
    is_address_read: true,
};
/// `src/milter/milter.c: milter_new`.
pub(super) const MILTERS: Server = Server {
    settings: &MILTER_SETTINGS,
    syntax: "milter service syntax error",
    empty: "empty milter definition",
    is_address_read: false,
};

/// Looks at one server.
///
/// # Errors
/// The program ends.
pub(super) fn check(process: &Process<'_>, word: &Text, server: &Server) -> Result<(), Death> {
    let mut address = word.clone();
    let is_braced = word.as_bytes().first() == Some(&b'{');
    if is_braced && process.instance().dialect().comparisons {
        let inner = match braces::extract(word, false) {
            Ok(inner) => inner,
            Err(error) => return fatal(format!("{}: {error}", server.syntax)),
        };
        let mut words = inner.words_outside_braces(LIST_SEPARATORS).into_iter();
        let Some(first) = words.next() else {
            return fatal(format!("{}: \"{word}\"", server.empty));
        };
        address = first;
        for item in words {
            setting(process, &item, server.settings)?;
        }
    }
    if !server.is_address_read {
        return Ok(());
    }
    match address.as_str().split_once(':') {
        Some(("inet" | "local" | "unix", endpoint)) if !endpoint.is_empty() => Ok(()),
        Some((transport, endpoint)) if !transport.is_empty() && !endpoint.is_empty() => fatal(
            format!("invalid transport name: {transport} in service: {address}"),
        ),
        _ => fatal(format!(
            "need service transport:endpoint instead of \"{address}\""
        )),
    }
}

fn setting(process: &Process<'_>, item: &Text, settings: &ServerSettings) -> Result<(), Death> {
    let mut text = item.clone();
    if item.as_bytes().first() == Some(&b'{') {
        text = match braces::extract(item, false) {
            Ok(inner) => inner,
            Err(error) => return fatal(error),
        };
    }
    let pair = match name_value::split(&text) {
        Ok(pair) => pair,
        Err(error) => {
            return fatal(format!(
                "malformed option: {}: \"...{text}...\"",
                error.message()
            ));
        }
    };
    let (name, value) = (pair.name.as_str(), &pair.value);
    let Some(builtin) = settings.parameter(name, process.instance().builtins()) else {
        return fatal(format!("unknown option: \"{name} = {value}\""));
    };
    let facts = Facts::of(builtin, process.version());
    match facts.fault(value.as_str(), value.len()) {
        None => Ok(()),
        Some(Fault::Malformed) if facts.kind == Kind::Time => {
            fatal(format!("{name}: bad time value or unit: {value}"))
        }
        Some(fault) => fatal(facts.complaint(fault, name, value.as_str())),
    }
}
