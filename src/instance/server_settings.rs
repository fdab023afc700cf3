//! Which parameters can be set for one policy server or one mail filter: `{ server, name = value … }`.

use super::builtin::{Builtin, Builtins};

/// The settings of one kind of server.
#[derive(Debug)]
pub struct ServerSettings {
    /// What the parameters of main.cf have in front of the names.
    prefix: &'static str,
    /// The names.
    pub names: &'static [&'static str],
}

/// `src/smtpd/smtpd_check.c`.
pub static POLICY_SETTINGS: ServerSettings = ServerSettings {
    prefix: "smtpd_policy_service_",
    names: &[
        "timeout",
        "max_idle",
        "max_ttl",
        "retry_delay",
        "request_limit",
        "try_limit",
        "default_action",
        "policy_context",
    ],
};
/// `src/milter/milter.c`.
pub static MILTER_SETTINGS: ServerSettings = ServerSettings {
    prefix: "milter_",
    names: &[
        "connect_timeout",
        "command_timeout",
        "content_timeout",
        "protocol",
        "default_action",
    ],
};

impl ServerSettings {
    /// The parameter that a setting stands in for; `None` for a name that is no such setting.
    pub fn parameter(&self, name: &str, builtins: Builtins) -> Option<&'static Builtin> {
        let is_known = self.names.contains(&name);
        let parameter = || builtins.get(&format!("{}{name}", self.prefix));
        is_known.then(parameter).flatten()
    }
}
