//! A compact index of the keys of a table: for each entry one 64-bit number, made of bits of the key's
//! hash and the offset of its line.
//!
//! The numbers are sorted, so entries with equal hashes lie side by side in the order of the file. The key
//! itself is not kept: a candidate is read again from the file and compared. A directory says where the
//! numbers with each beginning stand, so that a lookup touches two places in memory. All that is nine bytes an
//! entry, however long the keys are.

/// The index.
#[derive(Debug)]
pub(super) struct KeyIndex {
    slots: Vec<u64>,
    /// How many of the low bits are the offset.
    offset_bits: u32,
    /// For each value of the uppermost bits where the numbers that begin with it start, and the end.
    starts: Vec<u32>,
    /// How many bits that are.
    start_bits: u32,
}

/// So many numbers share a place in the directory, on average.
const SHARED: usize = 4;

impl KeyIndex {
    /// Builds the index of a file of `length` bytes from the hashes of the keys and the offsets of their
    /// lines.
    pub(super) fn build(length: usize, entries: impl Iterator<Item = (u64, usize)>) -> Self {
        let offset_bits = usize::BITS - length.leading_zeros();
        let mut index = Self {
            slots: Vec::new(),
            offset_bits,
            starts: Vec::new(),
            start_bits: 0,
        };
        index.slots = entries
            .map(|(hash, offset)| index.upper(hash) | offset as u64)
            .collect();
        index.slots.sort_unstable();
        index.slots.shrink_to_fit();
        index.fill_directory();
        index
    }

    fn fill_directory(&mut self) {
        // Beyond four billion entries there is none, and lookups take longer.
        let places = u32::try_from(self.slots.len()).map_or(1, |_| self.slots.len() / SHARED);
        self.start_bits = places.max(1).ilog2();
        if self.start_bits == 0 {
            return;
        }
        let shift = u64::BITS - self.start_bits;
        self.starts = Vec::with_capacity((1 << self.start_bits) + 1);
        for (at, &slot) in (0_u32..).zip(&self.slots) {
            while self.starts.len() <= offset(slot >> shift) {
                self.starts.push(at);
            }
        }
        let end = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.starts.resize((1 << self.start_bits) + 1, end);
    }

    /// The numbers that may begin like `wanted`.
    fn place(&self, wanted: u64) -> &[u64] {
        if self.start_bits == 0 {
            return &self.slots;
        }
        let at = offset(wanted >> (u64::BITS - self.start_bits));
        let bound = |at: usize| self.starts.get(at).map_or(0, |&start| offset(start.into()));
        self.slots.get(bound(at)..bound(at + 1)).unwrap_or_default()
    }

    /// The hash's share of a number: its upper bits.
    fn upper(&self, hash: u64) -> u64 {
        hash & !self.offset_mask()
    }

    fn offset_mask(&self) -> u64 {
        // An offset of 64 bits would leave no bit for the hash, but no file is that long.
        (1_u64 << self.offset_bits.min(63)) - 1
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Offsets of the lines whose keys may be the one with this hash, in the order of the file.
    pub(super) fn candidates(&self, hash: u64) -> impl Iterator<Item = usize> {
        let wanted = self.upper(hash);
        let mask = self.offset_mask();
        let place = self.place(wanted);
        let start = if place.len() > 4 * SHARED {
            place.partition_point(|&slot| slot < wanted)
        } else {
            place.iter().take_while(|&&slot| slot < wanted).count()
        };
        place[start..]
            .iter()
            .take_while(move |&&slot| slot & !mask == wanted)
            .map(move |&slot| offset(slot & mask))
    }

    /// The offsets of entries that share a hash with another one, group by group.
    pub(super) fn collisions(&self) -> impl Iterator<Item = Vec<usize>> {
        let mask = self.offset_mask();
        self.slots
            .chunk_by(move |one, two| one & !mask == two & !mask)
            .filter(|group| group.len() > 1)
            .map(move |group| group.iter().map(|&slot| offset(slot & mask)).collect())
    }
}

fn offset(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes a key. With `fold`, the letters A to Z count as a to z. The upper bits are the better ones.
pub(super) fn hash(key: &[u8], fold: bool) -> u64 {
    let mut hash = key.len() as u64;
    let mut mix = |word: [u8; 8]| {
        let word = u64::from_le_bytes(word);
        let word = if fold { lower(word) } else { word };
        hash = (hash.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER);
    };
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        mix(*word);
    }
    if !rest.is_empty() {
        let mut word = [0; 8];
        word[..rest.len()].copy_from_slice(rest);
        mix(word);
    }
    hash ^= hash >> 32;
    hash.wrapping_mul(MULTIPLIER)
}

/// Eight bytes at a time, A to Z to a to z.
fn lower(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let low_bits = word & (0x7f * ONES);
    let at_least_a = low_bits + ((0x80 - u64::from(b'A')) * ONES);
    let above_z = low_bits + ((0x7f - u64::from(b'Z')) * ONES);
    let is_upper = !word & (at_least_a ^ above_z) & (0x80 * ONES);
    word | (is_upper >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_hashes_are_equal() {
        for byte in 0..=255_u8 {
            let upper = [b'x', byte, 1, 2, 3, 4, 5, 6, 7, byte];
            let mut lower = upper;
            lower.make_ascii_lowercase();
            assert_eq!(hash(&upper, true), hash(&lower, false), "{byte}");
        }
        assert_ne!(hash(b"a", false), hash(b"a\0", false));
    }

    #[test]
    fn every_entry_is_found() {
        let keys: Vec<String> = (0..5000)
            .map(|n| format!("user{}@x.test", n % 4000))
            .collect();
        let entries = keys
            .iter()
            .enumerate()
            .map(|(at, key)| (hash(key.as_bytes(), true), at));
        let index = KeyIndex::build(5000, entries);
        assert_eq!(index.len(), 5000);
        for (at, key) in keys.iter().enumerate() {
            let found: Vec<_> = index.candidates(hash(key.as_bytes(), true)).collect();
            assert!(found.contains(&at) && found.is_sorted(), "{key}");
        }
        let doubled: usize = index.collisions().map(|group| group.len()).sum();
        assert!(doubled >= 2000);
        assert_eq!(
            KeyIndex::build(0, std::iter::empty()).candidates(7).count(),
            0
        );
    }
}
