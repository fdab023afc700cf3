//! Addresses that nobody has, to show what happens to mail for them.

use super::address_class::Class;
use super::domain_list::domain_list;
use super::service::Service;

/// A local part that no table should have.
const NOBODY: &str = "no-such-user-x7q2";

impl Service<'_> {
    /// An address in a domain of the class that nobody has; `None` when the class has no domain that can be
    /// named.
    pub fn unknown_recipient(&self, class: Class) -> Option<String> {
        let name = class.facts().domains?;
        let list = domain_list(self.instance.scope(), name);
        let (domain, _) = list.domains(1_000).into_iter().find(|(domain, _)| {
            !domain.starts_with('.')
                && domain.contains('.')
                && list.find(domain).is_listed() == Some(true)
        })?;
        Some(format!("{NOBODY}@{domain}"))
    }
}
