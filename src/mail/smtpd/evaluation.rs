//! The evaluation of restriction lists: Postfix's `generic_checks`, `smtpd_check_reject` and `defer_if`
//! (`src/smtpd/smtpd_check.c`).

use std::borrow::Cow;
use std::rc::Rc;

use super::list::{Kind, Word};
use super::{Conduct, Smtpd};
use crate::instance::restriction_table::{Argument, RestrictionWord};
use crate::mail::accepted::Actions;
use crate::mail::reply::{Reply, Stage};
use crate::mail::resolve::Resolution;
use crate::mail::session::Session;
use crate::mail::world::World;
use crate::source::Text;

/// Lists inside of lists, with no access table in between, make smtpd use up its stack. No chain of classes
/// that ends is as long as this.
const MOST_NESTED: usize = 300;
/// Replies of restrictions are cut at this length.
const LONGEST_REPLY: usize = 510;

/// What a restriction or a list decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Nothing.
    Dunno,
    /// A permission, which ends the list.
    Ok,
}

/// Why no further restriction is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// A refusal.
    Reply(Reply),
    /// The connection ends without a reply; what Postfix logs.
    Silence(String),
    /// Something that cannot be looked at gives the answer.
    Unknown,
}

pub(super) type Outcome = Result<Status, Stop>;

/// What is refused, in which words, and what a table alone would be in the list.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'s> {
    /// What stands between `<` and `>` in the text.
    pub(super) name: &'s str,
    /// Such as `Recipient address`.
    pub(super) class: &'static str,
    /// The check for which a word with a colon is the argument.
    pub(super) default: Option<&'static str>,
}

/// A refusal that waits.
#[derive(Clone, Debug)]
pub(super) struct Deferral {
    code: i64,
    dsn: String,
    text: String,
}

/// What a refusal is about: `warn_if_reject` spares only some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Postfix's classes `policy`, `bounce` and `protocol`.
    Policy,
    /// Postfix's classes `software`, `resource` and `data`: something is broken.
    Broken,
}

/// One session on its way through the lists.
pub(super) struct Evaluation<'e, 'i> {
    pub(super) smtpd: &'e Smtpd<'i>,
    pub(super) session: &'e Session,
    pub(super) world: &'e mut World,
    pub(super) stage: Stage,
    pub(super) client_name: &'e str,
    pub(super) reverse_name: &'e str,
    /// The address of the client.
    pub(super) client: String,
    /// `name[address]`.
    pub(super) client_label: String,
    pub(super) helo: Option<&'e str>,
    /// The sender, as soon as smtpd has one.
    pub(super) sender: Option<&'e str>,
    /// The recipient, where there is one.
    pub(super) recipient: Option<&'e str>,
    recursion: usize,
    /// The depth at which `warn_if_reject` was met, else 0.
    pub(super) warn_if_reject: usize,
    pub(super) defer_if_permit: Option<Deferral>,
    pub(super) defer_if_reject: Option<Deferral>,
    pub(super) actions: Actions,
    pub(super) sender_checked: bool,
    pub(super) recipient_checked: bool,
    pub(super) is_probed: bool,
    pub(super) conduct: Conduct,
    pub(super) resolved: Vec<Resolved>,
}

/// An address that was resolved.
pub(super) struct Resolved {
    pub(super) address: String,
    pub(super) from: String,
    pub(super) resolution: Rc<Resolution>,
}

impl<'e, 'i> Evaluation<'e, 'i> {
    pub(super) fn new(
        smtpd: &'e Smtpd<'i>,
        session: &'e Session,
        helo: Option<&'e str>,
        world: &'e mut World,
    ) -> Self {
        let known = |name: &'e Option<String>| {
            let name = name
                .as_deref()
                .filter(|_| smtpd.read.settings.looks_up_peers);
            name.unwrap_or("unknown")
        };
        let client_name = known(&session.client_name);
        let client = session.client.to_string();
        Self {
            smtpd,
            session,
            world,
            stage: Stage::Banner,
            client_name,
            reverse_name: known(&session.reverse_name),
            client_label: format!("{client_name}[{client}]"),
            client,
            helo,
            sender: None,
            recipient: None,
            recursion: 0,
            warn_if_reject: 0,
            defer_if_permit: None,
            defer_if_reject: None,
            actions: Actions::default(),
            sender_checked: false,
            recipient_checked: false,
            is_probed: false,
            conduct: Conduct::Unknown,
            resolved: Vec::new(),
        }
    }

    /// What is forgotten before each stage (`SMTPD_CHECK_RESET`).
    pub(super) fn begin(&mut self) {
        self.recursion = 0;
        self.warn_if_reject = 0;
        self.defer_if_reject = None;
    }

    /// Evaluates a list.
    pub(super) fn list(&mut self, words: &[Word], subject: Subject<'_>) -> Outcome {
        let saved = self.recursion;
        self.recursion += 1;
        if self.recursion > MOST_NESTED {
            return Err(Stop::Silence("smtpd is killed by signal 11".to_owned()));
        }
        let mut status = Status::Dunno;
        let mut at = 0;
        while let Some(word) = words.get(at) {
            at += 1;
            if self.actions.discard {
                break;
            }
            let next = words.get(at);
            let outcome = match word.kind {
                Kind::WarnIfReject => {
                    if self.warn_if_reject == 0 {
                        self.warn_if_reject = self.recursion;
                    }
                    continue;
                }
                Kind::Table => match subject.default {
                    Some(check) => self.check(check, word, Some(word), subject),
                    None => self.server_error(),
                },
                Kind::Builtin(facts) => self.builtin(facts, word, next, &mut at, subject),
                Kind::Removed => self.server_error(),
                Kind::Other => {
                    let smtpd = self.smtpd;
                    match smtpd.read.lists.class(word.as_str()) {
                        Some(class) => self.list(class, subject),
                        None => self.server_error(),
                    }
                }
            };
            self.explain_outcome(word, &outcome);
            status = outcome?;
            if self.warn_if_reject >= self.recursion {
                self.warn_if_reject = 0;
            }
            if status != Status::Dunno
                || (self.defer_if_permit.is_some() && self.defer_if_reject.is_some())
            {
                break;
            }
        }
        self.recursion = saved;
        // The list may have ended with warn_if_reject.
        if self.warn_if_reject >= self.recursion {
            self.warn_if_reject = 0;
        }
        Ok(status)
    }

    /// A restriction with the argument that it takes, if it is there.
    fn builtin(
        &mut self,
        facts: &'static RestrictionWord,
        word: &Word,
        next: Option<&Word>,
        at: &mut usize,
        subject: Subject<'_>,
    ) -> Outcome {
        let name = facts.alias_of.unwrap_or(facts.name);
        let argument = match facts.argument {
            Argument::None => None,
            // Without a domain, the restriction does nothing.
            Argument::Domain if next.is_none() => return Ok(Status::Dunno),
            Argument::Domain => next,
            Argument::Table | Argument::Policy => {
                next.filter(|argument| argument.as_str().contains(':'))
            }
            Argument::Seconds => next.filter(|argument| is_digits(argument.as_str())),
        };
        if facts.argument != Argument::None {
            if argument.is_none() {
                return self.server_error();
            }
            *at += 1;
        }
        self.check(name, word, argument, subject)
    }

    fn explain_outcome(&mut self, word: &Word, outcome: &Outcome) {
        if !self.world.is_explained() || matches!(word.kind, Kind::Other) {
            return;
        }
        let said = match outcome {
            Ok(Status::Dunno) => return,
            Ok(Status::Ok) => "OK".to_owned(),
            Err(Stop::Reply(reply)) => reply.to_string(),
            Err(Stop::Silence(why)) => why.clone(),
            Err(Stop::Unknown) => "its answer cannot be known".to_owned(),
        };
        let span = word.text.span();
        self.world
            .explain(span, || format!("{}: {said}", word.as_str()));
    }

    /// How deep the lists inside of lists are.
    pub(super) fn depth(&self) -> usize {
        self.recursion
    }

    /// Refuses, unless a warning is enough (`smtpd_check_reject`).
    pub(super) fn reject(&mut self, why: Reason, code: i64, dsn: &str, text: &str) -> Outcome {
        let only_warns = self.warn_if_reject > 0 && why == Reason::Policy;
        let (code, dsn, text) = match u16::try_from(code) {
            Ok(code @ 400..=599) => (code, dsn, text),
            _ => (450, "4.7.1", "Service unavailable"),
        };
        if !only_warns
            && code >= 500
            && let Some(deferral) = self.defer_if_reject.take()
        {
            self.warn_if_reject = 0;
            return self.reject(Reason::Policy, deferral.code, &deferral.dsn, &deferral.text);
        }
        if only_warns {
            return Ok(Status::Dunno);
        }
        let text = printable(
            text,
            LONGEST_REPLY.saturating_sub(5 + dsn.len()),
            self.smtpd.read.settings.utf8,
        );
        let reply = Reply::new(code, dsn, text);
        Err(Stop::Reply(self.smtpd.read.settings.softened(reply)))
    }

    /// A refusal that waits for a permission (`DEFER_IF_PERMIT2`); `waits` is off where a parameter wants the
    /// refusal at once.
    pub(super) fn defer_if_permit(
        &mut self,
        waits: bool,
        code: i64,
        dsn: &str,
        text: &str,
    ) -> Outcome {
        if !waits || self.warn_if_reject > 0 {
            return self.reject(Reason::Policy, code, dsn, text);
        }
        self.defer_if_permit
            .get_or_insert_with(|| Deferral::new(code, dsn, text));
        Ok(Status::Dunno)
    }

    /// A refusal that takes the place of one for good (`DEFER_IF_REJECT2`).
    pub(super) fn defer_if_reject(&mut self, code: i64, dsn: &str, text: &str) -> Outcome {
        self.defer_if_reject
            .get_or_insert_with(|| Deferral::new(code, dsn, text));
        Ok(Status::Dunno)
    }

    /// Answers with the refusal that waits for a permission.
    pub(super) fn end_permission(&mut self) -> Outcome {
        match self.defer_if_permit.clone() {
            Some(Deferral { code, dsn, text }) => self.reject(Reason::Policy, code, &dsn, &text),
            None => Ok(Status::Dunno),
        }
    }

    /// Something in the configuration is wrong (`reject_server_error`).
    pub(super) fn server_error(&mut self) -> Outcome {
        self.reject(Reason::Broken, 451, "4.3.5", "Server configuration error")
    }

    /// A lookup fails (`reject_dict_retry`).
    pub(super) fn lookup_failure(&mut self, name: &str) -> Outcome {
        let text = format!("<{name}>: Temporary lookup failure");
        self.reject(Reason::Broken, 451, "4.3.0", &text)
    }

    /// Adds a line to the explanation about something that is written.
    pub(super) fn explain(&mut self, text: &Text, what: impl FnOnce() -> String) {
        self.world.explain(text.span(), what);
    }
}

impl Deferral {
    fn new(code: i64, dsn: &str, text: &str) -> Self {
        Self {
            code,
            dsn: dsn.to_owned(),
            text: text.to_owned(),
        }
    }
}

pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text cut at a length, with blanks for what cannot be printed; without `utf8`, that is each byte of
/// whatever is no ASCII (`src/util/printable.c`).
fn printable(text: &str, longest: usize, utf8: bool) -> Cow<'_, str> {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = &text[..end];
    let is_bad = |c: char| c.is_ascii_control() || (!utf8 && !c.is_ascii());
    if !text.chars().any(is_bad) {
        return Cow::Borrowed(text);
    }
    let mut printed = String::with_capacity(text.len());
    for c in text.chars() {
        if is_bad(c) {
            printed.extend(std::iter::repeat_n(' ', c.len_utf8()));
        } else {
            printed.push(c);
        }
    }
    Cow::Owned(printed)
}
