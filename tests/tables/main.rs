//! Lookup tables compared with the real postmap(1) and postalias(1): random files of every type that is
//! text, built, listed and asked.

mod generate;
mod oracle;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;

use generate::Random;
use oracle::{Oracle, command, messages, pairs, show};
use postlint::instance::builtin::Version;
use postlint::instance::table::{
    ErrorClass, Flags, Lookup, ProblemKind, SourceFormat, Table, TableType, compare_index,
};
use postlint::source::{Span, same_length_lossy};
use postlint::syntax::alias_table::{AliasLineKind, AliasLines};
use postlint::syntax::pattern_table::PatternProblemKind;
use postlint::syntax::table::{TableLineKind, TableLines};

/// What a table answers, in the form of `postmap -q -`.
fn answers(table: &Table, keys: &[Vec<u8>]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    keys.iter()
        .filter_map(|key| match table.lookup(key, Flags::ADDRESS) {
            Lookup::Found(hit) => Some((key.clone(), hit.value.as_bytes().to_vec())),
            _ => None,
        })
        .collect()
}

fn check_pairs(what: &str, ours: &BTreeMap<Vec<u8>, Vec<u8>>, real: &BTreeMap<Vec<u8>, Vec<u8>>) {
    for (key, value) in real {
        let our = ours.get(key).map(|value| show(value));
        assert_eq!(our, Some(show(value)), "{what}: key {}", show(key));
    }
    for (key, value) in ours {
        let (key_text, value) = (show(key), show(value));
        assert!(
            real.contains_key(key),
            "{what}: {key_text} = {value} is not in the real table"
        );
    }
}

/// The stored pairs of a file: of equal keys the first.
fn stored(table: &Table, utf8: bool) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut pairs = BTreeMap::new();
    let keys = table.keys().expect("a table with keys");
    for entry in keys.entries() {
        pairs
            .entry(entry.folded_key(utf8).into_owned())
            .or_insert_with(|| entry.value().into_owned());
    }
    pairs
}

/// The warnings of postmap(1) about the lines of a file.
fn map_warnings(oracle: &Oracle, file: &str, end: &str) -> Vec<String> {
    let source = oracle.source(file);
    let syntax = oracle.settings().table_syntax();
    let mut warnings = Vec::new();
    for line in TableLines::of(&source, syntax) {
        let number = source.line_column(line.text.line().range().start).line;
        let text = same_length_lossy(line.text.bytes());
        let what = match &line.kind {
            TableLineKind::Entry { .. } if line.has_alias_colon() => {
                "record is in \"key: value\" format; is this an alias file?".to_owned()
            }
            TableLineKind::NoValue { .. } => format!("expected format: key whitespace value{end}"),
            TableLineKind::UnbalancedQuote { .. } => {
                format!("unbalanced '\"' in '{text}' -- ignoring this line")
            }
            TableLineKind::NotUtf8 => format!("non-UTF-8 input \"{text}\" -- ignoring this line"),
            TableLineKind::Entry { .. } | TableLineKind::Discarded => continue,
        };
        warnings.push(format!("{file}, line {number}: {what}"));
    }
    warnings
}

/// Messages without the bytes that Postfix prints in different ways, by version and setting.
fn printable(messages: Vec<String>) -> Vec<String> {
    let plain = |text: String| {
        text.chars()
            .map(|found| match found {
                ' '..='~' => found.to_string(),
                _ => "?".repeat(found.len_utf8()),
            })
            .collect()
    };
    messages.into_iter().map(plain).collect()
}

/// How many tables of each kind are tried: `POSTLINT_TEST_SEEDS`, else a number that takes some seconds.
fn seeds() -> u64 {
    std::env::var("POSTLINT_TEST_SEEDS")
        .ok()
        .and_then(|number| number.parse().ok())
        .unwrap_or(30)
}

#[test]
fn indexed_maps() {
    for utf8 in [true, false] {
        let Some(oracle) = Oracle::new("indexed_maps", utf8) else {
            return;
        };
        for seed in 0..seeds() {
            oracle.write("map", &generate::map(&mut Random::new(seed)));
            let built = oracle.run("postmap", &["hash:map"], b"");
            let real = pairs(
                &oracle.run("postmap", &["-s", "hash:map"], b"").stdout,
                b"\t",
            );
            let table = oracle
                .open("hash:map", SourceFormat::Postmap)
                .expect("a table");
            let what = format!("seed {seed}, utf8 {utf8}");
            check_pairs(&what, &stored(&table, utf8), &real);
            let mut warnings = map_warnings(&oracle, "map", "");
            let duplicates = table.keys().expect("keys").duplicates();
            warnings.extend(duplicates.iter().map(|duplicate| {
                let key = same_length_lossy(&duplicate.key);
                format!("map.db: duplicate entry: \"{key}\"")
            }));
            let mut said = printable(messages(&built));
            said.sort();
            warnings = printable(warnings);
            warnings.sort();
            assert_eq!(warnings, said, "{what}");
            let keys: Vec<Vec<u8>> = real
                .keys()
                .map(|key| key.to_ascii_uppercase())
                .filter(|key| !key.is_empty())
                .collect();
            let (asked, _) = oracle.ask("hash:map", &keys);
            check_pairs(&what, &answers(&table, &keys), &asked);
        }
    }
}

/// Index files of every type, as they are built and after the source has changed.
#[test]
fn index_files() {
    let Some(oracle) = Oracle::new("index_files", true) else {
        return;
    };
    let types = command("postconf").arg("-m").output().expect("postconf -m");
    let types = String::from_utf8_lossy(&types.stdout).into_owned();
    for name in ["hash", "btree", "lmdb", "cdb"] {
        let Some(kind) = TableType::of(name).filter(|_| types.lines().any(|line| line == name))
        else {
            drop(
                std::io::stderr()
                    .write_all(b"SKIPPED: a part of index_files needs postfix-lmdb, postfix-cdb\n"),
            );
            continue;
        };
        for seed in 0..seeds() / 3 + 2 {
            let what = format!("{name} seed {seed}");
            let mut random = Random::new(seed);
            let mut text = generate::map(&mut random);
            text.push(b'\n');
            // Enough entries for several pages, and values longer than a page.
            for number in 0..seed * 150 {
                text.extend_from_slice(format!("User{number}@x.test value{number}\n").as_bytes());
            }
            text.extend_from_slice(
                format!("long {}\n", "v".repeat(700 * seed as usize + 1)).as_bytes(),
            );
            oracle.write("map", &text);
            let piece = format!("{name}:map");
            oracle.run("postmap", &[&piece], b"");
            let compare = || {
                let table = oracle.open(&piece, SourceFormat::Postmap).expect("a table");
                let index = format!("map{}", kind.index_suffixes()[0]);
                let bytes = fs::read(oracle.directory.path().join(index)).expect("the index");
                let keys = table.keys().expect("keys");
                let difference = compare_index(keys, kind, &bytes).expect("an index that is read");
                (keys.source().bytes().to_vec(), difference)
            };
            let (_, difference) = compare();
            assert!(difference.is_empty(), "{what}: {difference:?}");
            text.extend_from_slice(b"new-key x\n");
            let changed = b"long changed\n";
            let at = text
                .windows(5)
                .position(|window| window == b"\nlong")
                .expect("long")
                + 1;
            text.splice(at..at, changed.iter().copied());
            oracle.write("map", &text);
            let (bytes, difference) = compare();
            let shown = |span: &Span| &bytes[span.start..span.end];
            let missing: Vec<_> = difference.missing.iter().map(shown).collect();
            let wrong: Vec<_> = difference.changed.iter().map(shown).collect();
            assert_eq!(missing, [b"new-key x"], "{what}");
            assert_eq!(wrong, [b"long changed"], "{what}");
            oracle.write("map", b"long other\n");
            let (_, difference) = compare();
            assert!(difference.missing.is_empty() && !difference.extra.contains(&b"long".to_vec()));
        }
    }
}

#[test]
fn texthash_maps() {
    let Some(oracle) = Oracle::new("texthash_maps", true) else {
        return;
    };
    for seed in 0..seeds() {
        let mut random = Random::new(seed + 1000);
        oracle.write("map", &generate::map(&mut random));
        let table = oracle
            .open("texthash:map", SourceFormat::Postmap)
            .expect("a table");
        let keys = table.keys().expect("keys");
        let asked: Vec<Vec<u8>> = keys
            .entries()
            .map(|entry| entry.key().to_ascii_lowercase())
            .filter(|key| !key.is_empty())
            .chain([b"nosuch".to_vec()])
            .collect();
        let (real, said) = oracle.ask("texthash:map", &asked);
        let mut warnings = map_warnings(&oracle, "map", " -- ignoring this line");
        let duplicates = keys.duplicates();
        for duplicate in &duplicates {
            let number = keys.source().line_column(duplicate.offset).line;
            let span = duplicate.second_key;
            let key = &keys.source().text()[span.start..span.end];
            warnings.push(format!("map, line {number}: duplicate entry: \"{key}\""));
        }
        let mut warnings = printable(warnings);
        let mut said: Vec<_> = printable(said)
            .into_iter()
            .filter(|line| line.starts_with("map, line"))
            .collect();
        warnings.sort();
        said.sort();
        assert_eq!(warnings, said, "seed {seed}");
        // postmap -q only warns of doubled keys; daemons do without the table.
        if duplicates.is_empty() {
            check_pairs(&format!("seed {seed}"), &answers(&table, &asked), &real);
        } else {
            assert!(answers(&table, &asked).is_empty());
        }
    }
}

#[test]
fn alias_files() {
    for utf8 in [true, false] {
        let Some(oracle) = Oracle::new("alias_files", utf8) else {
            return;
        };
        for seed in 0..seeds() {
            oracle.write("aliases", &generate::aliases(&mut Random::new(seed)));
            let built = oracle.run("postalias", &["hash:aliases"], b"");
            let output = oracle.run("postalias", &["-s", "hash:aliases"], b"").stdout;
            let mut real = pairs(&output, b":\t");
            for added in [&b"@"[..], b"YP_LAST_MODIFIED", b"YP_MASTER_NAME"] {
                real.remove(added);
            }
            let table = oracle
                .open("hash:aliases", SourceFormat::Postalias)
                .expect("a table");
            let what = format!("seed {seed}, utf8 {utf8}");
            let mut ours = stored(&table, utf8);
            ours.remove(&b"@"[..]);
            check_pairs(&what, &ours, &real);
            let source = oracle.source("aliases");
            let mut warnings = Vec::new();
            for line in AliasLines::of(&source, utf8) {
                let number = source.line_column(line.text.line().range().start).line;
                let text = same_length_lossy(line.text.bytes());
                let what = match line.kind {
                    AliasLineKind::NoPair => "need name:value pair".to_owned(),
                    AliasLineKind::NotLocal { .. }
                        if oracle.version < Version::release(3, 10, 0) =>
                    {
                        "name must be local".to_owned()
                    }
                    AliasLineKind::NotLocal { .. } => {
                        "name must be local and have no domain".to_owned()
                    }
                    AliasLineKind::NotUtf8 => {
                        format!("non-UTF-8 input \"{text}\" -- ignoring this line")
                    }
                    _ => continue,
                };
                warnings.push(format!("aliases, line {number}: {what}"));
            }
            let said: Vec<_> = printable(messages(&built))
                .into_iter()
                .filter(|line| !line.contains("duplicate entry"))
                .collect();
            assert_eq!(printable(warnings), said, "{what}");
        }
    }
}

/// Checks answers and warnings of a table of patterns.
fn check_patterns(oracle: &Oracle, kind: &str, seed: u64, keys: &[Vec<u8>]) {
    let piece = format!("{kind}:map");
    let what = format!("{piece} seed {seed}");
    let table = oracle.open(&piece, SourceFormat::Postmap).expect("a table");
    let (real, said) = oracle.ask(&piece, keys);
    let fails = |key: &Vec<u8>| matches!(table.lookup(key, Flags::ADDRESS), Lookup::Error(_));
    if keys.iter().any(fails) {
        // A group may be half a character. Then postmap gives up, and prints nothing.
        assert!(
            said.iter().any(|line| line.contains("query error")),
            "{what}"
        );
    } else {
        check_pairs(&what, &answers(&table, keys), &real);
    }
    let mut warnings = Vec::new();
    for problem in table.problems() {
        let start = format!("{kind} map map, line {}: ", problem.line);
        // mac_parse.c does not know which table it reads.
        let bare = problem.kind == ProblemKind::Pattern(PatternProblemKind::BadReplacement)
            && !problem.message.contains("replacement index");
        warnings.push(match bare {
            true => problem.message.clone(),
            false => format!("{start}{}", problem.message),
        });
        warnings.extend(problem.then.map(|then| format!("{start}{then}")));
    }
    let without_library = |lines: Vec<String>| -> Vec<String> {
        // The words after the offset are those of the library, whose version may differ.
        lines
            .into_iter()
            .map(|line| match line.split_once("error in regex at offset") {
                Some((start, _)) => format!("{start}error in regex"),
                None => line,
            })
            .collect()
    };
    let said: Vec<_> = said
        .into_iter()
        .filter(|line| line.starts_with(&format!("{kind} map ")) || line.contains("macro"))
        .collect();
    assert_eq!(
        without_library(printable(warnings)),
        without_library(printable(said)),
        "{what}"
    );
}

#[test]
fn regexp_tables() {
    let Some(oracle) = Oracle::new("regexp_tables", true) else {
        return;
    };
    for seed in 0..seeds() {
        let mut random = Random::new(seed);
        oracle.write("map", &generate::patterns(&mut random));
        let keys = generate::subjects(&mut random);
        check_patterns(&oracle, "regexp", seed, &keys);
    }
}

#[test]
fn pcre_tables() {
    let Some(oracle) = Oracle::new("pcre_tables", true) else {
        return;
    };
    let types = command("postconf").arg("-m").output().expect("postconf -m");
    if !String::from_utf8_lossy(&types.stdout)
        .lines()
        .any(|line| line == "pcre")
    {
        drop(std::io::stderr().write_all(b"SKIPPED: pcre_tables needs postfix-pcre\n"));
        return;
    }
    for seed in 0..seeds() {
        let mut random = Random::new(seed + 5000);
        oracle.write("map", &generate::patterns(&mut random));
        let keys = generate::subjects(&mut random);
        check_patterns(&oracle, "pcre", seed, &keys);
    }
}

#[test]
fn cidr_tables() {
    let Some(oracle) = Oracle::new("cidr_tables", true) else {
        return;
    };
    let keys: Vec<Vec<u8>> = generate::ADDRESSES
        .iter()
        .map(|address| address.as_bytes().to_vec())
        .collect();
    for seed in 0..seeds() {
        let mut random = Random::new(seed);
        oracle.write("map", &generate::networks(&mut random));
        check_patterns(&oracle, "cidr", seed, &keys);
    }
}

#[test]
fn tables_in_references() {
    let Some(oracle) = Oracle::new("tables_in_references", true) else {
        return;
    };
    // A fatal error takes a second, in which others can be had.
    std::thread::scope(|scope| {
        for thread in 0..10 {
            let oracle = &oracle;
            scope.spawn(move || {
                for seed in (thread..2 * seeds()).step_by(10) {
                    table_in_reference(oracle, seed);
                }
            });
        }
    });
}

fn table_in_reference(oracle: &Oracle, seed: u64) {
    let keys = ["a", "b", "\"q r\"", "É", "c\\ d", "10.1.1.1", "z"];
    let mut random = Random::new(seed);
    let piece = if random.one_in(20) {
        random.pick(generate::MALFORMED).to_owned()
    } else {
        generate::reference(&mut random, 2)
    };
    let key = random.pick(&keys);
    let output = oracle.run("postmap", &["-q", key, &piece], b"");
    let said = messages(&output);
    let fatal = said.iter().find_map(|line| line.strip_prefix("fatal: "));
    let what = format!("seed {seed}: {piece} asked for {key}");
    let table = match oracle.open(&piece, SourceFormat::Postmap) {
        Ok(table) => table,
        Err(message) => {
            assert_eq!(fatal, Some(message.as_str()), "{what}");
            return;
        }
    };
    if let Some(message) = unusable(&table) {
        assert_eq!(fatal, Some(message), "{what}");
        return;
    }
    let printed = String::from_utf8_lossy(&output.stdout);
    match table.lookup(key.as_bytes(), Flags::ADDRESS) {
        Lookup::Found(hit) => assert_eq!(printed, format!("{}\n", hit.value), "{what}"),
        Lookup::NotFound => assert!(printed.is_empty() && fatal.is_none(), "{what}: {printed}"),
        Lookup::Error(error) => {
            assert_eq!(error.class, ErrorClass::Retry, "{what}");
            assert!(
                fatal.is_some_and(|fatal| fatal.contains("query error")),
                "{what}"
            );
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// The message of the first table that cannot be used: postmap(1) ends there.
fn unusable(table: &Table) -> Option<&str> {
    table
        .unusable()
        .or_else(|| table.members().iter().find_map(|member| unusable(member)))
}
