//! One question to a DNS server: by UDP, and by TCP when the answer has no room there.
//!
//! `domain`, from the makers of NSD and Unbound, reads and writes the messages. (hickory-proto brings 60 crates
//! more, for names in all alphabets.) What does not answer the question, by its number, name or type, is not
//! looked at.

use std::fmt;
use std::fs;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use domain::base::iana::Rcode;
use domain::base::{Message, MessageBuilder, Name, Rtype};
use domain::rdata::{A, Txt};

use crate::live::timed::Timed;

/// A question by UDP is repeated so often.
const TRIES: u32 = 2;
/// So many servers of resolv.conf are asked.
const MOST_SERVERS: usize = 3;
/// So many records are read.
const MOST_RECORDS: usize = 64;
const DNS: u16 = 53;

/// Whom to ask, and how long to wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// The servers, in the order in which they are asked.
    pub servers: Vec<SocketAddr>,
    /// How long is waited for one server.
    pub patience: Duration,
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Addresses: A.
    Address,
    /// Words: TXT.
    Text,
}

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Addresses.
    pub addresses: Vec<Ipv4Addr>,
    /// Words.
    pub texts: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing came in time.
    TimedOut(SocketAddr),
    /// Nobody answers there: the system's words.
    Unreachable(SocketAddr, String),
    /// The server's own word for it, such as `SERVFAIL`.
    Refused(SocketAddr, String),
    /// The answer cannot be read.
    Malformed(SocketAddr),
    /// It cannot be asked for.
    BadName(String),
    /// There is no server.
    NoServer,
}

impl Resolver {
    /// That of a resolv.conf(5); that of this host where it names none.
    pub fn of_file(path: &Path, patience: Duration) -> Self {
        let text = fs::read_to_string(path).unwrap_or_default();
        let named = |line: &str| {
            let mut words = line.split_whitespace();
            let is_server = words.next() == Some("nameserver");
            let address: IpAddr = words.next().filter(|_| is_server)?.parse().ok()?;
            Some(SocketAddr::new(address, DNS))
        };
        let mut servers: Vec<SocketAddr> =
            text.lines().filter_map(named).take(MOST_SERVERS).collect();
        if servers.is_empty() {
            servers.push(SocketAddr::from(([127, 0, 0, 1], DNS)));
        }
        Self { servers, patience }
    }

    /// Asks one server after the other, until one answers.
    ///
    /// # Errors
    /// None does: the trouble with the first.
    pub fn ask(&self, name: &str, record: Record) -> Result<Found, Trouble> {
        let mut first = None;
        for server in &self.servers {
            match ask(*server, name, record, self.patience) {
                Ok(found) => return Ok(found),
                Err(trouble) => {
                    first.get_or_insert(trouble);
                }
            }
        }
        Err(first.unwrap_or(Trouble::NoServer))
    }
}

/// Asks one server.
fn ask(
    server: SocketAddr,
    name: &str,
    record: Record,
    patience: Duration,
) -> Result<Found, Trouble> {
    let query = query(name, record).ok_or_else(|| Trouble::BadName(name.to_owned()))?;
    let trouble = |error: io::Error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Trouble::TimedOut(server),
        _ => Trouble::Unreachable(server, error.to_string()),
    };
    let mut answer = by_udp(server, &query, patience).map_err(trouble)?;
    if answer.header().tc() {
        answer = by_tcp(server, &query, patience)
            .map_err(trouble)?
            .ok_or(Trouble::Malformed(server))?;
    }
    match answer.header().rcode() {
        Rcode::NOERROR => read(&answer).ok_or(Trouble::Malformed(server)),
        Rcode::NXDOMAIN => Ok(Found::default()),
        other => Err(Trouble::Refused(server, other.to_string())),
    }
}

fn query(name: &str, record: Record) -> Option<Message<Vec<u8>>> {
    let name: Name<Vec<u8>> = Name::vec_from_str(name).ok()?;
    let kind = match record {
        Record::Address => Rtype::A,
        Record::Text => Rtype::TXT,
    };
    let mut builder = MessageBuilder::new_vec();
    // Whoever wants to answer in place of the server has to guess the number, and the port.
    let [low, high, ..] = RandomState::new().hash_one(0_u8).to_ne_bytes();
    let header = builder.header_mut();
    header.set_id(u16::from_ne_bytes([low, high]));
    header.set_rd(true);
    let mut question = builder.question();
    question.push((&name, kind)).ok()?;
    Some(question.into_message())
}

/// The first answer to the question that comes in time; others are not looked at.
fn by_udp(
    server: SocketAddr,
    query: &Message<Vec<u8>>,
    patience: Duration,
) -> io::Result<Message<Vec<u8>>> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    // From now on the system takes packets from there only.
    socket.connect(server)?;
    let mut buffer = [0; 4_096];
    for _ in 0..TRIES {
        socket.send(query.as_slice())?;
        let deadline = Instant::now() + patience / TRIES;
        while let Some(left) = deadline.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            socket.set_read_timeout(Some(left))?;
            let count = match socket.recv(&mut buffer) {
                Ok(count) => count,
                Err(error) if is_timeout(&error) => break,
                Err(error) => return Err(error),
            };
            if let Some(answer) = answer_to(query, buffer.get(..count).unwrap_or_default()) {
                return Ok(answer);
            }
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// The answer by TCP; `None` where it answers something else.
fn by_tcp(
    server: SocketAddr,
    query: &Message<Vec<u8>>,
    patience: Duration,
) -> io::Result<Option<Message<Vec<u8>>>> {
    let mut stream = Timed::connect(server, patience)?;
    let length = u16::try_from(query.as_slice().len()).unwrap_or_default();
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(query.as_slice());
    stream.write_all(&bytes)?;
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut bytes)?;
    Ok(answer_to(query, &bytes).filter(|answer| !answer.header().tc()))
}

fn answer_to(query: &Message<Vec<u8>>, bytes: &[u8]) -> Option<Message<Vec<u8>>> {
    let answer = Message::from_octets(bytes.to_vec()).ok()?;
    answer.is_answer(query).then_some(answer)
}

/// The records of an answer; `None` where one cannot be read.
fn read(answer: &Message<Vec<u8>>) -> Option<Found> {
    let mut found = Found::default();
    for record in answer.answer().ok()?.limit_to_in::<A>().take(MOST_RECORDS) {
        found.addresses.push(record.ok()?.data().addr());
    }
    for record in answer
        .answer()
        .ok()?
        .limit_to_in::<Txt<_>>()
        .take(MOST_RECORDS)
    {
        let text: Vec<u8> = record.ok()?.data().text();
        found
            .texts
            .push(String::from_utf8_lossy(&text).into_owned());
    }
    Some(found)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(server) => write!(f, "{server} does not answer in time"),
            Self::Unreachable(server, why) => write!(f, "{server} cannot be asked: {why}"),
            Self::Refused(server, word) => write!(f, "{server} answers {word}"),
            Self::Malformed(server) => write!(f, "the answer of {server} cannot be read"),
            Self::BadName(name) => write!(f, "{name} is no name of DNS"),
            Self::NoServer => f.write_str("there is no DNS server to ask"),
        }
    }
}

impl std::error::Error for Trouble {}
