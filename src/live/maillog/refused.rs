//! Our mail that others refuse because of our address: what they say, by host, code and words.

use memchr::memmem::{self, Finder};

use super::event::{host, split_once};
use super::groups::{Groups, Seen, key_of, key_of_words, text};

/// So many different refusals are kept.
const MOST: usize = 5_000;

/// Why another server does not want our mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Our address is in a list.
    Listed,
    /// It has a bad name there.
    Reputation,
    /// Too much comes from it.
    Rate,
    /// It is blocked, without a word why.
    Blocked,
}

/// Refusals of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedByOther {
    /// The host that refuses.
    pub remote: String,
    /// The code of its reply; 0 where it has none.
    pub code: u16,
    /// The enhanced code, of the reply or else of the delivery.
    pub dsn: String,
    /// What it says, the first time.
    pub text: String,
    /// Why.
    pub reason: Reason,
    /// How often and when.
    pub seen: Seen,
}

/// What the replies say, in lower case; the first that fits counts.
const WORDS: [(&str, Reason); 38] = [
    ("blocked using", Reason::Listed),
    ("listed at", Reason::Listed),
    ("listed by", Reason::Listed),
    ("listed on", Reason::Listed),
    ("listed in", Reason::Listed),
    ("is listed", Reason::Listed),
    ("blacklist", Reason::Listed),
    ("black list", Reason::Listed),
    ("blocklist", Reason::Listed),
    ("block list", Reason::Listed),
    ("denylist", Reason::Listed),
    ("dnsbl", Reason::Listed),
    (" rbl", Reason::Listed),
    ("spamhaus", Reason::Listed),
    ("spamcop", Reason::Listed),
    ("barracudacentral", Reason::Listed),
    ("barracudanetworks.com/reputation", Reason::Listed),
    ("sorbs.net", Reason::Listed),
    ("uceprotect", Reason::Listed),
    ("backscatterer", Reason::Listed),
    ("mailspike", Reason::Listed),
    ("abuseat.org", Reason::Listed),
    ("invaluement", Reason::Listed),
    ("spfbl", Reason::Listed),
    ("reputation", Reason::Reputation),
    ("senderscore", Reason::Reputation),
    ("unusual rate of unsolicited mail originating", Reason::Rate),
    ("from your ip address has been temporarily", Reason::Rate),
    ("4.7.28", Reason::Rate),
    ("messages from your ip", Reason::Rate),
    ("your ip", Reason::Blocked),
    ("ip blocked", Reason::Blocked),
    ("ip address blocked", Reason::Blocked),
    ("ip address is blocked", Reason::Blocked),
    ("banned sending ip", Reason::Blocked),
    ("client host blocked", Reason::Blocked),
    ("421 4.3.2", Reason::Blocked),
    ("421-4.3.2", Reason::Blocked),
];

/// What is said with the same codes by hosts that have too much to do, or ask for something else.
const BUSY: [&str; 5] = [
    "all server ports are busy",
    "too many connections",
    "no system resources",
    "your ip address does not have a ptr",
    "greylist",
];

/// Collects refusals.
#[derive(Debug)]
pub(super) struct Refused {
    groups: Groups<RefusedByOther>,
    words: Vec<(Finder<'static>, Reason)>,
    lower: Vec<u8>,
}

impl Refused {
    pub(super) fn new() -> Self {
        Self {
            groups: Groups::new(MOST),
            words: (WORDS.iter())
                .map(|(word, reason)| (Finder::new(word), *reason))
                .collect(),
            lower: Vec::new(),
        }
    }

    /// Counts a delivery that failed when another server refused it because of our address. `said` is what is
    /// in the parentheses, `relay` and `dsn` are of the delivery.
    pub(super) fn add(&mut self, said: &[u8], relay: &[u8], dsn: &[u8], stamp: &[u8], times: u64) {
        let Some((before, reply)) =
            split_once(said, b" said: ").or_else(|| split_once(said, b" refused to talk to me: "))
        else {
            return;
        };
        let Some(reason) = self.reason(reply) else {
            return;
        };
        // Behind "delivery temporarily suspended: " there may be a host, too.
        let named = memmem::rfind(before, b"host ").map(|at| &before[at + "host ".len()..]);
        let (name, address) = host(named.unwrap_or(relay));
        let remote = if name.is_empty() { address } else { name };
        let (code, own_dsn) = codes(reply);
        let dsn = if own_dsn.is_empty() { dsn } else { own_dsn };
        let key = key_of_words(key_of(&[remote, &code.to_le_bytes(), dsn]), reply);
        self.groups.add(key, stamp, times, || RefusedByOther {
            remote: text(remote),
            code,
            dsn: text(dsn),
            text: text(reply),
            reason,
            seen: Seen::default(),
        });
    }

    fn reason(&mut self, reply: &[u8]) -> Option<Reason> {
        self.lower.clear();
        self.lower.extend(reply.iter().map(u8::to_ascii_lowercase));
        let lower = &self.lower;
        let found = self
            .words
            .iter()
            .find(|(word, _)| word.find(lower).is_some());
        let (_, reason) = found?;
        let is_busy = *reason == Reason::Blocked
            && BUSY
                .iter()
                .any(|word| memmem::find(lower, word.as_bytes()).is_some());
        (!is_busy).then_some(*reason)
    }

    /// All refusals, the most frequent first, and how many did not fit.
    pub(super) fn finish(self) -> (Vec<RefusedByOther>, u64) {
        let left_out = self.groups.left_out;
        let refusals = self.groups.into_sorted().into_iter();
        let refusals = refusals.map(|(seen, refusal)| RefusedByOther { seen, ..refusal });
        (refusals.collect(), left_out)
    }
}

impl Reason {
    /// The word in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Listed => "listed",
            Self::Reputation => "reputation",
            Self::Rate => "rate",
            Self::Blocked => "blocked",
        }
    }
}

/// The code and the enhanced code at the start of a reply.
fn codes(reply: &[u8]) -> (u16, &[u8]) {
    let digits = reply
        .get(..3)
        .and_then(|code| std::str::from_utf8(code).ok());
    let Some(code) = digits.and_then(|code| code.parse().ok()) else {
        return (0, b"");
    };
    let rest = &reply[3..];
    let rest = match rest.first() {
        Some(b' ' | b'-') => &rest[1..],
        _ => return (code, b""),
    };
    let end = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.');
    let dsn = &rest[..end.unwrap_or(rest.len())];
    let parts = dsn.split(|&byte| byte == b'.');
    let is_dsn = parts.clone().count() == 3 && parts.clone().all(|part| !part.is_empty());
    (code, if is_dsn { dsn } else { b"" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> Option<(String, u16, String, Reason)> {
        let mut refused = Refused::new();
        refused.add(said.as_bytes(), b"none", b"4.0.0", b"Nov  4 02:54:24", 1);
        let (list, _) = refused.finish();
        let first = list.into_iter().next()?;
        Some((first.remote, first.code, first.dsn, first.reason))
    }

    #[test]
    fn because_of_our_address() {
        let of = |said| {
            of(said).map(|(remote, code, dsn, reason)| format!("{remote} {code} {dsn} {reason:?}"))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            of(
                "host mx.example.org[192.0.2.9] said: 554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using bl.example; x (in reply to RCPT TO command)"
            ),
            some("mx.example.org 554 5.7.1 Listed")
        );
        assert_eq!(
            of("host mx.example.org[192.0.2.9] refused to talk to me: 421 4.3.2 Your ip blocked"),
            some("mx.example.org 421 4.3.2 Blocked")
        );
        assert_eq!(
            of(
                "delivery temporarily suspended: host mx.example.org[192.0.2.9] refused to talk to me: 554-mx.example.org 554 Listed at bl.example"
            ),
            some("mx.example.org 554 4.0.0 Listed")
        );
        for other in [
            "host mx[192.0.2.9] said: 550 5.1.1 no such user",
            "host mx[192.0.2.9] refused to talk to me: 421 4.3.2 All server ports are busy",
            "connect to mx[192.0.2.9]:25: your ip",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    #[test]
    fn all_words_are_in_lower_case() {
        for word in WORDS.iter().map(|(word, _)| word).chain(&BUSY) {
            assert_eq!(**word, word.to_lowercase());
        }
    }
}
