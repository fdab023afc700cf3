//! The same entries as a table of any type.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::OnceLock;

use crate::common::random::Random;

/// The files of a configuration so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tables {
    pub(crate) files: BTreeMap<String, String>,
}

/// The types that the installed Postfix can read.
fn types() -> &'static str {
    static TYPES: OnceLock<String> = OnceLock::new();
    TYPES.get_or_init(|| {
        let output = Command::new("postconf").arg("-m").output();
        output.map_or_else(
            |_| String::new(),
            |output| String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    })
}

impl Tables {
    /// A file with this text: its name, absolute.
    pub(crate) fn file(&mut self, stem: &str, text: String) -> String {
        let name = format!("{stem}-{}", self.files.len());
        self.files.insert(name.clone(), text);
        format!("/etc/postfix/{name}")
    }

    /// A table with these entries, as a parameter names it.
    pub(crate) fn table(
        &mut self,
        random: &mut Random,
        stem: &str,
        pairs: &[(String, String)],
    ) -> String {
        let kind = random.word(
            "hash hash hash texthash texthash btree lmdb cdb regexp pcre inline inline unionmap pipemap \
             proxy",
        );
        match kind {
            "inline" if pairs.iter().all(fits_inline) => inline(pairs),
            "unionmap" if pairs.iter().all(fits_inline) => {
                let (one, other) = pairs.split_at(pairs.len() / 2);
                let parts: Vec<String> = [one, other]
                    .into_iter()
                    .filter(|part| !part.is_empty())
                    .map(inline)
                    .collect();
                format!("unionmap:{{{}}}", parts.join(", "))
            }
            "pipemap" if pairs.iter().all(fits_inline) => {
                format!("pipemap:{{{}}}", inline(pairs))
            }
            "regexp" | "pcre" if types().contains(kind) => {
                let lines = pairs.iter().map(|(key, value)| pattern(key, value));
                format!("{kind}:{}", self.file(stem, lines.collect()))
            }
            "btree" | "lmdb" | "cdb" if types().contains(kind) => {
                format!("{kind}:{}", self.file(stem, lines(pairs)))
            }
            "texthash" => format!("texthash:{}", self.file(stem, lines(pairs))),
            "proxy" if !stem.contains("access") => {
                format!("proxy:hash:{}", self.file(stem, lines(pairs)))
            }
            _ => format!("hash:{}", self.file(stem, lines(pairs))),
        }
    }
}

fn lines(pairs: &[(String, String)]) -> String {
    let mut seen: Vec<&str> = Vec::new();
    let mut text = String::new();
    for (key, value) in pairs {
        if !seen.contains(&key.as_str()) {
            seen.push(key);
            text.push_str(&format!("{key}\t{value}\n"));
        }
    }
    text
}

fn fits_inline((key, value): &(String, String)) -> bool {
    !key.is_empty() && !value.contains(['{', '}']) && !value.is_empty()
}

fn inline(pairs: &[(String, String)]) -> String {
    let entries: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{{{key} = {value}}}"))
        .collect();
    format!("inline:{{{}}}", entries.join(", "))
}

/// A pattern that stands for a key: what begins or ends with `@` is open on that side.
fn pattern(key: &str, value: &str) -> String {
    let escaped: String = key
        .chars()
        .flat_map(|c| {
            let needs = matches!(
                c,
                '.' | '+' | '*' | '/' | '[' | ']' | '(' | ')' | '$' | '^' | '|' | '\\'
            );
            needs.then_some('\\').into_iter().chain([c])
        })
        .collect();
    let start = if key.starts_with(['@', '.']) { "" } else { "^" };
    let end = if key.ends_with('@') { "" } else { "$" };
    format!("/{start}{escaped}{end}/ {value}\n")
}
