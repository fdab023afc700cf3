//! What could not be looked at on the way to an answer, and what the answers are then.
//!
//! Whatever asks something that cannot be looked at (an LDAP server, DNS, a policy server) asks a [`World`],
//! which says what the answer is in that world. [`explore`] gives the answer for all worlds there are, so
//! that the code between reads as if everything were known. The first world is the plainest: tables that
//! cannot be looked at have nothing, and restrictions that cannot be decided do nothing.

use std::fmt;

use crate::instance::Instance;
use crate::instance::table::{Hit, Lookup, LookupError, TableType};
use crate::source::Span;

/// Something that decides about an address and cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// What it is, such as `mysql:/etc/postfix/users.cf` or `policy server inet:127.0.0.1:10031`.
    pub what: String,
    /// Why it cannot be looked at.
    pub why: String,
    /// What it was asked.
    pub key: String,
    /// It has only the names that somebody entered, one by one: no query, no pattern.
    pub is_keyed: bool,
}

/// A doubt, and how it is settled in a world.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Settled {
    doubt: Doubt,
    /// Which of the answers.
    answer: usize,
    /// How many answers there are.
    answers: usize,
}

/// A line of an explanation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What happens.
    pub text: String,
    /// What says so, where something written does.
    pub span: Option<Span>,
}

/// One way in which all that cannot be looked at may answer.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The answers to the first questions; further questions get the first answer.
    script: Vec<usize>,
    settled: Vec<Settled>,
    /// A name that nobody has entered anywhere.
    made_up: Option<String>,
    /// The explanation so far; `None` where nobody wants one.
    steps: Option<Vec<Step>>,
}

/// What a lookup gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// The first hit.
    Hit(Hit),
    /// A table that cannot be looked at has the key, with a value that nobody knows: the table, as
    /// `type:name`.
    Something(String),
    /// No hit.
    Nothing,
    /// The lookup fails: mail is put off.
    Fails(LookupError),
}

impl World {
    /// The plainest world, with an explanation.
    pub fn explained() -> Self {
        Self {
            steps: Some(Vec::new()),
            ..Self::default()
        }
    }

    /// The same world without an explanation.
    pub(super) fn unexplained(&self) -> Self {
        Self {
            steps: None,
            ..self.clone()
        }
    }

    /// The plainest world, in which nobody has entered the name `local` into a table of single names.
    pub fn without(local: &str) -> Self {
        Self {
            made_up: Some(local.to_owned()),
            ..Self::default()
        }
    }

    /// Settles something that cannot be looked at and has so many possible answers, at least one: the index
    /// of the answer. The same thing asked again gets the same answer. A table of single names does not have a
    /// name that was made up: that is no doubt, and the first answer.
    pub fn choose(&mut self, doubt: Doubt, answers: usize) -> usize {
        let is_in = |local: &String| doubt.key.contains(local.as_str());
        if doubt.is_keyed && self.made_up.as_ref().is_some_and(is_in) {
            return 0;
        }
        let is_same =
            |known: &&Settled| known.doubt.what == doubt.what && known.doubt.key == doubt.key;
        if let Some(known) = self.settled.iter().find(is_same) {
            return known.answer.min(answers - 1);
        }
        let answer = self.script.get(self.settled.len()).copied().unwrap_or(0);
        self.settled.push(Settled {
            doubt,
            answer,
            answers,
        });
        answer
    }

    /// Notes a doubt that leaves no choice.
    pub fn add(&mut self, doubt: Doubt) {
        self.choose(doubt, 1);
    }

    /// What could not be looked at, in the order in which it was asked, each thing once.
    pub fn doubts(&self) -> impl Iterator<Item = &Doubt> {
        self.settled.iter().map(|settled| &settled.doubt)
    }

    /// The same, with the answer in this world and how many answers there are.
    pub(super) fn choices(&self) -> impl Iterator<Item = (&Doubt, usize, usize)> {
        (self.settled.iter()).map(|settled| (&settled.doubt, settled.answer, settled.answers))
    }

    /// Whether everything could be looked at, so that this is the only world.
    pub fn is_certain(&self) -> bool {
        self.settled.is_empty()
    }

    /// What could not be looked at, each thing once, to be shown.
    pub fn subjects(&self) -> Vec<String> {
        let mut subjects: Vec<String> = Vec::new();
        for doubt in self.doubts() {
            let subject = doubt.to_string();
            if !subjects.contains(&subject) {
                subjects.push(subject);
            }
        }
        subjects
    }

    /// Whether an explanation is wanted.
    pub(super) fn is_explained(&self) -> bool {
        self.steps.is_some()
    }

    /// Adds a line to the explanation, if one is wanted.
    pub fn explain(&mut self, span: Option<Span>, text: impl FnOnce() -> String) {
        if let Some(steps) = &mut self.steps {
            steps.push(Step { text: text(), span });
        }
    }

    /// The explanation.
    pub fn steps(&self) -> &[Step] {
        self.steps.as_deref().unwrap_or_default()
    }

    /// The explanation, of a world that is not needed any more.
    pub(super) fn into_steps(self) -> Vec<Step> {
        self.steps.unwrap_or_default()
    }

    /// Settles the doubts in a lookup.
    pub(super) fn judge(&mut self, instance: &Instance, key: &str, mut answer: Lookup) -> Known {
        while let Lookup::Unknown(unknown) = answer {
            // Names of users and aliases have no domain.
            let is_possible = !(key.contains('@') && has_bare_names(instance, &unknown.table))
                && (!unknown.table.starts_with("nis:") || instance.has_nis());
            if is_possible && self.has(&unknown.table, unknown.reason.to_string(), key) {
                return Known::Something(unknown.table);
            }
            answer = *unknown.otherwise;
        }
        match answer {
            Lookup::Found(hit) => Known::Hit(hit),
            Lookup::OneOf(mut hits) if !hits.is_empty() => {
                let doubt = Doubt {
                    what: "randmap".to_owned(),
                    why: "it gives a random one of its values".to_owned(),
                    key: key.to_owned(),
                    is_keyed: false,
                };
                let index = self.choose(doubt, hits.len());
                Known::Hit(hits.swap_remove(index))
            }
            Lookup::NotFound | Lookup::OneOf(_) | Lookup::Unknown(_) => Known::Nothing,
            // A copy need not be complete: what is missing there may well exist on the machine itself.
            Lookup::Error(error) if error.may_be_elsewhere => {
                let table = error.message.split(" is unavailable. ").next();
                let table = table.unwrap_or_default().to_owned();
                // Postfix asks a table that is not there for whole addresses only.
                if self.has(&table, "the file is not here".to_owned(), key) {
                    Known::Something(table)
                } else {
                    Known::Nothing
                }
            }
            Lookup::Error(error) => Known::Fails(error),
        }
    }

    /// Whether a table that cannot be looked at has a key.
    fn has(&mut self, table: &str, why: String, key: &str) -> bool {
        let doubt = Doubt {
            what: table.to_owned(),
            why,
            key: key.to_owned(),
            is_keyed: is_keyed(table),
        };
        self.choose(doubt, 2) == 1
    }
}

/// What `evaluate` gives in each world, the plainest first, for at most `most` worlds.
///
/// `first` is the world to begin with ([`World::explained`], [`World::without`]).
pub fn explore<T>(
    first: &World,
    most: usize,
    mut evaluate: impl FnMut(&mut World) -> T,
) -> (Vec<(T, World)>, Completeness) {
    let mut results = Vec::new();
    let mut script = Vec::new();
    loop {
        let mut world = World {
            script,
            settled: Vec::new(),
            ..first.clone()
        };
        let result = evaluate(&mut world);
        // The last question that has a further answer gets that one; those behind it may not come up again.
        let last = world
            .settled
            .iter()
            .rposition(|settled| settled.answer + 1 < settled.answers);
        let next = last.map(|last| {
            let answers = world.settled[..=last].iter().map(|settled| settled.answer);
            let mut next: Vec<usize> = answers.collect();
            next[last] += 1;
            next
        });
        results.push((result, world));
        match next {
            None => return (results, Completeness::All),
            Some(_) if results.len() >= most => return (results, Completeness::Some),
            Some(next) => script = next,
        }
    }
}

/// Whether all worlds were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// All of them.
    All,
    /// There are more.
    Some,
}

/// Whether a table has only names without a domain: passwd(5), or aliases(5) in a file or a NIS map.
fn has_bare_names(instance: &Instance, table: &str) -> bool {
    table.starts_with("unix:") || (is_keyed(table) && instance.is_alias_table(table))
}

/// Whether a table, given as `type:name`, has single names only.
fn is_keyed(table: &str) -> bool {
    let table = table.strip_prefix("proxy:").unwrap_or(table);
    let kind = table.split(':').next().and_then(TableType::of);
    kind.is_some_and(|kind| {
        kind.is_indexed()
            || matches!(
                kind,
                TableType::Texthash | TableType::Unix | TableType::Nis | TableType::Nisplus
            )
    })
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.what, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt(what: &str) -> Doubt {
        Doubt {
            what: what.to_owned(),
            why: String::new(),
            key: String::new(),
            is_keyed: false,
        }
    }

    #[test]
    fn all_worlds_are_seen_once() {
        let (results, completeness) = explore(&World::default(), 10, |world| {
            let one = world.choose(doubt("one"), 2);
            // The same question again gets the same answer.
            assert_eq!(world.choose(doubt("one"), 2), one);
            if one == 0 {
                return (0, 0);
            }
            (one, world.choose(doubt("two"), 3))
        });
        let results: Vec<_> = results.into_iter().map(|(result, _)| result).collect();
        assert_eq!(results, [(0, 0), (1, 0), (1, 1), (1, 2)]);
        assert_eq!(completeness, Completeness::All);
    }

    #[test]
    fn too_many_worlds_are_said_to_be_too_many() {
        let (results, completeness) = explore(&World::default(), 3, |world| {
            world.choose(doubt("one"), 100)
        });
        assert_eq!(results.len(), 3);
        assert_eq!(completeness, Completeness::Some);
    }
}
