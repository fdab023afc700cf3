//! What local(8) does with a message (`src/local/recipient.c: deliver_switch`).

use super::address::Address;
use super::delivery::{Fate, Journey, simple_fate};
use super::world::{Doubt, Known};
use crate::instance::address_class::Class;
use crate::instance::parameter::Scope;
use crate::instance::table::{Maps, Only};
use crate::source::Text;
use crate::syntax::alias_table::{AliasTargetKind, targets};
use crate::syntax::expression::{self, Dialect};
use crate::syntax::token;

/// The expansion of one recipient.
pub(super) struct Expansion<'e, 'j, 'i> {
    journey: &'e mut Journey<'j, 'i>,
    /// The view of local(8).
    scope: Scope<'i>,
    aliases: Maps,
    /// The aliases that are being expanded.
    open: Vec<String>,
}

impl<'e, 'j, 'i> Expansion<'e, 'j, 'i> {
    pub(super) fn new(journey: &'e mut Journey<'j, 'i>, scope: Scope<'i>) -> Self {
        Self {
            aliases: scope.maps("alias_maps", "local"),
            journey,
            scope,
            open: Vec::new(),
        }
    }

    pub(super) fn deliver(&mut self, recipient: &Address) {
        let folded = Address::new(recipient.local.to_lowercase(), &recipient.domain);
        let split = folded.split_extension(self.scope);
        let (user, extension) = split.unwrap_or((&folded.local, ""));
        for name in [folded.local.as_str(), user] {
            if self.open.iter().any(|open| open == name) {
                continue;
            }
            match self.ask(&self.aliases.clone(), name) {
                Known::Hit(hit) => {
                    self.expand(&folded, name, hit.value.as_str());
                    return;
                }
                Known::Nothing | Known::Something(_) => {}
                Known::Fails(_) => return self.end(&folded, Fate::PutOff),
            }
        }
        if self.hands_over(
            &folded,
            user,
            ["mailbox_transport_maps", "mailbox_transport"],
        ) {
            return;
        }
        match self.scope.instance.users().has(user) {
            Some(true) => return self.end(&folded, Fate::Delivered),
            Some(false) => {}
            None => self.journey.world.add(Doubt {
                what: "the list of users".to_owned(),
                why: "it is that of another machine".to_owned(),
                key: user.to_owned(),
                is_keyed: true,
            }),
        }
        if self.hands_over(
            &folded,
            user,
            ["fallback_transport_maps", "fallback_transport"],
        ) {
            return;
        }
        let relay = self.scope.parameter("luser_relay").raw().to_string();
        if !relay.is_empty() {
            let dialect = self.scope.instance.dialect();
            let relay = expand_relay(dialect, &relay, &folded, user, extension);
            self.relay(&folded, &relay);
        } else if matches!(user, "postmaster" | "mailer-daemon") {
            self.end(&folded, Fate::Discarded);
        } else {
            self.end(&folded, Fate::Bounces(format!("unknown user: \"{user}\"")));
        }
    }

    fn end(&mut self, address: &Address, fate: Fate) {
        self.journey.end(address, Some(Class::Local), fate);
    }

    fn ask(&mut self, maps: &Maps, key: &str) -> Known {
        let answer = maps.find(key.as_bytes(), Only::All);
        self.journey.world.judge(self.scope.instance, key, answer)
    }

    /// `luser_relay`: its value is one address, and nothing else.
    fn relay(&mut self, unknown: &Address, relay: &str) {
        let mut addresses = token::addresses(relay.as_bytes()).into_iter();
        let (Some(one), None) = (addresses.next(), addresses.next()) else {
            return self.end(unknown, Fate::Discarded);
        };
        let text = String::from_utf8_lossy(&one.internal(relay.as_bytes())).into_owned();
        let target = Address::written(self.scope, &text);
        if target == *unknown || self.open.contains(&target.local) {
            self.end(
                unknown,
                Fate::Bounces(format!("unknown user: \"{}\"", unknown.local)),
            );
        } else {
            self.open.push(unknown.local.clone());
            self.member(&target);
            self.open.pop();
        }
    }

    fn expand(&mut self, alias: &Address, name: &str, value: &str) {
        let has_owner = self.scope.parameter("owner_request_special").flag() == Some(true)
            && matches!(
                self.ask(&self.aliases.clone(), &format!("owner-{name}")),
                Known::Hit(_)
            );
        self.open.push(name.to_owned());
        let start = self.journey.leaves.len();
        for target in targets(value.as_bytes()) {
            let text = String::from_utf8_lossy(&target.text).into_owned();
            match target.kind {
                AliasTargetKind::Address => self.member(&Address::written(self.scope, &text)),
                _ => self.end(alias, Fate::Delivered),
            }
        }
        if self.journey.leaves.len() == start {
            self.end(alias, Fate::PutOff);
        }
        if has_owner {
            // Its owner is told, not the sender.
            for leaf in &mut self.journey.leaves[start..] {
                if !matches!(leaf.fate, Fate::Delivered | Fate::PutOff) {
                    leaf.fate = Fate::Discarded;
                }
            }
        }
        self.open.pop();
    }

    /// An address that an alias or `luser_relay` names: another local one, or mail that is sent on.
    fn member(&mut self, target: &Address) {
        let Some(route) = self.scope.instance.route(target, self.journey.world) else {
            return self.end(target, Fate::PutOff);
        };
        let agent = self.scope.instance.agent(&route.transport);
        if agent.is_none_or(|agent| agent.line.command() != "local") {
            self.journey.forward(target);
        } else if self.open.len() > 100 {
            self.end(
                target,
                Fate::Bounces("recipient nesting limit exceeded".to_owned()),
            );
        } else if self.is_circle(target) {
            self.end(
                target,
                Fate::Bounces(format!("alias database loop for {}", target.local)),
            );
        } else {
            self.deliver(target);
        }
    }

    /// Whether a target is an alias that is being expanded, other than the innermost: a name that stands for
    /// itself means the mailbox.
    fn is_circle(&self, target: &Address) -> bool {
        let name = target.local.to_lowercase();
        let at = self.open.iter().position(|open| *open == name);
        at.is_some_and(|at| at + 1 < self.open.len())
    }

    /// Whether `…_transport_maps` or `…_transport` takes the message.
    fn hands_over(
        &mut self,
        address: &Address,
        user: &str,
        [maps, parameter]: [&'static str; 2],
    ) -> bool {
        let maps = self.scope.maps(maps, "local");
        let mut value = match self.ask(&maps, user) {
            Known::Hit(hit) => hit.value.to_string(),
            Known::Nothing | Known::Something(_) => String::new(),
            Known::Fails(_) => {
                self.end(address, Fate::PutOff);
                return true;
            }
        };
        if value.is_empty() {
            value = self.scope.parameter(parameter).text();
        }
        let (transport, nexthop) = value.split_once(':').unwrap_or((&value, ""));
        if transport.is_empty() {
            return false;
        }
        let agent = self.scope.instance.agent(transport);
        let fate = simple_fate(agent.as_ref(), transport, nexthop);
        self.end(address, fate);
        true
    }
}

/// `luser_relay` with the names that local(8) knows; all others are empty (`src/local/local_expand.c`).
fn expand_relay(
    dialect: Dialect,
    relay: &str,
    recipient: &Address,
    user: &str,
    extension: &str,
) -> String {
    let expanded = expression::expand(&Text::placeless(relay), dialect, &|name| {
        let value = match name {
            "user" => user.to_owned(),
            "local" | "mailbox" => recipient.local.clone(),
            "domain" => recipient.domain.clone(),
            "extension" => extension.get(1..).unwrap_or_default().to_owned(),
            "recipient" => recipient.to_string(),
            "recipient_delimiter" => extension.get(..1).unwrap_or_default().to_owned(),
            _ => return None,
        };
        Some(Text::placeless(&value))
    });
    expanded.map(|text| text.to_string()).unwrap_or_default()
}
