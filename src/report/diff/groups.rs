//! Addresses that change in the same way, in the words that people read.

use std::collections::BTreeSet;

use super::view::{AddressV1, ParameterV1, StepV1, TreatedV1, ValueV1};

/// So many reasons are shown.
const MOST_REASONS: usize = 2;

/// Addresses that change in the same way.
pub(super) struct Group<'v> {
    pub(super) service: &'v str,
    /// Who sends.
    pub(super) senders: String,
    pub(super) before: String,
    pub(super) after: String,
    pub(super) members: Vec<&'v AddressV1>,
}

/// The groups, in the order of their first addresses.
pub(super) fn groups<'v>(changes: impl Iterator<Item = &'v AddressV1>) -> Vec<Group<'v>> {
    let mut groups: Vec<Group<'v>> = Vec::new();
    for change in changes {
        let (before, after) = (words(&change.old), words(&change.new));
        let senders = senders(change);
        let same = groups.iter_mut().find(|group| {
            group.service == change.service
                && group.senders == senders
                && group.before == before
                && group.after == after
        });
        match same {
            Some(same) => same.members.push(change),
            None => groups.push(Group {
                service: &change.service,
                senders,
                before,
                after,
                members: vec![change],
            }),
        }
    }
    groups
}

impl Group<'_> {
    /// What happens before and after.
    pub(super) fn change(&self) -> String {
        match self.before == self.after {
            true => format!("{}, elsewhere", self.after),
            false => format!("{} -> {}", self.before, self.after),
        }
    }

    /// Why, for the first address: what the new configuration says that the old one does not, else what the old
    /// one said.
    pub(super) fn reasons(&self) -> Vec<(&'static str, StepV1)> {
        let Some(first) = self.members.first() else {
            return Vec::new();
        };
        let names = names_of(first);
        let pick = |steps: &[StepV1]| {
            // Much is looked up on the way, for the sender too: what counts names the recipient.
            let tells = |step: &StepV1| names.iter().any(|name| step.text.contains(name));
            let all = || (0..steps.len()).filter(|&at| tells(&steps[at]));
            let mut picked: Vec<usize> = all().filter(|&at| steps[at].line.is_some()).collect();
            if picked.is_empty() {
                picked = all().collect();
            }
            if picked.is_empty() {
                picked = (0..steps.len()).collect();
            }
            // What comes last decides.
            picked.split_off(picked.len().saturating_sub(MOST_REASONS))
        };
        let new = pick(&first.new.because).into_iter();
        let mut reasons: Vec<_> = new
            .map(|at| ("now", first.new.because[at].clone()))
            .collect();
        if reasons.is_empty() {
            let old = pick(&first.old.because).into_iter();
            reasons.extend(old.map(|at| ("not any more", first.old.because[at].clone())));
        }
        let is_told = reasons
            .iter()
            .any(|(_, step)| step.text.contains(&first.new.text));
        if !first.new.accepted && !first.new.text.is_empty() && !is_told {
            let reply = StepV1 {
                file: None,
                line: None,
                text: first.new.text.clone(),
            };
            reasons.push(("now", reply));
        }
        reasons
    }
}

/// The local parts of an address and of those at which its mail ends.
fn names_of(change: &AddressV1) -> Vec<&str> {
    let ends = change.old.outcome.iter().chain(&change.new.outcome);
    let addresses = ends
        .map(|one| one.address.as_str())
        .chain([change.address.as_str()]);
    let names = addresses.filter_map(|address| address.split('@').next());
    names.filter(|name| !name.is_empty()).collect()
}

/// Where mail for an address goes before and after, when both are accepted and that is another place.
pub(super) fn moved(change: &AddressV1) -> Option<(String, String)> {
    if !(change.old.accepted && change.new.accepted) {
        return None;
    }
    let ends = |treated: &TreatedV1| {
        let ends: BTreeSet<&str> = treated
            .outcome
            .iter()
            .map(|one| one.address.as_str())
            .collect();
        ends.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (before, after) = (ends(&change.old), ends(&change.new));
    (before != after).then_some((before, after))
}

/// The reply and what follows.
fn words(treated: &TreatedV1) -> String {
    let mut words = match treated.code {
        None => "it cannot be known".to_owned(),
        Some(0) => "no answer".to_owned(),
        Some(code) => format!("{code} {}", treated.dsn).trim_end().to_owned(),
    };
    if treated.stage != "rcpt" {
        words.push_str(&format!(" ({})", treated.stage));
    }
    if let Some(data) = treated.data.as_ref().filter(|data| data.code >= 400) {
        words.push_str(&format!(", then {} {} after DATA", data.code, data.dsn));
    }
    let ends: BTreeSet<String> = (treated.outcome.iter())
        .map(|one| match one.via.as_str() {
            "" => one.result.to_owned(),
            via => format!("{} by {via}", one.result),
        })
        .collect();
    if !ends.is_empty() {
        let ends: Vec<String> = ends.into_iter().collect();
        words.push_str(&format!(", then {}", ends.join(" and ")));
    }
    words
}

fn senders(change: &AddressV1) -> String {
    let mut words: Vec<String> = Vec::new();
    for sender in &change.senders {
        let word = match sender.who {
            "a client in mynetworks" => format!("{} ({})", sender.who, sender.client),
            who => who.to_owned(),
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(", ")
}

/// Parameters that were written in another way, and the names of those that follow from these.
pub(super) fn written(parameters: &[ParameterV1]) -> (Vec<&ParameterV1>, Vec<String>) {
    let (derived, written): (Vec<&ParameterV1>, Vec<&ParameterV1>) =
        parameters.iter().partition(|change| change.derived);
    (written, derived.into_iter().map(name).collect())
}

/// A parameter with the service that it changes for.
pub(super) fn name(change: &ParameterV1) -> String {
    match &change.service {
        Some(service) => format!("{service}: {}", change.parameter),
        None => change.parameter.clone(),
    }
}

/// A value with the place where it is set, which is empty for a default.
pub(super) fn value(side: Option<&ValueV1>) -> (String, String) {
    match side {
        None => ("(does not exist)".to_owned(), String::new()),
        Some(side) => {
            let place = match (&side.file, side.line) {
                (Some(file), Some(line)) => format!("{file}:{line}"),
                _ => "default".to_owned(),
            };
            let value = match side.value.as_str() {
                "" => "(empty)".to_owned(),
                value => value.to_owned(),
            };
            (value, place)
        }
    }
}

/// A number of things.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

/// What was compared, and what was not.
pub(super) fn extent(diff: &super::view::DiffV1) -> Vec<String> {
    let compared = &diff.compared;
    let mut lines = vec![format!(
        "{} compared",
        count(compared.addresses, "address", "addresses")
    )];
    if compared.unaffected > 0 {
        lines.push(format!(
            "{} and all that they lead to stayed the same, and were not asked for",
            count(compared.unaffected, "entry of tables", "entries of tables")
        ));
    }
    if compared.left_out > 0 {
        lines.push(format!(
            "{} not compared: too many",
            count(compared.left_out, "more address was", "more addresses were")
        ));
    }
    if compared.reworded > 0 {
        lines.push(format!(
            "{} the same code in other words",
            count(compared.reworded, "reply says", "replies say")
        ));
    }
    for doubt in &diff.new_doubts {
        lines.push(format!(
            "{} on {} now",
            count(doubt.addresses, "reply depends", "replies depend"),
            doubt.what
        ));
    }
    lines
}
