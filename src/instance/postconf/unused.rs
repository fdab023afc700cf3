//! Settings that nobody reads, and those that nobody will (`src/postconf/postconf_unused.c`).

use super::notice::{Notice, NoticeKind};
use super::settings::Assigned;
use super::{Postconf, Scope};
use crate::instance::builtin::{self, Version};

impl Postconf {
    /// What postconf says of main.cf after it has printed: unused and deprecated settings.
    pub fn unused_in_main_cf(&self) -> Vec<Notice> {
        self.main
            .iter()
            .filter_map(|assigned| {
                let is_known = self.class(assigned.name.as_bytes()).is_some();
                self.judge(assigned, is_known, Scope::Main)
            })
            .collect()
    }

    /// Whether postconf looks for unused settings after it has printed master.cf (Postfix 3.3).
    pub fn judges_after_services(&self) -> bool {
        self.version >= Version::release(3, 3, 0)
    }

    /// What postconf says of master.cf after it has printed: unused and deprecated `-o`.
    pub fn unused_in_master_cf(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (index, entry) in self.entries.iter().enumerate() {
            let Some(space) = entry.space else { continue };
            for assigned in self.spaces[space].iter() {
                let name = assigned.name.as_bytes();
                let is_known = self.class(name).is_some() || entry.valid.contains(name);
                notices.extend(self.judge(assigned, is_known, Scope::Entry(index)));
            }
        }
        notices
    }

    fn judge(&self, assigned: &Assigned, is_known: bool, scope: Scope) -> Option<Notice> {
        let Assigned { name, value, span } = assigned;
        let path = self.path(scope);
        let instead = self.instead_of(name.as_str());
        let (kind, message) = match (is_known, instead) {
            (true, None) => return None,
            (true, Some(instead)) => (
                NoticeKind::Deprecated,
                format!(
                    "{path}: support for parameter \"{name}\" will be removed; instead, {instead}"
                ),
            ),
            (false, Some(instead)) => (
                NoticeKind::Removed,
                format!(
                    "{path}: support for parameter {name} has been removed; instead, {instead}"
                ),
            ),
            (false, None) => (
                if matches!(scope, Scope::Entry(_)) {
                    NoticeKind::UnusedOverride
                } else {
                    NoticeKind::UnusedSetting
                },
                format!("{path}: unused parameter: {name}={value}"),
            ),
        };
        Some(Notice::new(kind, message).of(name).at(*span))
    }

    /// What postconf suggests instead of a deprecated parameter (Postfix 3.9).
    fn instead_of(&self, name: &str) -> Option<String> {
        let deprecation = builtin::parameter(name)?.deprecation(self.version)?;
        Some(match (name, deprecation.replacement) {
            // Postfix's own slip.
            ("lmtp_enforce_tls", Some(replacement)) => replacement.to_owned(),
            (_, Some(replacement)) => format!("specify \"{replacement}\""),
            ("smtpd_tls_dh1024_param_file" | "smtpd_tls_eecdh_grade", None) => {
                "do not specify (leave at default)".to_owned()
            }
            (_, None) => "do not specify".to_owned(),
        })
    }

    /// What postconf says at the very end when it spoke of deprecated names (Postfix 3.11).
    pub fn closing_notice(&self, said: &[Notice]) -> Option<Notice> {
        let is_about_deprecation =
            |notice: &Notice| matches!(notice.kind, NoticeKind::Deprecated | NoticeKind::Removed);
        (self.version >= Version::release(3, 11, 0) && said.iter().any(is_about_deprecation)).then(
            || {
                Notice::new(
                    NoticeKind::DeprecationReadme,
                    "See https://www.postfix.org/DEPRECATION_README.html for details",
                )
            },
        )
    }
}
