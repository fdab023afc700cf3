//! The entries of a lookup table as they are written, whatever kind of table it is.

use super::samples::samples;
use crate::instance::table::{Body, Table};
use crate::source::Text;
use crate::syntax::cidr_table::CidrLine;
use crate::syntax::pattern_table::PatternLineKind;

/// An entry: what is looked up, and what that gives.
pub(super) struct Row {
    /// The key; of a pattern the expression without delimiters, of a network the network.
    pub(super) key: Text,
    /// The result.
    pub(super) value: Text,
    is_pattern: bool,
}

impl Row {
    /// What to ask for to get to this entry: its key, or for a pattern texts that it is likely to match.
    pub(super) fn questions(&self) -> Vec<String> {
        let key = self.key.as_str();
        if self.is_pattern {
            samples(key)
        } else {
            vec![key.to_owned()]
        }
    }
}

/// The entries of a table with keys in a file whose lines start at these offsets.
pub(super) fn rows_at<'t>(
    table: &'t Table,
    offsets: &'t [usize],
) -> impl Iterator<Item = Row> + 't {
    let keys = table.keys().into_iter();
    keys.flat_map(|keys| {
        let entries = offsets
            .iter()
            .filter_map(|&offset| keys.entry_starting_at(offset));
        entries.map(|entry| Row {
            key: entry.key_text(keys.source()),
            value: entry.value_text(keys.source()),
            is_pattern: false,
        })
    })
}

/// The entries of a table in the order in which they are written. None for a table that cannot be read, and for
/// one without entries, such as a query.
pub(super) fn rows(table: &Table) -> Box<dyn Iterator<Item = Row> + '_> {
    let plain = |key, value| Row {
        key,
        value,
        is_pattern: false,
    };
    if let Some(keys) = table.keys() {
        let source = keys.source();
        Box::new(
            keys.entries()
                .map(move |entry| plain(entry.key_text(source), entry.value_text(source))),
        )
    } else if let Some(inline) = table.inline() {
        Box::new(
            inline
                .entries()
                .iter()
                .map(move |entry| plain(entry.key.clone(), entry.value.clone())),
        )
    } else if let Some(patterns) = table.patterns() {
        Box::new(patterns.lines().filter_map(|(text, kind)| match kind {
            PatternLineKind::Match {
                pattern, result, ..
            } => Some(Row {
                key: text.slice(pattern.expression),
                value: text.slice(result),
                is_pattern: true,
            }),
            _ => None,
        }))
    } else if let Some(networks) = table.networks() {
        Box::new(networks.lines().filter_map(move |(text, line)| match line {
            CidrLine::Match { pattern, result } => {
                Some(plain(text.slice(pattern.range), text.slice(result)))
            }
            _ => None,
        }))
    } else {
        let value = match &table.reference().body {
            Body::Value(value) => Some(plain(Text::placeless("*"), value.clone())),
            _ => None,
        };
        let members = table.members().iter().flat_map(|member| rows(member));
        Box::new(value.into_iter().chain(members))
    }
}
