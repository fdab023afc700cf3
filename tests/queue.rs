//! `postlint queue` on listings of a queue.

mod common;

use common::fixture;
use common::postlint::{Outcome, command, run_with};

/// The configuration of the fixtures has example.com, and refuses nobody-here there.
fn queue(arguments: &[&str], listing: &[u8]) -> Outcome {
    let directory = fixture("_mail");
    let mut command = command(&directory);
    run_with(
        command
            .args(["queue", "-", "-c", "story-fixed"])
            .args(arguments),
        listing,
    )
}

fn line(id: &str, sender: &str, recipients: &[&str]) -> String {
    let recipients: Vec<String> = recipients
        .iter()
        .map(|address| format!(r#"{{"address": "{address}", "delay_reason": "no"}}"#))
        .collect();
    let recipients = recipients.join(", ");
    format!(
        "{{\"queue_name\": \"deferred\", \"queue_id\": \"{id}\", \"arrival_time\": 1700000000, \
         \"message_size\": 900, \"forced_expire\": false, \"sender\": \"{sender}\", \"recipients\": [{recipients}]}}\n"
    )
}

fn ids(outcome: &Outcome) -> Vec<String> {
    let json: serde_json::Value =
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    assert_eq!(json["version"], 1);
    let list = json["backscatter"].as_array().expect("a list");
    list.iter()
        .map(|one| one["queue_id"].as_str().expect("an id").to_owned())
        .collect()
}

#[test]
fn only_what_is_not_wanted_is_found() {
    let listing = [
        line("A1", "MAILER-DAEMON", &["forged@victim.test"]),
        line("A2", "someone@elsewhere.test", &["nobody-here@example.com"]),
        // Wanted: notices and answers to our own users, mail of theirs, mail for them.
        line("B1", "MAILER-DAEMON", &["anna@example.com"]),
        line("B2", "anna@example.com", &["friend@elsewhere.test"]),
        line("B3", "friend@elsewhere.test", &["anna@example.com"]),
        line(
            "B4",
            "x@y.test",
            &["nobody-here@example.com", "anna@example.com"],
        ),
        line(
            "B5",
            "MAILER-DAEMON",
            &["forged@victim.test", "anna@example.com"],
        ),
        line("B6", "MAILER-DAEMON", &[]),
        line("B7", "MAILER-DAEMON", &["without-a-domain"]),
    ]
    .concat();
    let outcome = queue(&["--format", "json"], listing.as_bytes());
    assert_eq!(ids(&outcome), ["A1", "A2"], "{outcome:?}");
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn text_of_mailq_gives_the_same() {
    let listing = b"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
A1*       12 Tue Nov  4 02:50:35  MAILER-DAEMON
      (host x said: no)
                                         forged@victim.test

B1!       12 Tue Nov  4 02:50:35  MAILER-DAEMON
                                         anna@example.com

-- 0 Kbytes in 2 Requests.
";
    let outcome = queue(&["--format", "json"], listing);
    assert_eq!(ids(&outcome), ["A1"], "{outcome:?}");
    let outcome = queue(&[], listing);
    assert!(outcome.out.contains("1 of 2 messages"), "{outcome:?}");
}

#[test]
fn an_empty_queue_and_no_queue_at_all() {
    for empty in [&b""[..], b"Mail queue is empty\n"] {
        let outcome = queue(&[], empty);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
    }
    for garbage in [&b"\0\xff\xfe\n\n"[..], b"{\"queue_id\": 5}\n", b"hello\n"] {
        let outcome = queue(&[], garbage);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
    }
    let half = [
        line("A1", "MAILER-DAEMON", &["a@b.test"]),
        "{\"queue".to_owned(),
    ]
    .concat();
    let outcome = queue(&[], half.as_bytes());
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.err.contains("1 lines cannot be read"),
        "{outcome:?}"
    );
}
