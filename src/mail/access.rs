//! Access tables as smtpd(8) asks them (`src/smtpd/smtpd_check.c: check_*_access`, access(5)).

use std::net::IpAddr;

use super::address::Address;
use super::world::{Known, World};
use crate::instance::parameter::Scope;
use crate::instance::table::{Maps, Only};

/// What a result of an access table does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `DUNNO`, and all actions that only add something.
    Nothing,
    /// `OK`, `RELAY`, or digits alone.
    Permit,
    /// A refusal, be it for good or for now.
    Refuse,
    /// A refusal for now, unless something refuses for good.
    RefuseAtTheEnd,
    /// The message is accepted and thrown away.
    Discard,
    /// A list of restrictions, which is evaluated in place.
    Restrictions(String),
}

/// Reads a result (`check_table_result`).
pub fn action(value: &str) -> Action {
    let (command, text) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let is_number = !command.is_empty() && command.bytes().all(|byte| byte.is_ascii_digit());
    match command.to_ascii_uppercase().as_str() {
        "DUNNO" | "INFO" | "WARN" | "FILTER" | "HOLD" | "REDIRECT" | "BCC" | "PREPEND"
        | "DEFER_IF_REJECT" => Action::Nothing,
        "REJECT" | "DEFER" | "HANGUP" => Action::Refuse,
        "DEFER_IF_PERMIT" => Action::RefuseAtTheEnd,
        "DISCARD" => Action::Discard,
        _ if is_number && text.is_empty() => Action::Permit,
        _ if is_number && command.len() == 3 && command.starts_with(['4', '5']) => Action::Refuse,
        "OK" | "RELAY" => Action::Permit,
        // smtpd refuses to open tables that a table names.
        _ if value.contains(':') => Action::Refuse,
        _ => Action::Restrictions(value.to_owned()),
    }
}

/// Keys in the order in which they are asked; the first also of pattern tables.
#[derive(Debug)]
pub(super) struct Keys(Vec<(String, Only)>);

impl Keys {
    /// For a host: its name with the domains above, then its address and the networks by its first numbers.
    pub(super) fn host(scope: Scope<'_>, name: &str, address: IpAddr) -> Self {
        let mut keys = Self::name(scope, name);
        let text = address.to_string();
        keys.0.push((text.clone(), Only::All));
        let mut rest = text.as_str();
        let dot = if address.is_ipv4() { '.' } else { ':' };
        while let Some((front, _)) = rest.rsplit_once(dot) {
            keys.0.push((front.to_owned(), Only::Fixed));
            rest = front;
        }
        keys
    }

    /// For a name: the name, and the domains above.
    pub(super) fn name(scope: Scope<'_>, name: &str) -> Self {
        let mut keys = vec![(name.to_owned(), Only::All)];
        keys.extend(parents(scope, name).map(|parent| (parent, Only::Fixed)));
        Self(keys)
    }

    /// For an address: with and without its extension, its domain and those above, `user@`.
    pub(super) fn address(scope: Scope<'_>, address: &Address) -> Self {
        let address = Address::new(address.local.to_lowercase(), &address.domain);
        let domain = &address.domain;
        let user = address.split_extension(scope).map(|(user, _)| user);
        let mut keys = vec![(address.to_string(), Only::All)];
        let mut add = |key| keys.push((key, Only::Fixed));
        if let Some(user) = user {
            add(format!("{user}@{domain}"));
        }
        add(domain.clone());
        parents(scope, domain).for_each(&mut add);
        add(format!("{}@", address.local));
        if let Some(user) = user {
            add(format!("{user}@"));
        }
        Self(keys)
    }

    /// Asks a table; `None` when it knows none of the keys. A lookup that fails refuses.
    pub(super) fn ask(&self, scope: Scope<'_>, maps: &Maps, world: &mut World) -> Option<Action> {
        for (key, only) in &self.0 {
            match world.judge(scope.instance, key, maps.find(key.as_bytes(), *only)) {
                Known::Hit(hit) => return Some(action(hit.value.trim().as_str())),
                Known::Nothing | Known::Something(_) => {}
                Known::Fails(_) => return Some(Action::Refuse),
            }
        }
        None
    }
}

/// The names above a domain, as `parent_domain_matches_subdomains` has access tables asked for them.
fn parents<'n>(scope: Scope<'_>, name: &'n str) -> impl Iterator<Item = String> + use<'n> {
    let lists = scope
        .any_parameter("parent_domain_matches_subdomains")
        .words();
    let with_dot = !lists.iter().any(|word| *word == "smtpd_access_maps");
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = rest.split_once('.')?.1;
        Some(if with_dot {
            format!(".{rest}")
        } else {
            rest.to_owned()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_as_smtpd_reads_them() {
        assert_eq!(action("550"), Action::Permit);
        assert_eq!(action("0123456789"), Action::Permit);
        assert_eq!(action("550 no"), Action::Refuse);
        assert_eq!(action("250 ok"), Action::Restrictions("250 ok".to_owned()));
        assert_eq!(action("ok whatever"), Action::Permit);
        assert_eq!(action("Reject 5.1.1 gone"), Action::Refuse);
        assert_eq!(action("defer_if_permit later"), Action::RefuseAtTheEnd);
        assert_eq!(action("hash:/x"), Action::Refuse);
        assert_eq!(action("FILTER smtp:[x]"), Action::Nothing);
    }
}
