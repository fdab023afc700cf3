//! Which addresses are compared.

use std::collections::BTreeSet;

use super::MOST_ADDRESSES;
use crate::instance::Instance;
use crate::instance::address_class::{CLASSES, Class};
use crate::instance::table::SourceFormat;
use crate::mail::witness::NOBODY;

/// Every address that is a key in a table of recipients or of addresses, the users of this host, and somebody
/// who does not exist in each domain; with `others`, which come first. How many more there would be.
pub(super) fn of(instance: &Instance, others: &[String]) -> (Vec<String>, usize) {
    let mut seen = BTreeSet::new();
    let mut addresses = Vec::new();
    let mut left_out = 0;
    let mut add = |address: String| {
        if seen.contains(&address) {
            return;
        }
        if addresses.len() < MOST_ADDRESSES {
            seen.insert(address.clone());
            addresses.push(address);
        } else {
            left_out += 1;
        }
    };
    others.iter().cloned().for_each(&mut add);
    // Whoever may relay is judged by domains that are nobody's here.
    for foreign in ["somebody@elsewhere.invalid", "postmaster"] {
        add(foreign.to_owned());
    }
    let Some(smtpd) = instance.smtpd_services().next() else {
        return (addresses, left_out);
    };
    let domains: Vec<String> = CLASSES
        .iter()
        .flat_map(|facts| smtpd.domains_of(facts.class))
        .collect();
    for domain in &domains {
        add(format!("{NOBODY}@{domain}"));
        if !domain.starts_with('[') {
            add(format!("{NOBODY}@sub.{domain}"));
        }
    }
    let local = smtpd.domains_of(Class::Local);
    let local = local.first().map(String::as_str).unwrap_or("localhost");
    for name in instance.users().names() {
        add(format!("{name}@{local}"));
    }
    for usage in instance.table_uses() {
        let Ok(reference) = &usage.table else {
            continue;
        };
        if usage.parameter.name().ends_with("_checks") {
            continue;
        }
        for reference in reference.with_members() {
            let table = instance.open_table(reference);
            let is_alias = table
                .keys()
                .is_some_and(|keys| keys.format() == SourceFormat::Postalias);
            table.visit_keys(&mut |key| {
                let key = String::from_utf8_lossy(key);
                match key.split_once('@') {
                    Some(("", domain)) => add(format!("{NOBODY}@{domain}")),
                    Some(_) => add(key.into_owned()),
                    None if is_alias || !key.contains(['.', ':', '<', '*']) => {
                        add(format!("{key}@{local}"));
                    }
                    None => {}
                }
                true
            });
        }
    }
    (addresses, left_out)
}
