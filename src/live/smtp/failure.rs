//! Why a conversation ends without an answer.

use std::fmt;
use std::io;

use crate::mail::Reply;

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nobody listens there, or the way is blocked: the system's words.
    NoConnection(String),
    /// The server says nothing, or does not come to the end of what it says, in time.
    TimedOut,
    /// The connection is gone.
    Lost,
    /// The server wants to end (421), or does not want to begin (554 in place of a greeting).
    Closing(Reply),
    /// More than a server has to say in one reply.
    TooLong,
    /// It is no reply of SMTP.
    NoReply(String),
    /// It is a reply, but nothing was asked.
    OutOfTurn(Reply),
    /// What is to be sent has characters that would end the command.
    BadCommand,
    /// The server lacks an extension that is needed.
    NotOffered(&'static str),
    /// The server refuses a command without which there is nothing to ask.
    Refused(&'static str, Reply),
    /// STARTTLS went wrong.
    Tls(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut,
            io::ErrorKind::InvalidData => Self::Tls(error.to_string()),
            _ => Self::Lost,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoConnection(why) => write!(f, "cannot connect: {why}"),
            Self::TimedOut => f.write_str("the server does not answer in time"),
            Self::Lost => f.write_str("the server ends the connection without a word"),
            Self::Closing(reply) => write!(f, "the server ends the connection: {reply}"),
            Self::TooLong => f.write_str("the server does not come to the end of its reply"),
            Self::NoReply(text) => write!(f, "what the server says is not SMTP: {text}"),
            Self::OutOfTurn(reply) => write!(f, "the server answers without being asked: {reply}"),
            Self::BadCommand => f.write_str("a command must not have line ends in it"),
            Self::NotOffered(keyword) => {
                write!(f, "the server does not offer {keyword} to this client")
            }
            Self::Refused(command, reply) => write!(f, "the server refuses {command}: {reply}"),
            Self::Tls(why) => write!(f, "STARTTLS fails: {why}"),
        }
    }
}

impl std::error::Error for Failure {}
