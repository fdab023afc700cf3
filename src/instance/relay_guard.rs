//! The word that stops relaying, without which smtpd(8) does not serve.

use super::parameter::Scope;
use super::restriction::RELAY_LISTS;
use super::restriction_table::restriction_word;
use super::service::Service;
use crate::source::Text;

/// Whether smtpd finds a word that stops relaying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It does.
    Found,
    /// It does not, and ends.
    Missing,
    /// A restriction class leads back to itself before one is found: smtpd is killed.
    Endless,
}

/// `src/smtpd/smtpd_check.c: has_required`: a guard word before a plain `permit`. Arguments are not skipped,
/// classes count by their contents.
struct GuardSearch<'i> {
    scope: Scope<'i>,
    classes: Vec<Text>,
    /// Classes without a guard.
    without: Vec<Text>,
    warnings: Vec<String>,
}

impl GuardSearch<'_> {
    /// `inside` are the classes that led here.
    fn list(&mut self, words: &[Text], inside: &mut Vec<Text>) -> Guard {
        let mut index = 0;
        while let Some(word) = words.get(index) {
            index += 1;
            let text = word.as_str();
            let next = words.get(index);
            if text.eq_ignore_ascii_case("warn_if_reject") && next.is_some() {
                index += 1;
            } else if text.eq_ignore_ascii_case("permit") {
                if let Some(next) = next {
                    let warning = format!("restriction `{next}' after `permit' is ignored");
                    self.warnings.push(warning);
                }
                return Guard::Missing;
            } else if restriction_word(text).is_some_and(|facts| facts.is_relay_guard) {
                return Guard::Found;
            } else if self.classes.contains(word) && !self.without.contains(word) {
                if inside.contains(word) {
                    return Guard::Endless;
                }
                let list = self.scope.named(text.to_owned()).words();
                inside.push(word.clone());
                let found = self.list(&list, inside);
                inside.pop();
                if found != Guard::Missing {
                    return found;
                }
                self.without.push(word.clone());
            }
        }
        Guard::Missing
    }
}

impl Service<'_> {
    /// What smtpd finds when it looks for a word that stops relaying, with its warnings: without one in
    /// `smtpd_relay_restrictions` or `smtpd_recipient_restrictions` it does not serve.
    pub fn relay_guard(&self) -> (Guard, Vec<String>) {
        let scope = self.scope();
        let classes = scope.any_parameter("smtpd_restriction_classes").words();
        let mut search = GuardSearch {
            scope,
            classes,
            without: Vec::new(),
            warnings: Vec::new(),
        };
        // The list of recipients comes first.
        let lists = RELAY_LISTS.iter().rev();
        let mut guard = Guard::Missing;
        for name in lists {
            guard = search.list(&self.parameter(name).words(), &mut Vec::new());
            if guard != Guard::Missing {
                break;
            }
        }
        (guard, search.warnings)
    }

    /// Whether [`Service::relay_guard`] finds one.
    pub fn has_relay_guard(&self) -> bool {
        self.relay_guard().0 == Guard::Found
    }
}
