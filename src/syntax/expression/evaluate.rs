//! Walks through a value and evaluates its expressions (`src/util/mac_expand.c`).

use super::comparison::{Comparison, operand};
use super::split::{Part, Parts, name_end, rest20, skip_blank};
use super::{Dialect, ExpandError, ExpandErrorKind, Meaning, Reference, syntax};
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

/// The expanded value, unless Postfix gives up, and what it says meanwhile.
pub(super) fn expand(
    value: &Text,
    dialect: Dialect,
    lookup: Lookup<'_>,
) -> (Option<Text>, Vec<ExpandError>) {
    let mut walk = Walk::new(dialect, Some(lookup));
    let text = match walk.value(value, 0) {
        Ok(context) => (!context.failed).then_some(context.out),
        Err(error) => {
            walk.errors.push(error);
            None
        }
    };
    (text, walk.errors)
}

/// The names in a value, and what Postfix says meanwhile.
pub(super) fn scan(value: &Text, dialect: Dialect) -> (Vec<Reference>, Vec<ExpandError>) {
    let mut walk = Walk::new(dialect, None);
    if let Err(error) = walk.value(value, 0) {
        walk.errors.push(error);
    }
    (walk.references, walk.errors)
}

/// One walk. Mistakes go to `errors`; an `Err` is why to stop.
struct Walk<'l> {
    dialect: Dialect,
    /// `None` to look at both branches of every condition and expand nothing.
    lookup: Option<Lookup<'l>>,
    references: Vec<Reference>,
    errors: Vec<ExpandError>,
    steps: usize,
}

impl From<ExpandError> for Stop {
    fn from(error: ExpandError) -> Self {
        Self::Ends(error)
    }
}

/// What belongs to one value, or to one operand of a comparison, with all that it refers to.
#[derive(Default)]
struct Context {
    out: Text,
    /// Within an operand, Postfix forgets that some values are to be taken as they are.
    is_operand: bool,
    /// There was a mistake: nothing more is evaluated.
    failed: bool,
    /// How deep in references. After a mistake it is not counted down any more, as in Postfix.
    nesting: usize,
}

/// Gives the meaning of a name.
type Lookup<'l> = &'l dyn Fn(&str) -> Option<Meaning>;

/// Why an expression is not evaluated to its end.
enum Stop {
    /// A mistake, which has been told.
    Told,
    /// The program ends.
    Ends(ExpandError),
}

impl<'l> Walk<'l> {
    fn new(dialect: Dialect, lookup: Option<Lookup<'l>>) -> Self {
        Self {
            dialect,
            lookup,
            references: Vec::new(),
            errors: Vec::new(),
            steps: 0,
        }
    }

    fn value(&mut self, value: &Text, depth: usize) -> Result<Context, ExpandError> {
        let mut context = Context {
            is_operand: depth > 0,
            ..Context::default()
        };
        let failed = self.parts(value, &mut context, depth)?;
        context.failed = failed;
        Ok(context)
    }

    /// Whether there was a mistake in the value, or in what it refers to.
    fn parts(
        &mut self,
        value: &Text,
        context: &mut Context,
        depth: usize,
    ) -> Result<bool, ExpandError> {
        if depth > MAX_RECURSION {
            return Err(crash(
                "a comparison refers to itself: the program runs out of stack",
            ));
        }
        let mut failed = false;
        for part in Parts::of(value) {
            match part {
                Part::Literal(text) => failed |= self.literal(&text, context)?,
                Part::Last(text) if !failed => failed |= self.literal(&text, context)?,
                Part::Last(_) => {}
                Part::Unclosed => {
                    self.errors
                        .push(syntax(format!("truncated macro reference: \"{value}\"")));
                    return Ok(true);
                }
                Part::Bracketed(_) if failed => return Ok(true),
                Part::Name(text) | Part::Bracketed(text) if text.is_empty() => {
                    self.errors
                        .push(syntax(format!("empty macro name: \"{value}\"")));
                    return Ok(true);
                }
                Part::Name(text) | Part::Bracketed(text) => {
                    failed |= self.expression(&text, context, depth)?;
                }
            }
        }
        Ok(failed)
    }

    /// Counts a piece; whether it is to be evaluated.
    fn enter(&mut self, text: &Text, context: &mut Context) -> Result<bool, ExpandError> {
        self.steps += 1;
        if self.steps > MAX_STEPS || context.out.len() + text.len() > MAX_LENGTH {
            return Err(crash("the value expands without end"));
        }
        if context.nesting > MAX_NESTING {
            self.errors.push(ExpandError {
                kind: ExpandErrorKind::Recursion,
                message: format!("unreasonable macro call nesting: \"{text}\""),
            });
            context.failed = true;
        }
        context.nesting += 1;
        Ok(!context.failed)
    }

    fn literal(&mut self, text: &Text, context: &mut Context) -> Result<bool, ExpandError> {
        if self.enter(text, context)? {
            if self.lookup.is_some() {
                context.out.push(text);
            }
            context.nesting -= 1;
        }
        Ok(context.failed)
    }

    fn expression(
        &mut self,
        text: &Text,
        context: &mut Context,
        depth: usize,
    ) -> Result<bool, ExpandError> {
        if self.enter(text, context)? {
            match self.evaluate(text, context, depth) {
                Ok(()) => context.nesting -= 1,
                Err(Stop::Told) => {}
                Err(Stop::Ends(error)) => return Err(error),
            }
        }
        Ok(context.failed)
    }

    /// Says what is wrong with the expression.
    fn tell(&mut self, error: ExpandError, context: &mut Context) -> Stop {
        if error.kind.ends_program() {
            return Stop::Ends(error);
        }
        self.errors.push(error);
        context.failed = true;
        Stop::Told
    }

    fn evaluate(&mut self, text: &Text, context: &mut Context, depth: usize) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let start = skip_blank(bytes, 0);
        let (found, at) = if self.dialect.comparisons && bytes.get(start) == Some(&b'{') {
            self.comparison(text, start, context, depth)?
        } else {
            let (end, at) = self.name_ends(bytes, start);
            match bytes.get(at) {
                None | Some(b'?' | b':') => {}
                Some(b'{') if self.dialect.functions => {
                    return self.function(text, start..end, at, context, depth);
                }
                Some(_) => {
                    let error = if self.dialect.comparisons {
                        format!(
                            "attribute name syntax error at: \"...{}>>>{}\"",
                            text.slice(0..end),
                            rest20(text, end)
                        )
                    } else {
                        format!("macro name syntax error: \"{text}\"")
                    };
                    return Err(self.tell(syntax(error), context));
                }
            }
            let name = text.slice(start..end);
            let found = match self.lookup {
                Some(lookup) => lookup(name.as_str()),
                None => {
                    let tested = at < bytes.len();
                    self.references.push(Reference { name, tested });
                    None
                }
            };
            (found, at)
        };
        self.result(text, found, at, context, depth)
    }

    /// Where a name ends, and where what follows it starts.
    fn name_ends(&self, bytes: &[u8], start: usize) -> (usize, usize) {
        if !self.dialect.blanks_around_names {
            let end = name_end(bytes, 0);
            return (end, end);
        }
        let end = name_end(bytes, start);
        (end, skip_blank(bytes, end))
    }

    fn comparison(
        &mut self,
        text: &Text,
        start: usize,
        context: &mut Context,
        depth: usize,
    ) -> Result<(Option<Meaning>, usize), Stop> {
        let comparison = match Comparison::parse(text, start, self.dialect) {
            Ok(comparison) => comparison,
            Err(error) => return Err(self.tell(error, context)),
        };
        let left = self.value(&comparison.left, depth + 1)?;
        let right = self.value(&comparison.right, depth + 1)?;
        context.failed |= left.failed | right.failed;
        let mut found = None;
        if self.lookup.is_some() {
            match comparison.holds(&left.out, &right.out) {
                Ok(holds) => {
                    let truth = Text::placeless(if holds { "true" } else { "" });
                    found = Some(Meaning::Value(truth));
                }
                Err(error) => return Err(self.tell(error, context)),
            }
        }
        if context.failed {
            return Err(Stop::Told);
        }
        let at = comparison.end;
        if !matches!(text.as_bytes().get(at), None | Some(b'?' | b':')) {
            let error = format!(
                "\"?\" or \":\" expected at: \"...}}>>>{}\"",
                rest20(text, at)
            );
            return Err(self.tell(syntax(error), context));
        }
        Ok((found, at))
    }

    /// Puts out what the expression stands for, now that its subject is known; `at` is behind the subject.
    fn result(
        &mut self,
        text: &Text,
        found: Option<Meaning>,
        at: usize,
        context: &mut Context,
        depth: usize,
    ) -> Result<(), Stop> {
        let bytes = text.as_bytes();
        let Some(&operator) = bytes.get(at) else {
            match found {
                Some(Meaning::Verbatim(value)) if !context.is_operand => context.out.push(&value),
                Some(Meaning::Value(value) | Meaning::Verbatim(value)) => {
                    self.nested(&value, context, depth)?;
                }
                None => {}
            }
            return Ok(());
        };
        let is_scan = self.lookup.is_none();
        let is_set = match &found {
            Some(Meaning::Value(value) | Meaning::Verbatim(value)) => !value.is_empty(),
            None => false,
        };
        let mut at = at + 1;
        if operator == b'?' {
            let (when_set, end) = match self.branch(text, at) {
                Ok(branch) => branch,
                Err(error) => return Err(self.tell(error, context)),
            };
            if is_set || is_scan {
                self.nested(&when_set, context, depth)?;
            }
            match bytes.get(end) {
                None => return Ok(()),
                Some(b':') => at = end + 1,
                Some(_) => {
                    let error = format!(
                        "\":\" expected at: \"...{when_set}}}>>>{}\"",
                        rest20(text, end)
                    );
                    return Err(self.tell(syntax(error), context));
                }
            }
        }
        let (when_unset, end) = match self.branch(text, at) {
            Ok(branch) => branch,
            Err(error) => return Err(self.tell(error, context)),
        };
        if !is_set || is_scan {
            self.nested(&when_unset, context, depth)?;
        }
        if end < bytes.len() {
            let error = format!(
                "unexpected input at: \"...{when_unset}}}>>>{}\"",
                rest20(text, end)
            );
            return Err(self.tell(syntax(error), context));
        }
        Ok(())
    }

    /// A branch of a condition and the offset after it and the blanks that follow. Without braces it
    /// reaches to the end.
    fn branch(&self, text: &Text, at: usize) -> Result<(Text, usize), ExpandError> {
        let bytes = text.as_bytes();
        if !self.dialect.comparisons {
            return Ok((text.slice(at..bytes.len()), bytes.len()));
        }
        // White space between the `?` and a `{` is dropped; in front of other text it belongs to it.
        let open = skip_blank(bytes, at);
        if bytes.get(open) != Some(&b'{') {
            return Ok((text.slice(at..bytes.len()), bytes.len()));
        }
        let (inner, after) = operand(text, open)?;
        Ok((inner, skip_blank(bytes, after)))
    }

    /// A value that the expression stands for.
    fn nested(
        &mut self,
        value: &Text,
        context: &mut Context,
        depth: usize,
    ) -> Result<(), ExpandError> {
        let failed = self.parts(value, context, depth + 1)?;
        // Before Postfix 3.0, mac_expand() does not look at what mac_parse() returns here.
        if self.dialect.comparisons {
            context.failed |= failed;
        }
        Ok(())
    }

    /// `name{text}` (Postfix 3.11). The IDNA functions change nothing in a plain ASCII domain, which is
    /// the only case that is computed here.
    fn function(
        &mut self,
        text: &Text,
        name: std::ops::Range<usize>,
        open: usize,
        context: &mut Context,
        depth: usize,
    ) -> Result<(), Stop> {
        let name = text.slice(name);
        let (argument, after) = match operand(text, open) {
            Ok((argument, after)) => (argument.trim(), skip_blank(text.as_bytes(), after)),
            Err(error) => return Err(self.tell(error, context)),
        };
        if after < text.len() {
            let error = format!(
                "unexpected input at: \"...{argument}}}>>>{}\"",
                rest20(text, after)
            );
            return Err(self.tell(syntax(error), context));
        }
        if name != "domain_to_ascii" && name != "domain_to_utf8" {
            let error = format!("unknown function \"{name}\" at\"...>>>{name}{{{argument}}}\"");
            return Err(self.tell(syntax(error), context));
        }
        let argument = self.value(&argument, depth + 1)?;
        context.failed |= argument.failed;
        if self.lookup.is_some() && !context.failed {
            let domain = argument.out;
            let is_plain = domain.as_bytes().is_ascii()
                && !domain.as_str().to_ascii_lowercase().contains("xn--");
            if !is_plain {
                let error =
                    format!("postlint cannot evaluate {name} of a name that is not plain ASCII");
                return Err(self.tell(syntax(error), context));
            }
            context.out.push(&domain);
        }
        // As in Postfix, the nesting is not counted down.
        Err(Stop::Told)
    }
}

fn crash(message: &str) -> ExpandError {
    ExpandError {
        kind: ExpandErrorKind::Crash,
        message: message.to_owned(),
    }
}
