//! The restrictions, one by one (`src/smtpd/smtpd_check.c`, postconf(5)).

use super::evaluation::{Evaluation, Outcome, Reason, Status, Stop, Subject};
use super::list::Word;
use crate::instance::hostname;
use crate::instance::network_list::Trust;
use crate::mail::domains::domain_literal;
use crate::mail::reply::Stage;
use crate::mail::search::{Forms, Found};
use crate::mail::world::Doubt;

pub(super) const CLIENT: &str = "Client host";
pub(super) const REVERSE_CLIENT: &str = "Unverified Client host";
pub(super) const HELO: &str = "Helo command";
pub(super) const SENDER: &str = "Sender address";
pub(super) const RECIPIENT: &str = "Recipient address";
pub(super) const DATA: &str = "Data command";
pub(super) const END_OF_DATA: &str = "End-of-data";
const SASL_USER: &str = "SASL login name";

/// Which senders a login does not fit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unowned {
    Refused,
    Allowed,
}

impl<'e> Evaluation<'e, '_> {
    /// One restriction: `name` is its newer name, `argument` the word that it takes.
    #[expect(clippy::too_many_lines, reason = "one arm for each restriction")]
    pub(super) fn check(
        &mut self,
        name: &'static str,
        word: &Word,
        argument: Option<&Word>,
        subject: Subject<'_>,
    ) -> Outcome {
        let settings = &self.smtpd.read.settings;
        let Subject {
            name: who, class, ..
        } = subject;
        let argument = argument.map(Word::as_str).unwrap_or_default();
        let sender = self.sender.filter(|sender| !sender.is_empty());
        let recipient = self.recipient;
        match name {
            "permit" => Ok(Status::Ok),
            "defer" => {
                let text = format!("<{who}>: {class} rejected: Try again later");
                self.reject(Reason::Policy, settings.defer_code, "4.3.2", &text)
            }
            "reject" => {
                let text = format!("<{who}>: {class} rejected: Access denied");
                self.reject(Reason::Policy, settings.reject_code, "5.7.1", &text)
            }
            "defer_if_permit" => {
                let text = format!("<{who}>: {class} rejected: defer_if_permit requested");
                self.defer_if_permit(true, 450, "4.7.0", &text)
            }
            "defer_if_reject" => {
                let text = format!("<{who}>: {class} rejected: defer_if_reject requested");
                self.defer_if_reject(450, "4.7.0", &text)
            }
            "check_policy_service" => self.policy(argument),
            "reject_plaintext_session" if self.tls() => Ok(Status::Dunno),
            "reject_plaintext_session" => {
                let text = "Session encryption is required";
                self.reject(Reason::Policy, settings.plaintext_code, "4.7.1", text)
            }
            "permit_inet_interfaces" => Ok(permit(
                self.smtpd.read.own.is_interface(self.session.client),
            )),
            "permit_mynetworks" => self.mynetworks(who),
            "permit_sasl_authenticated" => Ok(permit(self.login().is_some())),
            "reject_unknown_client_hostname" if self.client_name == "unknown" => {
                let is_rfc7372 =
                    settings.version >= crate::instance::builtin::Version::release(3, 0, 0);
                let dsn = if is_rfc7372 { "4.7.25" } else { "4.7.1" };
                let text = format!(
                    "Client host rejected: cannot find your hostname, [{}]",
                    self.client
                );
                self.reject(Reason::Policy, settings.unknown_client_code, dsn, &text)
            }
            "reject_unknown_reverse_client_hostname" if self.reverse_name == "unknown" => {
                let text = format!(
                    "Client host rejected: cannot find your reverse hostname, [{}]",
                    self.client
                );
                self.reject(Reason::Policy, settings.unknown_client_code, "4.7.1", &text)
            }
            "check_client_access" => {
                let label = self.client_label.clone();
                let subject = Subject {
                    name: &label,
                    class: CLIENT,
                    ..subject
                };
                self.client_access(argument, self.client_name, subject)
            }
            "check_reverse_client_hostname_access" => {
                let name = self.reverse_name;
                let subject = Subject {
                    name,
                    class: REVERSE_CLIENT,
                    ..subject
                };
                let status = self.client_access(argument, name, subject)?;
                self.no_permission(status)
            }
            "reject_rbl_client" => {
                let client = self.client.clone();
                self.block_list(argument, &client, CLIENT)
            }
            "reject_maps_rbl" => {
                let client = self.client.clone();
                for domain in &self.smtpd.read.settings.maps_rbl_domains {
                    self.block_list(domain, &client, CLIENT)?;
                }
                Ok(Status::Dunno)
            }
            "reject_rhsbl_client" if self.client_name != "unknown" => {
                self.name_list(argument, self.client_name, CLIENT)
            }
            "reject_rhsbl_reverse_client" if self.reverse_name != "unknown" => {
                self.name_list(argument, self.reverse_name, REVERSE_CLIENT)
            }
            "reject_rhsbl_helo" => match self.helo {
                Some(helo) => self.name_list(argument, helo, HELO),
                None => Ok(Status::Dunno),
            },
            "reject_rhsbl_sender" => match sender {
                Some(sender) => self.name_list(argument, sender, SENDER),
                None => Ok(Status::Dunno),
            },
            "reject_rhsbl_recipient" => match recipient {
                Some(recipient) => self.name_list(argument, recipient, RECIPIENT),
                None => Ok(Status::Dunno),
            },
            "permit_dnswl_client" => {
                let client = self.client.clone();
                self.allow_list(argument, &client)
            }
            "permit_rhswl_client" if self.client_name != "unknown" => {
                self.allow_list(argument, self.client_name)
            }
            "check_sasl_access" => match self.login() {
                Some(user) => {
                    let subject = Subject {
                        name: user,
                        class: SASL_USER,
                        ..subject
                    };
                    self.key_access(argument, user, subject)
                }
                None => Ok(Status::Dunno),
            },
            "check_client_a_access" | "check_client_mx_access" | "check_client_ns_access" => {
                let label = self.client_label.clone();
                let asked = (self.client_name != "unknown").then_some(self.client_name);
                let subject = Subject {
                    name: &label,
                    class: CLIENT,
                    ..subject
                };
                self.server_access(name, argument, asked, subject)
            }
            "check_reverse_client_hostname_a_access"
            | "check_reverse_client_hostname_mx_access"
            | "check_reverse_client_hostname_ns_access" => {
                let asked = (self.reverse_name != "unknown").then_some(self.reverse_name);
                let subject = Subject {
                    name: self.reverse_name,
                    class: REVERSE_CLIENT,
                    ..subject
                };
                self.server_access(name, argument, asked, subject)
            }
            "check_helo_a_access" | "check_helo_mx_access" | "check_helo_ns_access" => {
                let subject = Subject {
                    name: self.helo.unwrap_or_default(),
                    class: HELO,
                    ..subject
                };
                self.server_access(name, argument, self.helo, subject)
            }
            "check_sender_a_access" | "check_sender_mx_access" | "check_sender_ns_access" => {
                let subject = Subject {
                    name: sender.unwrap_or_default(),
                    class: SENDER,
                    ..subject
                };
                self.server_access(name, argument, sender, subject)
            }
            "check_recipient_a_access"
            | "check_recipient_mx_access"
            | "check_recipient_ns_access" => {
                let asked = recipient.filter(|recipient| !recipient.is_empty());
                let subject = Subject {
                    name: recipient.unwrap_or_default(),
                    class: RECIPIENT,
                    ..subject
                };
                self.server_access(name, argument, asked, subject)
            }
            "check_helo_access" => match self.helo {
                Some(helo) => {
                    let subject = Subject {
                        name: helo,
                        class: HELO,
                        ..subject
                    };
                    self.domain_access(argument, helo, subject)
                }
                None => Ok(Status::Dunno),
            },
            "reject_invalid_helo_hostname"
            | "reject_non_fqdn_helo_hostname"
            | "reject_unknown_helo_hostname"
            | "permit_naked_ip_address" => match self.helo {
                Some(helo) => self.helo_name(name, helo),
                None => Ok(Status::Dunno),
            },
            "check_sender_access" => match self.sender {
                Some("") => {
                    let subject = Subject {
                        name: "",
                        class: SENDER,
                        ..subject
                    };
                    let key = &self.smtpd.read.settings.null_key;
                    self.key_access(argument, key, subject)
                }
                Some(sender) => {
                    let subject = Subject {
                        name: sender,
                        class: SENDER,
                        ..subject
                    };
                    self.mail_access(argument, sender, subject)
                }
                None => Ok(Status::Dunno),
            },
            "reject_unknown_sender_domain" => match sender {
                Some(sender) => self.unknown_domain(sender, SENDER),
                None => Ok(Status::Dunno),
            },
            "reject_unverified_sender" => match sender {
                Some(sender) => self.unverified(sender, SENDER),
                None => Ok(Status::Dunno),
            },
            "reject_non_fqdn_sender" => match sender {
                Some(sender) => self.non_fqdn(sender, SENDER),
                None => Ok(Status::Dunno),
            },
            "reject_unlisted_sender" => match sender {
                Some(sender) => self.unlisted_sender(sender),
                None => Ok(Status::Dunno),
            },
            "reject_authenticated_sender_login_mismatch"
            | "reject_unauthenticated_sender_login_mismatch"
            | "reject_known_sender_login_mismatch" => match sender {
                Some(sender) if settings.sasl => self.sender_login(name, sender),
                _ => Ok(Status::Dunno),
            },
            // The others are about the recipient: they do nothing before there is one.
            _ => match recipient {
                Some(recipient) => self.recipient_check(name, argument, recipient, word, subject),
                None => Ok(Status::Dunno),
            },
        }
    }

    fn recipient_check(
        &mut self,
        name: &'static str,
        argument: &str,
        recipient: &'e str,
        word: &Word,
        subject: Subject<'_>,
    ) -> Outcome {
        let settings = &self.smtpd.read.settings;
        match name {
            "check_recipient_access" => {
                let subject = Subject {
                    name: recipient,
                    class: RECIPIENT,
                    ..subject
                };
                self.mail_access(argument, recipient, subject)
            }
            "permit_auth_destination" => self.auth_destination(recipient),
            "reject_unauth_destination" | "defer_unauth_destination" => {
                if self.auth_destination(recipient)? == Status::Ok {
                    return Ok(Status::Dunno);
                }
                let text = format!("<{recipient}>: Relay access denied");
                let (code, dsn) = if name == "reject_unauth_destination" {
                    (settings.relay_code, "5.7.1")
                } else {
                    (settings.relay_code.saturating_sub(100), "4.7.1")
                };
                self.reject(Reason::Policy, code, dsn, &text)
            }
            "check_relay_domains" => {
                let scope = self.smtpd.service.scope();
                let list = scope.domain_list("relay_domains");
                let is_friend = list.find(self.client_name).is_listed() == Some(true);
                if is_friend || self.auth_destination(recipient)? == Status::Ok {
                    return Ok(Status::Ok);
                }
                let text = format!("<{recipient}>: {RECIPIENT} rejected: Relay access denied");
                self.reject(Reason::Policy, settings.relay_code, "5.7.1", &text)
            }
            "permit_mx_backup" => self.mx_backup(recipient),
            "reject_unknown_recipient_domain" => self.unknown_domain(recipient, RECIPIENT),
            "reject_non_fqdn_recipient" => self.non_fqdn(recipient, RECIPIENT),
            "reject_unlisted_recipient" if !recipient.is_empty() => {
                self.explain(&word.text, || "the recipient is looked up".to_owned());
                self.unlisted_recipient(recipient)
            }
            "reject_unverified_recipient" if !recipient.is_empty() => {
                self.unverified(recipient, RECIPIENT)
            }
            // sleep; reject_unauth_pipelining, for clients that can wait; reject_multi_recipient_bounce, where
            // this recipient is the first; check_etrn_access, in another stage; permit_tls_*clientcerts and
            // check_ccert_access, without a certificate.
            _ => Ok(Status::Dunno),
        }
    }

    /// Whether mail for the recipient is ours, or passed on for anybody (`permit_auth_destination`).
    pub(super) fn auth_destination(&mut self, recipient: &str) -> Outcome {
        use crate::instance::address_class::Class;
        let Some(resolved) = self.resolve(recipient, RECIPIENT)? else {
            return self.lookup_failure(recipient);
        };
        if !resolved.recipient.contains('@') {
            return Ok(Status::Ok);
        }
        if resolved.is_routed && !self.smtpd.read.settings.untrusted_routing {
            return Ok(Status::Dunno);
        }
        Ok(permit(resolved.class != Class::Default))
    }

    /// A permission that a restriction may not give (`forbid_allowlist`).
    pub(super) fn no_permission(&mut self, status: Status) -> Outcome {
        if status == Status::Ok && !self.actions.discard {
            return self.server_error();
        }
        Ok(status)
    }

    /// Who has logged in.
    pub(super) fn login(&self) -> Option<&'e str> {
        let session = self.session;
        let user = session.sasl_user.as_deref();
        user.filter(|user| self.smtpd.read.settings.sasl && !user.is_empty())
    }

    /// Whether the session is encrypted.
    pub(super) fn tls(&self) -> bool {
        self.session.tls || self.smtpd.read.settings.wrapper
    }

    fn mynetworks(&mut self, who: &str) -> Outcome {
        match self.is_in_mynetworks() {
            Some(is_in) => Ok(permit(is_in)),
            None => self.lookup_failure(who),
        }
    }

    /// Whether the client is in `mynetworks`; `None` when the list fails.
    pub(super) fn is_in_mynetworks(&mut self) -> Option<bool> {
        let smtpd = self.smtpd;
        let name = Some(self.client_name);
        let found = smtpd.read.mynetworks.find_client(
            self.session.client,
            name,
            smtpd.read.networks_have_parents,
        );
        let (element, why) = match found {
            Trust::Listed(element) => {
                let text = &element.text;
                let client = self.client.clone();
                self.explain(text, || format!("mynetworks: {text} has {client}"));
                return Some(true);
            }
            Trust::NotListed => return Some(false),
            Trust::Unknown(element) => (element, "it cannot be looked at".to_owned()),
            Trust::Fails(element, why) => {
                // A copy need not be complete.
                let is_missing = why.ends_with("No such file or directory")
                    && !smtpd.service.instance.files().is_host();
                if !is_missing {
                    self.explain(&element.text, || format!("mynetworks: {why}"));
                    return None;
                }
                (element, "the file is not here".to_owned())
            }
        };
        let doubt = Doubt {
            what: element.text.to_string(),
            why,
            key: self.client.clone(),
            is_keyed: false,
        };
        Some(self.world.choose(doubt, 2) == 1)
    }

    fn helo_name(&mut self, name: &'static str, helo: &str) -> Outcome {
        let settings = &self.smtpd.read.settings;
        if name == "permit_naked_ip_address" {
            if !helo
                .bytes()
                .all(|byte| byte.is_ascii_digit() || b".:".contains(&byte))
            {
                return Ok(Status::Dunno);
            }
            self.invalid_literal(helo)?;
            return Ok(Status::Ok);
        }
        if helo.starts_with('[') {
            return self.invalid_literal(helo);
        }
        let bare = without_dot(helo);
        match name {
            "reject_invalid_helo_hostname" => {
                if hostname::is_valid(bare) || hostname::address(bare).is_some() {
                    return Ok(Status::Dunno);
                }
                let text = format!("<{helo}>: {HELO} rejected: Invalid name");
                self.reject(
                    Reason::Policy,
                    settings.invalid_hostname_code,
                    "5.5.2",
                    &text,
                )
            }
            "reject_non_fqdn_helo_hostname" => {
                if hostname::is_valid(bare) && bare.contains('.') {
                    return Ok(Status::Dunno);
                }
                let text = format!("<{helo}>: {HELO} rejected: need fully-qualified hostname");
                self.reject(Reason::Policy, settings.non_fqdn_code, "5.5.2", &text)
            }
            _ => self.unknown_helo(helo),
        }
    }

    fn invalid_literal(&mut self, helo: &str) -> Outcome {
        let is_bracketed = helo.starts_with('[') && helo.ends_with(']') && helo.len() > 2;
        let is_valid = if is_bracketed {
            hostname::literal(helo).is_some()
        } else {
            hostname::literal(&format!("[{helo}]")).is_some()
        };
        if is_valid {
            return Ok(Status::Dunno);
        }
        let text = format!("<{helo}>: {HELO} rejected: invalid ip address");
        let code = self.smtpd.read.settings.invalid_hostname_code;
        self.reject(Reason::Policy, code, "5.5.2", &text)
    }

    fn non_fqdn(&mut self, address: &str, class: &'static str) -> Outcome {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        if domain.starts_with('[') && domain.ends_with(']') {
            return Ok(Status::Dunno);
        }
        let bare = without_dot(domain);
        if hostname::is_valid(bare) && bare.contains('.') {
            return Ok(Status::Dunno);
        }
        let text = format!("<{address}>: {class} rejected: need fully-qualified address");
        self.reject(
            Reason::Policy,
            self.smtpd.read.settings.non_fqdn_code,
            "4.5.2",
            &text,
        )
    }

    /// Whether the login fits the sender.
    fn sender_login(&mut self, name: &'static str, sender: &str) -> Outcome {
        let user = self.login();
        let unowned = match (name, user) {
            ("reject_authenticated_sender_login_mismatch", None)
            | ("reject_unauthenticated_sender_login_mismatch", Some(_)) => {
                return Ok(Status::Dunno);
            }
            ("reject_authenticated_sender_login_mismatch", _) => Unowned::Refused,
            _ => Unowned::Allowed,
        };
        let Some(resolved) = self.resolve(sender, SENDER)? else {
            return self.lookup_failure(sender);
        };
        let smtpd = self.smtpd;
        let instance = smtpd.service.instance;
        let found = smtpd.read.searcher.find(
            instance,
            &smtpd.read.login_maps,
            &resolved.recipient,
            Forms::Both,
            self.world,
        );
        let owners = match found {
            Found::Hit(hit, _) => Some(hit.value.to_string()),
            Found::Nothing => None,
            Found::Something(_) if user.is_none() => Some(String::new()),
            Found::Something(_) => return Err(Stop::Unknown),
            Found::Fails(error) => return self.failure_of(&error, sender),
        };
        let Some(user) = user else {
            if owners.is_none() {
                return Ok(Status::Dunno);
            }
            let text = format!("<{sender}>: {SENDER} rejected: not logged in");
            return self.reject(Reason::Policy, 553, "5.7.1", &text);
        };
        let is_fine = match owners {
            Some(owners) => {
                let mut owners = owners.split([',', ' ', '\t', '\r', '\n']);
                owners.any(|owner| owner.to_lowercase() == user.to_lowercase())
            }
            None => unowned == Unowned::Allowed,
        };
        if is_fine {
            return Ok(Status::Dunno);
        }
        let text = format!("<{sender}>: {SENDER} rejected: not owned by user {user}");
        self.reject(Reason::Policy, 553, "5.7.1", &text)
    }

    /// Whether the recipient counts for lists that must not open the relay: it is there, and not ours.
    pub(super) fn is_foreign_recipient(&mut self) -> Result<bool, Stop> {
        match self.recipient.filter(|_| self.stage == Stage::Rcpt) {
            Some(recipient) => Ok(self.auth_destination(recipient)? != Status::Ok),
            None => Ok(false),
        }
    }
}

fn permit(is_permitted: bool) -> Status {
    if is_permitted {
        Status::Ok
    } else {
        Status::Dunno
    }
}

/// A name without the dot at its end, unless there are two.
fn without_dot(name: &str) -> &str {
    match name.strip_suffix('.') {
        Some(front) if !front.is_empty() && !front.ends_with('.') => front,
        _ => name,
    }
}

/// The address in `[…]`, as text.
pub(super) fn literal_address(domain: &str) -> Option<String> {
    domain_literal(domain).map(|address| address.to_string())
}
