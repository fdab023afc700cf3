//! LMDB databases: a tree of pages, whose root is in the newer of two meta pages.

use std::borrow::Cow;

use super::{Each, IndexError, Numbers};

const MAGIC: usize = 0xbeef_c0de;
const VERSION: usize = 1;
/// Offsets in a meta page.
const META_MAGIC: usize = 16;
const META_VERSION: usize = 20;
const META_PAGE_SIZE: usize = 40;
const META_ROOT: usize = 128;
const META_TRANSACTION: usize = 144;
/// Flags of a page.
const BRANCH: usize = 1;
const LEAF: usize = 2;
const PAGE_HEADER: usize = 16;
/// Header of a node, and its flag "the data is in pages of its own".
const NODE_HEADER: usize = 8;
const BIG_DATA: usize = 1;

pub(super) fn read(bytes: &[u8], each: &mut Each<'_>) -> Result<(), IndexError> {
    if bytes.u32_at(META_MAGIC)? != MAGIC {
        return Err(IndexError::Malformed);
    }
    if bytes.u32_at(META_VERSION)? != VERSION {
        return Err(IndexError::Unsupported);
    }
    let page_size = bytes.u32_at(META_PAGE_SIZE)?;
    if !page_size.is_power_of_two() || page_size < 256 {
        return Err(IndexError::Malformed);
    }
    let transaction = |meta: usize| bytes.u64_at(meta + META_TRANSACTION);
    let meta = if transaction(page_size)? > transaction(0)? {
        page_size
    } else {
        0
    };
    let root = bytes.u64_at(meta + META_ROOT)?;
    if root == u64::MAX {
        return Ok(());
    }
    let mut pages = vec![root];
    // In a sound file each page is visited once.
    let mut left = bytes.len() / page_size;
    while let Some(page) = pages.pop() {
        left = left.checked_sub(1).ok_or(IndexError::Malformed)?;
        let start = offset(page, page_size)?;
        let flags = bytes.u16_at(start + 10)?;
        let lower = bytes.u16_at(start + 12)?;
        for index in 0..lower.saturating_sub(PAGE_HEADER) / 2 {
            let node = start + bytes.u16_at(start + PAGE_HEADER + 2 * index)?;
            let low = bytes.u16_at(node)?;
            let high = bytes.u16_at(node + 2)?;
            let node_flags = bytes.u16_at(node + 4)?;
            let key_length = bytes.u16_at(node + 6)?;
            if flags & BRANCH != 0 {
                pages.push(low as u64 | (high as u64) << 16 | (node_flags as u64) << 32);
            } else if flags & LEAF != 0 {
                let key = bytes.part(node + NODE_HEADER, key_length)?;
                let data = node + NODE_HEADER + key_length;
                let length = low | high << 16;
                let value = if node_flags & BIG_DATA != 0 {
                    let overflow = offset(bytes.u64_at(data)?, page_size)?;
                    bytes.part(overflow.saturating_add(PAGE_HEADER), length)?
                } else {
                    bytes.part(data, length)?
                };
                each(Cow::Borrowed(key), Cow::Borrowed(value));
            } else {
                return Err(IndexError::Malformed);
            }
        }
    }
    Ok(())
}

fn offset(page: u64, page_size: usize) -> Result<usize, IndexError> {
    usize::try_from(page)
        .ok()
        .and_then(|page| page.checked_mul(page_size))
        // Room for the additions of a page's inner offsets.
        .filter(|&offset| offset < usize::MAX / 2)
        .ok_or(IndexError::Malformed)
}
