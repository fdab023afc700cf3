//! master.cf as logical lines: services with their fields, arguments and `-o` overrides, as
//! `src/master/master_ent.c` and the daemons' getopt read them.

use std::sync::Arc;

use super::logical_line::LogicalLines;
use super::main_cf::Setting;
use super::name_value;
use crate::source::{Source, Span, Text};

/// What separates words in master.cf (not vertical tab, not form feed).
const BLANK: &[u8] = b" \t\r\n";
/// The fields in front of the arguments, as postconf names them.
pub const FIELD_NAMES: [&str; 8] = [
    "service",
    "type",
    "private",
    "unprivileged",
    "chroot",
    "wakeup",
    "process_limit",
    "command",
];

/// One logical line of master.cf.
#[derive(Clone, Debug)]
pub enum MasterLine {
    /// A service, complete or not.
    Service(ServiceLine),
    /// A logical line that starts with white space, which Postfix throws away.
    Discarded {
        /// The whole logical line.
        text: Text,
        /// The logical line.
        span: Span,
    },
}

/// One service as it is written.
#[derive(Clone, Debug)]
pub struct ServiceLine {
    /// The whole logical line, joined.
    pub text: Text,
    /// The logical line, without its newline.
    pub span: Span,
    /// The words in front of the arguments; fewer than eight when the line is too short.
    pub fields: Vec<Text>,
    /// What follows the command word.
    pub arguments: Vec<Argument>,
    /// The `-o` options that the daemon takes as settings, in order.
    pub overrides: Vec<Setting>,
    /// What is wrong with the options.
    pub option_errors: Vec<OptionError>,
    /// The words after the options.
    pub operands: Vec<Argument>,
}

/// One word of the arguments.
#[derive(Clone, Debug)]
pub struct Argument {
    /// As it is written, braces included.
    pub written: Text,
    /// As the daemon gets it: `{ a b }` without its braces and outer blanks.
    pub value: Text,
    /// Why master refuses the word.
    pub error: Option<BraceError>,
}

impl Argument {
    /// Where the word stands.
    pub fn span(&self) -> Option<Span> {
        self.written.span()
    }
}

/// What is wrong with a word that begins with `{`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BraceError {
    /// No closing brace.
    Unclosed,
    /// Text after the closing brace.
    TextAfter,
}

impl BraceError {
    /// Postfix's own words for `word`.
    pub fn message(self, word: &Text) -> String {
        match self {
            Self::Unclosed => format!("missing '}}' in \"{word}\""),
            Self::TextAfter => format!("syntax error after '}}' in \"{word}\""),
        }
    }
}

/// An option that the daemon will not accept.
#[derive(Clone, Debug)]
pub enum OptionError {
    /// `-o` whose value is not `name=value`.
    NotNameValue {
        /// The value of the option.
        value: Text,
        /// What is missing.
        error: name_value::NameValueError,
        /// The option and its value.
        span: Span,
    },
    /// An option that needs a value stands at the end.
    MissingValue {
        /// The option letter.
        letter: char,
        /// The option.
        span: Span,
    },
    /// A letter that no daemon knows.
    Unknown {
        /// The option letter.
        letter: char,
        /// The word with the letter.
        span: Span,
    },
}

/// A parsed master.cf.
#[derive(Clone, Debug)]
pub struct MasterCf {
    /// The file.
    pub source: Arc<Source>,
    /// Its logical lines in order.
    pub lines: Vec<MasterLine>,
}

impl MasterCf {
    /// Parses master.cf; any bytes are accepted.
    pub fn parse(source: Arc<Source>) -> Self {
        let lines = LogicalLines::of(&source)
            .map(|line| {
                let span = line.span(&source);
                let text = line.text(&source);
                if line.discarded {
                    MasterLine::Discarded { text, span }
                } else {
                    MasterLine::Service(parse_service(text.until_nul(), span))
                }
            })
            .collect();
        Self { source, lines }
    }

    /// The service lines in order, malformed ones included.
    pub fn services(&self) -> impl DoubleEndedIterator<Item = &ServiceLine> {
        self.lines.iter().filter_map(|line| match line {
            MasterLine::Service(service) => Some(service),
            MasterLine::Discarded { .. } => None,
        })
    }
}

impl ServiceLine {
    /// A field by its position (see [`FIELD_NAMES`]); empty where the line ends before it.
    pub fn field(&self, index: usize) -> &str {
        self.fields.get(index).map_or("", Text::as_str)
    }

    /// Whether all eight fields are there.
    pub fn is_complete(&self) -> bool {
        self.fields.len() == FIELD_NAMES.len()
    }

    /// The service name, as written.
    pub fn name(&self) -> &str {
        self.field(0)
    }

    /// The transport type: `inet`, `unix` ….
    pub fn kind(&self) -> &str {
        self.field(1)
    }

    /// The command word.
    pub fn command(&self) -> &str {
        self.field(7)
    }

    /// Where the eight fields stand (or those that are there).
    pub fn head_span(&self) -> Span {
        let mut spans = self.fields.iter().filter_map(Text::span);
        let first = spans.next().unwrap_or(self.span);
        spans.fold(first, Span::to)
    }
}

fn parse_service(text: Text, span: Span) -> ServiceLine {
    let (fields, rest) = split_fields(&text);
    let arguments: Vec<_> = rest
        .words_outside_braces(BLANK)
        .into_iter()
        .map(argument)
        .collect();
    let mut service = ServiceLine {
        text,
        span,
        fields,
        arguments,
        overrides: Vec::new(),
        option_errors: Vec::new(),
        operands: Vec::new(),
    };
    read_options(&mut service);
    service
}

/// The first eight words, in which braces mean nothing, and what follows them.
fn split_fields(text: &Text) -> (Vec<Text>, Text) {
    let bytes = text.as_bytes();
    let mut fields = Vec::with_capacity(FIELD_NAMES.len());
    let mut at = 0;
    while fields.len() < FIELD_NAMES.len() {
        at += bytes[at..]
            .iter()
            .take_while(|byte| BLANK.contains(byte))
            .count();
        let length = bytes[at..]
            .iter()
            .take_while(|byte| !BLANK.contains(byte))
            .count();
        if length == 0 {
            break;
        }
        fields.push(text.slice(at..at + length));
        at += length;
    }
    (fields, text.slice(at..bytes.len()))
}

fn argument(written: Text) -> Argument {
    let (value, error) = strip_braces(&written);
    Argument {
        written,
        value,
        error,
    }
}

/// A word that begins with `{`, without its braces and outer blanks (`src/util/extpar.c`).
fn strip_braces(word: &Text) -> (Text, Option<BraceError>) {
    let bytes = word.as_bytes();
    if bytes.first() != Some(&b'{') {
        return (word.clone(), None);
    }
    let mut depth = 0_usize;
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    let error = (at + 1 < bytes.len()).then_some(BraceError::TextAfter);
                    return (word.slice(1..at).trim(), error);
                }
            }
            _ => {}
        }
    }
    (
        word.slice(1..bytes.len()).trim(),
        Some(BraceError::Unclosed),
    )
}

/// Options as the daemons' getopt reads them (`cdDi:lm:n:o:r:s:St:uvVz`).
fn read_options(service: &mut ServiceLine) {
    const WITH_VALUE: &[u8] = b"imnorst";
    const FLAGS: &[u8] = b"cdDlSuvVz";
    let arguments = service.arguments.clone();
    let fallback = service.span;
    let mut index = 0;
    while let Some(word) = arguments.get(index) {
        let bytes = word.value.as_bytes();
        if bytes == b"--" {
            index += 1;
            break;
        }
        if bytes.first() != Some(&b'-') || bytes.len() == 1 {
            break;
        }
        index += 1;
        let word_span = word.span().unwrap_or(fallback);
        for (at, &letter) in bytes.iter().enumerate().skip(1) {
            if FLAGS.contains(&letter) {
                continue;
            }
            if !WITH_VALUE.contains(&letter) {
                service.option_errors.push(OptionError::Unknown {
                    letter: char::from(letter),
                    span: word_span,
                });
                continue;
            }
            let attached = word.value.slice(at + 1..bytes.len());
            let (value, span) = if attached.is_empty() {
                match arguments.get(index) {
                    Some(next) => {
                        index += 1;
                        (
                            next.value.clone(),
                            next.span().map_or(word_span, |next| word_span.to(next)),
                        )
                    }
                    None => {
                        service.option_errors.push(OptionError::MissingValue {
                            letter: char::from(letter),
                            span: word_span,
                        });
                        break;
                    }
                }
            } else {
                (attached, word_span)
            };
            if letter == b'o' {
                match name_value::split(&value) {
                    Ok(pair) => service.overrides.push(Setting {
                        name: pair.name,
                        value: pair.value,
                        span,
                    }),
                    Err(error) => {
                        service.option_errors.push(OptionError::NotNameValue {
                            value,
                            error,
                            span,
                        });
                    }
                }
            }
            break;
        }
    }
    service.operands = arguments.into_iter().skip(index).collect();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn service(text: &str) -> ServiceLine {
        let sources = Sources::default();
        let source = sources.add("master.cf".into(), text.as_bytes().to_vec(), None);
        MasterCf::parse(source)
            .services()
            .next()
            .cloned()
            .expect("one service")
    }

    #[test]
    fn overrides_in_every_spelling() {
        let line = service(
            "smtp inet n - y - - smtpd\n  -o a=b -oc=d -vo e=f\n -o { g = h i } {-ok=l m}\n -o n= x",
        );
        let pairs: Vec<_> = line
            .overrides
            .iter()
            .map(|setting| (setting.name.to_string(), setting.value.to_string()))
            .collect();
        let expected = [
            ("a", "b"),
            ("c", "d"),
            ("e", "f"),
            ("g", "h i"),
            ("k", "l m"),
            ("n", ""),
        ];
        assert_eq!(
            pairs,
            expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
        );
        assert_eq!(line.operands.len(), 1);
        assert!(line.option_errors.is_empty());
    }

    #[test]
    fn blanks_around_equals_break_the_option() {
        let line = service("smtp inet n - y - - smtpd -o a = b");
        assert!(line.overrides.is_empty());
        assert!(matches!(
            line.option_errors[..],
            [OptionError::NotNameValue { .. }]
        ));
        assert_eq!(line.operands.len(), 2);
    }

    #[test]
    fn short_lines_keep_their_words() {
        let line = service("smtp inet n");
        assert!(!line.is_complete());
        assert_eq!(line.command(), "");
    }
}
