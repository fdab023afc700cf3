//! What Postfix logs from now on.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use crate::instance::Instance;

/// Where systems keep the log of mail, unless Postfix writes it itself.
const USUAL: [&str; 3] = ["/var/log/mail.log", "/var/log/maillog", "/var/log/mail"];
/// What Postfix puts in front of what is worth reading (`src/util/msg_output.c`).
const LABELS: [&str; 4] = ["warning: ", "error: ", "fatal: ", "panic: "];
/// A line is written by another process, a moment later.
const DELAY: Duration = Duration::from_millis(500);
/// So much of what is new is read, and so many lines of it are shown.
const MOST_BYTES: u64 = 4 << 20;
const MOST_LINES: usize = 12;

/// A place in the log.
#[derive(Debug)]
pub struct LogTail {
    path: Option<PathBuf>,
    inode: u64,
    offset: u64,
}

/// The file that Postfix logs to, if there is one: `maillog_file`, else where systems keep it.
pub fn log_file(instance: &Instance) -> Option<PathBuf> {
    let own = instance.parameter("maillog_file").text();
    if own.starts_with('/') && own != "/dev/stdout" {
        return Some(PathBuf::from(own));
    }
    USUAL.iter().map(PathBuf::from).find(|path| path.is_file())
}

impl LogTail {
    /// The end of the log as it is now.
    pub fn begin(instance: &Instance) -> Self {
        let path = log_file(instance);
        let metadata = path.as_ref().and_then(|path| path.metadata().ok());
        Self {
            path,
            inode: metadata.as_ref().map_or(0, MetadataExt::ino),
            offset: metadata.as_ref().map_or(0, MetadataExt::size),
        }
    }

    /// The file, if there is one.
    pub fn path(&self) -> Option<&PathBuf> {
        self.path.as_ref()
    }

    /// The warnings and errors that were logged since, the last few.
    pub fn news(&mut self) -> Vec<String> {
        thread::sleep(DELAY);
        // A log that cannot be read says nothing; the reason is told without it.
        let bytes = self.read().unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let is_worth = |line: &&str| LABELS.iter().any(|label| line.contains(label));
        let lines: Vec<String> = text.lines().filter(is_worth).map(str::to_owned).collect();
        lines[lines.len().saturating_sub(MOST_LINES)..].to_vec()
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let Some(path) = &self.path else {
            return Ok(bytes);
        };
        let mut file = File::open(path)?;
        let metadata = file.metadata()?;
        let is_same = metadata.ino() == self.inode && metadata.size() >= self.offset;
        let from = if is_same { self.offset } else { 0 };
        file.seek(SeekFrom::Start(
            from.max(metadata.size().saturating_sub(MOST_BYTES)),
        ))?;
        file.take(MOST_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
