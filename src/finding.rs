//! The words for results: a finding, where it is, what proves it, and how to mend it.

use crate::rule::Rule;
use crate::source::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; shown when asked for.
    Note,
    /// Likely wrong, or becomes an error with the next change.
    Warning,
    /// Mail is lost, bounced to strangers, refused to everyone, or relayed for strangers.
    Error,
}

impl Severity {
    /// The word in reports and settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a fix may do to mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Safety {
    /// Needs a value that only the operator knows: shown, never applied.
    DisplayOnly,
    /// Right in most cases, but could refuse mail that is delivered today, or override a deliberate
    /// choice: applied only when asked for.
    Unsafe,
    /// Every message that is delivered today is still delivered, and nobody gains the right to relay.
    Safe,
}

impl Safety {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DisplayOnly => "display-only",
            Self::Unsafe => "unsafe",
            Self::Safe => "safe",
        }
    }
}

/// Replaces the bytes of `span` by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; empty for an insertion.
    pub span: Span,
    /// What stands there afterwards.
    pub text: Vec<u8>,
}

/// A way to mend a finding. All of its edits are applied, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, in the imperative, lower case.
    pub title: String,
    /// What it may do to mail.
    pub safety: Safety,
    /// The changes, in any order, not overlapping. Empty only for [`Safety::DisplayOnly`], where the title
    /// says it all.
    pub edits: Vec<Edit>,
}

/// Another place that shows why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Related {
    /// The place.
    pub span: Span,
    /// What is to be seen there.
    pub message: String,
}

/// Something that is wrong with the configuration.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How bad it is in this case.
    pub severity: Severity,
    /// Where it is.
    pub span: Span,
    /// What Postfix will do, then what would be right; lower case, no full stop.
    pub message: String,
    /// The parameter it is about.
    pub parameter: Option<String>,
    /// The service it is about, such as `smtp/inet`; `None` when it concerns all of them.
    pub service: Option<String>,
    /// An address that shows it: accepted and then bounced, or relayed.
    pub witness: Option<String>,
    /// Further places.
    pub related: Vec<Related>,
    /// Sentences that go with it (what is unknown, what to do by hand).
    pub notes: Vec<String>,
    /// Ways to mend it, the best first.
    pub fixes: Vec<Fix>,
}

impl Finding {
    /// Sets another severity than the rule's usual one.
    pub fn severity(&mut self, severity: Severity) -> &mut Self {
        self.severity = severity;
        self
    }

    /// Names the parameter.
    pub fn parameter(&mut self, name: impl Into<String>) -> &mut Self {
        self.parameter = Some(name.into());
        self
    }

    /// Names the service.
    pub fn service(&mut self, name: impl Into<String>) -> &mut Self {
        self.service = Some(name.into());
        self
    }

    /// Gives an address that shows it.
    pub fn witness(&mut self, address: Option<String>) -> &mut Self {
        self.witness = address;
        self
    }

    /// Adds a further place; `None` (written nowhere, a default) adds nothing.
    pub fn related(
        &mut self,
        span: impl Into<Option<Span>>,
        message: impl Into<String>,
    ) -> &mut Self {
        if let Some(span) = span.into() {
            self.related.push(Related {
                span,
                message: message.into(),
            });
        }
        self
    }

    /// Adds a sentence.
    pub fn note(&mut self, text: impl Into<String>) -> &mut Self {
        self.notes.push(text.into());
        self
    }

    /// Adds a way to mend it. A fix without edits is shown, never applied.
    pub fn fix(
        &mut self,
        title: impl Into<String>,
        safety: Safety,
        edits: impl IntoIterator<Item = Edit>,
    ) -> &mut Self {
        let edits: Vec<_> = edits.into_iter().collect();
        let safety = if edits.is_empty() {
            Safety::DisplayOnly
        } else {
            safety
        };
        self.fixes.push(Fix {
            title: title.into(),
            safety,
            edits,
        });
        self
    }

    /// As [`Finding::fix`], for edits that could not always be made: without them nothing is added.
    pub fn fix_if(
        &mut self,
        title: impl Into<String>,
        safety: Safety,
        edits: Option<Vec<Edit>>,
    ) -> &mut Self {
        match edits {
            Some(edits) => self.fix(title, safety, edits),
            None => self,
        }
    }

    /// Adds something that only the operator can do.
    pub fn choice(&mut self, title: impl Into<String>) -> &mut Self {
        self.fix(title, Safety::DisplayOnly, [])
    }
}

/// Collects the findings of a run.
#[derive(Debug, Default)]
pub struct Findings {
    list: Vec<Finding>,
}

impl Findings {
    /// Adds a finding with the rule's usual severity and gives it back for the details.
    pub fn add(
        &mut self,
        rule: &'static Rule,
        span: Span,
        message: impl Into<String>,
    ) -> &mut Finding {
        self.list.push(Finding {
            rule,
            severity: rule.severity,
            span,
            message: message.into(),
            parameter: None,
            service: None,
            witness: None,
            related: Vec::new(),
            notes: Vec::new(),
            fixes: Vec::new(),
        });
        let last = self.list.len() - 1;
        &mut self.list[last]
    }

    /// The findings in the order in which they were added.
    pub fn into_vec(self) -> Vec<Finding> {
        self.list
    }
}
