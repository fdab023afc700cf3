//! `postlint replay`: what a configuration would answer to the recipients of a log, and that a real Postfix has
//! answered the same.

mod common;

use std::fs;

use common::fixture;
use common::postfix::{Private, is_available};
use common::postlint::{Outcome, run};
use serde_json::Value;

/// A week of the server of the fixture, before it was mended.
const WEEK: &str = "\
Nov  4 02:54:20 mx postfix/smtpd[11]: A0000001: client=mail.example.edu[192.0.2.9]
Nov  4 02:54:20 mx postfix/qmgr[13]: A0000001: from=<a@example.edu>, size=800, nrcpt=2 (queue active)
Nov  4 02:54:21 mx postfix/local[14]: A0000001: to=<anna@example.com>, relay=local, delay=0.1, delays=0/0/0/0, dsn=4.3.0, status=deferred (try again)
Nov  4 02:54:21 mx postfix/local[14]: A0000001: to=<anna@example.com>, relay=local, delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
Nov  4 02:54:21 mx postfix/local[14]: A0000001: to=<nobody-here@example.com>, relay=local, delay=0.1, delays=0/0/0/0, dsn=5.1.1, status=bounced (unknown user: \"nobody-here\")
Nov  4 02:54:21 mx postfix/qmgr[13]: A0000001: removed
Nov  4 02:54:22 mx postfix/smtpd[11]: A0000002: client=mail.example.edu[192.0.2.9]
Nov  4 02:54:22 mx postfix/qmgr[13]: A0000002: from=<a@example.edu>, size=800, nrcpt=1 (queue active)
Nov  4 02:54:22 mx postfix/local[14]: A0000002: to=<gone@example.com>, relay=local, delay=0.1, delays=0/0/0/0, dsn=2.0.0, status=sent (delivered to mailbox)
Nov  4 02:54:23 mx postfix/smtpd[11]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 554 5.7.1 <x@elsewhere.test>: Relay access denied; from=<b@example.edu> to=<x@elsewhere.test> proto=SMTP helo=<h.example.edu>
Nov  4 02:54:23 mx postfix/smtpd[11]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 550 5.1.1 <ben@example.com>: Recipient address rejected: User unknown in local recipient table; from=<b@example.edu> to=<ben@example.com> proto=SMTP helo=<h.example.edu>
Nov  4 02:54:24 mx postfix/smtpd[11]: NOQUEUE: milter-reject: RCPT from unknown[192.0.2.66]: 550 5.7.1 Command rejected; from=<b@example.edu> to=<ben@example.com> proto=SMTP helo=<h.example.edu>
";

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn recipients(found: &Value, list: &str) -> Vec<String> {
    let list = found[list].as_array().expect("a list").iter();
    let names = list.map(|change| change["recipient"].as_str().expect("a name").to_owned());
    names.collect()
}

#[test]
fn what_would_be_otherwise() {
    let directory = tempfile::tempdir().expect("a directory");
    fs::write(directory.path().join("mail.log"), WEEK).expect("a file");
    let mended = fixture("_mail/story-fixed");
    let mended = mended.to_str().expect("a path");
    let outcome = run(
        directory.path(),
        &["replay", "--format", "json", "mail.log", mended],
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let found = json(&outcome);
    assert_eq!(
        (&found["version"], &found["attempts"], &found["recipients"]),
        (&1.into(), &5.into(), &5.into())
    );
    assert_eq!(
        recipients(&found, "would_refuse_delivered"),
        ["gone@example.com"]
    );
    assert_eq!(
        recipients(&found, "would_refuse_unknown"),
        ["nobody-here@example.com"]
    );
    assert_eq!(
        recipients(&found, "would_accept_refused"),
        ["ben@example.com"]
    );
    assert_eq!(
        (&found["same"], &found["same_reply"]),
        (&2.into(), &1.into()),
        "{found}"
    );
    assert_eq!(
        (&found["unknown"], &found["skipped"]),
        (&0.into(), &1.into())
    );
    let refused = &found["would_refuse_delivered"][0];
    assert_eq!(
        (&refused["code"], &refused["dsn"]),
        (&550.into(), &"5.1.1".into())
    );

    let text = run(directory.path(), &["replay", "mail.log", "-c", mended]);
    for part in [
        "would refuse 1 recipients that were delivered",
        "gone@example.com: 550 5.1.1",
        "would accept 1 recipients",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
}

#[test]
fn what_cannot_be_read() {
    let directory = tempfile::tempdir().expect("a directory");
    let story = fixture("_mail/story");
    let story = story.to_str().expect("a path");
    let outcome = run(directory.path(), &["replay", "no-such.log", story]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
}

/// The log of a real Postfix, replayed against its own configuration: everything is as it was.
#[test]
fn a_real_log_is_answered_as_it_was() {
    if !is_available("replay") {
        return;
    }
    let mut attempts = 0;
    for name in ["_mail/story", "_mail/story-fixed"] {
        let directory = fixture(name);
        let postfix =
            Private::start(&directory, &[]).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut expected = 0;
        for address in [
            "anna@example.com",
            "ben@mail.example.com",
            "postmaster@example.com",
            "info@example.org",
            "orders@example.org",
            "nobody-here@example.com",
            "nobody-here@example.net",
            "shop@example.org",
            "nobody@example.org",
            "x@elsewhere.test",
            "\"a b\"@example.com",
            "ANNA@Example.COM",
        ] {
            if postfix.rcpt(address).code < 400 {
                let _ = postfix.send(address);
            }
            expected += 1;
        }
        let work = tempfile::tempdir().expect("a directory");
        let log = work.path().join("mail.log");
        fs::write(&log, postfix.log()).expect("a file");
        let arguments = [
            "replay",
            "--format",
            "json",
            "mail.log",
            directory.to_str().expect("a path"),
        ];
        let outcome = run(work.path(), &arguments);
        let found = json(&outcome);
        assert_eq!(
            found["attempts"].as_u64(),
            Some(expected),
            "{name}: {found}"
        );
        assert_eq!(found["same"], found["attempts"], "{name}: {found}");
        assert_eq!(outcome.code, Some(0), "{name}: {found}");
        attempts += expected;
    }
    assert_eq!(attempts, 24);
}
