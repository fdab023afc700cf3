//! Values that the first lines of every program look at (`src/global/mail_params.c`): names of hosts and users,
//! addresses, the compatibility level.

use std::net::IpAddr;

use crate::instance::hostname;
use super::Problem;
use crate::instance::builtin::Version;
use crate::instance::parameter::{LIST_SEPARATORS, Scope, parse_number};
use crate::source::Text;
use crate::syntax::expression::compatibility_level;

/// What is wrong with the value of such a parameter.
pub(super) fn problem(name: &str, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    match name {
        "myhostname" | "mydomain" => {
            let complaint = hostname::complaint(value.as_str())?;
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
    let protocols = scope.parameter("inet_protocols").words();
    if protocols.is_empty() || *value == "all" || *value == "loopback-only" {
        return None;
    }
    let has = |family: &str| protocols.iter().any(|word| *word == "all" || *word == family);
    for word in value.words(LIST_SEPARATORS) {
        let text = word.as_str();
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let wrong = if text.eq_ignore_ascii_case("all") || text.eq_ignore_ascii_case("loopback-only") {
            let alone = text.to_ascii_lowercase();
            Some(format!("{text} is taken for the name of a host; {alone} alone would be right"))
        } else if text.starts_with(['/', '!']) || text.contains('/') {
            Some(format!("{text} is no host name or address; files, networks and ! do not work here"))
        } else if let Ok(address) = bare.parse::<IpAddr>() {
            address_problem(address, &has, scope)
        } else {
            let is_host = |c: char| c.is_ascii_alphanumeric() || "-_.:%".contains(c);
            (!bare.chars().all(is_host))
                .then(|| format!("{text} is no host name or address"))
        };
        if let Some(wrong) = wrong {
            return Some(Problem::stops(wrong).at(&word));
        }
    }
    None
}

fn address_problem(address: IpAddr, has: &dyn Fn(&str) -> bool, scope: Scope<'_>) -> Option<String> {
    let family = if address.is_ipv4() { "ipv4" } else { "ipv6" };
    if !has(family) {
        return Some(format!("{address} cannot be used, because inet_protocols leaves {family} out"));
    }
    let instance = scope.instance;
    let is_own = instance.host().interfaces.iter().any(|(own, _)| *own == address);
    (instance.files().is_host() && !is_own)
        .then(|| format!("this host has no interface with the address {address}"))
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
