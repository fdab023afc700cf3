//! The rounds: fixes are applied, the result is read and checked, and what does harm is withheld.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;

use super::apply::{self, Choice, Patched};
use super::compare::{self, Complaint, MANY, Run, Subject};
use super::{ChangedFile, FixReport, Fixer, Linted, Outcome, Overlay, Reason};
use crate::finding::{Fix, Safety};
use crate::source::{FileId, Source, Span};

/// How many rounds may pass without progress.
const PATIENCE: usize = 10;
/// After so many rounds with progress the rest is left for another run.
const MOST_ROUNDS: usize = 1000;
/// When so many fixes of one rule were withheld, its others are not tried any more.
const MOST_FAILURES: usize = 10;
/// The path of standard input, which can be fixed, though not written.
const STANDARD_INPUT: &str = "-";

impl<T> Fixer<'_, T> {
    /// Applies fixes until none is left to apply.
    ///
    /// # Errors
    /// The configuration cannot be read, or the fixes do not come to an end, which is a bug in postlint.
    pub fn run(self) -> anyhow::Result<Outcome<T>> {
        let overlay = Overlay::new();
        let state = (self.lint)(&overlay)?;
        let mut point = FixedPoint {
            fixer: self,
            overlay,
            state,
            originals: BTreeMap::new(),
            banned: BTreeSet::new(),
            applied: Vec::new(),
            withheld: Vec::new(),
            failures: BTreeMap::new(),
        };
        point.iterate()?;
        Ok(point.outcome())
    }
}

/// A finding and a fix of it, known again in the next round.
type Known = (Subject, String, String);

struct FixedPoint<'f, T> {
    fixer: Fixer<'f, T>,
    overlay: Overlay,
    /// The configuration under `overlay`.
    state: Linted<T>,
    /// The changed files as they are on disk.
    originals: BTreeMap<PathBuf, Arc<Source>>,
    banned: BTreeSet<Known>,
    applied: Vec<FixReport>,
    withheld: Vec<(FixReport, Reason)>,
    /// How many fixes of a rule, by its code, did harm.
    failures: BTreeMap<&'static str, usize>,
}

/// Whether rounds lead anywhere.
#[derive(Default)]
struct Progress {
    /// Hashes of the files after each round.
    seen: BTreeSet<u64>,
    fewest: Option<usize>,
    smallest: Option<usize>,
    idle: usize,
}

impl Progress {
    /// Takes note of a round in which there were `count` fixes to apply, and which led to `overlay`.
    ///
    /// What was there before will be there again. Other rounds may go on while there is less to do, or less
    /// text, or while rules bring more findings to light (`is_cut_off`); some more to be patient.
    fn is_made(&mut self, count: usize, overlay: &Overlay, is_cut_off: bool) -> bool {
        let mut hasher = DefaultHasher::new();
        overlay.hash(&mut hasher);
        if !self.seen.insert(hasher.finish()) {
            return false;
        }
        let size = overlay.values().map(Vec::len).sum();
        // Another file in the overlay makes it larger, but there are only so many files.
        let is_less = |new: usize, least: &mut Option<usize>| {
            let is_less = least.is_none_or(|least| new < least);
            if is_less {
                *least = Some(new);
            }
            is_less
        };
        let fewer = is_less(count, &mut self.fewest);
        let smaller = is_less(size, &mut self.smallest);
        if fewer || smaller || is_cut_off {
            self.idle = 0;
        } else {
            self.idle += 1;
        }
        self.idle <= PATIENCE
    }
}

/// What a round has reached: these fixes, these files, this configuration.
struct Step<T> {
    accepted: Vec<Choice>,
    reached: Option<(Overlay, Linted<T>)>,
}

impl<T> FixedPoint<'_, T> {
    fn iterate(&mut self) -> anyhow::Result<()> {
        let mut progress = Progress::default();
        for _ in 0..MOST_ROUNDS {
            let (wanted, waiting) = self.wanted();
            let choices = apply::without_conflicts(&self.state.findings, &wanted);
            if choices.is_empty() {
                for (choice, reason) in waiting {
                    self.withhold(choice, reason);
                }
                break;
            }
            let mut step = Step {
                accepted: Vec::new(),
                reached: None,
            };
            self.try_fixes(&choices, &mut step)?;
            let is_cut_off = self.has_subject_of_many(&wanted);
            if let Some((overlay, _)) = &step.reached
                && !progress.is_made(wanted.len(), overlay, is_cut_off)
            {
                let findings = &self.state.findings;
                let rules = step.accepted.iter();
                let rules: BTreeSet<_> = rules.map(|at| findings[at.finding].rule.name).collect();
                let rules: Vec<_> = rules.into_iter().collect();
                bail!(
                    "fixes do not come to an end, which is a bug in postlint: {}",
                    rules.join(", ")
                );
            }
            self.take(step);
        }
        Ok(())
    }

    /// Whether a rule may have left out findings that are to be fixed in later rounds.
    fn has_subject_of_many(&self, wanted: &[Choice]) -> bool {
        let mut counts: BTreeMap<Subject, usize> = BTreeMap::new();
        for choice in wanted {
            let finding = &self.state.findings[choice.finding];
            let subject = Subject::of(finding, &self.state.sources);
            *counts.entry(subject).or_default() += 1;
        }
        counts.values().any(|&count| count >= MANY)
    }

    /// The fixes to apply now, and those that cannot be applied before something else is mended.
    fn wanted(&mut self) -> (Vec<Choice>, Vec<(Choice, Reason)>) {
        let findings = &self.state.findings;
        let chosen = apply::choose(findings, &self.state.sources, self.fixer.threshold);
        let mut wanted = Vec::new();
        let mut waiting = Vec::new();
        let mut refused = Vec::new();
        for choice in chosen {
            let Some(fix) = choice.of(&self.state.findings) else {
                continue;
            };
            if self.banned.contains(&self.known(choice, fix)) {
                continue;
            }
            match self.obstacle(fix) {
                None => wanted.push(choice),
                Some(reason @ Reason::BrokenFile { .. }) => waiting.push((choice, reason)),
                Some(reason) => refused.push((choice, reason)),
            }
        }
        for (choice, reason) in refused {
            self.withhold(choice, reason);
        }
        (wanted, waiting)
    }

    fn known(&self, choice: Choice, fix: &Fix) -> Known {
        let finding = &self.state.findings[choice.finding];
        let subject = Subject::of(finding, &self.state.sources);
        (subject, finding.message.clone(), fix.title.clone())
    }

    /// Why a fix cannot be applied now.
    fn obstacle(&self, fix: &Fix) -> Option<Reason> {
        let sources = &self.state.sources;
        if !apply::is_well_formed(fix, sources) {
            return Some(Reason::Malformed);
        }
        let files: BTreeSet<FileId> = fix.edits.iter().map(|edit| edit.span.file).collect();
        for file in files {
            let source = sources.get(file);
            let path = source.path();
            let is_file = source.stamp().is_some()
                || self.overlay.contains_key(path)
                || path == Path::new(STANDARD_INPUT);
            if !is_file {
                return Some(Reason::NotAFile(path.to_path_buf()));
            }
            let broken = || self.state.broken.iter().filter(|span| span.file == file);
            let mends = |span: &Span| {
                fix.edits.iter().any(|edit| {
                    edit.span.file == file
                        && edit.span.start <= span.end
                        && span.start <= edit.span.end
                })
            };
            if let Some(first) = broken().next()
                && !broken().any(mends)
            {
                return Some(Reason::BrokenFile {
                    path: path.to_path_buf(),
                    line: source.line_column(first.start).line,
                });
            }
        }
        None
    }

    /// Applies the fixes on top of those accepted before. Where that does harm, halves are tried, down to
    /// the fixes that do it, which are withheld.
    fn try_fixes(&mut self, choices: &[Choice], step: &mut Step<T>) -> anyhow::Result<()> {
        let (hopeless, choices): (Vec<_>, Vec<_>) = choices
            .iter()
            .copied()
            .partition(|choice| self.is_hopeless(*choice));
        for choice in hopeless {
            self.withhold(choice, Reason::OthersFailed);
        }
        if choices.is_empty() {
            return Ok(());
        }
        let choices = choices.as_slice();
        let mut all = step.accepted.clone();
        all.extend_from_slice(choices);
        // What was withheld may have been in the way of nothing; the rest still goes together.
        let Some(patched) = apply::apply(&self.state.findings, &self.state.sources, &all) else {
            return self.divide(choices, Reason::Malformed, step);
        };
        let mut overlay = self.overlay.clone();
        for (file, patched) in &patched {
            overlay.insert(self.state.sources.path(*file), patched.bytes.clone());
        }
        let next = (self.fixer.lint)(&overlay)?;
        let before = step
            .reached
            .as_ref()
            .map_or(&self.state, |(_, reached)| reached);
        let is_safe = |choice: &Choice| {
            choice
                .of(&self.state.findings)
                .is_some_and(|fix| fix.safety == Safety::Safe)
        };
        let harm = self.harm(&all, &patched, &next).or_else(|| {
            let asked = choices.iter().any(is_safe);
            let worse = asked.then(|| (self.fixer.worse)(&before.state, &next.state));
            worse.flatten().map(Reason::WorseForMail)
        });
        match harm {
            None => {
                step.accepted = all;
                step.reached = Some((overlay, next));
                Ok(())
            }
            Some(reason) => self.divide(choices, reason, step),
        }
    }

    fn is_hopeless(&self, choice: Choice) -> bool {
        let code = self.state.findings[choice.finding].rule.code;
        let failures = self.failures.get(code);
        failures.is_some_and(|&count| count >= MOST_FAILURES)
    }

    fn divide(
        &mut self,
        choices: &[Choice],
        reason: Reason,
        step: &mut Step<T>,
    ) -> anyhow::Result<()> {
        match choices {
            [] => Ok(()),
            [choice] => {
                let code = self.state.findings[choice.finding].rule.code;
                *self.failures.entry(code).or_default() += 1;
                self.withhold(*choice, reason);
                Ok(())
            }
            _ => {
                let (first, second) = choices.split_at(choices.len() / 2);
                self.try_fixes(first, step)?;
                self.try_fixes(second, step)
            }
        }
    }

    /// What is wrong with the configuration after the fixes that was not wrong before.
    fn harm(
        &self,
        fixed: &[Choice],
        patched: &BTreeMap<FileId, Patched>,
        next: &Linted<T>,
    ) -> Option<Reason> {
        for file in patched.keys() {
            let path = self.state.sources.path(*file);
            if broken_in(next, &path) > broken_in(&self.state, &path) {
                return Some(Reason::BreaksFile(path));
            }
        }
        let before = Run {
            findings: &self.state.findings,
            sources: &self.state.sources,
        };
        let after = Run {
            findings: &next.findings,
            sources: &next.sources,
        };
        match compare::complaint(before, after, fixed, patched)? {
            Complaint::StillThere(_) => Some(Reason::StillThere),
            Complaint::NewError(index) => {
                let finding = next.findings.get(index)?;
                Some(Reason::NewError {
                    rule: finding.rule.name,
                    message: finding.message.clone(),
                })
            }
        }
    }

    fn withhold(&mut self, choice: Choice, reason: Reason) {
        if let Some(fix) = choice.of(&self.state.findings) {
            self.banned.insert(self.known(choice, fix));
            self.withheld.push((self.report(choice, fix), reason));
        }
    }

    fn report(&self, choice: Choice, fix: &Fix) -> FixReport {
        let finding = &self.state.findings[choice.finding];
        let source = self.state.sources.get(finding.span.file);
        FixReport {
            rule: finding.rule,
            message: finding.message.clone(),
            title: fix.title.clone(),
            safety: fix.safety,
            path: source.path().to_path_buf(),
            line: source.line_column(finding.span.start).line,
        }
    }

    /// Makes what a round has reached the state of things.
    fn take(&mut self, step: Step<T>) {
        let Some((overlay, next)) = step.reached else {
            return;
        };
        for choice in step.accepted {
            let Some(fix) = choice.of(&self.state.findings) else {
                continue;
            };
            self.applied.push(self.report(choice, fix));
            for edit in &fix.edits {
                let source = self.state.sources.get(edit.span.file);
                // In the overlay it is there already, as it was before the first fix.
                self.originals
                    .entry(source.path().to_path_buf())
                    .or_insert(source);
            }
        }
        self.overlay = overlay;
        self.state = next;
    }

    fn outcome(self) -> Outcome<T> {
        let files = self
            .originals
            .into_iter()
            .filter_map(|(path, before)| {
                let after = self.overlay.get(&path)?.clone();
                (before.bytes() != after).then_some(ChangedFile { before, after })
            })
            .collect();
        Outcome {
            files,
            applied: self.applied,
            withheld: self.withheld,
            held_back: apply::held_back(&self.state.findings, self.fixer.threshold),
            remaining: self.state,
            overlay: self.overlay,
        }
    }
}

fn broken_in<T>(linted: &Linted<T>, path: &Path) -> usize {
    linted
        .broken
        .iter()
        .filter(|span| linted.sources.path(span.file) == path)
        .count()
}
