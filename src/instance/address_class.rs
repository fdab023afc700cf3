//! The address classes of `ADDRESS_CLASS_README`, as one table.

/// An address class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Mail for users of this host.
    Local,
    /// Domains whose every address is an alias.
    VirtualAlias,
    /// Domains with mailboxes of their own.
    VirtualMailbox,
    /// Domains that are passed on to another host.
    Relay,
    /// All others: only who may relay gets there.
    Default,
}

/// What the class is made of: names of parameters.
#[derive(Clone, Copy, Debug)]
pub struct ClassFacts {
    /// The class.
    pub class: Class,
    /// The class in words.
    pub name: &'static str,
    /// The parameter that lists the domains.
    pub domains: Option<&'static str>,
    /// The parameter that lists the valid recipients.
    pub recipients: Option<&'static str>,
    /// The parameter that names the transport.
    pub transport: Option<&'static str>,
    /// The parameter with the code for unknown recipients.
    pub reject_code: Option<&'static str>,
    /// An empty list of recipients means that every recipient is valid.
    pub empty_accepts_all: bool,
}

/// The classes in the order in which Postfix decides (`src/trivial-rewrite/resolve.c`).
pub static CLASSES: [ClassFacts; 5] = [
    ClassFacts {
        class: Class::Local,
        name: "local",
        domains: Some("mydestination"),
        recipients: Some("local_recipient_maps"),
        transport: Some("local_transport"),
        reject_code: Some("unknown_local_recipient_reject_code"),
        empty_accepts_all: true,
    },
    ClassFacts {
        class: Class::VirtualAlias,
        name: "virtual alias",
        domains: Some("virtual_alias_domains"),
        recipients: Some("virtual_alias_maps"),
        transport: None,
        reject_code: Some("unknown_virtual_alias_reject_code"),
        empty_accepts_all: false,
    },
    ClassFacts {
        class: Class::VirtualMailbox,
        name: "virtual mailbox",
        domains: Some("virtual_mailbox_domains"),
        recipients: Some("virtual_mailbox_maps"),
        transport: Some("virtual_transport"),
        reject_code: Some("unknown_virtual_mailbox_reject_code"),
        empty_accepts_all: true,
    },
    ClassFacts {
        class: Class::Relay,
        name: "relay",
        domains: Some("relay_domains"),
        recipients: Some("relay_recipient_maps"),
        transport: Some("relay_transport"),
        reject_code: Some("unknown_relay_recipient_reject_code"),
        empty_accepts_all: true,
    },
    ClassFacts {
        class: Class::Default,
        name: "default",
        domains: None,
        recipients: None,
        transport: Some("default_transport"),
        reject_code: None,
        empty_accepts_all: false,
    },
];

impl Class {
    /// What the class is made of.
    pub fn facts(self) -> &'static ClassFacts {
        &CLASSES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_classes() {
        for facts in &CLASSES {
            assert_eq!(facts.class.facts().name, facts.name);
        }
    }
}
