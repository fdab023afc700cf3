//! One line of the log: when, where and by which program, and the text behind it.
//!
//! `STAMP HOST NAME[PID]: TEXT`, where NAME is `$syslog_name/PROGRAM` (`src/global/mail_task.c`); the last part
//! is the program, and what is before it may be anything: `postfix`, `postfix-out`, `postfix/submission`.

use super::stamp;

/// So many bytes in front of a stamp are looked through for one: what container runtimes put there.
const LONGEST_PREFIX: usize = 160;

/// What wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Program {
    /// smtpd(8)
    Smtpd,
    /// postscreen(8)
    Postscreen,
    /// cleanup(8)
    Cleanup,
    /// pickup(8)
    Pickup,
    /// qmgr(8) or oqmgr(8)
    Qmgr,
    /// smtp(8), also under the name of relay
    Smtp,
    /// lmtp(8)
    Lmtp,
    /// local(8)
    Local,
    /// virtual(8)
    Virtual,
    /// pipe(8)
    Pipe,
    /// error(8), also as retry
    Error,
    /// discard(8)
    Discard,
    /// bounce(8)
    Bounce,
    /// Another program of Postfix.
    Other,
}

/// How bad Postfix calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is said.
    Info,
    /// `warning:`
    Warning,
    /// `error:`
    Error,
    /// `fatal:`
    Fatal,
    /// `panic:`
    Panic,
}

impl Severity {
    /// The word in the log; nothing for what is none.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
            Self::Panic => "panic",
        }
    }
}

/// A line that a program of Postfix wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'l> {
    /// The stamp as it stands there.
    pub stamp: &'l [u8],
    /// The host.
    pub host: &'l [u8],
    /// What is before the program in its name: `$syslog_name`.
    pub syslog_name: &'l [u8],
    /// The program.
    pub program: Program,
    /// The name of the program as it stands there.
    pub program_name: &'l [u8],
    /// How bad it is.
    pub severity: Severity,
    /// What is said, behind the severity.
    pub text: &'l [u8],
    /// So often it was said: syslog daemons write `message repeated 3 times`.
    pub times: u64,
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parsed<'l> {
    /// Postfix wrote it.
    Postfix(Line<'l>),
    /// `last message repeated 3 times`: the line before, so many times more.
    Repeated(u64),
    /// Something else, with its stamp where it has one.
    Foreign(&'l [u8]),
}

/// Reads a line, without its end.
pub fn parse(line: &[u8]) -> Parsed<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let length = stamp::length(line);
    if length > 0 {
        let found = framed(line, length);
        if !matches!(found, Parsed::Foreign(_)) {
            return found;
        }
        // The stamp of a container runtime, in front of Postfix's own?
        return behind_prefix(line).unwrap_or(found);
    }
    behind_prefix(line).unwrap_or(Parsed::Foreign(b""))
}

/// A line behind what a container runtime or a priority of syslog puts in front of it.
fn behind_prefix(line: &[u8]) -> Option<Parsed<'_>> {
    // Cheap, and true of few lines: Postfix's name has a slash, and is followed by a number.
    let name = memchr::memchr(b'[', &line[..line.len().min(LONGEST_PREFIX + 200)])?;
    memchr::memchr(b'/', &line[..name])?;
    for at in memchr::memchr3_iter(b' ', b'>', b'\t', &line[..line.len().min(LONGEST_PREFIX)]) {
        let rest = &line[at + 1..];
        let length = stamp::length(rest);
        if length > 0 {
            let found = framed(rest, length);
            if !matches!(found, Parsed::Foreign(_)) {
                return Some(found);
            }
        }
    }
    None
}

/// A line whose stamp has this length.
fn framed(line: &[u8], length: usize) -> Parsed<'_> {
    let stamp = &line[..length];
    let foreign = Parsed::Foreign(stamp);
    let rest = &line[length + 1..];
    let Some(end) = memchr::memchr(b' ', rest) else {
        return foreign;
    };
    let (host, rest) = (&rest[..end], &rest[end + 1..]);
    // The name ends at its number, or at the colon where the daemon leaves the number out.
    let Some(end) = rest
        .iter()
        .position(|&byte| matches!(byte, b'[' | b':' | b' '))
    else {
        return foreign;
    };
    let name = &rest[..end];
    let text = match rest[end] {
        b'[' => {
            let behind = &rest[end + 1..];
            let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
            match behind[digits.count()..].strip_prefix(b"]: ") {
                Some(text) => text,
                None => return foreign,
            }
        }
        b':' => match rest[end + 1..].strip_prefix(b" ") {
            Some(text) => text,
            None => return foreign,
        },
        _ => return repeated(rest).map_or(foreign, Parsed::Repeated),
    };
    let Some(slash) = memchr::memrchr(b'/', name) else {
        return foreign;
    };
    let (text, times) = match repeated_text(text) {
        Some((times, text)) => (text, times),
        None => (text, 1),
    };
    let (severity, text) = severity(text);
    let program_name = &name[slash + 1..];
    Parsed::Postfix(Line {
        stamp,
        host,
        syslog_name: &name[..slash],
        program: program(program_name),
        program_name,
        severity,
        text,
        times,
    })
}

/// `last message repeated 3 times`
fn repeated(text: &[u8]) -> Option<u64> {
    let rest = text.strip_prefix(b"last message repeated ")?;
    times(rest).map(|(times, _)| times)
}

/// `message repeated 3 times: [ TEXT]`, of rsyslog.
fn repeated_text(text: &[u8]) -> Option<(u64, &[u8])> {
    if text.first() != Some(&b'm') {
        return None;
    }
    let rest = text.strip_prefix(b"message repeated ")?;
    let (times, rest) = times(rest)?;
    let inner = rest.strip_prefix(b": [ ")?;
    Some((times, inner.strip_suffix(b"]").unwrap_or(inner)))
}

fn times(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: u64 = std::str::from_utf8(&text[..digits]).ok()?.parse().ok()?;
    let rest = &text[digits..];
    let rest = rest
        .strip_prefix(b" times")
        .or_else(|| rest.strip_prefix(b" time"))?;
    // No daemon counts so far; a number that is made up must not make the sums overflow.
    Some((number.min(1 << 32), rest))
}

fn severity(text: &[u8]) -> (Severity, &[u8]) {
    let of = |word: &[u8], severity| text.strip_prefix(word).map(|rest| (severity, rest));
    let found = match text.first() {
        Some(b'w') => of(b"warning: ", Severity::Warning),
        Some(b'f') => of(b"fatal: ", Severity::Fatal),
        Some(b'e') => of(b"error: ", Severity::Error),
        Some(b'p') => of(b"panic: ", Severity::Panic),
        _ => None,
    };
    found.unwrap_or((Severity::Info, text))
}

fn program(name: &[u8]) -> Program {
    match name {
        b"smtpd" => Program::Smtpd,
        b"smtp" | b"relay" => Program::Smtp,
        b"qmgr" | b"nqmgr" | b"oqmgr" => Program::Qmgr,
        b"cleanup" => Program::Cleanup,
        b"bounce" => Program::Bounce,
        b"virtual" => Program::Virtual,
        b"local" => Program::Local,
        b"lmtp" => Program::Lmtp,
        b"pipe" => Program::Pipe,
        b"error" | b"retry" => Program::Error,
        b"discard" => Program::Discard,
        b"pickup" => Program::Pickup,
        b"postscreen" => Program::Postscreen,
        _ => Program::Other,
    }
}

/// The queue id at the start of a text, and what follows it.
///
/// Short ids are upper-case hexadecimal; long ones (`enable_long_queue_ids`) have digits and consonants, and a `z`
/// between time and inode (`src/global/mail_queue.h`).
pub fn queue_id(text: &[u8]) -> Option<(&[u8], &[u8])> {
    // Most other texts are words, with a vowel soon.
    let end = text
        .iter()
        .take(40)
        .position(|&byte| ALPHABETS[byte as usize] == 0)?;
    let rest = text[end..].strip_prefix(b": ")?;
    let id = &text[..end];
    is_queue_id(id).then_some((id, rest))
}

/// In the alphabet of short queue ids.
const HEX: u8 = 1;
/// In the alphabet of long queue ids.
const LONG: u8 = 2;
/// The alphabets of queue ids that a byte is in.
const ALPHABETS: [u8; 256] = {
    let mut alphabets = [0; 256];
    let mut byte = 0_u8;
    loop {
        let is_vowel = matches!(byte | 0x20, b'a' | b'e' | b'i' | b'o' | b'u');
        if matches!(byte, b'0'..=b'9' | b'A'..=b'F') {
            alphabets[byte as usize] |= HEX;
        }
        if byte.is_ascii_alphanumeric() && !is_vowel {
            alphabets[byte as usize] |= LONG;
        }
        if byte == 255 {
            break;
        }
        byte += 1;
    }
    alphabets
};

/// Whether a word is a queue id.
pub fn is_queue_id(id: &[u8]) -> bool {
    if id.len() < 6 {
        return false;
    }
    let is = id
        .iter()
        .fold(HEX | LONG, |is, &byte| is & ALPHABETS[byte as usize]);
    is & HEX != 0 || (is & LONG != 0 && id.contains(&b'z'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postfix(line: &str) -> Line<'_> {
        match parse(line.as_bytes()) {
            Parsed::Postfix(line) => line,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn the_frame_of_each_daemon() {
        for (line, name, program) in [
            (
                "Nov  4 02:54:24 mx postfix/smtpd[12]: x",
                "postfix",
                Program::Smtpd,
            ),
            (
                "Nov 04 02:54:24 mx postfix-in/qmgr[12]: x",
                "postfix-in",
                Program::Qmgr,
            ),
            (
                "2026-11-04T02:54:24.123456+01:00 mx postfix/submission/smtpd[12]: x",
                "postfix/submission",
                Program::Smtpd,
            ),
            (
                "2026-11-04T02:54:24+0100 mx postfix/relay/smtp[12]: x",
                "postfix/relay",
                Program::Smtp,
            ),
            (
                "Nov  4 02:54:24 mx foo/bar/cleanup[12]: x\r",
                "foo/bar",
                Program::Cleanup,
            ),
            (
                "Nov  4 02:54:24 mx postfix/postfix-script: x",
                "postfix",
                Program::Other,
            ),
            (
                "mail-1  | Nov 04 02:54:24 mx postfix/local[1]: x",
                "postfix",
                Program::Local,
            ),
            (
                "2026-11-04T02:54:24Z stdout F Nov 04 02:54:24 mx postfix/local[1]: x",
                "postfix",
                Program::Local,
            ),
            (
                "<22>Nov  4 02:54:24 mx postfix/pipe[1]: x",
                "postfix",
                Program::Pipe,
            ),
        ] {
            let found = postfix(line);
            assert_eq!(found.syslog_name, name.as_bytes(), "{line}");
            assert_eq!((found.program, found.text), (program, &b"x"[..]), "{line}");
            assert_eq!(found.host, b"mx", "{line}");
        }
    }

    #[test]
    fn what_is_not_of_postfix() {
        for line in [
            "",
            "-- Boot 0123 --",
            "Nov  4 02:54:24",
            "Nov  4 02:54:24 mx",
            "Nov  4 02:54:24 mx dovecot: imap-login: x",
            "Nov  4 02:54:24 mx kernel: [1.0] x",
            "Nov  4 02:54:24 mx sshd[12]: a/b",
            "Nov  4 02:54:24 mx postfix/smtpd[12]:x",
            "Nov  4 02:54:24 mx postfix/smtpd[12",
        ] {
            assert!(
                matches!(parse(line.as_bytes()), Parsed::Foreign(_)),
                "{line}"
            );
        }
    }

    #[test]
    fn repetitions() {
        let line = "Nov  4 02:54:24 mx last message repeated 3 times";
        assert_eq!(parse(line.as_bytes()), Parsed::Repeated(3));
        let line =
            postfix("Nov  4 02:54:24 mx postfix/smtp[1]: message repeated 2 times: [ warning: x]");
        assert_eq!(
            (line.times, line.severity, line.text),
            (2, Severity::Warning, &b"x"[..])
        );
    }

    #[test]
    fn queue_ids() {
        for id in ["CC6053C", "4jYS1f1qnCzC6", "0123456789"] {
            assert!(is_queue_id(id.as_bytes()), "{id}");
        }
        for id in [
            "",
            "NOQUEUE",
            "connect",
            "disconnect",
            "ABC",
            "warning",
            "4jYS1f1qnCC6",
        ] {
            assert!(!is_queue_id(id.as_bytes()), "{id}");
        }
        assert_eq!(
            queue_id(b"CC6053C: removed"),
            Some((&b"CC6053C"[..], &b"removed"[..]))
        );
        assert_eq!(queue_id(b"CC6053C"), None);
    }
}
