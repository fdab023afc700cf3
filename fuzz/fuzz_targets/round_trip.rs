//! Any bytes as each kind of file.
//!
//! `cargo +nightly fuzz run round_trip fuzz/corpus/round_trip fixtures/_mail/story -- -runs=1000000 -max_len=2000`

#![no_main]
#![allow(dead_code)] // What the other targets use.

#[path = "../../tests/common/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::are_read_in_place(bytes));
