//! What changes between two configurations: one view of it, which each format shows in its own way.

mod groups;
mod json;
mod markdown;
mod text;
mod view;

use std::io::{self, Write};

use super::Checked;
use super::place::shown_path;
use crate::instance::difference::{ParameterChange, ServiceChange};
use crate::lint::FindingDifference;
use crate::mail::behaviour::Differences;
use crate::source::Span;
use view::DiffV1;

/// One of the two configurations.
pub struct DiffSide<'s> {
    /// As it stands on the command line.
    pub name: String,
    /// The configuration, and what is wrong with it.
    pub checked: &'s Checked,
    /// Names files in a text as the user knows them.
    pub shown: Box<dyn Fn(&str) -> String + 's>,
}

/// How a report for people looks.
#[derive(Clone, Copy, Debug)]
pub struct DiffStyle {
    /// So many addresses are shown of those that change in the same way.
    pub shown: usize,
}

/// All that changes.
pub struct DiffReport<'d> {
    /// Effective parameters.
    pub parameters: &'d [ParameterChange],
    /// Services of master.cf.
    pub services: &'d [ServiceChange],
    /// Replies and deliveries.
    pub mail: &'d Differences,
    /// Findings.
    pub findings: &'d FindingDifference,
    /// The configuration as it is.
    pub old: DiffSide<'d>,
    /// The configuration as it is to be.
    pub new: DiffSide<'d>,
}

impl DiffReport<'_> {
    /// For people.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
        text::write(&DiffV1::of(self), style, out)
    }

    /// For a comment in a review.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn markdown(&self, style: DiffStyle, out: &mut dyn Write) -> io::Result<()> {
        markdown::write(&DiffV1::of(self), style, out)
    }

    /// For programs.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        json::write(&DiffV1::of(self), out)
    }

    /// A text of one of the two without the secrets of both.
    fn hidden(&self, side: &DiffSide<'_>, text: &str) -> String {
        let text = self.old.checked.secrets().hide(text);
        (side.shown)(&self.new.checked.secrets().hide(&text))
    }
}

impl DiffSide<'_> {
    /// Where a span of this configuration is.
    fn place(&self, span: Option<Span>) -> Option<(String, usize)> {
        let span = span?;
        let source = self.checked.instance.sources().get(span.file);
        let line = source.line_column(span.start).line;
        Some(((self.shown)(&shown_path(&source)), line))
    }
}
