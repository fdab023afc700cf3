//! What is wrong with a configuration: one file a rule, one folder a group.
//!
//! A rule is a `static RULE` in its own file, beside its page (`.md`), and one word in the list of its
//! group. The list declares the modules, makes the registry, and one test a rule that runs its fixtures.

/// What nearly every rule needs.
mod prelude {
    pub(super) use crate::edits;
    pub(super) use crate::finding::{Findings, Safety, Severity};
    pub(super) use crate::instance::Instance;
    pub(super) use crate::rule::{Group, Rule};
}

/// Declares the rules of a group: the modules, the list, and a test for each that runs its fixtures.
macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*

        /// The rules of the group, in the order of their codes.
        pub(super) static RULES: &[&crate::rule::Rule] = &[$(&$name::RULE),*];

        #[cfg(test)]
        mod fixtures {
            $(
                #[test]
                fn $name() {
                    crate::testing::check_fixtures(&super::$name::RULE);
                }
            )*
        }
    };
}

mod backscatter;
mod classes;
pub(crate) mod postlint;
mod reject_code;
mod relay;
mod rows;
mod samples;
mod syntax;
mod tables;
mod upgrade;

pub use upgrade::closed_dnsbl;

use crate::rule::Rule;

/// All rules, in the order of groups and codes.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        backscatter::RULES,
        reject_code::RULES,
        relay::RULES,
        classes::RULES,
        tables::RULES,
        syntax::RULES,
        upgrade::RULES,
        // Last: they look at comments in all files that the others had read.
        postlint::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Whether `word` is the name or code of a rule, or the letters of a group.
pub fn is_known(word: &str) -> bool {
    all().any(|rule| rule.is_named(word))
}

/// The rule with this name or code.
pub fn find(word: &str) -> Option<&'static Rule> {
    all().find(|rule| word.eq_ignore_ascii_case(rule.name) || word.eq_ignore_ascii_case(rule.code))
}

/// The name, code or group that `word` is most like, for "did you mean"; `None` when nothing is close.
pub fn nearest(word: &str) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    all()
        .flat_map(|rule| [rule.name, rule.code, rule.group.prefix()])
        .map(|name| {
            (
                strsim::damerau_levenshtein(&word, &name.to_ascii_lowercase()),
                name,
            )
        })
        // A third of the letters may be wrong.
        .filter(|(distance, name)| distance * 3 <= name.len())
        .min()
        .map(|(_, name)| name)
}
