//! What it means for mail to bring a dead program back to life.
//!
//! Nothing is delivered by a program that does not run, so a fix that makes it run loses no mail. But every
//! right that the configuration grants is then in force again: a dead open relay would be a live one.

use std::net::IpAddr;

use crate::finding::Safety;
use crate::instance::Instance;
use crate::instance::network_list::{Trust, network_list};
use crate::instance::restriction::{Meaning, Restriction};
use crate::instance::restriction_table::{Permits, RestrictionWord};
use crate::instance::service::{Reach, Service};
use crate::instance::text_value::{Usage, text_value};
use crate::source::Span;

/// Hosts of strangers, spread over the address space; those of the documentation networks belong to nobody.
const STRANGERS: [IpAddr; 7] = [
    v4([1, 2, 3, 4]),
    v4([46, 1, 2, 3]),
    v4([93, 184, 1, 2]),
    v4([192, 0, 2, 55]),
    v4([198, 51, 100, 7]),
    v4([203, 0, 113, 99]),
    IpAddr::V6(std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7)),
];

const fn v4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(std::net::Ipv4Addr::new(
        octets[0], octets[1], octets[2], octets[3],
    ))
}

/// How safe it is to make programs run again by a change of the parameter `changed`: safe only when it is
/// certain that no listener relays for strangers afterwards.
pub(super) fn safety(instance: &Instance, changed: &str) -> Safety {
    // Without main.cf, nothing is known of who may relay.
    let is_known = instance.main_cf().is_some() && !is_about_relaying(instance, changed);
    if is_known && instance.smtpd_services().all(|smtpd| is_closed(&smtpd)) {
        Safety::Safe
    } else {
        Safety::Unsafe
    }
}

/// How safe it is that smtpd knows the word at `place` of a restriction list as `facts`: it has refused
/// everybody who got there, and lets those through that the restriction does not refuse.
pub(super) fn safety_of_word(
    instance: &Instance,
    place: Span,
    facts: &'static RestrictionWord,
) -> Safety {
    let is_closed = |smtpd: Service<'_>| {
        smtpd.reach() != Reach::Network
            || (trusts_no_strangers(&smtpd)
                && smtpd.recipient_lists().into_iter().any(|mut list| {
                    for restriction in &mut list.restrictions {
                        if restriction.word.span() == Some(place) {
                            restriction.meaning = Meaning::Builtin(facts);
                        }
                    }
                    // Other unknown words refuse today, and may be mended at the same time.
                    let is_unknown =
                        |restriction: &Restriction| matches!(restriction.meaning, Meaning::Unknown);
                    list.restrictions
                        .retain(|restriction| !is_unknown(restriction));
                    !list.flat().into_iter().any(is_unknown) && list.walk(false).refuses
                }))
    };
    if facts.permits == Permits::No && instance.smtpd_services().all(is_closed) {
        Safety::Safe
    } else {
        Safety::Unsafe
    }
}

/// Whether strangers can certainly not send mail to other people's domains through a service.
fn is_closed(smtpd: &Service<'_>) -> bool {
    smtpd.reach() != Reach::Network
        || (smtpd.refuses_strangers(false) && trusts_no_strangers(smtpd))
}

/// Whether `mynetworks` certainly has no hosts of strangers.
fn trusts_no_strangers(smtpd: &Service<'_>) -> bool {
    let networks = network_list(smtpd.scope(), "mynetworks");
    STRANGERS
        .iter()
        .all(|stranger| matches!(networks.find(*stranger), Trust::NotListed))
}

/// Whether the value of a parameter may decide who is allowed to relay.
fn is_about_relaying(instance: &Instance, name: &str) -> bool {
    let usage = text_value(name).usage;
    matches!(usage, Usage::Restrictions | Usage::List)
        || matches!(
            name,
            "mynetworks_style"
                | "inet_interfaces"
                | "proxy_interfaces"
                | "compatibility_level"
                | "smtpd_restriction_classes"
                | "relay_clientcerts"
                | "mydomain"
                | "myhostname"
        )
        // A name of the configuration's own, perhaps a restriction class.
        || instance.builtins().get(name).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Target;
    use crate::testing::{case_options, fixtures};

    fn safety_in(case: &str, changed: &str) -> Safety {
        let case = fixtures().join("malformed-service/bad").join(case);
        let options = case_options(&case);
        let instance = Instance::load(&Target::Path(case), &options).unwrap();
        safety(&instance, changed)
    }

    #[test]
    fn a_guarded_listener_may_come_back() {
        assert_eq!(safety_in("split-last-option", "smtpd_banner"), Safety::Safe);
    }

    #[test]
    fn an_open_relay_may_not() {
        assert_eq!(
            safety_in("split-open-relay", "smtpd_banner"),
            Safety::Unsafe
        );
    }

    #[test]
    fn nor_may_what_decides_about_relaying() {
        for name in ["smtpd_relay_restrictions", "mynetworks", "my_class"] {
            assert_eq!(safety_in("split-last-option", name), Safety::Unsafe);
        }
    }
}
