//! The search for an address that most tables are asked with (`src/global/mail_addr_find.c`), and the
//! addresses in what it finds (`src/global/mail_addr_map.c`).

use std::borrow::Cow;
use std::sync::Arc;

use super::domains::{InList, is_in_list, is_own_literal_of};
use super::quoting::{external, halves};
use super::rewrite::RewriteSettings;
use super::world::{Known, World};
use crate::instance::Instance;
use crate::instance::builtin::Version;
use crate::instance::domain_list::DomainList;
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

/// How local parts are split (`src/global/split_addr.c`).
#[derive(Clone, Debug)]
pub(super) struct Extensions {
    delimiters: String,
    bounce: String,
    owner_request_special: bool,
}

impl Extensions {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let mut delimiters = scope.any_parameter("recipient_delimiter").text();
        // A set since 2.11.
        if scope.instance.version() < Version::release(2, 11, 0) {
            delimiters.truncate(delimiters.chars().next().map_or(0, char::len_utf8));
        }
        Self {
            delimiters,
            bounce: scope.any_parameter("double_bounce_sender").text(),
            owner_request_special: scope.any_parameter("owner_request_special").flag()
                == Some(true),
        }
    }

    /// The name in front of the extension, and the extension with its delimiter; `None` without one.
    pub(super) fn split<'a>(&self, local: &'a str) -> Option<(&'a str, &'a str)> {
        if self.delimiters.is_empty() {
            return None;
        }
        let at = local.find(|c| self.delimiters.contains(c))?;
        let is = |name: &str| local.eq_ignore_ascii_case(name);
        if at == 0 || is("postmaster") || is("mailer-daemon") || is(&self.bounce) {
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
    myorigin: String,
    mydestination: Arc<DomainList>,
    literals: super::domains::OwnAddresses,
    has_twins: bool,
    is_utf8: bool,
}

impl Searcher {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        Self {
            extensions: Extensions::of(scope),
            myorigin: scope.any_parameter("myorigin").text(),
            mydestination: scope.domain_list("mydestination"),
            literals: super::domains::OwnAddresses::of(scope),
            has_twins: scope.instance.version() >= Version::release(3, 2, 0),
            is_utf8: scope.instance.version() >= Version::release(3, 0, 0)
                && scope.any_parameter("smtputf8_enable").flag() == Some(true),
        }
    }

    /// An address in lower case, as smtpd, local and virtual fold what they look up.
    pub(super) fn folded(&self, address: &str) -> String {
        let folded = fold(Cow::Borrowed(address.as_bytes()), self.is_utf8);
        String::from_utf8_lossy(&folded).into_owned()
    }

    /// Whether names without a domain are looked up for a domain, too.
    fn is_bare(
        &self,
        instance: &Instance,
        domain: &str,
        world: &mut World,
    ) -> Result<bool, LookupError> {
        if domain.eq_ignore_ascii_case(&self.myorigin) {
            return Ok(true);
        }
        match is_in_list(instance, &self.mydestination, domain, world) {
            InList::Yes => Ok(true),
            InList::No => Ok(is_own_literal_of(&self.literals, domain)),
            InList::Fails(error) => Err(error),
        }
    }

    /// Looks an address in internal form up: `user+ext@domain`, `user@domain`, for domains of this host
    /// `user+ext` and `user`, and `@domain`.
    pub(super) fn find(
        &self,
        instance: &Instance,
        maps: &Maps,
        address: &str,
        forms: Forms,
        world: &mut World,
    ) -> Found {
        if maps.is_empty() {
            return Found::Nothing;
        }
        let (local, domain) = halves(address);
        let split = self.extensions.split(local);
        if let Some(found) = self.ask(instance, maps, address, "", Only::All, forms, world) {
            return found;
        }
        if let (Some((user, rest)), Some(domain)) = (split, domain)
            && let Some(found) = self.ask(
                instance,
                maps,
                &format!("{user}@{domain}"),
                rest,
                Only::Fixed,
                forms,
                world,
            )
        {
            return found;
        }
        let Some(domain) = domain else {
            return Found::Nothing;
        };
        match self.is_bare(instance, domain, world) {
            Err(error) => return Found::Fails(error),
            Ok(false) => {}
            Ok(true) => {
                let names = [Some((local, "")), split];
                for (name, rest) in names.into_iter().flatten() {
                    if let Some(found) =
                        self.ask(instance, maps, name, rest, Only::Fixed, forms, world)
                    {
                        return found;
                    }
                }
            }
        }
        let key = format!("@{domain}");
        one(instance, maps, &key, "", Only::Fixed, world).unwrap_or(Found::Nothing)
    }

    /// Asks for one key in its forms; `None` when no table has it.
    #[expect(
        clippy::too_many_arguments,
        reason = "the lookup and its circumstances"
    )]
    pub(super) fn ask(
        &self,
        instance: &Instance,
        maps: &Maps,
        key: &str,
        rest: &str,
        only: Only,
        forms: Forms,
        world: &mut World,
    ) -> Option<Found> {
        let quoted = external(key);
        let differs = quoted != key;
        if (forms == Forms::External || self.has_twins || !differs)
            && let Some(found) = one(instance, maps, &quoted, rest, only, world)
        {
            return Some(found);
        }
        if differs && forms == Forms::Both {
            return one(instance, maps, key, rest, only, world);
        }
        None
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

/// The addresses, in internal form and complete, that a result stands for; `asked` is the address that was
/// looked up, `rest` the extension that no key matched, `propagates` whether it is passed on. `None` when there
/// is none, which counts as an error.
pub(super) fn results(
    settings: &RewriteSettings,
    result: &str,
    asked: &str,
    rest: &str,
    propagates: bool,
) -> Option<Vec<String>> {
    let with_local;
    let text = if result.starts_with('@') {
        let (local, _) = halves(asked);
        let local = local.strip_suffix(rest).unwrap_or(local);
        with_local = format!("{}{result}", external_local(local));
        &with_local
    } else {
        result
    };
    let addresses = token::addresses(text.as_bytes());
    let found: Vec<String> = addresses
        .iter()
        .map(|address| {
            let internal = address.internal(text.as_bytes());
            let complete = settings.canonical(&String::from_utf8_lossy(&internal));
            if !propagates || rest.is_empty() {
                return complete;
            }
            match halves(&complete) {
                (local, Some(domain)) => format!("{local}{rest}@{domain}"),
                (local, None) => format!("{local}{rest}"),
            }
        })
        .collect();
    // `<>` is an address, and an empty one.
    if found.is_empty() && text.contains("<>") {
        return Some(vec![String::new()]);
    }
    (!found.is_empty()).then_some(found)
}

/// A local part alone, in external form.
fn external_local(local: &str) -> String {
    let quoted = external(local);
    if quoted == local && local.contains('@') {
        // `external` takes an `@` for the end of the local part.
        return format!("\"{local}\"");
    }
    quoted.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extensions(delimiters: &str) -> Extensions {
        Extensions {
            delimiters: delimiters.to_owned(),
            bounce: "double-bounce".to_owned(),
            owner_request_special: true,
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
