//! `postlint log`: what is read, what is counted, and what is made of it.

mod common;

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use common::fixture;
use common::postlint::{Outcome, command, run, run_with};
use serde_json::Value;
use tempfile::TempDir;

/// A day of a server that accepts mail for nobody, and is listed for it.
const DAY: &str = include_str!("../fixtures/_mail/story.log");

fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"))
}

fn write(name: &str, bytes: &[u8]) -> (TempDir, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join(name);
    fs::write(&path, bytes).expect("a file");
    let shown = path.display().to_string();
    (directory, shown)
}

fn counts(log: &Value) -> [u64; 8] {
    [
        "received", "sent", "bounced", "deferred", "expired", "rejected", "warnings", "fatals",
    ]
    .map(|name| log["counts"][name].as_u64().expect("a number"))
}

#[test]
fn a_notice_is_followed_to_its_cause() {
    let (directory, log) = write("mail.log", DAY.as_bytes());
    let story = fixture("_mail/story");
    let story = story.to_str().expect("a path");
    let outcome = run(
        directory.path(),
        &["log", "-c", story, "--format", "json", &log],
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let found = json(&outcome);
    assert_eq!(
        (&found["version"], &found["lines"]),
        (&1.into(), &13.into())
    );
    assert_eq!(
        (&found["first"], &found["last"]),
        (&"Nov  4 02:54:20".into(), &"Nov  4 03:12:24".into())
    );
    assert_eq!(counts(&found), [1, 0, 1, 1, 0, 1, 1, 0]);
    let backscatter = &found["backscatter"][0];
    assert_eq!(backscatter["recipient"], "nobody-here@example.com");
    assert_eq!(backscatter["rule"], "BS001");
    assert_eq!(backscatter["now"], "bounces");
    assert!(
        backscatter["file"]
            .as_str()
            .is_some_and(|file| file.ends_with("main.cf"))
    );
    assert!(backscatter["line"].as_u64().is_some());
    assert_eq!(
        (&backscatter["count"], &backscatter["deferred"]),
        (&1.into(), &1.into())
    );
    let refused = &found["refused_by_others"][0];
    assert_eq!(refused["remote"], "mx.example.edu");
    assert_eq!(
        (&refused["code"], &refused["dsn"]),
        (&421.into(), &"4.3.2".into())
    );
    assert_eq!(
        found["accepted_unknown"][0]["recipient"],
        "nobody-here@example.com"
    );
    assert_eq!(found["null_sender_deferred"][0]["domain"], "example.edu");
    assert_eq!(found["null_sender_left"], 1);
    assert_eq!(found["messages"][0]["rule"], "SX009");

    // Of the mended server it is known that this is over; without a configuration, nothing.
    let mended = fixture("_mail/story-fixed");
    let mended = mended.to_str().expect("a path");
    let found = json(&run(
        directory.path(),
        &["log", "-c", mended, "--format", "json", &log],
    ));
    assert_eq!(found["backscatter"][0]["now"], "refused");
    let mut bare = command(directory.path());
    bare.env("MAIL_CONFIG", directory.path());
    let found = json(&run_with(bare.args(["log", "--format", "json", &log]), b""));
    for name in ["rule", "file", "line", "now"] {
        assert_eq!(found["backscatter"][0][name], Value::Null);
    }
    let text = run(directory.path(), &["log", "-c", story, &log]);
    for part in [
        "because of nobody-here@example.com",
        "BS001",
        "it would happen again",
        "421 4.3.2",
    ] {
        assert!(text.out.contains(part), "{part}: {}", text.out);
    }
    assert_eq!(text.err, "");
}

#[test]
fn our_own_users_are_no_strangers() {
    let (directory, log) = write(
        "mail.log",
        DAY.replace(
            "mail.example.org[192.0.2.9]\n",
            "x[192.0.2.9], sasl_method=PLAIN, sasl_username=anna\n",
        )
        .replace(
            "connect from x[192.0.2.9], sasl_method=PLAIN, sasl_username=anna",
            "connect from x[192.0.2.9]",
        )
        .as_bytes(),
    );
    let found = json(&run(directory.path(), &["log", "--format", "json", &log]));
    assert_eq!(found["backscatter"], Value::Array(Vec::new()));
    assert_eq!(found["notices"]["own"], 1);
}

#[test]
fn all_forms_of_the_same_log() {
    let (directory, log) = write("mail.log", DAY.as_bytes());
    let of = |arguments: &[&str], input: &[u8]| {
        let mut command = command(directory.path());
        run_with(
            command.args(["log", "--format", "json"]).args(arguments),
            input,
        )
        .out
    };
    let plain = of(&[&log], b"");
    assert_eq!(of(&["-"], DAY.as_bytes()), plain);
    assert_eq!(of(&["-"], DAY.replace('\n', "\r\n").as_bytes()), plain);
    for (program, arguments) in [("gzip", "-c"), ("xz", "-c"), ("zstd", "-c")] {
        let packed = Command::new(program).arg(arguments).arg(&log).output();
        let Ok(packed) = packed.map(|output| output.stdout) else {
            // Not installed here.
            continue;
        };
        assert_eq!(of(&["-"], &packed), plain, "{program}");
        // Two, one after the other, as `cat a.gz b.gz` gives them.
        let twice: Value = serde_json::from_str(&of(&["-"], &packed.repeat(2))).expect("JSON");
        assert_eq!(twice["lines"], 26, "{program}");
        let mut cut = command(directory.path());
        let cut = run_with(cut.args(["log", "-"]), &packed[..packed.len() - 12]);
        assert!(
            cut.err.contains("standard input breaks off"),
            "{program}: {cut:?}"
        );
    }
    // Other stamps, other words.
    let other = DAY.replace("Nov  4 ", "Nov 04 ");
    assert_eq!(
        of(&["-"], other.as_bytes()),
        plain.replace("Nov  4 ", "Nov 04 ")
    );
    let other = DAY
        .replace("Nov  4 0", "2026-11-04T0")
        .replace(" mx ", "+0100 mx ");
    let other: Value = serde_json::from_str(&of(&["-"], other.as_bytes())).expect("JSON");
    let plain: Value = serde_json::from_str(&plain).expect("JSON");
    assert_eq!(counts(&other), counts(&plain));
    assert_eq!(other["first"], "2026-11-04T02:54:20+0100");
}

#[test]
fn hostile_lines() {
    let mut log = vec![b'x'; 10 << 20];
    log.push(b'\n');
    log.extend_from_slice(&[0, 0xff, 0xfe, b'\n', b'\n', b'\r', b'\n']);
    log.extend_from_slice(DAY.as_bytes());
    log.extend_from_slice(b"Nov  4 02:54:25 mx postfix/smtp[1]: 4jYS1f1qnCzC6: to=<\"a>, b\"@r.test>, relay=h[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 \xff\0)\n");
    log.extend_from_slice(b"Nov  4 02:54:25 mx last message repeated 2 times\n");
    log.extend_from_slice(b"Nov  4 02:54:25 mx postfix-out/smtp[1]: message repeated 3 times: [ CC6053C: to=<a@r.test>, relay=h[192.0.2.1]:25, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (ok)]\n");
    log.extend_from_slice(b"Nov  4 02:54:26 mx postfix/smtp[1]: CC6053C: to=<cut");
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = command(directory.path());
    let outcome = run_with(command.args(["log", "--format", "json", "-"]), &log);
    let found = json(&outcome);
    assert_eq!(found["lines"], 13 + 4 + 4, "{outcome:?}");
    assert_eq!(counts(&found), [1, 6, 1, 1, 0, 1, 1, 0]);
}

#[test]
fn rotated_files_are_put_in_order() {
    let directory = tempfile::tempdir().expect("a directory");
    let line = |stamp: &str| format!("{stamp} mx postfix/qmgr[1]: CC6053C: removed\n");
    for (name, stamp) in [
        ("mail.log", "2026-01-02T00:00:00Z"),
        ("mail.log.1", "2026-01-01T00:00:00Z"),
        ("mail.log.2", "2025-12-31T00:00:00Z"),
    ] {
        fs::write(directory.path().join(name), line(stamp)).expect("a file");
    }
    let outcome = run(
        directory.path(),
        &[
            "log",
            "--format",
            "json",
            "mail.log",
            "mail.log.1",
            "mail.log.2",
        ],
    );
    let found = json(&outcome);
    assert_eq!(outcome.code, Some(0));
    assert_eq!(found["first"], "2025-12-31T00:00:00Z");
    assert_eq!(found["last"], "2026-01-02T00:00:00Z");
}

#[test]
fn clients_that_try_names() {
    let mut log = String::new();
    for number in 0..30 {
        let name = number % 25;
        let _ = writeln!(
            log,
            "Nov  4 02:54:23 mx postfix/smtpd[11]: NOQUEUE: reject: RCPT from unknown[192.0.2.66]: 550 5.1.1 \
             <n{name}@example.com>: Recipient address rejected: User unknown in local recipient table; from=<a@b.test> \
             to=<n{name}@example.com> proto=ESMTP helo=<h>"
        );
    }
    let (directory, log) = write("mail.log", log.as_bytes());
    let outcome = run(directory.path(), &["log", "--format", "json", &log]);
    assert_eq!(outcome.code, Some(0));
    let found = json(&outcome);
    let attack = &found["attacks"][0];
    assert_eq!(attack["client"], "192.0.2.66");
    assert_eq!(
        (&attack["recipients"], &attack["count"]),
        (&25.into(), &30.into())
    );
}

#[test]
fn what_cannot_be_read() {
    let directory = tempfile::tempdir().expect("a directory");
    for name in ["no-such.log", "."] {
        let outcome = run(directory.path(), &["log", name]);
        assert_eq!(outcome.code, Some(3), "{outcome:?}");
        assert!(
            outcome.err.contains("name a mail log that you may read"),
            "{outcome:?}"
        );
    }
    let outcome = run(directory.path(), &["log", "--format", "xml"]);
    assert_eq!(outcome.code, Some(2));
}

/// The numbers of grep(1) are those of postlint, on a log with everything in it.
#[test]
fn grep_counts_the_same() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("mail.log");
    generate(&path, 20_000);
    let path = path.to_str().expect("a path");
    let grep = |pattern: &str| -> u64 {
        let output = Command::new("grep")
            .args(["-acE", pattern, path])
            .env("LC_ALL", "C")
            .stderr(Stdio::inherit())
            .output()
            .expect("grep runs");
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse()
            .expect("a number")
    };
    let found = json(&run(directory.path(), &["log", "--format", "json", path]));
    assert_eq!(found["lines"], grep(""));
    assert_eq!(
        counts(&found),
        [
            grep(r"smtpd\[[0-9]+\]: [0-9A-Za-z]+: client=|pickup\[[0-9]+\]: [0-9A-Za-z]+: uid="),
            grep(r": to=<.*, status=sent "),
            grep(r": to=<.*, status=bounced "),
            grep(r": to=<.*, status=(deferred|SOFTBOUNCE) "),
            grep(r"qmgr\[[0-9]+\]: .*, status=(force-)?expired,"),
            grep(r": (milter-)?reject: [A-Z]"),
            grep(r"\]: warning: "),
            grep(r"\]: fatal: "),
        ]
    );
}

/// A log of so many messages and refusals, the same each time.
fn generate(path: &Path, messages: u64) {
    let mut file = std::io::BufWriter::new(File::create(path).expect("a file"));
    let mut state = 4711_u64;
    let mut random = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) % below
    };
    for number in 0..messages {
        let frame = |name: &str| {
            format!(
                "Jun  1 {:02}:{:02}:00 mx {name}[{}]:",
                number / 3_600 % 24,
                number / 60 % 60,
                number % 999
            )
        };
        let mut say = |name: &str, text: &str| {
            writeln!(file, "{} {text}", frame(name)).expect("written");
        };
        // Ids are used again.
        let id = format!("{:07X}", 0xA0_0000 + number % 5_000);
        match random(10) {
            0 => say(
                "postfix/smtpd",
                "NOQUEUE: reject: RCPT from u[192.0.2.1]: 550 5.1.1 <a@b.test>: User unknown; from=<> to=<a@b.test> proto=SMTP helo=<x>",
            ),
            1 => say(
                "postfix/postscreen",
                "NOQUEUE: reject: RCPT from [192.0.2.1]:99: 550 5.7.1 Service unavailable; client [192.0.2.1] blocked using bl.test; from=<a@b.test>, to=<c@d.test>, proto=ESMTP, helo=<x>",
            ),
            2 => say(
                "postfix/smtpd",
                "warning: hostname x does not resolve to address 192.0.2.1",
            ),
            3 => say(
                "postfix/smtpd",
                "fatal: open database /etc/postfix/access.db: No such file or directory",
            ),
            _ => {
                match random(3) {
                    0 => say("postfix/pickup", &format!("{id}: uid=1 from=<root>")),
                    1 => say(
                        "postfix/submission/smtpd",
                        &format!("{id}: client=u[192.0.2.7], sasl_method=PLAIN, sasl_username=u"),
                    ),
                    _ => say("postfix/smtpd", &format!("{id}: client=u[192.0.2.7]")),
                }
                say("postfix/cleanup", &format!("{id}: message-id=<x>"));
                say(
                    "postfix/qmgr",
                    &format!("{id}: from=<s@x.test>, size=1, nrcpt=1 (queue active)"),
                );
                let mut is_done = true;
                for _ in 0..=random(3) {
                    let status = [
                        "sent",
                        "sent",
                        "bounced",
                        "deferred",
                        "SOFTBOUNCE",
                        "deliverable",
                    ][random(6) as usize];
                    is_done &= status != "deferred";
                    say(
                        "postfix/smtp",
                        &format!(
                            "{id}: to=<r{}@y.test>, relay=none, delay=1, delays=1/0/0/0, dsn=4.0.0, status={status} (text status=sent)",
                            random(50)
                        ),
                    );
                }
                if is_done {
                    say("postfix/qmgr", &format!("{id}: removed"));
                } else if random(2) == 0 {
                    say(
                        "postfix/qmgr",
                        &format!("{id}: from=<s@x.test>, status=expired, returned to sender"),
                    );
                }
            }
        }
    }
}
