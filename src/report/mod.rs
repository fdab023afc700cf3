//! Findings as people and programs want to read them: one file a format.

mod concise;
mod json;
mod place;

use std::io::{self, Write};
use std::path::PathBuf;

use crate::finding::Finding;
use crate::instance::Instance;
use crate::lint;
use crate::source::Sources;

pub use place::Place;

/// An instance and what was found in it.
#[derive(Debug)]
pub struct Checked {
    /// The instance.
    pub instance: Instance,
    /// What is wrong with it, sorted.
    pub findings: Vec<Finding>,
}

/// A finding and the files that it points into.
#[derive(Debug)]
pub struct Entry<'c> {
    /// The finding.
    pub finding: Finding,
    sources: &'c Sources,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One line a finding.
    Concise,
    /// JSON, for programs.
    Json,
}

/// The findings of all instances, sorted by path, place and code. What two instances say of a file that
/// both use is said once.
pub fn entries(checked: &[Checked]) -> Vec<Entry<'_>> {
    let mut all: Vec<(PathBuf, Entry<'_>)> = Vec::new();
    for one in checked {
        for finding in &one.findings {
            all.push((
                one.instance.sources().path(finding.span.file),
                Entry {
                    finding: finding.clone(),
                    sources: one.instance.sources(),
                },
            ));
        }
    }
    all.sort_by(|(path, entry), (other_path, other)| {
        let key = |entry: &Entry<'_>| (entry.finding.span.start, entry.finding.rule.code);
        path.cmp(other_path).then(key(entry).cmp(&key(other)))
    });
    let mut entries: Vec<(PathBuf, Entry<'_>)> = Vec::with_capacity(all.len());
    for (path, entry) in all {
        let same = entries
            .iter_mut()
            .rev()
            .take_while(|(other, _)| *other == path);
        let twin = same.map(|(_, other)| other).find(|other| {
            let (one, two) = (&other.finding, &entry.finding);
            one.rule.code == two.rule.code
                && (one.span.start, one.span.end) == (two.span.start, two.span.end)
                && one.message == two.message
        });
        match twin {
            // The files of another instance have other handles: what points into them stays behind.
            Some(twin) => lint::absorb(
                &mut twin.finding,
                Finding {
                    related: Vec::new(),
                    fixes: Vec::new(),
                    ..entry.finding
                },
            ),
            None => entries.push((path, entry)),
        }
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// Writes a report.
///
/// # Errors
/// What writing to `out` gives.
pub fn write(format: Format, entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Concise => concise::write(entries, out),
        Format::Json => json::write(entries, out),
    }
}
