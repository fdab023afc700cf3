//! What Postfix would do with an address: whether smtpd(8) takes it from a stranger, and what becomes of the
//! message then.
//!
//! Rules ask [`Service::accepts`](crate::instance::service::Service::accepts), and nothing of this is written
//! a second time in a rule. What cannot be looked at (an LDAP server, a file of another machine, a policy
//! server) is taken to know nothing about the address, and noted as a [`Doubt`]: an answer without doubts is
//! certain.

mod access;
mod address;
mod delivery;
mod doubt;
mod local;
mod mapping;
mod names;
mod recipient;
mod resolve;
mod search;
mod stranger;
mod witness;

pub use address::Address;
pub use delivery::{Fate, Leaf};
pub use doubt::{Doubt, Doubts};
pub use names::Names;
pub use recipient::Listing;
pub use resolve::Route;
pub use witness::{Acceptance, MOST_DOMAINS, NOBODY};

#[cfg(test)]
mod tests;
