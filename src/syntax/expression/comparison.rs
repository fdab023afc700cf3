//! `{left} op {right}` inside `${…}`: what stands where. Evaluating it is up to [`super::evaluate`].

use std::cmp::Ordering;

use super::level::{compatibility_level, is_number, number};
use super::split::{braced, end_of_run, rest20, skip_blank};
use super::{Dialect, ExpandError, syntax};
use crate::source::Text;

/// A comparison as it is written.
pub(super) struct Comparison {
    pub(super) left: Text,
    pub(super) right: Text,
    operator: Operator,
    /// The offset after it and the blanks that follow.
    pub(super) end: usize,
}

#[derive(Clone, Copy)]
struct Operator {
    relation: Relation,
    level: bool,
}

#[derive(Clone, Copy)]
enum Relation {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    GreaterOrEqual,
    Greater,
}

impl Relation {
    fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::GreaterOrEqual => ordering.is_ge(),
            Self::Greater => ordering.is_gt(),
        }
    }
}

impl Comparison {
    /// Parses the comparison whose first `{` is at `start` (`mac_exp_parse_relational`).
    pub(super) fn parse(text: &Text, start: usize, dialect: Dialect) -> Result<Self, ExpandError> {
        let bytes = text.as_bytes();
        let (left, after_left) = operand(text, start)?;
        let operator_start = skip_blank(bytes, after_left);
        let operator_end = end_of_run(bytes, operator_start, |byte| {
            b"<>!=?+-*/~&|%".contains(&byte)
        });
        let relation = match &bytes[operator_start..operator_end] {
            b"==" => Relation::Equal,
            b"!=" => Relation::NotEqual,
            b"<" => Relation::Less,
            b"<=" => Relation::LessOrEqual,
            b">=" => Relation::GreaterOrEqual,
            b">" => Relation::Greater,
            _ => {
                // The odd quotes are Postfix's.
                return Err(syntax(format!(
                    "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...{left}}}>>>{}\"",
                    rest20(text, operator_start)
                )));
            }
        };
        let symbol = text.slice(operator_start..operator_end);
        let mut at = operator_end;
        let mut level = false;
        if dialect.level_operators {
            at = end_of_run(bytes, operator_end, |byte| byte.is_ascii_alphanumeric());
            let suffix = text.slice(operator_end..at);
            level = suffix == "level";
            if !level && !suffix.is_empty() {
                return Err(syntax(format!(
                    "bad operator suffix at: \"...{symbol}>>>{suffix}\""
                )));
            }
        }
        let right_start = skip_blank(bytes, at);
        if bytes.get(right_start) != Some(&b'{') {
            return Err(syntax(format!(
                "\"{{expression}}\" expected at: \"...{{{left}}} {symbol}>>>{}\"",
                rest20(text, at)
            )));
        }
        let (right, after_right) = operand(text, right_start)?;
        Ok(Self {
            left,
            right,
            operator: Operator { relation, level },
            end: skip_blank(bytes, after_right),
        })
    }

    /// Whether it holds for these values of the operands.
    ///
    /// # Errors
    /// An operand of a `level` operator is no level, or a number is too large.
    pub(super) fn holds(&self, left: &Text, right: &Text) -> Result<bool, ExpandError> {
        let ordering = if self.operator.level {
            compatibility_level(left)?.cmp(&compatibility_level(right)?)
        } else if is_number(left) && is_number(right) {
            number(left)?.cmp(&number(right)?)
        } else {
            left.as_bytes().cmp(right.as_bytes())
        };
        Ok(self.operator.relation.holds(ordering))
    }
}

/// What is between the braces at `open`, and the offset after them.
pub(super) fn operand(text: &Text, open: usize) -> Result<(Text, usize), ExpandError> {
    match braced(text, open) {
        Some((inner, after)) => Ok((text.slice(inner), after)),
        None => Err(syntax(format!(
            "unbalanced {{}} in attribute expression: \"{}\"",
            text.slice(open..text.len())
        ))),
    }
}
