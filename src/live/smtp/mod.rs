//! A client of SMTP (RFC 5321) that asks and sends nothing: it greets, names a sender and recipients, and goes.
//!
//! Servers are asked that may do anything: every reply has a deadline as a whole, and a limit of its size;
//! what is no reply, or comes out of turn, is an error and never taken for an answer. (lettre's connection
//! hands a refusal over as an error, waits for each read in place of the whole reply, and does not notice
//! replies out of turn.)

mod client;
mod failure;
mod reading;
mod stream;
mod tls;

pub use client::{Client, Limits};
pub use failure::Failure;
