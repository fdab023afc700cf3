//! Berkeley DB files, hash and btree. To list all pairs it is enough to look at every page.

use std::borrow::Cow;

use super::{Each, IndexError, Numbers};

const HASH_MAGIC: usize = 0x06_1561;
const BTREE_MAGIC: usize = 0x05_3162;
/// Versions with the layout below: those of Berkeley DB 3 to 6.
const HASH_VERSIONS: std::ops::RangeInclusive<usize> = 7..=10;
const BTREE_VERSIONS: std::ops::RangeInclusive<usize> = 8..=10;
/// Offsets in the first page.
const META_MAGIC: usize = 12;
const META_VERSION: usize = 16;
const META_PAGE_SIZE: usize = 20;
const META_ENCRYPTION: usize = 24;
const META_FLAGS: usize = 26;
/// Offsets in other pages.
const PAGE_NEXT: usize = 16;
const PAGE_ENTRIES: usize = 20;
/// Of an overflow page: how many bytes it holds.
const PAGE_USED: usize = 22;
const PAGE_TYPE: usize = 25;
const PAGE_HEADER: usize = 26;
/// Types of pages.
const HASH_UNSORTED: u8 = 2;
const BTREE_LEAF: u8 = 5;
const OVERFLOW: u8 = 7;
const HASH_SORTED: u8 = 13;
/// Types of items.
const PLAIN: u8 = 1;
const FAR: u8 = 3;
const DELETED: u8 = 0x80;

struct File<'b> {
    bytes: &'b [u8],
    page_size: usize,
}

pub(super) fn read(bytes: &[u8], each: &mut Each<'_>) -> Result<(), IndexError> {
    let versions = match bytes.u32_at(META_MAGIC)? {
        HASH_MAGIC => HASH_VERSIONS,
        BTREE_MAGIC => BTREE_VERSIONS,
        _ => return Err(IndexError::Malformed),
    };
    let is_plain = bytes.part(META_ENCRYPTION, 1)? == [0] && bytes.part(META_FLAGS, 1)?[0] & 1 == 0;
    if !versions.contains(&bytes.u32_at(META_VERSION)?) || !is_plain {
        return Err(IndexError::Unsupported);
    }
    let page_size = bytes.u32_at(META_PAGE_SIZE)?;
    if !(512..=65536).contains(&page_size) {
        return Err(IndexError::Malformed);
    }
    let file = File { bytes, page_size };
    for page in bytes.chunks_exact(page_size).skip(1) {
        match page[PAGE_TYPE] {
            HASH_UNSORTED | HASH_SORTED => file.hash_page(page, each)?,
            BTREE_LEAF => file.leaf_page(page, each)?,
            _ => {}
        }
    }
    Ok(())
}

impl<'b> File<'b> {
    /// Items lie from the end of the page downwards; keys and values take turns.
    fn hash_page(&self, page: &'b [u8], each: &mut Each<'_>) -> Result<(), IndexError> {
        let mut end = page.len();
        let mut key = None;
        for index in 0..page.u16_at(PAGE_ENTRIES)? {
            let start = page.u16_at(PAGE_HEADER + 2 * index)?;
            let item = page.get(start..end).ok_or(IndexError::Malformed)?;
            end = start;
            let content = match item.first() {
                Some(&PLAIN) => Cow::Borrowed(&item[1..]),
                Some(&FAR) => self.far(item.u32_at(4)?, item.u32_at(8)?)?,
                _ => return Err(IndexError::Unsupported),
            };
            match key.take() {
                None => key = Some(content),
                Some(key) => each(key, content),
            }
        }
        Ok(())
    }

    /// Keys and values take turns.
    fn leaf_page(&self, page: &'b [u8], each: &mut Each<'_>) -> Result<(), IndexError> {
        let mut key = None;
        for index in 0..page.u16_at(PAGE_ENTRIES)? {
            let start = page.u16_at(PAGE_HEADER + 2 * index)?;
            let kind = page.part(start + 2, 1)?[0];
            let content = match kind & !DELETED {
                PLAIN => Cow::Borrowed(page.part(start + 3, page.u16_at(start)?)?),
                FAR => self.far(page.u32_at(start + 4)?, page.u32_at(start + 8)?)?,
                _ => return Err(IndexError::Unsupported),
            };
            match key.take() {
                None => key = Some((kind, content)),
                Some((key_kind, key)) if (key_kind | kind) & DELETED == 0 => each(key, content),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// An item in pages of its own.
    fn far(&self, page: usize, length: usize) -> Result<Cow<'b, [u8]>, IndexError> {
        if length > self.bytes.len() {
            return Err(IndexError::Malformed);
        }
        let mut content = Vec::with_capacity(length);
        let mut number = page;
        // A chain that leads back to itself does not get longer.
        while content.len() < length && number != 0 {
            let start = number
                .checked_mul(self.page_size)
                .ok_or(IndexError::Malformed)?;
            let page = self.bytes.part(start, self.page_size)?;
            let used = page.u16_at(PAGE_USED)?;
            if page[PAGE_TYPE] != OVERFLOW || used == 0 {
                return Err(IndexError::Malformed);
            }
            content.extend_from_slice(page.part(PAGE_HEADER, used)?);
            number = page.u32_at(PAGE_NEXT)?;
        }
        if content.len() != length {
            return Err(IndexError::Malformed);
        }
        Ok(Cow::Owned(content))
    }
}
