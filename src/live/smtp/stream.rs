//! A connection that waits until a moment, however little comes at a time.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustls::{ClientConnection, StreamOwned};

/// A TCP connection with a deadline.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    deadline: Instant,
}

/// A connection, plain or with TLS.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
    /// Between the two, or behind the end.
    Gone,
}

impl Timed {
    pub(super) fn connect(server: SocketAddr, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server, patience)?;
        // Commands are short and wait for their answers.
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            deadline: Instant::now() + patience,
        })
    }

    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.checked_duration_since(Instant::now());
        left.filter(|left| !left.is_zero())
            .ok_or_else(|| io::ErrorKind::TimedOut.into())
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stream {
    fn timed(&mut self) -> Option<&mut Timed> {
        match self {
            Self::Plain(timed) => Some(timed),
            Self::Tls(tls) => Some(&mut tls.sock),
            Self::Gone => None,
        }
    }

    /// From now on reading and writing ends after so long.
    pub(super) fn wait(&mut self, patience: Duration) {
        if let Some(timed) = self.timed() {
            timed.deadline = Instant::now() + patience;
        }
    }

    /// This end of the connection.
    pub(super) fn local(&mut self) -> Option<SocketAddr> {
        self.timed()?.stream.local_addr().ok()
    }

    /// Whether something was sent without TLS that was not read yet.
    pub(super) fn has_pending(&mut self) -> io::Result<bool> {
        // With TLS there are records besides replies.
        let Self::Plain(timed) = self else {
            return Ok(false);
        };
        timed.stream.set_nonblocking(true)?;
        let peeked = timed.stream.peek(&mut [0]);
        timed.stream.set_nonblocking(false)?;
        Ok(peeked.is_ok_and(|count| count > 0))
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(buffer),
            Self::Tls(tls) => tls.read(buffer),
            Self::Gone => Ok(0),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(bytes),
            Self::Tls(tls) => tls.write(bytes),
            Self::Gone => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Tls(tls) => tls.flush(),
            Self::Gone => Ok(()),
        }
    }
}
