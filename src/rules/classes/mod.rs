//! AC: which domain belongs to which address class.

rules![
    domain_in_two_classes,
    hostname_is_mail_domain,
    alias_outside_classes,
    relayhost_is_self,
    myorigin_not_local,
];

/// So many domains of a list are looked at.
const MOST_DOMAINS: usize = 100_000;
