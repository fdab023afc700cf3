//! The running system: what its log, its queue, DNS and SMTP say of it. Nothing here runs unless a command
//! asks for it.

pub mod apply;
pub mod dnsbl;
pub mod log_tail;
pub mod maillog;
pub mod probe;
pub mod programs;
pub mod queue;
pub mod replay;
pub mod revision;
pub mod smtp;
mod timed;
