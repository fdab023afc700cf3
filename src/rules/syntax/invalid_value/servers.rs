//! `{ server, name = value … }`: settings for one policy server or mail filter (`src/global/attr_override.c`).

use super::super::readings::InForce;
use super::{Problem, kinds};
use crate::instance::Instance;
use crate::instance::builtin::{Kind, Version};
use crate::instance::parameter::{LIST_SEPARATORS, Scope};
use crate::instance::server_settings::{MILTER_SETTINGS, POLICY_SETTINGS, ServerSettings};
use crate::instance::text_value::{Usage, text_value};
use crate::instance::value_fault::Facts;
use crate::source::Text;
use crate::syntax::{braces, name_value};

/// What is wrong with the settings of a server in a value.
pub(super) fn problem(in_force: &InForce<'_>, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let instance = scope.instance;
    if instance.version() < Version::release(3, 0, 0) || !value.as_bytes().contains(&b'{') {
        return None;
    }
    let words = value.words_outside_braces(LIST_SEPARATORS);
    match text_value(in_force.name).usage {
        Usage::Restrictions => words.windows(2).find_map(|pair| {
            let is_policy = pair[0].as_str().eq_ignore_ascii_case("check_policy_service");
            is_policy.then(|| server(&pair[1], &POLICY_SETTINGS, instance)).flatten()
        }),
        Usage::Milters => words.iter().find_map(|word| server(word, &MILTER_SETTINGS, instance)),
        _ => None,
    }
}

fn server(word: &Text, names: &ServerSettings, instance: &Instance) -> Option<Problem> {
    let inner = braces::whole(word)?;
    let mut items = inner.words_outside_braces(LIST_SEPARATORS).into_iter();
    let Some(_server) = items.next() else {
        return Some(Problem::stops("there is no server in the braces").at(word));
    };
    items.find_map(|item| setting(&item, names, instance))
}

fn setting(item: &Text, names: &ServerSettings, instance: &Instance) -> Option<Problem> {
    let text = braces::whole(item).unwrap_or_else(|| item.clone());
    let Ok(pair) = name_value::split(&text) else {
        let what = format!("{item} is no setting; name=value or {{ name = value }} would be right");
        return Some(Problem::stops(what).at(item));
    };
    let name = pair.name.as_str();
    let Some(builtin) = names.parameter(name, instance.builtins()) else {
        let what = format!("{name} cannot be set for one server; {} can", names.names.join(", "));
        return Some(Problem::stops(what).at(item));
    };
    let facts = Facts::of(builtin, instance.version());
    match facts.kind {
        Kind::Str | Kind::Raw if pair.value.is_empty() => {
            Some(Problem::stops(format!("{name} is empty; any text would be right")).at(item))
        }
        Kind::Str | Kind::Raw => None,
        _ => kinds::problem(name, &pair.value, &facts).map(|problem| problem.at(item)),
    }
}
