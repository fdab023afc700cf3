//! The defaults that postconf finds out when it runs (`src/postconf/postconf_builtin.c`).
//!
//! For these it looks at main.cf alone: a name that main.cf does not define is nothing, even where it has a
//! default.

use std::sync::OnceLock;

use super::notice::{Notice, NoticeKind};
use super::{Postconf, Scope};
use crate::instance::builtin::Version;
use crate::instance::host::{Host, Resolve};
use crate::source::Text;

/// A default, or what is said before postconf gives up.
pub(super) type Outcome = Result<Text, Vec<Notice>>;

/// The machine, and what was found out.
#[derive(Debug)]
pub(super) struct Computed {
    host: Host,
    resolve: Resolve,
    hostname: OnceLock<Outcome>,
    domain: OnceLock<Outcome>,
    networks: OnceLock<Outcome>,
}

impl Computed {
    pub(super) fn new(host: Host, resolve: Resolve) -> Self {
        Self {
            host,
            resolve,
            hostname: OnceLock::new(),
            domain: OnceLock::new(),
            networks: OnceLock::new(),
        }
    }
}

impl Postconf {
    /// A computed default; empty where there is none because postconf gives up.
    pub(super) fn computed_default(&self, name: &str, scope: Scope) -> Text {
        match name {
            "process_name" => Text::placeless("postconf"),
            "process_id" => Text::placeless(&std::process::id().to_string()),
            _ => self.compute(name, scope).clone().unwrap_or_default(),
        }
    }

    /// The default of `myhostname`, `mydomain` or `mynetworks`.
    ///
    /// # Errors
    /// What postconf says before it gives up.
    pub(super) fn computed(&self, name: &str) -> Outcome {
        self.compute(name, Scope::Main).clone()
    }

    /// What postconf says before it gives up, when it is to print this default.
    pub(super) fn default_notices(&self, name: &[u8]) -> Vec<Notice> {
        let name = match name {
            b"myhostname" => "myhostname",
            b"mydomain" => "mydomain",
            b"mynetworks" => "mynetworks",
            _ => return Vec::new(),
        };
        let outcome = self.compute(name, Scope::Defaults).clone();
        outcome.err().unwrap_or_default()
    }

    fn compute(&self, name: &str, scope: Scope) -> &Outcome {
        let computed = &self.computed;
        match name {
            "myhostname" => computed.hostname.get_or_init(|| self.hostname()),
            "mydomain" => computed.domain.get_or_init(|| self.domain()),
            _ => computed.networks.get_or_init(|| self.networks(scope)),
        }
    }

    /// The value of main.cf, expanded with the names of main.cf (`mail_conf_lookup_eval`).
    fn main_value(&self, name: &str) -> Result<Option<Text>, Vec<Notice>> {
        match self.main.get(name.as_bytes()) {
            Some(assigned) => self
                .expand_within(&assigned.value, &self.main, "mail_dict")
                .map(Some),
            None => Ok(None),
        }
    }

    fn hostname(&self) -> Outcome {
        let mut name = Text::placeless(&self.computed.host.name);
        if !self.computed.host.name.contains('.') {
            let domain = self.main_value("mydomain")?;
            name.push(&Text::placeless("."));
            name.push(&domain.unwrap_or_else(|| Text::placeless("localdomain")));
        }
        Ok(name)
    }

    fn domain(&self) -> Outcome {
        let hostname = match self.main_value("myhostname")? {
            Some(hostname) => hostname,
            None => self.compute("myhostname", Scope::Main).clone()?,
        };
        let dots: Vec<usize> = memchr::memchr_iter(b'.', hostname.as_bytes()).collect();
        // Before Postfix 3.0, "mail.example" has no domain.
        let needed = if self.version < Version::release(3, 0, 0) {
            2
        } else {
            1
        };
        match dots.first() {
            Some(dot) if dots.len() >= needed => Ok(hostname.slice(dot + 1..hostname.len())),
            _ => Ok(Text::placeless("localdomain")),
        }
    }

    fn networks(&self, scope: Scope) -> Outcome {
        let value = |name: &str| -> Result<Text, Vec<Notice>> {
            if scope != Scope::Defaults
                && let Some(value) = self.main_value(name)?
            {
                return Ok(value);
            }
            let default = self.default(name.as_bytes(), scope).unwrap_or_default();
            let scope = if scope == Scope::Defaults {
                scope
            } else {
                Scope::Main
            };
            self.expand(&default, scope)
        };
        let interfaces = value("inet_interfaces")?;
        let style = value("mynetworks_style")?;
        let protocols = value("inet_protocols")?;
        let networks = self.computed.host.networks(
            style.as_str(),
            interfaces.as_str(),
            protocols.as_str(),
            self.computed.resolve,
        );
        match networks {
            // Postfix leaves a blank behind each network.
            Ok(networks) if !networks.is_empty() => Ok(Text::placeless(&(networks + " "))),
            Ok(_) => Ok(Text::new()),
            Err(reason) => Err(vec![Notice::new(NoticeKind::Unusable, reason)]),
        }
    }
}
