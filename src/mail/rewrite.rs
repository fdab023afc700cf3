//! How trivial-rewrite(8) makes an address complete (`src/trivial-rewrite/rewrite.c`).

use super::quoting::{self, Part, parts};
use crate::instance::parameter::Scope;

/// The settings that decide.
#[derive(Clone, Debug)]
pub(super) struct RewriteSettings {
    pub(super) swap_bangpath: bool,
    pub(super) percent_hack: bool,
    append_at_myorigin: bool,
    append_dot_mydomain: bool,
    pub(super) myorigin: String,
    mydomain: String,
}

impl RewriteSettings {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let text = |name| scope.any_parameter(name).text();
        Self {
            swap_bangpath: flag("swap_bangpath"),
            percent_hack: flag("allow_percent_hack"),
            append_at_myorigin: flag("append_at_myorigin"),
            append_dot_mydomain: flag("append_dot_mydomain"),
            myorigin: scope.origin(),
            mydomain: text("mydomain"),
        }
    }

    /// The canonical form of an address, both in internal form; local rewriting context.
    pub(super) fn canonical(&self, address: &str) -> String {
        let is_done = quoting::is_plain(address)
            && (!self.append_dot_mydomain
                || address
                    .rsplit_once('@')
                    .is_some_and(|(_, domain)| domain.contains('.')));
        if is_done || address.is_empty() {
            return address.to_owned();
        }
        quoting::internal(&self.canonical_external(&quoting::external(address))).into_owned()
    }

    /// As [`RewriteSettings::canonical`], from external form to external form.
    pub(super) fn canonical_external(&self, address: &str) -> String {
        let mut parts = parts(address);
        self.rewrite(&mut parts);
        quoting::external_of(&parts)
    }

    /// `rewrite_tree`.
    pub(super) fn rewrite(&self, address: &mut Vec<Part>) {
        if let [Part::Quoted(text)] = address.as_slice()
            && text.is_empty()
        {
            return;
        }
        if let [part] = address.as_slice()
            && part.is(b'@')
        {
            address[0] = Part::Quoted(String::new());
            return;
        }
        // A source route.
        if address.first().is_some_and(|part| part.is(b'@'))
            && let Some(at) = address.iter().position(|part| part.is(b':'))
            && at + 1 < address.len()
        {
            address.drain(..=at);
        }
        if !address.iter().any(|part| part.is(b'@')) {
            self.complete(address);
        }
        let at = address.iter().rposition(|part| part.is(b'@'));
        if self.append_dot_mydomain
            && !self.mydomain.is_empty()
            && let Some(at) = at
            && at + 1 < address.len()
            && !address[at + 1..]
                .iter()
                .any(|part| part.is(b'.') || matches!(part, Part::Literal(_)))
        {
            address.push(Part::Operator(b'.'));
            address.extend(parts(&self.mydomain));
        }
        if let [.., before, last] = address.as_slice()
            && last.is(b'.')
            && !before.is(b'.')
            && !before.is(b'@')
        {
            address.pop();
        }
    }

    /// An address without `@` gets one.
    fn complete(&self, address: &mut Vec<Part>) {
        if self.swap_bangpath
            && let Some(at) = address.iter().position(|part| part.is(b'!'))
        {
            let local = address.split_off(at + 1);
            address.pop();
            let domain = std::mem::replace(address, local);
            address.push(Part::Operator(b'@'));
            address.extend(domain);
        } else if self.percent_hack
            && let Some(at) = address.iter().rposition(|part| part.is(b'%'))
        {
            address[at] = Part::Operator(b'@');
        } else if self.append_at_myorigin && !self.myorigin.is_empty() {
            address.push(Part::Operator(b'@'));
            address.extend(parts(&self.myorigin));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_complete() {
        let mut settings = RewriteSettings {
            swap_bangpath: true,
            percent_hack: true,
            append_at_myorigin: true,
            append_dot_mydomain: false,
            myorigin: "mail.example.com".to_owned(),
            mydomain: "example.com".to_owned(),
        };
        for (address, complete) in [
            ("anna", "anna@mail.example.com"),
            ("anna@far.test", "anna@far.test"),
            ("anna@far.test.", "anna@far.test"),
            ("anna@localhost", "anna@localhost"),
            ("a!b!c", "b!c@a"),
            ("u%a%b", "u%a@b"),
            ("@a.test,@b.test:anna@far.test", "anna@far.test"),
            ("anna@[192.0.2.1]", "anna@[192.0.2.1]"),
        ] {
            assert_eq!(settings.canonical(address), complete, "{address}");
        }
        settings.append_dot_mydomain = true;
        assert_eq!(
            settings.canonical("anna@localhost"),
            "anna@localhost.example.com"
        );
        assert_eq!(settings.canonical("anna@[192.0.2.1]"), "anna@[192.0.2.1]");
        settings.append_at_myorigin = false;
        assert_eq!(settings.canonical("anna"), "anna");
    }
}
