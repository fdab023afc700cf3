//! Which effective parameters and services two configurations do not have in common.

use std::collections::{BTreeMap, BTreeSet};

use super::Instance;
use super::parameter::{Parameter, Scope};
use super::service::Service;
use crate::source::Span;
use crate::syntax::main_cf::MainCf;
use crate::syntax::master_cf::FIELD_NAMES;

/// A value on one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The effective value; as it is written where it cannot be expanded.
    pub value: String,
    /// Where it is set; `None` for a default.
    pub span: Option<Span>,
}

/// A parameter whose effective value changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterChange {
    /// The service, as `name/type`, where it changes in another way than main.cf says; `None` is main.cf itself,
    /// and every service that does not say otherwise.
    pub service: Option<String>,
    /// The parameter.
    pub name: String,
    /// Its value in the first configuration; `None` where it does not exist.
    pub before: Option<Side>,
    /// Its value in the second one.
    pub after: Option<Side>,
    /// It is written as before, or not at all: it follows from another parameter.
    pub is_derived: bool,
}

/// A service that comes, goes, or is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceChange {
    /// The service, as `name/type`.
    pub service: String,
    /// Its line in the first configuration, without `-o` options; `None` where it is not there.
    pub before: Option<Side>,
    /// Its line in the second one.
    pub after: Option<Side>,
}

/// The parameters whose effective values differ: those of main.cf, then those of each service that both have and
/// where another change holds. Sorted by service in the order of the second master.cf, and by name.
pub fn parameters(before: &Instance, after: &Instance) -> Vec<ParameterChange> {
    let names = names(before, after);
    let mut changes = Vec::new();
    let mut global: BTreeMap<&str, (Option<String>, Option<String>)> = BTreeMap::new();
    for name in &names {
        let change = compare(name, None, before.scope(), after.scope());
        if let Some(change) = change {
            global.insert(name, values(&change));
            changes.push(change);
        }
    }
    for service in after.services() {
        let Some(same) = (before.services()).find(|other| other.label() == service.label()) else {
            continue;
        };
        for name in &names {
            let change = compare(name, Some(service.label()), same.scope(), service.scope());
            if let Some(change) = change
                && global.get(name.as_str()) != Some(&values(&change))
            {
                changes.push(change);
            }
        }
    }
    changes
}

/// The services that are in one of the two configurations only, or run another program or in another way.
pub fn services(before: &Instance, after: &Instance) -> Vec<ServiceChange> {
    let mut changes = Vec::new();
    let side = |service: Service<'_>| Side {
        value: line(service),
        span: service.span(),
    };
    for service in before.services() {
        let other = after
            .services()
            .find(|other| other.label() == service.label());
        if other.is_none_or(|other| line(other) != line(service)) {
            changes.push(ServiceChange {
                service: service.label(),
                before: Some(side(service)),
                after: other.map(side),
            });
        }
    }
    for service in after.services() {
        if !(before.services()).any(|other| other.label() == service.label()) {
            changes.push(ServiceChange {
                service: service.label(),
                before: None,
                after: Some(side(service)),
            });
        }
    }
    changes
}

/// A service as one line, without what its parameters say.
fn line(service: Service<'_>) -> String {
    let fields = (0..FIELD_NAMES.len()).map(|index| service.line.field(index));
    let operands = service
        .line
        .operands
        .iter()
        .map(|word| word.written.as_str());
    fields.chain(operands).collect::<Vec<_>>().join(" ")
}

/// All names that have a value somewhere.
fn names(before: &Instance, after: &Instance) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for instance in [before, after] {
        let builtins = instance.builtins();
        names.extend(builtins.iter().map(|builtin| builtin.name().to_owned()));
        let main = instance.main_cf().into_iter().flat_map(MainCf::settings);
        let services: Vec<Service<'_>> = instance.services().collect();
        let overrides = services.iter().flat_map(|service| &service.line.overrides);
        names.extend(
            main.chain(overrides)
                .map(|setting| setting.name.to_string()),
        );
    }
    // Where the configuration lies is not part of it.
    names.remove("config_directory");
    names
}

fn values(change: &ParameterChange) -> (Option<String>, Option<String>) {
    let value = |side: &Option<Side>| side.as_ref().map(|side| side.value.clone());
    (value(&change.before), value(&change.after))
}

fn compare(
    name: &str,
    service: Option<String>,
    before: Scope<'_>,
    after: Scope<'_>,
) -> Option<ParameterChange> {
    let (old, new) = (before.named(name.to_owned()), after.named(name.to_owned()));
    let exists = |scope: Scope<'_>| scope.lookup(name).is_some();
    let (was, is) = (exists(before), exists(after));
    let (old_side, new_side) = (side(&old), side(&new));
    if (was, &old_side.value) == (is, &new_side.value) {
        return None;
    }
    Some(ParameterChange {
        service,
        name: name.to_owned(),
        is_derived: old.raw().as_str() == new.raw().as_str() && old.is_set() == new.is_set(),
        before: was.then_some(old_side),
        after: is.then_some(new_side),
    })
}

fn side(parameter: &Parameter<'_>) -> Side {
    let value = match parameter.value() {
        Ok(value) => value,
        Err(_) => parameter.raw().clone(),
    };
    Side {
        value: value.to_string(),
        span: parameter.span(),
    }
}
