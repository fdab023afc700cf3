//! How long it takes to say what happens to mail for 100,000 addresses of one server, explanation and JSON
//! included.
//!
//! `cargo bench --bench trace`

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;

use divan::Bencher;
use divan::counter::ItemsCount;
use postlint::instance::builtin::Version;
use postlint::instance::{Instance, LoadOptions, Target};
use postlint::mail::{Session, Tracer};
use postlint::report::{Secrets, TraceWriter};
use tempfile::TempDir;

fn main() {
    divan::main();
}

const ADDRESSES: usize = 100_000;
/// So many names are in each table.
const NAMES: usize = 10_000;

const MAIN_CF: &str = "\
compatibility_level = 3.6
myhostname = mail.example.com
mydomain = example.com
mydestination = $myhostname, localhost.$mydomain, localhost, $mydomain
mynetworks = 127.0.0.0/8, [::1]/128, 192.0.2.0/24
recipient_delimiter = +
alias_maps = hash:/etc/postfix/aliases
virtual_alias_domains = example.org
virtual_alias_maps = hash:/etc/postfix/virtual
virtual_mailbox_domains = example.net
virtual_mailbox_maps = hash:/etc/postfix/mailboxes
virtual_uid_maps = static:5000
virtual_gid_maps = static:5000
relay_domains = example.edu
relay_recipient_maps = hash:/etc/postfix/relay
transport_maps = hash:/etc/postfix/transport
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_recipient_restrictions = reject_non_fqdn_recipient,
    check_recipient_access pcre:/etc/postfix/access
smtpd_sender_restrictions = reject_non_fqdn_sender
";

/// A server with its tables, and the users `user0` to `user9999` of each domain.
fn server() -> (TempDir, Instance) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut tables = ["virtual", "mailboxes", "relay", "aliases", "passwd"].map(|_| String::new());
    for number in 0..NAMES {
        let lines = [
            format!("user{number}@example.org user{number}@example.net"),
            format!("user{number}@example.net user{number}/"),
            format!("user{number}@example.edu x"),
            format!("alias{number}: user{number}"),
            format!(
                "user{number}:x:{0}:{0}::/home/user{number}:/bin/sh",
                number + 1000
            ),
        ];
        for (table, line) in tables.iter_mut().zip(lines) {
            writeln!(table, "{line}").expect("a string");
        }
    }
    let [aliases_org, mailboxes, relay, aliases, passwd] = tables;
    let put = |name: &str, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a file");
        path
    };
    put("main.cf", MAIN_CF);
    put("virtual", &aliases_org);
    put("mailboxes", &mailboxes);
    put("relay", &relay);
    put("aliases", &aliases);
    put("transport", "example.edu relay:[inner.example.edu]\n");
    put("access", "/^(root|daemon)@/ REJECT\n/[%!]/ REJECT\n");
    let passwd: PathBuf = put("passwd", &passwd);
    let options = LoadOptions {
        version: Version::parse("3.7.11"),
        passwd: Some(passwd),
        ..LoadOptions::default()
    };
    let target = Target::Path(directory.path().to_path_buf());
    let instance = Instance::load(&target, &options).expect("a configuration");
    (directory, instance)
}

/// Two of three exist.
fn addresses() -> Vec<String> {
    let domains = [
        "example.com",
        "example.org",
        "example.net",
        "example.edu",
        "outside.test",
    ];
    (0..ADDRESSES)
        .map(|index| {
            let number = index * 7919 % (NAMES * 3 / 2);
            let extension = if index % 10 == 0 { "+ext" } else { "" };
            format!("user{number}{extension}@{}", domains[index % domains.len()])
        })
        .collect()
}

#[divan::bench(sample_count = 3, sample_size = 1)]
fn addresses_of_one_server(bencher: Bencher) {
    let (_directory, instance) = server();
    let addresses = addresses();
    let session = Session::stranger();
    bencher.counter(ItemsCount::new(ADDRESSES)).bench(|| {
        let service = instance.smtpd_services().next().expect("an smtpd");
        let tracer = Tracer::of(service);
        let secrets = Secrets::of(&instance);
        let writer = TraceWriter::new(instance.sources(), &secrets);
        let mut out = io::sink();
        for address in &addresses {
            let trace = tracer.trace(&session, address);
            writer
                .json(address, &trace, &mut out)
                .expect("a sink takes all");
        }
    });
}
