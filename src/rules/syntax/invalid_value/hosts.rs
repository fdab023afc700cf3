//! Values that the first lines of every program look at (`src/global/mail_params.c`): names of hosts and users,
//! addresses, the compatibility level.

use super::Problem;
use crate::instance::builtin::Version;
use crate::instance::hostname::hostname_fault;
use crate::instance::interfaces::{InterfaceFault, interfaces_fault};
use crate::instance::parameter::{LIST_SEPARATORS, Scope, parse_number};
use crate::source::Text;
use crate::syntax::expression::compatibility_level;

/// What is wrong with the value of such a parameter.
pub(super) fn problem(name: &str, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    match name {
        "myhostname" | "mydomain" => {
            let complaint = hostname_fault(value.as_str())?.reason();
            Some(Problem::stops(format!("{name} = {value} is no name of a host or domain: {complaint}")))
        }
        "myorigin" => single(value),
        "relayhost" => own_name(value, scope),
        "inet_interfaces" => interfaces(value, scope),
        "compatibility_level" => level(value, scope),
        "default_verp_delimiters" => delimiters(value, scope),
        "mail_owner" | "default_privs" | "setgid_group" => account(name, value, scope),
        "maillog_file" => log_file(value, scope),
        _ => None,
    }
}

fn single(value: &Text) -> Option<Problem> {
    (value.words(LIST_SEPARATORS).len() > 1).then(|| {
        Problem::stops("myorigin has several words; one domain would be right")
    })
}

fn own_name(value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let hostname = scope.parameter("myhostname").text();
    value.as_str().eq_ignore_ascii_case(&hostname).then(|| {
        Problem::stops("relayhost is this host itself (myhostname); another server would be right")
    })
}

/// `src/global/own_inet_addr.c`.
fn interfaces(value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let (word, fault) = interfaces_fault(value, scope)?;
    let what = match fault {
        InterfaceFault::NotAlone => {
            let alone = word.as_str().to_ascii_lowercase();
            format!("{word} is taken for the name of a host; {alone} alone would be right")
        }
        InterfaceFault::NoHost => {
            format!("{word} is no host name or address; files, networks and ! do not work here")
        }
        InterfaceFault::NoName => format!("{word} is no host name or address"),
        InterfaceFault::Family(address) => {
            let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
            format!("{address} cannot be used, because inet_protocols leaves {family} out")
        }
        InterfaceFault::NotOwn(address) => {
            format!("this host has no interface with the address {address}")
        }
    };
    Some(Problem::stops(what).at(&word))
}

fn level(value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let has_dots = scope.instance.version() >= Version::release(3, 6, 0);
    let is_right = if has_dots {
        compatibility_level(value).is_ok()
    } else {
        parse_number(value.as_str()).is_some_and(|level| level >= 0)
    };
    (!is_right).then(|| {
        let right = if has_dots { "a number such as 2 or 3.6" } else { "a whole number" };
        let what = if value.is_empty() {
            "compatibility_level is empty".to_owned()
        } else {
            format!("{value} is no compatibility level")
        };
        Problem::stops(format!("{what}; {right} would be right"))
    })
}

/// `src/global/verp_sender.c`.
fn delimiters(value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let filter = scope.parameter("verp_delimiter_filter").text();
    let bad = value.as_str().chars().find(|delimiter| !filter.contains(*delimiter))?;
    Some(Problem::stops(format!("{bad} is not in verp_delimiter_filter ({filter})")))
}

fn account(name: &str, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    if *value == "root" {
        return Some(Problem::stops(format!("{name} must not be root; an account of its own would be \
                                            right")));
    }
    if name == "default_privs" && *value == scope.parameter("mail_owner").text().as_str() {
        let what = "default_privs is the owner of the mail system; an account that owns nothing would be \
                    right";
        return Some(Problem::stops(what));
    }
    let instance = scope.instance;
    let is_missing = instance.files().is_host()
        && name != "setgid_group"
        && instance.users().has(value.as_str()) == Some(false);
    is_missing.then(|| Problem::stops(format!("this host has no user {value}")))
}

/// `src/global/maillog_client.c`.
fn log_file(value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let prefixes = scope.parameter("maillog_file_prefixes").words();
    let is_allowed = prefixes.iter().any(|prefix| value.as_str().starts_with(prefix.as_str()));
    (!value.is_empty() && !is_allowed).then(|| {
        let prefixes: Vec<&str> = prefixes.iter().map(Text::as_str).collect();
        Problem::stops(format!(
            "{value} does not begin with a prefix of maillog_file_prefixes ({})",
            prefixes.join(", ")
        ))
    })
}
