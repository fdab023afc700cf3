//! A parameter that the target version does not have yet.

use crate::instance::builtin::{self, Version};
use crate::rules::prelude::*;

use super::set_parameters;

pub(super) static RULE: Rule = Rule {
    name: "parameter-too-new",
    code: "UP003",
    group: Group::Upgrade,
    severity: Severity::Warning,
    summary: "the target version does not have this parameter yet: it does nothing",
    docs: include_str!("parameter_too_new.md"),
    check,
};

fn check(instance: &Instance, findings: &mut Findings) {
    let version = instance.version();
    for parameter in set_parameters(instance) {
        let Some(setting) = parameter.setting() else { continue };
        let name = parameter.name();
        if let Some(since) = builtin::parameter(name).and_then(|builtin| later(builtin, version)) {
            let since = format!("{}.{}", since.major, since.minor);
            findings
                .add(
                    &RULE,
                    setting.name_span(),
                    format!(
                        "Postfix {version} does not know {name}, and ignores it; it came with {since}"
                    ),
                )
                .parameter(name)
                .choice(format!("remove it, or run Postfix {since} or later"));
        }
        if name.ends_with("_protocols")
            && name.contains("_tls_")
            && version < Version::release(3, 6, 0)
            && let Some(word) =
                parameter.words().iter().find(|word| word.as_str().starts_with(['<', '>']))
        {
            findings
                .add(
                    &RULE,
                    word.span().unwrap_or(setting.value_span()),
                    format!(
                        "Postfix {version} does not know {word}, and switches TLS off because of it; such \
                         bounds came with 3.6"
                    ),
                )
                .severity(Severity::Error)
                .parameter(name)
                .choice("exclude the old protocols by name: !SSLv2, !SSLv3, !TLSv1, !TLSv1.1");
        }
    }
}

/// The first version after `version` that has the parameter; `None` when `version` has it, or a version
/// before it had it.
fn later(builtin: &builtin::Builtin, version: Version) -> Option<Version> {
    if builtin.exists_in(version) {
        return None;
    }
    let starts: Vec<Option<Version>> = builtin.exists().ranges().map(|(from, _)| from).collect();
    if starts.iter().any(|from| from.is_none_or(|from| from <= version)) {
        return None;
    }
    starts.into_iter().flatten().min()
}
