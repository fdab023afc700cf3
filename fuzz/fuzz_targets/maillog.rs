//! Any bytes as a line of the mail log.
//!
//! `cargo +nightly fuzz run maillog -- -runs=1000000 -max_len=500`

#![no_main]

use postlint::live::maillog::{Client, Event, Parsed, host, parse};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Parsed::Postfix(line) = parse(bytes) {
        match Event::of(&line) {
            Event::Client { client, .. } => {
                let _ = Client::of(client);
            }
            Event::Delivery(delivery) => {
                let _ = (delivery.named(), host(delivery.relay()), delivery.dsn());
            }
            Event::Reject(reject) => {
                let _ = reject.refusal();
            }
            _ => {}
        }
    }
});
