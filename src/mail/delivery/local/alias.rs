//! aliases(5) and `:include:` files (`src/local/alias.c`, `src/local/include.c`).

use super::{Expansion, MOST_LEVELS, Run, State};
use crate::instance::files::Opened;
use crate::mail::world::{Doubt, Known};

impl Run<'_, '_, '_> {
    /// `deliver_alias`: `None` when the name is no alias.
    pub(super) fn alias(&mut self, mut state: State, name: &str) -> Option<bool> {
        state.level += 1;
        // A name that stands for itself means the user.
        if state
            .expands
            .as_ref()
            .is_some_and(|expands| expands.eq_ignore_ascii_case(name))
        {
            return None;
        }
        if state.level > MOST_LEVELS {
            let text = format!("alias database loop for {name}");
            return Some(self.report(&state, "5.4.6", &text));
        }
        let agent = self.agent;
        let value = match self.ask(&agent.aliases, name) {
            Known::Hit(hit) => hit.value.to_string(),
            Known::Nothing => return None,
            Known::Something(table) => return Some(self.unknown(&state, table)),
            Known::Fails(_) => return Some(self.unavailable(&state)),
        };
        if self.mail.is_probe {
            return Some(self.report(&state, "2.0.0", &format!("aliased to {value}")));
        }
        state.expands = Some(name.to_owned());
        state.expansion = Expansion::Alias;
        state.home = None;
        let owner = format!("owner-{name}");
        let found = if agent.owner_request_special {
            self.ask(&agent.aliases, &owner)
        } else {
            Known::Nothing
        };
        let owner = match found {
            Known::Fails(_) => return Some(self.unavailable(&state)),
            Known::Nothing => None,
            Known::Something(_) => Some(owner),
            Known::Hit(hit) if agent.expand_owner_alias => Some(hit.value.to_string()),
            Known::Hit(_) => Some(owner),
        };
        if let Some(owner) = owner {
            let owner = agent.view.canonical(&owner);
            state.sender = Some(owner.clone());
            state.owner = Some(owner);
        } else if agent.reset_owner_alias {
            state.owner = None;
        }
        if !agent.frozen_delivered_to {
            state.delivered = Some(state.address.clone());
        }
        let (members, is_deferred) = self.members(&state, value.as_bytes());
        if members == 0 {
            return Some(self.unavailable(&state));
        }
        Some(is_deferred)
    }

    fn unavailable(&mut self, state: &State) -> bool {
        self.report(state, "4.3.0", "alias database unavailable")
    }

    /// `deliver_include`.
    pub(super) fn include(&mut self, mut state: State, path: &str) -> bool {
        state.level += 1;
        if state.level > MOST_LEVELS {
            return self.report(&state, "5.4.6", ":include: nesting limit exceeded");
        }
        if self.been_here(&format!("include {path}")) {
            return false;
        }
        state.expands = Some(state.local.clone());
        if !path.starts_with('/') {
            return self.unusable(&state, || format!(":include:{path} uses a relative path"));
        }
        let instance = self.journey.instance;
        let source = match instance.files().open(path, instance.sources()) {
            Opened::Found(source) => source,
            Opened::Missing(_) if instance.files().is_complete() => {
                return self.unusable(&state, || {
                    format!("unable to lookup :include: file {path}: No such file or directory")
                });
            }
            Opened::Unreadable(_, why) if instance.files().is_complete() => {
                return self.unusable(&state, || format!("cannot open include file {path}: {why}"));
            }
            // Those whom it names get the mail, or it is not there and the mail bounces.
            Opened::Missing(_) | Opened::Unreadable(..) | Opened::Elsewhere => {
                let table = format!(":include:{path}");
                self.journey.world.add(Doubt {
                    what: table.clone(),
                    why: "the file is not here".to_owned(),
                    key: path.to_owned(),
                    is_keyed: false,
                });
                return self.unknown(&state, table);
            }
        };
        state.expansion = Expansion::Include;
        if state.owner.is_none() {
            state.owner = Some(state.address.clone());
        }
        if !self.agent.propagates.include {
            state.unmatched = None;
        }
        self.journey
            .world
            .explain(None, || format!(":include:{path}: its lines are read"));
        self.lines(&state, source.bytes()).1
    }

    fn unusable(&mut self, state: &State, why: impl FnOnce() -> String) -> bool {
        self.journey.world.explain(None, why);
        self.report(state, "5.3.5", "mail system configuration error")
    }
}
