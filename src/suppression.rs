//! Findings that a comment in the configuration declares to be all right.

use std::ops::Range;

use crate::finding::Finding;
use crate::rule::Rule;
use crate::source::{FileId, Sources, Span, Text};
use crate::syntax::suppression::{CommentKind, suppression_comments};

/// A comment `# postlint: ignore[…]`.
#[derive(Clone, Debug)]
pub struct Suppression {
    /// The comment.
    pub span: Span,
    /// The physical line with its newline.
    pub physical: Span,
    /// The words in the brackets: names or codes of rules, letters of groups, or neither.
    pub words: Vec<Text>,
    /// The logical line that it speaks of.
    line: Option<Range<usize>>,
    /// For each word, whether it suppressed a finding.
    used: Vec<bool>,
}

impl Suppression {
    /// Whether it stands above a logical line.
    pub fn has_line(&self) -> bool {
        self.line.is_some()
    }

    /// The words that suppressed nothing and name a rule that ran.
    pub fn unused<'a>(&'a self, ran: &'a [&'static Rule]) -> impl Iterator<Item = &'a Text> {
        self.words
            .iter()
            .zip(&self.used)
            .filter(|(word, used)| !**used && ran.iter().any(|rule| rule.is_named(word.as_str())))
            .map(|(word, _)| word)
    }

    fn covers(&self, file: FileId, offset: usize) -> bool {
        // The end belongs to the line: the place of an empty value is there.
        self.span.file == file
            && self
                .line
                .as_ref()
                .is_some_and(|line| (line.start..=line.end).contains(&offset))
    }
}

/// All suppressions in the files that were read.
#[derive(Clone, Debug, Default)]
pub struct Suppressions {
    list: Vec<Suppression>,
}

impl Suppressions {
    /// Reads the comments of all files.
    pub fn of(sources: &Sources) -> Self {
        let mut list = Vec::new();
        for source in sources.all() {
            for comment in suppression_comments(&source) {
                if let CommentKind::Ignore(words) = comment.kind {
                    list.push(Suppression {
                        span: comment.span,
                        physical: comment.physical,
                        used: vec![false; words.len()],
                        words,
                        line: comment.line,
                    });
                }
            }
        }
        Self { list }
    }

    /// The findings that no comment suppresses: a comment does, when it stands above the logical line in
    /// which the finding starts, and names its rule.
    pub fn apply(&mut self, findings: Vec<Finding>) -> Vec<Finding> {
        if self.list.is_empty() {
            return findings;
        }
        let mut kept = Vec::new();
        for finding in findings {
            let mut suppressed = false;
            for suppression in &mut self.list {
                if !suppression.covers(finding.span.file, finding.span.start) {
                    continue;
                }
                for (word, used) in suppression.words.iter().zip(&mut suppression.used) {
                    if finding.rule.is_named(word.as_str()) {
                        *used = true;
                        suppressed = true;
                    }
                }
            }
            if !suppressed {
                kept.push(finding);
            }
        }
        kept
    }

    /// The suppressions in the order of files and lines.
    pub fn iter(&self) -> impl Iterator<Item = &Suppression> {
        self.list.iter()
    }
}
