//! How long all rules take with a large map of virtual aliases, as a provider of many domains has it. Its time
//! grows with the number of entries: ten times the entries are to take about ten times as long, and what the
//! program keeps in memory besides the file is some twenty bytes an entry.
//!
//! `cargo bench --bench alias_map`
//!
//! For whole runs, a map of any size is written and checked like this, and compared with what is fast in reading
//! it at all, and with how long Postfix takes to load it:
//!
//! ```sh
//! ALIAS_MAP=/tmp/map ALIAS_MAP_ENTRIES=1000000 cargo bench --bench alias_map -- --list
//! hyperfine -i 'postlint check /tmp/map --passwd /tmp/map/users' 'wc -l /tmp/map/virtual' \
//!     'postmap -q x texthash:/tmp/map/virtual'
//! /usr/bin/time -v postlint check /tmp/map --passwd /tmp/map/users
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use divan::Bencher;
use divan::counter::ItemsCount;
use postlint::instance::builtin::Version;
use postlint::instance::{Instance, LoadOptions, Target};
use postlint::lint::{self, Selection};
use tempfile::TempDir;

const MAIN_CF: &str = "\
compatibility_level = 3.6
myhostname = mail.example.com
alias_maps =
virtual_alias_maps = hash:$config_directory/virtual
";
const MASTER_CF: &str = "\
smtp    inet n - y - - smtpd
cleanup unix n - y - 0 cleanup
rewrite unix - - y - - trivial-rewrite
smtp    unix - - y - - smtp
local   unix - n n - - local
";
/// So many users there are.
const USERS: usize = 1_000;
/// So many aliases a domain has.
const DOMAIN: usize = 30;

fn main() {
    if let Some(directory) = std::env::var_os("ALIAS_MAP") {
        let entries = std::env::var("ALIAS_MAP_ENTRIES")
            .ok()
            .and_then(|text| text.parse().ok());
        fs::create_dir_all(&directory).expect("a directory");
        write(Path::new(&directory), entries.unwrap_or(1_000_000));
    }
    divan::main();
}

fn user(number: usize) -> String {
    format!("user{}", number % USERS)
}

/// A map of about so many entries, where each alias leads to what aliases usually lead to: a user, another
/// alias of the domain, somebody elsewhere. One of a thousand leads nowhere, and now and then two lead to each
/// other or a key is there twice.
fn map(entries: usize) -> String {
    let mut text = String::with_capacity(entries * 64);
    for number in 0..entries {
        let domain = format!("customer{}.example", number / DOMAIN);
        let place = number % DOMAIN;
        if place == 0 {
            let _ = write!(text, "# Customer {}\n{domain}  -\n", number / DOMAIN);
            continue;
        }
        let target = match (number % 1000, place % 5) {
            (999, _) => format!("gone{number}"),
            (_, 1) => format!("name{}@{domain}", if place == 1 { 2 } else { 1 }),
            (_, 2) if place == 2 && number % 7000 < DOMAIN => format!("name1@{domain}"),
            (_, 2) => user(number * 7),
            (_, 3) => format!("someone{number}@mail.example.net, {}", user(number)),
            _ => format!("someone{}@isp{}.example.org", number, number % 90),
        };
        let place = if number % 2000 == 1500 { 1 } else { place };
        let _ = writeln!(text, "name{place}@{domain}\t{target}");
    }
    text
}

fn write(directory: &Path, entries: usize) {
    let users: Vec<String> = (0..USERS).map(user).collect();
    for (name, text) in [
        ("main.cf", MAIN_CF.to_owned()),
        ("master.cf", MASTER_CF.to_owned()),
        ("virtual", map(entries)),
        ("users", users.join("\n") + "\n"),
    ] {
        fs::write(directory.join(name), text).expect("a file");
    }
}

fn load(directory: &TempDir) -> Instance {
    let options = LoadOptions {
        version: Some(Version::NEWEST),
        passwd: Some(directory.path().join("users")),
        ..LoadOptions::default()
    };
    Instance::load(&Target::Path(directory.path().to_path_buf()), &options)
        .expect("a configuration")
}

/// All rules, with an instance that was not asked anything before: the map is read, too.
#[divan::bench(args = [10_000, 100_000], sample_count = 10)]
fn lint_map(bencher: Bencher<'_, '_>, entries: usize) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    write(directory.path(), entries);
    let selection = Selection::default();
    assert!(lint::run(&load(&directory), &selection).len() > entries / 2_000);
    bencher
        .counter(ItemsCount::new(entries))
        .with_inputs(|| load(&directory))
        .bench_refs(|instance| lint::run(instance, &selection));
}
