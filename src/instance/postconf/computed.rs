//! The defaults that postconf finds out when it runs (`src/postconf/postconf_builtin.c`).
//!
//! For these it looks at main.cf alone: a name that main.cf does not define is nothing, even where it has a
//! default.

use std::sync::OnceLock;

use super::notice::{Notice, NoticeKind};
use super::{GaveUp, Postconf, Scope};
use crate::instance::builtin::Version;
use crate::instance::host::{Host, Resolve};
use crate::source::Text;

/// A default, and what was said on the way to it.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    /// Empty when postconf gives up.
    pub(super) value: Text,
    pub(super) said: Vec<Notice>,
}

impl Outcome {
    fn of(find: impl FnOnce(&mut Vec<Notice>) -> Result<Text, GaveUp>) -> Self {
        let mut said = Vec::new();
        let value = find(&mut said).unwrap_or_default();
        Self { value, said }
    }
}

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
            _ => self.compute(name, scope).value.clone(),
        }
    }

    /// The default of `myhostname`, `mydomain` or `mynetworks`.
    pub(super) fn computed(&self, name: &str) -> Outcome {
        self.compute(name, Scope::Main).clone()
    }

    /// What is said when this default is to be printed.
    pub(super) fn said_of_default(&self, name: &[u8]) -> &[Notice] {
        let name = match name {
            b"myhostname" => "myhostname",
            b"mydomain" => "mydomain",
            b"mynetworks" => "mynetworks",
            _ => return &[],
        };
        &self.compute(name, Scope::Defaults).said
    }

    fn compute(&self, name: &str, scope: Scope) -> &Outcome {
        let computed = &self.computed;
        match name {
            "myhostname" => computed
                .hostname
                .get_or_init(|| Outcome::of(|said| self.hostname(said))),
            "mydomain" => computed
                .domain
                .get_or_init(|| Outcome::of(|said| self.domain(said))),
            _ => computed
                .networks
                .get_or_init(|| Outcome::of(|said| self.networks(scope, said))),
        }
    }

    /// The value of main.cf, expanded with the names of main.cf (`mail_conf_lookup_eval`).
    fn main_value(&self, name: &str, said: &mut Vec<Notice>) -> Result<Option<Text>, GaveUp> {
        match self.main.get(name.as_bytes()) {
            Some(assigned) => self
                .expand_within(&assigned.value, &self.main, "mail_dict", said)
                .map(Some),
            None => Ok(None),
        }
    }

    fn hostname(&self, said: &mut Vec<Notice>) -> Result<Text, GaveUp> {
        let mut name = Text::placeless(&self.computed.host.name);
        if !self.computed.host.name.contains('.') {
            let domain = self.main_value("mydomain", said)?;
            name.push(&Text::placeless("."));
            name.push(&domain.unwrap_or_else(|| Text::placeless("localdomain")));
        }
        Ok(name)
    }

    fn domain(&self, said: &mut Vec<Notice>) -> Result<Text, GaveUp> {
        let hostname = match self.main_value("myhostname", said)? {
            Some(hostname) => hostname,
            None => self.compute("myhostname", Scope::Main).value.clone(),
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

    fn networks(&self, scope: Scope, said: &mut Vec<Notice>) -> Result<Text, GaveUp> {
        let mut value = |name: &str| {
            if scope != Scope::Defaults
                && let Some(value) = self.main_value(name, said)?
            {
                return Ok(value);
            }
            let default = self.default(name.as_bytes(), scope).unwrap_or_default();
            let scope = if scope == Scope::Defaults {
                scope
            } else {
                Scope::Main
            };
            self.expand(&default, scope, said)
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
            Err(reason) => {
                said.push(Notice::new(NoticeKind::Unusable, reason));
                Err(GaveUp)
            }
        }
    }
}
