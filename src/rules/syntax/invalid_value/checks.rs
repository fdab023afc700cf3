//! Which checks a value has to pass.

use super::super::readings::{InForce, Reading};
use super::super::{comment, quotes, swallowed_setting};
use super::{Problem, expressions, kinds, texts};
use crate::instance::builtin::Kind;
use crate::source::Text;
use crate::syntax::expression::references;

/// What is wrong with a setting where these programs read it.
pub(super) fn problems(in_force: &InForce<'_>, reading: &Reading<'_>) -> Vec<Problem> {
    let setting = in_force.setting;
    let mut found: Vec<Problem> = Vec::new();
    for value in reading.values(setting, &in_force.facts) {
        let problem = match &value {
            Err(error) => expressions::problem(setting, error, reading.scope),
            Ok(value) => match in_force.facts.kind {
                Kind::Str | Kind::Raw => texts::problem(in_force, value, reading.scope),
                _ => kinds::problem(in_force.name, value, &in_force.facts),
            },
        };
        // Comments, quotes, settings inside of a value and names that nothing defines have rules of their
        // own, which say more.
        let has_own_rule = |value: &Text| {
            (value.is_empty() && is_undefined(in_force, reading))
                || comment::find(value).is_some()
                || quotes::is_quoted(value)
                || is_swallowing(in_force, reading)
        };
        found.extend(problem.filter(|_| !value.as_ref().is_ok_and(has_own_rule)));
    }
    found.dedup();
    found
}

/// Whether a value refers to a name that nothing defines.
fn is_undefined(in_force: &InForce<'_>, reading: &Reading<'_>) -> bool {
    let (names, _) = references(&in_force.setting.value, reading.scope.instance.dialect());
    names.iter().any(|reference| reading.scope.lookup(reference.name.as_str()).is_none())
}

fn is_swallowing(in_force: &InForce<'_>, reading: &Reading<'_>) -> bool {
    let setting = in_force.setting;
    let source = reading.scope.instance.sources().get(setting.span.file);
    in_force.service.is_none() && !swallowed_setting::swallowed(&source, setting).is_empty()
}
