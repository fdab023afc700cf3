//! Restrictions that ask somebody else: DNS, policy servers, verify(8) (`src/smtpd/smtpd_check.c`,
//! `SMTPD_POLICY_README`, `ADDRESS_VERIFICATION_README`).

use super::Conduct;
use super::action::status;
use super::checks::{CLIENT, HELO, RECIPIENT, SENDER, literal_address};
use super::evaluation::{Evaluation, Outcome, Reason, Status, Stop, Subject, is_digits};
use crate::instance::address_class::Class;
use crate::instance::hostname;
use crate::instance::table::Only;
use crate::mail::delivery::{Delivery, Probe};
use crate::mail::world::{Doubt, Known};
use crate::source::Text;
use crate::syntax::expression;

impl Evaluation<'_, '_> {
    /// One of so many answers that only somebody else can give.
    fn ask_outside(&mut self, what: String, why: &str, key: &str, answers: usize) -> usize {
        if self.conduct == Conduct::Decent {
            return 0;
        }
        self.choose(what, why, key, answers)
    }

    fn choose(&mut self, what: String, why: &str, key: &str, answers: usize) -> usize {
        let doubt = Doubt {
            what,
            why: why.to_owned(),
            key: key.to_owned(),
            is_keyed: false,
        };
        self.world.choose(doubt, answers)
    }

    /// `check_policy_service`: it does nothing, or whatever it likes.
    pub(super) fn policy(&mut self, server: &str) -> Outcome {
        let key = self.recipient.or(self.sender).unwrap_or_default();
        let what = format!("the policy server {server}");
        match self.choose(what, "it may refuse recipients", key, 2) {
            0 => Ok(Status::Dunno),
            _ => Err(Stop::Unknown),
        }
    }

    /// `check_*_mx_access` and its like: the servers of a name, which DNS knows.
    pub(super) fn server_access(
        &mut self,
        check: &'static str,
        table: &str,
        name: Option<&str>,
        subject: Subject<'_>,
    ) -> Outcome {
        let Some(name) = name else {
            return Ok(Status::Dunno);
        };
        let domain = name.rsplit_once('@').map_or(name, |(_, domain)| domain);
        let status = if domain.starts_with('[') {
            match literal_address(domain) {
                Some(address) if !check.ends_with("_ns_access") => {
                    self.network_access(table, &address, subject)?
                }
                _ => Status::Dunno,
            }
        } else {
            let records = if check.ends_with("_ns_access") {
                "NS"
            } else if check.ends_with("_mx_access") {
                "MX"
            } else {
                "address"
            };
            let what = format!("{check} {table}");
            let why = format!("DNS has the {records} records");
            match self.ask_outside(what, &why, domain, 2) {
                0 => Status::Dunno,
                _ => return Err(Stop::Unknown),
            }
        };
        self.no_permission(status)
    }

    /// `reject_rbl_client`: whether an address is in a list of DNS.
    pub(super) fn block_list(&mut self, list: &str, what: &str, class: &'static str) -> Outcome {
        let domain = list.split('=').next().unwrap_or_default();
        match self.ask_outside(format!("the DNS list {domain}"), "DNS has it", what, 2) {
            0 => Ok(Status::Dunno),
            _ => self.blocked(list, domain, what, class),
        }
    }

    /// `reject_rhsbl_*`: whether a name is in a list of DNS.
    pub(super) fn name_list(&mut self, list: &str, what: &str, class: &'static str) -> Outcome {
        match listed_name(what) {
            Some(_) => self.block_list(list, what, class),
            None => Ok(Status::Dunno),
        }
    }

    /// `permit_dnswl_client`, `permit_rhswl_client`.
    pub(super) fn allow_list(&mut self, list: &str, what: &str) -> Outcome {
        if self.is_foreign_recipient()? {
            return Ok(Status::Dunno);
        }
        let is_name = hostname::address(what).is_none();
        if is_name && listed_name(what).is_none() {
            return Ok(Status::Dunno);
        }
        let domain = list.split('=').next().unwrap_or_default();
        match self.ask_outside(format!("the DNS list {domain}"), "DNS has it", what, 3) {
            0 => Ok(Status::Dunno),
            1 => Ok(Status::Ok),
            _ => {
                let text = format!("<{what}>: {CLIENT} rejected: Service unavailable");
                self.defer_if_reject(450, "4.7.1", &text)
            }
        }
    }

    /// The reply for what is in a list (`rbl_reject_reply`). The reason that the list gives is left out.
    fn blocked(&mut self, list: &str, domain: &str, what: &str, class: &'static str) -> Outcome {
        let smtpd = self.smtpd;
        let instance = smtpd.service.instance;
        let mut template = None;
        for key in [list, domain] {
            if template.is_some() || smtpd.read.rbl_reply_maps.is_empty() {
                break;
            }
            let found = smtpd.read.rbl_reply_maps.find(key.as_bytes(), Only::All);
            template = match self.world.judge(instance, key, found) {
                Known::Nothing => None,
                Known::Hit(hit) => Some(hit.value),
                Known::Something(_) => return Err(Stop::Unknown),
                Known::Fails(_) => return self.server_error(),
            };
        }
        let template = template.unwrap_or_else(|| Text::placeless(&smtpd.read.settings.rbl_reply));
        let value = |name: &str| -> Option<Text> {
            let text = match name {
                "rbl_code" => smtpd.read.settings.rbl_code.to_string(),
                "rbl_class" => class.to_owned(),
                "rbl_what" => what.to_owned(),
                "rbl_domain" => domain.to_owned(),
                "client" => self.client_label.clone(),
                "client_address" => self.client.clone(),
                "client_name" => self.client_name.to_owned(),
                "reverse_client_name" => self.reverse_name.to_owned(),
                "helo_name" => self.helo?.to_owned(),
                "sender" => self.sender?.to_owned(),
                "recipient" => self.recipient?.to_owned(),
                _ => return None,
            };
            Some(Text::placeless(&text))
        };
        let text = expression::expand(&template, instance.dialect(), &value);
        let text = text.map(|text| text.to_string()).unwrap_or_default();
        let code = text
            .get(..3)
            .filter(|code| is_digits(code) && code.starts_with(['4', '5']));
        let (Some(code), Some(rest)) =
            (code, text.get(3..).and_then(|rest| rest.strip_prefix(' ')))
        else {
            return self.reject(Reason::Policy, 450, "4.7.1", "Service unavailable");
        };
        let (dsn, rest) = status(rest, "4.7.1", class);
        let rest = if rest.is_empty() {
            "Service unavailable"
        } else {
            rest
        };
        self.reject(Reason::Policy, code.parse().unwrap_or(0), &dsn, rest)
    }

    /// `reject_unknown_helo_hostname`.
    pub(super) fn unknown_helo(&mut self, helo: &str) -> Outcome {
        let settings = &self.smtpd.read.settings;
        let text = format!("<{helo}>: {HELO} rejected: Host not found");
        match self.ask_outside("the HELO name".to_owned(), "DNS may not know it", helo, 3) {
            0 => Ok(Status::Dunno),
            1 => {
                let code = settings.unknown_hostname_code;
                self.reject(Reason::Policy, code, "4.7.1", &text)
            }
            _ => self.defer_if_permit(settings.unknown_helo.waits(), 450, "4.7.1", &text),
        }
    }

    /// `reject_unknown_sender_domain`, `reject_unknown_recipient_domain`.
    pub(super) fn unknown_domain(&mut self, address: &str, class: &'static str) -> Outcome {
        let Some(resolved) = self.resolve(address, class)? else {
            return self.lookup_failure(address);
        };
        let Some((_, domain)) = resolved.recipient.rsplit_once('@') else {
            return Ok(Status::Dunno);
        };
        let is_final = matches!(
            resolved.class,
            Class::Local | Class::VirtualAlias | Class::VirtualMailbox
        );
        if is_final || (domain.starts_with('[') && domain.ends_with(']')) {
            return Ok(Status::Dunno);
        }
        let settings = &self.smtpd.read.settings;
        let dsn = if class == SENDER { "4.1.8" } else { "4.1.2" };
        let has_null_mx = settings.version >= crate::instance::builtin::Version::release(3, 0, 0);
        let answers = if has_null_mx { 4 } else { 3 };
        let what = format!("the domain {domain}");
        let text = format!("<{address}>: {class} rejected: Domain not found");
        match self.ask_outside(what, "DNS may not know it", domain, answers) {
            0 => Ok(Status::Dunno),
            1 => self.reject(Reason::Policy, settings.unknown_address_code, dsn, &text),
            2 => self.defer_if_permit(settings.unknown_address.waits(), 450, dsn, &text),
            _ => {
                let text = format!(
                    "<{address}>: {class} rejected: Domain {domain} does not accept mail (nullMX)"
                );
                let (code, dsn) = if class == SENDER {
                    (550, "4.7.27")
                } else {
                    (556, "4.1.10")
                };
                self.reject(Reason::Policy, code, dsn, &text)
            }
        }
    }

    /// `permit_mx_backup`, where the recipient is not ours.
    pub(super) fn mx_backup(&mut self, recipient: &str) -> Outcome {
        if self.auth_destination(recipient)? == Status::Ok {
            return Ok(Status::Ok);
        }
        let Some(resolved) = self.resolve(recipient, RECIPIENT)? else {
            return self.lookup_failure(recipient);
        };
        let domain = resolved
            .recipient
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain);
        let is_routed = resolved.is_routed && !self.smtpd.read.settings.untrusted_routing;
        if is_routed || (domain.starts_with('[') && domain.ends_with(']')) {
            return Ok(Status::Dunno);
        }
        let what = format!("the mail servers of {domain}");
        match self.ask_outside(what, "DNS may name this host as a backup", domain, 3) {
            0 => Ok(Status::Dunno),
            1 => Ok(Status::Ok),
            _ => {
                let text = format!(
                    "<{recipient}>: {RECIPIENT} rejected: Unable to look up mail exchanger \
                     information"
                );
                self.defer_if_reject(450, "4.4.4", &text)
            }
        }
    }

    /// `reject_unverified_sender`, `reject_unverified_recipient`. The words of another server are left out.
    pub(super) fn unverified(&mut self, address: &str, class: &'static str) -> Outcome {
        let smtpd = self.smtpd;
        let (verify, dsn) = if class == SENDER {
            (&smtpd.read.settings.sender, "4.1.7")
        } else {
            (&smtpd.read.settings.recipient, "4.1.1")
        };
        let matters = |code: i64| code / 100 != 2;
        let codes = [verify.reject_code, verify.defer_code];
        let codes: Vec<i64> = codes.into_iter().filter(|code| matters(*code)).collect();
        if codes.is_empty() {
            return Ok(Status::Dunno);
        }
        let probe = if class == SENDER && self.conduct == Conduct::Decent {
            Probe::Depends
        } else {
            Delivery::of(smtpd.service).probe(address, self.world)
        };
        let (code, words) = match probe {
            Probe::Deliverable => return Ok(Status::Dunno),
            Probe::Undeliverable(words) => (verify.reject_code, words),
            Probe::Waits(words) => (verify.defer_code, words),
            Probe::Depends => {
                if class == RECIPIENT && self.warn_if_reject == 0 && matters(verify.reject_code) {
                    self.is_probed = true;
                }
                let what = format!("a probe of {address}");
                let why = "another server is asked, and its answer is remembered";
                let answer = self.ask_outside(what, why, address, codes.len() + 1);
                let Some(&code) = answer.checked_sub(1).and_then(|index| codes.get(index)) else {
                    return Ok(Status::Dunno);
                };
                (code, String::new())
            }
        };
        if !matters(code) {
            return Ok(Status::Dunno);
        }
        let words = if verify.reason.is_empty() {
            words
        } else {
            verify.reason.clone()
        };
        let reason = |what: &str| {
            if words.is_empty() {
                format!("<{address}>: {class} rejected: {what}")
            } else {
                format!("<{address}>: {class} rejected: {what}: {words}")
            }
        };
        if code / 100 == 4 {
            let text = reason("unverified address");
            self.defer_if_permit(verify.tempfail.waits(), code, dsn, &text)
        } else {
            self.reject(Reason::Policy, code, dsn, &reason("undeliverable address"))
        }
    }
}

/// The domain that a list of names is asked for; `None` for what is in no such list (`find_dnsxl_domain`).
fn listed_name(what: &str) -> Option<&str> {
    let domain = what.rsplit_once('@').map_or(what, |(_, domain)| domain);
    let last = domain.rsplit('.').next().unwrap_or_default();
    let is_name = !domain.is_empty() && !is_digits(last) && hostname::is_valid(domain);
    is_name.then_some(domain)
}
