//! The `postlint` program.

fn main() {}
