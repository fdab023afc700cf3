//! Any bytes as postconf sees them.
//!
//! `cargo +nightly fuzz run postconf fuzz/corpus/postconf fixtures/_mail/story -- -runs=1000000 -max_len=500`

#![no_main]
#![allow(dead_code)] // What the other targets use.

#[path = "../../tests/common/any_bytes.rs"]
mod any_bytes;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| any_bytes::are_judged_as_by_postconf(bytes));
