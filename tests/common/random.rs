//! Random choices that a seed repeats.

/// A generator of random numbers (splitmix64): the same seed gives the same numbers everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % end).unwrap_or(0)
    }

    /// True once in `count` times.
    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// One of the words of a text.
    pub(crate) fn word<'t>(&mut self, text: &'t str) -> &'t str {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        self.pick(&words)
    }

    /// One of the lines of a text, be it empty.
    pub(crate) fn line<'t>(&mut self, text: &'t str) -> &'t str {
        let lines: Vec<&str> = text.split('\n').collect();
        self.pick(&lines)
    }

    /// One of some things.
    pub(crate) fn pick<'t, T: ?Sized>(&mut self, things: &[&'t T]) -> &'t T {
        things[self.below(things.len())]
    }
}
