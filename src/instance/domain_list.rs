//! Lists of domains, such as `mydestination`: patterns, `/file`, `type:table`, `!` (`src/util/match_list.c`,
//! `src/util/match_ops.c`).

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::files::Opened;
use super::parameter::{LIST_SEPARATORS, Scope};
use super::table::{self, Flags, KeyKind, Lookup, MalformedReference, Table};
use crate::source::{Source, Text};
use crate::syntax::pattern_table::PatternLineKind;

/// A list in force for a program.
#[derive(Clone, Debug)]
pub struct DomainList {
    /// The parameter.
    pub name: &'static str,
    /// The elements in order, those of files in the place of the file.
    pub elements: Vec<Element>,
    /// A pattern also matches the domains below it (`parent_domain_matches_subdomains`).
    pub matches_subdomains: bool,
    /// Only the very domain matches: the list is one of plain strings, which knows no `.domain`.
    pub is_exact: bool,
    /// `# …` at the end of the list: the rest of the list, which is not read.
    pub comment: Option<Text>,
}

/// One element of a list.
#[derive(Clone, Debug)]
pub struct Element {
    /// The element, where it is written, without its `!`.
    pub text: Text,
    /// A match means that the domain is *not* in the list.
    pub negated: bool,
    /// What it is.
    pub kind: ElementKind,
}

/// What an element is.
#[derive(Clone, Debug)]
pub enum ElementKind {
    /// A domain or `.domain`, in lower case.
    Pattern(String),
    /// A table.
    Table(Arc<Table>),
    /// Something with a colon that is no reference: the program that reads the list ends.
    Malformed(MalformedReference),
    /// A file that does not exist: the search ends in an error when it gets here.
    MissingFile(PathBuf),
    /// A file whose contents cannot be known here.
    UnknownFile,
}

/// What a list says of a domain.
#[derive(Clone, Debug)]
pub enum Membership<'l> {
    /// It is in the list, by this element.
    Listed(&'l Element),
    /// It is not in the list.
    NotListed,
    /// This element decides, and cannot be looked at.
    Unknown(&'l Element),
    /// The search fails at this element: mail is put off.
    Fails(&'l Element),
}

/// Why an element gives no answer.
enum Stuck {
    Unknown,
    Fails,
}

impl Membership<'_> {
    /// Whether the domain is in the list; `None` when that cannot be known or the search fails.
    pub fn is_listed(&self) -> Option<bool> {
        match self {
            Self::Listed(_) => Some(true),
            Self::NotListed => Some(false),
            Self::Unknown(_) | Self::Fails(_) => None,
        }
    }
}

/// The lists that were read so far.
#[derive(Debug, Default)]
pub(super) struct DomainLists(Mutex<HashMap<ListKey, Arc<DomainList>>>);

/// Where the line of the service begins, `None` for main.cf alone; and the parameter.
type ListKey = (Option<usize>, &'static str);

impl Scope<'_> {
    /// As [`domain_list`]; each list is read once.
    pub fn domain_list(self, name: &'static str) -> Arc<DomainList> {
        let service = self.service.map(|service| service.line.head_span().start);
        let lock = || {
            let lists = &self.instance.domain_lists.0;
            lists.lock().unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(list) = lock().get(&(service, name)) {
            return Arc::clone(list);
        }
        let list = Arc::new(domain_list(self, name));
        lock().insert((service, name), Arc::clone(&list));
        list
    }
}

/// The list of a parameter as a program with this view reads it.
pub fn domain_list(scope: Scope<'_>, name: &'static str) -> DomainList {
    let parents = scope
        .instance
        .scope()
        .any_parameter("parent_domain_matches_subdomains");
    // src/trivial-rewrite/resolve.c and src/global/resolve_local.c open these as lists of strings.
    let is_exact = matches!(
        name,
        "mydestination" | "virtual_alias_domains" | "virtual_mailbox_domains"
    );
    let mut list = DomainList {
        name,
        elements: Vec::new(),
        matches_subdomains: !is_exact && parents.words().iter().any(|word| *word == name),
        is_exact,
        comment: None,
    };
    let value = scope.any_parameter(name).value().unwrap_or_default();
    (list.elements, list.comment) = elements_of(&value, scope);
    list
}

/// The elements of an expanded list, and the comment that ends it.
pub(super) fn elements_of(value: &Text, scope: Scope<'_>) -> (Vec<Element>, Option<Text>) {
    let mut elements = Vec::new();
    let comment = add(value, scope, &mut elements, 0);
    (elements, comment)
}

/// Adds the elements of one text. The result is the comment that ends it.
fn add(value: &Text, scope: Scope<'_>, elements: &mut Vec<Element>, depth: usize) -> Option<Text> {
    let words = value.words_outside_braces(LIST_SEPARATORS);
    for (index, word) in words.iter().enumerate() {
        if word.as_str().starts_with('#') {
            let mut comment = word.clone();
            for rest in &words[index + 1..] {
                comment.push(&Text::placeless(" "));
                comment.push(rest);
            }
            return Some(comment);
        }
        let marks = word
            .as_str()
            .bytes()
            .take_while(|&byte| byte == b'!')
            .count();
        let text = word.slice(marks..word.len());
        let negated = marks % 2 == 1;
        let instance = scope.instance;
        let kind = if text.as_str().starts_with('/') && depth < 10 {
            match instance.files().open(text.as_str(), instance.sources()) {
                Opened::Found(source) => {
                    let start = elements.len();
                    for range in physical_lines(&source) {
                        add(&Text::of(&source, range), scope, elements, depth + 1);
                    }
                    if negated {
                        elements[start..]
                            .iter_mut()
                            .for_each(|element| element.negated ^= true);
                    }
                    continue;
                }
                Opened::Missing(path) => ElementKind::MissingFile(path),
                Opened::Unreadable(..) | Opened::Elsewhere => ElementKind::UnknownFile,
            }
        } else if text.as_str().contains(':') && !text.as_str().starts_with('[') {
            match table::reference::parse(&text, instance.version()) {
                Ok(reference) => ElementKind::Table(instance.open_table(&reference)),
                Err(malformed) => ElementKind::Malformed(malformed),
            }
        } else {
            ElementKind::Pattern(text.as_str().to_lowercase())
        };
        elements.push(Element {
            text,
            negated,
            kind,
        });
    }
    None
}

/// The domain that a regular expression is written for.
fn domain_of_pattern(text: &Text, kind: &PatternLineKind) -> Option<String> {
    let PatternLineKind::Match { pattern, .. } = kind else {
        return None;
    };
    let body = text.slice(pattern.expression.clone());
    let body = body.as_str().trim_start_matches('^').trim_end_matches('$');
    let domain = body.replace("\\.", ".").to_lowercase();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    (!pattern.negated && domain.contains('.') && domain.bytes().all(is_name)).then_some(domain)
}

fn physical_lines(source: &Source) -> Vec<std::ops::Range<usize>> {
    let bytes = source.bytes();
    let mut start = 0;
    let mut lines = Vec::new();
    for end in memchr::memchr_iter(b'\n', bytes).chain([bytes.len()]) {
        lines.push(start..end);
        start = end + 1;
    }
    lines.retain(|line| !line.is_empty());
    lines
}

impl DomainList {
    /// What the list says of a domain.
    pub fn find(&self, domain: &str) -> Membership<'_> {
        let domain = domain.to_lowercase();
        for element in &self.elements {
            match self.element_matches(element, &domain) {
                Ok(true) if element.negated => return Membership::NotListed,
                Ok(true) => return Membership::Listed(element),
                Ok(false) => {}
                Err(Stuck::Unknown) => return Membership::Unknown(element),
                Err(Stuck::Fails) => return Membership::Fails(element),
            }
        }
        Membership::NotListed
    }

    fn element_matches(&self, element: &Element, domain: &str) -> Result<bool, Stuck> {
        match &element.kind {
            ElementKind::Pattern(pattern) => Ok(self.pattern_matches(pattern, domain)),
            ElementKind::Table(table) => self.table_matches(table, domain),
            ElementKind::UnknownFile => Err(Stuck::Unknown),
            ElementKind::Malformed(_) | ElementKind::MissingFile(_) => Err(Stuck::Fails),
        }
    }

    fn pattern_matches(&self, pattern: &str, domain: &str) -> bool {
        if pattern == domain {
            return true;
        }
        let front = domain.strip_suffix(pattern).filter(|_| !self.is_exact);
        let Some(front) = front else { return false };
        if self.matches_subdomains {
            front.ends_with('.') && front.len() > 1
        } else {
            pattern.starts_with('.') && !front.is_empty()
        }
    }

    fn table_matches(&self, table: &Table, domain: &str) -> Result<bool, Stuck> {
        let mut key = domain;
        loop {
            match table.lookup(key.as_bytes(), Flags::LIST) {
                Lookup::Found(_) | Lookup::OneOf(_) => return Ok(true),
                Lookup::NotFound => {}
                Lookup::Unknown(_) => return Err(Stuck::Unknown),
                Lookup::Error(_) => return Err(Stuck::Fails),
            }
            if self.is_exact || table.key_kind() != KeyKind::Fixed {
                return Ok(false);
            }
            let dot = key
                .get(1..)
                .and_then(|rest| rest.find('.'))
                .map(|at| at + 1);
            let Some(dot) = dot else { return Ok(false) };
            key = &key[if self.matches_subdomains {
                dot + 1
            } else {
                dot
            }..];
            if key.is_empty() {
                return Ok(false);
            }
        }
    }

    /// The domains that the list names: its patterns, the keys of its tables that are at hand, and what
    /// regular expressions such as `/^example\.com$/` are written for. Sorted by place in the list; a table of millions of lines is read only as far as `limit` domains.
    pub fn domains(&self, limit: usize) -> Vec<(String, Text)> {
        let mut domains: Vec<(String, Text)> = Vec::new();
        for element in self.elements.iter().filter(|element| !element.negated) {
            match &element.kind {
                ElementKind::Pattern(pattern) => {
                    domains.push((pattern.clone(), element.text.clone()));
                }
                ElementKind::Table(table) => {
                    if let Some(keys) = table.keys() {
                        let source = keys.source();
                        domains.extend(
                            keys.entries()
                                .filter(|entry| !entry.key().contains(&b'@'))
                                .take(limit.saturating_sub(domains.len()))
                                .map(|entry| {
                                    let span = entry.key_span(source);
                                    let text = Text::of(source, span.start..span.end);
                                    (text.as_str().to_lowercase(), text)
                                }),
                        );
                    } else if let Some(inline) = table.inline() {
                        domains.extend(
                            inline
                                .entries()
                                .iter()
                                .filter(|entry| !entry.key.as_str().contains('@'))
                                .map(|entry| {
                                    (entry.key.as_str().to_lowercase(), entry.key.clone())
                                }),
                        );
                    } else if let Some(patterns) = table.patterns() {
                        domains.extend(patterns.lines().filter_map(|(text, kind)| {
                            Some((domain_of_pattern(&text, &kind)?, text))
                        }));
                    }
                }
                _ => {}
            }
        }
        domains.retain(|(domain, _)| !domain.is_empty());
        domains
    }

    /// Whether the list is certain to be empty.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }
}
