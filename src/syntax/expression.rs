//! `$name` and `${…}` in values: Postfix's `src/util/mac_parse.c` and `src/util/mac_expand.c`.
//!
//! [`expand`] gives what a program that reads the value would see, with the place of every byte;
//! [`references`] lists the names that a value mentions, as postconf scans for them.

use std::cell::Cell;
use std::fmt;
use std::ops::Range;

use crate::source::Text;

/// References nested deeper than this are an error (`mac_expand.c`).
const MAX_NESTING: usize = 100;
/// Comparison operands start a new count, so a comparison that reaches itself never ends in Postfix: the
/// program runs out of stack. Deeper than this we say so instead.
const MAX_RECURSION: usize = 300;
/// References evaluated for one value. Postfix has no such limit, it would run (nearly) for ever.
const MAX_STEPS: usize = 200_000;
/// Bytes of an expanded value. Postfix would need as much memory.
const MAX_LENGTH: usize = 64 << 20;

/// What a version of Postfix understands inside `${…}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    /// Comparisons and `?{…}:{…}` (Postfix 3.0).
    pub comparisons: bool,
    /// `<level` and the like (Postfix 3.6).
    pub level_operators: bool,
    /// `${domain_to_ascii{…}}` and the like (Postfix 3.11).
    pub functions: bool,
}

impl Dialect {
    /// The newest dialect.
    pub const NEWEST: Self = Self {
        comparisons: true,
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
    /// A comparison of compatibility levels has an operand that is none.
    Level,
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

/// A piece of a value.
enum Part {
    Literal(Text),
    /// What stands between the brackets, or the name after a bare `$`.
    Expression(Text),
}

/// Splits a value into text and expressions (`mac_parse`). On an error the parts before it are kept.
fn split(value: &Text) -> (Vec<Part>, Option<ExpandError>) {
    let bytes = value.as_bytes();
    let mut parts = Vec::new();
    let mut literal = Text::new();
    let mut start = 0;
    let mut at = 0;
    let error = loop {
        let Some(dollar) = memchr::memchr(b'$', &bytes[at..]).map(|offset| at + offset) else {
            break None;
        };
        if bytes.get(dollar + 1) == Some(&b'$') {
            literal.push(&value.slice(start..dollar + 1));
            at = dollar + 2;
            start = at;
            continue;
        }
        literal.push(&value.slice(start..dollar));
        let (inner, next) = match bytes.get(dollar + 1) {
            Some(b'{') => match closing(bytes, dollar + 1, b'{', b'}') {
                Some(close) => (dollar + 2..close, close + 1),
                None => break Some(syntax(format!("truncated macro reference: \"{value}\""))),
            },
            Some(b'(') => match closing(bytes, dollar + 1, b'(', b')') {
                Some(close) => (dollar + 2..close, close + 1),
                None => break Some(syntax(format!("truncated macro reference: \"{value}\""))),
            },
            _ => {
                let end = name_end(bytes, dollar + 1);
                (dollar + 1..end, end)
            }
        };
        if inner.is_empty() {
            break Some(syntax(format!("empty macro name: \"{value}\"")));
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(std::mem::take(&mut literal)));
        }
        parts.push(Part::Expression(value.slice(inner)));
        at = next;
        start = next;
    };
    if error.is_none() {
        literal.push(&value.slice(start..bytes.len()));
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
    }
    (parts, error)
}

/// Where the bracket that opens at `open` is closed; only the same kind of bracket counts.
fn closing(bytes: &[u8], open: usize, left: u8, right: u8) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, &byte) in bytes.iter().enumerate().skip(open) {
        if byte == left {
            depth += 1;
        } else if byte == right {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

fn name_end(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start..]
            .iter()
            .take_while(|&&byte| byte.is_ascii_alphanumeric() || byte == b'_')
            .count()
}

/// White space inside an expression.
fn skip_blank(bytes: &[u8], start: usize) -> usize {
    start
        + bytes[start..]
            .iter()
            .take_while(|&&byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
            .count()
}

/// The structure of one expression; operands are kept as text because Postfix parses only the chosen one.
struct Expression {
    subject: Subject,
    condition: Option<Condition>,
}

enum Subject {
    Name(Text),
    Comparison {
        left: Text,
        operator: Operator,
        right: Text,
    },
    /// `name{text}` (Postfix 3.11).
    Function {
        name: Text,
        argument: Text,
    },
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
    fn holds(self, ordering: std::cmp::Ordering) -> bool {
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

struct Condition {
    when_set: Option<Text>,
    when_unset: Option<Text>,
}

/// At most 20 bytes of what follows, as Postfix quotes it.
fn rest20(text: &Text, at: usize) -> Text {
    text.slice(at..text.len().min(at + 20))
}

/// A balanced `{…}` at `open`: what is between the braces, and the offset after it.
fn braced(text: &Text, open: usize) -> Result<(Range<usize>, usize), ExpandError> {
    match closing(text.as_bytes(), open, b'{', b'}') {
        Some(close) => Ok((open + 1..close, close + 1)),
        None => Err(syntax(format!(
            "unbalanced {{}} in attribute expression: \"{}\"",
            text.slice(open..text.len())
        ))),
    }
}

fn parse_expression(text: &Text, dialect: Dialect) -> Result<Expression, ExpandError> {
    let bytes = text.as_bytes();
    let start = skip_blank(bytes, 0);
    let (subject, at) = if dialect.comparisons && bytes.get(start) == Some(&b'{') {
        parse_comparison(text, start, dialect)?
    } else {
        let end = name_end(bytes, start);
        let name = text.slice(start..end);
        if dialect.functions && end > start && bytes.get(end) == Some(&b'{') {
            parse_function(text, name, start, end)?
        } else {
            let at = if dialect.comparisons {
                skip_blank(bytes, end)
            } else {
                end
            };
            if !matches!(bytes.get(at), None | Some(b'?' | b':')) {
                return Err(syntax(if dialect.comparisons {
                    format!(
                        "attribute name syntax error at: \"...{name}>>>{}\"",
                        text.slice(end..text.len())
                    )
                } else {
                    format!("macro name syntax error: \"{text}\"")
                }));
            }
            (Subject::Name(name), at)
        }
    };
    let condition = parse_condition(text, at, dialect)?;
    Ok(Expression { subject, condition })
}

fn parse_comparison(
    text: &Text,
    start: usize,
    dialect: Dialect,
) -> Result<(Subject, usize), ExpandError> {
    let bytes = text.as_bytes();
    let (left, after_left) = braced(text, start)?;
    let operator_start = skip_blank(bytes, after_left);
    let operator_end = operator_start
        + bytes[operator_start..]
            .iter()
            .take_while(|byte| b"<>!=?+-*/~&|%".contains(byte))
            .count();
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
                "\"==\" or \"!=\"\" or \"<\"\" or \"<=\"\" or \">=\"\" or \">\" expected at: \"...{}}}>>>{}\"",
                text.slice(left),
                rest20(text, operator_start)
            )));
        }
    };
    let suffix_end = operator_end
        + bytes[operator_end..]
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric())
            .count();
    let (level, after_operator) = match &bytes[operator_end..suffix_end] {
        b"" => (false, operator_end),
        b"level" if dialect.level_operators => (true, suffix_end),
        _ if dialect.level_operators => {
            return Err(syntax(format!(
                "bad operator suffix at: \"...{}>>>{}\"",
                text.slice(operator_start..operator_end),
                rest20(text, operator_end)
            )));
        }
        _ => (false, operator_end),
    };
    let right_start = skip_blank(bytes, after_operator);
    if bytes.get(right_start) != Some(&b'{') {
        return Err(syntax(format!(
            "\"{{expression}}\" expected at: \"...{{{}}} {}>>>{}\"",
            text.slice(left),
            text.slice(operator_start..after_operator),
            rest20(text, after_operator)
        )));
    }
    let (right, after_right) = braced(text, right_start)?;
    let at = skip_blank(bytes, after_right);
    if !matches!(bytes.get(at), None | Some(b'?' | b':')) {
        return Err(syntax(format!(
            "\"?\" or \":\" expected at: \"...}}>>>{}\"",
            rest20(text, at)
        )));
    }
    let subject = Subject::Comparison {
        left: text.slice(left),
        operator: Operator { relation, level },
        right: text.slice(right),
    };
    Ok((subject, at))
}

fn parse_function(
    text: &Text,
    name: Text,
    start: usize,
    open: usize,
) -> Result<(Subject, usize), ExpandError> {
    if name != "domain_to_ascii" && name != "domain_to_utf8" {
        return Err(syntax(format!(
            "unknown function \"{name}\" at\"...>>>{}\"",
            text.slice(start..text.len())
        )));
    }
    let (argument, after) = braced(text, open)?;
    let at = skip_blank(text.as_bytes(), after);
    Ok((
        Subject::Function {
            name,
            argument: text.slice(argument),
        },
        at,
    ))
}

fn parse_condition(
    text: &Text,
    at: usize,
    dialect: Dialect,
) -> Result<Option<Condition>, ExpandError> {
    let bytes = text.as_bytes();
    let set = match bytes.get(at) {
        None => return Ok(None),
        Some(b'?') => true,
        Some(b':') => false,
        Some(_) => {
            return Err(syntax(format!(
                "\"?\" or \":\" expected at: \"...}}>>>{}\"",
                rest20(text, at)
            )));
        }
    };
    let first = operand(text, at + 1, dialect)?;
    if !set {
        let (unset, end) = first;
        expect_end(text, &unset, end)?;
        return Ok(Some(Condition {
            when_set: None,
            when_unset: Some(unset),
        }));
    }
    let (when_set, end) = first;
    match bytes.get(end) {
        None => Ok(Some(Condition {
            when_set: Some(when_set),
            when_unset: None,
        })),
        Some(b':') => {
            let (unset, end) = operand(text, end + 1, dialect)?;
            expect_end(text, &unset, end)?;
            Ok(Some(Condition {
                when_set: Some(when_set),
                when_unset: Some(unset),
            }))
        }
        Some(_) => Err(syntax(format!(
            "\":\" expected at: \"...{when_set}}}>>>{}\"",
            rest20(text, end)
        ))),
    }
}

fn expect_end(text: &Text, operand: &Text, end: usize) -> Result<(), ExpandError> {
    if end < text.len() {
        return Err(syntax(format!(
            "unexpected input at: \"...{operand}}}>>>{}\"",
            rest20(text, end)
        )));
    }
    Ok(())
}

/// An operand and the offset after it and the blanks that follow. Without braces it reaches to the end.
fn operand(text: &Text, at: usize, dialect: Dialect) -> Result<(Text, usize), ExpandError> {
    let bytes = text.as_bytes();
    let open = skip_blank(bytes, at);
    if dialect.comparisons && bytes.get(open) == Some(&b'{') {
        let (inner, after) = braced(text, open)?;
        return Ok((text.slice(inner), skip_blank(bytes, after)));
    }
    Ok((text.slice(at..bytes.len()), bytes.len()))
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
    if memchr::memchr(b'$', value.as_bytes()).is_none() {
        return Ok(value.clone());
    }
    let evaluation = Evaluation {
        dialect,
        lookup,
        steps: Cell::new(0),
    };
    let mut out = Text::new();
    evaluation.value(value, 0, 0, &mut out)?;
    Ok(out)
}

struct Evaluation<'l> {
    dialect: Dialect,
    lookup: &'l dyn Fn(&str) -> Option<Text>,
    steps: Cell<usize>,
}

impl Evaluation<'_> {
    fn value(
        &self,
        value: &Text,
        nesting: usize,
        recursion: usize,
        out: &mut Text,
    ) -> Result<(), ExpandError> {
        let crash = |message: &str| ExpandError {
            kind: ExpandErrorKind::Crash,
            message: message.to_owned(),
        };
        if recursion > MAX_RECURSION {
            return Err(crash(
                "a comparison refers to itself: the program runs out of stack",
            ));
        }
        let (parts, error) = split(value);
        for part in parts {
            let (Part::Literal(text) | Part::Expression(text)) = &part;
            if nesting > MAX_NESTING {
                return Err(ExpandError {
                    kind: ExpandErrorKind::Recursion,
                    message: format!("unreasonable macro call nesting: \"{text}\""),
                });
            }
            self.steps.set(self.steps.get() + 1);
            if self.steps.get() > MAX_STEPS || out.len() + text.len() > MAX_LENGTH {
                return Err(crash("the value expands without end"));
            }
            match &part {
                Part::Literal(text) => out.push(text),
                Part::Expression(text) => self.expression(text, nesting, recursion, out)?,
            }
        }
        error.map_or(Ok(()), Err)
    }

    fn expression(
        &self,
        text: &Text,
        nesting: usize,
        recursion: usize,
        out: &mut Text,
    ) -> Result<(), ExpandError> {
        let expression = parse_expression(text, self.dialect)?;
        let found = match &expression.subject {
            Subject::Name(name) => (self.lookup)(name.as_str()),
            Subject::Comparison {
                left,
                operator,
                right,
            } => self
                .compare(left, *operator, right, recursion)?
                .then(|| Text::placeless("true")),
            Subject::Function { name, argument } => Some(self.function(name, argument, recursion)?),
        };
        let chosen = match &expression.condition {
            None => found,
            Some(condition) => {
                if found.is_some_and(|value| !value.is_empty()) {
                    condition.when_set.clone()
                } else {
                    condition.when_unset.clone()
                }
            }
        };
        match chosen {
            Some(value) => self.value(&value, nesting + 1, recursion + 1, out),
            None => Ok(()),
        }
    }

    fn compare(
        &self,
        left: &Text,
        operator: Operator,
        right: &Text,
        recursion: usize,
    ) -> Result<bool, ExpandError> {
        let operand = |text: &Text| {
            let mut out = Text::new();
            self.value(text, 0, recursion + 1, &mut out).map(|()| out)
        };
        let (left, right) = (operand(left)?, operand(right)?);
        let ordering = if operator.level {
            compatibility_level(&left)?.cmp(&compatibility_level(&right)?)
        } else if let (Some(left), Some(right)) = (digits(&left)?, digits(&right)?) {
            left.cmp(&right)
        } else {
            left.as_bytes().cmp(right.as_bytes())
        };
        Ok(operator.relation.holds(ordering))
    }

    /// The IDNA functions change nothing in a plain ASCII domain, which is the only case that is
    /// computed here.
    fn function(
        &self,
        name: &Text,
        argument: &Text,
        recursion: usize,
    ) -> Result<Text, ExpandError> {
        let mut out = Text::new();
        self.value(argument, 0, recursion + 1, &mut out)?;
        if out.as_bytes().is_ascii() && !out.as_str().to_ascii_lowercase().contains("xn--") {
            return Ok(out);
        }
        Err(syntax(format!(
            "postlint cannot evaluate {name} of a name that is not plain ASCII"
        )))
    }
}

/// A number, when all bytes are digits.
fn digits(text: &Text) -> Result<Option<i64>, ExpandError> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    match text.as_str().parse() {
        Ok(number) => Ok(Some(number)),
        Err(_) => Err(ExpandError {
            kind: ExpandErrorKind::Crash,
            message: format!("mac_exp_eval: bad conversion: {text}"),
        }),
    }
}

/// A compatibility level as one number, as `src/global/compat_level.c` packs it.
///
/// # Errors
/// The text is not `major[.minor[.patch]]`.
pub fn compatibility_level(text: &Text) -> Result<u64, ExpandError> {
    parse_level(text.as_str()).ok_or_else(|| ExpandError {
        kind: ExpandErrorKind::Level,
        message: format!("malformed compatibility level syntax: \"{text}\""),
    })
}

fn parse_level(text: &str) -> Option<u64> {
    const MAX_MAJOR: u64 = (i64::MAX as u64) >> 20;
    let mut members = text.split('.');
    let major = strtol(members.next()?).filter(|&major| major <= MAX_MAJOR)?;
    let minor = members
        .next()
        .map_or(Some(0), strtol)
        .filter(|&minor| minor < 1024)?;
    let patch = members
        .next()
        .map_or(Some(0), strtol)
        .filter(|&patch| patch < 1024)?;
    if members.next().is_some() {
        return None;
    }
    Some((major << 20) | (minor << 10) | patch)
}

/// A whole text as C `strtol` reads a number that is not negative: leading white space and a sign pass.
fn strtol(text: &str) -> Option<u64> {
    let text =
        text.trim_start_matches(|byte: char| u8::try_from(byte).is_ok_and(crate::source::is_space));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits
        .parse()
        .ok()
        .filter(|&number| !negative || number == 0)
}

/// The names that a value mentions, in order, with those of both branches of a condition and of the
/// operands of a comparison, as postconf scans for them.
///
/// Malformed parts are skipped; their errors come second.
pub fn references(value: &Text, dialect: Dialect) -> (Vec<Reference>, Vec<ExpandError>) {
    let mut found = (Vec::new(), Vec::new());
    if memchr::memchr(b'$', value.as_bytes()).is_some() {
        scan(value, dialect, 0, &mut found);
    }
    found
}

fn scan(
    value: &Text,
    dialect: Dialect,
    depth: usize,
    found: &mut (Vec<Reference>, Vec<ExpandError>),
) {
    if depth > MAX_RECURSION {
        return;
    }
    let (parts, error) = split(value);
    for part in parts {
        let Part::Expression(text) = part else {
            continue;
        };
        match parse_expression(&text, dialect) {
            Ok(expression) => {
                match expression.subject {
                    Subject::Name(name) => {
                        found.0.push(Reference {
                            name,
                            tested: expression.condition.is_some(),
                        });
                    }
                    Subject::Comparison { left, right, .. } => {
                        scan(&left, dialect, depth + 1, found);
                        scan(&right, dialect, depth + 1, found);
                    }
                    Subject::Function { argument, .. } => {
                        scan(&argument, dialect, depth + 1, found);
                    }
                }
                for operand in expression
                    .condition
                    .into_iter()
                    .flat_map(|condition| [condition.when_set, condition.when_unset])
                    .flatten()
                {
                    scan(&operand, dialect, depth + 1, found);
                }
            }
            Err(error) => {
                // Postfix stops at the first error of a value.
                found.1.push(error);
                return;
            }
        }
    }
    found.1.extend(error);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand_with(value: &str, names: &[(&str, &str)]) -> Result<String, String> {
        let lookup = |name: &str| {
            names
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| Text::placeless(value))
        };
        expand(&Text::placeless(value), Dialect::NEWEST, &lookup)
            .map(|text| text.to_string())
            .map_err(|error| error.message)
    }

    const NAMES: &[(&str, &str)] = &[
        ("foo", "FOO"),
        ("bar", "BAR"),
        ("empty", ""),
        ("via", "$empty"),
        ("dollar", "$$foo"),
        ("loop", "$loop"),
    ];

    #[test]
    fn names_and_conditions() {
        for (value, expected) in [
            ("a$foo-$(bar)${ foo }", "aFOO-BARFOO"),
            ("${foo?yes:no}", "yes:no"),
            ("${foo?{yes}:{no}}${none?{yes}:{no}}", "yesno"),
            ("${via?A}${via:B}", "A"),
            ("${none:dflt}$none", "dflt"),
            ("$dollar $$foo", "$foo $foo"),
            ("${{a} == {b}? {x} : {y}}${{05} == {5}}", "ytrue"),
            ("${{3.10} < {3.6}}${{3.10} <level {3.6}}", "true"),
            ("${{2} <level {3.6} ? {lt} : {ge}}", "lt"),
            ("${foo?{a}:{$}}", "a"),
        ] {
            assert_eq!(
                expand_with(value, NAMES),
                Ok(expected.to_owned()),
                "{value}"
            );
        }
    }

    #[test]
    fn errors_in_the_words_of_postfix() {
        for (value, expected) in [
            ("a$", "empty macro name: \"a$\""),
            ("$(foo}", "truncated macro reference: \"$(foo}\""),
            (
                "${foo bar}",
                "attribute name syntax error at: \"...foo>>> bar\"",
            ),
            ("$loop", "unreasonable macro call nesting: \"loop\""),
            (
                "${{x} <level {3}}",
                "malformed compatibility level syntax: \"x\"",
            ),
            (
                "${{a} == {a} x}",
                "\"?\" or \":\" expected at: \"...}>>>x\"",
            ),
        ] {
            assert_eq!(
                expand_with(value, NAMES),
                Err(expected.to_owned()),
                "{value}"
            );
        }
    }

    #[test]
    fn a_value_that_never_ends_is_an_error() {
        let names: &[_] = &[
            ("x", "${{$x} == {a}}"),
            ("a", "$b$b"),
            ("b", "$c$c"),
            ("c", "$d$d"),
        ];
        assert!(expand_with("$x", names).is_err());
        let doubled: Vec<(String, String)> = (0..90)
            .map(|n| (format!("v{n}"), format!("$v{0}$v{0}", n + 1)))
            .collect();
        let lookup = |name: &str| {
            doubled
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| Text::placeless(value))
        };
        assert!(expand(&Text::placeless("$v0"), Dialect::NEWEST, &lookup).is_err());
    }

    #[test]
    fn references_cover_both_branches() {
        let value = Text::placeless("$a ${b?{$c}:{$d}} ${{$e} == {$f}?$g}");
        let (names, errors) = references(&value, Dialect::NEWEST);
        let names: Vec<_> = names
            .iter()
            .map(|reference| reference.name.to_string())
            .collect();
        assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g"]);
        assert!(errors.is_empty());
    }
}
