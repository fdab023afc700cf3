//! Where the lines come from: files, plain or compressed, put in the order of time, and standard input.

use std::cell::Cell;
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;

use super::compressed::decoded;
use super::line::{Parsed, parse};
use super::stamp::{self, Moment};

/// So much is read at a time.
const CHUNK: usize = 256 * 1024;
/// What is longer is cut: Postfix cuts its texts at 2000 bytes, and no daemon adds so much.
const LONGEST_LINE: usize = 64 * 1024;
/// So much of a file is looked through for its first stamp.
const HEAD: u64 = 64 * 1024;

/// A log that is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

/// A file that broke off: what was read counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The file.
    pub input: String,
    /// What went wrong.
    pub reason: String,
}

/// How far reading has come, for whoever waits.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// What is being read.
    pub input: &'p Input,
    /// So many bytes were read of all files, as they are on disk.
    pub done: u64,
    /// So many there are; 0 where that is not known.
    pub total: u64,
}

impl Input {
    /// The name in messages.
    pub fn shown(&self) -> String {
        match self {
            Self::Stdin => "standard input".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// The inputs in the order of time: by their first stamps, and where these have no year, by that of the last
/// change of the file. What has no stamps stays where it was named, and what cannot be put in order, too.
///
/// # Errors
/// A file cannot be read.
pub(super) fn in_order(inputs: &[Input]) -> anyhow::Result<Vec<Input>> {
    let mut dated: Vec<(Option<(i64, u32)>, &Input)> = Vec::new();
    for input in inputs {
        let date = match input {
            Input::Stdin => None,
            Input::File(path) => {
                let file = File::open(path);
                let file = file.with_context(|| unreadable(path))?;
                first_moment(file).with_context(|| unreadable(path))?
            }
        };
        dated.push((date, input));
    }
    // Sorting by a relation with holes is no sorting: only when all are dated.
    if dated.iter().all(|(date, _)| date.is_some()) {
        dated.sort_by(|(one, _), (other, _)| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    }
    Ok(dated.into_iter().map(|(_, input)| input.clone()).collect())
}

fn unreadable(path: &Path) -> String {
    format!(
        "cannot read {}: name a mail log that you may read (mail logs often belong to root and the group adm)",
        path.display()
    )
}

/// Year and moment of the first line of a file that has a stamp; a file without one is as old as its last
/// change says.
fn first_moment(file: File) -> io::Result<Option<(i64, u32)>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Ok(None);
    }
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let mut head = Vec::new();
    let mut reader = decoded(Box::new(file))?;
    // A file that breaks off is told of when it is read.
    let _ = reader.by_ref().take(HEAD).read_to_end(&mut head);
    let found = head.split(|&byte| byte == b'\n').find_map(|line| {
        let stamp = match parse(line) {
            Parsed::Postfix(line) => line.stamp,
            Parsed::Foreign(stamp) => stamp,
            Parsed::Repeated(_) => return None,
        };
        stamp::moment(stamp)
    });
    Ok(Some(match found {
        Some(Moment {
            year: Some(year),
            in_year,
        }) => (i64::from(year), in_year),
        Some(Moment { in_year, .. }) => {
            let (year, month, day) = date(modified);
            // A day more: the stamps are of another time zone.
            let is_last_year = in_year > stamp::day_number(month, day + 2);
            (year - i64::from(is_last_year), in_year)
        }
        None => {
            let (year, month, day) = date(modified);
            (year, stamp::day_number(month, day))
        }
    }))
}

/// Year, month (from 0) and day of a moment, in UTC.
fn date(moment: SystemTime) -> (i64, u32, u32) {
    let seconds = moment.duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut days = i64::try_from(seconds.as_secs() / 86_400).unwrap_or(0);
    let mut year = 1970;
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    loop {
        let length = 365 + i64::from(is_leap(year));
        if days < length {
            break;
        }
        days -= length;
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 0;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, u32::try_from(days + 1).unwrap_or(1))
}

/// Reads all inputs one after the other, and hands over each line without its end. What breaks off on the way
/// is given back.
///
/// # Errors
/// An input cannot be opened.
pub(super) fn each_line(
    inputs: &[Input],
    progress: &mut dyn FnMut(Progress<'_>),
    mut one: impl FnMut(&[u8]),
) -> anyhow::Result<Vec<Damage>> {
    let size = |input: &Input| match input {
        Input::Stdin => 0,
        Input::File(path) => std::fs::metadata(path).map_or(0, |metadata| metadata.len()),
    };
    let is_known = !inputs.contains(&Input::Stdin);
    let total = if is_known {
        inputs.iter().map(size).sum()
    } else {
        0
    };
    let mut damages = Vec::new();
    let mut done = 0;
    let mut buffer = vec![0; CHUNK];
    for input in inputs {
        let raw: Box<dyn Read> = match input {
            Input::Stdin => Box::new(io::stdin().lock()),
            Input::File(path) => Box::new(File::open(path).with_context(|| unreadable(path))?),
        };
        let counter = Rc::new(Cell::new(done));
        let counted = Counted {
            inner: raw,
            bytes: Rc::clone(&counter),
        };
        let mut tell = || {
            progress(Progress {
                input,
                done: counter.get(),
                total,
            });
        };
        let read = decoded(Box::new(counted))
            .and_then(|mut reader| lines(&mut reader, &mut buffer, &mut tell, &mut one));
        if let Err(error) = read {
            // A directory opens, and cannot be read.
            if error.kind() == io::ErrorKind::IsADirectory {
                return Err(error).with_context(|| unreadable(Path::new(&input.shown())));
            }
            damages.push(Damage {
                input: input.shown(),
                reason: error.to_string(),
            });
        }
        done = counter.get();
    }
    Ok(damages)
}

/// Cuts what a reader gives into lines. The last one need not have an end.
fn lines(
    reader: &mut dyn Read,
    buffer: &mut [u8],
    tell: &mut dyn FnMut(),
    one: &mut dyn FnMut(&[u8]),
) -> io::Result<()> {
    // So much of the buffer is the start of a line.
    let mut kept = 0;
    // The rest of a line that is too long is left out.
    let mut skips = false;
    loop {
        let read = loop {
            match reader.read(&mut buffer[kept..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if kept > 0 && !skips {
                        one(cut(&buffer[..kept]));
                    }
                    return Err(error);
                }
                Ok(read) => break read,
            }
        };
        if read == 0 {
            if kept > 0 && !skips {
                one(cut(&buffer[..kept]));
            }
            return Ok(());
        }
        let filled = kept + read;
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', &buffer[..filled]) {
            if !std::mem::take(&mut skips) {
                one(cut(&buffer[start..end]));
            }
            start = end + 1;
        }
        kept = filled - start;
        buffer.copy_within(start..filled, 0);
        if kept > LONGEST_LINE {
            if !std::mem::replace(&mut skips, true) {
                one(cut(&buffer[..kept]));
            }
            kept = 0;
        } else if skips {
            kept = 0;
        }
        tell();
    }
}

fn cut(line: &[u8]) -> &[u8] {
    &line[..line.len().min(LONGEST_LINE)]
}

/// Counts what is read from a file, for the progress.
struct Counted {
    inner: Box<dyn Read>,
    bytes: Rc<Cell<u64>>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let bytes = self.bytes.get() + u64::try_from(read).unwrap_or(0);
        self.bytes.set(bytes);
        Ok(read)
    }
}
