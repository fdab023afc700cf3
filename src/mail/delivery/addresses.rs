//! What the agents ask about addresses: the canonical form, where one goes, and what tables make of it.

use std::sync::Arc;

use crate::instance::Instance;
use crate::instance::parameter::Scope;
use crate::instance::table::{Hit, Maps};
use crate::mail::quoting;
use crate::mail::resolve::{Resolution, Rewriting};
use crate::mail::search::{Forms, Found, Searcher, results};
use crate::mail::world::World;

/// What a table makes of an address (`mail_addr_map`).
pub(super) enum Mapped {
    /// It has none of the keys.
    Nothing,
    /// The addresses, in internal form, at least one.
    To(Vec<String>),
    /// A table that cannot be looked at, given as `type:name`, decides.
    Something(String),
    /// The lookup fails, or the result is no address.
    Fails,
}

/// What a table has for an address (`mail_addr_find`).
pub(super) enum Entry {
    Nothing,
    Is(Hit),
    Something(String),
    Fails,
}

/// The view of one program: how it splits, folds and searches.
#[derive(Debug)]
pub(super) struct View {
    searcher: Searcher,
    rewriting: Arc<Rewriting>,
}

impl View {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        Self {
            searcher: Searcher::of(scope),
            rewriting: Rewriting::of(scope.instance),
        }
    }

    /// The canonical form; all programs ask trivial-rewrite(8) for it.
    pub(super) fn canonical(&self, address: &str) -> String {
        self.rewriting.settings.canonical(address)
    }

    /// Where an address goes.
    pub(super) fn resolve(
        &self,
        instance: &Instance,
        sender: &str,
        address: &str,
        world: &mut World,
    ) -> Resolution {
        self.rewriting.resolve(instance, sender, address, world)
    }

    /// Looks an address up in its external form, and reads what is found as addresses.
    pub(super) fn map(
        &self,
        instance: &Instance,
        maps: &Maps,
        address: &str,
        propagates: bool,
        world: &mut World,
    ) -> Mapped {
        match self
            .searcher
            .find(instance, maps, address, Forms::External, world)
        {
            Found::Nothing => Mapped::Nothing,
            Found::Something(table) => Mapped::Something(table),
            Found::Fails(_) => Mapped::Fails,
            Found::Hit(hit, rest) => {
                let settings = &self.rewriting.settings;
                let found = results(settings, hit.value.as_str(), address, &rest, propagates);
                found.map_or(Mapped::Fails, Mapped::To)
            }
        }
    }

    /// Looks an address up.
    pub(super) fn find(
        &self,
        instance: &Instance,
        maps: &Maps,
        address: &str,
        world: &mut World,
    ) -> Entry {
        match self
            .searcher
            .find(instance, maps, address, Forms::Both, world)
        {
            Found::Nothing => Entry::Nothing,
            Found::Something(table) => Entry::Something(table),
            Found::Fails(_) => Entry::Fails,
            Found::Hit(hit, _) => Entry::Is(hit),
        }
    }

    /// An address in lower case.
    pub(super) fn folded(&self, address: &str) -> String {
        self.searcher.folded(address)
    }

    /// The name in front of the extension, and the extension with its delimiter.
    pub(super) fn split<'a>(&self, local: &'a str) -> Option<(&'a str, &'a str)> {
        self.searcher.extensions.split(local)
    }
}

/// Local part and domain.
pub(super) fn halves(address: &str) -> (&str, &str) {
    let (local, domain) = quoting::halves(address);
    (local, domain.unwrap_or_default())
}

/// An address in external form.
pub(super) fn external(address: &str) -> String {
    quoting::external(address).into_owned()
}

/// Whether two addresses are the same but for the case of their letters.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.to_lowercase() == other.to_lowercase()
}
