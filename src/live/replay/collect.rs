//! The attempts in a log, each kind once.

use crate::live::maillog::{
    Client, Delivery, Event, Input, Line, NumberMap, Program, Progress, Refusal, RejectedBy,
    Status, Walked, hash, walk,
};

/// So many different attempts are kept.
const MOST: usize = 300_000;
/// So many messages are followed at a time.
const MOST_MESSAGES: usize = 50_000;
/// So many recipients of one message are told apart.
const MOST_RECIPIENTS: usize = 200;
/// So much is kept of one field: the longest address and more.
const LONGEST: usize = 512;

/// What is the same in all attempts of a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind<'k> {
    /// `$syslog_name` of the smtpd.
    pub(super) service: &'k [u8],
    /// The name of the client, or unknown.
    pub(super) name: &'k [u8],
    /// Its address.
    pub(super) address: &'k [u8],
    /// The login; empty without one.
    pub(super) sasl_username: &'k [u8],
    /// What it said after HELO; empty where the log does not have it.
    pub(super) helo: &'k [u8],
    /// The sender.
    pub(super) sender: &'k [u8],
    /// The recipient.
    pub(super) recipient: &'k [u8],
}

/// Attempts of one kind, and how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attempt {
    fields: Box<[u8]>,
    /// Delivered.
    pub(super) delivered: u64,
    /// Accepted, and returned because the recipient does not exist.
    pub(super) unknown: u64,
    /// Accepted, and returned or put off for another reason.
    pub(super) undelivered: u64,
    /// Refused.
    pub(super) refused: u64,
    /// The reply to the first that was refused.
    reply: Option<usize>,
}

/// All attempts of a log.
#[derive(Debug, Default)]
pub struct Attempts {
    pub(super) list: Vec<Attempt>,
    by_key: NumberMap<usize>,
    replies: Vec<String>,
    reply_by_key: NumberMap<usize>,
    /// So many attempts were left out because there are too many kinds.
    pub left_out: u64,
    /// So many refusals are not asked again: of postscreen, of milters, before RCPT TO.
    pub skipped: u64,
    /// The lines, the stamps, and what broke off.
    pub walked: Walked,
}

/// A message that is being delivered.
#[derive(Debug, Default)]
struct Message {
    /// The fields up to the sender.
    client: Vec<u8>,
    service: Vec<u8>,
    sender: Vec<u8>,
    /// The recipients that were counted.
    recipients: Vec<u64>,
    is_removed: bool,
    generation: u64,
}

/// Reads the attempts out of logs.
///
/// # Errors
/// One cannot be opened.
pub fn collect(
    inputs: &[Input],
    progress: &mut dyn FnMut(Progress<'_>),
) -> anyhow::Result<Attempts> {
    let mut collector = Collector::default();
    let walked = walk(inputs, progress, |line, times| {
        collector.line(line, times);
    })?;
    Ok(Attempts {
        walked,
        ..collector.attempts
    })
}

#[derive(Debug, Default)]
struct Collector {
    attempts: Attempts,
    messages: NumberMap<Message>,
    order: std::collections::VecDeque<(u64, u64)>,
    generation: u64,
}

impl Collector {
    fn line(&mut self, line: &Line<'_>, times: u64) {
        let key = |id: &[u8]| hash(hash(0, line.host), id);
        match Event::of(line) {
            Event::Client { id, client } => {
                self.generation += 1;
                let message = Message {
                    client: client[..client.len().min(2 * LONGEST)].to_vec(),
                    service: line.syslog_name.to_vec(),
                    generation: self.generation,
                    ..Message::default()
                };
                self.messages.insert(key(id), message);
                self.order.push_back((key(id), self.generation));
                self.make_room();
            }
            Event::Active { id, sender } => {
                if let Some(message) = self.messages.get_mut(&key(id)) {
                    message.sender = sender[..sender.len().min(LONGEST)].to_vec();
                }
            }
            Event::Pickup { id } => {
                self.messages.remove(&key(id));
            }
            Event::Removed { id, .. } => {
                if let Some(message) = self.messages.get_mut(&key(id)) {
                    message.is_removed = true;
                }
            }
            Event::Delivery(delivery) => self.delivery(key(delivery.id), &delivery),
            Event::Reject(reject) => {
                let is_asked = line.program == Program::Smtpd
                    && reject.by == RejectedBy::Smtpd
                    && reject.stage == b"RCPT";
                match reject.refusal().filter(|_| is_asked) {
                    Some(refusal) if refusal.to.is_some() => self.refusal(line, &refusal, times),
                    _ => self.attempts.skipped += times,
                }
            }
            _ => {}
        }
    }

    fn make_room(&mut self) {
        while self.order.len() > MOST_MESSAGES {
            let Some((key, generation)) = self.order.pop_front() else {
                return;
            };
            if (self.messages.get(&key)).is_some_and(|message| message.generation == generation) {
                self.messages.remove(&key);
            }
        }
    }

    fn delivery(&mut self, key: u64, delivery: &Delivery<'_>) {
        if delivery.status == Status::Probe {
            return;
        }
        let Some(message) = self.messages.get_mut(&key) else {
            return;
        };
        // Put off: the next line of it counts, unless there is none.
        let recipient = hash(0, &delivery.named().to_ascii_lowercase());
        if message.recipients.contains(&recipient) || message.recipients.len() >= MOST_RECIPIENTS {
            return;
        }
        if delivery.status == Status::Deferred {
            return;
        }
        message.recipients.push(recipient);
        let client = Client::of(&message.client);
        let kind = Kind {
            service: &message.service,
            name: client.name,
            address: client.address,
            sasl_username: client.sasl_username.unwrap_or_default(),
            helo: b"",
            sender: &message.sender,
            recipient: delivery.named(),
        };
        let Some(attempt) = self.attempts.entry(&kind, 1) else {
            return;
        };
        let says_unknown = || {
            let text = String::from_utf8_lossy(delivery.text);
            delivery.dsn() == b"5.1.1"
                || text.contains("unknown user")
                || text.contains("User unknown")
        };
        match delivery.status {
            Status::Sent => attempt.delivered += 1,
            Status::Bounced if says_unknown() => attempt.unknown += 1,
            _ => attempt.undelivered += 1,
        }
    }

    fn refusal(&mut self, line: &Line<'_>, refusal: &Refusal<'_>, times: u64) {
        let kind = Kind {
            service: line.syslog_name,
            name: refusal.name,
            address: refusal.address,
            sasl_username: refusal.sasl_username.unwrap_or_default(),
            helo: refusal.helo.unwrap_or_default(),
            sender: refusal.from.unwrap_or_default(),
            recipient: refusal.to.unwrap_or_default(),
        };
        let reply = self.attempts.reply_index(refusal.reply);
        if let Some(attempt) = self.attempts.entry(&kind, times) {
            attempt.refused += times;
            attempt.reply.get_or_insert(reply);
        }
    }
}

impl Attempts {
    fn entry(&mut self, kind: &Kind<'_>, times: u64) -> Option<&mut Attempt> {
        let fields = kind.joined();
        let key = hash(1, &fields);
        let index = match self.by_key.get(&key) {
            Some(&index) => index,
            None if self.list.len() >= MOST => {
                self.left_out += times;
                return None;
            }
            None => {
                self.list.push(Attempt {
                    fields: fields.into(),
                    ..Attempt::default()
                });
                self.by_key.insert(key, self.list.len() - 1);
                self.list.len() - 1
            }
        };
        self.list.get_mut(index)
    }

    /// Replies are few but for the addresses in them: those are kept each.
    fn reply_index(&mut self, reply: &[u8]) -> usize {
        let reply = &reply[..reply.len().min(2 * LONGEST)];
        let key = hash(2, reply);
        if let Some(&index) = self.reply_by_key.get(&key) {
            return index;
        }
        if self.replies.len() < MOST {
            self.replies
                .push(String::from_utf8_lossy(reply).into_owned());
            self.reply_by_key.insert(key, self.replies.len() - 1);
        }
        self.replies.len() - 1
    }

    /// What was answered to the first refused attempt of a kind.
    pub(super) fn reply(&self, attempt: &Attempt) -> Option<&str> {
        self.replies.get(attempt.reply?).map(String::as_str)
    }
}

impl<'k> Kind<'k> {
    fn joined(&self) -> Vec<u8> {
        let fields = [
            self.service,
            self.name,
            self.address,
            self.sasl_username,
            self.helo,
            self.sender,
            self.recipient,
        ];
        let mut joined = Vec::new();
        for field in fields {
            let field = &field[..field.len().min(LONGEST)];
            joined.extend(field.iter().filter(|byte| **byte != 0));
            joined.push(0);
        }
        joined
    }

    /// The kind of an attempt.
    pub(super) fn of(attempt: &'k Attempt) -> Self {
        let mut fields = attempt.fields.split(|&byte| byte == 0);
        let mut next = || fields.next().unwrap_or_default();
        Self {
            service: next(),
            name: next(),
            address: next(),
            sasl_username: next(),
            helo: next(),
            sender: next(),
            recipient: next(),
        }
    }
}

impl Attempt {
    /// How many were accepted.
    pub(super) fn accepted(&self) -> u64 {
        self.delivered + self.unknown + self.undelivered
    }
}
