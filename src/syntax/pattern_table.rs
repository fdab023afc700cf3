//! Lines of `regexp_table(5)` and `pcre_table(5)`: Postfix's `src/util/dict_regexp.c` and `dict_pcre.c`.
//!
//! This is what can be said of a line without the library that compiles the pattern. Whether an `endif`
//! belongs to an `if` is for whoever reads the whole table: an `if` whose pattern does not compile does not
//! count. Offsets are those of the line.

use std::ops::Range;

use super::cidr_table::{is_keyword, negation};
use super::replacement::{self, Replacement};
use super::table::trim;
use crate::source::{is_space, same_length_lossy};

/// Which of the two kinds of tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// `regexp:`.
    Regexp,
    /// `pcre:`.
    Pcre,
}

impl Flavour {
    /// The name of the table type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Regexp => "regexp",
            Self::Pcre => "pcre",
        }
    }
}

/// A logical line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternLine {
    /// What it is.
    pub kind: PatternLineKind,
    /// What Postfix warns about, in its order.
    pub problems: Vec<PatternProblem>,
}

/// What a logical line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatternLineKind {
    /// A pattern and its result.
    Match {
        /// What has to match.
        pattern: Pattern,
        /// `/a/!/b/`: what has to match, too (regexp only).
        second: Option<Pattern>,
        /// The result as it is written.
        result: Range<usize>,
        /// The result taken apart.
        replacement: Replacement,
    },
    /// `if pattern`.
    If(Pattern),
    /// `endif`.
    EndIf,
    /// Not accepted: the last of the problems says why.
    Dropped,
}

/// A pattern between delimiters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// An odd number of `!` is in front.
    pub negated: bool,
    /// The pattern itself, without delimiters.
    pub expression: Range<usize>,
    /// The flags after it.
    pub flags: Range<usize>,
    /// What the flags amount to.
    pub options: PatternOptions,
}

/// The options of a pattern. The default is what both kinds of tables start with; each flag toggles one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PatternOptions {
    /// Letters match in either case (flag `i` toggles).
    pub ignore_case: bool,
    /// `^` and `$` match at each line (flag `m`).
    pub multi_line: bool,
    /// regexp: extended expressions (on); pcre: white space and comments in patterns (off). Flag `x`.
    pub extended: bool,
    /// pcre: `.` matches a newline (flag `s`).
    pub dot_all: bool,
    /// pcre: matches at the start only (flag `A`).
    pub anchored: bool,
    /// pcre: `$` does not match in front of a newline at the end (flag `E`).
    pub dollar_end_only: bool,
    /// pcre: repetitions take as little as possible (flag `U`).
    pub ungreedy: bool,
}

impl PatternOptions {
    fn new(flavour: Flavour) -> Self {
        Self {
            ignore_case: true,
            multi_line: false,
            extended: flavour == Flavour::Regexp,
            dot_all: flavour == Flavour::Pcre,
            anchored: false,
            dollar_end_only: false,
            ungreedy: false,
        }
    }
}

/// Something that Postfix warns about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternProblem {
    /// What is wrong.
    pub kind: PatternProblemKind,
    /// Postfix's words after `line N: `.
    pub message: String,
    /// The warning that Postfix adds in a line of its own.
    pub then: Option<&'static str>,
    /// Where.
    pub range: Range<usize>,
}

/// The kinds of problems.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternProblemKind {
    /// Nothing but `!` and white space.
    NoPattern,
    /// The delimiter does not come again.
    NotClosed,
    /// A letter that is no flag.
    UnknownFlag,
    /// Flag `X` with PCRE2; the rule is kept.
    ObsoleteFlag,
    /// There is no result. The rule is kept, and a hit is an error.
    EmptyResult,
    /// A `$` in the result is not followed by the number of a group.
    BadReplacement,
    /// `$1` in the result of a negated pattern, whose groups match nothing.
    GroupOfNegated,
    /// Text after the pattern of an `if`; the `if` is kept. Often an indented rule that became a
    /// continuation of it.
    TextAfterIf,
    /// Text after `endif`, which is kept.
    TextAfterEndIf,
    /// A line that starts with a letter or digit and is neither `if` nor `endif`.
    Unrecognized,
    /// `endif` without `if`.
    EndIfWithoutIf,
    /// `if` without `endif`: an address that does not match is not found in the rest of the table.
    IfWithoutEndIf,
    /// `$1` where the parameter does not allow it.
    GroupNotAllowed,
    /// The pattern does not compile.
    BadPattern,
    /// `$n` with more than the pattern's number of groups.
    NoSuchGroup,
}

impl PatternProblemKind {
    /// Whether the rule counts in spite of the problem.
    pub fn keeps_rule(self) -> bool {
        matches!(
            self,
            Self::ObsoleteFlag
                | Self::EmptyResult
                | Self::TextAfterIf
                | Self::TextAfterEndIf
                | Self::IfWithoutEndIf
                | Self::GroupNotAllowed
        )
    }
}

struct Reader<'l> {
    line: &'l [u8],
    flavour: Flavour,
    problems: Vec<PatternProblem>,
}

/// Reads one logical line. White space at its end is ignored.
pub fn parse(line: &[u8], flavour: Flavour) -> PatternLine {
    let line = &line[..trim(line, 0..line.len()).end];
    let mut reader = Reader {
        line,
        flavour,
        problems: Vec::new(),
    };
    let kind = reader.line().unwrap_or(PatternLineKind::Dropped);
    PatternLine {
        kind,
        problems: reader.problems,
    }
}

impl Reader<'_> {
    fn problem(&mut self, kind: PatternProblemKind, range: Range<usize>, message: String) {
        self.problems.push(PatternProblem {
            kind,
            message,
            then: None,
            range,
        });
    }

    fn show(&self, range: Range<usize>) -> String {
        same_length_lossy(&self.line[range]).into_owned()
    }

    /// `None` when the line is dropped.
    fn line(&mut self) -> Option<PatternLineKind> {
        let line = self.line;
        let whole = 0..line.len();
        if !line.first()?.is_ascii_alphanumeric() {
            return self.rule();
        }
        if is_keyword(line, b"if") {
            let at = trim(line, 2..line.len()).start;
            let (pattern, end) = self.pattern(at)?;
            let rest = trim(line, end..line.len());
            if !rest.is_empty() {
                let text = self.show(rest.clone());
                self.problem(
                    PatternProblemKind::TextAfterIf,
                    rest,
                    format!("ignoring extra text after IF statement: \"{text}\""),
                );
                if let Some(problem) = self.problems.last_mut() {
                    problem.then =
                        Some("do not prepend whitespace to statements between IF and ENDIF");
                }
            }
            return Some(PatternLineKind::If(pattern));
        }
        if is_keyword(line, b"endif") {
            let rest = trim(line, 5..line.len());
            if !rest.is_empty() {
                self.problem(
                    PatternProblemKind::TextAfterEndIf,
                    rest,
                    "ignoring extra text after ENDIF".to_owned(),
                );
            }
            return Some(PatternLineKind::EndIf);
        }
        self.problem(
            PatternProblemKind::Unrecognized,
            whole,
            "ignoring unrecognized request".to_owned(),
        );
        None
    }

    fn rule(&mut self) -> Option<PatternLineKind> {
        let (pattern, mut end) = self.pattern(0)?;
        let mut second = None;
        if self.flavour == Flavour::Regexp && self.line.get(end) == Some(&b'!') {
            let (pattern, second_end) = self.pattern(end)?;
            second = Some(pattern);
            end = second_end;
        }
        let result = trim(self.line, end..self.line.len());
        if result.is_empty() {
            self.problem(
                PatternProblemKind::EmptyResult,
                end..end,
                "no replacement text: using empty string".to_owned(),
            );
        }
        let replacement = match replacement::parse(self.line, result.clone(), self.flavour) {
            Ok(replacement) => replacement,
            Err(warnings) => {
                for (message, range) in warnings {
                    self.problem(PatternProblemKind::BadReplacement, range, message);
                }
                if let Some(problem) = self.problems.last_mut() {
                    problem.then = Some("bad replacement syntax: skipping this rule");
                }
                return None;
            }
        };
        if replacement.highest_group > 0 && pattern.negated {
            self.problem(
                PatternProblemKind::GroupOfNegated,
                result,
                "$number found in negative match replacement text: skipping this rule".to_owned(),
            );
            return None;
        }
        Some(PatternLineKind::Match {
            pattern,
            second,
            result,
            replacement,
        })
    }

    /// Reads `!`, a delimited pattern and its flags from `at` on; gives the offset after them, too.
    fn pattern(&mut self, at: usize) -> Option<(Pattern, usize)> {
        let line = self.line;
        let (negated, open) = negation(line, at);
        let Some(&delimiter) = line.get(open) else {
            self.problem(
                PatternProblemKind::NoPattern,
                at..line.len(),
                "no regexp: skipping this rule".to_owned(),
            );
            return None;
        };
        let mut close = open + 1;
        while let Some(&byte) = line.get(close) {
            if byte == b'\\' {
                close += 1;
            } else if byte == delimiter {
                break;
            }
            close += 1;
        }
        if close >= line.len() {
            let what = match self.flavour {
                Flavour::Regexp => "skipping",
                Flavour::Pcre => "ignoring",
            };
            let delimiter = self.show(open..open + 1);
            self.problem(
                PatternProblemKind::NotClosed,
                open..line.len(),
                format!("no closing regexp delimiter \"{delimiter}\": {what} this rule"),
            );
            return None;
        }
        let mut options = PatternOptions::new(self.flavour);
        let mut end = close + 1;
        while let Some(&byte) = line.get(end) {
            if is_space(byte) || (self.flavour == Flavour::Regexp && byte == b'!') {
                break;
            }
            self.flag(byte, end, &mut options)?;
            end += 1;
        }
        let pattern = Pattern {
            negated,
            expression: open + 1..close,
            flags: close + 1..end,
            options,
        };
        Some((pattern, end))
    }

    /// Toggles what a flag stands for; `None` when there is no such flag.
    fn flag(&mut self, byte: u8, at: usize, options: &mut PatternOptions) -> Option<()> {
        let pcre = self.flavour == Flavour::Pcre;
        let option = match byte {
            b'i' => &mut options.ignore_case,
            b'm' => &mut options.multi_line,
            b'x' => &mut options.extended,
            b's' if pcre => &mut options.dot_all,
            b'A' if pcre => &mut options.anchored,
            b'E' if pcre => &mut options.dollar_end_only,
            b'U' if pcre => &mut options.ungreedy,
            b'X' if pcre => {
                self.problem(
                    PatternProblemKind::ObsoleteFlag,
                    at..at + 1,
                    "ignoring obsolete regexp option \"X\"".to_owned(),
                );
                return Some(());
            }
            _ => {
                let flag = self.show(at..at + 1);
                self.problem(
                    PatternProblemKind::UnknownFlag,
                    at..at + 1,
                    format!("unknown regexp option \"{flag}\": skipping this rule"),
                );
                return None;
            }
        };
        *option = !*option;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::replacement::ReplacementPart;

    fn problems(line: &str, flavour: Flavour) -> Vec<String> {
        parse(line.as_bytes(), flavour)
            .problems
            .into_iter()
            .flat_map(|problem| [Some(problem.message), problem.then.map(str::to_owned)])
            .flatten()
            .collect()
    }

    #[test]
    fn parts_of_a_rule() {
        let line = "! ! /a\\/b/im  x$1${2}y$$z  ";
        let parsed = parse(line.as_bytes(), Flavour::Regexp);
        assert!(parsed.problems.is_empty());
        let PatternLineKind::Match {
            pattern,
            second: None,
            result,
            replacement,
        } = parsed.kind
        else {
            panic!("no rule");
        };
        assert!(!pattern.negated && !pattern.options.ignore_case && pattern.options.multi_line);
        assert_eq!(&line[pattern.expression], "a\\/b");
        assert_eq!(&line[pattern.flags], "im");
        assert_eq!(&line[result], "x$1${2}y$$z");
        assert_eq!(replacement.highest_group, 2);
        let parts: Vec<_> = replacement
            .parts
            .into_iter()
            .map(|part| match part {
                ReplacementPart::Literal(range) => line[range].to_owned(),
                ReplacementPart::Group { number, range } => format!("{number}:{}", &line[range]),
            })
            .collect();
        assert_eq!(parts, ["x", "1:$1", "2:${2}", "y$", "z"]);
    }

    #[test]
    fn second_pattern_of_regexp() {
        let parsed = parse(b"/a/i!/b/ x", Flavour::Regexp);
        let PatternLineKind::Match {
            second: Some(second),
            ..
        } = parsed.kind
        else {
            panic!("no second pattern");
        };
        assert!(second.negated && second.options.ignore_case);
        assert_eq!(
            problems("/a/!/b/ x", Flavour::Pcre),
            ["unknown regexp option \"!\": skipping this rule"]
        );
    }

    #[test]
    fn problems_in_the_words_of_postfix() {
        for (line, expected) in [
            ("!", vec!["no regexp: skipping this rule"]),
            (
                "/a x",
                vec!["no closing regexp delimiter \"/\": skipping this rule"],
            ),
            (
                "/a/q x",
                vec!["unknown regexp option \"q\": skipping this rule"],
            ),
            ("/a/", vec!["no replacement text: using empty string"]),
            (
                "/a/ $x $1b",
                vec![
                    "non-numeric replacement index \"x\"",
                    "non-numeric replacement index \"1b\"",
                    "bad replacement syntax: skipping this rule",
                ],
            ),
            (
                "/a/ $0",
                vec![
                    "out-of-range replacement index \"0\"",
                    "bad replacement syntax: skipping this rule",
                ],
            ),
            (
                "/a/ a$",
                vec![
                    "empty macro name: \"a$\"",
                    "bad replacement syntax: skipping this rule",
                ],
            ),
            (
                "/a/ ${1",
                vec![
                    "truncated macro reference: \"${1\"",
                    "bad replacement syntax: skipping this rule",
                ],
            ),
            (
                "!/(a)/ $1",
                vec!["$number found in negative match replacement text: skipping this rule"],
            ),
            ("endif x", vec!["ignoring extra text after ENDIF"]),
            ("a b", vec!["ignoring unrecognized request"]),
        ] {
            assert_eq!(problems(line, Flavour::Regexp), expected, "{line}");
        }
        let line = parse(b"if /a/ /b/ c", Flavour::Regexp);
        assert!(matches!(line.kind, PatternLineKind::If(_)));
        assert_eq!(line.problems[0].kind, PatternProblemKind::TextAfterIf);
    }

    #[test]
    fn an_if_may_have_any_delimiter() {
        let parsed = parse(b"IF bab", Flavour::Regexp);
        let PatternLineKind::If(pattern) = parsed.kind else {
            panic!("no if");
        };
        assert_eq!(pattern.expression, 4..5);
    }
}
