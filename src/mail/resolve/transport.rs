//! Transport and next hop of an address: by its class, by the sender, by `transport_maps` and
//! `relocated_maps` (`src/trivial-rewrite/resolve.c`, `src/trivial-rewrite/transport.c`).

use std::borrow::Cow;

use super::{Resolution, Rewriting, State};
use crate::instance::Instance;
use crate::instance::address_class::Class;
use crate::instance::builtin::Version;
use crate::instance::table::{LookupError, Maps, Only};
use crate::mail::dsn;
use crate::mail::search::{Forms, Found, one};
use crate::mail::world::World;

/// The text of an `error:` without one.
const UNDELIVERABLE: &str = "Address is undeliverable";

impl Rewriting {
    /// Transport and next hop by the class.
    pub(super) fn transport(
        &self,
        instance: &Instance,
        sender: &str,
        domain: &str,
        resolution: &mut Resolution,
        world: &mut World,
    ) -> Result<(), State> {
        if resolution.class == Class::VirtualAlias {
            let table = if self.show_table_name {
                " in virtual alias table"
            } else {
                ""
            };
            "error".clone_into(&mut resolution.transport);
            resolution.nexthop = format!("5.1.1 User unknown{table}");
            return Ok(());
        }
        let setting = &self.transports[resolution.class as usize];
        let mut name = setting.name;
        let mut value = Cow::Borrowed(setting.value.as_str());
        if resolution.class == Class::Default {
            let maps = &self.sender_transport;
            let null_key = &self.null_sender_transport;
            match self.by_sender(instance, maps, null_key, sender, world)? {
                BySender::Nothing => {}
                BySender::Value(own) => {
                    name = "sender_dependent_default_transport_maps";
                    value = Cow::Owned(own);
                }
                BySender::Something(table) => {
                    resolution.state = State::Unknown(table);
                    value = Cow::Borrowed("?");
                }
            }
        }
        let mut span = setting.span;
        domain.clone_into(&mut resolution.nexthop);
        if matches!(resolution.class, Class::Relay | Class::Default) {
            let maps = &self.sender_relayhost;
            let null_key = &self.null_sender_relayhost;
            match self.by_sender(instance, maps, null_key, sender, world)? {
                BySender::Value(own) => resolution.nexthop = own,
                // Some other host, whichever.
                BySender::Something(table) => resolution.nexthop = table,
                BySender::Nothing if !self.relayhost.value.is_empty() => {
                    resolution.nexthop.clone_from(&self.relayhost.value);
                    span = self.relayhost.span;
                }
                BySender::Nothing => {}
            }
        }
        let (transport, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        if !nexthop.is_empty() {
            nexthop.clone_into(&mut resolution.nexthop);
            span = setting.span;
        }
        if transport.is_empty() {
            return Err(State::Hangs(format!(
                "resolve_clnt: null transport result for: <{}>: parameter {name}: null transport \
                 is not allowed",
                resolution.recipient
            )));
        }
        transport.clone_into(&mut resolution.transport);
        world.explain(span, || {
            format!("{name}: {transport}, next hop {}", resolution.nexthop)
        });
        Ok(())
    }

    /// What a sender-dependent table says.
    fn by_sender(
        &self,
        instance: &Instance,
        maps: &Maps,
        null_key: &str,
        sender: &str,
        world: &mut World,
    ) -> Result<BySender, LookupError> {
        let key = if sender.is_empty() { null_key } else { sender };
        match self.searcher.find(instance, maps, key, Forms::Both, world) {
            Found::Hit(hit, _) if hit.value.as_str().eq_ignore_ascii_case("dunno") => {
                Ok(BySender::Nothing)
            }
            Found::Hit(hit, _) => Ok(BySender::Value(hit.value.to_string())),
            Found::Nothing => Ok(BySender::Nothing),
            Found::Something(table) => Ok(BySender::Something(table)),
            Found::Fails(error) => Err(error),
        }
    }

    /// `transport_maps` (`transport_lookup`).
    pub(super) fn mapped_transport(
        &self,
        instance: &Instance,
        domain: &str,
        resolution: &mut Resolution,
        world: &mut World,
    ) -> Result<(), LookupError> {
        let maps = &self.transport_maps;
        if maps.is_empty() {
            return Ok(());
        }
        let address = &resolution.recipient;
        let keys = self.transport_keys;
        let found =
            match (self.searcher).find_keys(instance, maps, address, Forms::Both, keys, world) {
                Found::Nothing => one(instance, maps, "*", "", Only::All, world),
                found => Some(found),
            };
        match found {
            None | Some(Found::Nothing) => {}
            Some(Found::Hit(hit, _)) => self.redirect(hit.value.as_str(), domain, resolution),
            Some(Found::Something(table)) => resolution.state = State::Unknown(table),
            Some(Found::Fails(error)) => return Err(error),
        }
        Ok(())
    }

    /// Takes the result of `transport_maps`.
    fn redirect(&self, result: &str, domain: &str, resolution: &mut Resolution) {
        let (transport, nexthop) = result.split_once(':').unwrap_or((result, ""));
        if transport.is_empty() {
            if !nexthop.is_empty() {
                nexthop.clone_into(&mut resolution.nexthop);
            }
            return;
        }
        transport.clone_into(&mut resolution.transport);
        resolution.state = State::Fine;
        let has_text = transport == "error"
            || (transport == "retry" && self.version >= Version::release(3, 0, 0));
        let nexthop = match nexthop {
            "" if has_text => UNDELIVERABLE,
            "" => domain,
            nexthop => nexthop,
        };
        nexthop.clone_into(&mut resolution.nexthop);
    }

    pub(super) fn relocate(
        &self,
        instance: &Instance,
        resolution: &mut Resolution,
        world: &mut World,
    ) -> Result<(), LookupError> {
        let maps = &self.relocated_maps;
        let address = &resolution.recipient;
        let found = (self.searcher).find(instance, maps, address, Forms::Both, world);
        let nexthop = match found {
            Found::Nothing => return Ok(()),
            Found::Fails(error) => return Err(error),
            // The reply has a text that nobody knows.
            Found::Something(table) => {
                resolution.state = State::Unknown(table);
                return Ok(());
            }
            Found::Hit(hit, _) if self.relocated_prefix => {
                format!("5.1.6 User has moved to {}", hit.value)
            }
            Found::Hit(hit, _) => match dsn::split(hit.value.as_str()) {
                Some((_, text)) if !text.is_empty() => hit.value.to_string(),
                _ => "5.2.0 Mailbox is unavailable".to_owned(),
            },
        };
        resolution.state = State::Fine;
        "error".clone_into(&mut resolution.transport);
        resolution.nexthop = nexthop;
        Ok(())
    }
}

/// What a table says by the sender.
enum BySender {
    Nothing,
    Value(String),
    /// A table that cannot be looked at, given as `type:name`, has the sender.
    Something(String),
}
