//! What a line says: the forms of smtpd(8), cleanup(8), qmgr(8), bounce(8) and the delivery agents.

use memchr::memmem;

use super::line::{Line, Program, Severity, queue_id};

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'l> {
    /// smtpd made a queue file: `ID: client=HOST[ADDR]…`.
    Client {
        /// The queue id.
        id: &'l [u8],
        /// What is behind `client=`.
        client: &'l [u8],
    },
    /// pickup made a queue file: `ID: uid=N from=<S>`.
    Pickup {
        /// The queue id.
        id: &'l [u8],
    },
    /// cleanup saw the header: `ID: message-id=…`.
    MessageId {
        /// The queue id.
        id: &'l [u8],
    },
    /// qmgr took it up: `ID: from=<S>, size=N, nrcpt=N (queue active)`.
    Active {
        /// The queue id.
        id: &'l [u8],
        /// The sender; empty for the null sender.
        sender: &'l [u8],
    },
    /// qmgr gave up: `ID: from=<S>, status=expired, returned to sender`.
    Expired {
        /// The queue id.
        id: &'l [u8],
    },
    /// The queue file is gone.
    Removed {
        /// The queue id.
        id: &'l [u8],
        /// cleanup never let it through: `removed (canceled)`.
        is_canceled: bool,
    },
    /// `ID: to=<R>, …, status=S (TEXT)`.
    Delivery(Delivery<'l>),
    /// An attempt at one of several hosts failed: `ID: host N[A] said: …`.
    Attempt {
        /// The queue id.
        id: &'l [u8],
        /// The text behind the id.
        text: &'l [u8],
    },
    /// bounce made a notice: `ID: sender non-delivery notification: ID2`.
    Notice {
        /// The message that could not be delivered.
        id: &'l [u8],
        /// The notice.
        notice: &'l [u8],
        /// Of what.
        kind: NoticeKind,
    },
    /// A refusal: `NOQUEUE: reject: RCPT from HOST[ADDR]: 550 5.1.1 …; from=<S> to=<R> proto=P helo=<H>`.
    Reject(Reject<'l>),
    /// Anything else.
    Other,
}

/// The status of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// `sent`
    Sent,
    /// `bounced`
    Bounced,
    /// `deferred`, or `SOFTBOUNCE`
    Deferred,
    /// `deliverable` or `undeliverable`: a probe of verify(8).
    Probe,
}

/// A delivery, or the attempt of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery<'l> {
    /// The queue id.
    pub id: &'l [u8],
    /// The recipient.
    pub to: &'l [u8],
    /// The recipient before aliases, where it is another one.
    pub orig_to: Option<&'l [u8]>,
    /// What is behind it, from `, relay=` on.
    pub fields: &'l [u8],
    /// How it ended.
    pub status: Status,
    /// What is in the parentheses.
    pub text: &'l [u8],
}

/// Of what a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The mail was returned.
    NonDelivery,
    /// The mail is late.
    Delay,
    /// What the sender asked for.
    Status,
}

/// Who decided about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectedBy {
    /// The program that logs it.
    Smtpd,
    /// A milter.
    Milter,
    /// A proxy filter.
    Proxy,
}

/// A refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reject<'l> {
    /// Who refused it.
    pub by: RejectedBy,
    /// What was refused: RCPT, MAIL, CONNECT, header …
    pub stage: &'l [u8],
    /// What is behind the stage.
    pub rest: &'l [u8],
}

/// Who sends, of a line with `client=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client<'l> {
    /// The verified name, or `unknown`.
    pub name: &'l [u8],
    /// The address.
    pub address: &'l [u8],
    /// The login.
    pub sasl_username: Option<&'l [u8]>,
    /// The client that a filter in front of this smtpd names: `orig_client=`.
    pub original: Option<(&'l [u8], &'l [u8])>,
}

impl<'l> Event<'l> {
    /// What a line says.
    pub fn of(line: &Line<'l>) -> Self {
        if line.severity != Severity::Info {
            return Self::Other;
        }
        let text = line.text;
        if matches!(line.program, Program::Smtpd | Program::Postscreen)
            && let Some(rest) = text.strip_prefix(b"NOQUEUE: ")
        {
            return reject(rest).map_or(Self::Other, Self::Reject);
        }
        if line.program == Program::Other && !text.ends_with(b": removed") {
            return Self::Other;
        }
        let Some((id, rest)) = queue_id(text) else {
            return match reject(text) {
                Some(found) if line.program == Program::Smtpd => Self::Reject(found),
                _ => Self::Other,
            };
        };
        match line.program {
            Program::Smtpd => match rest.strip_prefix(b"client=") {
                Some(client) => Self::Client { id, client },
                None => reject(rest).map_or(Self::Other, Self::Reject),
            },
            Program::Pickup if rest.starts_with(b"uid=") => Self::Pickup { id },
            Program::Qmgr => qmgr(id, rest),
            Program::Bounce => bounce(id, rest),
            Program::Cleanup => match rest {
                _ if rest.starts_with(b"message-id=") => Self::MessageId { id },
                _ if rest.starts_with(b"removed") => Self::Removed {
                    id,
                    is_canceled: true,
                },
                _ => match reject(rest) {
                    Some(found) => Self::Reject(found),
                    None => delivery(id, rest),
                },
            },
            // postsuper(1)
            Program::Other if rest == b"removed" => Self::Removed {
                id,
                is_canceled: false,
            },
            Program::Pickup | Program::Postscreen | Program::Other => Self::Other,
            _ => delivery(id, rest),
        }
    }
}

fn qmgr<'l>(id: &'l [u8], rest: &'l [u8]) -> Event<'l> {
    if rest == b"removed" {
        return Event::Removed {
            id,
            is_canceled: false,
        };
    }
    let Some(behind) = rest.strip_prefix(b"from=<") else {
        return delivery(id, rest);
    };
    let Some((sender, behind)) = address(behind, b", s") else {
        return Event::Other;
    };
    if behind.starts_with(b">, status=expired") || behind.starts_with(b">, status=force-expired") {
        return Event::Expired { id };
    }
    Event::Active { id, sender }
}

fn bounce<'l>(id: &'l [u8], rest: &'l [u8]) -> Event<'l> {
    let Some((kind, notice)) = rest
        .strip_prefix(b"sender ")
        .and_then(|rest| split_once(rest, b" notification: "))
    else {
        return Event::Other;
    };
    let kind = match kind {
        b"non-delivery" => NoticeKind::NonDelivery,
        b"delay" => NoticeKind::Delay,
        _ => NoticeKind::Status,
    };
    Event::Notice { id, notice, kind }
}

/// `to=<A>[, orig_to=<B>], relay=R, …, dsn=X.Y.Z, status=S (TEXT)` (`src/global/log_adhoc.c`).
fn delivery<'l>(id: &'l [u8], rest: &'l [u8]) -> Event<'l> {
    let Some(behind) = rest.strip_prefix(b"to=<") else {
        let is_attempt = rest.starts_with(b"host ")
            || rest.starts_with(b"lost connection with ")
            || rest.starts_with(b"conversation with ");
        return if is_attempt {
            Event::Attempt { id, text: rest }
        } else {
            Event::Other
        };
    };
    let Some((to, behind)) = address(behind, b", ") else {
        return Event::Other;
    };
    let mut fields = &behind[1..];
    let mut orig_to = None;
    if let Some(behind) = fields.strip_prefix(b", orig_to=<") {
        let Some((address, behind)) = address(behind, b", ") else {
            return Event::Other;
        };
        orig_to = Some(address);
        fields = &behind[1..];
    }
    let Some((head, behind)) = split_once(fields, b", status=") else {
        return Event::Other;
    };
    let end = memchr::memchr(b' ', behind).unwrap_or(behind.len());
    let status = match &behind[..end] {
        b"sent" => Status::Sent,
        b"bounced" => Status::Bounced,
        b"deferred" | b"SOFTBOUNCE" => Status::Deferred,
        b"deliverable" | b"undeliverable" => Status::Probe,
        _ => return Event::Other,
    };
    let text = behind[end..].strip_prefix(b" (").unwrap_or(b"");
    Event::Delivery(Delivery {
        id,
        to,
        orig_to,
        fields: head,
        status,
        text: text.strip_suffix(b")").unwrap_or(text),
    })
}

/// The address up to its `>`, and the rest from that on. A local part may be quoted and hold anything; where
/// Postfix leaves the quotes out (`info_log_address_format = internal`), what follows the address decides.
fn address<'l>(text: &'l [u8], follows: &[u8]) -> Option<(&'l [u8], &'l [u8])> {
    let end = memchr::memchr2(b'>', b'"', text)?;
    let is_end = |at: usize| text[at + 1..].starts_with(follows) || at + 1 == text.len();
    if text[end] == b'>' && is_end(end) {
        return Some((&text[..end], &text[end..]));
    }
    let mut quoted = false;
    let mut escaped = false;
    let mut fallback = None;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if is_end(at) => {
                if !quoted {
                    return Some((&text[..at], &text[at..]));
                }
                fallback.get_or_insert(at);
            }
            _ => {}
        }
    }
    fallback.map(|at| (&text[..at], &text[at..]))
}

/// `[milter-|proxy-]reject: STAGE …`
fn reject(rest: &[u8]) -> Option<Reject<'_>> {
    let (by, rest) = match rest.first() {
        Some(b'm') => (RejectedBy::Milter, rest.strip_prefix(b"milter-")?),
        Some(b'p') => (RejectedBy::Proxy, rest.strip_prefix(b"proxy-")?),
        _ => (RejectedBy::Smtpd, rest),
    };
    let rest = rest.strip_prefix(b"reject: ")?;
    let end = memchr::memchr2(b' ', b':', rest).unwrap_or(rest.len());
    Some(Reject {
        by,
        stage: &rest[..end],
        rest: &rest[end..],
    })
}

impl<'l> Delivery<'l> {
    /// The recipient that the client named.
    pub fn named(&self) -> &'l [u8] {
        self.orig_to.unwrap_or(self.to)
    }

    /// What is behind `relay=`.
    pub fn relay(&self) -> &'l [u8] {
        let behind = self.fields.strip_prefix(b", relay=");
        let behind = behind.unwrap_or(b"");
        &behind[..memchr::memchr(b',', behind).unwrap_or(behind.len())]
    }

    /// The enhanced status code.
    pub fn dsn(&self) -> &'l [u8] {
        split_once(self.fields, b", dsn=").map_or(b"", |(_, dsn)| dsn)
    }
}

/// The parts of a refusal at RCPT TO that it takes to ask the same again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal<'l> {
    /// The name of the client, or `unknown`.
    pub name: &'l [u8],
    /// Its address.
    pub address: &'l [u8],
    /// Code, enhanced code and text of the reply.
    pub reply: &'l [u8],
    /// The sender, where it is known.
    pub from: Option<&'l [u8]>,
    /// The recipient, where it is known.
    pub to: Option<&'l [u8]>,
    /// What the client said after HELO or EHLO.
    pub helo: Option<&'l [u8]>,
    /// The login, from Postfix 3.10 on.
    pub sasl_username: Option<&'l [u8]>,
}

impl<'l> Reject<'l> {
    /// The parts of a refusal of smtpd(8) or postscreen(8).
    pub fn refusal(&self) -> Option<Refusal<'l>> {
        let rest = self.rest.strip_prefix(b" from ")?;
        let (client, rest) = split_once(rest, b"]")?;
        let (name, address) = split_once(client, b"[")?;
        // postscreen(8) adds the port.
        let (_, rest) = split_once(rest, b": ")?;
        // The text may hold anything; the fields behind it are at the end.
        let fields = memmem::rfind(rest, b"; from=<").or_else(|| memmem::rfind(rest, b"; proto="));
        let (reply, fields) = match fields {
            Some(at) => (&rest[..at], &rest[at..]),
            None => (rest, &b""[..]),
        };
        Some(Refusal {
            name,
            address,
            reply,
            from: bracketed(fields, b" from=<"),
            to: bracketed(fields, b" to=<"),
            helo: bracketed(fields, b" helo=<"),
            sasl_username: word(fields, b" sasl_username="),
        })
    }
}

/// The value of ` name=<…>`.
fn bracketed<'l>(fields: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (_, behind) = split_once(fields, name)?;
    let end = behind.iter().enumerate().position(|(at, &byte)| {
        byte == b'>' && matches!(behind.get(at + 1), None | Some(b' ' | b','))
    });
    Some(&behind[..end.unwrap_or(behind.len())])
}

/// The value of ` name=…`, up to a blank or a comma.
fn word<'l>(fields: &'l [u8], name: &[u8]) -> Option<&'l [u8]> {
    let (_, behind) = split_once(fields, name)?;
    Some(&behind[..memchr::memchr2(b' ', b',', behind).unwrap_or(behind.len())])
}

impl<'l> Client<'l> {
    /// Reads what is behind `client=`: `HOST[ADDR][, sasl_method=M][, sasl_username=U][, orig_client=H[A]]`.
    pub fn of(text: &'l [u8]) -> Self {
        let end = memchr::memchr(b',', text).unwrap_or(text.len());
        let (name, address) = host(&text[..end]);
        let fields = &text[end..];
        let original = word(fields, b" orig_client=").map(host);
        Self {
            name,
            address,
            sasl_username: if fields.is_empty() {
                None
            } else {
                word(fields, b" sasl_username=")
            },
            original,
        }
    }
}

/// The name and the address of `HOST[ADDR]`, with what may be behind it.
pub fn host(text: &[u8]) -> (&[u8], &[u8]) {
    match split_once(text, b"[") {
        Some((name, address)) => {
            let end = memchr::memchr(b']', address).unwrap_or(address.len());
            (name, &address[..end])
        }
        None => (text, b""),
    }
}

/// The parts of a text before and behind something.
pub(super) fn split_once<'l>(text: &'l [u8], at: &[u8]) -> Option<(&'l [u8], &'l [u8])> {
    // Texts are short: preparing a search costs more than looking at a few places.
    let first = *at.first()?;
    memchr::memchr_iter(first, text)
        .find(|&found| text[found..].starts_with(at))
        .map(|found| (&text[..found], &text[found + at.len()..]))
}
