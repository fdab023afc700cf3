//! Bytes and places: the files that were read, and spans into them.
//!
//! Postfix is 8-bit clean, so a file is kept as the bytes it has. Parsers, rules and reports look at a
//! text view of the *same length*, in which every byte that is not valid UTF-8 is one `?`: an offset
//! means the same place in both, and only the rewriter touches the bytes.

mod stamp;
mod text;

pub use stamp::Stamp;
pub use text::{Text, is_space, same_length_lossy};

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

/// The words of the C library for an error of the operating system, as Postfix prints them (`%m`).
pub fn error_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// A file that was read, as an index into [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

/// A place in a file: the bytes `start..end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The smallest span that covers both, or `self` when they lie in different files.
    pub fn to(self, other: Self) -> Self {
        if self.file == other.file {
            Self {
                file: self.file,
                start: self.start.min(other.start),
                end: self.end.max(other.end),
            }
        } else {
            self
        }
    }

    /// The empty span at the start of this one.
    pub fn at_start(self) -> Self {
        Self {
            end: self.start,
            ..self
        }
    }

    /// The empty span at the end of this one.
    pub fn at_end(self) -> Self {
        Self {
            start: self.end,
            ..self
        }
    }
}

/// A place as people count it: lines and columns from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// Physical line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

/// One file as it was read.
#[derive(Debug)]
pub struct Source {
    id: FileId,
    path: PathBuf,
    text: String,
    /// The bytes, where they are not those of the text because they are not UTF-8.
    bytes: Option<Vec<u8>>,
    newlines: OnceLock<Vec<usize>>,
    stamp: Option<Stamp>,
}

impl Source {
    /// The handle of this file.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// The path as it is shown to the user.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }

    /// The bytes as text of the same length: each invalid byte is one `?`.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether all bytes are UTF-8, so that text and bytes are the same.
    pub fn is_utf8(&self) -> bool {
        self.bytes.is_none()
    }

    /// What the file system said of the file when it was read; `None` for text that is no file.
    pub fn stamp(&self) -> Option<&Stamp> {
        self.stamp.as_ref()
    }

    /// The whole file.
    pub fn span(&self) -> Span {
        Span {
            file: self.id,
            start: 0,
            end: self.text.len(),
        }
    }

    /// A span of this file.
    pub fn span_of(&self, range: std::ops::Range<usize>) -> Span {
        Span {
            file: self.id,
            start: range.start,
            end: range.end,
        }
    }

    /// Line and column of an offset; an offset beyond the end is the end.
    pub fn line_column(&self, offset: usize) -> LineColumn {
        let offset = offset.min(self.text.len());
        let bytes = self.text.as_bytes();
        let block = offset / BLOCK;
        let before = self.newlines().get(block).copied().unwrap_or_default();
        let line = before + memchr::memchr_iter(b'\n', &bytes[block * BLOCK..offset]).count() + 1;
        let start = memchr::memrchr(b'\n', &bytes[..offset]).map_or(0, |newline| newline + 1);
        let column = match self.text().get(start..offset) {
            Some(before) => before.chars().count() + 1,
            None => offset - start + 1,
        };
        LineColumn { line, column }
    }

    /// The offset at which physical line `line` (from 1) starts.
    pub fn line_start(&self, line: usize) -> Option<usize> {
        let newlines = line.checked_sub(1)?;
        if newlines == 0 {
            return Some(0);
        }
        let counts = self.newlines();
        let block = counts
            .partition_point(|&before| before < newlines)
            .checked_sub(1)?;
        let start = block * BLOCK;
        let mut found = memchr::memchr_iter(b'\n', self.text.as_bytes().get(start..)?);
        let at = found.nth(newlines - counts[block] - 1)?;
        Some(start + at + 1)
    }

    /// How many newlines lie in front of each block. A table may have millions of lines.
    fn newlines(&self) -> &[usize] {
        self.newlines.get_or_init(|| {
            let mut count = 0;
            let blocks = self.text.as_bytes().chunks(BLOCK).map(|block| {
                let before = count;
                count += memchr::memchr_iter(b'\n', block).count();
                before
            });
            let mut counts: Vec<usize> = blocks.collect();
            // For the end of a file that ends with a block.
            counts.push(count);
            counts
        })
    }
}

/// So many bytes are searched for the number of a line.
const BLOCK: usize = 4096;

/// All files that a run has read, in the order in which they were read.
///
/// Tables are read when a question needs them, so files can be added through a shared reference.
#[derive(Debug, Default)]
pub struct Sources {
    files: Mutex<Vec<Arc<Source>>>,
}

impl Sources {
    /// Adds a file.
    ///
    /// `path` is the path shown to the user, `stamp` what the file system said of it (`None` when the
    /// bytes are not those of a file, such as standard input).
    pub fn add(&self, path: PathBuf, bytes: Vec<u8>, stamp: Option<Stamp>) -> Arc<Source> {
        let (text, bytes) = text::same_length_text(bytes);
        let mut files = self.lock();
        let id = FileId(u32::try_from(files.len()).unwrap_or(u32::MAX));
        let source = Arc::new(Source {
            id,
            path,
            text,
            bytes,
            newlines: OnceLock::new(),
            stamp,
        });
        files.push(Arc::clone(&source));
        source
    }

    /// Reads a file from disk and adds it.
    ///
    /// # Errors
    /// What the operating system said; `path` is not part of the error.
    pub fn read(&self, path: &Path) -> std::io::Result<Arc<Source>> {
        let (bytes, stamp) = stamp::read_with_stamp(path)?;
        Ok(self.add(path.to_path_buf(), bytes, Some(stamp)))
    }

    /// The file behind a handle.
    pub fn get(&self, id: FileId) -> Arc<Source> {
        Arc::clone(&self.lock()[id.0 as usize])
    }

    /// The file that was read from `path`, when it was.
    pub fn find(&self, path: &Path) -> Option<Arc<Source>> {
        self.lock()
            .iter()
            .find(|source| source.path == path)
            .cloned()
    }

    /// The files that were read so far, in the order in which they were.
    pub fn all(&self) -> Vec<Arc<Source>> {
        self.lock().clone()
    }

    /// The path of a file.
    pub fn path(&self, id: FileId) -> PathBuf {
        self.get(id).path.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Source>>> {
        // A panic while the lock is held cannot leave the vector half-changed.
        self.files
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_over_blocks() {
        for text in [
            String::new(),
            "a".to_owned(),
            "a\n\nb\n".to_owned(),
            "é\n".repeat(3000),
            "x".repeat(BLOCK),
            format!("{}\n{}\n", "x".repeat(BLOCK - 1), "y".repeat(3 * BLOCK)),
        ] {
            let source = Sources::default().add("a".into(), text.clone().into_bytes(), None);
            let mut starts = vec![0];
            starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
            for (index, &start) in starts.iter().enumerate() {
                let line = index + 1;
                assert_eq!(source.line_start(line), Some(start));
                assert_eq!(source.line_column(start), LineColumn { line, column: 1 });
                let end = text[start..]
                    .find('\n')
                    .map_or(text.len(), |length| start + length);
                let column = text[start..end].chars().count() + 1;
                assert_eq!(source.line_column(end), LineColumn { line, column });
            }
            assert_eq!(source.line_start(starts.len() + 1), None);
            assert_eq!(source.line_start(0), None);
        }
    }
}
