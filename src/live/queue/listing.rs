//! The listing of the queue, read line by line: JSON as `postqueue -j` prints it (`src/postqueue/showq_json.c`)
//! or the text of `postqueue -p` and `mailq` (`src/postqueue/showq_compat.c`). Each line says by its first
//! byte which of them it is.

use std::borrow::Cow;
use std::io::{self, Read};

use serde::Deserialize;

/// A longer line is not read: it is no message that Postfix would queue.
const LONGEST_LINE: usize = 64 << 20;
const FIRST_BUFFER: usize = 256 << 10;

/// One message of the queue.
#[derive(Clone, Debug, Deserialize)]
pub struct Message<'l> {
    /// The queue: maildrop, incoming, active, deferred or hold.
    #[serde(borrow, default)]
    pub queue_name: Cow<'l, str>,
    /// The queue id, without marks.
    #[serde(borrow)]
    pub queue_id: Cow<'l, str>,
    /// When it came.
    #[serde(borrow, rename = "arrival_time")]
    pub arrival: Arrival<'l>,
    /// Its size in bytes.
    #[serde(rename = "message_size", default)]
    pub size: u64,
    /// The sender in external form; that of a notice is `MAILER-DAEMON`.
    #[serde(borrow)]
    pub sender: Cow<'l, str>,
    /// Those who have not got it yet.
    #[serde(borrow, default)]
    pub recipients: Vec<Recipient<'l>>,
}

/// A recipient that has not got the message yet.
#[derive(Clone, Debug, Deserialize)]
pub struct Recipient<'l> {
    /// The address in external form, after aliases.
    #[serde(borrow)]
    pub address: Cow<'l, str>,
    /// The address before aliases, from Postfix 3.11 on.
    #[serde(borrow, default, rename = "orig_address")]
    pub original: Option<Cow<'l, str>>,
}

/// When a message came.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Arrival<'l> {
    /// Seconds since 1970, of JSON.
    Seconds(i64),
    /// Local time without a year, such as `Tue Nov 24 02:50:35`, of text.
    #[serde(borrow)]
    Local(Cow<'l, str>),
}

/// What was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// How many messages there are.
    pub messages: u64,
    /// How many lines cannot be read. What they may say of a message is not known.
    pub unread: u64,
    /// The number of the first of these lines.
    pub first_unread: Option<u64>,
    /// The listing says that the queue is empty.
    pub says_empty: bool,
}

/// Hands over each message of a listing. Memory does not grow with the length of the listing.
///
/// # Errors
/// The input cannot be read, or `one` fails.
pub fn read(
    input: impl Read,
    mut one: impl FnMut(&Message<'_>) -> io::Result<()>,
) -> io::Result<Listing> {
    let mut lines = Lines::new(input);
    let mut listing = Listing::default();
    let mut text = TextMessage::default();
    let mut number = 0;
    while let Some(line) = lines.next()? {
        number += 1;
        let is_read = match line {
            None => false,
            Some(line) if line.first() == Some(&b'{') => {
                text.end(&mut listing, &mut one)?;
                match serde_json::from_slice::<Message<'_>>(line) {
                    Ok(message) if is_id(&message.queue_id) => {
                        listing.messages += 1;
                        one(&message)?;
                        true
                    }
                    _ => false,
                }
            }
            Some(line) => text.line(line, &mut listing, &mut one)?,
        };
        if !is_read {
            listing.unread += 1;
            listing.first_unread.get_or_insert(number);
        }
    }
    text.end(&mut listing, &mut one)?;
    Ok(listing)
}

/// Whether postsuper(1) would take it for a queue id (`mail_queue_id_ok`).
fn is_id(id: &str) -> bool {
    !id.is_empty()
        && id
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// A message in a text, whose lines come one by one. The buffers are used again.
#[derive(Default)]
struct TextMessage {
    is_open: bool,
    /// A line of it cannot be read, so that nothing is certain of it.
    is_broken: bool,
    queue: &'static str,
    id: String,
    arrival: String,
    size: u64,
    sender: String,
    recipients: Vec<String>,
    count: usize,
}

impl TextMessage {
    /// Takes a line; whether it can be read.
    fn line(
        &mut self,
        line: &[u8],
        listing: &mut Listing,
        one: &mut impl FnMut(&Message<'_>) -> io::Result<()>,
    ) -> io::Result<bool> {
        let Ok(line) = str::from_utf8(line) else {
            // The listing of a reason in some other encoding says nothing that is asked for.
            let is_reason = line.trim_ascii_start().first() == Some(&b'(');
            self.is_broken |= !is_reason;
            return Ok(is_reason);
        };
        let trimmed = line.trim();
        if trimmed.is_empty() {
            self.end(listing, one)?;
            return Ok(true);
        }
        if trimmed.starts_with('(') {
            return Ok(self.is_open);
        }
        if line.starts_with(' ') {
            if self.is_open {
                if self.count == self.recipients.len() {
                    self.recipients.push(String::new());
                }
                self.recipients[self.count].clear();
                self.recipients[self.count].push_str(trimmed);
                self.count += 1;
            }
            return Ok(self.is_open);
        }
        self.end(listing, one)?;
        if trimmed == "Mail queue is empty" {
            listing.says_empty = true;
            return Ok(true);
        }
        if line.starts_with("-Queue ID-") || line.starts_with("----Queue ID-") {
            return Ok(true);
        }
        if line.starts_with("-- ")
            && (trimmed.ends_with("Request.") || trimmed.ends_with("Requests."))
        {
            return Ok(true);
        }
        Ok(self.start(trimmed))
    }

    /// The first line of a message: id and marks, size, time, sender.
    fn start(&mut self, line: &str) -> bool {
        let mut rest = line;
        let mut word = || {
            rest = rest.trim_start();
            let end = rest.find(' ').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            rest = after;
            word
        };
        let marked = word();
        let size = word();
        let time = [word(), word(), word(), word()];
        let id = marked.trim_end_matches(['*', '!', '#']);
        let marks = &marked[id.len()..];
        let Ok(size) = size.parse() else { return false };
        if !is_id(id) || !time[3].contains(':') {
            return false;
        }
        self.queue = match marks.as_bytes().first() {
            Some(b'*') => "active",
            Some(b'!') => "hold",
            _ => "",
        };
        self.is_open = true;
        self.is_broken = false;
        self.size = size;
        self.count = 0;
        self.id.clear();
        self.id.push_str(id);
        self.arrival.clear();
        for word in time {
            if !self.arrival.is_empty() {
                self.arrival.push(' ');
            }
            self.arrival.push_str(word);
        }
        self.sender.clear();
        self.sender.push_str(rest.trim());
        true
    }

    /// At the end of a message.
    fn end(
        &mut self,
        listing: &mut Listing,
        one: &mut impl FnMut(&Message<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        if !std::mem::take(&mut self.is_open) {
            return Ok(());
        }
        listing.messages += 1;
        if self.is_broken {
            return Ok(());
        }
        let recipients = self.recipients[..self.count].iter();
        one(&Message {
            queue_name: Cow::Borrowed(self.queue),
            queue_id: Cow::Borrowed(&self.id),
            arrival: Arrival::Local(Cow::Borrowed(&self.arrival)),
            size: self.size,
            sender: Cow::Borrowed(&self.sender),
            recipients: recipients
                .map(|address| Recipient {
                    address: Cow::Borrowed(address),
                    original: None,
                })
                .collect(),
        })
    }
}

/// The lines of an input, in one buffer.
struct Lines<R> {
    input: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    at_end: bool,
}

impl<R: Read> Lines<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST_BUFFER],
            start: 0,
            end: 0,
            at_end: false,
        }
    }

    /// The next line without its end; `Some(None)` for one that is too long.
    fn next(&mut self) -> io::Result<Option<Option<&[u8]>>> {
        let mut searched = self.start;
        let mut is_too_long = false;
        loop {
            let found = memchr::memchr(b'\n', &self.buffer[searched..self.end]);
            let at_end = found.is_none() && self.at_end;
            if at_end && self.start == self.end {
                return Ok(is_too_long.then_some(None));
            }
            if found.is_some() || at_end {
                let stop = found.map_or(self.end, |at| searched + at);
                let line = self.start..stop;
                self.start = (stop + 1).min(self.end);
                return Ok(Some((!is_too_long).then(|| &self.buffer[line])));
            }
            if self.end - self.start > LONGEST_LINE {
                is_too_long = true;
                self.start = self.end;
            }
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            searched = self.end;
            if self.end == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.at_end = true,
                Ok(count) => self.end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> (Vec<String>, Listing) {
        let mut found = Vec::new();
        let listing = read(bytes, |message| {
            let recipients: Vec<&str> =
                message.recipients.iter().map(|one| &*one.address).collect();
            found.push(format!(
                "{} {} {} {} {}",
                message.queue_name,
                message.queue_id,
                message.size,
                message.sender,
                recipients.join(",")
            ));
            Ok(())
        });
        (found, listing.expect("bytes can be read"))
    }

    #[test]
    fn json_of_postqueue() {
        let (found, listing) = all(br#"{"queue_name": "hold", "queue_id": "0A1B", "arrival_time": 5, "message_size": 9, "forced_expire": false, "sender": "MAILER-DAEMON", "recipients": [{"address": "\"a b\"@r.test", "delay_reason": "x\ty"}]}
{"queue_name": "hold"
"#);
        assert_eq!(found, [r#"hold 0A1B 9 MAILER-DAEMON "a b"@r.test"#]);
        assert_eq!(
            (listing.messages, listing.unread, listing.first_unread),
            (1, 1, Some(2))
        );
    }

    #[test]
    fn text_of_mailq() {
        let (found, listing) = all(
            b"-Queue ID-  --Size-- ----Arrival Time---- -Sender/Recipient-------
CC6053C!#      12 Tue Nov  4 02:50:35  MAILER-DAEMON
      (host x said: no)
                                         a@b.test
(a very long reason)
                                         c@d.test

-- 0 Kbytes in 1 Request.
",
        );
        assert_eq!(found, ["hold CC6053C 12 MAILER-DAEMON a@b.test,c@d.test"]);
        assert_eq!((listing.messages, listing.unread), (1, 0));
        assert!(all(b"Mail queue is empty\n").1.says_empty);
    }

    #[test]
    fn garbage_is_counted() {
        assert_eq!(all(b"\0\xff\nfoo\n{\n").1.unread, 3);
        let long = vec![b'{'; 10 << 20];
        assert_eq!(all(&long).1.unread, 1);
        assert_eq!(all(b"").1, Listing::default());
    }
}
