//! Lists of domains, such as `mydestination`: patterns, `/file`, `type:table`, `!` (`src/util/match_list.c`,
//! `src/util/match_ops.c`).

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::builtin::Version;
use super::files::Opened;
use super::parameter::{LIST_SEPARATORS, Scope};
use super::table::{self, Flags, KeyKind, Lookup, MalformedReference, Table};
use crate::source::{Source, Span, Text};
use crate::syntax::logical_line::LogicalLines;
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
    index: Index,
}

/// The elements of a list by what they need: so that long lists are searched without looking at each
/// pattern.
#[derive(Clone, Debug, Default)]
struct Index {
    /// The first element with a pattern.
    patterns: HashMap<String, usize>,
    /// The elements that are no patterns, in order.
    others: Vec<usize>,
    /// Letters beyond ASCII are folded, too.
    folds_utf8: bool,
}

/// What is known of an element that is no pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Says {
    /// It has the key.
    Yes,
    /// It does not have it.
    No,
    /// That cannot be known.
    Unknown,
    /// The lookup fails.
    Fails,
}

/// What an element that is no pattern says of a key, as far as it can be looked at.
pub(super) fn ask_plainly(element: &Element, key: &str) -> Says {
    match &element.kind {
        ElementKind::Table(table) => match table.lookup(key.as_bytes(), Flags::LIST) {
            Lookup::Found(_) | Lookup::OneOf(_) => Says::Yes,
            Lookup::NotFound => Says::No,
            Lookup::Unknown(_) => Says::Unknown,
            Lookup::Error(_) => Says::Fails,
        },
        ElementKind::UnknownFile => Says::Unknown,
        _ => Says::Fails,
    }
}

/// How the domains above a domain are looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parents {
    /// Not at all: lists of strings.
    None,
    /// As `parent`, where `parent_domain_matches_subdomains` names the list.
    Plain,
    /// As `.parent`.
    Dotted,
}

/// What an element that is no pattern says of a domain, with the keys of the domains above where it is asked
/// for these (`match_hostname`).
pub(super) fn ask_keys(
    element: &Element,
    domain: &str,
    parents: Parents,
    ask: &mut dyn FnMut(&Element, &str) -> Says,
) -> Says {
    let is_fixed =
        matches!(&element.kind, ElementKind::Table(table) if table.key_kind() == KeyKind::Fixed);
    let mut key = domain;
    loop {
        match ask(element, key) {
            Says::No if is_fixed && parents != Parents::None => {}
            says => return says,
        }
        let after_first = key.char_indices().nth(1).map_or(key.len(), |(at, _)| at);
        let Some(dot) = key[after_first..].find('.') else {
            return Says::No;
        };
        let skipped = after_first + dot + usize::from(parents == Parents::Plain);
        key = &key[skipped..];
        if key.is_empty() {
            return Says::No;
        }
    }
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
    /// A `!` with nothing behind it: the program that reads the list ends.
    NoPattern,
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

/// The line of the service, `None` for main.cf alone; and the parameter.
type ListKey = (Option<Span>, &'static str);

impl Scope<'_> {
    /// As [`domain_list`]; each list is read once.
    pub fn domain_list(self, name: &'static str) -> Arc<DomainList> {
        let service = self.service.map(|service| service.line.head_span());
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
        index: Index::default(),
    };
    let value = scope.any_parameter(name).value().unwrap_or_default();
    (list.elements, list.comment) = elements_of(&value, scope);
    list.index = Index::of(&list.elements, folds_utf8(scope));
    list
}

/// Whether a program folds letters beyond ASCII: `src/util/casefold.c` does, from 3.0 on, when
/// `smtputf8_enable` is on.
pub fn folds_utf8(scope: Scope<'_>) -> bool {
    scope.instance.version() >= Version::release(3, 0, 0)
        && scope.any_parameter("smtputf8_enable").flag() == Some(true)
}

impl Index {
    fn of(elements: &[Element], folds_utf8: bool) -> Self {
        let mut index = Self {
            folds_utf8,
            ..Self::default()
        };
        for (at, element) in elements.iter().enumerate() {
            match &element.kind {
                ElementKind::Pattern(pattern) => {
                    index.patterns.entry(pattern.clone()).or_insert(at);
                }
                _ => index.others.push(at),
            }
        }
        index
    }
}

/// The elements of an expanded list, and the comment that ends it.
pub(super) fn elements_of(value: &Text, scope: Scope<'_>) -> (Vec<Element>, Option<Text>) {
    let mut elements = Vec::new();
    let reader = Reader {
        scope,
        folds_utf8: folds_utf8(scope),
    };
    let comment = reader.add(value, &mut elements, 0);
    (elements, comment)
}

/// Reads a list for a program.
struct Reader<'i> {
    scope: Scope<'i>,
    folds_utf8: bool,
}

impl Reader<'_> {
    /// Adds the elements of one text. The result is the comment that ends it.
    fn add(&self, value: &Text, elements: &mut Vec<Element>, depth: usize) -> Option<Text> {
        let instance = self.scope.instance;
        let words = if instance.version() < Version::release(3, 0, 0) {
            value.words(LIST_SEPARATORS)
        } else {
            value.words_outside_braces(LIST_SEPARATORS)
        };
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
            let kind = if text.is_empty() {
                ElementKind::NoPattern
            } else if text.as_str().starts_with('/') && depth < 10 {
                match instance.files().open(text.as_str(), instance.sources()) {
                    Opened::Found(source) => {
                        let start = elements.len();
                        self.add_file(&source, elements, depth);
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
                let pattern = Cow::Borrowed(text.as_str().as_bytes());
                let pattern = table::fold::fold(pattern, self.folds_utf8);
                ElementKind::Pattern(String::from_utf8_lossy(&pattern).into_owned())
            };
            elements.push(Element {
                text,
                negated,
                kind,
            });
        }
        None
    }

    /// Adds the elements of a file: from 3.8 on of its logical lines.
    fn add_file(&self, source: &Arc<Source>, elements: &mut Vec<Element>, depth: usize) {
        if self.scope.instance.version() >= Version::release(3, 8, 0) {
            let lines = LogicalLines::of(source).filter(|line| !line.discarded);
            for line in lines {
                self.add(&line.text(source), elements, depth + 1);
            }
            return;
        }
        for range in physical_lines(source) {
            if source.bytes().get(range.start) != Some(&b'#') {
                self.add(&Text::of(source, range), elements, depth + 1);
            }
        }
    }
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
        self.decide(domain, &mut ask_plainly)
    }

    /// As [`DomainList::find`], with `ask` for what elements that are no patterns say of a key
    /// (`match_list_match`).
    pub fn decide(
        &self,
        domain: &str,
        ask: &mut dyn FnMut(&Element, &str) -> Says,
    ) -> Membership<'_> {
        let domain = table::fold::fold(Cow::Borrowed(domain.as_bytes()), self.index.folds_utf8);
        let domain = String::from_utf8_lossy(&domain);
        let pattern = self.pattern_of(&domain);
        for &at in &self.index.others {
            if pattern.is_some_and(|pattern| pattern < at) {
                break;
            }
            let element = &self.elements[at];
            match ask_keys(element, &domain, self.parents(), ask) {
                Says::Yes if element.negated => return Membership::NotListed,
                Says::Yes => return Membership::Listed(element),
                Says::No => {}
                Says::Unknown => return Membership::Unknown(element),
                Says::Fails => return Membership::Fails(element),
            }
        }
        match pattern.map(|at| &self.elements[at]) {
            Some(element) if !element.negated => Membership::Listed(element),
            _ => Membership::NotListed,
        }
    }

    /// Which domains above one are asked for.
    fn parents(&self) -> Parents {
        match (self.is_exact, self.matches_subdomains) {
            (true, _) => Parents::None,
            (false, true) => Parents::Plain,
            (false, false) => Parents::Dotted,
        }
    }

    /// The first pattern that matches.
    fn pattern_of(&self, domain: &str) -> Option<usize> {
        let patterns = &self.index.patterns;
        let mut found = patterns.get(domain).copied();
        if self.is_exact {
            return found;
        }
        // A pattern without its own dot matches what stands behind a dot; `.pattern` is met as a whole.
        for (at, _) in domain.match_indices('.') {
            let tail = &domain[if self.matches_subdomains { at + 1 } else { at }..];
            if (at > 0 || self.matches_subdomains)
                && let Some(&other) = patterns.get(tail)
            {
                found = Some(found.map_or(other, |found| found.min(other)));
            }
        }
        found
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
