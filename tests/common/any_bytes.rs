//! What holds for any bytes that postlint reads. The property tests and the fuzz targets try it out.

use std::sync::Arc;

use postlint::instance::builtin::Version;
use postlint::instance::host::{Host, resolve_offline};
use postlint::instance::postconf::{Given, Postconf, Show};
use postlint::instance::table::{
    Accounts, Flags, Lookup, Maps, NoAccounts, Only, Opened, Opener, Reference, SourceFormat,
    Table, TableSettings, reference,
};
use postlint::source::{Source, Sources, Text};
use postlint::syntax::alias_table::{self, AliasLines};
use postlint::syntax::cidr_table::{self, CidrSyntax};
use postlint::syntax::expression::{Dialect, compatibility_level, expand, references};
use postlint::syntax::main_cf::MainLine;
use postlint::syntax::master_cf::MasterLine;
use postlint::syntax::pattern_table::{self, Flavour};
use postlint::syntax::table::{TableLineKind, TableLines, TableSyntax};
use postlint::syntax::{LogicalLines, MainCf, MasterCf, tiles, token};

/// Read as each kind of file: nothing panics, the physical lines cover the file, and what the parsers cut
/// out of it stands where they say.
pub(crate) fn are_read_in_place(bytes: &[u8]) {
    let sources = Sources::default();
    let source = sources.add("file".into(), bytes.to_vec(), None);
    assert_eq!(source.bytes(), bytes);
    assert_eq!(source.text().len(), bytes.len());

    let mut at = 0;
    for tile in tiles(&source) {
        assert_eq!(tile.range.start, at);
        assert!(tile.range.end > at);
        at = tile.range.end;
    }
    assert_eq!(at, bytes.len());

    let mut at = 0;
    for line in LogicalLines::of(&source) {
        let range = line.range();
        assert!(at <= range.start && range.end <= bytes.len());
        at = range.end;
        assert_stands(&source, &line.text(&source));
        let joined = line.text(&source);
        for flavour in [Flavour::Regexp, Flavour::Pcre] {
            pattern_table::parse(joined.as_bytes(), flavour);
        }
        for conditions in [false, true] {
            cidr_table::parse(joined.as_bytes(), CidrSyntax { conditions });
        }
    }

    for line in MainCf::parse(source.clone()).lines {
        match line {
            MainLine::Setting(setting) => {
                assert_stands(&source, &setting.name);
                assert_stands(&source, &setting.value);
            }
            MainLine::Malformed { text, .. } | MainLine::Discarded { text, .. } => {
                assert_stands(&source, &text);
            }
        }
    }
    for line in MasterCf::parse(source.clone()).lines {
        match line {
            MasterLine::Service(service) => {
                service
                    .fields
                    .iter()
                    .for_each(|field| assert_stands(&source, field));
                service
                    .arguments
                    .iter()
                    .for_each(|word| assert_stands(&source, &word.written));
                for setting in &service.overrides {
                    assert_stands(&source, &setting.name);
                    assert_stands(&source, &setting.value);
                }
            }
            MasterLine::Discarded { text, .. } => assert_stands(&source, &text),
        }
    }
    for quoted_keys in [false, true] {
        for line in TableLines::of(
            &source,
            TableSyntax {
                quoted_keys,
                utf8: true,
            },
        ) {
            let _ = line.has_alias_colon();
            let _ = line.comment_in_value();
            assert_eq!(
                line.swallowed(&source)
                    .filter(|range| range.end > bytes.len())
                    .count(),
                0
            );
            if let TableLineKind::Entry { key, value } = &line.kind {
                assert_stands(&source, &line.text.text(&source, key.clone()));
                assert_stands(&source, &line.text.text(&source, value.clone()));
                assert!(line.text.place(key.clone()).end <= line.text.place(value.clone()).start);
                token::addresses(&line.text.bytes()[value.clone()]);
            }
        }
    }
    for line in AliasLines::of(&source, true) {
        line.name();
        if let Some(value) = line.value() {
            alias_table::targets(&value);
        }
    }
}

/// Read as a main.cf whose settings refer to each other: expanding a value ends, with a text or an error.
pub(crate) fn are_expanded(bytes: &[u8]) {
    let sources = Sources::default();
    let main_cf = MainCf::parse(sources.add("main.cf".into(), bytes.to_vec(), None));
    let lookup = |name: &str| -> Option<Text> {
        let setting = main_cf
            .settings()
            .rev()
            .find(|setting| setting.name.as_str() == name)?;
        Some(setting.value.clone())
    };
    let oldest = Dialect {
        comparisons: false,
        blanks_around_names: false,
        level_operators: false,
        functions: false,
    };
    for dialect in [oldest, Dialect::NEWEST] {
        // One value may take a while by design; all of them together need not.
        for setting in main_cf.settings().take(2) {
            references(&setting.value, dialect);
            if let Ok(text) = expand(&setting.value, dialect, &lookup) {
                drop(compatibility_level(&text));
                text.span();
            }
        }
    }
}

/// A place where every file holds the same bytes.
struct Everywhere(Arc<Source>);

impl Opener for Everywhere {
    fn open(&self, _: &str) -> Opened {
        Opened::Found(Arc::clone(&self.0))
    }

    fn open_member(&self, reference: &Reference, format: SourceFormat) -> Arc<Table> {
        Arc::new(Table::open(reference.clone(), format, self))
    }

    fn exists(&self, _: &str) -> Option<bool> {
        None
    }

    fn accounts(&self) -> Arc<dyn Accounts> {
        Arc::new(NoAccounts)
    }

    fn settings(&self) -> TableSettings {
        TableSettings {
            version: Version::NEWEST,
            utf8: true,
        }
    }
}

/// Read as a lookup table of each type, and as a list of references: questions get answers, and each entry
/// is found under its key.
pub(crate) fn are_tables(bytes: &[u8]) {
    let sources = Sources::default();
    let source = sources.add("table".into(), bytes.to_vec(), None);
    let opener = Everywhere(Arc::clone(&source));
    let written = Text::of(&source, 0..bytes.len());
    let files = Text::placeless("hash:/a texthash:/a regexp:/a pcre:/a cidr:/a");
    for (value, version) in [
        (&written, Version::NEWEST),
        (&written, Version::OLDEST),
        (&files, Version::NEWEST),
    ] {
        let mut maps = Maps::default();
        for piece in reference::parse_list(value, version) {
            match piece {
                Ok(reference) => {
                    assert_stands(&source, &reference.name);
                    let table = opener.open_member(&reference, SourceFormat::Postmap);
                    maps.tables.push(table);
                }
                Err(malformed) => maps.malformed.push(malformed),
            }
        }
        for flags in [Flags::NONE, Flags::ADDRESS, Flags::ALIAS] {
            maps.flags = flags;
            for key in [bytes, b"a", b"x@example.com", b"192.0.2.1", b""] {
                for only in [Only::All, Only::Fixed, Only::Pattern] {
                    if let Lookup::Found(hit) = maps.find(key, only) {
                        hit.value.span();
                    }
                }
            }
        }
    }
    for format in [SourceFormat::Postmap, SourceFormat::Postalias] {
        let Ok(reference) = reference::parse(&Text::placeless("hash:/a"), Version::NEWEST) else {
            continue;
        };
        let table = Table::open(reference, format, &opener);
        let Some(keys) = table.keys() else { continue };
        for entry in keys.entries() {
            let found = table.lookup(entry.key(), Flags::ADDRESS);
            assert!(matches!(found, Lookup::Found(_)), "{:?}", entry.key());
        }
    }
}

/// As values in main.cf and arguments in master.cf: postconf's view of them says what it has to say about
/// places that exist, and prints whole lines.
pub(crate) fn are_judged_as_by_postconf(bytes: &[u8]) {
    let sources = Sources::default();
    let file = |start: &[u8]| sources.add("file".into(), [start, bytes].concat(), None);
    let main_cf = MainCf::parse(file(b"biff = "));
    let master_cf = MasterCf::parse(file(b"smtp inet n - n - - smtpd -o "));
    for version in ["2.10.0", "3.7.11", "3.11.6"] {
        let postconf = Postconf::read(Given {
            version: Version::parse(version).expect("a version"),
            directory: "/etc/postfix",
            config_directory: None,
            main_cf: Some(&main_cf),
            master_cf: Some(&master_cf),
            master_cf_first: false,
            overrides: Vec::new(),
            host: Host::unknown(),
            resolve: resolve_offline,
            ask_installed: false,
            files: None,
        });
        let notices = postconf.notices().iter().cloned();
        for notice in notices
            .chain(postconf.unused_in_main_cf())
            .chain(postconf.unused_in_master_cf())
        {
            assert!(notice.printable().is_ascii());
            for span in notice.span.into_iter().chain(notice.related) {
                assert!(span.start <= span.end);
                assert!(span.end <= sources.get(span.file).bytes().len());
            }
        }
        for expanded in [false, true] {
            let show = Show {
                settings: true,
                folded: true,
                expanded,
                ..Show::default()
            };
            let mut out = Vec::new();
            postconf.print_parameters(show, &[""; 0], &mut out);
            postconf.print_entries(show, &[""; 0], &mut out).ok();
            postconf.print_fields(show, &[], &mut out);
            postconf.print_overrides(show, &[], &mut out);
        }
    }
}

/// The bytes of a text are those of the file at the place which it gives.
fn assert_stands(source: &Source, text: &Text) {
    let Some(span) = text.span() else { return };
    let bytes = &source.bytes()[span.start..span.end];
    if text.is_contiguous() {
        assert_eq!(bytes, text.as_bytes());
    }
    source.line_column(span.start);
    source.line_column(span.end);
}
