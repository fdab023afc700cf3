//! Verbs for the effective value of a parameter, wherever it is set: in main.cf or by an `-o`.

use super::{remove_override, remove_setting, remove_words, set_value};
use crate::finding::Edit;
use crate::instance::parameter::{Origin, Parameter};
use crate::source::Text;

/// Removes what sets a parameter, so that the next origin decides: an override falls back to main.cf, a
/// setting of main.cf (all of them, when it is set several times) to the default.
///
/// `None` for a default.
pub fn remove_parameter(parameter: &Parameter<'_>) -> Option<Vec<Edit>> {
    let scope = parameter.scope();
    match parameter.origin() {
        Origin::Default => None,
        Origin::MainCf(_) => {
            let main_cf = scope.instance.main_cf()?;
            let edits: Vec<Edit> = main_cf
                .settings()
                .filter(|setting| setting.name == parameter.name())
                .flat_map(|setting| remove_setting(&main_cf.source, setting))
                .collect();
            Some(edits)
        }
        Origin::Override(setting) => {
            let service = scope.service?;
            let source = &service.instance.master_cf()?.source;
            remove_override(source, service.line, setting)
        }
    }
}

/// Gives a parameter another value where its value is set now.
///
/// `None` for a default, or where the value cannot be written.
pub fn set_parameter(parameter: &Parameter<'_>, value: &str) -> Option<Vec<Edit>> {
    let setting = parameter.setting()?;
    let source = parameter.scope().instance.sources().get(setting.span.file);
    set_value(&source, setting, value)
}

/// Removes words from the list that a parameter is set to. Words that come from another setting, through
/// `$name`, are not touched: `None` when one of them does.
pub fn remove_parameter_words(parameter: &Parameter<'_>, words: &[Text]) -> Option<Vec<Edit>> {
    let setting = parameter.setting()?;
    let inside = setting.value.span()?;
    let is_inside = |word: &Text| {
        word.span().is_some_and(|span| {
            span.file == inside.file && span.start >= inside.start && span.end <= inside.end
        })
    };
    if !words.iter().all(is_inside) {
        return None;
    }
    let source = parameter.scope().instance.sources().get(setting.span.file);
    remove_words(&source, &setting.value, words)
}
