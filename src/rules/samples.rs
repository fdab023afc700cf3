//! Texts that a regular expression matches, to be tried as addresses.
//!
//! The expression is read roughly: whoever tries a sample asks the table whether it matches.

use std::iter::Peekable;
use std::str::Chars;

/// So many samples are made of an expression.
const MOST: usize = 16;
/// So deep groups are looked into.
const DEEPEST: usize = 20;

/// Texts that an expression is likely to match: one for each alternative, without what may be left out.
pub(super) fn samples(expression: &str) -> Vec<String> {
    let mut rest = expression.chars().peekable();
    alternatives(&mut rest, 0)
}

/// Up to the end of the group.
fn alternatives(rest: &mut Peekable<Chars<'_>>, depth: usize) -> Vec<String> {
    let mut all = sequence(rest, depth);
    while rest.next_if_eq(&'|').is_some() {
        all.extend(sequence(rest, depth));
    }
    all.truncate(MOST);
    all
}

fn sequence(rest: &mut Peekable<Chars<'_>>, depth: usize) -> Vec<String> {
    let mut texts = vec![String::new()];
    while let Some(c) = rest.next_if(|c| *c != '|' && (*c != ')' || depth == 0)) {
        let (mut atoms, is_group) = match c {
            '^' | '$' => continue,
            '(' if depth < DEEPEST => {
                if rest.next_if_eq(&'?').is_some() {
                    // `(?:` and the like.
                    rest.next();
                }
                let atoms = alternatives(rest, depth + 1);
                rest.next_if_eq(&')');
                (atoms, true)
            }
            '[' => (vec![class(rest)], false),
            '.' if rest.peek().is_some_and(|c| "*+?{".contains(*c)) => {
                (vec!["x".to_owned()], false)
            }
            '\\' => (vec![escaped(rest.next())], false),
            c => (vec![c.to_string()], false),
        };
        while let Some(quantifier) = rest.next_if(|c| "*+?{".contains(*c)) {
            if quantifier == '{' {
                while rest.next().is_some_and(|c| c != '}') {}
            } else if is_group && quantifier != '+' {
                atoms = vec![String::new()];
            }
        }
        let joined = texts
            .iter()
            .flat_map(|text| atoms.iter().map(move |atom| format!("{text}{atom}")));
        texts = joined.take(MOST).collect();
    }
    texts
}

/// A member of a character class, behind its `[`.
fn class(rest: &mut Peekable<Chars<'_>>) -> String {
    let is_negated = rest.next_if_eq(&'^').is_some();
    let mut first = rest.next();
    if first == Some('[') {
        // [[:alnum:]]
        while rest.next_if(|c| *c != ']').is_some() {}
        rest.next();
        first = Some('x');
    } else if first == Some('\\') {
        first = escaped(rest.next()).chars().next();
    }
    while rest.next().is_some_and(|c| c != ']') {}
    match first {
        Some(c) if !is_negated => c.to_string(),
        _ => "x".to_owned(),
    }
}

fn escaped(c: Option<char>) -> String {
    match c {
        Some('d') => "1".to_owned(),
        Some('w' | 'S') => "x".to_owned(),
        Some(c) if c.is_ascii_punctuation() => c.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::samples;

    #[test]
    fn each_alternative_is_there_once() {
        assert_eq!(
            samples(r"^(anna|ben)(\+.*)?@example\.com$"),
            ["anna@example.com", "ben@example.com"]
        );
        assert_eq!(samples("^a@x$|^b@y$"), ["a@x", "b@y"]);
        assert_eq!(samples(r"^[a-z]+\d{2}@[^.]+.test"), ["a1@x.test"]);
        assert_eq!(samples(r"^.*@(?:x|y)"), ["x@x", "x@y"]);
        assert_eq!(samples("[[:alnum:]]@x"), ["x@x"]);
    }

    #[test]
    fn broken_expressions_end() {
        for broken in ["(", "[", "\\", "a)b", "{", "((((", "[^", "a{2"] {
            assert!(samples(broken).len() <= 16, "{broken}");
        }
        assert!(samples(&"(a|b)".repeat(40)).len() <= 16);
        samples(&"(".repeat(100_000));
    }
}
