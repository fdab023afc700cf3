//! `$name` and `${…}` in values: Postfix's `src/util/mac_parse.c` and `src/util/mac_expand.c`.
//!
//! [`expand`] gives what a program that reads the value would see, with the place of every byte;
//! [`references`] lists the names that a value mentions, as postconf scans for them. Both walk through a
//! value step by step as Postfix does, so that a malformed one gives the same warnings in the same order:
//! what stands in front of a mistake counts, what stands behind it does not.

mod comparison;
mod evaluate;
mod level;
mod split;

use std::fmt;

use crate::source::Text;

pub use level::compatibility_level;

/// What a version of Postfix understands inside `${…}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Comparisons and `?{…}:{…}` (Postfix 3.0).
    pub comparisons: bool,
    /// `${ name }` (Postfix 3.3).
    pub blanks_around_names: bool,
    /// `<level` and the like (Postfix 3.6).
    pub level_operators: bool,
    /// `${domain_to_ascii{…}}` and the like (Postfix 3.11).
    pub functions: bool,
}

impl Dialect {
    /// The newest dialect.
    pub const NEWEST: Self = Self {
        comparisons: true,
        blanks_around_names: true,
        level_operators: true,
        functions: true,
    };
}

/// Why a value cannot be expanded. The text is the warning that Postfix prints before it gives up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandError {
    /// What is wrong.
    pub kind: ExpandErrorKind,
    /// Postfix's words, or ours where Postfix would crash or never end.
    pub message: String,
}

/// The kinds of expansion errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExpandErrorKind {
    /// The expression is malformed.
    Syntax,
    /// The value refers to itself, directly or not.
    Recursion,
    /// Evaluating never ends: the program dies without a word.
    Crash,
    /// The program ends at once, with these words: a number is too large.
    Fatal,
    /// A comparison of compatibility levels has an operand that is none.
    Level,
}

impl ExpandErrorKind {
    /// Whether the program ends with this error, without a look at the rest of the value.
    pub fn ends_program(self) -> bool {
        matches!(self, Self::Crash | Self::Fatal)
    }
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

fn syntax(message: String) -> ExpandError {
    ExpandError {
        kind: ExpandErrorKind::Syntax,
        message,
    }
}

/// A name that a value mentions.
#[derive(Clone, Debug)]
pub struct Reference {
    /// The name, where it stands.
    pub name: Text,
    /// The name is only tested (`${name?…}`, `${name:…}`): being undefined is an expected case.
    pub tested: bool,
}

/// What a name stands for.
#[derive(Clone, Debug)]
pub enum Meaning {
    /// A value, in which expressions are expanded in turn.
    Value(Text),
    /// A text that is taken as it is.
    Verbatim(Text),
}

/// Expands a value.
///
/// `lookup` gives the raw value of a name, `None` when nothing defines it. Every byte of the result keeps
/// the place where it was written, be it in `value` or in the definition of a name.
///
/// # Errors
/// The first thing that Postfix would warn about before it gives up.
pub fn expand(
    value: &Text,
    dialect: Dialect,
    lookup: &dyn Fn(&str) -> Option<Text>,
) -> Result<Text, ExpandError> {
    // Nearly all values hold no expression at all.
    if !has_expression(value) {
        return Ok(value.clone());
    }
    let lookup = |name: &str| lookup(name).map(Meaning::Value);
    let (text, errors) = expand_with(value, dialect, &lookup);
    text.ok_or_else(|| {
        let first = errors.into_iter().next();
        first.unwrap_or_else(|| syntax(String::new()))
    })
}

/// As [`expand`], for a lookup that says more of a name, and for all that Postfix says, in this order.
///
/// There is no text when Postfix gives up. Before Postfix 3.0, it warns of a mistake within an operand or
/// within the value of another name, and goes on.
pub fn expand_with(
    value: &Text,
    dialect: Dialect,
    lookup: &dyn Fn(&str) -> Option<Meaning>,
) -> (Option<Text>, Vec<ExpandError>) {
    if has_expression(value) {
        evaluate::expand(value, dialect, lookup)
    } else {
        (Some(value.clone()), Vec::new())
    }
}

/// The names that a value mentions, in order, with those of both branches of a condition and of the
/// operands of a comparison, as postconf scans for them.
///
/// What follows a mistake is not looked at. The errors come second.
pub fn references(value: &Text, dialect: Dialect) -> (Vec<Reference>, Vec<ExpandError>) {
    if has_expression(value) {
        evaluate::scan(value, dialect)
    } else {
        (Vec::new(), Vec::new())
    }
}

fn has_expression(value: &Text) -> bool {
    memchr::memchr(b'$', value.as_bytes()).is_some()
}

#[cfg(test)]
mod tests;
