//! What Postfix would conclude from main.cf, master.cf and the lookup tables.

/// One configuration directory and what it names.
#[derive(Debug)]
pub struct Instance {}
