//! Constant databases (cdb): records one after another, then the tables that find them.

use std::borrow::Cow;

use super::{Each, IndexError, Numbers};

/// 256 pairs of position and length of a table.
const HEADER: usize = 2048;

pub(super) fn read(bytes: &[u8], each: &mut Each<'_>) -> Result<(), IndexError> {
    // The records end where the first table begins.
    let mut end = bytes.len();
    for table in 0..256 {
        end = end.min(bytes.u32_at(table * 8)?);
    }
    let mut at = HEADER;
    while at < end {
        let key = bytes.u32_at(at)?;
        let value = bytes.u32_at(at + 4)?;
        let key_bytes = bytes.part(at + 8, key)?;
        let value_bytes = bytes.part(at + 8 + key, value)?;
        each(Cow::Borrowed(key_bytes), Cow::Borrowed(value_bytes));
        at += 8 + key + value;
    }
    Ok(())
}
