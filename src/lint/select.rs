//! Which rules run, and which of their findings are shown.

use std::fmt;

use crate::finding::{Finding, Severity};
use crate::rule::Rule;
use crate::rules;

/// What the command line and the settings ask for. Rules are named by name, code or the letters of a group.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Only these; all when empty.
    pub select: Vec<String>,
    /// Not these.
    pub ignore: Vec<String>,
    /// Another severity for all findings of a rule.
    pub severities: Vec<(String, Severity)>,
    /// Nothing below this is shown. [`Severity::Note`] shows notes as [`Wanted::pedantic`] does.
    pub minimum: Option<Severity>,
    /// Notes are shown, too.
    pub pedantic: bool,
}

/// A word that should name a rule, and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownRule {
    /// The word.
    pub word: String,
    /// What was probably meant.
    pub nearest: Option<&'static str>,
}

impl fmt::Display for UnknownRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no rule '{}'", self.word)?;
        match self.nearest {
            Some(nearest) => write!(f, "; did you mean '{nearest}'?"),
            None => f.write_str("; 'postlint rules' lists all of them"),
        }
    }
}

impl std::error::Error for UnknownRule {}

/// The rules that run, and what is shown of what they find.
#[derive(Clone, Debug)]
pub struct Selection {
    rules: Vec<&'static Rule>,
    /// Codes of the rules that were selected one by one: their notes are shown.
    named: Vec<&'static str>,
    /// Severities by code.
    severities: Vec<(&'static str, Severity)>,
    minimum: Severity,
    pedantic: bool,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            rules: rules::all().collect(),
            named: Vec::new(),
            severities: Vec::new(),
            minimum: Severity::Note,
            pedantic: false,
        }
    }
}

impl Selection {
    /// Resolves the words.
    ///
    /// # Errors
    /// The first word that names nothing.
    pub fn of(wanted: &Wanted) -> Result<Self, UnknownRule> {
        let words = wanted.select.iter().chain(&wanted.ignore);
        for word in words.chain(wanted.severities.iter().map(|(word, _)| word)) {
            if !rules::is_known(word) {
                return Err(UnknownRule {
                    word: word.clone(),
                    nearest: rules::nearest(word),
                });
            }
        }
        let names = |words: &[String], rule: &Rule| words.iter().any(|word| rule.is_named(word));
        Ok(Self {
            rules: rules::all()
                .filter(|rule| wanted.select.is_empty() || names(&wanted.select, rule))
                .filter(|rule| !names(&wanted.ignore, rule))
                .collect(),
            named: (wanted.select.iter())
                .filter_map(|word| rules::find(word))
                .map(|rule| rule.code)
                .collect(),
            severities: (wanted.severities.iter())
                .flat_map(|(word, severity)| {
                    rules::all()
                        .filter(move |rule| rule.is_named(word))
                        .map(move |rule| (rule.code, *severity))
                })
                .collect(),
            minimum: wanted.minimum.unwrap_or(Severity::Note),
            pedantic: wanted.pedantic || wanted.minimum == Some(Severity::Note),
        })
    }

    /// The rules that run, in the order of groups and codes.
    pub fn rules(&self) -> &[&'static Rule] {
        &self.rules
    }

    /// Gives a finding the severity that was asked for.
    pub(super) fn adjust(&self, finding: &mut Finding) {
        // The last word of several that name a rule wins.
        let asked = self.severities.iter().rev();
        if let Some((_, severity)) = asked
            .into_iter()
            .find(|(code, _)| *code == finding.rule.code)
        {
            finding.severity = *severity;
        }
    }

    /// Whether a finding is shown.
    pub(super) fn shows(&self, finding: &Finding) -> bool {
        finding.severity >= self.minimum
            && (finding.severity > Severity::Note
                || self.pedantic
                || self.named.contains(&finding.rule.code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(select: &[&str], ignore: &[&str]) -> Wanted {
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Wanted {
            select: owned(select),
            ignore: owned(ignore),
            ..Wanted::default()
        }
    }

    #[test]
    fn rules_are_chosen_by_name_code_and_group() {
        let codes = |wanted: &Wanted| -> Vec<&str> {
            let selection = Selection::of(wanted).expect("known rules");
            selection.rules().iter().map(|rule| rule.code).collect()
        };
        assert_eq!(
            codes(&wanted(&["rc001", "empty-local-recipient-maps"], &[])),
            ["BS001", "RC001"]
        );
        assert!(
            codes(&wanted(&["BS"], &[]))
                .iter()
                .all(|code| code.starts_with("BS"))
        );
        assert!(!codes(&wanted(&[], &["PL"])).contains(&"PL001"));
        assert_eq!(codes(&wanted(&["BS001"], &["BS"])), [] as [&str; 0]);
    }

    #[test]
    fn an_unknown_rule_is_named_with_what_was_meant() {
        let error = Selection::of(&wanted(&["empty-local-recipent-maps"], &[])).err();
        assert_eq!(
            error.map(|error| error.to_string()).as_deref(),
            Some(
                "there is no rule 'empty-local-recipent-maps'; did you mean 'empty-local-recipient-maps'?"
            )
        );
    }
}
