//! An SMTP transaction from the greeting to the reply to RCPT TO: which lists are asked when
//! (`src/smtpd/smtpd.c`, `src/smtpd/smtpd_check.c`).

use std::cell::OnceCell;
use std::rc::Rc;

use super::Conduct;
use super::checks::{CLIENT, DATA, END_OF_DATA, HELO, RECIPIENT, SENDER};
use super::evaluation::{Evaluation, Outcome, Resolved, Stop, Subject};
use super::settings::Tls;
use crate::instance::table::{ErrorClass, Only};
use crate::mail::reply::{Reply, Stage};
use crate::mail::resolve::{Resolution, State};
use crate::mail::smtp_address::{Given, Verb};
use crate::mail::world::{Doubt, Known};

/// The addresses of a transaction in internal form, as soon as smtpd has taken them.
#[derive(Default)]
pub(super) struct Names {
    pub(super) sender: OnceCell<String>,
    pub(super) recipient: OnceCell<String>,
}

impl<'e> Evaluation<'e, '_> {
    /// The session up to the reply to RCPT: the recipient that is accepted, or why it is not.
    pub(super) fn transaction(&mut self, given: &str, names: &'e Names) -> Result<&'e str, Stop> {
        let smtpd = self.smtpd;
        let settings = &smtpd.read.settings;
        self.stage = Stage::Banner;
        if !settings.delays {
            // Nobody has said HELO yet.
            let helo = self.helo.take();
            self.client_list()?;
            self.helo = helo;
        }
        self.others(Stage::Banner)?;
        self.stage = Stage::Ehlo;
        if !settings.delays {
            self.helo_list()?;
        }
        self.stage = Stage::Mail;
        if settings.tls == Tls::Encrypt && !self.tls() {
            return self.reply(530, "5.7.0", "Must issue a STARTTLS command first");
        }
        if settings.helo_required && self.helo.is_none() {
            return self.reply(503, "5.5.1", "Error: send HELO/EHLO first");
        }
        let sender = self.take(Verb::Mail, &self.session.sender, false)?;
        let declares_utf8 = sender.smtputf8;
        let undeclared = smtpd.read.syntax.undeclared(&sender);
        let sender = smtpd.probe(&sender.address).unwrap_or(sender.address);
        let sender = names.sender.get_or_init(|| sender).as_str();
        if !settings.delays {
            self.sender_list(sender)?;
        }
        self.others(Stage::Mail)?;
        self.rewrite_context()?;
        if let Some(reply) = undeclared {
            return Err(self.soft(reply));
        }
        self.sender = Some(sender);

        self.stage = Stage::Rcpt;
        let recipient = self.take(Verb::Rcpt, given, declares_utf8)?;
        if let Some(reply) = smtpd.read.syntax.undeclared(&recipient) {
            return Err(self.soft(reply));
        }
        let probe = smtpd.probe(&recipient.address);
        let is_probe = probe.is_some();
        let recipient = probe.unwrap_or(recipient.address);
        let recipient = names.recipient.get_or_init(|| recipient).as_str();
        if recipient.eq_ignore_ascii_case("postmaster") || is_probe {
            (self.world).explain(None, || {
                format!("{recipient} is accepted without any check")
            });
        } else {
            self.recipient_lists(recipient)?;
        }
        self.others(Stage::Rcpt)?;
        Ok(recipient)
    }

    /// Takes the address of a command.
    fn take(&mut self, verb: Verb, text: &str, smtputf8: bool) -> Result<Given, Stop> {
        let smtpd = self.smtpd;
        let instance = smtpd.service.instance;
        let other = self.sender.unwrap_or_default();
        let given = (smtpd.read.syntax)
            .take(
                instance,
                &smtpd.read.rewriting,
                verb,
                text,
                other,
                smtputf8,
                self.world,
            )
            .map_err(|reply| self.soft(reply))?;
        match given
            .resolution
            .as_ref()
            .map(|resolution| &resolution.state)
        {
            Some(State::Hangs(why)) => Err(Stop::Silence(why.clone())),
            _ => Ok(given),
        }
    }

    /// The lists for a recipient (`smtpd_check_rcpt`).
    fn recipient_lists(&mut self, recipient: &'e str) -> Result<(), Stop> {
        let smtpd = self.smtpd;
        let settings = &smtpd.read.settings;
        self.recipient = Some(recipient);
        self.recipient_checked = false;
        if settings.delays {
            self.client_list()?;
            self.helo_list()?;
            self.sender_list(self.sender.unwrap_or_default())?;
        }
        self.begin();
        let subject = Subject {
            name: recipient,
            class: RECIPIENT,
            default: Some("check_recipient_access"),
        };
        let lists = if settings.relay_first {
            [&smtpd.read.relay, &smtpd.read.recipient]
        } else {
            [&smtpd.read.recipient, &smtpd.read.relay]
        };
        for list in lists {
            self.list(list, subject)?;
        }
        self.end_permission()?;
        if settings.rejects_unlisted_recipient && !self.actions.discard {
            self.unlisted_recipient(recipient)?;
        }
        Ok(())
    }

    /// The reply that refuses the message at DATA or at its end (`smtpd_check_data`, `smtpd_check_eod`), when the
    /// recipient is its only one.
    pub(super) fn message(&mut self, recipient: &'e str) -> Option<Reply> {
        let smtpd = self.smtpd;
        let stage = std::mem::replace(&mut self.stage, Stage::Data);
        self.recipient = Some(recipient);
        let mut refused = None;
        for (words, name, class) in [
            (&smtpd.read.data, "DATA", DATA),
            (&smtpd.read.end_of_data, "END-OF-MESSAGE", END_OF_DATA),
        ] {
            let subject = Subject {
                name,
                class,
                default: None,
            };
            self.defer_if_permit = None;
            self.begin();
            let outcome = self.list(words, subject);
            match outcome.and_then(|_| self.end_permission()) {
                Ok(_) => {}
                Err(Stop::Reply(reply)) => refused = Some(reply),
                Err(Stop::Silence(why)) => refused = Some(Reply::new(451, "4.3.0", why)),
                // It was noted what decides.
                Err(Stop::Unknown) => {}
            }
            if refused.is_some() {
                break;
            }
        }
        self.stage = stage;
        refused
    }

    fn client_list(&mut self) -> Outcome {
        self.defer_if_permit = None;
        self.begin();
        let label = self.client_label.clone();
        let subject = Subject {
            name: &label,
            class: CLIENT,
            default: Some("check_client_access"),
        };
        let smtpd = self.smtpd;
        self.list(&smtpd.read.client, subject)
    }

    fn helo_list(&mut self) -> Result<(), Stop> {
        if let Some(helo) = self.helo {
            self.begin();
            let subject = Subject {
                name: helo,
                class: HELO,
                default: Some("check_helo_access"),
            };
            let smtpd = self.smtpd;
            self.list(&smtpd.read.helo, subject)?;
        }
        Ok(())
    }

    /// `smtpd_check_mail`.
    fn sender_list(&mut self, sender: &'e str) -> Result<(), Stop> {
        let smtpd = self.smtpd;
        self.sender = Some(sender);
        self.sender_checked = false;
        self.begin();
        let subject = Subject {
            name: sender,
            class: SENDER,
            default: Some("check_sender_access"),
        };
        self.list(&smtpd.read.sender, subject)?;
        if smtpd.read.settings.rejects_unlisted_sender
            && !self.actions.discard
            && !sender.is_empty()
        {
            self.unlisted_sender(sender)?;
        }
        Ok(())
    }

    /// An address of the given class, resolved and in lower case; `None` when a lookup fails on the way.
    pub(super) fn resolve(
        &mut self,
        address: &str,
        class: &'static str,
    ) -> Result<Option<Rc<Resolution>>, Stop> {
        // The transport of a sender is asked for as if the recipient were writing to it.
        let from = if class == SENDER {
            self.recipient
        } else {
            self.sender
        };
        let from = from.unwrap_or_default();
        let known =
            (self.resolved.iter()).find(|known| known.address == address && known.from == from);
        let resolution = match known {
            Some(known) => Rc::clone(&known.resolution),
            None => {
                let resolution = Rc::new(self.smtpd.resolved(from, address, self.world));
                self.resolved.push(Resolved {
                    address: address.to_owned(),
                    from: from.to_owned(),
                    resolution: Rc::clone(&resolution),
                });
                resolution
            }
        };
        match &resolution.state {
            State::Hangs(why) => Err(Stop::Silence(why.clone())),
            State::Fails(error) => {
                (self.world).explain(None, || {
                    format!("{address} cannot be resolved: {}", error.message)
                });
                Ok(None)
            }
            _ => Ok(Some(resolution)),
        }
    }

    /// `smtpd_check_rewrite`: only errors count here.
    fn rewrite_context(&mut self) -> Result<(), Stop> {
        let smtpd = self.smtpd;
        let mut words = smtpd.read.rewrite_clients.iter();
        while let Some(word) = words.next() {
            let (name, table) = match word.as_str() {
                text if text.contains(':') => ("check_address_map", Some(word)),
                text if text.eq_ignore_ascii_case("check_address_map") => {
                    ("check_address_map", words.next())
                }
                text => (text, None),
            };
            let is_ours = if name == "check_address_map" {
                let Some(maps) = table.and_then(|table| smtpd.read.lists.table(table.as_str()))
                else {
                    return Ok(());
                };
                let key = self.client.clone();
                let found = maps.find(key.as_bytes(), Only::All);
                match self.world.judge(smtpd.service.instance, &key, found) {
                    Known::Nothing => false,
                    Known::Hit(_) | Known::Something(_) => true,
                    Known::Fails(error) => return self.failure_at_mail(error.class),
                }
            } else if name.eq_ignore_ascii_case("permit_mynetworks") {
                match self.is_in_mynetworks() {
                    Some(is_in) => is_in,
                    None => return self.failure_at_mail(ErrorClass::Retry),
                }
            } else if name.eq_ignore_ascii_case("permit_inet_interfaces") {
                smtpd.read.own.is_interface(self.session.client)
            } else {
                name.eq_ignore_ascii_case("permit_sasl_authenticated") && self.login().is_some()
            };
            if is_ours {
                return Ok(());
            }
        }
        Ok(())
    }

    fn failure_at_mail(&mut self, class: ErrorClass) -> Result<(), Stop> {
        match class {
            ErrorClass::Retry => self.reply(451, "4.3.0", "Temporary lookup error"),
            ErrorClass::Config => self.reply(451, "4.3.5", "Server configuration error"),
        }
    }

    /// What other programs say at a stage.
    fn others(&mut self, stage: Stage) -> Result<(), Stop> {
        let smtpd = self.smtpd;
        for other in smtpd
            .read
            .others
            .iter()
            .filter(|other| other.stage == stage)
        {
            if other.spares_the_decent && self.conduct == Conduct::Decent {
                continue;
            }
            let doubt = Doubt {
                what: other.what.clone(),
                why: "it may refuse mail".to_owned(),
                key: String::new(),
                is_keyed: false,
            };
            if self.world.choose(doubt, 2) == 1 {
                return Err(Stop::Unknown);
            }
        }
        Ok(())
    }

    fn soft(&self, reply: Reply) -> Stop {
        Stop::Reply(self.smtpd.read.settings.softened(reply))
    }

    /// A reply that no list gives.
    fn reply<T>(&self, code: u16, dsn: &str, text: &str) -> Result<T, Stop> {
        Err(self.soft(Reply::new(code, dsn, text)))
    }
}
