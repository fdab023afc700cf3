//! Just enough SMTP: a client that looks like a stranger on the Internet, and a next hop that takes
//! everything. Every wait ends, and every loop is bounded.

use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The name by which the client is known to Postfix.
pub(crate) const CLIENT_NAME: &str = "stranger.example.net";
/// The address by which the client is known to Postfix; of the range for documentation.
pub(crate) const CLIENT_ADDRESS: &str = "198.51.100.7";
/// The forged sender of all test mail.
pub(crate) const SENDER: &str = "forged@victim.test";

/// How names begin that no server knows.
pub(crate) const NOBODY: &str = "no-such-user";

const PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_LINE: u64 = 8192;
const MOST_LINES: usize = 1000;

/// A server's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The three digits.
    pub(crate) code: u16,
    /// The enhanced status code, or nothing.
    pub(crate) dsn: String,
    /// The rest; the lines of a longer answer are joined by newlines.
    pub(crate) text: String,
}

impl Reply {
    fn parse(lines: &[String]) -> io::Result<Self> {
        let first = lines.first().map_or("", String::as_str);
        let code = first
            .get(..3)
            .and_then(|digits| digits.parse().ok())
            .ok_or_else(|| bad(format!("not an SMTP reply: {first:?}")))?;
        let texts: Vec<&str> = lines
            .iter()
            .map(|line| line.get(4..).unwrap_or(""))
            .collect();
        let dsn = texts
            .first()
            .and_then(|text| text.split_whitespace().next())
            .filter(|word| word.starts_with(['2', '4', '5']) && word.matches('.').count() == 2)
            .unwrap_or("")
            .to_owned();
        let text = texts
            .iter()
            .map(|text| text.strip_prefix(dsn.as_str()).unwrap_or(text).trim())
            .collect::<Vec<_>>()
            .join("\n");
        Ok(Self { code, dsn, text })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, self.dsn, self.text)
    }
}

fn bad(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// One conversation with a server.
pub(crate) struct Session {
    stream: BufReader<TcpStream>,
}

impl Session {
    /// Connects to a loopback port and introduces itself, with Postfix's XCLIENT, as a stranger.
    pub(crate) fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut session = Self {
            stream: BufReader::new(stream),
        };
        session.expect(220, None)?;
        session.expect(250, Some(&format!("EHLO {CLIENT_NAME}")))?;
        // The server starts over with this client, banner included.
        session.expect(
            220,
            Some(&format!("XCLIENT NAME={CLIENT_NAME} ADDR={CLIENT_ADDRESS}")),
        )?;
        session.expect(250, Some(&format!("EHLO {CLIENT_NAME}")))?;
        Ok(session)
    }

    /// Connects to a loopback port that expects the PROXY protocol, so that the server takes the client for the
    /// stranger from the first moment. The first answer is that in place of a greeting. A server that has died
    /// says nothing, and is not waited for any longer when `is_dead` says so.
    pub(crate) fn open_early(
        port: u16,
        is_dead: impl Fn() -> bool,
    ) -> io::Result<(Self, io::Result<Reply>)> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let mut session = Self {
            stream: BufReader::new(stream),
        };
        let line = format!("PROXY TCP4 {CLIENT_ADDRESS} 127.0.0.1 40000 25");
        write_line(session.stream.get_mut(), &line)?;
        let stream = session.stream.get_ref();
        stream.set_read_timeout(Some(Duration::from_millis(50)))?;
        let end = Instant::now() + PATIENCE;
        let waits = |error: &io::Error| {
            matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
            )
        };
        while stream.peek(&mut [0]).is_err_and(|error| waits(&error)) {
            if is_dead() || Instant::now() > end {
                return Ok((session, Err(io::ErrorKind::TimedOut.into())));
            }
        }
        stream.set_read_timeout(Some(PATIENCE))?;
        let greeting = session.reply();
        Ok((session, greeting))
    }

    /// Sends one command and reads the answer to it.
    pub(crate) fn command(&mut self, command: &str) -> io::Result<Reply> {
        write_line(self.stream.get_mut(), command)?;
        self.reply()
    }

    /// Names a recipient of a message from [`SENDER`].
    pub(crate) fn rcpt(&mut self, address: &str) -> io::Result<Reply> {
        self.expect(250, Some(&format!("MAIL FROM:<{SENDER}>")))?;
        self.command(&format!("RCPT TO:<{address}>"))
    }

    /// Sends a short message to the recipients that were accepted.
    pub(crate) fn data(&mut self) -> io::Result<Reply> {
        self.expect(354, Some("DATA"))?;
        self.command(&format!(
            "From: <{SENDER}>\r\nTo: undisclosed-recipients:;\r\nSubject: test\r\n\r\ntest\r\n."
        ))
    }

    fn expect(&mut self, code: u16, command: Option<&str>) -> io::Result<()> {
        let reply = match command {
            Some(command) => self.command(command)?,
            None => self.reply()?,
        };
        if reply.code == code {
            Ok(())
        } else {
            Err(bad(format!("{}: {reply}", command.unwrap_or("connect"))))
        }
    }

    fn reply(&mut self) -> io::Result<Reply> {
        let mut lines = Vec::new();
        while lines.len() < MOST_LINES {
            let line = read_line(&mut self.stream)?;
            let more = line.as_bytes().get(3) == Some(&b'-');
            lines.push(line);
            if !more {
                return Reply::parse(&lines);
            }
        }
        Err(bad("a reply without end".to_owned()))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Postfix logs a lost connection otherwise, which would be noise in a failing test's log.
        drop(self.command("QUIT"));
    }
}

/// In one piece: the second of two would wait for the other side to acknowledge the first.
fn write_line(stream: &mut TcpStream, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes())
}

fn read_line(stream: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

/// A message that a [`Sink`] took.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    /// The envelope sender; empty for a bounce.
    pub(crate) sender: String,
    /// The envelope recipients.
    pub(crate) recipients: Vec<String>,
    /// Headers and body.
    pub(crate) text: String,
}

/// The rest of the Internet: a next hop that takes every message and keeps it. It refuses recipients whose
/// names begin with [`NOBODY`].
pub(crate) struct Sink {
    port: u16,
    messages: Arc<Mutex<Vec<Message>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Sink {
    /// Listens on a free loopback port.
    pub(crate) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, stopped) = (Arc::clone(&messages), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    break;
                }
                let (Ok(stream), kept) = (stream, Arc::clone(&kept)) else {
                    continue;
                };
                // A client that goes away in the middle is no concern of the tests.
                thread::spawn(move || drop(take(stream, &kept)));
            }
        });
        Ok(Self {
            port,
            messages,
            stop,
            thread: Some(thread),
        })
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The messages so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        // Wakes the thread up, which then sees that it is to stop.
        drop(TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// The server's side of one conversation.
fn take(stream: TcpStream, messages: &Mutex<Vec<Message>>) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut stream = BufReader::new(stream);
    let (mut sender, mut recipients) = (String::new(), Vec::new());
    stream.get_mut().write_all(b"220 next-hop.test ESMTP\r\n")?;
    for _ in 0..MOST_LINES {
        let line = read_line(&mut stream)?;
        let verb = line.get(..4).unwrap_or("").to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" | "HELO" | "RSET" | "NOOP" => "250 ok",
            "MAIL" => {
                sender = in_brackets(&line);
                recipients.clear();
                "250 ok"
            }
            "RCPT" if in_brackets(&line).starts_with(NOBODY) => "550 5.1.1 no such user",
            "RCPT" => {
                recipients.push(in_brackets(&line));
                "250 ok"
            }
            "DATA" => {
                stream.get_mut().write_all(b"354 go on\r\n")?;
                let text = read_message(&mut stream)?;
                messages
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(Message {
                        sender: sender.clone(),
                        recipients: recipients.clone(),
                        text,
                    });
                "250 taken"
            }
            "QUIT" => return stream.get_mut().write_all(b"221 bye\r\n"),
            _ => "502 no",
        };
        write_line(stream.get_mut(), answer)?;
    }
    Ok(())
}

fn in_brackets(line: &str) -> String {
    let inner = line
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'));
    inner.map_or("", |(address, _)| address).to_owned()
}

fn read_message(stream: &mut impl BufRead) -> io::Result<String> {
    let mut text = String::new();
    for _ in 0..MOST_LINES {
        let line = read_line(stream)?;
        if line == "." {
            return Ok(text);
        }
        text.push_str(&line);
        text.push('\n');
    }
    Err(bad("a message without end".to_owned()))
}
