//! The defaults that postconf prints: from the tables, from the machine, and from the way in which Postfix
//! was built.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Postconf, Scope};
use crate::instance::builtin::{Builtin, Version};
use crate::instance::installed::build_defaults;
use crate::source::Text;

/// What the installed Postfix was built with, asked for when something depends on it.
#[derive(Debug)]
pub(super) struct BuildDefaults {
    ask_installed: bool,
    known: OnceLock<BTreeMap<String, String>>,
}

impl BuildDefaults {
    pub(super) fn new(ask_installed: bool) -> Self {
        Self {
            ask_installed,
            known: OnceLock::new(),
        }
    }

    fn get(&self, builtin: &Builtin, version: Version) -> Option<Text> {
        if !self.ask_installed || !builtin.is_fixed_at_build() {
            return None;
        }
        let known = self.known.get_or_init(|| build_defaults(version));
        known
            .get(builtin.name())
            .map(|value| Text::placeless(value))
    }
}

impl Postconf {
    /// The default of a known name. That of a user-defined name is empty.
    pub(super) fn default(&self, name: &[u8], scope: Scope) -> Option<Text> {
        if let Some(builtin) = self.builtin(name) {
            if builtin.is_computed() {
                return Some(self.computed_default(builtin.name(), scope));
            }
            let default = self.build_defaults.get(builtin, self.version);
            return Some(default.unwrap_or_else(|| Text::placeless(builtin.default(self.version))));
        }
        if let Some(parameter) = self.services.get(name) {
            return Some(Text::placeless(parameter.default));
        }
        self.users.contains(name).then(Text::new)
    }
}
