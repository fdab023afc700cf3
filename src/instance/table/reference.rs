//! References to tables: the value of a parameter such as `virtual_alias_maps`, cut into `type:name`.
//!
//! `src/global/maps.c` and `src/util/dict_open.c` cut and open them, and each type looks at its name:
//! `dict_inline.c`, `dict_static.c`, `dict_union.c`, `dict_pipe.c`, `dict_random.c`, `dict_stream.c`.

use std::fmt;

use super::types::{Availability, TableType};
use crate::instance::builtin::Version;
use crate::source::Text;
use crate::syntax::braces::{self, COMMA_SPACE};

/// unionmap, pipemap and debug may hold references; deeper than this we do not follow.
const MAX_NESTING: usize = 50;

/// Postfix 3.7: rules of regexp, pcre and cidr tables in the reference itself.
const INLINE_RULES: (u16, u16) = (3, 7);
/// Postfix 3.0: `static:{…}`.
const STATIC_BRACES: (u16, u16) = (3, 0);

/// A reference to a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// All of it, as it is written.
    pub written: Text,
    /// There is a `proxy:` in front, which is not part of type and name.
    pub proxy: bool,
    /// The type; `None` for a word that is no type of any version.
    pub table_type: Option<TableType>,
    /// The type as it is written.
    pub type_name: Text,
    /// The name.
    pub name: Text,
    /// What the type makes of the name.
    pub body: Body,
}

/// What a table type makes of the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// The name is what it is: a path, a prefix, an address.
    Name,
    /// static: the value.
    Value(Text),
    /// inline: the entries in order.
    Entries(Vec<InlineEntry>),
    /// regexp, pcre, cidr with `{…}`: the rules in order.
    Rules(Vec<Text>),
    /// randmap: the values.
    Values(Vec<Text>),
    /// unionmap, pipemap: the tables; debug: the one table.
    Members(Vec<Reference>),
    /// The table cannot be used: what Postfix says when it opens it. A daemon goes on and fails at each
    /// lookup, a command ends.
    Unusable(String),
}

/// `key = value` of an inline table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineEntry {
    /// The entry, braces included.
    pub written: Text,
    /// The key, quotes included.
    pub key: Text,
    /// The value.
    pub value: Text,
}

/// A reference that is none: the program that reads the parameter ends with this message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MalformedReference {
    /// The piece of the list.
    pub written: Text,
    /// Postfix's words after `fatal: `.
    pub message: String,
}

/// Cuts the expanded value of a parameter into references.
pub fn parse_list(
    value: &Text,
    version: Version,
) -> impl Iterator<Item = Result<Reference, MalformedReference>> {
    value
        .words_outside_braces(COMMA_SPACE)
        .into_iter()
        .map(move |piece| parse(&piece, version))
}

/// Reads one reference.
///
/// # Errors
/// The piece is not `type:name`, or a piece inside of it is not, or a `socketmap` has no endpoint.
pub fn parse(piece: &Text, version: Version) -> Result<Reference, MalformedReference> {
    parse_nested(piece, version, 0)
}

fn parse_nested(
    piece: &Text,
    version: Version,
    nesting: usize,
) -> Result<Reference, MalformedReference> {
    let malformed = |message: String| MalformedReference {
        written: piece.clone(),
        message,
    };
    let no_form = || {
        malformed(format!(
            "open dictionary: expecting \"type:name\" form instead of \"{piece}\""
        ))
    };
    let (mut type_name, mut name) = split(piece).ok_or_else(no_form)?;
    if type_name.is_empty() || name.is_empty() {
        return Err(no_form());
    }
    let mut proxy = false;
    while type_name == "proxy" {
        proxy = true;
        let inner = split(&name).filter(|(kind, name)| !kind.is_empty() && !name.is_empty());
        (type_name, name) = inner.ok_or_else(|| {
            malformed(format!(
                "proxymap open failed for table \"{name}\": invalid request"
            ))
        })?;
    }
    let table_type = TableType::of(type_name.as_str());
    let availability = table_type.map_or(Availability::Never, |kind| kind.availability(version));
    let body = match (table_type, availability) {
        (Some(kind), Availability::Always | Availability::Depends) => {
            let reader = BodyReader {
                piece,
                kind,
                name: &name,
                version,
                nesting,
            };
            reader.read()?
        }
        _ => Body::Unusable(format!("unsupported dictionary type: {type_name}")),
    };
    Ok(Reference {
        written: piece.clone(),
        proxy,
        table_type,
        type_name,
        name,
        body,
    })
}

/// Splits at the first colon.
fn split(piece: &Text) -> Option<(Text, Text)> {
    let colon = memchr::memchr(b':', piece.as_bytes())?;
    Some((piece.slice(0..colon), piece.slice(colon + 1..piece.len())))
}

struct BodyReader<'a> {
    piece: &'a Text,
    kind: TableType,
    name: &'a Text,
    version: Version,
    nesting: usize,
}

impl BodyReader<'_> {
    fn since(&self, (major, minor): (u16, u16)) -> bool {
        (self.version.major, self.version.minor) >= (major, minor)
    }

    fn read(&self) -> Result<Body, MalformedReference> {
        let braced = self.name.as_bytes().first() == Some(&b'{');
        Ok(match self.kind {
            TableType::Inline => self.inline().unwrap_or_else(Body::Unusable),
            TableType::Static if braced && self.since(STATIC_BRACES) => {
                match braces::extract(self.name, true) {
                    Ok(value) => Body::Value(value),
                    Err(error) => Body::Unusable(format!("bad static:name syntax: {error}")),
                }
            }
            TableType::Static => Body::Value(self.name.clone()),
            TableType::Regexp | TableType::Pcre | TableType::Cidr
                if braced && self.since(INLINE_RULES) =>
            {
                match self.rules() {
                    Ok(rules) => Body::Rules(rules),
                    Err(error) => Body::Unusable(format!("{} map: {error}", self.kind)),
                }
            }
            TableType::Unionmap | TableType::Pipemap => self.members()?,
            TableType::Randmap => match self.items() {
                Some(values) => Body::Values(values),
                None => self.bad_syntax("value"),
            },
            TableType::Debug => Body::Members(vec![self.nested(self.name)?]),
            TableType::Unix if self.name != "passwd.byname" && self.name != "group.byname" => {
                Body::Unusable(format!("unknown table: unix:{}", self.name))
            }
            TableType::Socketmap => self.socketmap()?,
            _ => Body::Name,
        })
    }

    fn bad_syntax(&self, need: &str) -> Body {
        Body::Unusable(format!(
            "bad syntax: \"{kind}:{name}\"; need \"{kind}:{{{need}...}}\"",
            kind = self.kind,
            name = self.name,
        ))
    }

    /// The items inside the braces; `None` when there are none or the braces are wrong.
    fn items(&self) -> Option<Vec<Text>> {
        let inner = braces::whole(self.name)?;
        let items = inner.words_outside_braces(COMMA_SPACE);
        (!items.is_empty()).then_some(items)
    }

    fn nested(&self, piece: &Text) -> Result<Reference, MalformedReference> {
        if self.nesting >= MAX_NESTING {
            return Err(MalformedReference {
                written: self.piece.clone(),
                message: "tables are nested too deeply".to_owned(),
            });
        }
        parse_nested(piece, self.version, self.nesting + 1)
    }

    fn members(&self) -> Result<Body, MalformedReference> {
        match self.items() {
            Some(items) if items.iter().all(|item| item.as_bytes().contains(&b':')) => {
                let members: Result<_, _> = items.iter().map(|item| self.nested(item)).collect();
                members.map(Body::Members)
            }
            _ => Ok(self.bad_syntax("type:name")),
        }
    }

    fn rules(&self) -> Result<Vec<Text>, String> {
        braces::extract(self.name, false)?
            .words_outside_braces(COMMA_SPACE)
            .iter()
            .map(|rule| braces::extract(rule, true))
            .collect()
    }

    fn inline(&self) -> Result<Body, String> {
        let name = self.name;
        let need =
            |what: &str| format!("{what}: \"inline:{name}\"; need \"inline:{{name=value...}}\"");
        let inner = braces::whole(name).filter(|inner| !inner.is_empty());
        let items = inner
            .ok_or_else(|| need("bad syntax"))?
            .words_outside_braces(COMMA_SPACE);
        if items.is_empty() {
            return Err(need("empty table"));
        }
        let entries: Result<Vec<_>, String> = items
            .into_iter()
            .map(|written| {
                let pair = if written.as_bytes().first() == Some(&b'{') {
                    braces::extract(&written, true).map_err(|error| need(&error))?
                } else {
                    written.clone()
                };
                let (key, value) = braces::split_quoted(pair.as_bytes()).map_err(need)?;
                Ok(InlineEntry {
                    key: pair.slice(key),
                    value: pair.slice(value),
                    written,
                })
            })
            .collect();
        entries.map(Body::Entries)
    }

    fn socketmap(&self) -> Result<Body, MalformedReference> {
        let Some(colon) = memchr::memrchr(b':', self.name.as_bytes()) else {
            return Ok(Body::Unusable(
                "socketmap requires server:socketmap argument".to_owned(),
            ));
        };
        let endpoint = self.name.slice(0..colon);
        if endpoint.as_bytes().contains(&b':') {
            return Ok(Body::Name);
        }
        Err(MalformedReference {
            written: self.piece.clone(),
            message: format!("need service transport:endpoint instead of \"{endpoint}\""),
        })
    }
}

impl Reference {
    /// The references inside, at any depth, this one included and first.
    pub fn with_members(&self) -> Vec<&Self> {
        let mut all = vec![self];
        let mut at = 0;
        while let Some(reference) = all.get(at) {
            if let Body::Members(members) = &reference.body {
                all.extend(members);
            }
            at += 1;
        }
        all
    }

    /// The paths of the files that postmap(1) or postalias(1) builds and programs read; empty when there
    /// is no index. All of them have to be there.
    pub fn index_paths(&self) -> Vec<String> {
        let suffixes = self.table_type.map_or(&[][..], TableType::index_suffixes);
        suffixes
            .iter()
            .map(|suffix| format!("{}{suffix}", self.name))
            .collect()
    }

    /// The path of the text file that holds the entries, when there is one: the source of an index, or a
    /// table that is read as text.
    pub fn text_path(&self) -> Option<&str> {
        let table_type = self.table_type?;
        let is_text = table_type.name_kind() == super::types::NameKind::TextFile;
        let is_file = self.body == Body::Name && (is_text || table_type.is_indexed());
        is_file.then(|| self.name.as_str())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.type_name, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> Vec<Result<Reference, MalformedReference>> {
        parse_list(&Text::placeless(value), Version::NEWEST).collect()
    }

    fn one(value: &str) -> Reference {
        match list(value).remove(0) {
            Ok(reference) => reference,
            Err(error) => panic!("{value}: {}", error.message),
        }
    }

    fn unusable(value: &str) -> String {
        match one(value).body {
            Body::Unusable(message) => message,
            other => panic!("{value}: {other:?}"),
        }
    }

    #[test]
    fn lists_are_cut_outside_braces() {
        let names: Vec<_> = list("hash:/a, inline:{ b=c,d=e }\tproxy:ldap:/f:g")
            .into_iter()
            .map(|reference| reference.map(|reference| reference.to_string()))
            .collect();
        assert_eq!(
            names,
            [
                Ok("hash:/a".to_owned()),
                Ok("inline:{ b=c,d=e }".to_owned()),
                Ok("ldap:/f:g".to_owned())
            ]
        );
    }

    #[test]
    fn no_type_is_fatal() {
        for piece in ["/a", ":/a", "hash:", "inline:", "#", "unionmap:{:x}"] {
            let error = list(piece).remove(0).expect_err(piece);
            assert!(
                error.message.contains("type:name"),
                "{piece}: {}",
                error.message
            );
        }
        let error = list("proxy:/a").remove(0).expect_err("proxy");
        assert_eq!(
            error.message,
            "proxymap open failed for table \"/a\": invalid request"
        );
    }

    #[test]
    fn proxies_are_one() {
        let reference = one("proxy:proxy:hash:/a");
        assert!(reference.proxy);
        assert_eq!(reference.table_type, Some(TableType::Hash));
        assert_eq!(reference.index_paths(), ["/a.db"]);
    }

    #[test]
    fn unusable_tables_in_the_words_of_postfix() {
        for (value, message) in [
            ("HASH:/a", "unsupported dictionary type: HASH"),
            ("unix:shadow", "unknown table: unix:shadow"),
            (
                "static:{a b",
                "bad static:name syntax: missing '}' in \"{a b\"",
            ),
            (
                "inline:{}",
                "bad syntax: \"inline:{}\"; need \"inline:{name=value...}\"",
            ),
            (
                "inline:{ }",
                "empty table: \"inline:{ }\"; need \"inline:{name=value...}\"",
            ),
            (
                "inline:{a = b}",
                "missing '=' after attribute name: \"inline:{a = b}\"; need \"inline:{name=value...}\"",
            ),
            (
                "inline:{{a=b}c}",
                "syntax error after '}' in \"{a=b}c\": \"inline:{{a=b}c}\"; need \"inline:{name=value...}\"",
            ),
            (
                "unionmap:hash:/a",
                "bad syntax: \"unionmap:hash:/a\"; need \"unionmap:{type:name...}\"",
            ),
            (
                "randmap:{}",
                "bad syntax: \"randmap:{}\"; need \"randmap:{value...}\"",
            ),
            (
                "regexp:{/a/ b}",
                "regexp map: no '{' at start of text in \"/a/\"",
            ),
            (
                "socketmap:x",
                "socketmap requires server:socketmap argument",
            ),
        ] {
            assert_eq!(unusable(value), message, "{value}");
        }
    }

    #[test]
    fn bodies() {
        let Body::Entries(entries) = one("inline:{a=b=c, {\"d e\" = f, g}}").body else {
            panic!("no entries");
        };
        let pairs: Vec<_> = entries
            .iter()
            .map(|entry| (entry.key.to_string(), entry.value.to_string()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("a".to_owned(), "b=c".to_owned()),
                ("\"d e\"".to_owned(), "f, g".to_owned())
            ]
        );
        assert_eq!(
            one("cidr:{ {10.0.0.0/8 a}, { ::1 b } }").body,
            Body::Rules(vec![
                Text::placeless("10.0.0.0/8 a"),
                Text::placeless("::1 b")
            ])
        );
        assert_eq!(one("regexp:{}").body, Body::Rules(Vec::new()));
        let nested = one("pipemap:{unionmap:{static:a,static:b},hash:/c}");
        let all: Vec<_> = nested
            .with_members()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            all[1..],
            [
                "unionmap:{static:a,static:b}",
                "hash:/c",
                "static:a",
                "static:b"
            ]
        );
    }

    #[test]
    fn older_versions_know_less() {
        let old = Version::release(2, 10, 0);
        let body = |piece: &str| parse(&Text::placeless(piece), old).map(|found| found.body);
        assert_eq!(body("static:{a}"), Ok(Body::Value(Text::placeless("{a}"))));
        assert_eq!(body("regexp:{x}"), Ok(Body::Name));
        assert_eq!(
            body("inline:{a=b}"),
            Ok(Body::Unusable(
                "unsupported dictionary type: inline".to_owned()
            ))
        );
    }

    #[test]
    fn deep_nesting_ends() {
        let deep = "unionmap:{".repeat(10_000) + "static:a" + &"}".repeat(10_000);
        assert!(list(&deep)[0].is_err());
    }
}
