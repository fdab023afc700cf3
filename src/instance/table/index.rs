//! A compact index of the keys of a table: for each entry some bits of the key's hash, and the offset of its
//! line.
//!
//! The slots are sorted, so entries with equal hashes lie side by side in the order of the file. The key
//! itself is not kept: where a key has to be the right one for certain, a candidate is read again from the file
//! and compared. A directory says where the slots with each beginning stand, so that a lookup touches two places
//! in memory. All that is thirteen bytes an entry, however long the keys are.

use std::hash::{BuildHasher, RandomState};
use std::ops::Range;

/// The index.
#[derive(Debug)]
pub(super) struct KeyIndex {
    slots: Vec<Slot>,
    /// How many of the low bits of a slot are the offset.
    offset_bits: u32,
    /// For each value of the uppermost bits where the slots that begin with it start, and the end.
    starts: Vec<u32>,
    /// How many bits that are.
    start_bits: u32,
}

/// An entry: four bytes aligned, so that it takes twelve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    upper: u32,
    lower: u32,
    check: u32,
}

impl Slot {
    fn new(word: u64, check: u32) -> Self {
        Self {
            upper: (word >> 32) as u32,
            lower: word as u32,
            check,
        }
    }

    /// The upper bits of the hash, and the offset below them.
    fn word(self) -> u64 {
        (u64::from(self.upper) << 32) | u64::from(self.lower)
    }
}

/// A key's hash: 64 bits, of which a slot keeps the first ones as they are and the others mixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KeyHash(u64);

impl KeyHash {
    fn check(self) -> u32 {
        (self.0.rotate_left(32).wrapping_mul(MULTIPLIER) >> 32) as u32
    }

    /// All bits.
    pub(super) fn bits(self) -> u64 {
        self.0
    }
}

/// So many slots share a place in the directory, on average.
const SHARED: usize = 4;

impl KeyIndex {
    /// Builds the index of a file of `length` bytes: `fill` gets what takes the hash of each key and the offset
    /// of its line.
    pub(super) fn build(length: usize, fill: impl FnOnce(&mut dyn FnMut(KeyHash, usize))) -> Self {
        let offset_bits = usize::BITS - length.leading_zeros();
        let mut index = Self {
            slots: Vec::new(),
            offset_bits,
            starts: Vec::new(),
            start_bits: 0,
        };
        let mut slots = Vec::new();
        let mask = index.offset_mask();
        fill(&mut |hash, offset| {
            slots.push(Slot::new((hash.0 & !mask) | offset as u64, hash.check()));
        });
        slots.sort_unstable_by_key(|slot: &Slot| slot.word());
        slots.shrink_to_fit();
        index.slots = slots;
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
        for (at, slot) in (0_u32..).zip(&self.slots) {
            while self.starts.len() <= offset(slot.word() >> shift) {
                self.starts.push(at);
            }
        }
        let end = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        self.starts.resize((1 << self.start_bits) + 1, end);
    }

    /// Which slots may begin like `wanted`.
    fn place(&self, wanted: u64) -> Range<usize> {
        if self.start_bits == 0 {
            return 0..self.slots.len();
        }
        let at = offset(wanted >> (u64::BITS - self.start_bits));
        let bound = |at: usize| self.starts.get(at).map_or(0, |&start| offset(start.into()));
        bound(at)..bound(at + 1)
    }

    fn offset_mask(&self) -> u64 {
        // An offset of 64 bits would leave no bit for the hash, but no file is that long.
        (1_u64 << self.offset_bits.min(63)) - 1
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The slots whose keys may be the one with this hash, in the order of the file.
    fn candidate_slots(&self, hash: KeyHash) -> impl Iterator<Item = usize> {
        let mask = self.offset_mask();
        let (wanted, check) = (hash.0 & !mask, hash.check());
        let place = self.place(wanted);
        let slots = self.slots.get(place.clone()).unwrap_or_default();
        let start = if slots.len() > 4 * SHARED {
            slots.partition_point(|slot| slot.word() < wanted)
        } else {
            slots.iter().take_while(|slot| slot.word() < wanted).count()
        };
        slots[start..]
            .iter()
            .zip(place.start + start..)
            .take_while(move |(slot, _)| slot.word() & !mask == wanted)
            .filter(move |(slot, _)| slot.check == check)
            .map(|(_, at)| at)
    }

    /// Offsets of the lines whose keys may be the one with this hash, in the order of the file.
    pub(super) fn candidates(&self, hash: KeyHash) -> impl Iterator<Item = usize> {
        self.candidate_slots(hash).map(|at| self.offset_of(at))
    }

    /// The first slot with this hash. That another key has it is as good as impossible, but no proof.
    pub(super) fn slot(&self, hash: KeyHash) -> Option<usize> {
        self.candidate_slots(hash).next()
    }

    /// The slot with this hash of the line at an offset.
    pub(super) fn slot_at(&self, hash: KeyHash, offset: usize) -> Option<usize> {
        self.candidate_slots(hash)
            .find(|&at| self.offset_of(at) == offset)
    }

    /// Offset of the line of a slot.
    pub(super) fn offset_of(&self, slot: usize) -> usize {
        let mask = self.offset_mask();
        self.slots
            .get(slot)
            .map_or(usize::MAX, |slot| offset(slot.word() & mask))
    }

    /// The offsets of entries that share a hash with another one, group by group.
    pub(super) fn collisions(&self) -> impl Iterator<Item = Vec<usize>> {
        let mask = self.offset_mask();
        self.slots
            .chunk_by(move |one, two| one.word() & !mask == two.word() & !mask)
            .filter(|group| has_equal(group))
            .map(move |group| {
                let offsets = group.iter().map(|slot| offset(slot.word() & mask));
                offsets.collect()
            })
    }
}

/// Whether two of the slots have the same hash.
fn has_equal(slots: &[Slot]) -> bool {
    let is_met =
        |(at, slot): (usize, &Slot)| slots[..at].iter().any(|other| other.check == slot.check);
    // Of so many some have.
    slots.len() > 8 || slots.iter().enumerate().any(is_met)
}

fn offset(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// Hashes keys, each time this program runs in another way: nobody can choose keys that collide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hasher {
    start: u64,
    factor: u64,
}

impl Hasher {
    /// A way to hash.
    pub(super) fn new() -> Self {
        let random = RandomState::new();
        Self {
            start: random.hash_one(0),
            factor: random.hash_one(1) | 1,
        }
    }

    /// Hashes a key. With `fold`, the letters A to Z count as a to z.
    pub(super) fn hash(self, key: &[u8], fold: bool) -> KeyHash {
        let mut hash = self.start ^ key.len() as u64;
        let mut mix = |word: [u8; 8]| {
            let word = u64::from_le_bytes(word);
            let word = if fold { lower(word) } else { word };
            hash = multiply(hash ^ word, self.factor);
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
        KeyHash(multiply(hash ^ MULTIPLIER, self.factor.rotate_left(32) | 1))
    }
}

/// Both halves of the product, mixed.
fn multiply(one: u64, two: u64) -> u64 {
    let product = u128::from(one) * u128::from(two);
    product as u64 ^ (product >> 64) as u64
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
        let hasher = Hasher::new();
        let hash = |key: &[u8], fold| hasher.hash(key, fold);
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
        let hasher = Hasher::new();
        let hash = |key: &str| hasher.hash(key.as_bytes(), true);
        let index = KeyIndex::build(5000, |add| {
            for (at, key) in keys.iter().enumerate() {
                add(hash(key), at);
            }
        });
        assert_eq!(index.len(), 5000);
        for (at, key) in keys.iter().enumerate() {
            let found: Vec<_> = index.candidates(hash(key)).collect();
            assert!(found.contains(&at) && found.is_sorted(), "{key}");
            let slot = index.slot(hash(key)).expect("the key is there");
            assert_eq!(index.offset_of(slot), found[0]);
            let own = index.slot_at(hash(key), at).expect("the entry is there");
            assert_eq!(index.offset_of(own), at);
        }
        let doubled: usize = index.collisions().map(|group| group.len()).sum();
        assert!(doubled >= 2000);
        let empty = KeyIndex::build(0, |_| {});
        assert_eq!(empty.candidates(hash("x")).count(), 0);
    }
}
