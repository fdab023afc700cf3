//! smtpd(8)'s check of a recipient: Postfix's `check_rcpt_maps` (`src/smtpd/smtpd_check.c`).

use super::address::Address;
use super::plain_search::{self as search, Found};
use super::world::World;
use crate::instance::address_class::Class;
use crate::instance::service::Service;
use crate::instance::table::Hit;

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
    /// Local mail to a name that smtpd takes without a look (postmaster and the like).
    Exempt,
    /// The class has no list of recipients, so that every recipient is taken for valid.
    NoList,
    /// The recipient is not in the list.
    Unlisted,
    /// It goes to a transport that only refuses.
    Closed,
    /// A lookup fails: 451.
    Fails,
}

impl Listing {
    /// Whether the check lets the recipient pass.
    pub fn passes(&self) -> bool {
        matches!(self, Self::Listed { .. } | Self::Exempt | Self::NoList)
    }
}

impl Service<'_> {
    /// What the tables say of a recipient. Tables are those of this service; class and transport are
    /// trivial-rewrite's, which does not see the overrides of smtpd.
    pub fn listing(&self, recipient: &Address, world: &mut World) -> Listing {
        let scope = self.scope();
        let folded = Address::new(recipient.local.to_lowercase(), &recipient.domain);
        let found = |parameter, world: &mut World| {
            let maps = scope.maps(parameter, "smtpd");
            match search::find(scope, &maps, &folded, world) {
                Found::Hit(hit) => Some(Listing::Listed { parameter, hit }),
                Found::Fails => Some(Listing::Fails),
                Found::Nothing => None,
            }
        };
        for parameter in [
            "recipient_canonical_maps",
            "canonical_maps",
            "virtual_alias_maps",
        ] {
            if let Some(listing) = found(parameter, world) {
                return listing;
            }
        }
        let Some(route) = self.instance.route(&folded, world) else {
            return Listing::Fails;
        };
        if route.class == Class::VirtualAlias {
            return Listing::Unlisted;
        }
        if route.transport == "error" || route.transport == "retry" {
            return Listing::Closed;
        }
        let Some(parameter) = route.class.facts().recipients else {
            return Listing::NoList;
        };
        if self.parameter(parameter).is_empty() {
            return Listing::NoList;
        }
        if route.class == Class::Local {
            let bounce = self.parameter("double_bounce_sender").text().to_lowercase();
            if [bounce.as_str(), "postmaster", "mailer-daemon"].contains(&folded.local.as_str()) {
                return Listing::Exempt;
            }
        }
        found(parameter, world).unwrap_or(Listing::Unlisted)
    }
}
