//! The messages that are in the queue at a point of the log: what later lines are about.
//!
//! Constant memory: what was removed is forgotten a little later (lines of several programs are not in order), and
//! of more messages than fit, the oldest go.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

/// So many messages are kept.
const MOST: usize = 65_536;
/// So many bytes are kept of all of them.
const MOST_BYTES: usize = 16 << 20;
/// So many of those that were removed are kept: another program may still have something to say of them.
const LINGERING: usize = 512;
/// So many recipients that were not delivered to are kept of a message.
const MOST_RECIPIENTS: usize = 20;
/// So much is kept of a text.
const LONGEST: usize = 320;

/// A message, by host and queue id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key(u64);

impl Key {
    /// The key of a queue id on a host.
    pub(super) fn of(host: u64, id: &[u8]) -> Self {
        Self(hash(host, id))
    }
}

/// A number for some bytes that other bytes do not have.
pub fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const MANY: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(MANY);
    let mut mix = |word: u64| {
        let product = u128::from(state ^ word) * u128::from(MANY);
        #[allow(clippy::cast_possible_truncation)] // Both halves are wanted.
        let folded = (product as u64) ^ ((product >> 64) as u64);
        state = folded.rotate_left(23) ^ word.wrapping_mul(0xd6e8_feb8_6659_fd93);
    };
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let mut last = [0; 8];
    let rest = chunks.remainder();
    last[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(last));
    mix(MANY);
    state
}

/// Keys are hashed already.
#[derive(Debug, Default)]
pub struct Plain(u64);

impl Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A map by numbers that are hashed already.
pub type NumberMap<V> = HashMap<u64, V, BuildHasherDefault<Plain>>;

/// Where a message came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// The log does not say: it came before the log, or was made by Postfix itself.
    #[default]
    Unknown,
    /// smtpd, from a client that did not log in.
    Client,
    /// smtpd, from somebody who had logged in.
    Login,
    /// A program of this host.
    Pickup,
}

/// A message that was not delivered to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failed {
    /// The recipient that the client named.
    pub(super) recipient: Box<[u8]>,
    /// It was returned; else put off.
    pub(super) is_bounced: bool,
}

/// What a message is a notice of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cause {
    /// Who is to blame.
    pub(super) recipients: Vec<Box<[u8]>>,
    /// Where the message came from of which it is a notice.
    pub(super) origin: Origin,
    /// The client that sent that, `HOST[ADDR]`.
    pub(super) client: Box<[u8]>,
    /// Its sender, who gets the notice.
    pub(super) sender: Box<[u8]>,
    /// It says that the mail is late.
    pub(super) is_delay: bool,
    /// The stamp of the line that says so.
    pub(super) stamp: Box<[u8]>,
}

/// How far a notice came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fate {
    /// The log does not say.
    #[default]
    Unseen,
    /// It goes round in the queue.
    Deferred,
    /// Nobody takes it.
    Bounced,
    /// It was delivered on this host.
    Home,
    /// Another server took it.
    Sent,
    /// It was never sent.
    Canceled,
}

/// A message.
#[derive(Clone, Debug, Default)]
pub(super) struct Message {
    /// Where it came from.
    pub(super) origin: Origin,
    /// The client as smtpd logs it, behind `client=`.
    pub(super) client: Vec<u8>,
    /// The sender, when qmgr has said it.
    pub(super) sender: Vec<u8>,
    /// qmgr has said who the sender is.
    pub(super) is_active: bool,
    /// cleanup has seen its header.
    pub(super) has_header: bool,
    /// Those who did not get it.
    pub(super) failed: Vec<Failed>,
    /// What it is a notice of.
    pub(super) cause: Option<Box<Cause>>,
    /// The notice of it.
    pub(super) notice: Option<Key>,
    /// How far it came.
    pub(super) fate: Fate,
    /// It was put off, and that was counted.
    pub(super) is_deferred: bool,
    /// The queue file is gone.
    is_removed: bool,
    key: u64,
    previous: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// The messages in the queue.
#[derive(Debug)]
pub(super) struct Queue {
    slots: Vec<Message>,
    free: Vec<u32>,
    by_key: NumberMap<u32>,
    oldest: u32,
    newest: u32,
    lingering: VecDeque<(u32, u64)>,
    bytes: usize,
    /// So many went because there were too many.
    pub(super) forgotten: u64,
}

impl Message {
    fn bytes(&self) -> usize {
        let failed: usize = self
            .failed
            .iter()
            .map(|failed| failed.recipient.len() + 24)
            .sum();
        self.client.len() + self.sender.len() + failed
    }

    /// Whether it has the null sender.
    pub(super) fn is_null(&self) -> bool {
        self.is_active && self.sender.is_empty()
    }

    /// Whether it is not known to be gone.
    pub(super) fn is_in_queue(&self) -> bool {
        !self.is_removed
    }

    fn clear(&mut self) {
        self.client.clear();
        self.sender.clear();
        self.failed.clear();
        *self = Self {
            client: std::mem::take(&mut self.client),
            sender: std::mem::take(&mut self.sender),
            failed: std::mem::take(&mut self.failed),
            ..Self::default()
        };
    }
}

/// Puts the start of a text in place of another.
pub(super) fn set(to: &mut Vec<u8>, from: &[u8]) {
    to.clear();
    to.extend_from_slice(short(from));
}

/// The start of a text.
pub(super) fn short(text: &[u8]) -> &[u8] {
    &text[..text.len().min(LONGEST)]
}

impl Queue {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: NumberMap::default(),
            oldest: NONE,
            newest: NONE,
            lingering: VecDeque::new(),
            bytes: 0,
            forgotten: 0,
        }
    }

    /// A message that is there.
    pub(super) fn get(&mut self, key: Key) -> Option<&mut Message> {
        let index = *self.by_key.get(&key.0)?;
        Some(&mut self.slots[index as usize])
    }

    /// A message; one of which nothing is known when it is not there. `gone` gets those that have to go.
    pub(super) fn entry(&mut self, key: Key, gone: &mut dyn FnMut(&Message)) -> &mut Message {
        let index = match self.by_key.get(&key.0) {
            Some(&index) => index,
            None => self.insert(key, gone),
        };
        &mut self.slots[index as usize]
    }

    /// A message that enters now. An older one of the same id is gone.
    pub(super) fn enter(&mut self, key: Key, gone: &mut dyn FnMut(&Message)) -> &mut Message {
        if let Some(&index) = self.by_key.get(&key.0) {
            self.forget(index, gone);
        }
        let index = self.insert(key, gone);
        &mut self.slots[index as usize]
    }

    /// cleanup saw a header: of a message that entered a moment ago, else of one that Postfix made itself. An
    /// id that was there before is used again.
    pub(super) fn header(&mut self, key: Key, gone: &mut dyn FnMut(&Message)) {
        if let Some(&index) = self.by_key.get(&key.0) {
            let message = &mut self.slots[index as usize];
            // A notice may be named before its own lines.
            if !message.is_removed && !message.has_header {
                message.has_header = true;
                return;
            }
            self.forget(index, gone);
        }
        let index = self.insert(key, gone);
        self.slots[index as usize].has_header = true;
    }

    /// The queue file is gone.
    pub(super) fn remove(&mut self, key: Key, gone: &mut dyn FnMut(&Message)) {
        let Some(&index) = self.by_key.get(&key.0) else {
            return;
        };
        let message = &mut self.slots[index as usize];
        if std::mem::replace(&mut message.is_removed, true) {
            return;
        }
        self.lingering.push_back((index, key.0));
        if self.lingering.len() > LINGERING
            && let Some((index, key)) = self.lingering.pop_front()
            && self.by_key.get(&key) == Some(&index)
            && self.slots[index as usize].is_removed
        {
            self.forget(index, gone);
        }
    }

    /// Keeps who did not get a message.
    pub(super) fn fail(&mut self, key: Key, recipient: &[u8], is_bounced: bool) {
        let Some(&index) = self.by_key.get(&key.0) else {
            return;
        };
        let message = &mut self.slots[index as usize];
        let before = message.bytes();
        let recipient = short(recipient);
        if let Some(known) = message
            .failed
            .iter_mut()
            .find(|failed| *failed.recipient == *recipient)
        {
            known.is_bounced |= is_bounced;
        } else if message.failed.len() < MOST_RECIPIENTS {
            message.failed.push(Failed {
                recipient: recipient.into(),
                is_bounced,
            });
        }
        self.bytes += message.bytes() - before;
    }

    /// A recipient that was put off has got it.
    pub(super) fn succeed(&mut self, key: Key, recipient: &[u8]) {
        self.forget_those(key, |failed| {
            !failed.is_bounced && *failed.recipient == *recipient
        });
    }

    /// The recipients that bounced are told of.
    pub(super) fn forget_failed(&mut self, key: Key) {
        self.forget_those(key, |failed| failed.is_bounced);
    }

    fn forget_those(&mut self, key: Key, which: impl Fn(&Failed) -> bool) {
        if let Some(&index) = self.by_key.get(&key.0) {
            let message = &mut self.slots[index as usize];
            let before = message.bytes();
            message.failed.retain(|failed| !which(failed));
            self.bytes = self.bytes.saturating_sub(before - message.bytes());
        }
    }

    /// Notes what was set in a message from outside, and makes room when there is too much.
    pub(super) fn settle(&mut self, grown: usize, gone: &mut dyn FnMut(&Message)) {
        self.bytes += grown;
        while self.bytes > MOST_BYTES && self.by_key.len() > 1 {
            self.forgotten += 1;
            self.forget(self.oldest, gone);
        }
    }

    /// Those that are left at the end of the log, the oldest first.
    pub(super) fn drain(&mut self, gone: &mut dyn FnMut(&Message)) {
        while self.oldest != NONE {
            self.forget(self.oldest, gone);
        }
    }

    fn insert(&mut self, key: Key, gone: &mut dyn FnMut(&Message)) -> u32 {
        if self.by_key.len() >= MOST {
            self.forgotten += 1;
            self.forget(self.oldest, gone);
        }
        let index = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Message::default());
            u32::try_from(self.slots.len() - 1).unwrap_or(NONE - 1)
        });
        let newest = std::mem::replace(&mut self.newest, index);
        let message = &mut self.slots[index as usize];
        message.key = key.0;
        message.previous = newest;
        message.next = NONE;
        match newest {
            NONE => self.oldest = index,
            newest => self.slots[newest as usize].next = index,
        }
        self.by_key.insert(key.0, index);
        index
    }

    fn forget(&mut self, index: u32, gone: &mut dyn FnMut(&Message)) {
        let message = &mut self.slots[index as usize];
        gone(message);
        let (key, previous, next) = (message.key, message.previous, message.next);
        self.bytes = self.bytes.saturating_sub(message.bytes());
        message.clear();
        match previous {
            NONE => self.oldest = next,
            previous => self.slots[previous as usize].next = next,
        }
        match next {
            NONE => self.newest = previous,
            next => self.slots[next as usize].previous = previous,
        }
        self.by_key.remove(&key);
        self.free.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go() {
        let mut queue = Queue::new();
        let mut gone = Vec::new();
        for number in 0..u64::try_from(MOST).expect("a number") + 3 {
            let key = Key::of(0, &number.to_le_bytes());
            let message = queue.enter(key, &mut |message| gone.push(message.sender.clone()));
            set(&mut message.sender, number.to_string().as_bytes());
        }
        assert_eq!(gone, [b"0", b"1", b"2"]);
        assert_eq!(queue.forgotten, 3);
        let mut left = 0;
        queue.drain(&mut |_| left += 1);
        assert_eq!(left, MOST);
        assert!(queue.by_key.is_empty());
    }

    #[test]
    fn what_was_removed_lingers() {
        let mut queue = Queue::new();
        let mut gone = 0;
        let key = |number: usize| Key::of(7, &number.to_le_bytes());
        for number in 0..LINGERING + 1 {
            queue.enter(key(number), &mut |_| gone += 1);
            queue.remove(key(number), &mut |_| gone += 1);
        }
        assert_eq!(gone, 1);
        assert!(queue.get(key(0)).is_none() && queue.get(key(1)).is_some());
        // The id is used again: the first message is gone, and removing the second is another matter.
        queue.header(key(1), &mut |_| gone += 1);
        assert_eq!(gone, 2);
        assert!(!queue.get(key(1)).expect("there").is_removed);
    }

    #[test]
    fn hashes_differ() {
        let mut seen = std::collections::BTreeSet::new();
        for length in 0..40 {
            assert!(seen.insert(hash(0, &vec![0; length])));
            assert!(seen.insert(hash(1, &vec![0; length])));
        }
        for byte in 1..=255 {
            assert!(seen.insert(hash(0, &[byte])));
        }
    }
}
