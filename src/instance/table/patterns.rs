//! regexp and pcre tables, loaded: Postfix's `src/util/dict_regexp.c` and `dict_pcre.c`.
//!
//! Rules are kept in order and the first that matches wins. A rule that fails a check is dropped alone, and
//! a dropped `if` leaves the rules inside without a condition.

use super::lookup::{Hit, Lookup, Unknown, UnknownReason};
use super::problem::{ProblemKind, TableProblem};
use super::regex::{CompileError, Execution, Regex};
use super::rule_source::RuleSource;
use crate::source::Text;
use crate::syntax::pattern_table::{
    self, Flavour, Pattern, PatternLineKind, PatternProblem, PatternProblemKind,
};
use crate::syntax::replacement::{Replacement, ReplacementPart};

/// A table of patterns.
#[derive(Debug)]
pub struct PatternTable {
    flavour: Flavour,
    source: RuleSource,
    rules: Vec<Rule>,
    problems: Vec<TableProblem>,
}

/// A rule that counts.
#[derive(Debug)]
struct Rule {
    /// Where it stands in the source.
    at: usize,
    kind: RuleKind,
}

#[derive(Debug)]
enum RuleKind {
    Match {
        condition: Condition,
        second: Option<Condition>,
        replacement: Replacement,
    },
    If {
        condition: Condition,
        /// Index of the `endif`; `None` when there is none, and a miss ends the search.
        end: Option<usize>,
    },
    EndIf,
}

#[derive(Debug)]
struct Condition {
    negated: bool,
    /// `None` when the pattern is too large to be tried.
    regex: Option<Regex>,
}

enum Verdict {
    Yes(Vec<Option<std::ops::Range<usize>>>),
    No,
    Unknown,
}

impl Condition {
    /// Whether the key satisfies the condition. A match that fails counts as not satisfied, negated or not.
    fn check(&self, key: &[u8], groups: usize) -> Verdict {
        let Some(regex) = &self.regex else {
            return Verdict::Unknown;
        };
        match regex.execute(key, groups) {
            Execution::Match(places) if !self.negated => Verdict::Yes(places),
            Execution::NoMatch if self.negated => Verdict::Yes(Vec::new()),
            Execution::Match(_) | Execution::NoMatch | Execution::Failed(_) => Verdict::No,
        }
    }
}

impl PatternTable {
    pub(super) fn load(flavour: Flavour, source: RuleSource) -> Self {
        let mut loader = Loader {
            flavour,
            source: &source,
            rules: Vec::new(),
            open: Vec::new(),
            problems: Vec::new(),
        };
        source.for_each(|line, at| loader.line(line, at));
        let (rules, problems) = loader.finish();
        Self {
            flavour,
            source,
            rules,
            problems,
        }
    }

    /// Which kind of table it is.
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// What Postfix warns about when it opens the table, in the order of its warnings.
    pub fn problems(&self) -> &[TableProblem] {
        &self.problems
    }

    /// Number of rules that count, `if` and `endif` included.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether no rule counts.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rules that count, in order, with their places: what a rule of the table says, as it is parsed.
    pub fn lines(&self) -> impl Iterator<Item = (Text, PatternLineKind)> {
        self.rules.iter().map(|rule| {
            let text = self.source.line(rule.at).text;
            let kind = pattern_table::parse(text.as_bytes(), self.flavour).kind;
            (text, kind)
        })
    }

    /// Asks the table. `no_regsub` skips the rules that use `$1`.
    pub(super) fn lookup(&self, key: &[u8], no_regsub: bool, table: &dyn Fn() -> String) -> Lookup {
        let mut at = 0;
        while let Some(rule) = self.rules.get(at) {
            at += 1;
            match &rule.kind {
                RuleKind::EndIf => {}
                RuleKind::If { condition, end } => match condition.check(key, 0) {
                    Verdict::Yes(_) => {}
                    Verdict::No => match end {
                        Some(end) => at = end + 1,
                        None => return Lookup::NotFound,
                    },
                    Verdict::Unknown => return Self::unknown(table),
                },
                RuleKind::Match {
                    condition,
                    second,
                    replacement,
                } => {
                    if no_regsub && replacement.highest_group > 0 {
                        continue;
                    }
                    let groups = usize::try_from(replacement.highest_group).unwrap_or(0);
                    let places = match condition.check(key, groups) {
                        Verdict::Yes(places) => places,
                        Verdict::No => continue,
                        Verdict::Unknown => return Self::unknown(table),
                    };
                    match second.as_ref().map(|second| second.check(key, 0)) {
                        None | Some(Verdict::Yes(_)) => {}
                        Some(Verdict::No) => continue,
                        Some(Verdict::Unknown) => return Self::unknown(table),
                    }
                    return Lookup::Found(self.hit(rule, replacement, key, &places));
                }
            }
        }
        Lookup::NotFound
    }

    fn unknown(table: &dyn Fn() -> String) -> Lookup {
        Lookup::Unknown(Unknown {
            table: table(),
            reason: UnknownReason::TooLarge,
            otherwise: Box::new(Lookup::NotFound),
        })
    }

    fn hit(
        &self,
        rule: &Rule,
        replacement: &Replacement,
        key: &[u8],
        places: &[Option<std::ops::Range<usize>>],
    ) -> Hit {
        let line = self.source.line(rule.at);
        let mut value = Text::new();
        for part in &replacement.parts {
            match part {
                ReplacementPart::Literal(range) => value.push(&line.text.slice(range.clone())),
                ReplacementPart::Group { number, .. } => {
                    let place = usize::try_from(*number)
                        .ok()
                        .and_then(|number| places.get(number)?.clone());
                    if let Some(matched) = place.and_then(|place| key.get(place)) {
                        value.push(&Text::placeless_bytes(matched));
                    }
                }
            }
        }
        let parsed = pattern_table::parse(line.text.as_bytes(), self.flavour);
        let key_span = match parsed.kind {
            PatternLineKind::Match { pattern, .. } => line.text.span_of(pattern.expression),
            _ => None,
        };
        Hit {
            value,
            span: line.span(),
            key_span,
        }
    }
}

struct Loader<'s> {
    flavour: Flavour,
    source: &'s RuleSource,
    rules: Vec<Rule>,
    /// Indexes of the `if` rules that are not closed yet.
    open: Vec<usize>,
    problems: Vec<TableProblem>,
}

impl Loader<'_> {
    fn line(&mut self, bytes: &[u8], at: usize) {
        let line = pattern_table::parse(bytes, self.flavour);
        for problem in line.problems {
            // An endif that closes nothing is dropped before anybody looks at what follows it.
            let is_moot =
                problem.kind == PatternProblemKind::TextAfterEndIf && self.open.is_empty();
            if !is_moot {
                self.problem(at, problem);
            }
        }
        let kind = match line.kind {
            PatternLineKind::Dropped => return,
            PatternLineKind::If(pattern) => match self.compile(bytes, at, &pattern) {
                Some(condition) => {
                    self.open.push(self.rules.len());
                    RuleKind::If {
                        condition,
                        end: None,
                    }
                }
                None => return,
            },
            PatternLineKind::EndIf => match self.open.pop() {
                Some(start) => {
                    let index = self.rules.len();
                    if let Some(RuleKind::If { end, .. }) =
                        self.rules.get_mut(start).map(|rule| &mut rule.kind)
                    {
                        *end = Some(index);
                    }
                    RuleKind::EndIf
                }
                None => {
                    self.report(
                        at,
                        0..bytes.len(),
                        PatternProblemKind::EndIfWithoutIf,
                        "ignoring ENDIF without matching IF".to_owned(),
                    );
                    return;
                }
            },
            PatternLineKind::Match {
                pattern,
                second,
                replacement,
                result,
            } => {
                let Some(condition) = self.compile(bytes, at, &pattern) else {
                    return;
                };
                let groups = condition.regex.as_ref().map_or(usize::MAX, Regex::groups);
                let highest = replacement.highest_group;
                if highest > u64::try_from(groups).unwrap_or(u64::MAX) {
                    // Postfix prints the number as an int.
                    #[expect(clippy::cast_possible_truncation)]
                    let shown = highest as i32;
                    self.report(
                        at,
                        result,
                        PatternProblemKind::NoSuchGroup,
                        format!("out of range replacement index \"{shown}\": skipping this rule"),
                    );
                    return;
                }
                let second = match second {
                    None => None,
                    Some(second) => match self.compile(bytes, at, &second) {
                        None => return,
                        condition => condition,
                    },
                };
                RuleKind::Match {
                    condition,
                    second,
                    replacement,
                }
            }
        };
        self.rules.push(Rule { at, kind });
    }

    fn compile(&mut self, line: &[u8], at: usize, pattern: &Pattern) -> Option<Condition> {
        let expression = &line[pattern.expression.clone()];
        let regex = match Regex::new(self.flavour, expression, pattern.options) {
            Ok(regex) => Some(regex),
            Err(CompileError::TooLarge) => None,
            Err(CompileError::Message(message)) => {
                self.report(
                    at,
                    pattern.expression.clone(),
                    PatternProblemKind::BadPattern,
                    message,
                );
                return None;
            }
        };
        Some(Condition {
            negated: pattern.negated,
            regex,
        })
    }

    fn report(
        &mut self,
        at: usize,
        range: std::ops::Range<usize>,
        kind: PatternProblemKind,
        message: String,
    ) {
        self.problem(
            at,
            PatternProblem {
                kind,
                message,
                then: None,
                range,
            },
        );
    }

    fn problem(&mut self, at: usize, problem: PatternProblem) {
        let line = self.source.line(at);
        self.problems.push(TableProblem {
            line: self.source.number(line.at),
            span: line.text.span_of(problem.range),
            line_span: line.span(),
            kind: ProblemKind::Pattern(problem.kind),
            message: problem.message,
            then: problem.then,
        });
    }

    fn finish(mut self) -> (Vec<Rule>, Vec<TableProblem>) {
        while let Some(index) = self.open.pop() {
            let at = self.rules[index].at;
            let length = self.source.line(at).text.len();
            self.report(
                at,
                0..length,
                PatternProblemKind::IfWithoutEndIf,
                "IF has no matching ENDIF".to_owned(),
            );
        }
        (self.rules, self.problems)
    }
}
