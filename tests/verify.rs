//! `postlint verify` asks servers that may say anything: a real Postfix before and after it was mended, one
//! that takes everything, and those that do not keep to SMTP.

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::fixture;
use common::postfix::{Private, is_available};
use common::postlint::{Outcome, run};
use common::smtp::{CLIENT_ADDRESS, CLIENT_NAME};
use serde_json::Value;

fn verify(arguments: &[&str]) -> Outcome {
    let all = [&["verify", "--pause", "0"], arguments].concat();
    run(&fixture(""), &all)
}

fn verify_json(arguments: &[&str]) -> (Option<i32>, Value) {
    let outcome = verify(&[arguments, &["--format", "json"]].concat());
    assert_eq!(outcome.err, "");
    let value =
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    (outcome.code, value)
}

/// The verdicts on the recipients of a kind, null sender first.
fn verdicts(value: &Value, kind: &str) -> Vec<String> {
    let probes = value["probes"].as_array().expect("probes");
    let of_kind = probes.iter().filter(|probe| probe["kind"] == kind);
    of_kind
        .map(|probe| probe["verdict"].as_str().expect("a verdict").to_owned())
        .collect()
}

/// What somebody says who is nobody to the server.
fn as_stranger<'a>(server: &'a str, directory: &'a str) -> Vec<&'a str> {
    let stranger = ["--xclient", CLIENT_ADDRESS, "--client-name", CLIENT_NAME];
    let passwd = "_mail/story/passwd";
    [
        &[server, "-c", directory, "--passwd", passwd],
        &stranger[..],
    ]
    .concat()
}

#[test]
fn before_and_after_a_server_was_mended() {
    if !is_available("verify: story") {
        return;
    }
    for (directory, code, verdict) in [
        ("_mail/story", 1, "failed"),
        ("_mail/story-fixed", 0, "proved"),
    ] {
        let postfix = Private::start(&fixture(directory), &[]).expect("Postfix starts");
        let server = format!("127.0.0.1:{}", postfix.port("smtp"));
        let outcome = verify(&as_stranger(&server, directory));
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
        assert!(
            outcome.out.contains(&format!("\n{verdict}: ")),
            "{}",
            outcome.out
        );

        let (_, value) = verify_json(&as_stranger(&server, directory));
        assert_eq!(value["verdict"], verdict, "{value:#}");
        assert_eq!(value["client"], CLIENT_ADDRESS);
        let probes = value["probes"].as_array().expect("probes");
        assert!(probes.len() > 20, "{value:#}");
        for probe in probes {
            assert_eq!(probe["agrees"], true, "the model is wrong: {probe:#}");
        }
        assert_eq!(verdicts(&value, "relay"), ["refused"; 2]);
        assert_eq!(verdicts(&value, "percent").len(), 4);
        assert!(
            verdicts(&value, "postmaster")
                .iter()
                .all(|one| one == "reachable")
        );
        // Neither asks for DATA.
        assert!(postfix.sent_away().is_empty());
        assert!(!postfix.log().contains("queue active"), "{}", postfix.log());
    }
}

#[test]
fn another_configuration_than_the_one_in_force() {
    if !is_available("verify: not reloaded") {
        return;
    }
    let postfix = Private::start(&fixture("_mail/story"), &[]).expect("Postfix starts");
    let server = format!("127.0.0.1:{}", postfix.port("smtp"));
    let outcome = verify(&as_stranger(&server, "_mail/story-fixed"));
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let words =
        "the server answers 250 2.1.5, this configuration says 550 5.1.1: it was not reloaded";
    assert!(outcome.out.contains(words), "{}", outcome.out);
}

#[test]
fn a_client_that_may_relay_proves_nothing_about_relaying() {
    if !is_available("verify: mynetworks") {
        return;
    }
    let directory = "_mail/story-fixed";
    let postfix = Private::start(&fixture(directory), &[]).expect("Postfix starts");
    let server = format!("127.0.0.1:{}", postfix.port("smtp"));
    let common = [&server, "-c", directory, "--passwd", "_mail/story/passwd"];
    let (code, value) = verify_json(&common);
    assert_eq!(
        (code, &value["verdict"]),
        (Some(3), &Value::from("unknown")),
        "{value:#}"
    );
    assert_eq!(verdicts(&value, "relay"), ["unknown"; 2]);
    assert!(
        verdicts(&value, "unknown")
            .iter()
            .all(|one| one == "refused")
    );
}

#[test]
fn an_open_relay_whose_configuration_is_none() {
    if !is_available("verify: open relay") {
        return;
    }
    let directory = "_mail/story-fixed";
    let everybody = ["mynetworks=0.0.0.0/0"];
    let postfix = Private::start(&fixture(directory), &everybody).expect("Postfix starts");
    let server = format!("127.0.0.1:{}", postfix.port("smtp"));
    let (code, value) = verify_json(&as_stranger(&server, directory));
    assert_eq!(code, Some(1), "{value:#}");
    assert_eq!(verdicts(&value, "relay"), ["relay"; 2]);
    assert!(
        verdicts(&value, "unknown")
            .iter()
            .all(|one| one == "refused")
    );
}

#[test]
fn refusals_of_the_client_prove_nothing() {
    if !is_available("verify: client refused") {
        return;
    }
    let directory = "_mail/story-fixed";
    for settings in [
        &["smtpd_client_restrictions=reject"][..],
        &["smtpd_client_restrictions=reject", "smtpd_delay_reject=no"],
        &["smtpd_sender_restrictions=reject"],
        &[
            "smtpd_client_connection_rate_limit=1",
            "smtpd_client_event_limit_exceptions=",
        ],
        &["smtpd_helo_restrictions=reject", "smtpd_delay_reject=no"],
    ] {
        let postfix = Private::start(&fixture(directory), settings).expect("Postfix starts");
        let server = format!("127.0.0.1:{}", postfix.port("smtp"));
        let outcome = verify(&[&as_stranger(&server, directory)[..], &["--no-relay"]].concat());
        assert_eq!(outcome.code, Some(3), "{settings:?}: {}", outcome.out);
    }
}

#[test]
fn few_errors_are_allowed_and_tls_is_used() {
    if !is_available("verify: TLS") {
        return;
    }
    let directory = "_mail/story-fixed";
    let keys = tempfile::tempdir().expect("a temporary directory");
    let pem = |name: &str| keys.path().join(name).to_str().expect("UTF-8").to_owned();
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=mail.example.com",
        ])
        .args(["-keyout", &pem("key.pem"), "-out", &pem("cert.pem")])
        .stderr(Stdio::null())
        .status();
    assert!(
        made.is_ok_and(|status| status.success()),
        "openssl makes no certificate"
    );
    let settings = [
        format!("smtpd_tls_cert_file={}", pem("cert.pem")),
        format!("smtpd_tls_key_file={}", pem("key.pem")),
        "smtpd_tls_security_level=encrypt".to_owned(),
        "smtpd_hard_error_limit=3".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let postfix = Private::start(&fixture(directory), &settings).expect("Postfix starts");
    let server = format!("127.0.0.1:{}", postfix.port("smtp"));
    let outcome = verify(&as_stranger(&server, directory));
    assert_eq!(outcome.code, Some(0), "{outcome:?}\n{}", postfix.log());
    assert!(
        outcome.out.contains("certificate not verified"),
        "{}",
        outcome.out
    );
    let without = verify(&[&as_stranger(&server, directory)[..], &["--no-tls"]].concat());
    assert_eq!(without.code, Some(3), "{}", without.out);
}

/// A program that is stopped at the end.
struct Stopped(Child);

impl Drop for Stopped {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

#[test]
fn a_server_that_takes_everything() {
    if !is_available("verify: smtp-sink") {
        return;
    }
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let address = format!("127.0.0.1:{port}");
    let sink = Command::new("/usr/sbin/smtp-sink")
        .args(["-c", "-u", "nobody", &address, "10"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let sink = Stopped(sink.expect("smtp-sink is there with Postfix"));
    let end = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(&address).is_err() && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    let outcome = verify(&[
        &address,
        "-c",
        "_mail/story-fixed",
        "--passwd",
        "_mail/story/passwd",
    ]);
    drop(sink);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(outcome.out.contains("failed: of "), "{}", outcome.out);
}

/// A server that does as it likes.
struct Wild {
    port: u16,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Wild {
    fn start(conduct: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, conduct) = (Arc::clone(&stop), Arc::new(conduct));
        let thread = thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let conduct = Arc::clone(&conduct);
                thread::spawn(move || conduct(stream));
            }
        });
        Self {
            port,
            stop,
            thread: Some(thread),
        }
    }

    /// One that answers each command by its first word.
    fn answering(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::start(move |stream| converse(stream, &answer))
    }
}

impl Drop for Wild {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// Says what `answer` gives to each command; nothing ends the conversation.
fn converse(stream: TcpStream, answer: &dyn Fn(&str) -> Vec<u8>) {
    let mut stream = BufReader::new(stream);
    let say = |stream: &mut BufReader<TcpStream>, command: &str| {
        let bytes = answer(command);
        !bytes.is_empty() && stream.get_mut().write_all(&bytes).is_ok()
    };
    if !say(&mut stream, "") {
        return;
    }
    for _ in 0..1_000 {
        let mut line = String::new();
        let read = stream.by_ref().take(4_096).read_line(&mut line);
        if !read.is_ok_and(|count| count > 0) || !say(&mut stream, line.trim_end()) {
            return;
        }
    }
}

/// A well-behaved server that knows nobody but the postmaster.
fn decent(command: &str) -> Vec<u8> {
    let upper = command.to_ascii_uppercase();
    let reply = match upper.get(..4).unwrap_or("") {
        "" => "220 wild.test ESMTP",
        "EHLO" => "250-wild.test\r\n250 SIZE",
        "RCPT" if upper.contains("POSTMASTER") => "250 2.1.5 Ok",
        "RCPT" => "550 5.1.1 User unknown",
        "QUIT" => "221 bye",
        _ => "250 ok",
    };
    format!("{reply}\r\n").into_bytes()
}

fn is(command: &str, word: &str) -> bool {
    command.to_ascii_uppercase().starts_with(word)
}

fn asked(server: &Wild, more: &[&str]) -> (Option<i32>, Value, Duration) {
    let address = format!("127.0.0.1:{}", server.port);
    let begin = Instant::now();
    let bare = [
        "--root",
        "/nonexistent",
        "--domain",
        "example.com",
        "--timeout",
        "0.5",
    ];
    let (code, value) = verify_json(&[&[address.as_str()][..], &bare, more].concat());
    (code, value, begin.elapsed())
}

#[test]
fn a_decent_server_is_proved() {
    let (code, value, _) = asked(&Wild::answering(decent), &[]);
    assert_eq!(
        (code, &value["verdict"]),
        (Some(0), &Value::from("proved")),
        "{value:#}"
    );
    assert_eq!(value["service"], Value::Null);
    assert_eq!(value["probes"][0]["agrees"], Value::Null);
}

#[test]
fn servers_that_do_not_keep_to_smtp_prove_nothing() {
    type Answer = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;
    let instead = |word: &'static str, bytes: Vec<u8>| -> Answer {
        Box::new(move |command| match is(command, word) {
            true => bytes.clone(),
            false => decent(command),
        })
    };
    let cases: Vec<(&str, Answer)> = vec![
        ("no greeting", Box::new(|_| Vec::new())),
        ("drops at EHLO", instead("EHLO", Vec::new())),
        ("drops at RCPT", instead("RCPT", Vec::new())),
        (
            "no SMTP",
            Box::new(|_| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ),
        ("binary", Box::new(|_| vec![0xff; 5_000])),
        (
            "garbage for RCPT",
            instead("RCPT", b"\x1b[2Jwhat?\r\n".to_vec()),
        ),
        (
            "two codes",
            instead("RCPT", b"250-yes\r\n550 no\r\n".to_vec()),
        ),
        (
            "two replies",
            instead(
                "RCPT",
                b"550 5.1.1 User unknown\r\n250 2.1.5 Ok\r\n".to_vec(),
            ),
        ),
        ("a line of 10 MB", instead("RCPT", vec![b'5'; 10_000_000])),
        (
            "a reply without end",
            instead("RCPT", b"550-5.1.1 User unknown\r\n".repeat(200_000)),
        ),
        ("422 lines", instead("EHLO", b"250-x\r\n".repeat(422))),
        (
            "half a line",
            instead("RCPT", b"550 5.1.1 User unk".to_vec()),
        ),
        (
            "goes away",
            instead("RCPT", b"421 4.7.0 too many errors\r\n".to_vec()),
        ),
        (
            "full",
            Box::new(|_| b"421 4.7.0 Error: too many connections\r\n".to_vec()),
        ),
        (
            "unwilling",
            Box::new(|_| b"554 no SMTP service here\r\n".to_vec()),
        ),
        (
            "greylists",
            instead("RCPT", b"450 4.2.0 Greylisted, see later\r\n".to_vec()),
        ),
        (
            "counts",
            instead(
                "RCPT",
                b"450 4.7.1 Error: too many recipients from 127.0.0.1\r\n".to_vec(),
            ),
        ),
        ("odd code", instead("RCPT", b"354 go on\r\n".to_vec())),
        ("refuses all", instead("RCPT", b"550 no\r\n".to_vec())),
        (
            "refuses the sender",
            instead("MAIL", b"550 5.1.1 no\r\n".to_vec()),
        ),
        (
            "refuses the name",
            instead("EHLO", b"550 5.1.1 no\r\n".to_vec()),
        ),
        (
            "blocks",
            instead(
                "RCPT",
                b"554 5.7.1 Client host [127.0.0.1] blocked using x.test\r\n".to_vec(),
            ),
        ),
        (
            "TLS that is none",
            Box::new(|command| match command {
                _ if is(command, "EHLO") => b"250-wild.test\r\n250 STARTTLS\r\n".to_vec(),
                "STARTTLS" => b"220 go\r\n".to_vec(),
                _ if is(command, "RCPT") => b"450 4.2.0 Greylisted\r\n".to_vec(),
                _ => decent(command),
            }),
        ),
    ];
    for (name, answer) in cases {
        let (code, value, elapsed) = asked(&Wild::answering(answer), &[]);
        assert_eq!(code, Some(3), "{name}: {value:#}");
        assert_eq!(value["verdict"], "unknown", "{name}");
        assert!(elapsed < Duration::from_secs(15), "{name}: {elapsed:?}");
    }
}

#[test]
fn what_stands_in_for_a_silent_server() {
    // It takes the connection and never says a word, or a byte at a time.
    let silent = Wild::start(|mut stream| drop(stream.read(&mut [0])));
    let slow = Wild::start(|mut stream| {
        for byte in b"220-slow\r\n".repeat(20) {
            thread::sleep(Duration::from_millis(40));
            if stream.write_all(&[byte]).is_err() {
                break;
            }
        }
    });
    for server in [silent, slow] {
        let (code, value, elapsed) = asked(&server, &[]);
        assert_eq!(code, Some(3), "{value:#}");
        assert_eq!(value["error"], "the server does not answer in time");
        assert!(elapsed < Duration::from_secs(5), "{elapsed:?}");
    }
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = closed.local_addr().expect("an address").port();
    drop(closed);
    let outcome = verify(&[&format!("127.0.0.1:{port}"), "--domain", "example.com"]);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    assert!(outcome.out.contains("cannot connect: "), "{}", outcome.out);
}

#[test]
fn a_fault_of_the_server_is_told_apart_from_its_answers() {
    let relay = Wild::answering(|command| match is(command, "RCPT") {
        true => b"250 2.1.5 Ok\r\n".to_vec(),
        false => decent(command),
    });
    let (code, value, _) = asked(&relay, &[]);
    assert_eq!(code, Some(1), "{value:#}");
    assert_eq!(verdicts(&value, "unknown"), ["accepted"; 2]);
    let later = Wild::answering(|command| match is(command, "RCPT") {
        true if !command.contains("postmaster") => b"450 4.1.1 User unknown\r\n".to_vec(),
        _ => decent(command),
    });
    let (code, value, _) = asked(&later, &["--no-relay"]);
    assert_eq!(code, Some(1), "{value:#}");
    assert_eq!(verdicts(&value, "unknown"), ["deferred"; 2]);
}

#[test]
fn a_server_that_counts_errors_is_asked_in_several_conversations() {
    let server = Wild::start(|stream| {
        let refused = std::cell::Cell::new(0);
        converse(stream, &|command| {
            if is(command, "RCPT") && !command.contains("postmaster") {
                refused.set(refused.get() + 1);
            }
            match refused.get() {
                0..=2 => decent(command),
                _ => b"421 4.7.0 Error: too many errors\r\n".to_vec(),
            }
        });
    });
    let (code, value, _) = asked(&server, &[]);
    assert_eq!(code, Some(0), "{value:#}");
}

#[test]
fn only_servers_of_the_operator_are_asked() {
    let outcome = verify(&["192.0.2.1", "--domain", "example.com"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.err.contains("--i-run-this-host"), "{}", outcome.err);
    let outcome = verify(&["192.0.2.1", "--i-run-this-host"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    for wrong in [
        &["127.0.0.1:0", "--domain", "example.com"][..],
        &["127.0.0.1", "--domain", "a>\r\nDATA"],
        &["127.0.0.1", "--domain", "example.com", "--timeout", "x"],
    ] {
        assert_eq!(verify(wrong).code, Some(2), "{wrong:?}");
    }
}
