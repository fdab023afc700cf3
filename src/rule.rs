//! What a rule is: a value with its names, its page and the function that checks it.

use std::fmt;

use crate::finding::{Findings, Severity};
use crate::instance::Instance;

/// A subject of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Group {
    /// BS: accepting mail that will bounce, or writing to forged senders.
    Backscatter,
    /// RC: what refusals say.
    RejectCode,
    /// RL: who may send through us.
    Relay,
    /// AC: which domain belongs to which address class.
    Classes,
    /// TB: lookup tables.
    Tables,
    /// SX: syntax and values.
    Syntax,
    /// UP: versions and upgrades.
    Upgrade,
    /// PL: postlint's own comments and settings.
    Postlint,
}

impl Group {
    /// The letters in front of the codes.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Backscatter => "BS",
            Self::RejectCode => "RC",
            Self::Relay => "RL",
            Self::Classes => "AC",
            Self::Tables => "TB",
            Self::Syntax => "SX",
            Self::Upgrade => "UP",
            Self::Postlint => "PL",
        }
    }

    /// What the group is about.
    pub fn title(self) -> &'static str {
        match self {
            Self::Backscatter => "backscatter",
            Self::RejectCode => "reject codes",
            Self::Relay => "relay",
            Self::Classes => "address classes",
            Self::Tables => "lookup tables",
            Self::Syntax => "syntax and values",
            Self::Upgrade => "versions and upgrades",
            Self::Postlint => "postlint's own comments",
        }
    }
}

/// A rule. Name and code are both accepted wherever a rule is named, and never change.
pub struct Rule {
    /// The name, in kebab case, for the problem.
    pub name: &'static str,
    /// Group letters and number, such as `BS001`.
    pub code: &'static str,
    /// The subject.
    pub group: Group,
    /// The usual severity.
    pub severity: Severity,
    /// One line: what goes wrong.
    pub summary: &'static str,
    /// The page that `postlint explain` prints.
    pub docs: &'static str,
    /// Looks at an instance and adds findings.
    pub check: fn(&Instance, &mut Findings),
}

impl Rule {
    /// Whether `word` names this rule or its group.
    pub fn is_named(&self, word: &str) -> bool {
        word.eq_ignore_ascii_case(self.name)
            || word.eq_ignore_ascii_case(self.code)
            || word.eq_ignore_ascii_case(self.group.prefix())
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.name, self.code)
    }
}
