//! What Postfix would conclude from main.cf, master.cf and the lookup tables.

pub mod builtin;
pub mod restriction_table;
pub mod table;

/// One configuration directory and what it names.
#[derive(Debug)]
pub struct Instance {}
