//! Findings as people and programs want to read them: one file a format.

mod change;
mod concise;
mod diff;
mod excerpt;
mod full;
mod github;
mod json;
mod listed;
mod log;
mod place;
mod query;
mod queue;
mod replay;
mod sarif;
mod secret;
mod summary;
mod trace;
mod verify;
mod visible;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::rc::Rc;

use crate::finding::{Edit, Finding};
use crate::instance::Instance;
use crate::lint;
use crate::source::Sources;

pub use diff::{DiffReport, DiffSide, DiffStyle};
pub use listed::ListedWriter;
pub use log::LogWriter;
pub use place::{Place, shown_path};
pub use query::{QueryAnswer, QueryWriter};
pub use queue::QueueWriter;
pub use replay::ReplayWriter;
pub use secret::Secrets;
pub use summary::{RuleCount, Summary};
pub use trace::TraceWriter;
pub use verify::VerifyWriter;
pub use visible::{visible, visible_lines};

/// An instance and what was found in it.
#[derive(Debug)]
pub struct Checked {
    /// The instance.
    pub instance: Instance,
    /// What is wrong with it, sorted.
    pub findings: Vec<Finding>,
    secrets: Secrets,
}

impl Checked {
    /// Looks for the secrets that the report must not show.
    pub fn new(instance: Instance, findings: Vec<Finding>) -> Self {
        let secrets = Secrets::of(&instance);
        Self {
            instance,
            findings,
            secrets,
        }
    }

    /// What a report of this instance must not show.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

/// A finding and the files that it points into.
#[derive(Debug)]
pub struct Entry<'c> {
    /// The finding.
    pub finding: Cow<'c, Finding>,
    sources: &'c Sources,
    secrets: &'c Secrets,
}

impl Entry<'_> {
    /// A text of the finding as it may be shown: on one line, without secrets and without characters that a
    /// terminal would obey.
    fn text(&self, text: &str) -> String {
        visible(&self.secrets.hide(text)).into_owned()
    }

    /// What an edit writes, when a report can say it as it is: it is text, and holds no secret. A program that
    /// applies anything else would destroy what is masked.
    fn exact_text<'e>(&self, edit: &'e Edit) -> Option<&'e str> {
        let text = str::from_utf8(&edit.text).ok()?;
        (self.secrets.hide(text) == text).then_some(text)
    }
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Snippets with the places marked, notes and fixes.
    Full,
    /// One line a finding.
    Concise,
    /// JSON, for programs.
    Json,
    /// SARIF 2.1.0, for code scanning services.
    Sarif,
    /// Annotations of GitHub Actions.
    Github,
}

/// The findings of all instances, sorted by path, place and code. What two instances say of a file that
/// both use is said once.
pub fn entries(checked: &[Checked]) -> Vec<Entry<'_>> {
    let mut all: Vec<(Rc<PathBuf>, Entry<'_>)> = Vec::new();
    for one in checked {
        let mut paths = BTreeMap::new();
        for finding in &one.findings {
            let file = finding.span.file;
            let path = paths.entry(file).or_insert_with(|| {
                let path = shown_path(&one.instance.sources().get(file));
                Rc::new(PathBuf::from(path))
            });
            all.push((
                Rc::clone(path),
                Entry {
                    finding: Cow::Borrowed(finding),
                    sources: one.instance.sources(),
                    secrets: &one.secrets,
                },
            ));
        }
    }
    all.sort_by(|(path, entry), (other_path, other)| {
        let key = |entry: &Entry<'_>| (entry.finding.span.start, entry.finding.rule.code);
        path.cmp(other_path).then(key(entry).cmp(&key(other)))
    });
    let mut entries: Vec<(Rc<PathBuf>, Entry<'_>)> = Vec::with_capacity(all.len());
    for (path, entry) in all {
        let start = entry.finding.span.start;
        let same = entries
            .iter_mut()
            .rev()
            .take_while(|(other, entry)| *other == path && entry.finding.span.start == start);
        let twin = same.map(|(_, other)| other).find(|other| {
            let (one, two) = (&other.finding, &entry.finding);
            one.rule.code == two.rule.code
                && (one.span.start, one.span.end) == (two.span.start, two.span.end)
                && one.message == two.message
        });
        match twin {
            // The files of another instance have other handles: what points into them stays behind.
            Some(twin) => lint::absorb(
                twin.finding.to_mut(),
                Finding {
                    related: Vec::new(),
                    fixes: Vec::new(),
                    ..entry.finding.into_owned()
                },
            ),
            None => entries.push((path, entry)),
        }
    }
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// How a report looks.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// The form.
    pub format: Format,
    /// With colours. `colored`'s own switch has to say the same.
    pub color: bool,
    /// Findings only, without the numbers at the end of a report for people.
    pub quiet: bool,
    /// Numbers by rule in place of the findings, in a report for people.
    pub statistics: bool,
}

/// Writes a report.
///
/// # Errors
/// What writing to `out` gives.
pub fn write(style: Style, entries: &[Entry<'_>], out: &mut dyn Write) -> io::Result<()> {
    let summary = Summary::of(entries);
    match style.format {
        Format::Json => return json::write(entries, &summary, out),
        Format::Sarif => return sarif::write(entries, out),
        Format::Github => return github::write(entries, out),
        Format::Full | Format::Concise if style.statistics => {
            summary::write_statistics(&summary, out)?;
        }
        Format::Full => full::write(entries, style.color, out)?,
        Format::Concise => concise::write(entries, out)?,
    }
    if style.quiet {
        Ok(())
    } else {
        summary::write_line(&summary, out)
    }
}
