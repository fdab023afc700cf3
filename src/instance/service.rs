//! The services of master.cf, each with its own view of the parameters.

use super::Instance;
use super::parameter::{Parameter, Scope};
use crate::source::Span;
use crate::syntax::main_cf::Setting;
use crate::syntax::master_cf::ServiceLine;

/// A service: one line of master.cf in the instance that it belongs to.
#[derive(Clone, Copy, Debug)]
pub struct Service<'i> {
    /// The instance.
    pub instance: &'i Instance,
    /// The line.
    pub line: &'i ServiceLine,
}

/// Where the clients of a service can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Other hosts can connect.
    Network,
    /// Only this host can: the service listens on loopback addresses, or on a local socket.
    ThisHost,
    /// Nobody can: the service is switched off.
    Nobody,
}

impl<'i> Service<'i> {
    /// The service name, as written.
    pub fn name(&self) -> &'i str {
        self.line.name()
    }

    /// `name/type`, as Postfix's tools name a service.
    pub fn label(&self) -> String {
        format!("{}/{}", self.line.name(), self.line.kind())
    }

    /// Where the service is written; `None` for a stock service that stands in for one that no file has.
    pub fn span(&self) -> Option<Span> {
        (!self.instance.is_assumed(self.line)).then(|| self.line.head_span())
    }

    /// This service's view of the parameters.
    pub fn scope(&self) -> Scope<'i> {
        Scope {
            instance: self.instance,
            service: Some(*self),
        }
    }

    /// A parameter as this service sees it.
    pub fn parameter(&self, name: &'static str) -> Parameter<'i> {
        self.scope().parameter(name)
    }

    /// The override of a name; the last one wins.
    pub fn override_of(&self, name: &[u8]) -> Option<&'i Setting> {
        self.line
            .overrides
            .iter()
            .rev()
            .find(|setting| setting.name.as_bytes() == name)
    }

    /// Who can connect.
    pub fn reach(&self) -> Reach {
        if !self.line.is_complete() || self.instance.is_disabled(self.line) {
            return Reach::Nobody;
        }
        match self.line.kind() {
            "inet" => self.inet_reach(),
            // postscreen(8) hands connections over, and so does any other front end.
            "pass" => self
                .instance
                .services()
                .filter(|front| {
                    front.line.command() == "postscreen"
                        && front.parameter("smtpd_service_name").text() == self.name()
                })
                .map(|front| front.reach())
                .find(|reach| *reach == Reach::Network)
                .unwrap_or(Reach::ThisHost),
            _ => Reach::ThisHost,
        }
    }

    fn inet_reach(&self) -> Reach {
        let main = self.instance.scope();
        if main.parameter("inet_protocols").is_empty() {
            return Reach::Nobody;
        }
        if let Some(host) = host_part(self.name()) {
            return if is_loopback(host) {
                Reach::ThisHost
            } else {
                Reach::Network
            };
        }
        let interfaces = main.parameter("inet_interfaces");
        let words = interfaces.words();
        if words.is_empty() || words.iter().all(|word| is_loopback(word.as_str())) {
            Reach::ThisHost
        } else {
            Reach::Network
        }
    }

    /// The port as a number, for an inet service whose port is a number or a well-known name.
    pub fn port(&self) -> Option<u16> {
        port_of(self.name())
    }
}

/// The port in the name of an inet service: a number or a well-known name, perhaps behind a host.
pub fn port_of(name: &str) -> Option<u16> {
    let port = name.rsplit_once(':').map_or(name, |(_, port)| port);
    match port {
        "smtp" => Some(25),
        "smtps" | "submissions" => Some(465),
        "submission" => Some(587),
        "lmtp" => Some(24),
        number => number.parse().ok(),
    }
}

/// The host in front of the port of an inet service name; `None` when it listens on all
/// `inet_interfaces`.
fn host_part(name: &str) -> Option<&str> {
    let (host, _) = name.rsplit_once(':')?;
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    let host = host.strip_prefix("ipv6:").unwrap_or(host);
    (!host.is_empty()).then_some(host)
}

/// Whether an address or name of this host is reached from this host only.
fn is_loopback(host: &str) -> bool {
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.eq_ignore_ascii_case("localhost")
        || host.eq_ignore_ascii_case("localhost.localdomain")
        || host == "loopback-only"
        || host == "::1"
        || (host.starts_with("127.")
            && host
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.'))
}
