//! The rounds: fixes are applied, the result is read and checked, and what does harm is withheld.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::bail;

use super::apply::{self, Choice, Patched};
use super::compare::{self, Complaint, Run, Subject};
use super::{ChangedFile, FixReport, Fixer, Linted, Outcome, Overlay, Reason};
use crate::finding::{Fix, Safety};
use crate::source::{FileId, Source, Span};

/// How many rounds may pass in which the number of fixes to apply does not fall.
const PATIENCE: usize = 10;
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
}

/// What a round has reached: these fixes, these files, this configuration.
struct Step<T> {
    accepted: Vec<Choice>,
    reached: Option<(Overlay, Linted<T>)>,
}

impl<T> FixedPoint<'_, T> {
    fn iterate(&mut self) -> anyhow::Result<()> {
        let mut fewest = usize::MAX;
        let mut patience = PATIENCE;
        loop {
            let (wanted, waiting) = self.wanted();
            let choices = apply::without_conflicts(&self.state.findings, &wanted);
            if choices.is_empty() {
                for (choice, reason) in waiting {
                    self.withhold(choice, reason);
                }
                return Ok(());
            }
            if wanted.len() < fewest {
                fewest = wanted.len();
                patience = PATIENCE;
            } else if patience == 0 {
                let rules: BTreeSet<_> = choices
                    .iter()
                    .map(|choice| self.state.findings[choice.finding].rule.name)
                    .collect();
                let rules: Vec<_> = rules.into_iter().collect();
                bail!(
                    "fixes do not come to an end, which is a bug in postlint: {}",
                    rules.join(", ")
                );
            } else {
                patience -= 1;
            }
            let mut step = Step {
                accepted: Vec::new(),
                reached: None,
            };
            self.try_fixes(&choices, &mut step)?;
            self.take(step);
        }
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

    fn divide(
        &mut self,
        choices: &[Choice],
        reason: Reason,
        step: &mut Step<T>,
    ) -> anyhow::Result<()> {
        match choices {
            [] => Ok(()),
            [choice] => {
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
