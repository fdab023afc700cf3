//! Each verb on written examples.

use super::*;
use crate::source::Sources;
use crate::syntax::main_cf::{MainCf, Setting};
use crate::syntax::master_cf::{MasterCf, ServiceLine};

pub(super) fn main_cf(text: &str) -> MainCf {
    MainCf::parse(Sources::default().add("main.cf".into(), text.as_bytes().to_vec(), None))
}

pub(super) fn master_cf(text: &str) -> MasterCf {
    MasterCf::parse(Sources::default().add("master.cf".into(), text.as_bytes().to_vec(), None))
}

pub(super) fn setting<'m>(main_cf: &'m MainCf, name: &str) -> &'m Setting {
    main_cf
        .settings()
        .find(|setting| setting.name == name)
        .expect("the setting is there")
}

pub(super) fn done(source: &Source, edits: impl IntoIterator<Item = Edit>) -> String {
    let edits: Vec<_> = edits.into_iter().collect();
    let bytes = splice(source.bytes(), &edits).expect("edits do not overlap");
    String::from_utf8(bytes).expect("tests are UTF-8")
}

pub(super) fn with_value(text: &str, name: &str, new: &str) -> Option<String> {
    let main_cf = main_cf(text);
    let edits = set_value(&main_cf.source, setting(&main_cf, name), new)?;
    Some(done(&main_cf.source, edits))
}

pub(super) fn without_setting(text: &str, name: &str) -> String {
    let main_cf = main_cf(text);
    done(
        &main_cf.source,
        remove_setting(&main_cf.source, setting(&main_cf, name)),
    )
}

/// The words of `setting`, by the letters that tests use.
fn words(setting: &Setting, which: &[&str]) -> Vec<Text> {
    let all = setting.value.words_outside_braces(b", \t\r\n");
    which
        .iter()
        .map(|name| {
            all.iter()
                .find(|word| *word == *name)
                .expect("the word is there")
                .clone()
        })
        .collect()
}

fn without_words(text: &str, which: &[&str]) -> Option<String> {
    let main_cf = main_cf(text);
    let setting = setting(&main_cf, "a");
    let edits = remove_words(&main_cf.source, &setting.value, &words(setting, which))?;
    Some(done(&main_cf.source, edits))
}

type Insertion = fn(&Source, &Setting, &Text, &str) -> Option<Vec<Edit>>;

fn inserted(text: &str, verb: Insertion, word: &str, new: &str) -> String {
    let main_cf = main_cf(text);
    let setting = setting(&main_cf, "a");
    let word = &words(setting, &[word])[0];
    done(
        &main_cf.source,
        verb(&main_cf.source, setting, word, new).expect("it can be inserted"),
    )
}

pub(super) fn service(master_cf: &MasterCf) -> &ServiceLine {
    master_cf.services().next().expect("one service")
}

pub(super) fn on_override(
    text: &str,
    name: &str,
    verb: impl Fn(&Source, &ServiceLine, &Setting) -> Option<Vec<Edit>>,
) -> Option<String> {
    let master_cf = master_cf(text);
    let service = service(&master_cf);
    let setting = service
        .overrides
        .iter()
        .find(|setting| setting.name == name)
        .expect("the override is there");
    Some(done(
        &master_cf.source,
        verb(&master_cf.source, service, setting)?,
    ))
}

#[test]
fn a_setting_goes_with_all_its_lines() {
    assert_eq!(
        without_setting("x = 1\na = 2,\n# c\n\n  3\n  # d\nb = 4\n", "a"),
        "x = 1\n# c\n\n  # d\nb = 4\n"
    );
    assert_eq!(without_setting("x = 1\na = 2", "a"), "x = 1\n");
    assert_eq!(
        without_setting("a = 2\r\n  3\r\nb = 4\r\n", "a"),
        "b = 4\r\n"
    );
    assert_eq!(without_setting("a\n = 2\nb = 4", "a"), "b = 4");
}

#[test]
fn a_value_keeps_its_place() {
    let cases = [
        ("a = 1\n", "2", "a = 2\n"),
        ("a=1", "2", "a=2"),
        ("a =\t 1 \r\n", "2", "a =\t 2 \r\n"),
        ("a =\n", "2", "a = 2\n"),
        ("a=\n", "2", "a=2\n"),
        ("a =   \r\nb = 1\r\n", "2", "a =   2\r\nb = 1\r\n"),
        ("a =", "2", "a = 2"),
        (
            "a =\n  1,\n# c\n  2\nb = 1\n",
            "3",
            "a =\n  3\n# c\nb = 1\n",
        ),
        ("a = 1,\r\n  2\r\n", "3", "a = 3\r\n"),
        ("a = 1,\n# c\n  2", "", "a =\n# c\n"),
        ("a\n  = 1\n", "2", "a\n  = 2\n"),
        ("a = 1\0 2\n", "3", "a = 3\0 2\n"),
        ("a = 1\n", "# 2", "a = # 2\n"),
    ];
    for (text, new, expected) in cases {
        assert_eq!(
            with_value(text, "a", new).as_deref(),
            Some(expected),
            "{text:?}"
        );
    }
    for (text, new) in [
        ("a =\n  1\n", "# 2"),
        ("a = 1\n", "1"),
        ("a = 1\n", "2\nb = 3"),
        ("a = 1\n", "2\0"),
        ("a = 1\n", " 2"),
    ] {
        assert_eq!(with_value(text, "a", new), None, "{text:?} {new:?}");
    }
}

#[test]
fn an_override_gets_braces_when_it_needs_them() {
    let cases = [
        ("-o a=1", "2", "-o a=2"),
        ("-oa=1 -v", "2", "-oa=2 -v"),
        ("-o a=", "2", "-o a=2"),
        ("-o a= -v", "2", "-o a=2 -v"),
        ("-o a=1 -v", "", "-o a= -v"),
        ("-o a=1 -v", "2 3", "-o { a = 2 3 } -v"),
        ("-oa=1", "2 3", "-o { a = 2 3 }"),
        ("-va=x -voa=1", "2 3", "-va=x -vo { a = 2 3 }"),
        ("-o a=1", "{2 3}", "-o a={2 3}"),
        ("-o {a=1}", "2 3", "-o {a=2 3}"),
        ("{-oa = 1}", "2 3", "{-oa = 2 3}"),
        ("-o { a = }", "2 3", "-o { a = 2 3 }"),
        ("-o {a=}", "2", "-o {a=2}"),
        ("-o { a = 1,\n # c\n 2 } x", "3", "-o { a = 3\n # c\n  } x"),
        ("-o a={1\n 2}", "3", "-o a=3\n"),
    ];
    for (text, new, expected) in cases {
        let head = "smtp inet n - y - - smtpd ";
        // The option `-va=x` is wrong on purpose: other options keep their bytes, right or wrong.
        let fixed = on_override(&format!("{head}{text}"), "a", |source, _, setting| {
            set_value(source, setting, new)
        });
        assert_eq!(fixed, Some(format!("{head}{expected}")), "{text:?}");
    }
    let unbalanced = on_override(
        "s unix - - y - - smtpd -o a=1",
        "a",
        |source, _, setting| set_value(source, setting, "2}"),
    );
    assert_eq!(unbalanced, None);
}

#[test]
fn an_override_goes_with_its_option() {
    let cases = [
        (" -o a=1", ""),
        (" -o a=1 -v", " -v"),
        (" -v -o a=1", " -v"),
        (" -voa=1 -o b=2", " -v -o b=2"),
        (" -vo a=1 -o b=2", " -v -o b=2"),
        (" {-oa=1} x", " x"),
        (" {-vo a=1} x", " -v x"),
        ("\n  -o a=1\n  -o b=2\n", "\n  -o b=2\n"),
        ("\n  -o b=2\n  -o a=1", "\n  -o b=2\n"),
        ("\n  -o b=2 -o a=1\n", "\n  -o b=2\n"),
        ("\r\n  -o\r\n# c\r\n  a=1 -v\r\n", "\r\n# c\r\n  -v\r\n"),
        (" -o { a =\n # c\n 1 }\n -o b=2", "\n # c\n -o b=2"),
    ];
    for (text, expected) in cases {
        let head = "smtp inet n - y - - smtpd";
        let fixed = on_override(&format!("{head}{text}"), "a", remove_override);
        assert_eq!(fixed, Some(format!("{head}{expected}")), "{text:?}");
    }
    // What is left would be a comment.
    let comment = on_override("s unix - - y - - smtpd\n -o a=1 #x", "a", remove_override);
    assert_eq!(comment, None);
}

#[test]
fn an_override_is_added_where_it_wins() {
    let cases = [
        ("", "\n  -o a=1"),
        (" -v", " -o a=1 -v"),
        (" -o b=2 x", " -o b=2 -o a=1 x"),
        ("\n -o b=2\n x", "\n -o b=2\n -o a=1\n x"),
        ("\n\t-v\n# c\nnext", "\n\t-o a=1\n\t-v\n# c\nnext"),
    ];
    for (text, expected) in cases {
        let head = "smtp inet n - y - - smtpd";
        let master_cf = master_cf(&format!("{head}{text}"));
        let edits = insert_override(&master_cf.source, service(&master_cf), "a", "1");
        assert_eq!(
            done(&master_cf.source, edits.expect("it can be added")),
            format!("{head}{expected}"),
            "{text:?}"
        );
    }
    let ended = master_cf("s unix - - y - - smtpd -- x");
    assert_eq!(
        insert_override(&ended.source, service(&ended), "a", "1"),
        None
    );
}

#[test]
fn a_parameter_is_added_on_its_own_line() {
    let cases = [
        ("", "n = v\n"),
        ("a = 1", "a = 1\nn = v\n"),
        ("a = 1\r\n", "a = 1\r\nn = v\r\n"),
        ("a = 1\r\nb = 2", "a = 1\r\nb = 2\r\nn = v\r\n"),
        ("a = 1\n# end", "a = 1\n# end\nn = v\n"),
        ("a = 1\n  ", "a = 1\n  \nn = v\n"),
    ];
    for (text, expected) in cases {
        let main_cf = main_cf(text);
        let edit = insert_parameter(&main_cf.source, "n", "v");
        assert_eq!(done(&main_cf.source, edit), expected, "{text:?}");
    }
    let below = main_cf("a = 1,\n# c\n  2\n# d\nb = 3");
    let edit = insert_parameter_below(&below.source, setting(&below, "a"), "n", "");
    assert_eq!(
        done(&below.source, edit),
        "a = 1,\n# c\n  2\nn =\n# d\nb = 3"
    );
    let last = main_cf("a = 1,\n  2");
    let edit = insert_parameter_below(&last.source, setting(&last, "a"), "n", "v");
    assert_eq!(done(&last.source, edit), "a = 1,\n  2\nn = v\n");
}

#[test]
fn words_leave_a_well_formed_list() {
    let cases: &[(&str, &[&str], &str)] = &[
        ("a = x, y, z\n", &["x"], "a = y, z\n"),
        ("a = x, y, z\n", &["y"], "a = x, z\n"),
        ("a = x, y, z\n", &["z"], "a = x, y\n"),
        ("a = x, y, z,\n", &["z"], "a = x, y,\n"),
        ("a = x y z\n", &["x", "y"], "a = z\n"),
        ("a = x, y\n", &["x", "y"], "a =\n"),
        ("a =\n  x,\n  y,\n  z\nb =", &["x"], "a =\n  y,\n  z\nb ="),
        ("a =\n  x,\n  y,\n  z\nb =", &["y"], "a =\n  x,\n  z\nb ="),
        ("a =\n  x,\n  y,\n  z\nb =", &["z"], "a =\n  x,\n  y\nb ="),
        ("a =\n  x,\n  y,\n  z,\nb =", &["z"], "a =\n  x,\n  y,\nb ="),
        ("a =\n  x,\n  y,\n  z", &["x", "y", "z"], "a =\n"),
        ("a =\n  x\n  , y\n  , z\n", &["x"], "a =\n  y\n  , z\n"),
        ("a =\n  x\n  , y\n  , z\n", &["y"], "a =\n  x\n  , z\n"),
        ("a =\n  x\n  , y\n  , z\n", &["z"], "a =\n  x\n  , y\n"),
        ("a = x,\n# c\n  y, z\n", &["x"], "a =\n# c\n  y, z\n"),
        ("a = x,\n# c\n  y, z\n", &["y"], "a = x,\n# c\n  z\n"),
        ("a = x,\n  y,\n# c\n  z\n", &["y"], "a = x,\n# c\n  z\n"),
        ("a = x, y,\n  z\n", &["y"], "a = x,\n  z\n"),
        ("a = x, y,\r\n  z\r\n", &["x", "y"], "a =\r\n  z\r\n"),
        ("a = x, {y,\n  w}, z", &["{y,  w}"], "a = x,\n  z"),
        ("a =\n  x, y\n  z", &["y", "z"], "a =\n  x\n"),
        ("a = x,\n  y\n  z", &["x", "z"], "a =\n  y\n"),
    ];
    for (text, which, expected) in cases {
        assert_eq!(
            without_words(text, which).as_deref(),
            Some(*expected),
            "{text:?} {which:?}"
        );
    }
    assert_eq!(without_words("a = x,\n  y #z\n", &["y"]), None);
}

#[test]
fn a_run_of_words_is_one_piece() {
    let main_cf = main_cf("a = p, c t,\n  q\n");
    let setting = setting(&main_cf, "a");
    let at = setting.value.as_str().find("c t").expect("it is there");
    let run = setting.value.slice(at..at + 3);
    let edits = remove_word(&main_cf.source, &setting.value, &run).expect("it can be removed");
    assert_eq!(done(&main_cf.source, edits), "a = p,\n  q\n");
    let half = setting.value.slice(at..at + 2);
    assert_eq!(remove_word(&main_cf.source, &setting.value, &half), None);
}

#[test]
fn words_are_put_in_the_style_of_the_list() {
    let before: Insertion = insert_word_before;
    let after: Insertion = insert_word_after;
    let cases = [
        ("a = x, y\n", before, "y", "a = x, n, y\n"),
        ("a = x y\n", before, "x", "a = n x y\n"),
        ("a = x\n", before, "x", "a = n, x\n"),
        ("a =\n  x,\n  y\n", before, "x", "a =\n  n,\n  x,\n  y\n"),
        ("a =\n  x\n  y\n", before, "y", "a =\n  x\n  n\n  y\n"),
        ("a = x,\r\n\ty", before, "y", "a = x,\r\n\tn,\r\n\ty"),
        ("a =\n  x\n  , y\n", before, "y", "a =\n  x\n  , n, y\n"),
        ("a = x, y\n", after, "x", "a = x, n, y\n"),
        ("a = x, y\n", after, "y", "a = x, y, n\n"),
        ("a = x\n", after, "x", "a = x, n\n"),
        ("a =\n  x,\n  y\n", after, "x", "a =\n  x,\n  n,\n  y\n"),
        (
            "a =\n  x,\n  y\nb =",
            after,
            "y",
            "a =\n  x,\n  y,\n  n\nb =",
        ),
        (
            "a =\n  x,\n  y,\nb =",
            after,
            "y",
            "a =\n  x,\n  y,\n  n,\nb =",
        ),
        ("a =\n  x\n  y", after, "y", "a =\n  x\n  y\n  n"),
        ("a = x,\n  y\n", after, "x", "a = x,\n  n,\n  y\n"),
        ("a = x\n  y\n", after, "x", "a = x\n  n\n  y\n"),
    ];
    for (text, verb, word, expected) in cases {
        assert_eq!(inserted(text, verb, word, "n"), expected, "{text:?} {word}");
    }
    let list = main_cf("a = x\nb =\n");
    for new in ["", "#c", "{", "n\nm"] {
        assert_eq!(append_word(&list.source, setting(&list, "a"), new), None);
    }
    let edits = append_word(&list.source, setting(&list, "b"), "n m");
    assert_eq!(
        done(&list.source, edits.expect("it can be added")),
        "a = x\nb = n m\n"
    );
    let option = on_override(
        "s unix - - y - - smtpd -o a=x,y",
        "a",
        |source, _, setting| insert_word_after(source, setting, &words(setting, &["x"])[0], "n m"),
    );
    assert_eq!(
        option.as_deref(),
        Some("s unix - - y - - smtpd -o a=x,n,m,y")
    );
}

#[test]
fn a_comment_moves_above_its_line() {
    let moved = |text: &str| {
        let main_cf = main_cf(text);
        let line = setting(&main_cf, "a").span;
        let at = text.find('#').expect("a comment");
        let edits = move_comment_above(
            &main_cf.source,
            line,
            main_cf.source.span_of(at..text.len()),
        );
        edits.map(|edits| done(&main_cf.source, edits))
    };
    let cases = [
        ("b = 1\na = 2 # c d \nx = 3", "b = 1\n# c d\na = 2\nx = 3"),
        ("a = #c", "#c\na ="),
        ("a = 1, # c\r\n  2\r\n", "# c\r\na = 1,\r\n  2\r\n"),
        ("a = 1,\n  2#c", "#c\na = 1,\n  2"),
    ];
    for (text, expected) in cases {
        assert_eq!(moved(text).as_deref(), Some(expected), "{text:?}");
    }
    // This one is a comment line already.
    assert_eq!(moved("a = 1,\n # c\n  2"), None);
}

#[test]
fn lines_are_put_and_taken_whole() {
    let main_cf = main_cf("a = 1\n  b = 2\n  3\nc = 4");
    let swallowed = main_cf.source.span_of(8..13);
    assert_eq!(
        done(&main_cf.source, unindent(&main_cf.source, swallowed)),
        "a = 1\nb = 2\n  3\nc = 4"
    );
    let first = setting(&main_cf, "a").span;
    assert_eq!(unindent(&main_cf.source, first), None);
    assert_eq!(
        done(
            &main_cf.source,
            [insert_line_above(&main_cf.source, first, "x\ny")]
        ),
        "x\ny\na = 1\n  b = 2\n  3\nc = 4"
    );
    let last = setting(&main_cf, "c");
    assert_eq!(
        done(
            &main_cf.source,
            [insert_line_below(&main_cf.source, last.span, "x")]
        ),
        "a = 1\n  b = 2\n  3\nc = 4\nx\n"
    );
    let renamed = replace_word(&main_cf.source, &last.name, "d").expect("it can be renamed");
    assert_eq!(done(&main_cf.source, renamed), "a = 1\n  b = 2\n  3\nd = 4");
}
