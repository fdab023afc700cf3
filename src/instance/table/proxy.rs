//! Which tables proxymap(8) answers for: `proxy_read_maps` (`src/proxymap/proxymap.c`).

use std::collections::BTreeSet;

use crate::source::Text;
use crate::syntax::braces::{self, COMMA_SPACE};

/// The tables, as `type:name` without `proxy:`, that an expanded value of `proxy_read_maps` approves.
///
/// Only what is written there with `proxy:` counts, and the name has to be the same byte for byte. Of a
/// `{…}` the first word counts; `nested` says whether the tables inside a unionmap or pipemap count as well
/// (Postfix 3.4.24, 3.5.14, 3.6.4, 3.7.0). A `/file` in the list (Postfix 3.12) is not followed.
pub fn approved_for_proxy(value: &Text, nested: bool) -> BTreeSet<String> {
    let mut approved = BTreeSet::new();
    let mut pieces = value.words_outside_braces(COMMA_SPACE);
    while let Some(mut piece) = pieces.pop() {
        if piece.as_bytes().first() == Some(&b'{') {
            let first = braces::extract(&piece, false)
                .ok()
                .and_then(|inner| inner.words_outside_braces(COMMA_SPACE).into_iter().next());
            match first {
                Some(first) => piece = first,
                None => continue,
            }
        }
        let inside = ["unionmap:", "pipemap:"]
            .iter()
            .find(|prefix| nested && piece.as_str().starts_with(**prefix))
            .map(|prefix| piece.slice(prefix.len()..piece.len()));
        if let Some(inside) = inside {
            if let Ok(members) = braces::extract(&inside, false) {
                pieces.extend(members.words_outside_braces(COMMA_SPACE));
            }
            continue;
        }
        let mut table = piece.as_str();
        while let Some(rest) = table.strip_prefix("proxy:") {
            table = rest;
        }
        if table.len() < piece.len() && table.contains(':') {
            approved.insert(table.to_owned());
        }
    }
    approved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_with_proxy() {
        let value = "hash:/a, proxy:hash:/b proxy:proxy:ldap:/c $x reject, proxy:/d, \
                     unionmap:{proxy:hash:/e, hash:/f}, { proxy:hash:/g, default }, \
                     proxy:unionmap:{proxy:hash:/h}, {";
        let value = Text::placeless(value);
        let names: Vec<_> = approved_for_proxy(&value, true).into_iter().collect();
        assert_eq!(
            names,
            [
                "hash:/b",
                "hash:/e",
                "hash:/g",
                "ldap:/c",
                "unionmap:{proxy:hash:/h}"
            ]
        );
        assert!(!approved_for_proxy(&value, false).contains("hash:/e"));
    }
}
