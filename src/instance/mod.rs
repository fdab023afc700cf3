//! What Postfix would conclude from main.cf, master.cf and the lookup tables.
//!
//! [`Instance`] is the one type that rules see. It answers with *effective* values: after main.cf, after a
//! service's `-o` overrides, and with the defaults of the target version and compatibility level.

pub mod address_class;
mod asked_table;
pub mod builtin;
pub mod daemon;
pub mod difference;
pub mod domain_list;
pub mod endpoint;
pub mod files;
pub mod host;
pub mod hostname;
mod installed;
pub mod interfaces;
mod load;
mod memo;
pub mod network_list;
mod nis;
pub mod parameter;
pub mod postconf;
pub mod reading_order;
pub mod relay_guard;
pub mod restriction;
pub mod restriction_table;
pub mod server_settings;
pub mod service;
pub mod stale_index;
pub mod table;
pub mod table_uses;
mod tables;
pub mod text_value;
pub mod users;
pub mod value_fault;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use crate::source::{Source, Sources, Span, Text};
use crate::syntax::expression::{self, Dialect};
use crate::syntax::main_cf::{MainCf, Setting};
use crate::syntax::master_cf::{MasterCf, ServiceLine};

use builtin::{Builtins, Version};
use files::Files;
use host::Host;
use parameter::Scope;
use postconf::{Given, Postconf};
use service::Service;
use users::Users;

pub use installed::installed_version;
pub use load::{LoadOptions, Target, host_directory};

/// What was given to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// A configuration directory, or a main.cf with the services of a stock master.cf.
    Configuration,
    /// A master.cf alone: nothing is known of main.cf.
    MasterCf,
    /// A lookup table alone.
    Table,
}

/// One configuration directory and what it names.
#[derive(Debug)]
pub struct Instance {
    sources: Arc<Sources>,
    directory: PathBuf,
    scale: Scale,
    main_cf: Option<MainCf>,
    master_cf: Option<MasterCf>,
    /// Services that are taken to be there although no file says so.
    assumed: Option<MasterCf>,
    table: Option<Arc<Source>>,
    /// The last setting of each name in main.cf, as an index into its lines' settings.
    settings: HashMap<Vec<u8>, usize>,
    version: Version,
    builtins: Builtins,
    host: Host,
    users: Users,
    files: Files,
    tables: tables::TableCache,
    domain_lists: domain_list::DomainLists,
    postconf: OnceLock<Box<Postconf>>,
    memo: memo::Memo,
    /// Who asks tables that are not files; `None` unless the user wants that.
    postmap: Option<table::Postmap>,
}

impl Instance {
    /// All files that were read.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The files that were read, to be kept beyond the life of the instance.
    pub fn shared_sources(&self) -> Arc<Sources> {
        Arc::clone(&self.sources)
    }

    /// The configuration directory as it was given.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was given to look at.
    pub fn scale(&self) -> Scale {
        self.scale
    }

    /// main.cf, when there is one.
    pub fn main_cf(&self) -> Option<&MainCf> {
        self.main_cf.as_ref()
    }

    /// master.cf, when there is one. Where a main.cf was given alone, the stock services are assumed, and
    /// this is `None`.
    pub fn master_cf(&self) -> Option<&MasterCf> {
        self.master_cf.as_ref()
    }

    /// Whether the services are those of a stock master.cf, because there was none to read.
    pub fn is_master_cf_assumed(&self) -> bool {
        self.master_cf.is_none() && self.assumed.is_some()
    }

    /// The lookup table that was given alone.
    pub fn lone_table(&self) -> Option<&Arc<Source>> {
        self.table.as_ref()
    }

    /// The version of Postfix that the configuration is meant for.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The built-in parameters of the target version.
    pub fn builtins(&self) -> Builtins {
        self.builtins
    }

    /// What the target version understands inside `${…}`.
    pub fn dialect(&self) -> Dialect {
        dialect_of(self.version)
    }

    /// The machine, as far as defaults depend on it.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// The local users.
    pub fn users(&self) -> &Users {
        &self.users
    }

    /// Where files are to be found.
    pub fn files(&self) -> &Files {
        &self.files
    }

    /// Where to point at when something is *not* written anywhere: the start of main.cf, or of whatever
    /// file was given.
    pub fn anchor(&self) -> Option<Span> {
        let main_cf = self.main_cf.as_ref().map(|file| &file.source);
        let master_cf = self.master_cf().map(|file| &file.source);
        let source = main_cf.or(master_cf).or(self.table.as_ref())?;
        Some(source.span().at_start())
    }

    /// What postconf(1) says of main.cf and master.cf: malformed lines and values, duplicates, names that are
    /// unused, undefined, not to be set, or deprecated.
    ///
    /// Without a main.cf nothing is known of user-defined names.
    pub fn postconf(&self) -> &Postconf {
        self.postconf.get_or_init(|| {
            let config_directory = self.files.config_directory();
            Box::new(Postconf::read(Given {
                version: self.version,
                directory: &self.directory.to_string_lossy(),
                config_directory: Some(Text::placeless(&config_directory)),
                main_cf: self.main_cf.as_ref(),
                master_cf: self.master_cf.as_ref(),
                master_cf_first: false,
                overrides: Vec::new(),
                host: self.host.clone(),
                resolve: host::resolve_offline,
                ask_installed: self.files.is_host(),
                files: Some((&self.files, &self.sources)),
            }))
        })
    }

    /// The view of a program without overrides.
    pub fn scope(&self) -> Scope<'_> {
        Scope {
            instance: self,
            service: None,
        }
    }

    /// The view of the first service that runs a program, such as `trivial-rewrite`: that of main.cf where
    /// there is none.
    pub fn program(&self, command: &str) -> Scope<'_> {
        self.services()
            .find(|service| service.line.command() == command)
            .map_or(self.scope(), |service| service.scope())
    }

    /// A parameter as main.cf and the defaults give it.
    pub fn parameter(&self, name: &'static str) -> parameter::Parameter<'_> {
        self.scope().parameter(name)
    }

    /// The setting of main.cf that is in force for a name: the last one.
    pub fn main_cf_setting(&self, name: &[u8]) -> Option<&Setting> {
        let index = *self.settings.get(name)?;
        self.main_cf.as_ref()?.settings().nth(index)
    }

    /// The services that master runs, in the order of master.cf: of several with the same name and type,
    /// the last one (`master_conf.c`). Where master.cf is not there, or only a part of one, stock services
    /// stand in (see [`Service::span`]).
    pub fn services(&self) -> impl Iterator<Item = Service<'_>> {
        let mut lines: Vec<&ServiceLine> = self
            .master_cf
            .iter()
            .flat_map(MasterCf::services)
            .filter(|line| line.is_complete())
            .collect();
        let written = lines.len();
        for line in self.assumed.iter().flat_map(MasterCf::services) {
            let is_there = lines[..written]
                .iter()
                .any(|other| other.name() == line.name() && other.kind() == line.kind());
            if !is_there {
                lines.push(line);
            }
        }
        let last = |line: &ServiceLine| {
            lines
                .iter()
                .rposition(|other| other.name() == line.name() && other.kind() == line.kind())
        };
        let kept: Vec<&ServiceLine> = lines
            .iter()
            .enumerate()
            .filter(|(index, line)| last(line) == Some(*index))
            .map(|(_, line)| *line)
            .collect();
        kept.into_iter().map(|line| Service {
            instance: self,
            line,
        })
    }

    /// Whether a service is not written anywhere, but taken to be there.
    pub fn is_assumed(&self, line: &ServiceLine) -> bool {
        self.assumed
            .as_ref()
            .is_some_and(|assumed| assumed.source.id() == line.span.file)
    }

    /// The services that run smtpd(8).
    pub fn smtpd_services(&self) -> impl Iterator<Item = Service<'_>> {
        self.services()
            .filter(|service| service.line.command() == "smtpd" && !self.is_disabled(service.line))
    }

    /// Whether `master_service_disable` switches a service off.
    pub fn is_disabled(&self, line: &ServiceLine) -> bool {
        // Not the service's own view: master reads main.cf alone.
        for word in self.parameter("master_service_disable").words() {
            let (negated, pattern) = match word.as_str().strip_prefix('!') {
                Some(pattern) => (true, pattern),
                None => (false, word.as_str()),
            };
            let matches = match pattern
                .rsplit_once('/')
                .or_else(|| pattern.rsplit_once('.'))
            {
                Some((name, kind)) => {
                    name.eq_ignore_ascii_case(line.name()) && kind.eq_ignore_ascii_case(line.kind())
                }
                None => pattern.eq_ignore_ascii_case(line.kind()),
            };
            if matches {
                return !negated;
            }
        }
        false
    }

    /// The compatibility level that is in force, packed for comparison (see [`level`]). `None` when the
    /// value is malformed: no program runs then.
    pub fn compatibility_level(&self) -> Option<u64> {
        if self.builtins.get("compatibility_level").is_none() {
            return Some(0);
        }
        let value = self.parameter("compatibility_level").value().ok()?;
        crate::syntax::expression::compatibility_level(&value).ok()
    }

    /// The default text of a name: built in, computed from the machine, or derived from a service name.
    fn default_of(&self, name: &str, scope: Scope<'_>) -> Option<String> {
        match name {
            "myhostname" => return Some(self.default_hostname(scope)),
            "mydomain" => return Some(self.default_domain(scope)),
            "mynetworks" => return Some(self.default_networks(scope)),
            "config_directory" => return Some(self.files.config_directory()),
            _ => {}
        }
        if let Some(builtin) = self.builtins.get(name) {
            return Some(builtin.default(self.version).to_owned());
        }
        self.services().find_map(|service| {
            let suffix = name.strip_prefix(service.name())?;
            builtin::service_parameters(service.line.command(), self.version)
                .find(|parameter| parameter.suffix == suffix)
                .map(|parameter| parameter.default.to_owned())
        })
    }

    /// `myhostname` as `mail_params.c` computes it: the kernel's name, made a full one with `mydomain`.
    fn default_hostname(&self, scope: Scope<'_>) -> String {
        if self.host.name.contains('.') {
            return self.host.name.clone();
        }
        let domain = scope
            .setting("mydomain")
            .and_then(|(setting, _)| expand_without(scope, &setting.value, &COMPUTED))
            .map_or_else(|| "localdomain".to_owned(), |domain| domain.to_string());
        format!("{}.{domain}", self.host.name)
    }

    /// `mydomain` as `mail_params.c` computes it: what follows the first dot of `myhostname`.
    fn default_domain(&self, scope: Scope<'_>) -> String {
        let hostname = match scope.setting("myhostname") {
            Some((setting, _)) => expand_without(scope, &setting.value, &COMPUTED)
                .map(|name| name.to_string())
                .unwrap_or_default(),
            None => self.default_hostname(scope),
        };
        hostname
            .split_once('.')
            .map_or_else(|| "localdomain".to_owned(), |(_, domain)| domain.to_owned())
    }

    /// `mynetworks` as `own_inet_addr.c` and `mynetworks.c` compute it from the style and the interfaces.
    fn default_networks(&self, scope: Scope<'_>) -> String {
        let text = |name: &'static str| {
            let raw = scope.any_parameter(name);
            expand_without(scope, raw.raw(), &["mynetworks"])
                .map(|value| value.to_string())
                .unwrap_or_default()
        };
        let networks = self.host.networks(
            &text("mynetworks_style"),
            &text("inet_interfaces"),
            &text("inet_protocols"),
            host::resolve_offline,
        );
        // Where Postfix would not start, there are no networks to speak of.
        networks.unwrap_or_default()
    }
}

/// The defaults that `mail_params.c` computes, in this order.
const COMPUTED: [&str; 3] = ["myhostname", "mydomain", "mynetworks"];

/// Expands a value at a time when the defaults of `unset` are not computed yet: they are empty. So
/// `myhostname = $mydomain` does not ask for itself.
fn expand_without(scope: Scope<'_>, value: &Text, unset: &[&str]) -> Option<Text> {
    let lookup = |name: &str| {
        let is_unset = unset.contains(&name) && scope.setting(name).is_none();
        (!is_unset).then(|| scope.lookup(name)).flatten()
    };
    expression::expand(value, scope.instance.dialect(), &lookup).ok()
}

/// A compatibility level packed as [`Instance::compatibility_level`] packs it, for comparisons.
pub const fn level(major: u64, minor: u64) -> u64 {
    (major << 20) | (minor << 10)
}

/// What a version understands inside `${…}`.
pub fn dialect_of(version: Version) -> Dialect {
    Dialect {
        comparisons: version >= Version::release(3, 0, 0),
        blanks_around_names: version >= Version::release(3, 3, 0),
        level_operators: version >= Version::release(3, 6, 0),
        functions: version >= Version::release(3, 11, 0),
    }
}

/// A list of parameter words, joined for messages.
pub fn join_words(words: &[Text]) -> String {
    words
        .iter()
        .map(Text::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(main_cf: &str) -> [String; 3] {
        let options = LoadOptions {
            host: Some(Host {
                name: "vm".to_owned(),
                ..Host::unknown()
            }),
            ..LoadOptions::default()
        };
        let target = Target::MainCfText(main_cf.as_bytes().to_vec());
        let instance = Instance::load(&target, &options).expect("text can be loaded");
        COMPUTED.map(|name| instance.parameter(name).text())
    }

    #[test]
    fn computed_defaults_that_ask_for_each_other_are_empty() {
        let [hostname, domain, _] = values("");
        assert_eq!(
            [hostname.as_str(), domain.as_str()],
            ["vm.localdomain", "localdomain"]
        );
        // As postconf -x has it; a daemon stops at both.
        assert_eq!(values("myhostname = $mydomain")[0], "localdomain");
        assert_eq!(values("mydomain = $myhostname")[0], "vm.");
        for main_cf in [
            "inet_interfaces = $mynetworks",
            "myhostname = x$mynetworks.test\ninet_interfaces = $mydomain",
            "mynetworks_style = $foo\nfoo = $mydomain\nmyhostname = a.$foo",
        ] {
            values(main_cf);
        }
    }
}
