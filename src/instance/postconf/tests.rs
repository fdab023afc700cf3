//! What is said of configurations, and where. That it is what Postfix says is up to the tests that ask it.

use super::NoticeKind::{
    Braces, Deprecated, Duplicate, MalformedArgument, MalformedExpression, MalformedLine, ReadOnly,
    Undefined, Unusable, UnusedInClient, UnusedOverride, UnusedSetting,
};
use super::*;
use crate::instance::host::resolve_offline;
use crate::instance::{Instance, LoadOptions, Target};

/// All that is said of a configuration, in order: kind, place, message.
fn said(version: &str, files: &[(&str, &str)]) -> Vec<(NoticeKind, String, String)> {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let options = LoadOptions {
        version: Version::parse(version),
        ..LoadOptions::default()
    };
    let target = Target::Path(directory.path().to_path_buf());
    let instance = Instance::load(&target, &options).unwrap();
    let postconf = instance.postconf();
    let there = directory.path().display().to_string();
    let notices = postconf.notices().iter().cloned();
    notices
        .chain(postconf.unused_in_main_cf())
        .chain(postconf.unused_in_master_cf())
        .map(|notice| {
            let place = notice.span.map_or_else(String::new, |span| {
                let source = instance.sources().get(span.file);
                source.text()[span.start..span.end].to_owned()
            });
            let message = notice.message.replace(&there, "DIR");
            (notice.kind, place, message)
        })
        .collect()
}

fn said_of(main_cf: &str, master_cf: &str) -> Vec<(NoticeKind, String, String)> {
    said("3.7.11", &[("main.cf", main_cf), ("master.cf", master_cf)])
}

fn notice(kind: NoticeKind, place: &str, message: &str) -> (NoticeKind, String, String) {
    (kind, place.to_owned(), message.to_owned())
}

#[test]
fn names_that_nothing_refers_to_are_unused() {
    assert_eq!(
        said_of(
            "a = $b\nb = 1\nmydomain = ${c?x}.test\nc = 1\nluser_relay = $d\nd = 1\n",
            "smtp inet n - n - - smtpd\n  -o e=1 -o smtpd_banner=$f -o f=1\n"
        ),
        [
            notice(
                UnusedSetting,
                "a = $b",
                "DIR/main.cf: unused parameter: a=$b"
            ),
            notice(UnusedSetting, "d = 1", "DIR/main.cf: unused parameter: d=1"),
            notice(
                UnusedOverride,
                "-o e=1",
                "DIR/master.cf: unused parameter: e=1"
            ),
        ]
    );
}

#[test]
fn an_override_of_one_service_is_none_of_another() {
    assert_eq!(
        said_of(
            "",
            "a unix - - n - - smtp -o x=1\nb unix - - n - - smtp -o smtp_helo_name=$x\n"
        ),
        [
            notice(Undefined, "x", "DIR/master.cf: undefined parameter: x"),
            notice(
                UnusedOverride,
                "-o x=1",
                "DIR/master.cf: unused parameter: x=1"
            ),
        ]
    );
}

#[test]
fn services_bring_parameters_with_them() {
    assert_eq!(
        said_of(
            "slow_destination_rate_delay = 1s\nslow_time_limit = 1s\nx:1_time_limit = 1s\n",
            "slow unix - - n - - smtp\nx:1 inet n n n - - spawn\n"
        ),
        [notice(
            UnusedSetting,
            "slow_time_limit = 1s",
            "DIR/main.cf: unused parameter: slow_time_limit=1s"
        )]
    );
}

#[test]
fn restriction_classes_are_known_everywhere_once_they_are_listed() {
    assert_eq!(
        said_of(
            "smtpd_restriction_classes = one, two\none = permit\n",
            "smtp inet n - n - - smtpd -o two=reject -o one=reject\n"
        ),
        []
    );
}

#[test]
fn a_later_setting_names_the_earlier_one() {
    assert_eq!(
        said_of("biff = no\n# c\nbiff =\n  yes\nbiff = yes\n", ""),
        [notice(
            Duplicate,
            "biff =\n  yes",
            "DIR/main.cf, line 3: overriding earlier entry: biff=no"
        )]
    );
}

#[test]
fn names_of_the_process_cannot_be_set() {
    assert_eq!(
        said_of("process_id = 1\n", ""),
        [notice(
            ReadOnly,
            "process_id = 1",
            "DIR/main.cf: read-only parameter assignment: process_id=1"
        )]
    );
}

#[test]
fn a_dollar_sign_that_defaults_inherit_is_looked_at() {
    let kinds: Vec<_> = said_of("mydomain = x$$\n", "")
        .into_iter()
        .map(|(kind, _, message)| (kind, message))
        .collect();
    assert_eq!(
        kinds,
        [(
            MalformedExpression,
            "empty macro name: \"localhost.x$\"".to_owned()
        )]
    );
}

#[test]
fn mistakes_that_end_postconf_do_not_hide_others_here() {
    assert_eq!(
        said_of("a b\nmydomain = $(\nc = 1\n", "smtp inet n\n"),
        [
            notice(
                MalformedLine,
                "a b",
                "DIR/main.cf, line 1: missing '=' after attribute name: \"a b\""
            ),
            notice(
                NoticeKind::MalformedService,
                "smtp inet n",
                "file DIR/master.cf: line 1: bad field count"
            ),
            // Once for the default of myhostname, once for the value itself.
            notice(
                MalformedExpression,
                "$(",
                "truncated macro reference: \"$(\""
            ),
            notice(
                Unusable,
                "$(",
                "dictionary mail_dict: macro processing error"
            ),
            notice(
                MalformedExpression,
                "$(",
                "truncated macro reference: \"$(\""
            ),
            notice(
                MalformedExpression,
                "$(",
                "truncated macro reference: \"$(\""
            ),
            notice(Unusable, "$(", "macro processing error"),
            notice(UnusedSetting, "c = 1", "DIR/main.cf: unused parameter: c=1"),
        ]
    );
}

#[test]
fn client_files_are_read_for_names_that_the_client_does_not_know() {
    let files = [
        (
            "main.cf",
            "virtual_alias_maps = proxy:mysql:$config_directory/my.cf, ldap:corp\ncorp_bind = no\n\
             corp_x = 1\nrelay_domains = mysql:/etc/postfix/my.cf\n",
        ),
        ("my.cf", "hosts = a\nhost = b\n"),
    ];
    assert_eq!(
        said("3.7.11", &files),
        [
            notice(
                UnusedInClient,
                "host = b",
                "mysql:/etc/postfix/my.cf: unused parameter: host=b"
            ),
            notice(
                UnusedSetting,
                "corp_x = 1",
                "DIR/main.cf: unused parameter: corp_x=1"
            ),
        ]
    );
}

#[test]
fn braces_count_wherever_a_table_could_be() {
    assert_eq!(
        said_of(
            "smtpd_banner = x {a\n",
            "smtp inet n - n - - smtpd -o {a} {b\n"
        ),
        [
            notice(
                MalformedArgument,
                "a",
                "master.cf: missing '=' after attribute name: \"a\""
            ),
            notice(MalformedArgument, "{b", "master.cf: missing '}' in \"{b\""),
            notice(Braces, "{a", "main.cf: missing '}' in \"{a\""),
        ]
    );
}

#[test]
fn versions_differ_in_what_they_mind() {
    let files = [
        (
            "main.cf",
            "smtp_use_tls = yes\nbiff = no\nbiff = yes\nsmtpd_banner = a #b c\n",
        ),
        ("master.cf", ""),
    ];
    let kinds = |version| {
        let said = said(version, &files).into_iter();
        said.map(|(kind, ..)| kind).collect::<Vec<_>>()
    };
    assert_eq!(kinds("2.10.10"), []);
    assert_eq!(kinds("3.7.11"), [Duplicate]);
    assert_eq!(kinds("3.8.6"), [Duplicate, NoticeKind::Comment]);
    assert_eq!(kinds("3.9.1"), [Duplicate, NoticeKind::Comment, Deprecated]);
}

/// Reads a configuration without files, as the 3.7.11 of a machine.
fn read(main_cf: &str, master_cf: &str) -> Postconf {
    let sources = Sources::default();
    let main = sources.add("main.cf".into(), main_cf.as_bytes().to_vec(), None);
    let master = sources.add("master.cf".into(), master_cf.as_bytes().to_vec(), None);
    Postconf::read(Given {
        version: Version::release(3, 7, 11),
        directory: "/etc/postfix",
        config_directory: None,
        main_cf: Some(&MainCf::parse(main)),
        master_cf: Some(&MasterCf::parse(master)),
        master_cf_first: false,
        overrides: Vec::new(),
        host: Host {
            name: "mail.example.com".to_owned(),
            ..Host::unknown()
        },
        resolve: resolve_offline,
        ask_installed: false,
        files: None,
    })
}

fn printed(print: impl FnOnce(&mut Vec<u8>) -> Vec<Notice>) -> (String, Vec<String>) {
    let mut out = Vec::new();
    let notices = print(&mut out).into_iter().map(|notice| notice.message);
    (String::from_utf8(out).unwrap(), notices.collect())
}

#[test]
fn computed_defaults_look_at_main_cf_alone() {
    let values = |main_cf: &str| {
        let show = Show {
            hide_names: true,
            ..Show::default()
        };
        let names = ["myhostname", "mydomain", "mynetworks"];
        printed(|out| read(main_cf, "").print_parameters(show, &names, out)).0
    };
    assert_eq!(
        values(""),
        "mail.example.com\nexample.com\n127.0.0.0/8 [::1]/128\n"
    );
    assert_eq!(
        values("myhostname = a.$mydomain\ncompatibility_level = 2\n"),
        "a.$mydomain\n\n127.0.0.1/32 [::1]/128\n"
    );
}

#[test]
fn a_value_that_cannot_be_expanded_ends_the_output() {
    // Only a test refers to x, so that nothing is wrong until x is printed.
    let postconf = read("mydomain = ${x?a}\nx = $\n", "");
    let show = Show {
        settings: true,
        expanded: true,
        ..Show::default()
    };
    let (out, notices) = printed(|out| postconf.print_parameters(show, &[""; 0], out));
    assert_eq!(out, "mydomain = a\n");
    assert_eq!(
        notices,
        ["empty macro name: \"$\"", "macro processing error"]
    );
}

#[test]
fn entries_with_one_name_and_type_share_their_overrides() {
    let postconf = read(
        "",
        "a unix - - n - - smtp\na unix - - n - - smtp -o x=$service_name/$process_name\n\
         a unix - - n - - ../bin/lmtp -o y=2 -o x=3\n",
    );
    let show = Show::default();
    let (out, _) = printed(|out| postconf.print_overrides(show, &[], out));
    assert_eq!(out, "a/unix/x = 3\na/unix/y = 2\n".repeat(2));
    let all = [ServiceRequest::parse(b"*/unix/z", 3).unwrap()];
    let (out, notices) = printed(|out| postconf.print_overrides(show, &all, out));
    assert_eq!((out.as_str(), notices.len()), ("", 1));
    let show = Show {
        expanded: true,
        ..show
    };
    let (out, _) = printed(|out| postconf.print_entries(show, &[""; 0], out).unwrap());
    assert!(out.contains("smtp -o x=a/smtp\n"), "{out}");
}

/// What the postconf of a version says of an entry.
fn said_of_entry(version: &str, arguments: &str) -> Vec<String> {
    let entry = format!("smtp inet n - n - - smtpd {arguments}\n");
    let files = [("main.cf", ""), ("master.cf", entry.as_str())];
    let said = said(version, &files).into_iter();
    said.map(|(_, _, message)| message).collect()
}

#[test]
fn older_versions_do_not_mind_a_missing_name() {
    let unused = ["DIR/master.cf: unused parameter: =x"];
    assert_eq!(said_of_entry("3.3.22", "-o =x"), unused);
    assert_eq!(said_of_entry("3.7.4", "-o =x"), unused);
    let none: [&str; 0] = [];
    assert_eq!(said_of_entry("3.7.5", "-o =x"), none);
    assert_eq!(said_of_entry("3.4.29", "-o =x"), none);
}

#[test]
fn words_in_braces_are_opened_since_3_5() {
    let none: [&str; 0] = [];
    assert_eq!(said_of_entry("3.4.29", "-o biff={a}x"), none);
    assert_eq!(
        said_of_entry("3.5.0", "-o biff={a}x"),
        ["master.cf:smtp/inet: syntax error after '}' in \"{a}x\""]
    );
    assert_eq!(
        said_of_entry("3.8.0", "-o biff={a}x"),
        ["DIR/master.cf:smtp/inet: syntax error after '}' in \"{a}x\""]
    );
}

#[test]
fn values_of_unknown_names_were_once_searched_for_tables() {
    let unusable = |version| {
        let said = said_of_entry(version, "-o x=$(");
        said.contains(&"macro processing error".to_owned())
    };
    assert!(unusable("2.11.11"));
    assert!(unusable("3.0.12"));
    assert!(!unusable("3.0.13"));
    assert!(!unusable("3.7.11"));
}

#[test]
fn entries_are_chosen_by_service_and_type() {
    let postconf = read(
        "",
        "a inet n - n - - smtpd\na unix - - n - - smtp\nb unix - - n - - lmtp\n",
    );
    let show = Show::default();
    let count = |patterns: &[&str]| {
        let (out, said) = printed(|out| {
            postconf
                .print_entries(show, patterns, out)
                .unwrap_or_default()
        });
        (out.lines().count(), said)
    };
    assert_eq!(count(&["a"]), (2, vec![]));
    assert_eq!(count(&["*/unix", "b"]), (3, vec![]));
    assert_eq!(
        count(&["c"]),
        (0, vec!["unmatched request: \"c\"".to_owned()])
    );
    assert!(
        postconf
            .print_entries(show, &["a/b/c"], &mut Vec::new())
            .is_err()
    );
}
