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
mod reject_code;
mod relay;

use crate::rule::Rule;

/// All rules, in the order of groups and codes.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    [
        backscatter::RULES,
        reject_code::RULES,
        relay::RULES,
        classes::RULES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
