//! postlint reads a Postfix configuration, says what Postfix will do with it, and mends it.
//!
//! The modules are layers; each uses only those before it:
//!
//! ```text
//! source   bytes and places
//! syntax   text → logical lines that tile the file
//! instance what Postfix would conclude from main.cf, master.cf and the lookup tables
//! mail     what Postfix would do with an address
//! finding, rule, edits, suppression   the words for results
//! rules    what is wrong, one file a rule
//! lint     run rules, suppressions, merge, sort
//! fix      findings → edits → patched files
//! live     the running system: its log, its queue, what DNS and SMTP say of it
//! report   text, JSON, SARIF …
//! commands one file a subcommand: wires the layers
//! ```

pub mod source;
pub mod syntax;

pub mod edits;
pub mod finding;
pub mod fix;
pub mod instance;
pub mod mail;
pub mod rule;
pub mod rules;
pub mod suppression;

pub mod lint;

pub mod live;

pub mod report;

pub mod cli;
pub mod commands;
pub mod exit;
pub mod settings;

#[doc(hidden)]
pub mod testing;
