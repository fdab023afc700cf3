//! Behaviour of tables as Postfix 3.7 shows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::instance::builtin::Version;
use crate::source::Sources;

#[derive(Default)]
struct Files {
    sources: Sources,
    files: BTreeMap<&'static str, &'static str>,
}

impl Opener for Files {
    fn open(&self, path: &str) -> Opened {
        match self.files.get(path) {
            Some(text) => {
                let bytes = text.as_bytes().to_vec();
                Opened::Found(self.sources.add(path.into(), bytes, None))
            }
            None if path.starts_with("/elsewhere") => Opened::Elsewhere,
            None => Opened::Missing,
        }
    }

    fn open_member(&self, reference: &Reference, format: SourceFormat) -> Arc<Table> {
        Arc::new(Table::open(reference.clone(), format, self))
    }

    fn exists(&self, path: &str) -> Option<bool> {
        Some(self.files.contains_key(path))
    }

    fn has_to_be_here(&self, name: &Text) -> bool {
        !name.as_str().starts_with("/perhaps")
    }

    fn has_indexes(&self) -> bool {
        self.files.keys().any(|path| path.ends_with(".db"))
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        let passwd = "ann:x:1000:1000:Ann:/home/ann:/bin/sh\n";
        Arc::new(AccountFiles::new(passwd, "staff:x:50:ann,bob\n", true))
    }

    fn settings(&self) -> TableSettings {
        TableSettings {
            version: Version::NEWEST,
            utf8: true,
        }
    }
}

fn files(files: &[(&'static str, &'static str)]) -> Files {
    Files {
        files: files.iter().copied().collect(),
        ..Files::default()
    }
}

fn maps(value: &str, flags: Flags, files: &Files) -> Maps {
    let mut maps = Maps {
        title: "test_maps".to_owned(),
        flags,
        ..Maps::default()
    };
    for piece in reference::parse_list(&Text::placeless(value), Version::NEWEST) {
        match piece {
            Ok(reference) => {
                let format = if reference.name.as_str().ends_with("aliases") {
                    SourceFormat::Postalias
                } else {
                    SourceFormat::Postmap
                };
                maps.tables
                    .push(Arc::new(Table::open(reference, format, files)));
            }
            Err(error) => maps.malformed.push(error),
        }
    }
    maps
}

fn show(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Found(hit) => hit.value.to_string(),
        Lookup::OneOf(hits) => hits
            .iter()
            .map(|hit| hit.value.to_string())
            .collect::<Vec<_>>()
            .join("|"),
        Lookup::NotFound => "-".to_owned(),
        Lookup::Error(error) => format!("{:?}", error.class),
        Lookup::Unknown(unknown) => format!("?{}", show(&unknown.otherwise)),
    }
}

fn ask(value: &str, key: &str, flags: Flags, files: &Files) -> String {
    show(&maps(value, flags, files).find(key.as_bytes(), Only::All))
}

#[test]
fn indexed_tables_fold_and_the_first_wins() {
    let files = files(&[(
        "/v",
        "Ann@X.test b\nann@x.test c\n\"d e\"@x.test f\nSTRASSE g\n",
    )]);
    let ask = |key, flags| ask("hash:/v", key, flags, &files);
    assert_eq!(ask("ANN@x.test", Flags::ADDRESS), "b");
    assert_eq!(ask("ANN@x.test", Flags::LIST), "-");
    assert_eq!(ask("ann@x.test", Flags::LIST), "b");
    assert_eq!(ask("\"d e\"@x.test", Flags::ADDRESS), "f");
    assert_eq!(ask("straße", Flags::ADDRESS), "g");
    let maps = maps("hash:/v", Flags::ADDRESS, &files);
    let keys = maps.tables[0].keys().expect("a table with keys");
    let doubled = keys.duplicates();
    assert_eq!(doubled.len(), 1);
    assert_eq!(doubled[0].key, b"ann@x.test");
    assert!(!doubled[0].same_value);
    assert_eq!((doubled[0].first.start, doubled[0].second.start), (0, 13));
    assert_eq!(keys.entries().count(), 4);
}

#[test]
fn texthash_depends_on_the_reader() {
    let files = files(&[("/t", "Ann@X.test b\n"), ("/d", "a b\nA c\n")]);
    assert_eq!(
        ask("texthash:/t", "ann@x.test", Flags::ADDRESS, &files),
        "b"
    );
    assert_eq!(
        ask("texthash:/t", "ann@x.test", Flags::MAILBOX, &files),
        "-"
    );
    assert_eq!(
        ask("texthash:/t", "Ann@X.test", Flags::MAILBOX, &files),
        "b"
    );
    assert_eq!(ask("texthash:/d", "z", Flags::ADDRESS, &files), "Retry");
    assert_eq!(ask("texthash:/d", "A", Flags::MAILBOX, &files), "c");
}

#[test]
fn values_keep_their_places() {
    let text = "a b,\n  c\nroot: Ann, \"|/bin/x y\"\n";
    let files = files(&[("/v", text), ("/aliases", text)]);
    let find = |value: &str, key: &str| match maps(value, Flags::ADDRESS, &files)
        .find(key.as_bytes(), Only::All)
    {
        Lookup::Found(hit) => hit,
        other => panic!("{other:?}"),
    };
    let hit = find("hash:/v", "a");
    assert_eq!(hit.value, "b,  c");
    let word = hit.value.words(b", ").pop().and_then(|word| word.span());
    assert_eq!(word.map(|span| &text[span.start..span.end]), Some("c"));
    let hit = find("hash:/aliases", "Root");
    assert_eq!(hit.value, "Ann, \"|/bin/x y\"");
    let targets = crate::syntax::alias_table::targets(hit.value.as_bytes());
    let span = hit.value.span_of(targets[1].range.clone());
    assert_eq!(
        span.map(|span| &text[span.start..span.end]),
        Some("\"|/bin/x y\"")
    );
    assert_eq!(ask("hash:/aliases", "@", Flags::ADDRESS, &files), "@");
}

#[test]
fn patterns() {
    let files = files(&[(
        "/r",
        "if /@x\\.test$/\n/^(a|ab)(c)?@/ $2-${1}$$\n!/^b/ not b\nendif\n/^q@/i q\n",
    )]);
    let ask = |key, flags| ask("regexp:/r", key, flags, &files);
    assert_eq!(ask("ABC@x.test", Flags::ADDRESS), "C-AB$");
    assert_eq!(ask("abc@x.test", Flags::TRANSPORT), "not b");
    assert_eq!(ask("b@x.test", Flags::ADDRESS), "-");
    assert_eq!(ask("q@y.test", Flags::ADDRESS), "q");
    assert_eq!(ask("Q@y.test", Flags::ADDRESS), "-");
    let pcre = "pcre:{{/^(a|ab)(c)?@/ $2-$1}, {!/x/ y}, {/^(?<n>z)/U $1}}";
    let ask = |key| show(&maps(pcre, Flags::ADDRESS, &files).find(key, Only::All));
    assert_eq!(ask(b"abc@x"), "c-ab");
    assert_eq!(ask(b"abc"), "y");
    assert_eq!(ask(b"zx"), "z");
}

#[test]
fn dropped_rules() {
    let files = files(&[(
        "/r",
        "/(/ bad\nif /(/\n/a/ $1\n/b/ b\nendif\n/c/\nif /never/\n/d/ d\n",
    )]);
    let maps = maps("regexp:/r", Flags::ADDRESS, &files);
    let problems: Vec<_> = maps.tables[0]
        .problems()
        .iter()
        .map(|problem| format!("{}: {}", problem.line, problem.message))
        .collect();
    assert_eq!(
        problems,
        [
            "1: Unmatched ( or \\(",
            "2: Unmatched ( or \\(",
            "3: out of range replacement index \"1\": skipping this rule",
            "5: ignoring ENDIF without matching IF",
            "6: no replacement text: using empty string",
            "7: IF has no matching ENDIF",
        ]
    );
    let ask = |key: &str| show(&maps.find(key.as_bytes(), Only::All));
    assert_eq!(ask("b"), "b");
    assert_eq!(ask("c"), "Config");
    assert_eq!(ask("d"), "-");
}

#[test]
fn networks() {
    let files = files(&[(
        "/c",
        "if !10.0.0.0/8\n0.0.0.0/0 outside\n::/0 never\nendif\n10.1.0.0/16 one\n10.0.0.0/8 ten\n\
         10.0.0.1/8 bad\n::1 local\n",
    )]);
    let ask = |key| ask("cidr:/c", key, Flags::ADDRESS, &files);
    assert_eq!(ask("192.0.2.1"), "outside");
    assert_eq!(ask("10.1.2.3"), "one");
    assert_eq!(ask("10.2.2.3"), "ten");
    assert_eq!(ask("0:0::1"), "local");
    assert_eq!(ask("::2"), "-");
    assert_eq!(ask("name.test"), "-");
}

#[test]
fn tables_of_tables() {
    let files = files(&[("/v", "a 1\nb 2\n")]);
    let ask = |value: &str, key| ask(value, key, Flags::ADDRESS, &files);
    assert_eq!(ask("unionmap:{hash:/v,inline:{a=3}}", "a"), "1,3");
    assert_eq!(ask("unionmap:{hash:/v,inline:{a=3}}", "b"), "2");
    assert_eq!(ask("unionmap:{hash:/v,hash:/missing}", "a"), "Retry");
    assert_eq!(
        ask("unionmap:{inline:{{a=}},inline:{a=x},inline:{{a=}}}", "a"),
        "x,"
    );
    assert_eq!(ask("unionmap:{inline:{{a=}}}", "a"), "-");
    assert_eq!(ask("pipemap:{inline:{x=A},hash:/v}", "x"), "1");
    assert_eq!(ask("pipemap:{inline:{x=A},hash:/v}", "y"), "-");
    assert_eq!(ask("randmap:{1,2}", "any"), "1|2");
    assert_eq!(ask("pipemap:{randmap:{a,b,c},hash:/v}", "any"), "1|2");
    assert_eq!(ask("debug:hash:/v", "a"), "1");
}

#[test]
fn small_types() {
    let files = files(&[]);
    let ask = |value: &str, key| ask(value, key, Flags::ADDRESS, &files);
    assert_eq!(ask("static:{ a b }", "x"), "a b");
    assert_eq!(ask("static:a", ""), "-");
    assert_eq!(ask("static:{}", "x"), "Config");
    assert_eq!(ask("inline:{A=1, a=2}", "a"), "2");
    assert_eq!(ask("fail:x", "x"), "Retry");
    assert_eq!(ask("unix:group.byname", "staff"), "staff:x:50:ann,bob");
    assert_eq!(
        ask("unix:passwd.byname", "ANN"),
        "ann:x:1000:1000:Ann:/home/ann:/bin/sh"
    );
    assert_eq!(ask("unix:passwd.byname", "bob"), "-");
    assert_eq!(ask("tcp:localhost:1", "x"), "?-");
    assert_eq!(
        show(&maps("tcp:localhost:1", Flags::ALIAS, &files).find(b"x", Only::All)),
        "Retry"
    );
}

#[test]
fn lists_of_tables() {
    let files = files(&[("/v", "a 1\n")]);
    let ask = |value: &str, key| ask(value, key, Flags::ADDRESS, &files);
    assert_eq!(ask("hash:/missing, hash:/v", "a"), "Retry");
    assert_eq!(ask("hash:/v, hash:/missing", "a"), "1");
    assert_eq!(ask("inline:{{a=}}, hash:/v", "a"), "Config");
    assert_eq!(ask("ldap:/l, hash:/elsewhere/x, hash:/v", "a"), "??1");
    let maps = maps(
        "regexp:{{/./ p}}, hash:/missing, hash:/v",
        Flags::ADDRESS,
        &files,
    );
    assert_eq!(show(&maps.find(b"a", Only::All)), "p");
    assert_eq!(show(&maps.find(b"a", Only::Fixed)), "1");
    assert_eq!(maps.find_with_table(b"a", Only::Fixed).1, Some(2));
}

#[test]
fn long_lists_do_not_exhaust_the_stack() {
    let files = files(&[]);
    let unknown = "ldap:/l,".repeat(20_000);
    assert!(ask(&unknown, "a", Flags::ADDRESS, &files).starts_with('?'));
    let union = format!("unionmap:{{{unknown}}}");
    assert!(ask(&union, "a", Flags::ADDRESS, &files).starts_with('?'));
    let pipe = format!("pipemap:{{{}}}", "randmap:{a,b},".repeat(5_000));
    assert_eq!(ask(&pipe, "a", Flags::ADDRESS, &files), "a|b");
}

#[test]
fn bytes_that_are_not_utf8() {
    let sources = Sources::default();
    let source = sources.add("t".into(), b"k\xff v\nx v\xff\n".to_vec(), None);
    let syntax = TableSettings {
        version: Version::NEWEST,
        utf8: false,
    };
    let entries: Vec<_> =
        Entries::of(&source, SourceFormat::Postmap, syntax.table_syntax()).collect();
    assert_eq!(entries.len(), 2);
    let files = files(&[]);
    let static_table = maps("static:a", Flags::ADDRESS, &files);
    assert_eq!(show(&static_table.find(b"\xff", Only::All)), "-");
    let no_utf8 = maps("static:a", Flags::FOLD, &files);
    assert_eq!(show(&no_utf8.find(b"\xff", Only::All)), "a");
}

#[test]
fn what_building_warns_about() {
    let files = files(&[
        (
            "/t",
            "  lost line that is long enough to be cut x\nkey\nlocal: x\n\"open x\nA 1\na 2\n",
        ),
        ("/a", "root ann\nann@example.com: x\nann: x\nAnn: y\n"),
    ]);
    let warnings = |reference: &str, format, version| {
        let reference = reference::parse(&Text::placeless(reference), Version::NEWEST);
        let table = Table::open(reference.expect("a table"), format, &files);
        let keys = table.keys().expect("keys");
        keys.warnings("t", "t.db", version)
    };
    assert_eq!(
        warnings("hash:/t", SourceFormat::Postmap, Version::NEWEST),
        [
            "t: logical line must not start with whitespace: \"  lost line that is long enoug...\"",
            "t, line 2: expected format: key whitespace value",
            "t, line 3: record is in \"key: value\" format; is this an alias file?",
            "t, line 4: unbalanced '\"' in '\"open x' -- ignoring this line",
            "t.db: duplicate entry: \"a\"",
        ]
    );
    let texthash = warnings("texthash:/t", SourceFormat::Postmap, Version::NEWEST);
    assert_eq!(
        texthash[1],
        "t, line 2: expected format: key whitespace value -- ignoring this line"
    );
    assert_eq!(texthash[4], "t, line 6: duplicate entry: \"a\"");
    let old = Version::release(3, 7, 0);
    assert_eq!(
        warnings("hash:/a", SourceFormat::Postalias, old),
        [
            "t, line 1: need name:value pair",
            "t, line 2: name must be local",
            "t.db: duplicate entry: \"ann\"",
        ]
    );
    assert_eq!(
        warnings("hash:/a", SourceFormat::Postalias, Version::NEWEST)[1],
        "t, line 2: name must be local and have no domain"
    );
}

#[test]
fn what_is_not_here_and_what_is_nowhere() {
    let files = files(&[
        ("/built", "a 1\n"),
        ("/built.db", ""),
        ("/unbuilt", "a 1\n"),
    ]);
    let ask = |reference: &str| maps(reference, Flags::ADDRESS, &files).find(b"a", Only::All);
    assert!(matches!(ask("hash:/built"), Lookup::Found(_)));
    for (reference, may_be_elsewhere) in [
        ("hash:/gone", false),
        ("hash:/perhaps/gone", true),
        ("pcre:/perhaps/gone", true),
        ("unionmap:{static:x, hash:/perhaps/gone}", true),
        // Its neighbour has an index, so somebody forgot this one.
        ("hash:/unbuilt", false),
    ] {
        let Lookup::Error(error) = ask(reference) else {
            panic!("{reference}: {:?}", ask(reference));
        };
        assert_eq!(error.may_be_elsewhere, may_be_elsewhere, "{reference}");
        assert!(
            error.message.ends_with("No such file or directory"),
            "{reference}"
        );
    }
    // Programs ask parts of addresses of tables with keys only.
    let unbuilt = maps("hash:/unbuilt", Flags::ADDRESS, &files);
    assert_eq!(unbuilt.find(b"a", Only::Fixed), Lookup::NotFound);
    // The source can be looked at all the same.
    assert_eq!(unbuilt.tables[0].keys().map(KeyTable::len), Some(1));
}
