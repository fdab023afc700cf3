//! Whether local delivery is as it comes: what rules want to know of a whole class rather than an address.

use crate::instance::Instance;
use crate::instance::address_class::Class;

impl Instance {
    /// Whether local(8) delivers all mail of the local class, and knows nobody but the users of the system and
    /// the aliases: whoever is neither would bounce.
    pub fn has_stock_local_delivery(&self) -> bool {
        let transport = self
            .program("trivial-rewrite")
            .parameter("local_transport")
            .text();
        let transport = transport.split(':').next().unwrap_or_default();
        let agent = self
            .agent(transport)
            .filter(|agent| agent.line.command() == "local");
        agent.is_some_and(|agent| {
            [
                "mailbox_transport_maps",
                "mailbox_transport",
                "fallback_transport_maps",
                "fallback_transport",
                "luser_relay",
            ]
            .into_iter()
            .all(|name| agent.parameter(name).raw().is_empty())
        }) && !self.may_redirect_local_mail()
    }

    /// Whether `transport_maps` has, or may have, something for a local domain.
    fn may_redirect_local_mail(&self) -> bool {
        let scope = self.program("trivial-rewrite");
        let concerns_local = |key: &str| {
            let domain = key.rsplit_once('@').map_or(key, |(_, domain)| domain);
            domain == "*" || domain.starts_with('.') || self.class_of(domain) == Some(Class::Local)
        };
        let maps = scope.maps("transport_maps", "trivial-rewrite");
        // A table that shows no keys may have something for anybody.
        maps.tables.iter().any(|table| {
            table.visit_keys(&mut |key| !concerns_local(&String::from_utf8_lossy(key)))
                != Some(true)
        })
    }
}
