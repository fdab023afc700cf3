//! Fixes to bytes: which fixes can be applied together, and the files with them applied.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use crate::edits;
use crate::finding::{Edit, Finding, Fix, Safety};
use crate::source::{FileId, Sources, Span};

/// A fix, as indices into a list of findings and into the fixes of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// Which finding.
    pub finding: usize,
    /// Which of its fixes.
    pub fix: usize,
}

impl Choice {
    /// The fix in the list of findings that it was chosen from.
    pub fn of(self, findings: &[Finding]) -> Option<&Fix> {
        findings.get(self.finding)?.fixes.get(self.fix)
    }
}

/// For each finding the first fix that is safe enough, in the order of the places that they change.
///
/// `threshold` is the least safety that is wanted. What only the operator can do is never chosen.
pub fn choose(findings: &[Finding], sources: &Sources, threshold: Safety) -> Vec<Choice> {
    let threshold = threshold.max(Safety::Unsafe);
    let mut choices: Vec<_> = findings
        .iter()
        .enumerate()
        .filter_map(|(finding, found)| {
            let is_wanted = |fix: &Fix| fix.safety >= threshold && !fix.edits.is_empty();
            let fix = found.fixes.iter().position(is_wanted)?;
            let first = first_span(&found.fixes[fix])?;
            let place = (sources.path(first.file), first.start, first.end);
            Some((place, found.rule.code, Choice { finding, fix }))
        })
        .collect();
    // By path, because the order in which tables are read may differ from run to run.
    choices.sort();
    choices.into_iter().map(|(.., choice)| choice).collect()
}

/// How many findings have a fix that `threshold` holds back, and none that it lets pass.
pub fn held_back(findings: &[Finding], threshold: Safety) -> usize {
    let threshold = threshold.max(Safety::Unsafe);
    let applicable = |fix: &&Fix| fix.safety > Safety::DisplayOnly && !fix.edits.is_empty();
    findings
        .iter()
        .filter_map(|finding| {
            finding
                .fixes
                .iter()
                .filter(applicable)
                .map(|fix| fix.safety)
                .max()
        })
        .filter(|&best| best < threshold)
        .count()
}

/// The smallest span among the edits of a fix.
pub(super) fn first_span(fix: &Fix) -> Option<Span> {
    fix.edits.iter().map(|edit| edit.span).min()
}

/// Whether the edits of a fix lie inside their files and do not overlap.
pub(super) fn is_well_formed(fix: &Fix, sources: &Sources) -> bool {
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| edit.span);
    edits.dedup();
    let inside = |edit: &&Edit| {
        edit.span.start <= edit.span.end
            && edit.span.end <= sources.get(edit.span.file).bytes().len()
    };
    edits.iter().all(inside)
        && edits.windows(2).all(|pair| {
            pair[0].span.file != pair[1].span.file || pair[0].span.end <= pair[1].span.start
        })
}

/// Drops the choices whose edits touch those of an earlier one. They can be applied when the file has been
/// read again. Edits that are the same are not in each other's way: they are one.
pub fn without_conflicts(findings: &[Finding], choices: &[Choice]) -> Vec<Choice> {
    let mut accepted = Accepted::default();
    choices
        .iter()
        .copied()
        .filter(|choice| {
            let edits = choice
                .of(findings)
                .map_or(&[][..], |fix| fix.edits.as_slice());
            accepted.add(edits)
        })
        .collect()
}

/// Edits that go together. Those of different fixes do not touch, so their ends ascend like their starts.
#[derive(Default)]
struct Accepted<'f> {
    edits: BTreeMap<(FileId, usize, usize), Vec<&'f [u8]>>,
}

impl<'f> Accepted<'f> {
    /// Adds all of the edits, or none.
    fn add(&mut self, edits: &'f [Edit]) -> bool {
        if edits.iter().any(|edit| self.is_in_the_way_of(edit)) {
            return false;
        }
        for edit in edits {
            let key = (edit.span.file, edit.span.start, edit.span.end);
            self.edits.entry(key).or_default().push(&edit.text);
        }
        true
    }

    fn is_in_the_way_of(&self, edit: &Edit) -> bool {
        let span = edit.span;
        let key = (span.file, span.start, span.end);
        if let Some(texts) = self.edits.get(&key)
            && texts.contains(&edit.text.as_slice())
        {
            return false;
        }
        let until = Bound::Included((span.file, span.end, usize::MAX));
        let last = self.edits.range((Bound::Unbounded, until)).next_back();
        last.is_some_and(|((file, _, end), _)| *file == span.file && *end >= span.start)
    }
}

/// A file with edits done.
#[derive(Clone, Debug)]
pub struct Patched {
    /// The bytes afterwards.
    pub bytes: Vec<u8>,
    /// The edits, in order, each once.
    pub edits: Vec<Edit>,
    /// For each edit, and for what follows the last one: by how much places in front of it have moved.
    shifts: Vec<isize>,
}

impl Patched {
    /// `edits` are in order.
    fn of(bytes: &[u8], edits: Vec<Edit>) -> Option<Self> {
        let mut shifts = vec![0];
        let mut shift = 0;
        for edit in &edits {
            shift += signed(edit.text.len()) - signed(edit.span.end.checked_sub(edit.span.start)?);
            shifts.push(shift);
        }
        Some(Self {
            bytes: edits::splice(bytes, &edits)?,
            edits,
            shifts,
        })
    }

    /// The range of the new bytes that corresponds to `range` of the old ones. What was replaced corresponds
    /// to what replaced it; what was inserted at the ends is not in it.
    pub fn map(&self, range: std::ops::Range<usize>) -> std::ops::Range<usize> {
        let moved = |at: usize, index: usize| at.saturating_add_signed(self.shifts[index]);
        let passed = self
            .edits
            .partition_point(|edit| edit.span.end <= range.start);
        let start = match self.edits.get(passed) {
            Some(edit) if edit.span.start <= range.start => moved(edit.span.start, passed),
            _ => moved(range.start, passed),
        };
        let begun = self
            .edits
            .partition_point(|edit| edit.span.start < range.end);
        let end = match begun.checked_sub(1).map(|last| (last, &self.edits[last])) {
            Some((last, edit)) if edit.span.end > range.end => {
                moved(edit.span.start, last) + edit.text.len()
            }
            _ => moved(range.end, begun),
        };
        start..end.max(start)
    }
}

/// Sizes of things in memory are below `isize::MAX`.
fn signed(length: usize) -> isize {
    isize::try_from(length).unwrap_or(isize::MAX)
}

/// The files with the chosen fixes applied.
///
/// `None` when edits overlap or lie outside of their files, which [`without_conflicts`] and the check of each
/// fix prevent.
pub fn apply(
    findings: &[Finding],
    sources: &Sources,
    choices: &[Choice],
) -> Option<BTreeMap<FileId, Patched>> {
    let mut edits: BTreeMap<FileId, Vec<Edit>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for choice in choices {
        for edit in &choice.of(findings)?.edits {
            if seen.insert((edit.span, edit.text.as_slice())) {
                edits.entry(edit.span.file).or_default().push(edit.clone());
            }
        }
    }
    edits
        .into_iter()
        .map(|(file, mut edits)| {
            // Stable: two insertions at one place keep the order that their fix gives them.
            edits.sort_by_key(|edit| edit.span);
            Some((file, Patched::of(sources.get(file).bytes(), edits)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{RULE, edit, finding};
    use super::*;
    use crate::edits::splice;

    fn sources(files: &[&str]) -> Sources {
        let sources = Sources::default();
        for (index, text) in files.iter().enumerate() {
            sources.add(format!("f{index}").into(), text.as_bytes().to_vec(), None);
        }
        sources
    }

    fn applied(
        sources: &Sources,
        findings: &[Finding],
        threshold: Safety,
    ) -> (Vec<String>, Vec<usize>) {
        let chosen = choose(findings, sources, threshold);
        let accepted = without_conflicts(findings, &chosen);
        let patched = apply(findings, sources, &accepted).expect("no overlap");
        let texts = patched
            .values()
            .map(|file| String::from_utf8_lossy(&file.bytes).into_owned())
            .collect();
        (
            texts,
            accepted.iter().map(|choice| choice.finding).collect(),
        )
    }

    #[test]
    fn the_first_fix_that_is_safe_enough_is_taken() {
        let sources = sources(&["abc"]);
        let file = sources.find("f0".as_ref()).expect("it was added");
        let mut one = finding(&RULE, file.span_of(0..1), "m");
        one.choice("decide");
        one.fix("u", Safety::Unsafe, [edit(&file, 0..1, "U")]);
        one.fix("s", Safety::Safe, [edit(&file, 0..1, "S")]);
        let mut two = finding(&RULE, file.span_of(2..3), "m");
        two.fix("u", Safety::Unsafe, [edit(&file, 2..3, "U")]);
        let findings = [one, two];
        let texts = |threshold| applied(&sources, &findings, threshold).0;
        assert_eq!(texts(Safety::Safe), ["Sbc"]);
        assert_eq!(texts(Safety::Unsafe), ["UbU"]);
        assert_eq!(texts(Safety::DisplayOnly), ["UbU"]);
        assert_eq!(held_back(&findings, Safety::Safe), 1);
        assert_eq!(held_back(&findings, Safety::Unsafe), 0);
    }

    #[test]
    fn a_fix_is_applied_whole_or_not_at_all() {
        let sources = sources(&["abcd", "wxyz"]);
        let (one, two) = (
            sources.find("f0".as_ref()).expect("it was added"),
            sources.find("f1".as_ref()).expect("it was added"),
        );
        let with = |edits: Vec<Edit>| {
            let mut finding = finding(&RULE, one.span_of(0..1), "m");
            finding.fix("f", Safety::Safe, edits);
            finding
        };
        let findings = [
            with(vec![edit(&two, 1..2, "2"), edit(&one, 3..4, "2")]),
            with(vec![edit(&one, 0..1, "1"), edit(&two, 0..1, "1")]),
            with(vec![edit(&one, 0..1, "1"), edit(&two, 3..4, "3")]),
        ];
        // The second one comes first, and meets the first one in the other file. The third shares an edit
        // with the second.
        let (texts, accepted) = applied(&sources, &findings, Safety::Safe);
        assert_eq!(accepted, [1, 2]);
        assert_eq!(texts, ["1bcd", "1xy3"]);
    }

    #[test]
    fn edits_outside_their_file_are_no_fix() {
        let sources = sources(&["abcd"]);
        let file = sources.find("f0".as_ref()).expect("it was added");
        let with = |edits: Vec<Edit>| {
            let mut finding = finding(&RULE, file.span_of(0..1), "m");
            finding.fix("f", Safety::Safe, edits);
            is_well_formed(&finding.fixes[0], &sources)
        };
        assert!(with(vec![edit(&file, 0..2, ""), edit(&file, 2..4, "")]));
        assert!(with(vec![edit(&file, 0..2, ""), edit(&file, 0..2, "")]));
        assert!(!with(vec![edit(&file, 0..2, ""), edit(&file, 1..4, "")]));
        assert!(!with(vec![edit(&file, 3..5, "")]));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn accepted_fixes_do_not_meet(
            text in "[a-z]{0,30}",
            fixes in prop::collection::vec(
                prop::collection::vec((0..31_usize, 0..5_usize, "[A-Z]{0,2}"), 1..3), 0..12),
        ) {
            let sources = sources(&[&text]);
            let file = sources.find("f0".as_ref()).expect("it was added");
            let findings: Vec<_> = fixes
                .iter()
                .map(|edits| {
                    let mut finding = finding(&RULE, file.span_of(0..0), "m");
                    let edits = edits.iter().map(|(start, length, new)| {
                        let start = *start.min(&text.len());
                        edit(&file, start..(start + length).min(text.len()), new)
                    });
                    finding.fix("f", Safety::Safe, edits);
                    finding
                })
                .filter(|finding| is_well_formed(&finding.fixes[0], &sources))
                .collect();
            let chosen = choose(&findings, &sources, Safety::Safe);
            prop_assert_eq!(chosen.len(), findings.len());
            let accepted = without_conflicts(&findings, &chosen);
            prop_assert_eq!(accepted.is_empty(), findings.is_empty());
            let patched = apply(&findings, &sources, &accepted).expect("no overlap");
            let Some(patched) = patched.get(&file.id()) else { return Ok(()) };
            prop_assert_eq!(splice(text.as_bytes(), &patched.edits), Some(patched.bytes.clone()));
            // What is not edited is found again.
            for at in 0..text.len() {
                if patched.edits.iter().all(|edit| at < edit.span.start || edit.span.end <= at) {
                    let mapped = patched.map(at..at + 1);
                    prop_assert_eq!(&patched.bytes[mapped], &text.as_bytes()[at..=at]);
                }
            }
        }
    }
}
