//! What postconf says on standard error, as data.

use crate::source::{Span, Text};

/// A warning of postconf, or the error with which it gives up.
#[derive(Clone, Debug)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// postconf's own words, without the program's name and `warning:`.
    pub message: String,
    /// The parameter that it is about, where it is written.
    pub name: Option<Text>,
    /// The place that it is about: a setting, an `-o`, a reference, a line. `None` for what is written in no
    /// file.
    pub span: Option<Span>,
    /// Another place that belongs to it: the earlier one of two settings.
    pub related: Option<Span>,
}

/// The kinds of notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// A logical line that starts with white space is thrown away.
    DiscardedLine,
    /// What follows a NUL may be ignored (Postfix 3.9).
    Nul,
    /// A second setting of the same name with another value, in main.cf or a database client file; `span`
    /// is the one that counts, `related` the one that does not.
    Duplicate,
    /// A line of main.cf or of a database client file that is not `name = value`: no program runs.
    MalformedLine,
    /// A line of master.cf that postconf does not accept: it gives up.
    MalformedService,
    /// Braces or `=` are missing in an argument in master.cf.
    MalformedArgument,
    /// A value cannot be expanded.
    MalformedExpression,
    /// postconf gives up because of a value that it needs, or cannot expand.
    Unusable,
    /// A value refers to a name that nothing defines; `span` is the name.
    Undefined,
    /// A setting of a name that only Postfix itself sets.
    ReadOnly,
    /// Braces are not closed in a value that might name a table.
    Braces,
    /// A `#` word in a value: Postfix 3.8 and later ignore it and the rest of the list.
    Comment,
    /// The file of a database client cannot be read.
    UnreadableClient,
    /// A name that the database client does not know, in its file.
    UnusedInClient,
    /// A setting in main.cf that no program reads.
    UnusedSetting,
    /// An `-o` in master.cf that no program reads.
    UnusedOverride,
    /// A parameter that a future version will not have.
    Deprecated,
    /// A parameter that earlier versions had.
    Removed,
    /// Where to read about deprecated names.
    DeprecationReadme,
    /// A name or service pattern that was asked for and does not exist.
    Request,
}

impl Notice {
    pub(super) fn new(kind: NoticeKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            name: None,
            span: None,
            related: None,
        }
    }

    pub(super) fn at(self, span: impl Into<Option<Span>>) -> Self {
        Self {
            span: span.into(),
            ..self
        }
    }

    pub(super) fn of(self, name: &Text) -> Self {
        Self {
            name: Some(name.clone()),
            ..self
        }
    }

    pub(super) fn related(self, span: Option<Span>) -> Self {
        Self {
            related: span,
            ..self
        }
    }

    /// Whether postconf gives up here, and prints nothing more.
    pub fn is_fatal(&self) -> bool {
        matches!(
            self.kind,
            NoticeKind::MalformedLine | NoticeKind::MalformedService | NoticeKind::Unusable
        )
    }

    /// The words as Postfix prints them: every byte that is not printable ASCII is a `?`.
    pub fn printable(&self) -> String {
        let printable = |byte: u8| match byte {
            b' '..=b'~' => char::from(byte),
            _ => '?',
        };
        self.message.bytes().map(printable).collect()
    }
}
