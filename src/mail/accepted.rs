//! What smtpd(8) hands on when it has accepted a recipient.

use super::reply::Reply;

/// A recipient that was accepted, with the sender, and what is to be done with the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// The recipient in internal form, as the client gave it.
    pub recipient: String,
    /// The sender in the same form; empty for the null sender.
    pub sender: String,
    /// What access tables want to be done with the message.
    pub actions: Actions,
    /// Whether the mail is accepted only if a probe finds that it is delivered.
    pub is_probed: bool,
    /// Why the message is not taken at DATA, or at its end, when all recipients are like this one.
    pub refused: Option<Reply>,
}

/// What access tables want to be done with a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions {
    /// DISCARD.
    pub discard: bool,
    /// HOLD.
    pub hold: bool,
    /// FILTER: `transport:destination`.
    pub filter: Option<String>,
    /// REDIRECT: the address that gets the message instead.
    pub redirect: Option<String>,
    /// BCC: addresses that get it, too.
    pub bcc: Vec<String>,
}
