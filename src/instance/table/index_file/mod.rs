//! Index files as postmap(1) and postalias(1) build them, read without the libraries that write them.
//!
//! The times of a source and its index say little: `mv`, rsync and git change them at will. The contents
//! say whether the index is that of the source.

mod berkeley_db;
mod cdb;
mod lmdb;

use std::borrow::Cow;

use super::entry::SourceFormat;
use super::key_table::KeyTable;
use super::types::TableType;
use crate::source::Span;

/// Why an index cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexError {
    /// No reader for this type of table, or this variant of the format.
    Unsupported,
    /// The file is not of the format, or damaged.
    Malformed,
}

/// Calls `each` with every pair of an index file, in no particular order, without the NUL that some formats
/// have after keys and values.
///
/// # Errors
/// The file cannot be read; pairs may have been given before that turned out.
pub fn read_index(
    table_type: TableType,
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8], &[u8]),
) -> Result<(), IndexError> {
    let mut each = |key: Cow<'_, [u8]>, value: Cow<'_, [u8]>| {
        each(without_nul(&key), without_nul(&value));
    };
    match table_type {
        TableType::Cdb => cdb::read(bytes, &mut each),
        TableType::Lmdb => lmdb::read(bytes, &mut each),
        TableType::Hash | TableType::Btree => berkeley_db::read(bytes, &mut each),
        _ => Err(IndexError::Unsupported),
    }
}

/// What receives the pairs.
type Each<'e> = dyn FnMut(Cow<'_, [u8]>, Cow<'_, [u8]>) + 'e;

fn without_nul(bytes: &[u8]) -> &[u8] {
    bytes.strip_suffix(b"\0").unwrap_or(bytes)
}

/// How an index differs from its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IndexDifference {
    /// Entries of the source that the index does not have, in the order of the file.
    pub missing: Vec<Span>,
    /// Entries of the source for which the index has another value, in the order of the file.
    pub changed: Vec<Span>,
    /// Keys of the index that the source does not have, sorted.
    pub extra: Vec<Vec<u8>>,
}

impl IndexDifference {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.changed.is_empty() && self.extra.is_empty()
    }
}

/// Compares an index with the table that its source makes.
///
/// # Errors
/// The index cannot be read.
pub fn compare_index(
    table: &KeyTable,
    table_type: TableType,
    bytes: &[u8],
) -> Result<IndexDifference, IndexError> {
    let mut difference = IndexDifference::default();
    let mut found: Vec<usize> = Vec::new();
    read_index(
        table_type,
        bytes,
        &mut |key, value| match table.find(key, true) {
            Some(entry) => {
                found.push(entry.offset());
                if *entry.value() != *value {
                    difference.changed.push(entry.span(table.source()));
                }
            }
            None if is_added(table.format(), key) => {}
            None => difference.extra.push(key.to_vec()),
        },
    )?;
    let doubled: Vec<usize> = table
        .duplicates()
        .iter()
        .map(|entry| entry.offset)
        .collect();
    found.sort_unstable();
    found.dedup();
    if found.len() + doubled.len() < table.len() {
        for entry in table.entries() {
            let is_there = |offsets: &[usize]| offsets.binary_search(&entry.offset()).is_ok();
            if !is_there(&found) && !is_there(&doubled) {
                difference.missing.push(entry.span(table.source()));
            }
        }
    }
    difference.changed.sort_unstable();
    difference.extra.sort_unstable();
    Ok(difference)
}

/// What postalias(1) adds to what it finds in the source.
fn is_added(format: SourceFormat, key: &[u8]) -> bool {
    format == SourceFormat::Postalias
        && matches!(key, b"@" | b"YP_LAST_MODIFIED" | b"YP_MASTER_NAME")
}

/// Numbers in the byte order of most machines, from bytes that may be too short.
trait Numbers {
    fn u16_at(&self, at: usize) -> Result<usize, IndexError>;
    fn u32_at(&self, at: usize) -> Result<usize, IndexError>;
    fn u64_at(&self, at: usize) -> Result<u64, IndexError>;
    fn part(&self, at: usize, length: usize) -> Result<&[u8], IndexError>;
}

impl Numbers for [u8] {
    fn u16_at(&self, at: usize) -> Result<usize, IndexError> {
        let bytes = self.part(at, 2)?;
        Ok(usize::from(u16::from_le_bytes([bytes[0], bytes[1]])))
    }

    fn u32_at(&self, at: usize) -> Result<usize, IndexError> {
        let bytes = self.part(at, 4)?;
        let number = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        usize::try_from(number).map_err(|_| IndexError::Malformed)
    }

    fn u64_at(&self, at: usize) -> Result<u64, IndexError> {
        let bytes = self.part(at, 8)?;
        let mut array = [0; 8];
        array.copy_from_slice(bytes);
        Ok(u64::from_le_bytes(array))
    }

    fn part(&self, at: usize, length: usize) -> Result<&[u8], IndexError> {
        let end = at.checked_add(length).ok_or(IndexError::Malformed)?;
        self.get(at..end).ok_or(IndexError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anything_is_read_without_panic() {
        let mut state = 1_u64;
        for length in [0, 1, 100, 600, 2048, 5000, 9000] {
            let mut bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    (state >> 60) as u8
                })
                .collect();
            for magic in [
                &[0x61, 0x15, 6, 0][..],
                &[0x62, 0x31, 5, 0],
                &[0xde, 0xc0, 0xef, 0xbe],
            ] {
                for at in [12, 16] {
                    if bytes.len() > at + 4 {
                        bytes[at..at + 4].copy_from_slice(magic);
                    }
                    for table_type in [TableType::Hash, TableType::Lmdb, TableType::Cdb] {
                        let _ = read_index(table_type, &bytes, &mut |_, _| {});
                    }
                }
            }
        }
    }
}
