//! What Postfix would do with an address: whether smtpd(8) takes it from a stranger, and what becomes of the
//! message then.
//!
//! Rules ask [`Service::accepts`](crate::instance::service::Service::accepts), and nothing of this is written
//! a second time in a rule. What cannot be looked at (an LDAP server, a file of another machine, a policy
//! server) is taken to know nothing about the address, and noted as a [`Doubt`]: an answer without world is
//! certain.

mod accepted;
mod address;
mod aliases;
pub mod behaviour;
mod delivery;
mod domains;
mod dsn;
mod names;
mod quoting;
mod reply;
mod resolve;
mod rewrite;
mod search;
mod session;
mod smtp_address;
mod smtpd;
mod startup;
mod trace;
mod witness;
mod world;

pub use accepted::{Accepted, Actions};
pub use address::Address;
pub use aliases::{AliasGraph, Outside, Suspect, TableFacts, foreign_target};
pub use delivery::{After, Delivery, Fate, Leaf};
pub use names::Names;
pub use reply::{Answer, Reply, Stage};
pub use resolve::Route;
pub use session::Session;
pub use smtpd::{Action, Listing, Smtpd, Verdict, action};
pub use startup::Startup;
pub use trace::{Ending, Outcome, Trace, Tracer};
pub use witness::{Acceptance, MOST_DOMAINS, NOBODY};
pub use world::{Completeness, Doubt, Step, World, explore};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
