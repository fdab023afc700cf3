//! One conversation.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::failure::Failure;
use super::reading::Unread;
use super::stream::Stream;
use super::tls;
use crate::live::timed::Timed;
use crate::mail::Reply;

/// How long is waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// For the connection, and for each reply to come to its end.
    pub patience: Duration,
    /// For the answer to QUIT, which nobody needs.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            patience: Duration::from_secs(30),
            farewell: Duration::from_secs(2),
        }
    }
}

/// A connection to a server.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    unread: Unread,
    limits: Limits,
    local: IpAddr,
    greeting: Reply,
    extensions: Vec<String>,
    tls: Option<String>,
}

impl Client {
    /// Connects and waits for the greeting.
    ///
    /// # Errors
    /// There is no server, it does not greet, or it says that it does not want to talk: [`Failure::Closing`].
    pub fn connect(server: SocketAddr, limits: Limits) -> Result<Self, Failure> {
        let timed = Timed::connect(server, limits.patience)
            .map_err(|error| Failure::NoConnection(error.to_string()))?;
        let mut stream = Stream::Plain(timed);
        let local = stream.local().ok_or(Failure::Lost)?.ip();
        let mut client = Self {
            stream,
            unread: Unread::default(),
            limits,
            local,
            greeting: Reply::new(220, "", ""),
            extensions: Vec::new(),
            tls: None,
        };
        client.greeting = client.greeted()?;
        Ok(client)
    }

    /// The address from which the connection comes, as the server sees it where nothing between changes it.
    pub fn local(&self) -> IpAddr {
        self.local
    }

    /// The reply in place of which a server may refuse to talk.
    pub fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// The version of TLS that is in use, such as `TLSv1_3`.
    pub fn tls(&self) -> Option<&str> {
        self.tls.as_deref()
    }

    /// Whether the last answer to EHLO has a keyword.
    pub fn offers(&self, keyword: &str) -> bool {
        self.extensions.iter().any(|line| {
            let first = line.split([' ', '=']).next().unwrap_or_default();
            first.eq_ignore_ascii_case(keyword)
        })
    }

    /// EHLO, and HELO where the server does not know that.
    ///
    /// # Errors
    /// There is no answer.
    pub fn greet(&mut self, name: &str) -> Result<Reply, Failure> {
        let reply = self.command(&format!("EHLO {name}"))?;
        self.extensions.clear();
        if reply.is_positive() {
            self.extensions = reply.text.lines().skip(1).map(str::to_owned).collect();
            return Ok(reply);
        }
        if matches!(reply.code, 500 | 502) {
            return self.command(&format!("HELO {name}"));
        }
        Ok(reply)
    }

    /// Begins TLS. Greet again then. The certificate is not looked at.
    ///
    /// # Errors
    /// The server refuses, or the handshake fails: the connection is of no use any more.
    pub fn start_tls(&mut self, server: &str) -> Result<(), Failure> {
        let reply = self.command("STARTTLS")?;
        if reply.code != 220 {
            return Err(Failure::Tls(reply.to_string()));
        }
        // What comes before TLS must not be taken for what comes with it.
        if !self.unread.is_empty() {
            return Err(Failure::Tls(
                "the server goes on without waiting for TLS".to_owned(),
            ));
        }
        let Stream::Plain(timed) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(Failure::Tls("TLS is in use already".to_owned()));
        };
        let tls = tls::wrap(timed, server).map_err(|error| match Failure::from(error) {
            Failure::Tls(why) => Failure::Tls(why),
            other => Failure::Tls(other.to_string()),
        })?;
        let version = tls.conn.protocol_version();
        let version = version.and_then(|version| version.as_str());
        self.tls = Some(version.unwrap_or("TLS").to_owned());
        self.stream = Stream::Tls(Box::new(tls));
        Ok(())
    }

    /// Has a server that trusts this client (`smtpd_authorized_xclient_hosts`) take it for another one, whose
    /// name is unknown where none is given. Greet again then.
    ///
    /// # Errors
    /// There is no answer, or no new greeting.
    pub fn pose_as(&mut self, address: IpAddr, name: Option<&str>) -> Result<Reply, Failure> {
        let address = match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("IPV6:{address}"),
        };
        let name = name.unwrap_or("[UNAVAILABLE]");
        self.command(&format!("XCLIENT NAME={name} ADDR={address}"))
    }

    /// Sends a command and waits for the answer.
    ///
    /// # Errors
    /// There is no answer to it.
    pub fn command(&mut self, command: &str) -> Result<Reply, Failure> {
        if command.contains(['\r', '\n', '\0']) {
            return Err(Failure::BadCommand);
        }
        if !self.unread.is_empty() || self.stream.has_pending()? {
            // A server may end at any time, and says so.
            let reply = self.reply()?;
            return Err(Failure::OutOfTurn(reply));
        }
        self.stream.wait(self.limits.patience);
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        self.stream.flush()?;
        self.reply()
    }

    /// MAIL FROM with what stands between `<` and `>`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn mail(&mut self, sender: &str) -> Result<Reply, Failure> {
        self.command(&format!("MAIL FROM:<{sender}>"))
    }

    /// RCPT TO with what stands between `<` and `>`.
    ///
    /// # Errors
    /// There is no answer.
    pub fn rcpt(&mut self, recipient: &str) -> Result<Reply, Failure> {
        self.command(&format!("RCPT TO:<{recipient}>"))
    }

    /// Takes sender and recipients back.
    ///
    /// # Errors
    /// There is no answer, or the server does not forget them.
    pub fn reset(&mut self) -> Result<(), Failure> {
        let reply = self.command("RSET")?;
        if reply.is_positive() {
            Ok(())
        } else {
            Err(Failure::NoReply(reply.to_string()))
        }
    }

    /// Says good-bye, and does not wait long for an answer.
    pub fn quit(mut self) {
        self.limits.patience = self.limits.farewell.min(self.limits.patience);
        drop(self.command("QUIT"));
    }

    fn greeted(&mut self) -> Result<Reply, Failure> {
        let greeting = self.reply()?;
        if greeting.code == 220 {
            Ok(greeting)
        } else {
            Err(Failure::Closing(greeting))
        }
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        self.stream.wait(self.limits.patience);
        let reply = self.unread.reply(&mut self.stream)?;
        if reply.code == 421 {
            return Err(Failure::Closing(reply));
        }
        Ok(reply)
    }
}
