//! The connection to a server, plain or with TLS.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use rustls::{ClientConnection, StreamOwned};

use crate::live::timed::Timed;

/// A connection, plain or with TLS.
#[derive(Debug)]
pub(super) enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
    /// Between the two, or behind the end.
    Gone,
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
            timed.wait(patience);
        }
    }

    /// This end of the connection.
    pub(super) fn local(&mut self) -> Option<SocketAddr> {
        self.timed()?.local()
    }

    /// Whether something was sent without TLS that was not read yet.
    pub(super) fn has_pending(&mut self) -> io::Result<bool> {
        // With TLS there are records besides replies.
        let Self::Plain(timed) = self else {
            return Ok(false);
        };
        timed.has_pending()
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
