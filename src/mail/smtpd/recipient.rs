//! Whether an address is one that this host knows: Postfix's `check_rcpt_maps`
//! (`src/smtpd/smtpd_check.c`).

use super::Smtpd;
use super::action::status;
use super::checks::{RECIPIENT, SENDER};
use super::evaluation::{Evaluation, Outcome, Reason, Status, Stop};
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::table::{ErrorClass, Hit, LookupError, Maps};
use crate::mail::resolve::{Resolution, State};
use crate::mail::search::{Forms, Found};
use crate::mail::world::World;

/// What the tables of a service say of a recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The recipient is known.
    Listed {
        /// The parameter whose table knows it.
        parameter: &'static str,
        /// The entry.
        hit: Hit,
    },
    /// A table that cannot be looked at, given as `type:name`, knows the recipient.
    Assumed(String),
    /// Local mail to a name that smtpd takes without a look (postmaster and the like).
    Exempt,
    /// The class has no list of recipients, so that every recipient is taken for valid.
    NoList,
    /// The recipient is not in the list.
    Unlisted,
    /// It goes to a transport that only refuses.
    Closed,
    /// A table that cannot be looked at, given as `type:name`, names the transport.
    Unknown(String),
    /// A lookup fails: 451.
    Fails(ErrorClass),
}

impl Listing {
    /// Whether the check lets the recipient pass.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Listed { .. } | Self::Assumed(_) | Self::Exempt | Self::NoList
        )
    }
}

/// The tables that know addresses, as smtpd opens them.
#[derive(Debug)]
pub(super) struct Tables {
    /// Those that make an address known in every class.
    rewriting: Vec<(&'static str, Maps)>,
    sender_canonical: (&'static str, Maps),
    /// The lists of the classes that have one; the text of the parameter decides whether there is one.
    local: Option<(&'static str, Maps)>,
    virtual_mailbox: Option<(&'static str, Maps)>,
    relay: Option<(&'static str, Maps)>,
    /// Local parts of the local class that pass, in lower case.
    exempt: [String; 3],
}

impl Tables {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let maps = |name| (name, scope.maps(name, "smtpd"));
        let list = |name| (!scope.any_parameter(name).is_empty()).then(|| maps(name));
        let bounce = scope.any_parameter("double_bounce_sender").text();
        Self {
            rewriting: [
                "recipient_canonical_maps",
                "canonical_maps",
                "virtual_alias_maps",
            ]
            .map(maps)
            .into(),
            sender_canonical: maps("sender_canonical_maps"),
            local: list("local_recipient_maps"),
            virtual_mailbox: list("virtual_mailbox_maps"),
            relay: list("relay_recipient_maps"),
            exempt: [
                bounce.to_lowercase(),
                "postmaster".to_owned(),
                "mailer-daemon".to_owned(),
            ],
        }
    }
}

impl Smtpd<'_> {
    /// What the tables say of an address that trivial-rewrite(8) has resolved.
    pub(super) fn listing(
        &self,
        resolved: &Resolution,
        class: &'static str,
        world: &mut World,
    ) -> Listing {
        let instance = self.service.instance;
        let address = resolved.recipient.as_str();
        let tables = &self.read.recipients;
        let find = |(parameter, maps): &(&'static str, Maps), world: &mut World| match self
            .read
            .searcher
            .find(instance, maps, address, Forms::Both, world)
        {
            Found::Hit(hit, _) => Some(Listing::Listed { parameter, hit }),
            Found::Something(table) => Some(Listing::Assumed(table)),
            Found::Fails(error) => Some(Listing::Fails(error.class)),
            Found::Nothing => None,
        };
        let has_sender_maps = class == SENDER
            && self.read.settings.version >= crate::instance::builtin::Version::release(3, 2, 0);
        for (index, maps) in tables.rewriting.iter().enumerate() {
            if index == 1
                && has_sender_maps
                && let Some(listing) = find(&tables.sender_canonical, world)
            {
                return listing;
            }
            if let Some(listing) = find(maps, world) {
                return listing;
            }
        }
        if let State::Unknown(table) = &resolved.state {
            return Listing::Unknown(table.clone());
        }
        if resolved.transport == "error" || resolved.transport == "retry" {
            return if resolved.class == Class::VirtualAlias {
                Listing::Unlisted
            } else {
                Listing::Closed
            };
        }
        let list = match resolved.class {
            Class::Local => &tables.local,
            Class::VirtualMailbox => &tables.virtual_mailbox,
            Class::Relay => &tables.relay,
            Class::VirtualAlias | Class::Default => &None,
        };
        let Some(list) = list else {
            return Listing::NoList;
        };
        if resolved.class == Class::Local {
            let local = address
                .rsplit_once('@')
                .map_or("", |(local, _)| local)
                .to_lowercase();
            if tables.exempt.contains(&local) {
                return Listing::Exempt;
            }
        }
        find(list, world).unwrap_or(Listing::Unlisted)
    }
}

impl Evaluation<'_, '_> {
    /// `reject_unlisted_recipient`, in a list or at the end of them.
    pub(super) fn unlisted_recipient(&mut self, recipient: &str) -> Outcome {
        if !self.smtpd.read.settings.checks_recipients || self.recipient_checked {
            return Ok(Status::Dunno);
        }
        self.recipient_checked = self.warn_if_reject == 0;
        self.unlisted(recipient, RECIPIENT)
    }

    /// `reject_unlisted_sender`.
    pub(super) fn unlisted_sender(&mut self, sender: &str) -> Outcome {
        if !self.smtpd.read.settings.checks_recipients || self.sender_checked {
            return Ok(Status::Dunno);
        }
        self.sender_checked = self.warn_if_reject == 0;
        self.unlisted(sender, SENDER)
    }

    fn unlisted(&mut self, address: &str, class: &'static str) -> Outcome {
        let smtpd = self.smtpd;
        let settings = &smtpd.read.settings;
        let Some(resolved) = self.resolve(address, class)? else {
            return self.lookup_failure(address);
        };
        let listing = smtpd.listing(&resolved, class, self.world);
        let (five, four) = if class == SENDER {
            ("5.1.0", "4.1.0")
        } else {
            ("5.1.1", "4.1.1")
        };
        match listing {
            Listing::Listed { .. } | Listing::Assumed(_) | Listing::Exempt | Listing::NoList => {
                return Ok(Status::Dunno);
            }
            Listing::Unknown(_) => return Err(Stop::Unknown),
            Listing::Fails(ErrorClass::Retry) => return self.lookup_failure(address),
            Listing::Fails(ErrorClass::Config) => return self.server_error(),
            Listing::Unlisted | Listing::Closed => {}
        }
        if resolved.transport == "error" || resolved.transport == "retry" {
            let is_error = resolved.transport == "error";
            let code = match (is_error, resolved.class) {
                (true, Class::VirtualAlias) => settings.virtual_alias_code,
                (true, _) => 550,
                (false, _) => 450,
            };
            let (dsn, text) = status(&resolved.nexthop, if is_error { five } else { four }, class);
            let text = format!("<{address}>: {class} rejected: {text}");
            return self.reject(Reason::Policy, code, &dsn, &text);
        }
        let (code, table) = match resolved.class {
            Class::VirtualMailbox => (settings.virtual_mailbox_code, "virtual mailbox table"),
            Class::Relay => (settings.relay_recipient_code, "relay recipient table"),
            _ => (settings.local_code, "local recipient table"),
        };
        let table = if settings.shows_table {
            format!(" in {table}")
        } else {
            String::new()
        };
        let text = format!("<{address}>: {class} rejected: User unknown{table}");
        self.reject(Reason::Policy, code, five, &text)
    }

    /// What a lookup of an address that fails is answered with (`check_mail_addr_find`).
    pub(super) fn failure_of(&mut self, error: &LookupError, address: &str) -> Outcome {
        match error.class {
            ErrorClass::Retry => self.lookup_failure(address),
            ErrorClass::Config => self.server_error(),
        }
    }
}
