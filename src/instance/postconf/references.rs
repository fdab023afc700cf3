//! Names that a configuration defines for its own use: known when some value refers to them
//! (`src/postconf/postconf_user.c`).
//!
//! postconf looks at the defaults, too. The references in those of the tables are all to built-in names,
//! which a test makes sure of, so that there is nothing to learn from them.

use super::database::Visit;
use super::notice::{Notice, NoticeKind};
use super::settings::Settings;
use super::{Class, Files, Postconf, Scope};
use crate::instance::builtin::Version;
use crate::instance::parameter::LIST_SEPARATORS;
use crate::source::{Sources, Text};
use crate::syntax::expression::references;

impl Postconf {
    /// `pcf_register_user_parameters`.
    pub(super) fn register_user_parameters(&mut self, files: Option<(&Files, &Sources)>) {
        let mut visit = Visit::new(files);
        for index in 0..self.entries.len() {
            self.scan_settings(Scope::Entry(index), &mut visit);
        }
        for name in ["mydomain", "myhostname", "mynetworks"] {
            if self.main.contains(name.as_bytes()) {
                continue;
            }
            let computed = self.computed(name);
            self.notices.extend(computed.said);
            // A `$$` in mydomain has become a `$` in the default of myhostname.
            self.scan_value(&computed.value, Scope::Main);
        }
        self.scan_settings(Scope::Main, &mut visit);
    }

    /// The settings that a scope adds.
    fn own_settings(&self, scope: Scope) -> Option<&Settings> {
        match scope {
            Scope::Entry(index) => self.entries[index].space.map(|space| &self.spaces[space]),
            Scope::Main => Some(&self.main),
            Scope::Defaults => None,
        }
    }

    /// `pcf_scan_user_parameter_namespace`.
    fn scan_settings(&mut self, scope: Scope, visit: &mut Visit<'_>) {
        let Some(settings) = self.own_settings(scope) else {
            return;
        };
        if let Some(classes) = settings.get(b"smtpd_restriction_classes") {
            let list = match scope {
                Scope::Entry(index) => self.entries[index].name_space().to_string(),
                Scope::Main | Scope::Defaults => "mail_dict".to_owned(),
            };
            let mut said = Vec::new();
            let classes = self.expand_within(&classes.value, settings, &list, &mut said);
            self.notices.extend(said);
            for class in classes.unwrap_or_default().words(LIST_SEPARATORS) {
                self.refer_to(&class, scope, false);
            }
        }
        let Some(settings) = self.own_settings(scope) else {
            return;
        };
        let settings: Vec<_> = settings.iter().cloned().collect();
        for assigned in settings {
            let name = assigned.name.as_bytes();
            let builtin = self.builtin(name);
            if let Some(builtin) = builtin {
                // From Postfix 3.11.2 on, postconf takes service_name for an ordinary parameter.
                let is_exempt =
                    builtin.name() == "service_name" && self.version >= Version::release(3, 11, 2);
                if builtin.is_read_only() && !is_exempt {
                    let message = format!(
                        "{}: read-only parameter assignment: {}={}",
                        self.path(scope),
                        assigned.name,
                        assigned.value
                    );
                    let notice = Notice::new(NoticeKind::ReadOnly, message).of(&assigned.name);
                    self.notices.push(notice.at(assigned.span));
                    self.forget(name, scope);
                    continue;
                }
                if builtin.is_legacy(self.version) {
                    self.revived.insert(builtin.name());
                }
            }
            if self.is_raw(name) {
                continue;
            }
            self.scan_value(&assigned.value, scope);
            let may_name_tables = match self.class(name) {
                Some(Class::Builtin | Class::Service) => true,
                _ => self.searches_all_values(),
            };
            if may_name_tables {
                self.search_tables(&assigned.value, scope, visit);
            }
        }
    }

    /// Whether unknown parameters may name tables, too.
    fn searches_all_values(&self) -> bool {
        let Version { major, minor, .. } = self.version;
        let first_that_does_not = match (major, minor) {
            (3, 0) => Version::release(3, 0, 13),
            (3, 1) => Version::release(3, 1, 9),
            (3, 2) => Version::release(3, 2, 6),
            _ => Version::release(3, 3, 0),
        };
        self.version < first_that_does_not
    }

    /// main.cf or master.cf, as messages call it.
    pub(super) fn path(&self, scope: Scope) -> &str {
        match scope {
            Scope::Entry(_) => &self.master_path,
            Scope::Main | Scope::Defaults => &self.main_path,
        }
    }

    fn forget(&mut self, name: &[u8], scope: Scope) {
        match scope {
            Scope::Entry(index) => {
                if let Some(space) = self.entries[index].space {
                    self.spaces[space].remove(name);
                }
            }
            Scope::Main | Scope::Defaults => self.main.remove(name),
        }
    }

    fn scan_value(&mut self, value: &Text, scope: Scope) {
        let (names, errors) = references(value, self.dialect);
        for reference in names {
            self.refer_to(&reference.name, scope, false);
        }
        for error in errors {
            let notice = Notice::new(NoticeKind::MalformedExpression, error.message);
            self.notices.push(notice.at(value.span()));
        }
    }

    /// Makes a name known where it is defined (`pcf_flag_user_parameter`). `may_be_missing` is for names
    /// that a database client looks for without need.
    pub(super) fn refer_to(&mut self, name: &Text, scope: Scope, may_be_missing: bool) {
        let bytes = name.as_bytes();
        let is_local = match scope {
            Scope::Entry(index) => {
                let settings = self.own_settings(scope);
                let is_set = settings.is_some_and(|settings| settings.contains(bytes));
                if is_set {
                    self.entries[index].valid.insert(bytes.to_vec());
                }
                is_set
            }
            Scope::Main | Scope::Defaults => false,
        };
        let mut is_defined = is_local;
        if !is_local && self.main.contains(bytes) {
            is_defined = true;
            if self.class(bytes).is_none() {
                self.users.insert(bytes.to_vec());
            }
        }
        if scope == Scope::Main {
            for entry in &mut self.entries {
                let is_set = entry
                    .space
                    .is_some_and(|space| self.spaces[space].contains(bytes));
                if is_set {
                    is_defined = true;
                    entry.valid.insert(bytes.to_vec());
                }
            }
        }
        if !is_defined && !may_be_missing && self.class(bytes).is_none() {
            let message = format!("{}: undefined parameter: {name}", self.path(scope));
            let notice = Notice::new(NoticeKind::Undefined, message).of(name);
            self.notices.push(notice.at(name.span()));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::instance::builtin::{Builtins, Kind, Version};
    use crate::instance::dialect_of;
    use crate::source::Text;
    use crate::syntax::expression::references;

    #[test]
    fn defaults_refer_to_built_in_names_only() {
        for version in [
            "2.10.0", "2.11.0", "3.0.0", "3.5.0", "3.7.11", "3.9.0", "3.11.6",
        ] {
            let version = Version::parse(version).unwrap();
            let builtins = Builtins::of(version);
            let scanned = builtins.iter().filter(|b| b.kind(version) != Kind::Raw);
            for builtin in scanned {
                let value = Text::placeless(builtin.default(version));
                let (names, errors) = references(&value, dialect_of(version));
                assert!(errors.is_empty(), "{version} {}", builtin.name());
                for name in names {
                    assert!(
                        builtins.get(name.name.as_str()).is_some(),
                        "{version} {}: {}",
                        builtin.name(),
                        name.name
                    );
                }
            }
        }
    }
}
