//! The running system: what its log, its queue, DNS and SMTP say of it. Nothing here runs unless a command
//! asks for it.

pub mod dnsbl;
pub mod maillog;
pub mod probe;
pub mod programs;
pub mod queue;
pub mod replay;
pub mod revision;
pub mod apply;
pub mod log_tail;
pub mod probe;
pub mod programs;
pub mod smtp;
mod timed;
pub mod maillog;
