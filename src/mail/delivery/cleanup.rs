//! What cleanup(8) makes of the addresses of an envelope (`src/cleanup/cleanup_addr.c`).

use std::collections::HashSet;

use super::addresses::{Entry, Mapped, View, external, halves, same};
use crate::instance::Instance;
use crate::instance::parameter::Scope;
use crate::instance::table::Maps;
use crate::mail::reply::Reply;
use crate::mail::world::World;

/// `cleanup_map11.c`: so often is a canonical address looked up again.
const MOST_CANONICAL_LOOKUPS: usize = 10;

/// A service that runs cleanup(8).
#[derive(Debug)]
pub(super) struct Cleanup {
    pub(super) view: View,
    myorigin_daemon: String,
    empty_recipient: String,
    recipient_canonical: Maps,
    sender_canonical: Maps,
    canonical: Maps,
    /// Whether the envelope's recipient, and its sender, are in the classes of `canonical_maps`.
    canonical_has: [bool; 2],
    recipient_canonical_has: bool,
    sender_canonical_has: bool,
    masquerade: Masquerade,
    masquerade_has: [bool; 2],
    propagates_canonical: bool,
    aliases: Maps,
    propagates_virtual: bool,
    most_addresses: usize,
    most_rounds: usize,
    longest_address: usize,
    sender_bcc: Maps,
    recipient_bcc: Maps,
    always_bcc: String,
    enable_original_recipient: bool,
}

/// A recipient as it is put into the queue file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Recipient {
    pub(super) address: String,
    /// A notice of non-delivery may be sent for it: it does not have NOTIFY=NEVER.
    pub(super) is_told: bool,
    /// The table, as `type:name`, that nobody can look at and that stands for other addresses.
    pub(super) unknown: Option<String>,
}

/// Why a message is not taken.
pub(super) enum Refusal {
    /// A table fails.
    Lookup,
    /// Too many aliases, or too many after one another, or one that is too long.
    Aliases,
}

impl Refusal {
    /// The reply at the end of DATA (`src/global/cleanup_strerror.c`).
    pub(super) fn reply(&self) -> Reply {
        match self {
            Self::Lookup => Reply::new(451, "4.3.0", "Error: queue file write error"),
            Self::Aliases => Reply::new(451, "4.6.0", "Alias expansion error"),
        }
    }
}

impl Cleanup {
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let maps = |name| scope.maps(name, "cleanup");
        let text = |name| scope.any_parameter(name).text();
        let flag = |name| scope.any_parameter(name).flag() == Some(true);
        let limit = |name, default| {
            let number = scope.any_parameter(name).number();
            number
                .and_then(|number| usize::try_from(number).ok())
                .unwrap_or(default)
        };
        let has = |parameter, word: &str| {
            let words = scope.any_parameter(parameter).words();
            words
                .iter()
                .any(|other| other.as_str().eq_ignore_ascii_case(word))
        };
        let both = |parameter| {
            [
                has(parameter, "envelope_recipient"),
                has(parameter, "envelope_sender"),
            ]
        };
        let view = View::of(scope);
        Self {
            myorigin_daemon: view.canonical("MAILER-DAEMON"),
            view,
            empty_recipient: text("empty_address_recipient"),
            recipient_canonical: maps("recipient_canonical_maps"),
            sender_canonical: maps("sender_canonical_maps"),
            canonical: maps("canonical_maps"),
            canonical_has: both("canonical_classes"),
            recipient_canonical_has: has("recipient_canonical_classes", "envelope_recipient"),
            sender_canonical_has: has("sender_canonical_classes", "envelope_sender"),
            masquerade: Masquerade::of(scope),
            masquerade_has: both("masquerade_classes"),
            propagates_canonical: has("propagate_unmatched_extensions", "canonical"),
            aliases: maps("virtual_alias_maps"),
            propagates_virtual: has("propagate_unmatched_extensions", "virtual"),
            most_addresses: limit("virtual_alias_expansion_limit", 1000),
            most_rounds: limit("virtual_alias_recursion_limit", 1000),
            longest_address: limit("virtual_alias_address_length_limit", 1000),
            sender_bcc: maps("sender_bcc_maps"),
            recipient_bcc: maps("recipient_bcc_maps"),
            always_bcc: text("always_bcc"),
            enable_original_recipient: flag("enable_original_recipient"),
        }
    }

    /// The sender as it is put into the queue file. `is_mapped` is false where address mappings are off.
    pub(super) fn sender(
        &self,
        instance: &Instance,
        given: &str,
        is_mapped: bool,
        world: &mut World,
    ) -> Result<String, Refusal> {
        let mut sender = if given.is_empty() {
            String::new()
        } else {
            self.view.canonical(given)
        };
        if same(&sender, &self.myorigin_daemon) {
            sender.clear();
        }
        if is_mapped {
            if self.sender_canonical_has {
                sender = self
                    .canonical_of(instance, &self.sender_canonical, sender, world)?
                    .0;
            }
            if self.canonical_has[1] {
                sender = self
                    .canonical_of(instance, &self.canonical, sender, world)?
                    .0;
            }
            if self.masquerade_has[1] {
                sender = self.masquerade.apply(sender);
            }
        }
        Ok(sender)
    }

    /// The recipients that a recipient stands for, and with `has_bcc` those whom copies go to.
    pub(super) fn recipients(
        &self,
        instance: &Instance,
        envelope: Envelope<'_>,
        world: &mut World,
    ) -> Result<Vec<Recipient>, Refusal> {
        let mut list = Vec::new();
        let mut seen = HashSet::new();
        let mut take = |recipients: Vec<Recipient>, original: &str| {
            for recipient in recipients {
                let original = if self.enable_original_recipient {
                    original
                } else {
                    ""
                };
                let is_told = recipient.is_told || !self.enable_original_recipient;
                let key = (
                    recipient.address.to_lowercase(),
                    original.to_lowercase(),
                    is_told,
                );
                if seen.insert(key) {
                    list.push(recipient);
                }
            }
        };
        let given = if envelope.recipient.is_empty() {
            &self.empty_recipient
        } else {
            envelope.recipient
        };
        let copies = |maps: &Maps, address: &str, world: &mut World| {
            if !envelope.has_bcc || address.is_empty() {
                return Ok(None);
            }
            match self.view.find(instance, maps, address, world) {
                Entry::Nothing => Ok(None),
                Entry::Is(hit) => Ok(Some((hit.value.to_string(), None))),
                Entry::Something(table) => Ok(Some((String::new(), Some(table)))),
                Entry::Fails => Err(Refusal::Lookup),
            }
        };
        let mut bcc = Vec::new();
        if envelope.is_first {
            bcc.extend(copies(&self.sender_bcc, envelope.sender, world)?);
        }
        let (address, recipients) =
            self.recipient(instance, given, envelope.is_mapped, envelope.is_told, world)?;
        take(recipients, given);
        bcc.extend(copies(&self.recipient_bcc, &address, world)?);
        if envelope.is_first && envelope.has_bcc && !self.always_bcc.is_empty() {
            world.explain(None, || {
                format!("always_bcc: a copy goes to {}", self.always_bcc)
            });
            bcc.push((self.always_bcc.clone(), None));
        }
        for (address, unknown) in bcc {
            if unknown.is_some() {
                let recipient = Recipient {
                    address: String::new(),
                    is_told: false,
                    unknown,
                };
                take(vec![recipient], "");
                continue;
            }
            let (_, recipients) =
                self.recipient(instance, &address, envelope.is_mapped, false, world)?;
            take(recipients, &address);
        }
        Ok(list)
    }

    /// One recipient: its address before aliases, and what the aliases make of it.
    fn recipient(
        &self,
        instance: &Instance,
        given: &str,
        is_mapped: bool,
        is_told: bool,
        world: &mut World,
    ) -> Result<(String, Vec<Recipient>), Refusal> {
        let plain = |address: String| Recipient {
            address,
            is_told,
            unknown: None,
        };
        let mut address = self.view.canonical(given);
        if !is_mapped {
            return Ok((address.clone(), vec![plain(address)]));
        }
        for (maps, is_wanted) in [
            (&self.recipient_canonical, self.recipient_canonical_has),
            (&self.canonical, self.canonical_has[0]),
        ] {
            if !is_wanted {
                continue;
            }
            let (next, unknown) = self.canonical_of(instance, maps, address, world)?;
            if unknown.is_some() {
                let recipient = Recipient {
                    unknown,
                    ..plain(next.clone())
                };
                return Ok((next, vec![recipient]));
            }
            address = next;
        }
        if self.masquerade_has[0] {
            address = self.masquerade.apply(address);
        }
        let list = self.expand(instance, &address, world)?;
        let recipients = list.into_iter().map(|(address, unknown)| Recipient {
            unknown,
            ..plain(address)
        });
        Ok((address.clone(), recipients.collect()))
    }

    /// One address for another, again and again (`cleanup_map11.c`); and a table that nobody can look at, if
    /// one decides. An address that goes round stays as it is after the last lookup.
    fn canonical_of(
        &self,
        instance: &Instance,
        maps: &Maps,
        mut address: String,
        world: &mut World,
    ) -> Result<(String, Option<String>), Refusal> {
        for _ in 0..MOST_CANONICAL_LOOKUPS {
            match self
                .view
                .map(instance, maps, &address, self.propagates_canonical, world)
            {
                Mapped::Nothing => break,
                Mapped::Fails => return Err(Refusal::Lookup),
                Mapped::Something(table) => return Ok((address, Some(table))),
                Mapped::To(results) => {
                    let Some(next) = results.into_iter().next() else {
                        break;
                    };
                    if same(&next, &address) {
                        address = next;
                        break;
                    }
                    address = next;
                }
            }
        }
        Ok((address, None))
    }

    /// The addresses that an address stands for (`cleanup_map1n.c`).
    fn expand(
        &self,
        instance: &Instance,
        address: &str,
        world: &mut World,
    ) -> Result<Vec<(String, Option<String>)>, Refusal> {
        let mut list = vec![(address.to_owned(), None)];
        if self.aliases.is_empty() {
            return Ok(list);
        }
        let mut stand_for_themselves: HashSet<String> = HashSet::new();
        let refuse = |what: &str, world: &mut World| {
            world.explain(None, || {
                format!("virtual_alias_maps: unreasonable {what} for {address}: the message is not taken")
            });
            Err(Refusal::Aliases)
        };
        let mut at = 0;
        while at < list.len() {
            if list.len() > self.most_addresses {
                return refuse("map expansion size", world);
            }
            let mut rounds = 0;
            while !stand_for_themselves.contains(&list[at].0.to_lowercase()) {
                if rounds >= self.most_rounds {
                    return refuse("map nesting", world);
                }
                let asked = list[at].0.clone();
                let results = match self.view.map(
                    instance,
                    &self.aliases,
                    &asked,
                    self.propagates_virtual,
                    world,
                ) {
                    Mapped::Nothing => break,
                    Mapped::Fails => return Err(Refusal::Lookup),
                    Mapped::Something(table) => {
                        list[at].1 = Some(table);
                        break;
                    }
                    Mapped::To(results) => results,
                };
                for (index, result) in results.into_iter().enumerate() {
                    if external(&result).len() > self.longest_address {
                        return refuse("map result", world);
                    }
                    if same(&result, &asked) {
                        stand_for_themselves.insert(asked.to_lowercase());
                    }
                    if index == 0 {
                        list[at].0 = result;
                    } else {
                        list.push((result, None));
                    }
                }
                rounds += 1;
            }
            at += 1;
        }
        Ok(list)
    }
}

/// What cleanup(8) is given for one recipient.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'e> {
    /// The sender as it is in the queue file.
    pub(super) sender: &'e str,
    /// The recipient as it came in.
    pub(super) recipient: &'e str,
    /// Address mappings are on.
    pub(super) is_mapped: bool,
    /// Copies are made for `…_bcc_maps` and `always_bcc`.
    pub(super) has_bcc: bool,
    /// A notice of non-delivery is wanted for it.
    pub(super) is_told: bool,
    /// It is the one with which copies for the whole message are made.
    pub(super) is_first: bool,
}

/// `masquerade_domains` (`cleanup_masquerade.c`).
#[derive(Debug)]
struct Masquerade {
    /// The domains in lower case, and whether sub-domains are cut off.
    domains: Vec<(String, bool)>,
    exceptions: std::sync::Arc<crate::instance::domain_list::DomainList>,
}

impl Masquerade {
    fn of(scope: Scope<'_>) -> Self {
        let domains = scope.any_parameter("masquerade_domains").words();
        let domains = domains.iter().map(|word| {
            let domain = word.as_str().trim_start_matches('!');
            let bangs = word.as_str().len() - domain.len();
            (domain.to_lowercase(), bangs % 2 == 0)
        });
        Self {
            domains: domains.filter(|(domain, _)| !domain.is_empty()).collect(),
            exceptions: scope.domain_list("masquerade_exceptions"),
        }
    }

    fn apply(&self, address: String) -> String {
        let (local, domain) = halves(&address);
        if self.domains.is_empty() || domain.is_empty() {
            return address;
        }
        let quoted = external(&address);
        let name = quoted.rsplit_once('@').map_or("", |(name, _)| name);
        if self.exceptions.find(&name.to_lowercase()).is_listed() == Some(true) {
            return address;
        }
        let lower = domain.to_lowercase();
        for (parent, truncates) in &self.domains {
            if lower == *parent {
                break;
            }
            if lower
                .strip_suffix(parent.as_str())
                .is_some_and(|front| front.ends_with('.'))
            {
                if *truncates {
                    return format!("{local}@{parent}");
                }
                break;
            }
        }
        address
    }
}
