//! What Postfix warns about when it opens a table of patterns.

use crate::source::Span;
use crate::syntax::pattern_table::PatternProblemKind;

/// A warning about one line of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableProblem {
    /// The physical line on which the logical line starts, from 1; for rules in a reference the number of
    /// the rule.
    pub line: usize,
    /// Where; `None` when the table is written nowhere.
    pub span: Option<Span>,
    /// The logical line.
    pub line_span: Option<Span>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// Postfix's words after `line N: `.
    pub message: String,
    /// A second warning that Postfix adds.
    pub then: Option<&'static str>,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProblemKind {
    /// A rule of a regexp or pcre table.
    Pattern(PatternProblemKind),
    /// A line of a cidr table that is skipped.
    Cidr,
    /// An `if` of a cidr table has no `endif`.
    CidrIfWithoutEndIf,
}

impl ProblemKind {
    /// Whether the line counts in spite of the problem.
    pub fn keeps_rule(self) -> bool {
        match self {
            Self::Pattern(kind) => kind.keeps_rule(),
            Self::Cidr => false,
            Self::CidrIfWithoutEndIf => true,
        }
    }
}
