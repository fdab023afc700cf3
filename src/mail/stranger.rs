//! smtpd(8)'s restriction lists, evaluated for a message from somebody who is no friend of this host.

use std::net::IpAddr;

use super::access::{Action, Keys};
use super::address::Address;
use super::recipient::Listing;
use super::world::{Doubt, World};
use crate::instance::address_class::Class;
use crate::instance::network_list::{Trust, network_list};
use crate::instance::restriction::{
    Meaning, RECIPIENT_LISTS, Restriction, RestrictionList, restrictions_of,
};
use crate::instance::service::Service;
use crate::source::Text;

/// A client as there are many: a mail server with a name, in no block list, whose sender exists.
const NAME: &str = "stranger.example.net";
const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(198, 51, 100, 7));
const SENDER: (&str, &str) = ("someone", "example.net");
/// `src/smtpd/smtpd_check.c` allows tables to name restrictions that ask tables, so deep.
const MAX_RECURSION: usize = 100;

/// What smtpd answers a stranger who names a recipient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// 250.
    Accepts,
    /// 250 if a probe finds that the recipient's mail is delivered.
    AcceptsIfDeliverable,
    /// Refused, for good or for now; or accepted and thrown away.
    Refuses,
}

/// How a list ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Nothing decided.
    Open,
    Permitted,
    Refused,
    /// Accepted whatever other lists say, and thrown away.
    Discarded,
}

struct Evaluation<'e, 'i> {
    smtpd: &'e Service<'i>,
    /// As it was given, and made complete.
    given: &'e Address,
    recipient: &'e Address,
    world: &'e mut World,
    class: Class,
    /// The stage has a recipient, so that restrictions which need one do something.
    has_recipient: bool,
    is_checked: bool,
    is_verified: bool,
    refuses_at_the_end: bool,
}

impl Service<'_> {
    /// What this service answers a stranger who names a recipient.
    ///
    /// `given` is what the client says, `recipient` the same made complete.
    pub(super) fn answer(&self, given: &Address, recipient: &Address, world: &mut World) -> Answer {
        let Some(class) = self.instance.class_in_doubt(&recipient.domain, world) else {
            return Answer::Refuses;
        };
        let mut evaluation = Evaluation {
            smtpd: self,
            given,
            recipient,
            world,
            class,
            has_recipient: true,
            is_checked: false,
            is_verified: false,
            refuses_at_the_end: false,
        };
        let delays = self.parameter("smtpd_delay_reject").flag() != Some(false);
        for name in RECIPIENT_LISTS {
            let is_early = !matches!(
                name,
                "smtpd_relay_restrictions" | "smtpd_recipient_restrictions"
            );
            evaluation.has_recipient = delays || !is_early;
            match evaluation.list(&self.restriction_list(name)) {
                End::Refused | End::Discarded => return Answer::Refuses,
                End::Open | End::Permitted => {}
            }
        }
        if evaluation.refuses_at_the_end {
            return Answer::Refuses;
        }
        let is_verified = evaluation.is_verified;
        if !evaluation.is_checked
            && self.parameter("smtpd_reject_unlisted_recipient").flag() != Some(false)
            && !evaluation.is_listed()
        {
            return Answer::Refuses;
        }
        if !self.parameter("smtpd_proxy_filter").is_empty() {
            world.add(Doubt {
                what: format!(
                    "the proxy filter {}",
                    self.parameter("smtpd_proxy_filter").text()
                ),
                why: "it may refuse recipients".to_owned(),
                key: recipient.to_string(),
                is_keyed: false,
            });
        }
        if is_verified {
            Answer::AcceptsIfDeliverable
        } else {
            Answer::Accepts
        }
    }
}

impl Evaluation<'_, '_> {
    fn list(&mut self, list: &RestrictionList) -> End {
        self.restrictions(&list.restrictions, list.name, 0)
    }

    fn restrictions(&mut self, list: &[Restriction], name: &str, depth: usize) -> End {
        if depth > MAX_RECURSION {
            return End::Refused;
        }
        for restriction in list {
            let was_refusing = self.refuses_at_the_end;
            let mut end = self.restriction(restriction, name, depth);
            if restriction.only_warns {
                self.refuses_at_the_end = was_refusing;
                let is_error = matches!(restriction.meaning, Meaning::Unknown);
                if end == End::Refused && !is_error {
                    end = End::Open;
                }
            }
            if end != End::Open {
                return end;
            }
        }
        End::Open
    }

    fn restriction(&mut self, restriction: &Restriction, list: &str, depth: usize) -> End {
        match &restriction.meaning {
            Meaning::Unknown => End::Refused,
            Meaning::Class(inner) => self.restrictions(inner, list, depth + 1),
            Meaning::AccessTable => {
                let check = match list {
                    "smtpd_client_restrictions" => "check_client_access",
                    "smtpd_helo_restrictions" => "check_helo_access",
                    "smtpd_sender_restrictions" => "check_sender_access",
                    _ => "check_recipient_access",
                };
                self.access(check, restriction, list, depth)
            }
            Meaning::Builtin(facts) => {
                if !facts.works.contains(self.smtpd.instance.version()) {
                    return End::Refused;
                }
                self.builtin(restriction, list, depth)
            }
        }
    }

    fn builtin(&mut self, restriction: &Restriction, list: &str, depth: usize) -> End {
        let ours = self.class != Class::Default;
        match restriction.name() {
            "permit" => End::Permitted,
            "reject" | "defer" => End::Refused,
            "defer_if_permit" => {
                self.refuses_at_the_end = true;
                End::Open
            }
            "permit_mynetworks" => {
                match network_list(self.smtpd.scope(), "mynetworks").find(ADDRESS) {
                    Trust::Listed(_) => End::Permitted,
                    Trust::NotListed | Trust::Unknown(_) => End::Open,
                    Trust::Fails(..) => End::Refused,
                }
            }
            _ if !self.has_recipient && needs_recipient(restriction.name()) => End::Open,
            "reject_unauth_destination" | "defer_unauth_destination" if !ours => End::Refused,
            "permit_auth_destination" | "check_relay_domains" | "permit_mx_backup" if ours => {
                End::Permitted
            }
            "check_relay_domains" => End::Refused,
            "reject_non_fqdn_recipient" if !self.given.domain.contains(['.', '[']) => End::Refused,
            "reject_unlisted_recipient" => {
                if !restriction.only_warns {
                    self.is_checked = true;
                }
                if self.is_listed() {
                    End::Open
                } else {
                    End::Refused
                }
            }
            "reject_unverified_recipient" => {
                let code = self
                    .smtpd
                    .parameter("unverified_recipient_reject_code")
                    .number();
                let reports_only = code.is_some_and(|code| (200..300).contains(&code));
                self.is_verified |= !reports_only && !restriction.only_warns;
                End::Open
            }
            name @ ("check_client_access"
            | "check_reverse_client_hostname_access"
            | "check_helo_access"
            | "check_sender_access"
            | "check_recipient_access") => self.access(name, restriction, list, depth),
            "check_policy_service" => {
                let server = restriction
                    .argument
                    .as_ref()
                    .map(Text::to_string)
                    .unwrap_or_default();
                self.world.add(Doubt {
                    what: format!("the policy server {server}"),
                    why: "it may refuse recipients".to_owned(),
                    key: self.recipient.to_string(),
                    is_keyed: false,
                });
                End::Open
            }
            // What remains does not concern a decent stranger, or only strangers with a certificate or a
            // login.
            _ => End::Open,
        }
    }

    fn access(&mut self, check: &str, restriction: &Restriction, list: &str, depth: usize) -> End {
        let scope = self.smtpd.scope();
        let Some(table) = restriction
            .argument
            .as_ref()
            .filter(|table| table.as_str().contains(':'))
        else {
            return End::Refused;
        };
        let keys = match check {
            "check_client_access" | "check_reverse_client_hostname_access" => {
                Keys::host(scope, NAME, ADDRESS)
            }
            "check_helo_access" => Keys::name(scope, NAME),
            "check_sender_access" => Keys::address(scope, &Address::new(SENDER.0, SENDER.1)),
            _ if !self.has_recipient => return End::Open,
            _ => Keys::address(scope, self.recipient),
        };
        let maps = scope.maps_of(table, "smtpd_access_maps", "smtpd");
        match keys.ask(scope, &maps, self.world) {
            None | Some(Action::Nothing) => End::Open,
            Some(Action::Permit) => End::Permitted,
            Some(Action::Refuse) => End::Refused,
            Some(Action::Discard) => End::Discarded,
            Some(Action::RefuseAtTheEnd) => {
                self.refuses_at_the_end = true;
                End::Open
            }
            Some(Action::Restrictions(text)) => {
                let inner = restrictions_of(scope, &Text::placeless(&text));
                self.restrictions(&inner, list, depth + 1)
            }
        }
    }

    /// Whether the check of the recipient lets it pass, where the check is not switched off.
    fn is_listed(&mut self) -> bool {
        let options = self.smtpd.parameter("receive_override_options").words();
        if options
            .iter()
            .any(|word| *word == "no_unknown_recipient_checks")
        {
            return true;
        }
        let listing = self.smtpd.listing(self.recipient, self.world);
        listing.passes() && listing != Listing::Fails
    }
}

fn needs_recipient(name: &str) -> bool {
    name.contains("recipient")
        || matches!(
            name,
            "reject_unauth_destination"
                | "defer_unauth_destination"
                | "permit_auth_destination"
                | "check_relay_domains"
                | "permit_mx_backup"
        )
}
