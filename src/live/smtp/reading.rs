//! Replies, read from a stream (RFC 5321, 4.2).

use std::io::Read;

use super::failure::Failure;
use crate::mail::Reply;

/// RFC 5321 allows 512; Postfix itself reads more.
const LONGEST_LINE: usize = 4_096;
const MOST_LINES: usize = 128;
/// So much of what is no reply is shown.
const SHOWN: usize = 80;

/// What was read and is not used yet.
#[derive(Debug, Default)]
pub(super) struct Unread {
    bytes: Vec<u8>,
}

impl Unread {
    /// Whether the server has said more than was asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Reads a reply. Its lines are joined by line ends; they all have to have the same code.
    pub(super) fn reply(&mut self, stream: &mut impl Read) -> Result<Reply, Failure> {
        let mut text = String::new();
        let mut code = None;
        for _ in 0..MOST_LINES {
            let line = self.line(stream)?;
            let no_reply = || Failure::NoReply(shown(&line));
            let (number, is_last, behind) = parse(&line).ok_or_else(no_reply)?;
            if code.is_some_and(|code| code != number) {
                return Err(no_reply());
            }
            if code.is_some() {
                text.push('\n');
            }
            code = Some(number);
            text.push_str(&String::from_utf8_lossy(behind));
            if is_last {
                return Ok(Reply::heard(number, &text));
            }
        }
        Err(Failure::TooLong)
    }

    /// A line without its end.
    fn line(&mut self, stream: &mut impl Read) -> Result<Vec<u8>, Failure> {
        let mut chunk = [0; 1_024];
        let mut seen = 0;
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.bytes[seen..]) {
                let mut line: Vec<u8> = self.bytes.drain(..=seen + end).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            seen = self.bytes.len();
            if seen > LONGEST_LINE {
                return Err(Failure::TooLong);
            }
            let count = stream.read(&mut chunk)?;
            if count == 0 {
                return Err(Failure::Lost);
            }
            self.bytes.extend(chunk.iter().take(count));
        }
    }
}

/// The code of a line, whether it is the last one of the reply, and the text behind it.
fn parse(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let code: u16 = str::from_utf8(digits).ok()?.parse().ok()?;
    let is_code = digits.iter().all(u8::is_ascii_digit) && (200..600).contains(&code);
    let (is_last, text) = match rest {
        [] => (true, rest),
        [b' ', text @ ..] => (true, text),
        [b'-', text @ ..] => (false, text),
        _ => return None,
    };
    is_code.then_some((code, is_last, text))
}

fn shown(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut shown: String = text.chars().take(SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Reply, Failure> {
        Unread::default().reply(&mut &*bytes)
    }

    #[test]
    fn replies_of_one_and_of_several_lines() {
        assert_eq!(
            read(b"550 5.1.1 <x@y>: no such user\r\n"),
            Ok(Reply::new(550, "5.1.1", "<x@y>: no such user"))
        );
        assert_eq!(read(b"250\n"), Ok(Reply::new(250, "", "")));
        assert_eq!(
            read(b"250-a.test\r\n250-SIZE\r\n250 DSN\r\n"),
            Ok(Reply::new(250, "", "a.test\nSIZE\nDSN"))
        );
    }

    #[test]
    fn what_is_no_reply() {
        for bytes in [
            &b"HTTP/1.1 400 Bad Request\r\n"[..],
            b"25\r\n",
            b"+50 x\r\n",
            b"199 x\r\n",
            b"600 x\r\n",
            b"250x\r\n",
            b"250-a\r\n550 b\r\n",
            b"\r\n",
            b"\xff\xfe\0\r\n",
        ] {
            let read = read(bytes);
            assert!(matches!(read, Err(Failure::NoReply(_))), "{read:?}");
        }
        assert_eq!(read(b""), Err(Failure::Lost));
        assert_eq!(read(b"250-a\r\n250 with no end"), Err(Failure::Lost));
        assert_eq!(read(&[b'2'; 100_000]), Err(Failure::TooLong));
        assert_eq!(read(&b"250-a\r\n".repeat(1_000)), Err(Failure::TooLong));
    }

    #[test]
    fn what_follows_a_reply_stays() {
        let mut unread = Unread::default();
        let mut stream = &b"250 one\r\n421 two\r\n"[..];
        assert_eq!(unread.reply(&mut stream), Ok(Reply::new(250, "", "one")));
        assert!(!unread.is_empty());
        assert_eq!(unread.reply(&mut stream), Ok(Reply::new(421, "", "two")));
        assert!(unread.is_empty());
    }
}
