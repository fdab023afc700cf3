//! The settings of main.cf and of database client files as Postfix's `src/util/dict.c` loads them: the last
//! one of a name counts, and a second one with another value is warned about.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::notice::{Notice, NoticeKind};
use crate::instance::builtin::Version;
use crate::source::{Source, Span, Text, is_space};
use crate::syntax::logical_line::{TileKind, tiles};
use crate::syntax::main_cf::{MainCf, MainLine};
use crate::syntax::name_value::{self, NameValue, NameValueError};

/// A name and its value, wherever it was set.
#[derive(Clone, Debug)]
pub(super) struct Assigned {
    pub(super) name: Text,
    pub(super) value: Text,
    /// The logical line, or the `-o` and its value.
    pub(super) span: Option<Span>,
}

/// Values by name, in the order of the names' bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    by_name: BTreeMap<Vec<u8>, Arc<Assigned>>,
}

impl Settings {
    pub(super) fn get(&self, name: &[u8]) -> Option<&Assigned> {
        self.by_name.get(name).map(Arc::as_ref)
    }

    pub(super) fn contains(&self, name: &[u8]) -> bool {
        self.by_name.contains_key(name)
    }

    /// Sets a value, silently; gives the earlier one.
    pub(super) fn set(&mut self, assigned: Assigned) -> Option<Arc<Assigned>> {
        let name = assigned.name.as_bytes().to_vec();
        self.by_name.insert(name, Arc::new(assigned))
    }

    pub(super) fn remove(&mut self, name: &[u8]) {
        self.by_name.remove(name);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Assigned>> {
        self.by_name.values()
    }

    /// Reads the lines of a file, which is called `path` in what is said of them.
    ///
    /// A malformed line gives a fatal notice; the lines behind it are read all the same.
    pub(super) fn load(
        &mut self,
        file: &MainCf,
        path: &str,
        version: Version,
        notices: &mut Vec<Notice>,
    ) {
        notices.extend(nul_notices(&file.source, path, version));
        let mut is_first = true;
        for line in &file.lines {
            let (pair, span) = match line {
                MainLine::Discarded { text, span } => {
                    notices.push(discarded(path, text, *span));
                    continue;
                }
                MainLine::Setting(setting) => {
                    let pair = NameValue {
                        name: setting.name.clone(),
                        value: setting.value.clone(),
                    };
                    (Ok(pair), setting.span)
                }
                MainLine::Malformed { text, span, .. } => {
                    let text = text.clone().until_nul();
                    (split(&text, version).map_err(|error| (error, text)), *span)
                }
            };
            match pair {
                Ok(pair) => {
                    let number = || line_number(&file.source, span, version);
                    notices.extend(self.set_later(pair, span, path, number, version));
                }
                Err((error, text)) => {
                    let lines = lines_read(&file.source, span, version, is_first);
                    let message = format!("{path}, line {lines}: {}: \"{text}\"", error.message());
                    notices.push(Notice::new(NoticeKind::MalformedLine, message).at(span));
                }
            }
            is_first = false;
        }
    }

    /// Sets a value; what is said when it takes the place of another one.
    fn set_later(
        &mut self,
        pair: NameValue,
        span: Span,
        path: &str,
        number: impl Fn() -> usize,
        version: Version,
    ) -> Option<Notice> {
        let NameValue { name, value } = pair;
        let earlier = self.set(Assigned {
            name: name.clone(),
            value: value.clone(),
            span: Some(span),
        })?;
        if earlier.value == value || version < Version::release(2, 11, 0) {
            return None;
        }
        let message = format!(
            "{path}, line {}: overriding earlier entry: {name}={}",
            number(),
            earlier.value
        );
        let notice = Notice::new(NoticeKind::Duplicate, message)
            .of(&name)
            .at(span);
        Some(notice.related(earlier.span))
    }
}

/// `name = value` as a version splits it. To older ones, a missing name is as good as any.
///
/// # Errors
/// What is missing.
pub(super) fn split(text: &Text, version: Version) -> Result<NameValue, NameValueError> {
    const FIRST_THAT_MINDS: [Version; 5] = [
        Version::release(3, 4, 29),
        Version::release(3, 5, 19),
        Version::release(3, 6, 9),
        Version::release(3, 7, 5),
        Version::release(3, 8, 0),
    ];
    let pair = name_value::split(text);
    let same_branch = FIRST_THAT_MINDS
        .iter()
        .find(|first| (first.major, first.minor) == (version.major, version.minor));
    let minds = version >= *same_branch.unwrap_or(&Version::release(3, 8, 0));
    let text = text.clone().until_nul().trim();
    if pair.is_err() && !minds && text.as_bytes().first() == Some(&b'=') {
        return Ok(NameValue {
            name: text.slice(0..0),
            value: text.slice(1..text.len()).trim(),
        });
    }
    pair
}

/// What is said of a logical line that starts with white space.
pub(super) fn discarded(path: &str, text: &Text, span: Span) -> Notice {
    let ellipsis = if text.len() > 30 { "..." } else { "" };
    let start = text.slice(0..30).until_nul();
    let message =
        format!("{path}: logical line must not start with whitespace: \"{start}{ellipsis}\"");
    Notice::new(NoticeKind::DiscardedLine, message).at(span)
}

/// The number by which a logical line is called: that of its first line; before Postfix 3.0, of the last
/// line that was read for it, be it a comment.
pub(super) fn line_number(source: &Source, span: Span, version: Version) -> usize {
    if version >= Version::release(3, 0, 0) {
        return source.line_column(span.start).line;
    }
    let bytes = source.bytes();
    let rest = bytes.get(span.end..).unwrap_or_default();
    let next = rest
        .windows(2)
        .position(|pair| pair[0] == b'\n' && pair[1] != b'#' && !is_space(pair[1]));
    let end = next.map_or(bytes.len(), |next| span.end + next + 1);
    memchr::memchr_iter(b'\n', &bytes[..end]).count()
}

/// The lines by which a malformed line is called: as [`line_number`]; before Postfix 3.0, all that were read
/// for it, for the first one with the comments in front of it.
fn lines_read(source: &Source, span: Span, version: Version, is_first: bool) -> String {
    let last = line_number(source, span, version);
    let first = if version >= Version::release(3, 0, 0) {
        last
    } else if is_first {
        1
    } else {
        source.line_column(span.start).line
    };
    if first == last {
        format!("{last}")
    } else {
        format!("{first}-{last}")
    }
}

/// What Postfix 3.9 and later say of NUL bytes, for each logical line with the comments around it.
pub(super) fn nul_notices(source: &Source, path: &str, version: Version) -> Vec<Notice> {
    let bytes = source.bytes();
    if version < Version::release(3, 9, 0) || memchr::memchr(0, bytes).is_none() {
        return Vec::new();
    }
    let mut groups: Vec<Group> = Vec::new();
    for (index, tile) in tiles(source).into_iter().enumerate() {
        let is_text = !matches!(tile.kind, TileKind::Blank | TileKind::Comment);
        let starts = bytes
            .get(tile.range.start)
            .is_some_and(|&byte| byte != b'#' && !is_space(byte));
        if groups.is_empty() || (starts && groups.iter().any(|group| group.text.is_some())) {
            groups.push(Group::default());
        }
        if let Some(group) = groups.last_mut() {
            if is_text {
                group.text.get_or_insert(index);
            }
            group.last = index;
            group.has_nul |= memchr::memchr(0, &bytes[tile.range]).is_some();
        }
    }
    groups
        .into_iter()
        .filter(|group| group.has_nul)
        .map(|group| {
            let (first, last) = (group.text.unwrap_or(group.last) + 1, group.last + 1);
            let lines = if first == last {
                format!("{last}")
            } else {
                format!("{first}-{last}")
            };
            let message = format!("{path}, line {lines}: text after null byte may be ignored");
            let start = source.line_start(first).unwrap_or(0);
            Notice::new(NoticeKind::Nul, message).at(source.span_of(start..start))
        })
        .collect()
}

/// The physical lines, counted from 0, that are read for one logical line: in front of the first one also
/// the comments that it begins with.
#[derive(Default)]
struct Group {
    text: Option<usize>,
    last: usize,
    has_nul: bool,
}
