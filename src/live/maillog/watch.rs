//! What is made of the lines: counts, and the way of each message to the notice that came of it.
//!
//! A notice of non-delivery is backscatter when the mail came from somebody else's server, without a login, and the
//! notice left this host or waits for that. The recipients to blame are those that bounced before the line of
//! bounce(8); those that were put off, when the mail expired.

use std::net::IpAddr;

use memchr::memmem;

use super::attack::Attacks;
use super::complaints::Complaints;
use super::event::{Client, Delivery, Event, NoticeKind, Reject, Status, host, split_once};
use super::groups::{Groups, key_of, text};
use super::histogram::Histogram;
use super::line::{Line, Program, Severity, is_queue_id};
use super::queue::{Cause, Fate, Key, Message, Origin, Queue, hash, set, short};
use super::refused::Refused;
use super::{AcceptedUnknown, Backscatter, Counts, LogReport, Notices, NullSenderDeferred};

/// So many recipients are kept in each list.
const MOST: usize = 8_000;

/// Goes over the lines.
pub(super) struct Watch<'w> {
    queue: Queue,
    book: Book<'w>,
    histogram: Histogram,
    refused: Refused,
    complaints: Complaints,
    attacks: Attacks,
    accepted_unknown: Groups<AcceptedUnknown>,
    null_sender: Groups<NullSenderDeferred>,
    postfix_lines: u64,
    counts: Counts,
    /// The counts of the hour of `stamp`, not yet in the histogram.
    hour: Counts,
    stamp: Vec<u8>,
    host: Vec<u8>,
    host_number: u64,
}

/// What is noted of a message when it goes.
struct Book<'w> {
    is_own: &'w dyn Fn(IpAddr) -> bool,
    backscatter: Groups<Backscatter>,
    notices: Notices,
    null_sender_left: u64,
}

impl<'w> Watch<'w> {
    pub(super) fn new(is_own: &'w dyn Fn(IpAddr) -> bool) -> Self {
        Self {
            queue: Queue::new(),
            book: Book {
                is_own,
                backscatter: Groups::new(MOST),
                notices: Notices::default(),
                null_sender_left: 0,
            },
            histogram: Histogram::default(),
            refused: Refused::new(),
            complaints: Complaints::new(),
            attacks: Attacks::default(),
            accepted_unknown: Groups::new(MOST),
            null_sender: Groups::new(MOST),
            postfix_lines: 0,
            counts: Counts::default(),
            hour: Counts::default(),
            stamp: Vec::new(),
            host: Vec::new(),
            host_number: 0,
        }
    }

    /// A line that was said so many times.
    pub(super) fn line(&mut self, line: &Line<'_>, times: u64) {
        self.postfix_lines += times;
        if self.stamp != line.stamp {
            self.settle_hour();
            self.stamp.clear();
            self.stamp.extend_from_slice(line.stamp);
        }
        let counts = &mut self.hour;
        match line.severity {
            Severity::Info => {}
            Severity::Warning => counts.warnings += times,
            Severity::Error => counts.errors += times,
            Severity::Fatal => counts.fatals += times,
            Severity::Panic => counts.panics += times,
        }
        if line.severity != Severity::Info {
            self.complaints.add(line, times);
            return;
        }
        let event = Event::of(line);
        if event == Event::Other {
            return;
        }
        if self.host != line.host {
            self.host.clear();
            self.host.extend_from_slice(line.host);
            self.host_number = hash(0, line.host);
        }
        self.event(line, &event, times);
    }

    fn event(&mut self, line: &Line<'_>, event: &Event<'_>, times: u64) {
        let book = &mut self.book;
        let gone = &mut |message: &Message| book.close(message);
        let key = |id: &[u8]| Key::of(self.host_number, id);
        match *event {
            Event::Client { id, client } => {
                self.hour.received += times;
                let message = self.queue.enter(key(id), gone);
                set(&mut message.client, client);
                let is_login = split_once(client, b", sasl_username=").is_some();
                message.origin = if is_login {
                    Origin::Login
                } else {
                    Origin::Client
                };
                let grown = message.client.len();
                self.queue.settle(grown, gone);
            }
            Event::Pickup { id } => {
                self.hour.received += times;
                self.queue.enter(key(id), gone).origin = Origin::Pickup;
            }
            Event::MessageId { id } => self.queue.header(key(id), gone),
            Event::Active { id, sender } => {
                let message = self.queue.entry(key(id), gone);
                if !message.is_active {
                    message.is_active = true;
                    set(&mut message.sender, sender);
                    let grown = message.sender.len();
                    self.queue.settle(grown, gone);
                }
            }
            Event::Expired { .. } => self.hour.expired += times,
            Event::Removed { id, is_canceled } => {
                if is_canceled && let Some(message) = self.queue.get(key(id)) {
                    message.fate = Fate::Canceled;
                }
                self.queue.remove(key(id), gone);
            }
            Event::Delivery(delivery) => self.delivery(line, &delivery, times),
            Event::Attempt { text, .. } => {
                self.refused.add(text, b"", b"", line.stamp, times);
            }
            Event::Notice { id, notice, kind } => {
                if kind != NoticeKind::Status {
                    self.notice(line, key(id), key(notice), kind);
                }
            }
            Event::Reject(reject) => {
                self.hour.rejected += times;
                self.reject(line, &reject, times);
            }
            Event::Other => {}
        }
    }

    fn delivery(&mut self, line: &Line<'_>, delivery: &Delivery<'_>, times: u64) {
        let counts = &mut self.hour;
        match delivery.status {
            Status::Sent => counts.sent += times,
            Status::Bounced => counts.bounced += times,
            Status::Deferred => counts.deferred += times,
            Status::Probe => return,
        }
        let key = Key::of(self.host_number, delivery.id);
        if delivery.status == Status::Sent {
            if let Some(message) = self.queue.get(key)
                && !message.failed.is_empty()
            {
                self.queue.succeed(key, delivery.named());
            }
            if let Some(message) = self.queue.get(key)
                && message.cause.is_some()
            {
                let is_away = line.program == Program::Smtp;
                let fate = if is_away { Fate::Sent } else { Fate::Home };
                message.fate = message.fate.max(fate);
            }
            self.follow(key, delivery.text);
            return;
        }
        if matches!(line.program, Program::Smtp | Program::Lmtp | Program::Error) {
            let (relay, dsn) = (delivery.relay(), delivery.dsn());
            self.refused
                .add(delivery.text, relay, dsn, line.stamp, times);
        }
        let is_bounced = delivery.status == Status::Bounced;
        if is_bounced {
            self.unknown_recipient(line, key, delivery, times);
        }
        let book = &mut self.book;
        let message = self.queue.entry(key, &mut |message| book.close(message));
        let is_home = matches!(
            line.program,
            Program::Local | Program::Virtual | Program::Lmtp | Program::Pipe
        );
        message.fate = message.fate.max(match is_bounced {
            _ if is_home => Fate::Home,
            true => Fate::Bounced,
            false => Fate::Deferred,
        });
        if message.is_null() && !is_bounced && !std::mem::replace(&mut message.is_deferred, true) {
            let at = memchr::memrchr(b'@', delivery.to);
            let domain = at.map_or(delivery.to, |at| &delivery.to[at + 1..]);
            let domain = domain.to_ascii_lowercase();
            self.null_sender
                .add(key_of(&[&domain]), line.stamp, 1, || NullSenderDeferred {
                    domain: text(short(&domain)),
                    text: text(short(delivery.text)),
                    ..NullSenderDeferred::default()
                });
        }
        if !message.is_null() {
            self.queue.fail(key, delivery.named(), is_bounced);
        }
    }

    /// The message goes on under another id: forwarded by local(8), or handed to a filter that gave it back.
    fn follow(&mut self, key: Key, said: &[u8]) {
        let forwarded = said.strip_prefix(b"forwarded as ");
        let Some(id) = forwarded.or_else(|| split_once(said, b"queued as ").map(|(_, id)| id))
        else {
            return;
        };
        let end = id.iter().position(|byte| !byte.is_ascii_alphanumeric());
        let id = &id[..end.unwrap_or(id.len())];
        if !is_queue_id(id) {
            return;
        }
        let next = Key::of(self.host_number, id);
        let Some(message) = self.queue.get(next) else {
            return;
        };
        if message.origin != Origin::Unknown && !is_loopback(&message.client) {
            return;
        }
        let notice = message.notice;
        let Some(from) = self.queue.get(key) else {
            return;
        };
        let (origin, client) = (from.origin, from.client.clone());
        if origin == Origin::Unknown {
            return;
        }
        if let Some(message) = self.queue.get(next) {
            let grown = client.len().saturating_sub(message.client.len());
            message.origin = origin;
            set(&mut message.client, &client);
            let book = &mut self.book;
            self.queue.settle(grown, &mut |message| book.close(message));
        }
        // The notice may have been faster than this line.
        let notice = notice.and_then(|notice| self.queue.get(notice));
        if let Some(cause) = notice.and_then(|notice| notice.cause.as_deref_mut()) {
            cause.origin = origin;
            cause.client = client.into();
        }
    }

    fn unknown_recipient(
        &mut self,
        line: &Line<'_>,
        key: Key,
        delivery: &Delivery<'_>,
        times: u64,
    ) {
        let is_agent = matches!(
            line.program,
            Program::Local | Program::Virtual | Program::Lmtp | Program::Pipe | Program::Error
        );
        let says_so = || {
            delivery.dsn() == b"5.1.1"
                || memmem::find(delivery.text, b"unknown user").is_some()
                || memmem::find(delivery.text, b"User unknown").is_some()
        };
        if !is_agent || !says_so() {
            return;
        }
        let is_accepted = (self.queue.get(key))
            .is_some_and(|message| matches!(message.origin, Origin::Client | Origin::Login));
        if !is_accepted {
            return;
        }
        let recipient = short(delivery.named());
        self.accepted_unknown
            .add(key_of(&[recipient]), line.stamp, times, || {
                AcceptedUnknown {
                    recipient: text(recipient),
                    program: text(line.program_name),
                    text: text(short(delivery.text)),
                    ..AcceptedUnknown::default()
                }
            });
    }

    fn notice(&mut self, line: &Line<'_>, id: Key, notice: Key, kind: NoticeKind) {
        let book = &mut self.book;
        let gone = &mut |message: &Message| book.close(message);
        let mut cause = Cause {
            is_delay: kind == NoticeKind::Delay,
            stamp: line.stamp.into(),
            ..Cause::default()
        };
        if let Some(parent) = self.queue.get(id) {
            let bounced = parent.failed.iter().any(|failed| failed.is_bounced);
            let wants_bounced = bounced && !cause.is_delay;
            cause.recipients = (parent.failed.iter())
                .filter(|failed| failed.is_bounced == wants_bounced)
                .map(|failed| failed.recipient.clone())
                .collect();
            cause.origin = parent.origin;
            cause.client = parent.client.as_slice().into();
            cause.sender = parent.sender.as_slice().into();
            parent.notice = Some(notice);
            if wants_bounced {
                self.queue.forget_failed(id);
            }
        }
        self.queue.entry(notice, gone).cause = Some(Box::new(cause));
    }

    fn reject(&mut self, line: &Line<'_>, reject: &Reject<'_>, times: u64) {
        if reject.stage != b"RCPT" || line.program != Program::Smtpd {
            return;
        }
        let Some(refusal) = reject.refusal() else {
            return;
        };
        let is_unknown = memmem::find(refusal.reply, b"User unknown").is_some()
            || refusal.reply.get(4..9) == Some(b"5.1.1");
        if let Some(to) = refusal.to.filter(|_| is_unknown) {
            self.attacks.add(refusal.address, to, line.stamp, times);
        }
    }

    fn settle_hour(&mut self) {
        let hour = std::mem::take(&mut self.hour);
        if hour != Counts::default() {
            self.counts.add(&hour);
            self.histogram.at(&self.stamp).add(&hour);
        }
    }

    /// The end of the log.
    pub(super) fn finish(mut self) -> LogReport {
        self.settle_hour();
        let book = &mut self.book;
        self.queue.drain(&mut |message| {
            book.null_sender_left += u64::from(message.is_null() && message.is_in_queue());
            book.close(message);
        });
        let (refused_by_others, refused_left_out) = self.refused.finish();
        let (complaints, complaints_left_out) = self.complaints.finish();
        let left_out = refused_left_out
            + complaints_left_out
            + self.book.backscatter.left_out
            + self.accepted_unknown.left_out
            + self.null_sender.left_out
            + self.queue.forgotten;
        LogReport {
            postfix_lines: self.postfix_lines,
            counts: self.counts,
            histogram: self.histogram.finish(),
            refused_by_others,
            backscatter: (self.book.backscatter.into_sorted().into_iter())
                .map(|(seen, one)| Backscatter { seen, ..one })
                .collect(),
            notices: self.book.notices,
            accepted_unknown: (self.accepted_unknown.into_sorted().into_iter())
                .map(|(seen, one)| AcceptedUnknown { seen, ..one })
                .collect(),
            null_sender_deferred: (self.null_sender.into_sorted().into_iter())
                .map(|(seen, one)| NullSenderDeferred { seen, ..one })
                .collect(),
            null_sender_left: self.book.null_sender_left,
            attacks: self.attacks.finish(),
            complaints,
            left_out,
            ..LogReport::default()
        }
    }
}

impl Book<'_> {
    /// A message goes: if it is a notice, it is known now what became of it.
    fn close(&mut self, message: &Message) {
        let Some(cause) = &message.cause else { return };
        if message.fate == Fate::Canceled {
            return;
        }
        let is_own = match cause.origin {
            Origin::Unknown => {
                self.notices.unknown += 1;
                return;
            }
            Origin::Login | Origin::Pickup => true,
            Origin::Client => self.is_own_client(&cause.client),
        };
        // A notice that stays here goes to one of our own users.
        if is_own || message.fate == Fate::Home {
            self.notices.own += 1;
            return;
        }
        let notices = &mut self.notices;
        notices.strangers += 1;
        let is_sent = message.fate == Fate::Sent;
        let is_deferred = message.fate == Fate::Deferred;
        notices.sent += u64::from(is_sent);
        notices.deferred += u64::from(is_deferred);
        notices.bounced += u64::from(message.fate == Fate::Bounced);
        notices.delay += u64::from(cause.is_delay);
        let nobody: Box<[u8]> = Box::default();
        let recipients = match cause.recipients.as_slice() {
            [] => std::slice::from_ref(&nobody),
            recipients => recipients,
        };
        for recipient in recipients {
            let recipient = text(recipient);
            let key = key_of(&[recipient.to_lowercase().as_bytes()]);
            let added = self.backscatter.add(key, &cause.stamp, 1, || Backscatter {
                recipient,
                client: text(&cause.client),
                sender: text(&cause.sender),
                ..Backscatter::default()
            });
            if let Some(added) = added {
                added.sent += u64::from(is_sent);
                added.deferred += u64::from(is_deferred);
                added.delay += u64::from(cause.is_delay);
            }
        }
    }

    fn is_own_client(&self, client: &[u8]) -> bool {
        let client = Client::of(client);
        let address = client
            .original
            .map_or(client.address, |(_, address)| address);
        let address = std::str::from_utf8(address).ok();
        let address = address.and_then(|address| address.parse::<IpAddr>().ok());
        address.is_some_and(|address| address.is_loopback() || (self.is_own)(address))
    }
}

/// Whether a client is this host: a filter that hands mail back.
fn is_loopback(client: &[u8]) -> bool {
    let (_, address) = host(client);
    address.starts_with(b"127.") || address == b"::1"
}
