//! main.cf as logical lines: settings, and what Postfix would not read.

use std::sync::Arc;

use super::logical_line::LogicalLines;
use super::name_value::{self, NameValueError};
use crate::source::{Source, Span, Text};

/// One logical line of main.cf.
#[derive(Clone, Debug)]
pub enum MainLine {
    /// `name = value`.
    Setting(Setting),
    /// Neither: every Postfix program stops here, and nothing after it is read.
    Malformed {
        /// The whole logical line.
        text: Text,
        /// What is missing.
        error: NameValueError,
        /// The logical line.
        span: Span,
    },
    /// A logical line that starts with white space, which Postfix throws away.
    Discarded {
        /// The whole logical line.
        text: Text,
        /// The logical line.
        span: Span,
    },
}

/// One `parameter = value`, in main.cf or as an `-o` of master.cf, as it is written.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The name.
    pub name: Text,
    /// The value, `$` expressions unexpanded, trimmed.
    pub value: Text,
    /// The logical line in main.cf (without its newline); in master.cf the `-o` word and its value.
    pub span: Span,
}

impl Setting {
    /// Where the value stands; an empty value has an empty span where it would stand.
    pub fn value_span(&self) -> Span {
        self.value.span().unwrap_or(self.span.at_end())
    }

    /// Where the name stands.
    pub fn name_span(&self) -> Span {
        self.name.span().unwrap_or(self.span)
    }
}

/// A parsed main.cf.
#[derive(Clone, Debug)]
pub struct MainCf {
    /// The file.
    pub source: Arc<Source>,
    /// Its logical lines in order.
    pub lines: Vec<MainLine>,
}

impl MainCf {
    /// Parses main.cf; any bytes are accepted.
    pub fn parse(source: Arc<Source>) -> Self {
        let lines = LogicalLines::of(&source)
            .map(|line| {
                let text = line.text(&source);
                let span = line.span(&source);
                if line.discarded {
                    return MainLine::Discarded { text, span };
                }
                match name_value::split(&text) {
                    Ok(pair) => MainLine::Setting(Setting {
                        name: pair.name,
                        value: pair.value,
                        span,
                    }),
                    Err(error) => MainLine::Malformed { text, error, span },
                }
            })
            .collect();
        Self { source, lines }
    }

    /// All settings in the order of the file, also those after a malformed line, which Postfix would not
    /// reach.
    pub fn settings(&self) -> impl DoubleEndedIterator<Item = &Setting> {
        self.lines.iter().filter_map(|line| match line {
            MainLine::Setting(setting) => Some(setting),
            MainLine::Malformed { .. } | MainLine::Discarded { .. } => None,
        })
    }

    /// The first line that stops every Postfix program.
    pub fn first_malformed(&self) -> Option<&MainLine> {
        self.lines
            .iter()
            .find(|line| matches!(line, MainLine::Malformed { .. }))
    }
}
