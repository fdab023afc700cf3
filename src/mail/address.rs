//! Addresses: a local part and a domain.

use std::fmt;

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
    /// this host (`src/trivial-rewrite/rewrite.c`). Source routes and quotes in domains are not known here.
    pub fn written(scope: Scope<'_>, text: &str) -> Self {
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let (local, domain) = match text.rsplit_once('@') {
            Some((local, domain)) => (local.to_owned(), domain.to_owned()),
            None => match (text.split_once('!'), text.rsplit_once('%')) {
                (Some((domain, local)), _) if flag("swap_bangpath") => {
                    (local.to_owned(), domain.to_owned())
                }
                (_, Some((local, domain))) if flag("allow_percent_hack") => {
                    (local.to_owned(), domain.to_owned())
                }
                _ => (text.to_owned(), scope.any_parameter("myorigin").text()),
            },
        };
        let needs_domain = !domain.contains('.') && !domain.starts_with('[') && !domain.is_empty();
        if needs_domain && flag("append_dot_mydomain") {
            let parent = scope.any_parameter("mydomain").text();
            return Self::new(local, &format!("{domain}.{parent}"));
        }
        Self::new(local, &domain)
    }

    /// The local part without its extension, and the extension with its delimiter
    /// (`src/global/split_addr.c`).
    pub fn split_extension(&self, scope: Scope<'_>) -> Option<(&str, &str)> {
        let delimiters = scope.any_parameter("recipient_delimiter").text();
        if delimiters.is_empty() {
            return None;
        }
        let local = self.local.to_lowercase();
        let bounce = scope.any_parameter("double_bounce_sender").text();
        if ["postmaster", "mailer-daemon", &bounce.to_lowercase()].contains(&local.as_str()) {
            return None;
        }
        let owner = scope.any_parameter("owner_request_special").flag() == Some(true)
            && (local.starts_with("owner-") || (local.ends_with("-request") && local.len() > 8));
        if owner && delimiters.contains('-') {
            return None;
        }
        let at = self
            .local
            .find(|c| delimiters.contains(c))
            .filter(|&at| at > 0)?;
        Some(self.local.split_at(at))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}
