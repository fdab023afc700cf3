//! The search for an address that most tables are asked with (`src/global/mail_addr_find.c`), and the
//! addresses in what it finds (`src/global/mail_addr_map.c`).

use std::borrow::Cow;

use super::domains::Locality;
use super::quoting::{self, external, external_local, halves};
use super::rewrite::RewriteSettings;
use super::world::{Known, World};
use crate::instance::Instance;
use crate::instance::builtin::Version;
use crate::instance::domain_list::folds_utf8;
use crate::instance::parameter::Scope;
use crate::instance::table::fold::fold;
use crate::instance::table::{Hit, LookupError, Maps, Only};
use crate::syntax::token;

/// What a search gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// The first hit, and the extension that its key did not have (else empty).
    Hit(Hit, String),
    /// A table that cannot be looked at, given as `type:name`, has a key; nobody knows the value.
    Something(String),
    /// No key is there.
    Nothing,
    /// A lookup failed on the way: mail is put off.
    Fails(LookupError),
}

/// Which forms of an address are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forms {
    /// The external form first, then the internal one where it differs; before 3.2 the latter alone.
    Both,
    /// As cleanup(8) asks.
    External,
}

/// Which keys are asked for, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// `user+ext@domain`, `user@domain`, for domains of this host `user+ext` and `user`, `@domain`.
    Address,
    /// `user+ext@domain`, `user@domain`, `domain`, and the domains above: `.parent`, or `parent`.
    Transport {
        /// Domains above are asked for without their dot (`parent_domain_matches_subdomains`).
        plain_parents: bool,
    },
    /// As [`Keys::Transport`], then `user+ext@` and `user@`.
    Access {
        /// As above.
        plain_parents: bool,
    },
}

/// A text folded as Postfix folds (`src/util/casefold.c`).
pub(super) fn folded(text: &str, is_utf8: bool) -> Cow<'_, str> {
    match fold(Cow::Borrowed(text.as_bytes()), is_utf8) {
        Cow::Borrowed(_) => Cow::Borrowed(text),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// How local parts are split (`src/global/split_addr.c`).
#[derive(Clone, Debug)]
pub(super) struct Extensions {
    delimiters: String,
    /// Folded.
    bounce: String,
    owner_request_special: bool,
    is_utf8: bool,
}

impl Extensions {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let mut delimiters = scope.any_parameter("recipient_delimiter").text();
        // A set since 2.11.
        if scope.instance.version() < Version::release(2, 11, 0) {
            delimiters.truncate(delimiters.chars().next().map_or(0, char::len_utf8));
        }
        let is_utf8 = folds_utf8(scope);
        let bounce = scope.any_parameter("double_bounce_sender").text();
        Self {
            delimiters,
            bounce: folded(&bounce, is_utf8).into_owned(),
            owner_request_special: scope.any_parameter("owner_request_special").flag()
                == Some(true),
            is_utf8,
        }
    }

    /// The name in front of the extension, and the extension with its delimiter; `None` without one.
    pub(super) fn split<'a>(&self, local: &'a str) -> Option<(&'a str, &'a str)> {
        if self.delimiters.is_empty() {
            return None;
        }
        let at = local.find(|c| self.delimiters.contains(c))?;
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        if at == 0
            || is("postmaster")
            || is("mailer-daemon")
            || folded(local, self.is_utf8) == self.bounce
        {
            return None;
        }
        if self.owner_request_special && self.delimiters.contains('-') {
            let lower = local.to_ascii_lowercase();
            if lower.starts_with("owner-") || (lower.ends_with("-request") && lower.len() > 8) {
                return None;
            }
        }
        Some(local.split_at(at))
    }
}

/// The view of a program that searches.
#[derive(Clone, Debug)]
pub(super) struct Searcher {
    pub(super) extensions: Extensions,
    pub(super) locality: Locality,
    /// Folded.
    myorigin: String,
    has_twins: bool,
    is_utf8: bool,
}

impl Searcher {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let is_utf8 = folds_utf8(scope);
        let myorigin = scope.origin();
        Self {
            extensions: Extensions::of(scope),
            locality: Locality::of(scope),
            myorigin: folded(&myorigin, is_utf8).into_owned(),
            has_twins: scope.instance.version() >= Version::release(3, 2, 0),
            is_utf8,
        }
    }

    /// An address in lower case, as smtpd, local and virtual fold what they look up.
    pub(super) fn folded(&self, address: &str) -> String {
        folded(address, self.is_utf8).into_owned()
    }

    /// Looks an address in internal form up with the keys of [`Keys::Address`].
    pub(super) fn find(
        &self,
        instance: &Instance,
        maps: &Maps,
        address: &str,
        forms: Forms,
        world: &mut World,
    ) -> Found {
        self.find_keys(instance, maps, address, forms, Keys::Address, world)
    }

    /// Looks an address in internal form up (`mail_addr_find_opt`).
    pub(super) fn find_keys(
        &self,
        instance: &Instance,
        maps: &Maps,
        address: &str,
        forms: Forms,
        keys: Keys,
        world: &mut World,
    ) -> Found {
        if maps.is_empty() {
            return Found::Nothing;
        }
        let mut search = Search {
            searcher: self,
            instance,
            maps,
            forms,
            world,
        };
        search.find(address, keys).unwrap_or(Found::Nothing)
    }
}

/// A search on its way.
struct Search<'a> {
    searcher: &'a Searcher,
    instance: &'a Instance,
    maps: &'a Maps,
    forms: Forms,
    world: &'a mut World,
}

impl Search<'_> {
    fn find(&mut self, address: &str, keys: Keys) -> Option<Found> {
        let (local, domain) = halves(address);
        let split = self.searcher.extensions.split(local);
        if let Some(found) = self.ask(address, &external(address), "", Only::All) {
            return Some(found);
        }
        if let Some((user, rest)) = split {
            let key = match domain {
                Some(domain) => format!("{user}@{domain}"),
                None => user.to_owned(),
            };
            if let Some(found) = self.ask(&key, &external(&key), rest, Only::Fixed) {
                return Some(found);
            }
        }
        let domain = domain?;
        match keys {
            Keys::Address => {
                match self.is_bare(domain) {
                    Err(error) => return Some(Found::Fails(error)),
                    Ok(false) => {}
                    Ok(true) => {
                        for (name, rest) in [Some((local, "")), split].into_iter().flatten() {
                            let found = self.ask(name, &external_local(name), rest, Only::Fixed);
                            if found.is_some() {
                                return found;
                            }
                        }
                    }
                }
                self.one(&address[local.len()..], "", Only::Fixed)
            }
            Keys::Transport { plain_parents } => self.domains(domain, plain_parents),
            Keys::Access { plain_parents } => {
                if let Some(found) = self.domains(domain, plain_parents) {
                    return Some(found);
                }
                for (name, rest) in [Some((local, "")), split].into_iter().flatten() {
                    let key = format!("{name}@");
                    if let Some(found) = self.ask(&key, &external(&key), rest, Only::Fixed) {
                        return Some(found);
                    }
                }
                None
            }
        }
    }

    /// `domain`, and the domains above.
    fn domains(&mut self, domain: &str, plain_parents: bool) -> Option<Found> {
        let mut name = domain;
        while let Some(first) = name.chars().next() {
            if let Some(found) = self.one(name, "", Only::Fixed) {
                return Some(found);
            }
            let dot = name[first.len_utf8()..].find('.')? + first.len_utf8();
            name = &name[if plain_parents { dot + 1 } else { dot }..];
        }
        None
    }

    /// Whether names without a domain are looked up for a domain, too.
    fn is_bare(&mut self, domain: &str) -> Result<bool, LookupError> {
        let searcher = self.searcher;
        if folded(domain, searcher.is_utf8) == searcher.myorigin {
            return Ok(true);
        }
        let own = (searcher.locality).own(self.instance, domain, self.world)?;
        Ok(own.is_some())
    }

    /// Asks for one key in its forms; `None` when no table has it.
    fn ask(&mut self, key: &str, quoted: &str, rest: &str, only: Only) -> Option<Found> {
        let differs = quoted != key;
        if (self.forms == Forms::External || self.searcher.has_twins || !differs)
            && let Some(found) = self.one(quoted, rest, only)
        {
            return Some(found);
        }
        if differs && self.forms == Forms::Both {
            return self.one(key, rest, only);
        }
        None
    }

    fn one(&mut self, key: &str, rest: &str, only: Only) -> Option<Found> {
        one(self.instance, self.maps, key, rest, only, self.world)
    }
}

/// Asks for one key as it is.
pub(super) fn one(
    instance: &Instance,
    maps: &Maps,
    key: &str,
    rest: &str,
    only: Only,
    world: &mut World,
) -> Option<Found> {
    let found = match world.judge(instance, key, maps.find(key.as_bytes(), only)) {
        Known::Nothing => return None,
        Known::Hit(hit) => {
            world.explain(hit.span.or(hit.key_span), || {
                format!("{}: {key} is {}", maps.title, hit.value)
            });
            Found::Hit(hit, rest.to_owned())
        }
        Known::Something(table) => {
            world.explain(None, || format!("{}: {table} has {key}", maps.title));
            Found::Something(table)
        }
        Known::Fails(error) => {
            world.explain(None, || format!("{}: {}", maps.title, error.message));
            Found::Fails(error)
        }
    };
    Some(found)
}

/// The addresses, in internal form and complete, that a result stands for (`mail_addr_map`); `asked` is the
/// address that was looked up, `rest` the extension that no key matched, `propagates` whether it is passed on.
/// `None` when there is none, which counts as an error.
pub(super) fn results(
    settings: &RewriteSettings,
    result: &str,
    asked: &str,
    rest: &str,
    propagates: bool,
) -> Option<Vec<String>> {
    let text = if result.starts_with('@') {
        let (local, _) = halves(asked);
        let local = local.strip_suffix(rest).unwrap_or(local);
        Cow::Owned(external(&format!("{local}{result}")).into_owned())
    } else {
        Cow::Borrowed(result)
    };
    let found = crunched(settings, &text, if propagates { rest } else { "" });
    (!found.is_empty()).then_some(found)
}

/// The addresses in a text in external form, complete and in internal form, with `extension` behind each
/// local part (`mail_addr_crunch`).
pub(super) fn crunched(settings: &RewriteSettings, text: &str, extension: &str) -> Vec<String> {
    let text = if text.is_empty() || text == "<>" {
        "\"\""
    } else {
        text
    };
    token::addresses(text.as_bytes())
        .iter()
        .map(|address| {
            let external = address.external(text.as_bytes());
            let complete = settings.canonical_external(&String::from_utf8_lossy(&external));
            let mut one = quoting::internal(&complete).into_owned();
            if !extension.is_empty() {
                one.insert_str(halves(&one).0.len(), extension);
            }
            one
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extensions(delimiters: &str) -> Extensions {
        Extensions {
            delimiters: delimiters.to_owned(),
            bounce: "double-bounce".to_owned(),
            owner_request_special: true,
            is_utf8: true,
        }
    }

    #[test]
    fn local_parts_are_split() {
        let plus = extensions("+");
        assert_eq!(plus.split("anna+x+y"), Some(("anna", "+x+y")));
        assert_eq!(plus.split("+anna"), None);
        assert_eq!(plus.split("anna"), None);
        assert_eq!(plus.split("owner-x+y"), Some(("owner-x", "+y")));
        let both = extensions("+-");
        assert_eq!(both.split("f-x+y"), Some(("f", "-x+y")));
        assert_eq!(both.split("owner-x+y"), None);
        assert_eq!(both.split("list-request"), None);
        assert_eq!(both.split("Double-Bounce"), None);
        assert_eq!(both.split("double-bounce+x"), Some(("double", "-bounce+x")));
        assert_eq!(extensions("").split("anna+x"), None);
    }
}
