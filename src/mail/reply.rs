//! What a client is told.

use std::fmt;

use super::dsn;

/// A reply of smtpd(8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reply {
    /// The SMTP code, such as 550.
    pub code: u16,
    /// The enhanced status code, such as `5.1.1`; empty in the few replies that have none.
    pub dsn: String,
    /// The text behind both.
    pub text: String,
}

/// The command, or the moment, that is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// Nothing of the mail system runs: the client cannot connect.
    Start,
    /// The greeting; a client of an smtpd that does not start waits for it.
    Banner,
    /// HELO or EHLO.
    Ehlo,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, or the end of the message.
    Data,
}

/// What a client hears last: the refusal, or that the recipient is accepted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Answer {
    /// A reply.
    Reply(Stage, Reply),
    /// None: the program that had to answer dies, or waits for ever. The text is what Postfix logs.
    Silence(Stage, String),
    /// It cannot be known: something that cannot be looked at gives the reply itself.
    Unknown(Stage),
}

impl Reply {
    /// A reply of its parts.
    pub fn new(code: u16, dsn: &str, text: impl Into<String>) -> Self {
        Self {
            code,
            dsn: dsn.to_owned(),
            text: text.into(),
        }
    }

    /// A reply as a client hears it: the code, and what stands behind it, with or without an enhanced status
    /// code.
    pub fn heard(code: u16, behind: &str) -> Self {
        let (dsn, text) = dsn::split(behind).unwrap_or(("", behind));
        Self::new(code, dsn, text)
    }

    /// Whether the client is told yes.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }
}

impl Stage {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Banner => "banner",
            Self::Ehlo => "ehlo",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
        }
    }
}

impl Answer {
    /// The moment of the answer.
    pub fn stage(&self) -> Stage {
        match self {
            Self::Reply(stage, _) | Self::Silence(stage, _) | Self::Unknown(stage) => *stage,
        }
    }

    /// Whether the recipient is accepted.
    pub fn is_accepted(&self) -> bool {
        matches!(self, Self::Reply(Stage::Rcpt | Stage::Data, reply) if reply.is_positive())
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        for part in [&self.dsn, &self.text] {
            if !part.is_empty() {
                write!(f, " {part}")?;
            }
        }
        Ok(())
    }
}
