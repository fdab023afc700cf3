//! `.forward` files (`src/local/dotforward.c`).
//!
//! They are looked at where the configuration is that of this host, or comes with the whole tree of its own. They
//! belong to its users and change without notice: elsewhere nothing is said of them.

use std::cell::Cell;

use super::super::obstacle::Owner;
use super::{Expansion, Run, State};
use crate::instance::files::Opened;
use crate::source::Text;
use crate::syntax::expression;

/// A user of the host.
pub(super) struct Account {
    pub(super) home: String,
    pub(super) owner: Owner,
}

impl Run<'_, '_, '_> {
    /// `deliver_dotforward`: `None` when the mail goes to the mailbox.
    pub(super) fn dot_forward(&mut self, mut state: State) -> Option<bool> {
        state.level += 1;
        let instance = self.journey.instance;
        if self.agent.forward_path.is_empty() || !instance.files().is_complete() {
            return None;
        }
        let home = self.account(&state.user)?.home;
        let (path, has_extension) = self.forward_file(&state, &home)?;
        if self.mail.is_probe {
            return Some(self.report(&state, "2.0.0", &format!("forward via file: {path}")));
        }
        state.home = Some(home);
        if self.been_here(&format!("forward {path}")) {
            return self
                .done
                .contains(&format!("forward-done {path}").to_lowercase())
                .then_some(false);
        }
        let Opened::Found(source) = instance.files().open(&path, instance.sources()) else {
            return None;
        };
        if !self.agent.frozen_delivered_to {
            state.delivered = Some(state.address.clone());
        }
        state.owner = Some(state.user.clone());
        state.expands = Some(state.local.clone());
        state.expansion = Expansion::Forward;
        if has_extension || !self.agent.propagates.forward {
            state.unmatched = None;
        }
        self.journey
            .world
            .explain(None, || format!("forward_path: {path} is read"));
        let (members, is_deferred) = self.lines(&state, source.bytes());
        if members == 0 {
            return None;
        }
        self.been_here(&format!("forward-done {path}"));
        Some(is_deferred)
    }

    /// What passwd(5) of the configuration's host says of a user.
    pub(super) fn account(&self, user: &str) -> Option<Account> {
        let instance = self.journey.instance;
        let Opened::Found(passwd) = instance.files().open("/etc/passwd", instance.sources()) else {
            return None;
        };
        let text = String::from_utf8_lossy(passwd.bytes());
        text.lines().find_map(|line| {
            let mut fields = line.split(':');
            if fields.next() != Some(user) {
                return None;
            }
            let uid = fields.nth(1)?.parse().ok()?;
            let gid = fields.next()?.parse().ok()?;
            let home = fields.nth(1).filter(|home| home.starts_with('/'))?;
            Some(Account {
                home: home.to_owned(),
                owner: Owner { uid, gid },
            })
        })
    }

    /// The first file of `forward_path` that exists, and whether its name has the extension in it.
    fn forward_file(&self, state: &State, home: &str) -> Option<(String, bool)> {
        let instance = self.journey.instance;
        let words = self.agent.forward_path.words_outside_braces(b", \t\r\n");
        words.into_iter().find_map(|word| {
            let is_undefined = Cell::new(false);
            let has_extension = Cell::new(false);
            let expanded = expression::expand(&word, instance.dialect(), &|name| {
                let value = match name {
                    "home" => Some(Text::placeless(&home.replace('$', "$$"))),
                    _ => self.local_name(state, name),
                };
                is_undefined.set(is_undefined.get() || value.is_none());
                has_extension.set(has_extension.get() || (name == "extension" && value.is_some()));
                value
            });
            let path = expanded.ok()?.to_string();
            let is_there = !is_undefined.get() && instance.files().stamp(&path).is_some();
            is_there.then_some((path, has_extension.get()))
        })
    }
}
