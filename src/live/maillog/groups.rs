//! Things that are counted by kind, with the first and the last time, in bounded memory.

use super::queue::{NumberMap, hash};

/// How often something was seen, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// The stamp of the first time, as it stands in the log.
    pub first: String,
    /// The stamp of the last time.
    pub last: String,
}

/// Text of a log, as text: what is no UTF-8 is replaced.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Counted by kind.
#[derive(Debug)]
pub(super) struct Groups<V> {
    by_key: NumberMap<usize>,
    groups: Vec<(Seen, V)>,
    most: usize,
    /// So often something was seen for which there was no room.
    pub(super) left_out: u64,
}

impl<V> Groups<V> {
    /// No kind yet, and never more than `most`.
    pub(super) fn new(most: usize) -> Self {
        Self {
            by_key: NumberMap::default(),
            groups: Vec::new(),
            most,
            left_out: 0,
        }
    }

    /// Counts one of a kind. `new` makes what is known of it.
    pub(super) fn add(
        &mut self,
        key: u64,
        stamp: &[u8],
        times: u64,
        new: impl FnOnce() -> V,
    ) -> Option<&mut V> {
        let index = match self.by_key.get(&key) {
            Some(&index) => index,
            None if self.groups.len() >= self.most => {
                self.left_out += times;
                return None;
            }
            None => {
                let seen = Seen {
                    first: text(stamp),
                    ..Seen::default()
                };
                self.groups.push((seen, new()));
                self.by_key.insert(key, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        let (seen, value) = &mut self.groups[index];
        seen.count += times;
        seen.last.clear();
        seen.last.push_str(&String::from_utf8_lossy(stamp));
        Some(value)
    }

    /// All kinds, the most frequent first; those that are equally frequent in the order of the log.
    pub(super) fn into_sorted(self) -> Vec<(Seen, V)> {
        let mut groups = self.groups;
        groups.sort_by_key(|(seen, _)| std::cmp::Reverse(seen.count));
        groups
    }
}

/// A key of several parts.
pub(super) fn key_of(parts: &[&[u8]]) -> u64 {
    parts.iter().fold(0, |state, part| hash(state, part))
}

/// A key of a text of which the words with digits (addresses, ids, times) do not count.
pub(super) fn key_of_words(seed: u64, text: &[u8]) -> u64 {
    text.split(|byte| byte.is_ascii_whitespace())
        .filter(|word| !word.iter().any(u8::is_ascii_digit))
        .fold(seed, hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_fit() {
        let mut groups = Groups::new(2);
        for (key, stamp) in [(1, "a"), (2, "b"), (2, "c"), (3, "d")] {
            groups.add(key, stamp.as_bytes(), 2, || key);
        }
        assert_eq!(groups.left_out, 2);
        let sorted = groups.into_sorted();
        let seen = |index: usize| {
            (
                sorted[index].0.count,
                &*sorted[index].0.first,
                sorted[index].1,
            )
        };
        assert_eq!([seen(0), seen(1)], [(4, "b", 2), (2, "a", 1)]);
        assert_eq!(sorted[0].0.last, "c");
    }

    #[test]
    fn numbers_in_words_do_not_count() {
        let of = |text: &str| key_of_words(0, text.as_bytes());
        assert_eq!(of("process 12 exit"), of("process 13 exit"));
        assert_ne!(of("process 12 exit"), of("process 12 end"));
    }
}
