//! A mail log asked again: which recipients another configuration would refuse that were delivered, and which it
//! would refuse, or accept, that were not.
//!
//! An attempt is one recipient of one message: accepted when smtpd(8) made a queue file for it and a delivery agent
//! said what became of it, refused when smtpd said so at RCPT TO. What postscreen(8) or a milter refused is not
//! asked again. A log has no greeting of a client whose mail was accepted: it is taken to have said its name.

mod ask;
mod collect;

pub use ask::{Change, Replay, Verdicts, services_of};
pub use collect::{Attempts, collect};
