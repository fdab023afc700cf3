//! `postlint listed` asks a real list, and DNS servers that drop, refuse, lie and cut answers short.

mod common;

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::fixture;
use common::postfix::is_there;
use common::postlint::run;
use serde_json::Value;

/// What a run gives: exit code and JSON.
fn listed(server: SocketAddr, arguments: &[&str]) -> (Option<i32>, Value) {
    let server = server.to_string();
    let base = ["listed", "--dns-server", &server, "--format", "json"];
    let outcome = run(&fixture(""), &[&base[..], arguments].concat());
    assert_eq!(outcome.err, "", "{outcome:?}");
    let value =
        serde_json::from_str(&outcome.out).unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    (outcome.code, value)
}

/// What the first zone says of the first address.
fn first(value: &Value) -> &Value {
    &value["addresses"][0]["zones"][0]
}

/// A free port of both UDP and TCP.
fn both() -> (UdpSocket, TcpListener) {
    for _ in 0..20 {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a UDP port");
        if let Ok(tcp) = TcpListener::bind(udp.local_addr().expect("an address")) {
            return (udp, tcp);
        }
    }
    panic!("no port is free for both UDP and TCP");
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
fn a_real_list() {
    let program = "/usr/sbin/rbldnsd";
    if !is_there("listed: rbldnsd", Path::new(program)) {
        return;
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    fs::set_permissions(directory.path(), Permissions::from_mode(0o755)).expect("a mode");
    let v4 =
        ":127.0.0.4:it sent spam, see https://bl.test/$\n127.0.0.2\n192.0.2.99\n198.51.100.0/24\n";
    let v6 = ":127.0.0.2:it is on the list\n::ffff:7f00:2\n2001:db8:1::/48\n";
    fs::write(directory.path().join("v4"), v4).expect("a file");
    fs::write(directory.path().join("v6"), v6).expect("a file");
    let server = both().0.local_addr().expect("an address");
    let list = Command::new(program)
        .args(["-n", "-q", "-b", &format!("127.0.0.1/{}", server.port())])
        .arg("-w")
        .arg(directory.path())
        .args([
            "bl.test:ip4set:v4",
            "bl.test:ip6trie:v6",
            "empty.test:ip4set:/dev/null",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Stopped)
        .expect("rbldnsd starts");
    let end = Instant::now() + Duration::from_secs(10);
    let zone = ["--zone", "bl.test", "--timeout", "1"];
    loop {
        let (_, value) = listed(server, &[&["192.0.2.1"], &zone[..]].concat());
        if first(&value)["result"] == "clean" {
            break;
        }
        assert!(Instant::now() < end, "{value:#}");
        thread::sleep(Duration::from_millis(100));
    }
    let (code, value) = listed(server, &[&["192.0.2.99"], &zone[..]].concat());
    assert_eq!(code, Some(1), "{value:#}");
    let found = first(&value);
    assert_eq!(found["result"], "listed");
    assert_eq!(found["codes"][0], "127.0.0.4");
    assert_eq!(
        found["reason"],
        "it sent spam, see https://bl.test/192.0.2.99"
    );

    let all = [
        "192.0.2.1",
        "198.51.100.77",
        "2001:db8:1::5",
        "2001:db8:2::5",
    ];
    let (code, value) = listed(server, &[&all, &zone[..]].concat());
    assert_eq!(code, Some(1), "{value:#}");
    let results: Vec<&Value> = (0..4)
        .map(|n| &value["addresses"][n]["zones"][0]["result"])
        .collect();
    assert_eq!(results, ["clean", "listed", "listed", "clean"], "{value:#}");
    let (code, _) = listed(
        server,
        &[&["192.0.2.1", "2001:db8:2::5"], &zone[..]].concat(),
    );
    assert_eq!(code, Some(0));
    // Without its test address, and a zone that the server does not have.
    for zone in ["empty.test", "other.test"] {
        let (code, value) = listed(server, &["192.0.2.1", "--zone", zone, "--timeout", "1"]);
        assert_eq!(
            (code, &first(&value)["result"]),
            (Some(3), &Value::from("unknown")),
            "{value:#}"
        );
    }
    drop(list);
}

/// A DNS server that answers a question as it likes, with any number of packets; by TCP as well.
struct Wild {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

type Conduct = dyn Fn(&Question) -> Vec<Vec<u8>> + Send + Sync;

/// A question as it came.
struct Question {
    bytes: Vec<u8>,
    /// The name without the dot at the end.
    name: String,
    is_text: bool,
    is_tcp: bool,
}

impl Question {
    fn read(bytes: &[u8], is_tcp: bool) -> Option<Self> {
        let mut labels = Vec::new();
        let mut at = 12;
        loop {
            let length = usize::from(*bytes.get(at)?);
            at += 1;
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8_lossy(bytes.get(at..at + length)?).into_owned());
            at += length;
        }
        Some(Self {
            is_text: bytes.get(at + 1) == Some(&16),
            bytes: bytes.get(..at + 4)?.to_vec(),
            name: labels.join("."),
            is_tcp,
        })
    }

    /// An answer with flags in the last byte of the header's flags, and records.
    fn answer(&self, rcode: u8, records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        bytes[2] = 0x81;
        bytes[3] = 0x80 | rcode;
        bytes[6] = 0;
        bytes[7] = u8::try_from(records.len()).expect("few records");
        for record in records {
            let kind = if record.len() == 4 { 1 } else { 16 };
            bytes.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60]);
            bytes.extend(u16::try_from(record.len()).expect("short").to_be_bytes());
            bytes.extend(record);
        }
        bytes
    }

    /// What a list answers that has its test address and 192.0.2.99.
    fn honest(&self) -> Vec<u8> {
        let is_listed = self.name.starts_with("2.0.0.127.") || self.name.starts_with("99.2.0.192.");
        match (is_listed, self.is_text) {
            (false, _) => self.answer(3, &[]),
            (true, false) => self.answer(0, &[vec![127, 0, 0, 2]]),
            (true, true) => self.answer(0, &[b"\x06listed".to_vec()]),
        }
    }
}

impl Wild {
    fn start(conduct: impl Fn(&Question) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let conduct: Arc<Conduct> = Arc::new(conduct);
        let (udp, tcp) = both();
        let address = udp.local_addr().expect("an address");
        udp.set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a timeout");
        let stop = Arc::new(AtomicBool::new(false));
        let (stop_udp, stop_tcp) = (Arc::clone(&stop), Arc::clone(&stop));
        let by_udp = Arc::clone(&conduct);
        let threads = vec![
            thread::spawn(move || {
                let mut buffer = [0; 2_048];
                while !stop_udp.load(Ordering::SeqCst) {
                    let Ok((count, from)) = udp.recv_from(&mut buffer) else {
                        continue;
                    };
                    let Some(question) = Question::read(&buffer[..count], false) else {
                        continue;
                    };
                    for packet in by_udp(&question) {
                        drop(udp.send_to(&packet, from));
                    }
                }
            }),
            thread::spawn(move || {
                for stream in tcp.incoming().flatten() {
                    if stop_tcp.load(Ordering::SeqCst) {
                        break;
                    }
                    drop(answer_by_tcp(stream, &*conduct));
                }
            }),
        ];
        Self {
            address,
            stop,
            threads,
        }
    }
}

fn answer_by_tcp(mut stream: TcpStream, conduct: &Conduct) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    if let Some(question) = Question::read(&bytes, true) {
        for packet in conduct(&question) {
            stream.write_all(&u16::try_from(packet.len()).unwrap_or(0).to_be_bytes())?;
            stream.write_all(&packet)?;
        }
    }
    Ok(())
}

impl Drop for Wild {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        for thread in self.threads.drain(..) {
            drop(thread.join());
        }
    }
}

const ONE_ZONE: [&str; 4] = ["--zone", "bl.test", "--timeout", "0.4"];

#[test]
fn an_honest_list() {
    let server = Wild::start(|question| vec![question.honest()]);
    let (code, value) = listed(server.address, &[&["192.0.2.98"], &ONE_ZONE[..]].concat());
    assert_eq!(
        (code, &first(&value)["result"]),
        (Some(0), &Value::from("clean")),
        "{value:#}"
    );
    let (code, value) = listed(server.address, &[&["192.0.2.99"], &ONE_ZONE[..]].concat());
    assert_eq!(
        (code, &first(&value)["reason"]),
        (Some(1), &Value::from("listed")),
        "{value:#}"
    );
    assert_eq!(first(&value)["null_sender_only"], false);
}

#[test]
fn what_is_not_the_answer_is_not_looked_at() {
    let server = Wild::start(|question| {
        let mut other_number = question.answer(0, &[vec![127, 0, 0, 2]]);
        other_number[0] ^= 1;
        let mut other_name = question.answer(0, &[vec![127, 0, 0, 2]]);
        other_name[13] ^= 1;
        let mut no_answer = question.answer(0, &[vec![127, 0, 0, 2]]);
        no_answer[2] &= 0x7f;
        vec![
            other_number,
            other_name,
            no_answer,
            b"garbage".to_vec(),
            Vec::new(),
            question.honest(),
        ]
    });
    let (code, value) = listed(server.address, &[&["192.0.2.98"], &ONE_ZONE[..]].concat());
    assert_eq!(
        (code, &first(&value)["result"]),
        (Some(0), &Value::from("clean")),
        "{value:#}"
    );
}

#[test]
fn an_answer_that_is_cut_short_is_asked_for_by_tcp() {
    let cut = |question: &Question| {
        if question.is_tcp {
            return vec![question.honest()];
        }
        let mut empty = question.answer(0, &[]);
        empty[2] |= 2;
        vec![empty]
    };
    let server = Wild::start(cut);
    for (address, code, result) in [("192.0.2.99", 1, "listed"), ("192.0.2.98", 0, "clean")] {
        let (exit, value) = listed(server.address, &[&[address], &ONE_ZONE[..]].concat());
        assert_eq!(
            (exit, &first(&value)["result"]),
            (Some(code), &Value::from(result)),
            "{value:#}"
        );
    }
    // What TCP cuts as well, or does not answer, is not known.
    let server = Wild::start(move |question| match question.is_tcp {
        true => Vec::new(),
        false => cut(question),
    });
    let (exit, value) = listed(server.address, &[&["192.0.2.98"], &ONE_ZONE[..]].concat());
    assert_eq!(
        (exit, &first(&value)["result"]),
        (Some(3), &Value::from("unknown")),
        "{value:#}"
    );
}

#[test]
fn nothing_is_clean_when_the_server_is_not_to_be_believed() {
    let with_code =
        |code: [u8; 4]| move |question: &Question| vec![question.answer(0, &[code.to_vec()])];
    type Answer = Box<dyn Fn(&Question) -> Vec<Vec<u8>> + Send + Sync>;
    let target = |question: &Question| question.name.starts_with("98.2.0.192.");
    let cases: Vec<(&str, Answer)> = vec![
        ("drops", Box::new(|_| Vec::new())),
        (
            "drops the question in question",
            Box::new(move |question| match target(question) {
                true => Vec::new(),
                false => vec![question.honest()],
            }),
        ),
        (
            "REFUSED",
            Box::new(|question| vec![question.answer(5, &[])]),
        ),
        (
            "SERVFAIL",
            Box::new(|question| vec![question.answer(2, &[])]),
        ),
        (
            "NOTIMP later",
            Box::new(move |question| match target(question) {
                true => vec![question.answer(4, &[])],
                false => vec![question.honest()],
            }),
        ),
        (
            "nothing for all",
            Box::new(|question| vec![question.answer(3, &[])]),
        ),
        (
            "empty for all",
            Box::new(|question| vec![question.answer(0, &[])]),
        ),
        ("lists all", Box::new(with_code([127, 0, 0, 2]))),
        ("invents", Box::new(with_code([203, 0, 113, 5]))),
        (
            "invents what is not there",
            Box::new(|question| {
                let is_there = question.name.starts_with("2.0.0.127.");
                let record = if is_there {
                    [127, 0, 0, 2]
                } else {
                    [203, 0, 113, 5]
                };
                vec![question.answer(0, &[record.to_vec()])]
            }),
        ),
        (
            "a public resolver",
            Box::new(with_code([127, 255, 255, 254])),
        ),
        (
            "blocked for this question",
            Box::new(move |question| match target(question) {
                true => vec![question.answer(0, &[vec![127, 0, 0, 1]])],
                false => vec![question.honest()],
            }),
        ),
        (
            "half a record",
            Box::new(|question| {
                let mut answer = question.answer(0, &[vec![127, 0, 0, 2]]);
                answer.truncate(answer.len() - 2);
                vec![answer]
            }),
        ),
        (
            "many records announced",
            Box::new(|question| {
                let mut answer = question.answer(0, &[vec![127, 0, 0, 2]]);
                (answer[6], answer[7]) = (0xff, 0xff);
                vec![answer]
            }),
        ),
        (
            "a circle of names",
            Box::new(|question| {
                let mut answer = question.answer(0, &[vec![127, 0, 0, 2]]);
                let end = question.bytes.len();
                answer[end + 1] = u8::try_from(end).expect("a short question");
                vec![answer]
            }),
        ),
    ];
    for (name, answer) in cases {
        let server = Wild::start(answer);
        let begin = Instant::now();
        let (code, value) = listed(server.address, &[&["192.0.2.98"], &ONE_ZONE[..]].concat());
        assert_eq!(
            (code, &first(&value)["result"]),
            (Some(3), &Value::from("unknown")),
            "{name}: {value:#}"
        );
        assert_ne!(first(&value)["reason"], "", "{name}");
        assert!(begin.elapsed() < Duration::from_secs(10), "{name}");
    }
    // Nobody is there.
    let closed = both().0.local_addr().expect("an address");
    let (code, value) = listed(closed, &[&["192.0.2.98"], &ONE_ZONE[..]].concat());
    assert_eq!(
        (code, &first(&value)["result"]),
        (Some(3), &Value::from("unknown")),
        "{value:#}"
    );
}

#[test]
fn all_known_lists_in_order_and_what_is_known_of_them() {
    let server = Wild::start(|question| match question.name.ends_with("bl.spamcop.net") {
        true => vec![question.answer(2, &[])],
        false => vec![question.honest()],
    });
    let (code, value) = listed(server.address, &["192.0.2.99", "--timeout", "2"]);
    assert_eq!(code, Some(1), "{value:#}");
    let zones = value["addresses"][0]["zones"].as_array().expect("zones");
    assert!(zones.len() > 10);
    assert_eq!(zones[0]["zone"], "ips.backscatterer.org");
    assert_eq!(zones[0]["null_sender_only"], true);
    assert!(
        zones[0]["delisting"]
            .as_str()
            .is_some_and(|page| page.starts_with("https://"))
    );
    for zone in zones {
        let expected = match zone["zone"].as_str() {
            Some("bl.spamcop.net") => "unknown",
            _ => "listed",
        };
        assert_eq!(zone["result"], expected, "{zone:#}");
    }
    // The address is on no list that answers, and that is not enough.
    let (code, value) = listed(server.address, &["192.0.2.98", "--timeout", "2"]);
    assert_eq!(code, Some(3), "{value:#}");
    let text = ["listed", "192.0.2.99", "--dns-server"];
    let outcome = run(
        &fixture(""),
        &[&text[..], &[&server.address.to_string()]].concat(),
    );
    assert!(
        outcome
            .out
            .contains("meant for mail with the null sender only"),
        "{}",
        outcome.out
    );
    assert!(
        outcome
            .out
            .ends_with("on 13 of 14 lists; 1 of 14 do not answer\n"),
        "{}",
        outcome.out
    );
}

#[test]
fn addresses_of_a_configuration() {
    let server = Wild::start(|question| vec![question.honest()]);
    let directory = tempfile::tempdir().expect("a temporary directory");
    let shown = directory.path().to_str().expect("UTF-8");
    let write =
        |main_cf: &str| fs::write(directory.path().join("main.cf"), main_cf).expect("main.cf");
    let asked = |value: &Value| -> Vec<String> {
        let addresses = value["addresses"].as_array().expect("addresses");
        addresses
            .iter()
            .map(|one| one["address"].as_str().expect("text").to_owned())
            .collect()
    };
    let options = [&["-c", shown], &ONE_ZONE[..]].concat();
    write("inet_interfaces = 127.0.0.1, 8.8.4.4\nproxy_interfaces = 9.9.9.9\n");
    assert_eq!(
        asked(&listed(server.address, &options).1),
        ["8.8.4.4", "9.9.9.9"]
    );
    write(
        "inet_interfaces = 8.8.4.4\nsmtp_bind_address = 1.1.1.1\nsmtp_bind_address6 = [2606:4700::1]\n",
    );
    assert_eq!(
        asked(&listed(server.address, &options).1),
        ["1.1.1.1", "2606:4700::1"]
    );
    write("inet_interfaces = loopback-only\n");
    let server = server.address.to_string();
    let outcome = run(
        &fixture(""),
        &[&["listed", "--dns-server", &server], &options[..]].concat(),
    );
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    for wrong in [
        &["not-an-address"][..],
        &["192.0.2.1", "--zone", "bl.sorbs.net"],
        &["192.0.2.1", "--zone", "a b"],
        &["192.0.2.1", "--dns-server", "x:0"],
    ] {
        let outcome = run(&fixture(""), &[&["listed"], wrong].concat());
        assert_eq!(outcome.code, Some(2), "{wrong:?}: {outcome:?}");
    }
}
