//! Who reads a setting, and what value it has there.
//!
//! One setting of main.cf may have several values: a service's `-o` changes what `$name` stands for. And an
//! `-o` has no effect where the program does not read the parameter.

use std::cell::Cell;
use std::collections::{BTreeSet, HashMap};

use crate::instance::Instance;
use crate::instance::builtin::{Builtin, Kind, service_parameters};
use crate::instance::parameter::Scope;
use crate::instance::service::Service;
use crate::instance::value_fault::Facts;
use crate::source::Text;
use crate::syntax::expression::{self, ExpandError};
use crate::syntax::main_cf::Setting;

/// Programs of which a mail system may have none.
const OPTIONAL: [&str; 6] = [
    "postscreen",
    "tlsproxy",
    "dnsblog",
    "qmqpd",
    "oqmgr",
    "nbdb_reindexd",
];
/// Programs that are not services of master.cf.
const COMMANDS: [&str; 10] = [
    "master",
    "postdrop",
    "postfix",
    "postlog",
    "postmap",
    "postmulti",
    "postqueue",
    "postsuper",
    "posttls-finger",
    "sendmail",
];

/// A setting that is in force.
#[derive(Debug)]
pub(super) struct InForce<'i> {
    /// The setting.
    pub(super) setting: &'i Setting,
    /// The parameter.
    pub(super) name: &'i str,
    /// How it is read.
    pub(super) facts: Facts,
    /// Who reads it; nobody, if no service runs such a program.
    pub(super) readings: Vec<Reading<'i>>,
    /// Programs that would read it.
    pub(super) readers: Vec<&'static str>,
    /// The service whose `-o` it is.
    pub(super) service: Option<Service<'i>>,
}

/// Programs that see the same value.
#[derive(Clone, Debug)]
pub(super) struct Reading<'i> {
    /// Their view of the parameters.
    pub(super) scope: Scope<'i>,
    /// Their names, sorted.
    pub(super) programs: BTreeSet<&'i str>,
    /// All programs of Postfix are among them.
    pub(super) is_everything: bool,
}

/// The settings of known parameters that are in force: those of main.cf, then those of the services.
pub(super) fn settings_in_force(instance: &Instance) -> Vec<InForce<'_>> {
    let services: Vec<Service<'_>> = instance
        .services()
        .filter(|service| !instance.is_disabled(service.line))
        .collect();
    let mut found = Vec::new();
    let settings: Vec<&Setting> = instance
        .main_cf()
        .into_iter()
        .flat_map(|main_cf| main_cf.settings())
        .collect();
    for setting in last_of_each(&settings) {
        let name = setting.name.as_str();
        if let Some(builtin) = builtin(instance, name) {
            found.push(InForce {
                setting,
                name,
                facts: Facts::of(builtin, instance.version()),
                readings: readings(instance, builtin, &services),
                readers: builtin.scope().collect(),
                service: None,
            });
        } else if let Some((facts, reader)) = derived(name, &services) {
            found.push(InForce {
                setting,
                name,
                facts,
                readings: vec![Reading {
                    scope: instance.scope(),
                    programs: BTreeSet::from([reader]),
                    is_everything: false,
                }],
                readers: vec![reader],
                service: None,
            });
        }
    }
    for service in services {
        let overrides: Vec<&Setting> = service.line.overrides.iter().collect();
        for setting in last_of_each(&overrides) {
            let name = setting.name.as_str();
            let Some(builtin) = builtin(instance, name) else {
                continue;
            };
            let command = service.line.command();
            let is_read = builtin.is_read_by(command);
            found.push(InForce {
                setting,
                name,
                facts: Facts::of(builtin, instance.version()),
                readings: Vec::from_iter(is_read.then(|| Reading {
                    scope: service.scope(),
                    programs: BTreeSet::from([command]),
                    is_everything: false,
                })),
                readers: builtin.scope().collect(),
                service: Some(service),
            });
        }
    }
    found
}

/// A built-in parameter that programs read themselves.
fn builtin(instance: &Instance, name: &str) -> Option<&'static Builtin> {
    instance
        .builtins()
        .get(name)
        .filter(|builtin| !builtin.is_legacy(instance.version()) && !builtin.is_read_only())
}

/// The settings that are in force, in their order: of several with one name, the last.
fn last_of_each<'s>(settings: &[&'s Setting]) -> Vec<&'s Setting> {
    let mut last: HashMap<&[u8], usize> = HashMap::new();
    for (index, setting) in settings.iter().enumerate() {
        last.insert(setting.name.as_bytes(), index);
    }
    let is_last =
        |index: usize, setting: &Setting| last.get(setting.name.as_bytes()) == Some(&index);
    settings
        .iter()
        .enumerate()
        .filter(|(index, setting)| is_last(*index, setting))
        .map(|(_, setting)| *setting)
        .collect()
}

/// Who reads a setting of main.cf.
fn readings<'i>(
    instance: &'i Instance,
    builtin: &'static Builtin,
    services: &[Service<'i>],
) -> Vec<Reading<'i>> {
    let name = builtin.name().as_bytes();
    let is_everything = builtin.scope().any(|program| program == "all");
    let mut plain: BTreeSet<&str> = builtin
        .scope()
        .filter(|program| COMMANDS.contains(program))
        .collect();
    if instance.is_master_cf_assumed() {
        for program in builtin
            .scope()
            .filter(|program| !OPTIONAL.contains(program))
        {
            plain.insert(program);
        }
    }
    let mut found = Vec::new();
    for service in services {
        let command = service.line.command();
        if !builtin.is_read_by(command) || service.override_of(name).is_some() {
            continue;
        }
        if service.line.overrides.is_empty() {
            plain.insert(command);
        } else {
            found.push(Reading {
                scope: service.scope(),
                programs: BTreeSet::from([command]),
                is_everything: false,
            });
        }
    }
    plain.remove("all");
    if is_everything || !plain.is_empty() {
        let plain = Reading {
            scope: instance.scope(),
            programs: plain,
            is_everything,
        };
        found.insert(0, plain);
    }
    found
}

/// A parameter that exists because of a service: how it is read, and by whom.
fn derived(name: &str, services: &[Service<'_>]) -> Option<(Facts, &'static str)> {
    services.iter().find_map(|service| {
        let suffix = name.strip_prefix(service.name())?;
        let command = service.line.command();
        let version = service.instance.version();
        let parameter =
            service_parameters(command, version).find(|parameter| parameter.suffix == suffix)?;
        let reader = match (suffix, command) {
            ("_time_limit", "spawn") => "spawn",
            ("_time_limit", _) => "pipe",
            _ => "qmgr",
        };
        let facts = Facts {
            kind: parameter.kind,
            min: parameter.min,
            max: parameter.max,
            unit: b's',
        };
        Some((facts, reader))
    })
}

impl<'i> Reading<'i> {
    /// The values that these programs see: one, or two where the value depends on whether master(8) finds
    /// that all processes are busy.
    pub(super) fn values(
        &self,
        setting: &Setting,
        facts: &Facts,
    ) -> Vec<Result<Text, ExpandError>> {
        if facts.kind == Kind::Raw {
            return vec![Ok(setting.value.clone())];
        }
        let asks_for_stress = Cell::new(false);
        let expand = |stress: Option<&str>| {
            expression::expand(&setting.value, self.scope.instance.dialect(), &|name| {
                if name == "stress" && self.scope.setting("stress").is_none() {
                    asks_for_stress.set(true);
                    return stress.map(Text::placeless);
                }
                self.scope.lookup(name)
            })
        };
        let mut values = vec![expand(None)];
        if asks_for_stress.get() {
            values.push(expand(Some("yes")));
        }
        values
    }

    /// The same, with those of the programs that are concerned.
    pub(super) fn only(&self, is_concerned: impl Fn(&str) -> bool) -> Self {
        let mut some = self.clone();
        some.programs.retain(|program| is_concerned(program));
        some
    }

    /// Adds the programs of another reading in which the same is wrong.
    pub(super) fn join(&mut self, other: &Self) {
        self.programs.extend(&other.programs);
        self.is_everything |= other.is_everything;
    }

    /// Who stops because of a word in the value of `name`: every program reads some parameters, but only a
    /// few are looked at by all of them.
    pub(super) fn at_use(&self, name: &str) -> Self {
        let is_looked_at = matches!(
            name,
            "inet_protocols" | "mynetworks_style" | "syslog_facility"
        );
        let mut some = self.clone();
        if self.is_everything && !is_looked_at {
            some.is_everything = false;
            some.programs.clear();
        }
        some
    }

    /// What it means that these programs stop.
    pub(super) fn stopping(&self) -> String {
        if self.is_everything {
            return "no Postfix program starts".to_owned();
        }
        let programs: Vec<&str> = self.programs.iter().copied().collect();
        match programs[..] {
            [] => "programs that look at it stop".to_owned(),
            [program] => format!("{program} stops{}", outcome(program)),
            _ => format!("{} stop", listed(&programs)),
        }
    }
}

/// `a, b and c`.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// What it means for mail that a program does not run.
fn outcome(program: &str) -> &'static str {
    match program {
        "smtpd" | "postscreen" => ", and clients get no greeting",
        "cleanup" => ", and no mail is accepted",
        "trivial-rewrite" => ", and mail is neither accepted nor delivered",
        "qmgr" | "oqmgr" => ", and no mail is delivered",
        "local" => ", and local mail stays in the queue",
        "virtual" => ", and mail for virtual mailboxes stays in the queue",
        "smtp" => ", and mail for other servers stays in the queue",
        "lmtp" => ", and mail for it stays in the queue",
        "pipe" => ", and the mail for it stays in the queue",
        "proxymap" => ", and what uses proxy: tables with it",
        "pickup" => ", and mail from local programs waits",
        "sendmail" | "postdrop" => ", and local programs cannot send mail",
        "bounce" => ", and senders are not told what became of their mail",
        "verify" => ", and addresses are not verified",
        _ => "",
    }
}
