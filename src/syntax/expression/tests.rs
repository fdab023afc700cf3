//! What expressions expand to, and what is said of malformed ones.

use super::*;

fn expand_with(value: &str, names: &[(&str, &str)]) -> Result<String, String> {
    let lookup = |name: &str| {
        names
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| Text::placeless(value))
    };
    expand(&Text::placeless(value), Dialect::NEWEST, &lookup)
        .map(|text| text.to_string())
        .map_err(|error| error.message)
}

const NAMES: &[(&str, &str)] = &[
    ("foo", "FOO"),
    ("bar", "BAR"),
    ("empty", ""),
    ("via", "$empty"),
    ("dollar", "$$foo"),
    ("loop", "$loop"),
];

#[test]
fn names_and_conditions() {
    for (value, expected) in [
        ("a$foo-$(bar)${ foo }", "aFOO-BARFOO"),
        ("${foo?yes:no}", "yes:no"),
        ("${foo?{yes}:{no}}${none?{yes}:{no}}", "yesno"),
        ("${via?A}${via:B}", "A"),
        ("${none:dflt}$none", "dflt"),
        ("$dollar $$foo", "$foo $foo"),
        ("${{a} == {b}? {x} : {y}}${{05} == {5}}", "ytrue"),
        ("${{3.10} < {3.6}}${{3.10} <level {3.6}}", "true"),
        ("${{2} <level {3.6} ? {lt} : {ge}}", "lt"),
        ("${foo?{a}:{$}}", "a"),
    ] {
        assert_eq!(
            expand_with(value, NAMES),
            Ok(expected.to_owned()),
            "{value}"
        );
    }
}

#[test]
fn errors_in_the_words_of_postfix() {
    for (value, expected) in [
        ("a$", "empty macro name: \"a$\""),
        ("$(foo}", "truncated macro reference: \"$(foo}\""),
        (
            "${foo bar}",
            "attribute name syntax error at: \"...foo>>> bar\"",
        ),
        ("$loop", "unreasonable macro call nesting: \"loop\""),
        (
            "${{x} <level {3}}",
            "malformed compatibility level syntax: \"x\"",
        ),
        (
            "${{a} == {a} x}",
            "\"?\" or \":\" expected at: \"...}>>>x\"",
        ),
    ] {
        assert_eq!(
            expand_with(value, NAMES),
            Err(expected.to_owned()),
            "{value}"
        );
    }
}

#[test]
fn a_value_that_never_ends_is_an_error() {
    let names: &[_] = &[
        ("x", "${{$x} == {a}}"),
        ("a", "$b$b"),
        ("b", "$c$c"),
        ("c", "$d$d"),
    ];
    assert!(expand_with("$x", names).is_err());
    let doubled: Vec<(String, String)> = (0..90)
        .map(|n| (format!("v{n}"), format!("$v{0}$v{0}", n + 1)))
        .collect();
    let lookup = |name: &str| {
        doubled
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| Text::placeless(value))
    };
    assert!(expand(&Text::placeless("$v0"), Dialect::NEWEST, &lookup).is_err());
}

#[test]
fn references_cover_both_branches() {
    let value = Text::placeless("$a ${b?{$c}:{$d}} ${{$e} == {$f}?$g}");
    let (names, errors) = references(&value, Dialect::NEWEST);
    let names: Vec<_> = names
        .iter()
        .map(|reference| reference.name.to_string())
        .collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f", "g"]);
    assert!(errors.is_empty());
}

/// All that is said of a value, by which the program gives up or not.
fn said(value: &str, dialect: Dialect) -> (bool, Vec<String>) {
    let lookup = |name: &str| {
        let known = NAMES.iter().find(|(known, _)| *known == name);
        known.map(|(_, value)| Meaning::Value(Text::placeless(value)))
    };
    let (text, errors) = super::expand_with(&Text::placeless(value), dialect, &lookup);
    let messages = errors.into_iter().map(|error| error.message);
    (text.is_some(), messages.collect())
}

#[test]
fn mistakes_are_told_as_they_are_met() {
    // Both operands of a comparison are looked at, also when there is a mistake in the first; nothing
    // bracketed is, behind a mistake.
    assert_eq!(
        said("${{$} == {$-}} ${", Dialect::NEWEST).1,
        [
            "empty macro name: \"$\"",
            "empty macro name: \"$-\"",
            "truncated macro reference: \"${{$} == {$-}} ${\""
        ]
    );
    assert_eq!(
        said("${a b} ${}", Dialect::NEWEST).1,
        ["attribute name syntax error at: \"...a>>> b\""]
    );
    assert_eq!(
        said("${foo?{$foo}x} $", Dialect::NEWEST).1,
        [
            "\":\" expected at: \"...$foo}>>>x\"",
            "empty macro name: \"${foo?{$foo}x} $\""
        ]
    );
    assert_eq!(
        said("${{a}<level more than twenty bytes {b}}", Dialect::NEWEST).1,
        ["\"{expression}\" expected at: \"...{a} <>>> more than twenty by\""]
    );
}

#[test]
fn older_dialects() {
    let v3_0 = Dialect {
        blanks_around_names: false,
        level_operators: false,
        functions: false,
        ..Dialect::NEWEST
    };
    let v2_10 = Dialect {
        comparisons: false,
        ..v3_0
    };
    assert_eq!(
        said("${ foo }", v3_0),
        (
            false,
            vec!["attribute name syntax error at: \"...>>> foo \"".to_owned()]
        )
    );
    assert_eq!(
        said("${{a} == {b}}", v2_10),
        (
            false,
            vec!["macro name syntax error: \"{a} == {b}\"".to_owned()]
        )
    );
    // A mistake in an operand is forgotten.
    assert_eq!(
        said("${foo?a$}", v2_10),
        (true, vec!["empty macro name: \"a$\"".to_owned()])
    );
    assert!(!said("${foo?a$}", v3_0).0);
}

#[test]
fn a_number_that_is_too_large_ends_the_program() {
    let (goes_on, said) = said("${{99999999999999999999} < {1}} $(", Dialect::NEWEST);
    assert!(!goes_on);
    assert_eq!(said, ["mac_exp_eval: bad conversion: 99999999999999999999"]);
}

#[test]
fn verbatim_values_are_expanded_in_operands_only() {
    let lookup = |_: &str| Some(Meaning::Verbatim(Text::placeless("a$$")));
    let expanded = |value: &str| {
        let (text, _) = super::expand_with(&Text::placeless(value), Dialect::NEWEST, &lookup);
        text.map(|text| text.to_string())
    };
    assert_eq!(expanded("$x").as_deref(), Some("a$$"));
    assert_eq!(expanded("${{$x} == {a$$}?same}").as_deref(), Some("same"));
}
