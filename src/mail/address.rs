//! Addresses: a local part and a domain.

use std::fmt;

use super::quoting::halves;
use super::resolve::Rewriting;
use super::search::Extensions;
use crate::instance::Instance;
use crate::instance::parameter::Scope;

/// An address. The domain is in lower case; the local part is as it was given, without quotes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// What stands before the last `@`.
    pub local: String,
    /// What stands after it.
    pub domain: String,
}

impl Address {
    /// The address of a name in a domain.
    pub fn new(local: impl Into<String>, domain: &str) -> Self {
        Self {
            local: local.into(),
            domain: domain.trim_end_matches('.').to_lowercase(),
        }
    }

    /// An address as an alias or a parameter writes it, made complete as trivial-rewrite(8) does for mail of
    /// this host.
    pub fn written(instance: &Instance, text: &str) -> Self {
        let complete = Rewriting::of(instance).settings.canonical(text);
        let (local, domain) = halves(&complete);
        Self::new(local, domain.unwrap_or_default())
    }

    /// The local part without its extension, and the extension with its delimiter, as a program with this
    /// view splits it.
    pub fn split_extension(&self, scope: Scope<'_>) -> Option<(&str, &str)> {
        Extensions::of(scope).split(&self.local)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}
