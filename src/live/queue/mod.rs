//! The mail queue: what `postqueue -j` or `mailq` lists, and which of it is backscatter or mail that would be
//! refused today.

mod judge;
mod listing;

pub use judge::{Judge, Kind, Refusal};
pub use listing::{Arrival, Listing, Message, Recipient, read};
