//! A parameter that another one replaces.

use crate::instance::builtin::{self, Version};
use crate::instance::parameter::Parameter;
use crate::rules::prelude::*;

use super::set_parameters;

pub(super) static RULE: Rule = Rule {
    name: "deprecated-parameter",
    code: "UP001",
    group: Group::Upgrade,
    severity: Severity::Warning,
    summary: "a parameter has a successor, and will go away",
    docs: include_str!("deprecated_parameter.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let version = instance.version();
    for parameter in set_parameters(instance) {
        let Some(builtin) = builtin::parameter(parameter.name()) else { continue };
        // Older versions do not warn yet, but have the successor: that is the time to change.
        let Some(deprecation) =
            builtin.deprecation(version).or_else(|| builtin.deprecation(Version::NEWEST))
        else {
            continue;
        };
        let Some(setting) = parameter.setting() else { continue };
        let name = parameter.name();
        let Some(new) = deprecation.replacement else {
            // Nothing to set instead: worth a word only where Postfix itself says so.
            if builtin.deprecation(version).is_none() {
                continue;
            }
            let message = if deprecation.removed {
                format!("Postfix {version} does not read {name} any more; remove it")
            } else {
                format!("{name} will go away; remove it, its default is right")
            };
            findings
                .add(&RULE, setting.name_span(), message)
                .parameter(name)
                .fix_if("remove it", Safety::Safe, edits::remove_parameter(&parameter));
            continue;
        };
        if !builtin::parameter(new).is_some_and(|new| new.exists_in(version)) {
            continue;
        }
        let successor = parameter.scope().named(new.to_owned());
        let is_ignored = successor.is_set() && !successor.is_empty();
        let message = if is_ignored {
            format!("{name} does nothing, because its successor {new} is set, too; remove it")
        } else if deprecation.removed {
            format!("Postfix {version} does not read {name} any more; its successor is {new}")
        } else {
            format!("{name} will go away; its successor is {new}")
        };
        let finding = findings.add(&RULE, setting.name_span(), message);
        finding.parameter(name);
        if is_ignored {
            finding
                .related(successor.span(), "this one counts")
                .fix_if(format!("remove {name}"), Safety::Safe, edits::remove_parameter(&parameter));
        } else if deprecation.removed {
            finding.choice(format!("set {new}, if the effect is wanted again"));
        } else if let Some(value) = value_for(&parameter, new) {
            let source = instance.sources().get(setting.span.file);
            let renamed = edits::replace_word(&source, &setting.name, new).map(|mut renaming| {
                renaming.extend(edits::set_value(&source, setting, &value).unwrap_or_default());
                renaming
            });
            finding.fix_if(format!("write {new} = {value}"), Safety::Safe, renamed);
        } else {
            finding.choice(format!("set {new} instead"));
        }
    }
}

/// The value that means the same for the successor; `None` where there is no such value.
fn value_for(old: &Parameter<'_>, new: &str) -> Option<String> {
    let raw = old.raw().as_str();
    // The value of a setting on several lines would have to be written anew.
    if raw.contains('\n') || old.setting().is_some_and(|setting| !setting.value.is_contiguous()) {
        return None;
    }
    let name = old.name();
    if name.ends_with("_use_tls") {
        return old.flag().map(|on| if on { "may" } else { "none" }.to_owned());
    }
    if name.ends_with("_enforce_tls") {
        // What a client verifies depends on other parameters.
        let is_server = name.starts_with("smtpd_") || name.starts_with("postscreen_");
        return (is_server && old.flag() == Some(true)).then(|| "encrypt".to_owned());
    }
    if name == "disable_dns_lookups" {
        return (old.flag() == Some(true)).then(|| "disabled".to_owned());
    }
    // A table of another format, or a value of another unit.
    if name.ends_with("_tls_per_site")
        || name.ends_with("_client_per_site")
        || name.ends_with("_enforce_peername")
        || name == "postscreen_dnsbl_ttl"
    {
        return None;
    }
    let is_rename = builtin::parameter(new)
        .is_some_and(|new| new.default(old.scope().instance.version()).contains(&format!("${name}")))
        || matches!(name, "authorized_verp_clients" | "fallback_relay" | "virtual_maps");
    is_rename.then(|| raw.to_owned())
}
