//! Each verb on generated files: what was meant changes, nothing else does.

use proptest::prelude::*;

use super::tests::{
    done, main_cf, master_cf, on_override, service, setting, with_value, without_setting,
};
use super::*;
use crate::source::Sources;
use crate::syntax::main_cf::{MainCf, MainLine, Setting};
use crate::syntax::master_cf::{MasterCf, ServiceLine};
use crate::syntax::{TileKind, tiles};

/// What a physical line of a generated file is followed by.
fn line_end() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("\n"), Just("\r\n")]
}

/// White space, comments and blank lines between two words of a value.
fn gap() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => Just(String::new()),
        1 => Just("# c, {\n".to_owned()),
        1 => Just("  # d\n".to_owned()),
        1 => Just(" \n".to_owned())
    ];
    prop_oneof![
        3 => "(, | ,? |,\t)",
        2 => (" ?,? ?", line, " {1,3}(, )?").prop_map(|(tail, lines, head)| {
            format!("{tail}\n{lines}{head}")
        })
    ]
}

fn list() -> impl Strategy<Value = String> {
    let word = prop_oneof![6 => "[a-z]{1,3}", 1 => Just("{q, r}".to_owned()), 1 => "\\$[a-z]"];
    (
        prop::collection::vec((word, gap()), 0..6),
        prop_oneof![3 => Just(""), 1 => Just(" "), 1 => Just("\n  ")],
        prop::bool::weighted(0.2),
    )
        .prop_map(|(words, head, trailing_comma)| {
            let mut text = head.to_owned();
            for (index, (word, gap)) in words.iter().enumerate() {
                text += word;
                if index + 1 < words.len() {
                    text += gap;
                }
            }
            if trailing_comma && !words.is_empty() {
                text.push(',');
            }
            text
        })
}

/// A main.cf of settings `n0`, `n1` … with comments and blank lines in between.
fn file() -> impl Strategy<Value = String> {
    let setting = (prop_oneof![Just(" = "), Just("="), Just(" =")], list());
    let between =
        prop_oneof![3 => Just(""), 1 => Just("# é\n"), 1 => Just("\n"), 1 => Just(" # x\n")];
    (
        prop::collection::vec((between, setting), 1..5),
        line_end(),
        any::<bool>(),
    )
        .prop_map(|(settings, end, has_end)| {
            let mut text = String::new();
            for (index, (between, (equals, value))) in settings.iter().enumerate() {
                text += &format!("{between}n{index}{equals}{value}\n");
            }
            if !has_end {
                text.pop();
            }
            text.replace('\n', end)
        })
}

/// Names and words of all settings.
fn settings_of(text: &str) -> Vec<(String, Vec<String>)> {
    main_cf(text)
        .lines
        .iter()
        .map(|line| match line {
            MainLine::Setting(setting) => {
                let words = setting.value.words_outside_braces(b", \t\r\n");
                let words = words.iter().map(ToString::to_string).collect();
                (setting.name.to_string(), words)
            }
            other => panic!("no setting: {other:?}"),
        })
        .collect()
}

/// All physical lines but those of the logical lines in `except`, by their bytes.
fn other_lines(text: &str, except: &[&str]) -> Vec<String> {
    let main_cf = main_cf(text);
    let spans: Vec<_> = main_cf
        .settings()
        .filter(|setting| except.iter().any(|name| setting.name == *name))
        .map(|setting| setting.span)
        .collect();
    tiles(&main_cf.source)
        .into_iter()
        .filter(|tile| {
            matches!(tile.kind, TileKind::Blank | TileKind::Comment)
                || !spans
                    .iter()
                    .any(|span| span.start < tile.range.end && tile.range.start < span.end)
        })
        .map(|tile| text[tile.range].trim_end_matches(['\r', '\n']).to_owned())
        .collect()
}

/// `after` has the settings of `before` as `change` changes those of `name`, and all other lines.
fn assert_changed(
    before: &str,
    after: &str,
    names: &[&str],
    change: impl FnOnce(&mut Vec<(String, Vec<String>)>),
) {
    let mut expected = settings_of(before);
    change(&mut expected);
    assert_eq!(settings_of(after), expected, "{before:?} → {after:?}");
    assert_eq!(
        other_lines(after, names),
        other_lines(before, names),
        "{before:?} → {after:?}"
    );
    assert_eq!(
        before.contains("\r\n") && after.contains('\n'),
        after.contains("\r\n"),
        "{before:?} → {after:?}"
    );
    let bare = after.replace("\r\n", "").contains('\n');
    assert!(!before.contains("\r\n") || !bare, "{before:?} → {after:?}");
}

/// A file and one of its settings.
fn file_and_setting() -> impl Strategy<Value = (String, usize)> {
    file().prop_flat_map(|text| {
        let count = settings_of(&text).len();
        (Just(text), 0..count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn removing_a_setting_removes_it_only((text, index) in file_and_setting()) {
        let name = format!("n{index}");
        let after = without_setting(&text, &name);
        assert_changed(&text, &after, &[&name], |all| { all.remove(index); });
    }

    #[test]
    fn setting_a_value_changes_it_only(
        (text, index) in file_and_setting(),
        new in "([a-z]{1,2}( [a-z]{1,2})?)?",
    ) {
        let name = format!("n{index}");
        let Some(after) = with_value(&text, &name, &new) else {
            let same = main_cf(&text);
            prop_assert!(setting(&same, &name).value == *new.as_str());
            return Ok(());
        };
        let words: Vec<_> = new.split_whitespace().map(str::to_owned).collect();
        assert_changed(&text, &after, &[&name], |all| all[index].1 = words);
    }

    #[test]
    fn removing_words_removes_them_only(
        (text, index) in file_and_setting(),
        which in prop::collection::vec(any::<bool>(), 6),
    ) {
        let name = format!("n{index}");
        let before = main_cf(&text);
        let setting = setting(&before, &name);
        let chosen = |at: usize| which.get(at).copied().unwrap_or_default();
        let words: Vec<_> = setting
            .value
            .words_outside_braces(b", \t\r\n")
            .into_iter()
            .enumerate()
            .filter_map(|(at, word)| chosen(at).then_some(word))
            .collect();
        let Some(edits) = remove_words(&before.source, &setting.value, &words) else {
            prop_assert!(words.is_empty(), "{text:?} {words:?}");
            return Ok(());
        };
        let after = done(&before.source, edits);
        assert_changed(&text, &after, &[&name], |all| {
            let mut at = 0;
            all[index].1.retain(|_| {
                at += 1;
                !chosen(at - 1)
            });
        });
    }

    #[test]
    fn inserting_a_word_inserts_it_only(
        (text, index) in file_and_setting(),
        at in 0..6_usize,
        below in any::<bool>(),
    ) {
        let name = format!("n{index}");
        let before = main_cf(&text);
        let setting = setting(&before, &name);
        let words = setting.value.words_outside_braces(b", \t\r\n");
        let (edits, at) = match words.get(at) {
            None => (append_word(&before.source, setting, "NEW"), words.len()),
            Some(word) if below => {
                (insert_word_after(&before.source, setting, word, "NEW"), at + 1)
            }
            Some(word) => (insert_word_before(&before.source, setting, word, "NEW"), at),
        };
        let Some(edits) = edits else {
            panic!("nothing inserted in {text:?}");
        };
        let after = done(&before.source, edits);
        assert_changed(&text, &after, &[&name], |all| all[index].1.insert(at, "NEW".into()));
    }

    #[test]
    fn adding_a_parameter_adds_it_only((text, index) in file_and_setting(), below in any::<bool>()) {
        let before = main_cf(&text);
        let name = format!("n{index}");
        let edit = if below {
            insert_parameter_below(&before.source, setting(&before, &name), "new", "v")
        } else {
            insert_parameter(&before.source, "new", "v")
        };
        let after = done(&before.source, edit);
        let place = if below { index + 1 } else { settings_of(&text).len() };
        assert_changed(&text, &after, &["new"], |all| {
            all.insert(place, ("new".to_owned(), vec!["v".to_owned()]));
        });
    }

    #[test]
    fn overrides_change_one_by_one(
        options in prop::collection::vec(("-(v)?o( |\n  )?|\\{-o ?", "[a-z]{0,2}(,[a-z])?", gap()), 1..5),
        index in 0..5_usize,
        new in "[a-z]{1,2}( [a-z])?",
    ) {
        let index = index % options.len();
        let mut text = "smtp inet n - y - - smtpd".to_owned();
        for (at, (option, value, gap)) in options.iter().enumerate() {
            let close = if option.starts_with('{') { "}" } else { "" };
            text += &format!("{} {option}n{at}={value}{close}", gap.replace(',', ""));
        }
        let pairs = |text: &str| -> Vec<(String, String)> {
            let master_cf = master_cf(text);
            let overrides = &service(&master_cf).overrides;
            let pair = |setting: &Setting| (setting.name.to_string(), setting.value.to_string());
            overrides.iter().map(pair).collect()
        };
        let before = pairs(&text);
        prop_assert_eq!(before.len(), options.len());
        let name = format!("n{index}");
        let removed = on_override(&text, &name, remove_override).expect("it can be removed");
        let mut expected = before.clone();
        expected.remove(index);
        prop_assert_eq!(pairs(&removed), expected, "{:?} → {:?}", text, removed);
        let flags = |text: &str| text.matches("-v").count();
        prop_assert_eq!(flags(&removed), flags(&text));
        let set = |source: &Source, _: &ServiceLine, setting: &Setting| set_value(source, setting, &new);
        if let Some(set) = on_override(&text, &name, set) {
            let mut expected = before;
            expected[index].1 = new;
            prop_assert_eq!(pairs(&set), expected, "{:?} → {:?}", text, set);
        }
    }

    #[test]
    fn verbs_take_any_bytes(bytes in prop::collection::vec(
        prop::sample::select(b"ab=#, \t\r\n\x0b\0{}\xe9$-o".to_vec()), 0..40)) {
        let source = Sources::default().add("x".into(), bytes, None);
        let before = MainCf::parse(std::sync::Arc::clone(&source));
        for (index, setting) in before.settings().enumerate() {
            let check = |edits: Option<Vec<Edit>>, words: Option<Vec<Text>>| {
                let Some(edits) = edits else { return };
                let after = splice(source.bytes(), &edits).expect("edits do not overlap");
                let after = Sources::default().add("x".into(), after, None);
                let after = MainCf::parse(after);
                let mut expected: Vec<_> = before.settings().map(|s| (s.name.clone(), list_of(s))).collect();
                match words {
                    Some(words) => expected[index].1 = words,
                    None => { expected.remove(index); }
                }
                let found: Vec<_> = after.settings().map(|s| (s.name.clone(), list_of(s))).collect();
                assert_eq!(found, expected, "{:?} → {:?}", source.text(), after.source.text());
                assert_eq!(
                    after.lines.len() + usize::from(before.settings().count() > after.settings().count()),
                    before.lines.len()
                );
            };
            check(Some(remove_setting(&source, setting)), None);
            let new = |text: &str| Text::placeless(text);
            check(set_value(&source, setting, "v w"), Some(vec![new("v"), new("w")]));
            let all = list_of(setting);
            let with = |at: usize| {
                let mut words = all.clone();
                words.insert(at, new("v"));
                Some(words)
            };
            // An unclosed brace takes in what follows.
            if has_balanced_braces(setting.value.as_str()) {
                check(append_word(&source, setting, "v"), with(all.len()));
            }
            for (at, word) in all.iter().enumerate() {
                let mut words = all.clone();
                words.remove(at);
                check(remove_word(&source, &setting.value, word), Some(words));
                check(insert_word_before(&source, setting, word, "v"), with(at));
                if has_balanced_braces(word.as_str()) {
                    check(insert_word_after(&source, setting, word, "v"), with(at + 1));
                }
                let comment = word.span().expect("a place");
                if let Some(edits) = move_comment_above(&source, setting.span, comment) {
                    prop_assert!(splice(source.bytes(), &edits).is_some());
                }
            }
        }
        for service in MasterCf::parse(std::sync::Arc::clone(&source)).services() {
            for setting in &service.overrides {
                let removed = remove_override(&source, service, setting);
                let set = set_value(&source, setting, "v w");
                let inserted = insert_override(&source, service, "v", "w");
                for edits in [removed, set, inserted].into_iter().flatten() {
                    prop_assert!(splice(source.bytes(), &edits).is_some());
                }
            }
        }
    }
}

fn list_of(setting: &Setting) -> Vec<Text> {
    setting.value.words_outside_braces(b", \t\r\n")
}
