//! How long the work inside one run takes, for a short main.cf and for one of 700 lines as distributions
//! ship it. Whole runs are compared with postconf(1) by `.ci/compare-startup`.
//!
//! `cargo bench --bench configuration`

use std::fmt;
use std::fs;
use std::path::Path;

use divan::Bencher;
use divan::counter::BytesCount;
use postlint::finding::Safety;
use postlint::fix::{self, Fixer, Linted, Overlay};
use postlint::instance::builtin::Version;
use postlint::instance::files::PathOptions;
use postlint::instance::{Instance, LoadOptions, Target};
use postlint::lint::{self, Selection};
use postlint::source::Sources;
use postlint::syntax::expression::{Dialect, expand, references};
use postlint::syntax::{MainCf, MasterCf, tiles};
use tempfile::TempDir;

fn main() {
    divan::main();
}

/// A main.cf as it may be found.
#[derive(Clone, Copy)]
enum Size {
    /// The settings only: 62 lines.
    Short,
    /// The same settings between the explanations that distributions ship: 700 lines.
    Long,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Short => "short",
            Self::Long => "long",
        })
    }
}

const SIZES: [Size; 2] = [Size::Short, Size::Long];
const LONG_LINES: usize = 700;

/// Settings of a server with virtual domains, an own local domain, submission and TLS.
const SETTINGS: [&str; 50] = [
    "compatibility_level = 3.6",
    "queue_directory = /var/spool/postfix",
    "command_directory = /usr/sbin",
    "daemon_directory = /usr/lib/postfix/sbin",
    "data_directory = /var/lib/postfix",
    "mail_owner = postfix",
    "myhostname = mail.example.com",
    "mydomain = example.com",
    "myorigin = $mydomain",
    "inet_interfaces = all",
    "inet_protocols = all",
    "mydestination = $myhostname, localhost.$mydomain, localhost, $mydomain",
    "local_recipient_maps = proxy:unix:passwd.byname $alias_maps",
    "unknown_local_recipient_reject_code = 450", // What there is to mend.
    "mynetworks = 127.0.0.0/8, [::1]/128, 192.0.2.0/24",
    "relay_domains = example.org, example.net",
    "relay_recipient_maps = hash:/etc/postfix/relay_recipients",
    "transport_maps = hash:/etc/postfix/transport",
    "alias_maps = hash:/etc/aliases",
    "alias_database = hash:/etc/aliases",
    "virtual_alias_maps = hash:/etc/postfix/virtual",
    "virtual_mailbox_domains = example.edu",
    "virtual_mailbox_maps = hash:/etc/postfix/mailboxes",
    "virtual_mailbox_base = /var/mail/vhosts",
    "virtual_uid_maps = static:5000",
    "virtual_gid_maps = static:5000",
    "recipient_delimiter = +",
    "home_mailbox = Maildir/",
    "message_size_limit = 30720000",
    "mailbox_size_limit = 0",
    "smtpd_banner = $myhostname ESMTP $mail_name",
    "smtpd_helo_required = yes",
    "disable_vrfy_command = yes",
    "smtpd_relay_restrictions = permit_mynetworks,\n    permit_sasl_authenticated,\n    reject_unauth_destination",
    "smtpd_recipient_restrictions =\n    reject_non_fqdn_recipient,\n    reject_unknown_recipient_domain,\n    check_recipient_access hash:/etc/postfix/recipient_access,\n    reject_rbl_client dnsbl.example.net=127.0.0.[2..11]",
    "smtpd_sender_restrictions = reject_non_fqdn_sender,\n    reject_unknown_sender_domain",
    "smtpd_sasl_auth_enable = no",
    "smtpd_sasl_type = dovecot",
    "smtpd_sasl_path = private/auth",
    "smtpd_tls_security_level = may",
    "smtpd_tls_cert_file = /etc/ssl/certs/$myhostname.pem",
    "smtpd_tls_key_file = /etc/ssl/private/$myhostname.key",
    "smtp_tls_security_level = may",
    "smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache",
    "smtpd_tls_session_cache_database = btree:${data_directory}/smtpd_scache",
    "maximal_queue_lifetime = 5d",
    "delay_warning_time = 4h",
    "header_checks = pcre:/etc/postfix/header_checks",
    "debug_peer_level = 2",
    "setgid_group = postdrop",
];

const MASTER_CF: &str = "\
smtp       inet  n - y -     - smtpd
submission inet  n - y -     - smtpd
  -o syslog_name=postfix/submission
  -o smtpd_tls_security_level=encrypt
  -o smtpd_sasl_auth_enable=yes
  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject
  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }
pickup     unix  n - y 60    1 pickup
cleanup    unix  n - y -     0 cleanup
qmgr       unix  n - n 300   1 qmgr
tlsmgr     unix  - - y 1000? 1 tlsmgr
rewrite    unix  - - y -     - trivial-rewrite
bounce     unix  - - y -     0 bounce
defer      unix  - - y -     0 bounce
trace      unix  - - y -     0 bounce
verify     unix  - - y -     1 verify
flush      unix  n - y 1000? 0 flush
proxymap   unix  - - n -     - proxymap
proxywrite unix  - - n -     1 proxymap
smtp       unix  - - y -     - smtp
relay      unix  - - y -     - smtp
  -o syslog_name=postfix/$service_name
showq      unix  n - y -     - showq
error      unix  - - y -     - error
retry      unix  - - y -     - error
discard    unix  - - y -     - discard
local      unix  - n n -     - local
virtual    unix  - n n -     - virtual
lmtp       unix  - - y -     - lmtp
anvil      unix  - - y -     1 anvil
scache     unix  - - y -     1 scache
postlog    unix-dgram n - n - 1 postlogd
";

fn main_cf(size: Size) -> Vec<u8> {
    let mut text = String::new();
    for (index, setting) in SETTINGS.iter().enumerate() {
        if let Size::Long = size {
            let parameter = setting.split(' ').next().unwrap_or_default();
            // Spread what is to be filled evenly over the settings.
            let own: usize = SETTINGS.iter().map(|setting| setting.lines().count()).sum();
            let fill = LONG_LINES - own;
            let lines = fill * (index + 1) / SETTINGS.len() - fill * index / SETTINGS.len();
            for line in 1..lines {
                text.push_str(&format!(
                    "# Line {line} of what there is to know about the parameter {parameter}.\n"
                ));
            }
            text.push('\n');
        }
        text.push_str(setting);
        text.push('\n');
    }
    text.into_bytes()
}

/// A configuration directory with such a main.cf.
fn directory(size: Size) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in [("main.cf", main_cf(size)), ("master.cf", MASTER_CF.into())] {
        fs::write(directory.path().join(name), bytes).expect("a temporary file");
    }
    directory
}

fn load(directory: &Path, overlay: Overlay) -> Instance {
    let options = LoadOptions {
        version: Some(Version::NEWEST),
        paths: PathOptions {
            overlay,
            ..PathOptions::default()
        },
        ..LoadOptions::default()
    };
    Instance::load(&Target::Path(directory.to_path_buf()), &options).expect("a configuration")
}

/// Reading the files of a configuration directory, too.
#[divan::bench(args = SIZES)]
fn load_instance(bencher: Bencher<'_, '_>, size: Size) {
    let directory = directory(size);
    bencher.bench(|| load(directory.path(), Overlay::new()));
}

/// All rules, with an instance that was not asked anything before.
#[divan::bench(args = SIZES)]
fn lint_instance(bencher: Bencher<'_, '_>, size: Size) {
    let directory = directory(size);
    let selection = Selection::default();
    bencher
        .with_inputs(|| load(directory.path(), Overlay::new()))
        .bench_refs(|instance| lint::run(instance, &selection));
}

/// From the files to the mended text of the files: loaded and checked, mended, loaded and checked again.
#[divan::bench(args = SIZES)]
fn fix_files(bencher: Bencher<'_, '_>, size: Size) {
    let directory = directory(size);
    let selection = Selection::default();
    let mut lint = |overlay: &Overlay| {
        let instance = load(directory.path(), overlay.clone());
        Ok(Linted {
            sources: instance.shared_sources(),
            findings: lint::run(&instance, &selection),
            broken: fix::broken_lines(instance.main_cf(), instance.master_cf()),
            state: instance,
        })
    };
    bencher.bench_local(|| {
        let outcome = Fixer {
            lint: &mut lint,
            worse: &mut |_, _| None,
            threshold: Safety::Safe,
        }
        .run();
        let outcome = outcome.expect("fixes that come to an end");
        assert!(!outcome.applied.is_empty(), "nothing to mend");
        outcome
    });
}

mod parse {
    use super::*;

    #[divan::bench(args = SIZES)]
    fn main_cf(bencher: Bencher<'_, '_>, size: Size) {
        let bytes = super::main_cf(size);
        bencher
            .counter(BytesCount::of_slice(&bytes))
            .bench(|| MainCf::parse(Sources::default().add("main.cf".into(), bytes.clone(), None)));
    }

    #[divan::bench]
    fn master_cf(bencher: Bencher<'_, '_>) {
        let bytes = MASTER_CF.as_bytes();
        bencher.counter(BytesCount::of_slice(bytes)).bench(|| {
            MasterCf::parse(Sources::default().add("master.cf".into(), bytes.to_vec(), None))
        });
    }

    #[divan::bench(args = SIZES)]
    fn physical_lines(bencher: Bencher<'_, '_>, size: Size) {
        let source = Sources::default().add("main.cf".into(), super::main_cf(size), None);
        bencher
            .counter(BytesCount::of_str(source.text()))
            .bench(|| tiles(&source));
    }
}

/// All values of main.cf.
#[divan::bench]
fn expand_values(bencher: Bencher<'_, '_>) {
    let source = Sources::default().add("main.cf".into(), main_cf(Size::Short), None);
    let main_cf = MainCf::parse(source);
    let lookup = |name: &str| {
        let setting = main_cf
            .settings()
            .find(|setting| setting.name.as_str() == name)?;
        Some(setting.value.clone())
    };
    bencher.bench(|| {
        for setting in main_cf.settings() {
            divan::black_box(references(&setting.value, Dialect::NEWEST));
            divan::black_box(expand(&setting.value, Dialect::NEWEST, &lookup)).ok();
        }
    });
}
