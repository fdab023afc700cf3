//! Values that the program that reads them does not accept.

mod checks;
mod expressions;
mod hosts;
mod kinds;
mod nul;
mod servers;
mod texts;

use std::collections::BTreeSet;

use super::readings::{InForce, Reading, listed, settings_in_force};
use super::revival;

use crate::rules::prelude::*;
use crate::source::{Span, Text};

pub(super) static RULE: Rule = Rule {
    name: "invalid-value",
    code: "SX008",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "a value that the program which reads it does not accept",
    docs: include_str!("../invalid_value.md"),
    check,
};

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq)]
struct Problem {
    /// What Postfix does.
    effect: Effect,
    /// What is wrong, and what would be right.
    what: String,
    /// The word that is wrong.
    place: Option<Span>,
    /// The value that is certainly meant.
    meant: Option<&'static str>,
    /// Values that may be meant.
    choices: Vec<String>,
}

/// What Postfix does about a wrong value.
#[derive(Clone, Debug, PartialEq)]
enum Effect {
    /// The program stops when it starts.
    Stops,
    /// The program stops when it looks at the value.
    StopsAtUse,
    /// Something else, worse or not.
    Other(Severity, &'static str),
}

impl Problem {
    fn stops(what: impl Into<String>) -> Self {
        Self::new(Effect::Stops, what)
    }

    fn new(effect: Effect, what: impl Into<String>) -> Self {
        Self { effect, what: what.into(), place: None, meant: None, choices: Vec::new() }
    }

    fn at(self, word: &Text) -> Self {
        Self { place: word.span(), ..self }
    }

    fn meant(self, meant: Option<&'static str>) -> Self {
        Self { meant, ..self }
    }

    fn choices(self, choices: impl IntoIterator<Item = String>) -> Self {
        Self { choices: choices.into_iter().collect(), ..self }
    }
}

fn check(instance: &Instance, findings: &mut Findings) {
    for in_force in settings_in_force(instance) {
        let mut found: Vec<(Problem, Reading<'_>)> = Vec::new();
        for reading in &in_force.readings {
            for problem in checks::problems(&in_force, reading) {
                match found.iter_mut().find(|(known, _)| *known == problem) {
                    Some((_, readings)) => readings.join(reading),
                    None => found.push((problem, reading.clone())),
                }
            }
        }
        for (problem, reading) in &found {
            report(&in_force, Some(reading), problem, findings);
        }
        // An `-o` that the program does not look at does nothing.
        if in_force.readings.is_empty() && in_force.service.is_none() {
            let nobody = Reading {
                scope: instance.scope(),
                programs: BTreeSet::new(),
                is_everything: false,
            };
            if let Some(problem) = checks::problems(&in_force, &nobody).first() {
                report(&in_force, None, problem, findings);
            }
        }
    }
    expressions::check_unread(instance, findings);
    nul::check(instance, findings);
}

/// Adds a finding; `reading` says who reads the value, if anybody.
fn report(
    in_force: &InForce<'_>,
    reading: Option<&Reading<'_>>,
    problem: &Problem,
    findings: &mut Findings,
) {
    let (setting, name) = (in_force.setting, in_force.name);
    let inside = |place: &Span| {
        let value = setting.value_span();
        place.file == value.file && place.start >= value.start && place.end <= value.end
    };
    let place = problem.place.filter(inside).unwrap_or(match setting.value.is_empty() {
        true => setting.name_span(),
        false => setting.value_span(),
    });
    let (severity, effect) = match (&problem.effect, reading) {
        (Effect::Stops, Some(reading)) => (Severity::Error, reading.stopping()),
        (Effect::StopsAtUse, Some(reading)) => (Severity::Error, reading.at_use(name).stopping()),
        (Effect::Stops | Effect::StopsAtUse, None) => {
            let readers = listed(&in_force.readers);
            (Severity::Warning, format!("nobody reads this value today, but {readers} would stop"))
        }
        (Effect::Other(severity, effect), Some(_)) => (*severity, (*effect).to_owned()),
        (Effect::Other(severity, effect), None) => {
            ((*severity).min(Severity::Warning), (*effect).to_owned())
        }
    };
    let finding = findings.add(&RULE, place, format!("{effect}: {}", problem.what));
    finding.severity(severity).parameter(name);
    if let Some(service) = in_force.service {
        finding.service(service.label());
    }
    let instance = match reading {
        Some(reading) => reading.scope.instance,
        None => return,
    };
    let is_written_here = !setting.value.as_bytes().contains(&b'$');
    match problem.meant {
        Some(meant) if is_written_here => {
            let source = instance.sources().get(setting.span.file);
            finding.fix_if(
                format!("write {meant}"),
                revival::safety(instance, name),
                edits::set_value(&source, setting, meant),
            );
        }
        Some(meant) => {
            finding.choice(format!("let the value be {meant}"));
        }
        None => {}
    }
    for choice in &problem.choices {
        finding.choice(choice.clone());
    }
}
