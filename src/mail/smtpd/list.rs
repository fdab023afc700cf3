//! Restriction lists as smtpd(8) keeps them: words, with the tables among them opened
//! (`src/smtpd/smtpd_check.c: smtpd_check_parse`).

use std::collections::HashMap;

use crate::instance::builtin::Version;
use crate::instance::parameter::{LIST_SEPARATORS, Scope};
use crate::instance::restriction_table::{RestrictionWord, restriction_word};
use crate::instance::table::Maps;
use crate::source::Text;

/// A class that is built in; unlike the restrictions, its name has to be written exactly so.
const LOGIN_MISMATCH: &str = "reject_sender_login_mismatch";

/// What a word is where a restriction is expected.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// `warn_if_reject`.
    WarnIfReject,
    /// Something with a colon: the argument of the access check that is the default of the list.
    Table,
    /// A restriction.
    Builtin(&'static RestrictionWord),
    /// A restriction that this version only knows as removed.
    Removed,
    /// Perhaps the name of a class.
    Other,
}

/// A word of a list. Whether it is a restriction or the argument of one shows at evaluation only.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: Text,
    pub(super) kind: Kind,
}

impl Word {
    fn new(text: Text, version: Version) -> Self {
        let word = text.as_str();
        let kind = if word.contains(':') {
            Kind::Table
        } else {
            match restriction_word(word) {
                Some(facts) if facts.name == "warn_if_reject" => Kind::WarnIfReject,
                Some(facts) if facts.name == LOGIN_MISMATCH => Kind::Other,
                Some(facts) if facts.works.contains(version) => Kind::Builtin(facts),
                Some(facts) if facts.removed.contains(version) => Kind::Removed,
                _ => Kind::Other,
            }
        };
        Self { text, kind }
    }

    pub(super) fn as_str(&self) -> &str {
        self.text.as_str()
    }
}

/// The words of a text that an access table gave; none of them is a table.
pub(super) fn words_of(text: &Text, version: Version) -> Vec<Word> {
    let words = text.words_outside_braces(LIST_SEPARATORS);
    words
        .into_iter()
        .map(|word| Word::new(word, version))
        .collect()
}

/// The tables and classes of all lists of a service.
#[derive(Clone, Debug, Default)]
pub(super) struct Lists {
    /// Access tables by the word that names them.
    tables: HashMap<String, Maps>,
    classes: HashMap<String, Vec<Word>>,
}

impl Lists {
    /// Reads the restriction classes.
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let mut lists = Self::default();
        let mismatch = "reject_authenticated_sender_login_mismatch \
                        reject_unauthenticated_sender_login_mismatch";
        let mismatch = words_of(&Text::placeless(mismatch), scope.instance.version());
        lists.classes.insert(LOGIN_MISMATCH.to_owned(), mismatch);
        for class in scope.any_parameter("smtpd_restriction_classes").words() {
            let name = class.to_string();
            let value = scope.named(name.clone()).value().unwrap_or_default();
            let words = lists.parse(&value, scope);
            lists.classes.insert(name, words);
        }
        lists
    }

    /// The words of a list; the tables in it are opened.
    pub(super) fn parse(&mut self, value: &Text, scope: Scope<'_>) -> Vec<Word> {
        let words = words_of(value, scope.instance.version());
        let mut is_policy = false;
        for word in &words {
            let text = word.as_str();
            if !is_policy && (text.contains(':') || text.starts_with('{')) {
                self.open(&word.text, scope);
            }
            is_policy = text.eq_ignore_ascii_case("check_policy_service");
        }
        words
    }

    fn open(&mut self, word: &Text, scope: Scope<'_>) {
        // The long form `{ type:name { … } }` is opened under the name inside of it.
        let mut table = word.clone();
        if word.as_str().starts_with('{') {
            let inner = word.slice(1..word.len() - usize::from(word.as_str().ends_with('}')));
            let Some(first) = inner
                .words_outside_braces(LIST_SEPARATORS)
                .into_iter()
                .next()
            else {
                return;
            };
            table = first;
        }
        let name = table.to_string();
        let open = |title: &String| scope.maps_of(&table, title, "smtpd");
        self.tables.entry(name).or_insert_with_key(open);
    }

    pub(super) fn table(&self, name: &str) -> Option<&Maps> {
        self.tables.get(name)
    }

    pub(super) fn class(&self, name: &str) -> Option<&[Word]> {
        self.classes.get(name).map(Vec::as_slice)
    }
}
