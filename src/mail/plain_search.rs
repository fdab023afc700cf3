//! The search of the first form of this model, until all of it asks by [`search`](super::search).

use super::address::Address;
use super::domains::{OwnAddresses, is_own_literal_of};
use super::world::{Known, World};
use crate::instance::parameter::Scope;
use crate::instance::table::{Hit, Maps, Only};

/// What a search gave.
pub(super) enum Found {
    /// The first hit.
    Hit(Hit),
    /// No key is there.
    Nothing,
    /// A lookup failed on the way: mail is put off.
    Fails,
}

/// Looks an address up: `user+ext@domain`, `user@domain`, for domains of this host `user+ext` and `user`, and
/// `@domain`. `scope` is the view of the program that asks.
pub(super) fn find(scope: Scope<'_>, maps: &Maps, address: &Address, world: &mut World) -> Found {
    if maps.is_empty() {
        return Found::Nothing;
    }
    let Address { local, domain } = address;
    let extension = address.split_extension(scope);
    let is_bare = domain.eq_ignore_ascii_case(&scope.any_parameter("myorigin").text())
        || is_local(scope, domain);
    let mut keys = vec![(address.to_string(), Only::All)];
    if let Some((user, _)) = extension {
        keys.push((format!("{user}@{domain}"), Only::Fixed));
    }
    if is_bare {
        keys.push((local.clone(), Only::Fixed));
        if let Some((user, _)) = extension {
            keys.push((user.to_owned(), Only::Fixed));
        }
    }
    keys.push((format!("@{domain}"), Only::Fixed));
    for (key, only) in keys {
        match world.judge(scope.instance, &key, maps.find(key.as_bytes(), only)) {
            Known::Hit(hit) => return Found::Hit(hit),
            Known::Nothing | Known::Something(_) => {}
            Known::Fails(_) => return Found::Fails,
        }
    }
    Found::Nothing
}

/// Whether a domain is local in the view of a program (`src/global/resolve_local.c`).
fn is_local(scope: Scope<'_>, domain: &str) -> bool {
    is_own_literal_of(&OwnAddresses::of(scope), domain)
        || scope.domain_list("mydestination").find(domain).is_listed() == Some(true)
}
