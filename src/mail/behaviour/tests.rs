//! What changes between two small configurations.

use super::*;
use crate::mail::testing::{self, VERSION};

fn instance(main_cf: &str) -> Instance {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nalias_maps =\n\
         virtual_alias_domains = a.test\nvirtual_alias_maps = inline:{{{{anna@a.test=anna@far.test}}}}\n{main_cf}"
    );
    testing::instance(text, VERSION, None)
}

fn changes(before: &str, after: &str) -> Vec<(Sender, String, Option<Harm>)> {
    let (before, after) = (instance(before), instance(after));
    let comparison = compare(&before, &after, &[]);
    comparison
        .changes
        .into_iter()
        .map(|change| (change.sender, change.address, change.harm))
        .collect()
}

#[test]
fn nothing_changes_where_nothing_changes() {
    assert_eq!(changes("", "smtpd_banner = hello"), []);
}

#[test]
fn lost_mail_is_harm() {
    let found = changes("", "virtual_alias_maps =");
    assert!(
        found.contains(&(Sender::Stranger, "anna@a.test".to_owned(), Some(Harm::Lost))),
        "{found:?}"
    );
}

#[test]
fn an_open_relay_is_harm() {
    let found = changes("", "mynetworks = 0.0.0.0/0");
    let relays = (
        Sender::Stranger,
        "somebody@elsewhere.invalid".to_owned(),
        Some(Harm::Relays),
    );
    assert!(found.contains(&relays), "{found:?}");
}

#[test]
fn a_refusal_for_good_instead_of_one_for_now_is_no_harm() {
    let found = changes("unknown_virtual_alias_reject_code = 450", "");
    assert!(found.iter().all(|(_, _, harm)| harm.is_none()), "{found:?}");
}
