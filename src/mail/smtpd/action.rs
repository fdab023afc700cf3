//! What a result of an access table or a policy server does: Postfix's `check_table_result`
//! (`src/smtpd/smtpd_check.c`), access(5).

use super::evaluation::{Evaluation, Outcome, Reason, Status, Stop, Subject, is_digits};
use super::list::words_of;
use crate::instance::builtin::Version;
use crate::mail::dsn;
use crate::source::Text;

/// Tables that name restrictions which ask tables may do so this deep.
const MOST_RECURSION: usize = 100;

/// What a result of an access table comes to, for a reader who needs no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// `DUNNO`, and all actions that only add something.
    Nothing,
    /// `OK`, `RELAY`, or digits alone.
    Permit,
    /// A refusal, be it for good or for now.
    Refuse,
    /// A refusal for now, unless something refuses for good.
    RefuseAtTheEnd,
    /// The message is accepted and thrown away.
    Discard,
    /// A list of restrictions, which is evaluated in place.
    Restrictions(String),
}

/// Reads a result, as Postfix 3.0 and later do.
pub fn action(value: &str) -> Action {
    match Command::of(value, true) {
        Command::Dunno
        | Command::Filter(_)
        | Command::Hold
        | Command::Redirect(_)
        | Command::Bcc(_)
        | Command::DeferIfReject(_) => Action::Nothing,
        Command::Reject(_)
        | Command::Defer(_)
        | Command::Hangup
        | Command::Code(..)
        | Command::Table => Action::Refuse,
        Command::DeferIfPermit(_) => Action::RefuseAtTheEnd,
        Command::Discard => Action::Discard,
        Command::Ok => Action::Permit,
        Command::Restrictions => Action::Restrictions(value.to_owned()),
    }
}

/// A result, read (`check_table_result`), with the text behind the command.
enum Command<'v> {
    /// `DUNNO`, and what only logs or adds a header.
    Dunno,
    Reject(&'v str),
    Defer(&'v str),
    Hangup,
    Filter(&'v str),
    Hold,
    Discard,
    Redirect(&'v str),
    Bcc(&'v str),
    DeferIfPermit(&'v str),
    DeferIfReject(&'v str),
    /// `OK`, `RELAY`, or digits alone.
    Ok,
    /// Three digits, and a text.
    Code(&'v str, &'v str),
    /// Something with a colon: smtpd does not open tables that a table names.
    Table,
    /// Restrictions, which are evaluated in place.
    Restrictions,
}

impl<'v> Command<'v> {
    /// Reads a result; `is_3_0` is whether this is Postfix 3.0 or later.
    fn of(value: &'v str, is_3_0: bool) -> Self {
        let end = value.find([' ', '\t']).unwrap_or(value.len());
        let (command, rest) = value.split_at(end);
        let rest = rest.trim_start();
        match command.to_ascii_uppercase().as_str() {
            "DUNNO" | "WARN" | "PREPEND" => Self::Dunno,
            "INFO" if is_3_0 => Self::Dunno,
            "REJECT" => Self::Reject(rest),
            "DEFER" => Self::Defer(rest),
            "HANGUP" => Self::Hangup,
            "FILTER" => Self::Filter(rest),
            "HOLD" => Self::Hold,
            "DISCARD" => Self::Discard,
            "REDIRECT" => Self::Redirect(rest),
            "BCC" if is_3_0 => Self::Bcc(rest),
            "DEFER_IF_PERMIT" => Self::DeferIfPermit(rest),
            "DEFER_IF_REJECT" => Self::DeferIfReject(rest),
            _ if is_digits(value) => Self::Ok,
            _ if command.len() == 3
                && !rest.is_empty()
                && is_digits(command)
                && command.starts_with(['4', '5']) =>
            {
                Self::Code(command, rest)
            }
            "OK" | "RELAY" => Self::Ok,
            _ if value.contains(':') => Self::Table,
            _ => Self::Restrictions,
        }
    }
}

impl Evaluation<'_, '_> {
    /// Does what a result says.
    pub(super) fn result(&mut self, value: &Text, subject: Subject<'_>) -> Outcome {
        let settings = &self.smtpd.read.settings;
        let is_3_0 = settings.version >= Version::release(3, 0, 0);
        match Command::of(value.as_str(), is_3_0) {
            Command::Dunno => {}
            Command::Ok => return Ok(Status::Ok),
            Command::Reject(rest) => {
                let code = settings.access_reject_code;
                return self.refuse(code, "5.7.1", rest, subject);
            }
            Command::Defer(rest) => {
                let code = settings.access_defer_code;
                return self.refuse(code, "4.7.1", rest, subject);
            }
            Command::Code(code, rest) => {
                let default = if code.starts_with('4') {
                    "4.7.1"
                } else {
                    "5.7.1"
                };
                return self.refuse(code.parse().unwrap_or(0), default, rest, subject);
            }
            Command::Hangup => return Err(Stop::Silence("hangup".to_owned())),
            Command::Discard if self.can_delegate() => {
                self.actions.discard = true;
                return Ok(Status::Ok);
            }
            Command::Filter(rest) if self.can_delegate() && rest.contains(':') => {
                self.actions.filter = Some(rest.to_owned());
            }
            Command::Hold if self.can_delegate() => self.actions.hold = true,
            Command::Redirect(rest) if self.can_delegate() && rest.contains('@') => {
                self.actions.redirect = Some(rest.to_owned());
            }
            Command::Bcc(rest) if self.can_delegate() && rest.contains('@') => {
                self.actions.bcc.push(rest.to_owned());
            }
            // Without a message, or without what they need, they only warn.
            Command::Discard
            | Command::Filter(_)
            | Command::Hold
            | Command::Redirect(_)
            | Command::Bcc(_) => {}
            Command::DeferIfPermit(rest) => {
                let (code, dsn, text) = self.pending(rest, subject);
                return self.defer_if_permit(true, code, &dsn, &text);
            }
            Command::DeferIfReject(rest) => {
                let (code, dsn, text) = self.pending(rest, subject);
                return self.defer_if_reject(code, &dsn, &text);
            }
            Command::Table => return self.server_error(),
            Command::Restrictions if self.depth() > MOST_RECURSION => return self.server_error(),
            Command::Restrictions => {
                let words = words_of(value, settings.version);
                if words.is_empty() {
                    return Ok(Status::Ok);
                }
                return self.list(&words, subject);
            }
        }
        Ok(Status::Dunno)
    }

    /// The reply that a `DEFER_IF_…` holds back.
    fn pending(&self, rest: &str, subject: Subject<'_>) -> (i64, String, String) {
        let code = self.smtpd.read.settings.access_defer_code;
        let (dsn, text) = worded(rest, "4.7.1", "Service unavailable", subject);
        (code, dsn, text)
    }

    /// Refuses with the text of a result, which may begin with a status code.
    fn refuse(&mut self, code: i64, default: &str, rest: &str, subject: Subject<'_>) -> Outcome {
        let (dsn, text) = worded(rest, default, "Access denied", subject);
        self.reject(Reason::Policy, code, &dsn, &text)
    }

    /// Whether cleanup(8) can be told what to do with the message (`can_delegate_action`): there is one, and
    /// it does not go through a filter first.
    fn can_delegate(&self) -> bool {
        self.smtpd.read.settings.proxy_filter.is_empty() && self.sender.is_some()
    }
}

/// The status code and the text of a reply that a result words; `text` is what it says by default.
fn worded(rest: &str, status_code: &str, text: &str, subject: Subject<'_>) -> (String, String) {
    let (dsn, own) = status(rest, status_code, subject.class);
    let text = if own.is_empty() { text } else { own };
    let text = format!("<{}>: {} rejected: {text}", subject.name, subject.class);
    (dsn, text)
}

/// The status code of a text, else the default, made fit for what is refused (`src/global/dsn_util.c`,
/// `src/smtpd/smtpd_dsn_fix.c`); and the rest of the text.
pub(super) fn status<'t>(text: &'t str, default: &str, class: &str) -> (String, &'t str) {
    let (dsn, rest) = dsn::split(text).unwrap_or((default, text));
    let Some(detail) = dsn.get(1..).and_then(|dsn| dsn.strip_prefix(".1.")) else {
        return (dsn.to_owned(), rest);
    };
    let fixed = match (class, detail) {
        ("Sender address", "1" | "3" | "4" | "6" | "7") => "4.1.7",
        ("Sender address", "2" | "8") => "4.1.8",
        ("Sender address", _) => "4.1.0",
        ("Recipient address", "1" | "2" | "3" | "4" | "5" | "6") => dsn,
        ("Recipient address", "7") => "4.1.3",
        ("Recipient address", "8") => "4.1.2",
        ("Recipient address", _) => "4.1.0",
        _ => "4.0.0",
    };
    (fixed.to_owned(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_as_smtpd_reads_them() {
        assert_eq!(action("550"), Action::Permit);
        assert_eq!(action("0123456789"), Action::Permit);
        assert_eq!(action("550 no"), Action::Refuse);
        assert_eq!(action("250 ok"), Action::Restrictions("250 ok".to_owned()));
        assert_eq!(action("ok whatever"), Action::Permit);
        assert_eq!(action("Reject 5.1.1 gone"), Action::Refuse);
        assert_eq!(action("defer_if_permit later"), Action::RefuseAtTheEnd);
        assert_eq!(action("hash:/x"), Action::Refuse);
        assert_eq!(action("FILTER smtp:[x]"), Action::Nothing);
    }
}
