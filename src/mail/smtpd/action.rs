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

/// Reads a result (`check_table_result`).
pub fn action(value: &str) -> Action {
    let (command, text) = value.split_once([' ', '\t']).unwrap_or((value, ""));
    let is_number = !command.is_empty() && command.bytes().all(|byte| byte.is_ascii_digit());
    match command.to_ascii_uppercase().as_str() {
        "DUNNO" | "INFO" | "WARN" | "FILTER" | "HOLD" | "REDIRECT" | "BCC" | "PREPEND"
        | "DEFER_IF_REJECT" => Action::Nothing,
        "REJECT" | "DEFER" | "HANGUP" => Action::Refuse,
        "DEFER_IF_PERMIT" => Action::RefuseAtTheEnd,
        "DISCARD" => Action::Discard,
        _ if is_number && text.is_empty() => Action::Permit,
        _ if is_number && command.len() == 3 && command.starts_with(['4', '5']) => Action::Refuse,
        "OK" | "RELAY" => Action::Permit,
        // smtpd refuses to open tables that a table names.
        _ if value.contains(':') => Action::Refuse,
        _ => Action::Restrictions(value.to_owned()),
    }
}

impl Evaluation<'_, '_> {
    /// Does what a result says.
    pub(super) fn result(&mut self, value: &Text, subject: Subject<'_>) -> Outcome {
        let text = value.as_str();
        let end = text.find([' ', '\t']).unwrap_or(text.len());
        let (command, rest) = text.split_at(end);
        let rest = rest.trim_start();
        let settings = &self.smtpd.settings;
        let is_3_0 = settings.version >= Version::release(3, 0, 0);
        match command.to_ascii_uppercase().as_str() {
            "DUNNO" | "WARN" => return Ok(Status::Dunno),
            "INFO" if is_3_0 => return Ok(Status::Dunno),
            "REJECT" => {
                let code = settings.access_reject_code;
                return self.refuse(code, "5.7.1", rest, subject);
            }
            "DEFER" => {
                let code = settings.access_defer_code;
                return self.refuse(code, "4.7.1", rest, subject);
            }
            "HANGUP" => return Err(Stop::Silence("hangup".to_owned())),
            "FILTER" => {
                if self.can_delegate() && rest.contains(':') {
                    self.actions.filter = Some(rest.to_owned());
                }
                return Ok(Status::Dunno);
            }
            "HOLD" => {
                self.actions.hold |= self.can_delegate();
                return Ok(Status::Dunno);
            }
            "DISCARD" => {
                if !self.can_delegate() {
                    return Ok(Status::Dunno);
                }
                self.actions.discard = true;
                return Ok(Status::Ok);
            }
            "REDIRECT" => {
                if self.can_delegate() && rest.contains('@') {
                    self.actions.redirect = Some(rest.to_owned());
                }
                return Ok(Status::Dunno);
            }
            "BCC" if is_3_0 => {
                if self.can_delegate() && rest.contains('@') {
                    self.actions.bcc.push(rest.to_owned());
                }
                return Ok(Status::Dunno);
            }
            "DEFER_IF_PERMIT" | "DEFER_IF_REJECT" => {
                let code = settings.access_defer_code;
                let (dsn, text) = status(rest, "4.7.1", subject.class);
                let text = if text.is_empty() {
                    "Service unavailable"
                } else {
                    text
                };
                let text = format!("<{}>: {} rejected: {text}", subject.name, subject.class);
                return if command.len() == "DEFER_IF_REJECT".len()
                    && command.to_ascii_uppercase().ends_with("REJECT")
                {
                    self.defer_if_reject(code, &dsn, &text)
                } else {
                    self.defer_if_permit(true, code, &dsn, &text)
                };
            }
            // It adds a header, or warns that it cannot.
            "PREPEND" => return Ok(Status::Dunno),
            _ => {}
        }
        if is_digits(text) {
            return Ok(Status::Ok);
        }
        if command.len() == 3
            && !rest.is_empty()
            && is_digits(command)
            && command.starts_with(['4', '5'])
        {
            let code = command.parse().unwrap_or(0);
            let default = if command.starts_with('4') {
                "4.7.1"
            } else {
                "5.7.1"
            };
            return self.refuse(code, default, rest, subject);
        }
        if ["OK", "RELAY"]
            .iter()
            .any(|ok| command.eq_ignore_ascii_case(ok))
        {
            return Ok(Status::Ok);
        }
        // smtpd does not open tables that a table names.
        if text.contains(':') || self.depth() > MOST_RECURSION {
            return self.server_error();
        }
        let words = words_of(value, settings.version);
        if words.is_empty() {
            return Ok(Status::Ok);
        }
        self.list(&words, subject)
    }

    /// Refuses with the text of a result, which may begin with a status code.
    fn refuse(&mut self, code: i64, default: &str, rest: &str, subject: Subject<'_>) -> Outcome {
        let (dsn, text) = status(rest, default, subject.class);
        let text = if text.is_empty() {
            "Access denied"
        } else {
            text
        };
        let text = format!("<{}>: {} rejected: {text}", subject.name, subject.class);
        self.reject(Reason::Policy, code, &dsn, &text)
    }

    /// Whether cleanup(8) can be told what to do with the message (`can_delegate_action`): there is one, and
    /// it does not go through a filter first.
    fn can_delegate(&self) -> bool {
        self.smtpd.settings.proxy_filter.is_empty() && self.sender.is_some()
    }
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
