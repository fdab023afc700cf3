//! What Postfix makes of a comment in a value: that depends on what the value is.

use super::super::comment;
use super::super::readings::{InForce, Reading};
use super::super::revival;
use crate::finding::{Safety, Severity};
use crate::instance::builtin::{Kind, Version};
use crate::instance::parameter::{Scope, parse_seconds};
use crate::instance::restriction::{Restriction, restriction_list};
use crate::instance::text_value::{Usage, text_value};
use crate::instance::value_fault::Facts;
use crate::source::Text;

/// What Postfix makes of a comment.
#[derive(Clone)]
pub(super) struct Verdict<'i> {
    /// How bad that is.
    pub(super) severity: Severity,
    /// The programs that stop.
    pub(super) stops: Option<Reading<'i>>,
    /// What Postfix does, or why the programs stop.
    pub(super) what: String,
    /// What taking the comment away means.
    pub(super) safety: Safety,
}

impl Verdict<'_> {
    /// What Postfix does, for a message.
    pub(super) fn message(&self) -> String {
        let what = &self.what;
        match &self.stops {
            Some(reading) => format!("{}, because {what}", reading.stopping()),
            None => what.clone(),
        }
    }
}

/// A comment in a value, and who reads it.
pub(super) struct Case<'c, 'i> {
    /// The setting.
    pub(super) in_force: &'c InForce<'i>,
    /// Who reads it.
    pub(super) reading: &'c Reading<'i>,
    /// Its value there.
    pub(super) value: &'c Text,
    /// The word of it that begins with `#`.
    pub(super) comment: &'c Text,
}

impl<'i> Case<'_, 'i> {
    fn scope(&self) -> Scope<'i> {
        self.reading.scope
    }

    /// These programs stop.
    fn stop(&self, reading: Reading<'i>, why: String) -> Verdict<'i> {
        Verdict { stops: Some(reading), ..self.fails(why) }
    }

    /// The programs that read the value stop.
    fn stops(&self, why: impl Into<String>) -> Verdict<'i> {
        self.stop(self.reading.clone(), why.into())
    }

    /// Something that works again once the comment is gone.
    fn fails(&self, what: impl Into<String>) -> Verdict<'i> {
        Verdict {
            severity: Severity::Error,
            stops: None,
            what: what.into(),
            safety: revival::safety(self.scope().instance, self.in_force.name),
        }
    }

    /// It works, though not as it is meant.
    fn warns(&self, what: impl Into<String>) -> Verdict<'i> {
        Verdict {
            severity: Severity::Warning,
            stops: None,
            what: what.into(),
            safety: Safety::Unsafe,
        }
    }

    /// What becomes of it; `None` where it is no mistake.
    pub(super) fn judge(&self) -> Option<Verdict<'i>> {
        let name = self.in_force.name;
        let Facts { kind, unit, .. } = self.in_force.facts;
        let is_no = |thing: &str| self.stops(format!("{name} is no {thing} with the comment"));
        match kind {
            Kind::Bool | Kind::Nbool => Some(is_no("switch")),
            Kind::Int | Kind::Nint | Kind::Long => Some(is_no("number")),
            Kind::Time if parse_seconds(self.value.as_str(), unit).is_some() => Some(Verdict {
                severity: Severity::Note,
                safety: Safety::Safe,
                ..self.warns("Postfix ignores what follows the letter of the unit")
            }),
            Kind::Time => Some(is_no("time")),
            Kind::Str | Kind::Raw => self.judge_text(name),
        }
    }

    fn judge_text(&self, name: &str) -> Option<Verdict<'i>> {
        let is_part = "the comment is taken for part of the name";
        Some(match (name, text_value(name).usage) {
            (_, Usage::Command) => return None,
            ("compatibility_level", _) => self.stops("it is no level with the comment"),
            ("inet_interfaces", _) => self.stops("no host is called #"),
            ("proxy_interfaces", _) => {
                self.fails("programs that look at it stop, because no host is called #")
            }
            ("smtpd_restriction_classes", _) => {
                let smtpd = self.reading.only(|program| program == "smtpd");
                self.stop(smtpd, "there is no restriction class #".to_owned())
            }
            ("alias_database", _) => self.warns("newaliases fails, because # is no table"),
            ("recipient_delimiter", _) => {
                self.warns("each character of the comment separates user names from extensions")
            }
            (_, Usage::List) => self.judge_list(name),
            (_, Usage::Tables | Usage::Table) => self.judge_tables(name),
            (_, Usage::Restrictions) => self.judge_restrictions(name),
            (_, Usage::Milters) => self.fails("all mail is put off, because # is no mail filter"),
            (_, Usage::Words | Usage::Choice | Usage::Exact) => {
                self.stop(self.reading.at_use(name), format!("{name} does not know the comment"))
            }
            (_, Usage::Transport) => {
                self.fails("mail for this transport is put off, because there is none of this name")
            }
            (_, Usage::NextHop) => self.judge_next_hop(name),
            (_, Usage::Host | Usage::Accounts) => self.stops(is_part),
            (_, Usage::Service) => self.fails(format!("nothing finds the service, because {is_part}")),
            (_, Usage::Mailbox) => Verdict {
                safety: Safety::Unsafe,
                ..self.fails("mail goes to a file of this name, or bounces for want of a directory")
            },
            (_, Usage::File) if name.contains("_tls_") => {
                self.warns("TLS does not work, because there is no file of this name")
            }
            (_, Usage::File) => {
                let why = "there is no file or directory of this name".to_owned();
                self.stop(self.reading.at_use(name), why)
            }
            (_, Usage::Address) => self.warns("the comment is taken for part of the address"),
            (_, Usage::Items) if name.ends_with("_protocols") => {
                self.warns("TLS does not work, because no protocol is called #")
            }
            (_, Usage::Items) => {
                self.warns(format!("each word of the comment counts as a word of {name}"))
            }
            // What people read may have a # in it.
            (_, Usage::Text) if *self.comment != "#" || is_prose(name) => {
                return self.is_warned_about().then(|| Verdict {
                    severity: Severity::Note,
                    ..self.warns("postconf warns about the comment, which is part of the text")
                });
            }
            (_, Usage::Text) => self.warns(format!("the comment is part of {name}")),
        })
    }

    /// `src/postconf/postconf_dbms.c` since Postfix 3.8.
    fn is_warned_about(&self) -> bool {
        self.in_force.facts.kind != Kind::Raw
            && self.scope().instance.version() >= Version::release(3, 8, 0)
    }

    /// `src/util/match_list.c`: the list ends at the `#`.
    fn judge_list(&self, name: &str) -> Verdict<'i> {
        let Some(place) = self.comment.span() else { return self.warns("the list ends there") };
        let source = self.scope().instance.sources().get(place.file);
        let (above, below) = comment::around(self.value, self.comment, &source);
        if let Some(lost) = below.first() {
            return Verdict {
                severity: Severity::Error,
                ..self.warns(format!("{name} ends there, and {lost} is not in it"))
            };
        }
        let empty = if above.is_empty() { ", and is empty" } else { "" };
        Verdict {
            safety: Safety::Safe,
            ..self.warns(format!("{name} ends there{empty}, and each program says so in the log"))
        }
    }

    /// `src/global/maps.c`: each word has to be `type:name`.
    fn judge_tables(&self, name: &str) -> Verdict<'i> {
        let local = self.scope().parameter("local_recipient_maps");
        let opens = self.reading.only(|program| match (program, name) {
            // It only looks what is there.
            ("proxymap", _) => false,
            // A list of domains by default, which ends at the comment.
            ("trivial-rewrite", "virtual_alias_maps" | "virtual_mailbox_maps") => false,
            ("smtpd", "alias_maps") => local.raw().as_str().contains("alias_maps"),
            _ => true,
        });
        let verdict = if self.comment.as_str().contains(':') {
            self.fails("lookups fail, because there is no such type of table")
        } else if self.reading.is_everything {
            self.fails("programs that look there stop, because # is no table")
        } else if opens.programs.is_empty() {
            self.warns("programs that look there would stop, because # is no table")
        } else {
            self.stop(opens, "# is no table".to_owned())
        };
        // Without the comment nothing is left: perhaps a list of recipients that lets everybody in.
        let is_first = self.value.as_str().starts_with('#');
        let safety = if is_first { Safety::Unsafe } else { verdict.safety };
        Verdict { safety, ..verdict }
    }

    fn judge_restrictions(&self, name: &str) -> Verdict<'i> {
        let verdict = self.fails(NO_RESTRICTION);
        let Some(name) = RESTRICTION_LISTS.into_iter().find(|list| *list == name) else {
            return verdict;
        };
        let list = restriction_list(self.scope(), name);
        let is_it = |restriction: &Restriction| restriction.word.span() == self.comment.span();
        let is_reached = [true, false].into_iter().any(|ours| {
            list.walk(ours).reached.iter().any(|(restriction, _)| is_it(restriction))
        });
        let is_argument = !list.flat().into_iter().any(is_it);
        if is_reached || is_argument {
            verdict
        } else {
            self.warns("smtpd never gets there today; it would answer 451, because # is no restriction")
        }
    }

    /// `src/smtp/smtp_connect.c`: several servers since Postfix 3.5.
    fn judge_next_hop(&self, name: &str) -> Verdict<'i> {
        let has_lists = self.scope().instance.version() >= Version::release(3, 5, 0);
        if has_lists && name != "smtpd_proxy_filter" && !self.value.as_str().starts_with('#') {
            self.warns("the words of the comment are servers, which are tried when the first one fails")
        } else {
            self.fails("mail is put off, because there is no server of this name")
        }
    }
}

/// What smtpd(8) does about a `#` in a restriction list.
pub(super) const NO_RESTRICTION: &str =
    "smtpd answers 451 to every client for whom it gets there, because # is no restriction";

/// The lists that clients are judged by.
const RESTRICTION_LISTS: [&str; 8] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
    "smtpd_data_restrictions",
    "smtpd_end_of_data_restrictions",
    "smtpd_etrn_restrictions",
];


/// Whether a text is shown to people as it is.
fn is_prose(name: &str) -> bool {
    ["_banner", "_reply", "_footer", "_reason", "_filter", "_header"].iter().any(|end| name.ends_with(end))
}
