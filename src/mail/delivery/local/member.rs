//! What an alias may stand for: addresses, files, commands (`src/local/token.c`, `src/local/resolve.c`).

use super::{Run, State};
use crate::mail::resolve::State as Answer;
use crate::syntax::alias_table::{AliasTarget, AliasTargetKind, targets};

impl Run<'_, '_, '_> {
    /// `deliver_token_stream`: how many members there are, and whether the mail is to be tried again. The
    /// first line with a member that has to wait is the last one.
    pub(super) fn lines(&mut self, state: &State, text: &[u8]) -> (usize, bool) {
        let mut members = 0;
        for line in text.split(|byte| *byte == b'\n') {
            if line.starts_with(b"#") {
                continue;
            }
            let (found, is_deferred) = self.members(state, line);
            members += found;
            if is_deferred {
                return (members, true);
            }
        }
        (members, false)
    }

    /// `deliver_token_string`.
    pub(super) fn members(&mut self, state: &State, value: &[u8]) -> (usize, bool) {
        let mut is_deferred = false;
        let targets = targets(value);
        for target in &targets {
            is_deferred |= self.member(state, target);
        }
        (targets.len(), is_deferred)
    }

    fn member(&mut self, state: &State, target: &AliasTarget) -> bool {
        let text = String::from_utf8_lossy(&target.text).into_owned();
        match target.kind {
            AliasTargetKind::File => self.file(state, &text),
            AliasTargetKind::HomeFile => match (&state.home, text.strip_prefix('~')) {
                (Some(home), Some(path)) if path.starts_with('/') => {
                    let path = format!("{}{path}", home.trim_end_matches('/'));
                    self.file(state, &path)
                }
                _ => self.report(state, "5.3.5", "mail system configuration error"),
            },
            AliasTargetKind::Command if !self.agent.commands.has(state.expansion) => {
                self.report(state, "5.7.1", "mail to command is restricted")
            }
            AliasTargetKind::Command => self.command(state, &text),
            AliasTargetKind::Include => self.include(state.clone(), &text),
            AliasTargetKind::Address => self.address(state.clone(), &text),
        }
    }

    /// `deliver_resolve_tree`: an address that an alias or `luser_relay` names.
    pub(super) fn address(&mut self, mut state: State, address: &str) -> bool {
        state.level += 1;
        let view = &self.agent.view;
        let canonical = view.canonical(address);
        let journey = &mut *self.journey;
        let resolution = view.resolve(journey.instance, "", &canonical, journey.world);
        match resolution.state {
            Answer::Fine => {}
            Answer::Fails(_) => return self.report(&state, "4.3.0", "address resolver failure"),
            Answer::Syntax => {
                let text = format!("bad recipient address syntax: {}", resolution.recipient);
                return self.report(&state, "5.1.3", &text);
            }
            Answer::Unknown(table) => {
                state.address = resolution.recipient;
                return self.unknown(&state, table);
            }
            // It asks again and again.
            Answer::Hangs(text) => return self.report(&state, "4.3.0", &text),
        }
        state.address = resolution.recipient;
        if let Some(unmatched) = &state.unmatched {
            let at = state.address.rfind('@').unwrap_or(state.address.len());
            // That which the address has, of several that there may be.
            let rest = state.local.get(state.user.len()..).unwrap_or_default();
            let delimiter: String = rest.chars().take(1).collect();
            state
                .address
                .insert_str(at, &format!("{delimiter}{unmatched}"));
        }
        if resolution.transport == self.via {
            self.recipient(state)
        } else {
            self.indirect(&state)
        }
    }
}
