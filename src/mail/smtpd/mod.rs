//! What smtpd(8) answers a client from its greeting to the reply to RCPT TO (`src/smtpd/smtpd.c`,
//! `src/smtpd/smtpd_check.c`).
//!
//! [`Smtpd::of`] reads all that depends on the configuration alone; [`Smtpd::answer`] then judges one
//! recipient of one session. It mirrors Postfix's own code step by step, since the order of the steps decides
//! which of two refusals a client sees.

mod access;
mod action;
mod checks;
mod evaluation;
mod footer;
mod list;
mod outside;
mod recipient;
mod settings;

use std::cell::OnceCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use super::accepted::Accepted;
use super::domains::OwnAddresses;
use super::reply::{Answer, Reply, Stage};
use super::resolve::{Resolution, Rewriting, State};
use super::search::Searcher;
use super::session::Session;
use super::smtp_address::{CommandSyntax, Given, Verb};
use super::world::{Doubt, Known, World};
use crate::instance::network_list::{NetworkList, network_list};
use crate::instance::parameter::Scope;
use crate::instance::service::Service;
use crate::instance::table::{ErrorClass, Maps, Only};
use crate::source::{Span, Text};
use checks::{CLIENT, HELO, RECIPIENT, SENDER};
use evaluation::{Evaluation, Outcome, Stop, Subject};
use footer::Footer;
use list::{Lists, Word};
use recipient::Tables;
use settings::{Settings, Tls};

pub use action::{Action, action};
pub use recipient::Listing;

/// What the default of `smtpd_relay_restrictions` would be at compatibility level 1: below it, smtpd only
/// looks whether that would refuse.
const RELAY_DEFAULT: &str = "permit_mynetworks permit_sasl_authenticated permit_auth_destination";

/// What smtpd says to a recipient, and what it hands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The refusal, or the reply to RCPT TO.
    pub answer: Answer,
    /// The mail, where the recipient is accepted.
    pub accepted: Option<Accepted>,
}

/// A service that runs smtpd(8), with everything that its configuration decides.
#[derive(Clone, Debug)]
pub struct Smtpd<'i> {
    service: Service<'i>,
    read: Arc<Configuration>,
}

/// What smtpd(8) reads when it starts.
#[derive(Debug)]
struct Configuration {
    settings: Settings,
    rewriting: Arc<Rewriting>,
    syntax: CommandSyntax,
    searcher: Searcher,
    own: OwnAddresses,
    lists: Lists,
    client: Vec<Word>,
    helo: Vec<Word>,
    sender: Vec<Word>,
    relay: Vec<Word>,
    recipient: Vec<Word>,
    mynetworks: NetworkList,
    networks_have_parents: bool,
    recipients: Tables,
    login_maps: Maps,
    rbl_reply_maps: Maps,
    /// `local_header_rewrite_clients`.
    rewrite_clients: Vec<Word>,
    footer: Footer,
    /// Programs in front of or beside smtpd that may refuse what it accepts.
    others: Vec<Other>,
}

/// What is known of a client that only others can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Conduct {
    /// Nothing.
    Unknown,
    /// Nobody has anything against it.
    Decent,
}

/// A program that may refuse what smtpd accepts, and that cannot be asked.
#[derive(Clone, Debug)]
struct Other {
    what: String,
    stage: Stage,
    /// It looks at clients and messages, not at recipients.
    spares_the_decent: bool,
}

/// The configurations that were read so far, by the places of the services in master.cf.
#[derive(Debug, Default)]
struct Configurations(Mutex<HashMap<Span, Arc<Configuration>>>);

impl Configuration {
    fn of(service: Service<'_>) -> Self {
        let scope = service.scope();
        let value = |name| scope.any_parameter(name).value().unwrap_or_default();
        let mut lists = Lists::of(scope);
        let mut list = |name| lists.parse(&value(name), scope);
        let [client, helo, sender] = [
            "smtpd_client_restrictions",
            "smtpd_helo_restrictions",
            "smtpd_sender_restrictions",
        ]
        .map(&mut list);
        let recipient = list("smtpd_recipient_restrictions");
        let rewrite_clients = list("local_header_rewrite_clients");
        let relay = if settings::relays_by_old_default(scope) {
            lists.parse(&Text::placeless(RELAY_DEFAULT), scope)
        } else {
            list("smtpd_relay_restrictions")
        };
        let parents = scope
            .any_parameter("parent_domain_matches_subdomains")
            .words();
        Self {
            settings: Settings::of(scope),
            rewriting: Rewriting::of(service.instance),
            syntax: CommandSyntax::of(scope),
            searcher: Searcher::of(scope),
            own: OwnAddresses::of(scope),
            lists,
            client,
            helo,
            sender,
            relay,
            recipient,
            mynetworks: network_list(scope, "mynetworks"),
            networks_have_parents: parents.iter().any(|word| *word == "mynetworks"),
            recipients: Tables::of(scope),
            login_maps: scope.maps("smtpd_sender_login_maps", "smtpd"),
            rbl_reply_maps: scope.maps("rbl_reply_maps", "smtpd"),
            rewrite_clients,
            footer: Footer::of(scope),
            others: others(service),
        }
    }
}

impl<'i> Smtpd<'i> {
    /// The configuration of a service, which is read once.
    pub fn of(service: Service<'i>) -> Self {
        let known = service.instance.remember(|_| Configurations::default());
        let lock = || known.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = service.line.head_span();
        let read = lock().get(&place).cloned();
        let read = read.unwrap_or_else(|| {
            let read = Arc::new(Configuration::of(service));
            lock().insert(place, Arc::clone(&read));
            read
        });
        Self { service, read }
    }

    /// The service.
    pub fn service(&self) -> Service<'i> {
        self.service
    }

    /// What a client hears that names a recipient: `given` stands between `<` and `>`. It is not asked
    /// whether smtpd runs.
    pub fn answer(&self, session: &Session, given: &str, world: &mut World) -> Verdict {
        self.judge(session, given, Conduct::Unknown, world)
    }

    /// As [`Smtpd::answer`], for a stranger of good reputation, who is in no list of DNS that blocks or allows
    /// clients, whose sender exists, and who encrypts where that is possible.
    pub(super) fn answer_stranger(&self, given: &str, world: &mut World) -> Verdict {
        let session = Session {
            tls: self.read.settings.tls != Tls::None || self.read.settings.wrapper,
            ..Session::stranger()
        };
        self.judge(&session, given, Conduct::Decent, world)
    }

    fn judge(
        &self,
        session: &Session,
        given: &str,
        conduct: Conduct,
        world: &mut World,
    ) -> Verdict {
        let helo = session.helo.as_deref().map(greeted);
        let mut evaluation = Evaluation::new(self, session, helo.as_deref(), world);
        evaluation.conduct = conduct;
        let names = Names::default();
        let outcome = evaluation.transaction(given, &names);
        let stage = evaluation.stage;
        let (actions, is_probed) = (
            std::mem::take(&mut evaluation.actions),
            evaluation.is_probed,
        );
        let label = evaluation.client_label.clone();
        let sender = evaluation.sender;
        match outcome {
            Ok(recipient) => Verdict {
                answer: Answer::Reply(stage, Reply::new(250, "2.1.5", "Ok")),
                accepted: Some(Accepted {
                    recipient: recipient.to_owned(),
                    sender: names.sender.get().cloned().unwrap_or_default(),
                    actions,
                    is_probed,
                }),
            },
            Err(stop) => Verdict {
                answer: match stop {
                    Stop::Reply(reply) => {
                        let about = footer::About {
                            label: &label,
                            sender,
                            session,
                        };
                        Answer::Reply(
                            stage,
                            self.read
                                .footer
                                .added(self, reply, &about, evaluation.world),
                        )
                    }
                    Stop::Silence(why) => Answer::Silence(stage, why),
                    Stop::Unknown => Answer::Unknown(stage),
                },
                accepted: None,
            },
        }
    }

    /// What the tables say of a recipient in internal form, whether smtpd looks at them or not.
    pub(super) fn recipient_listing(
        &self,
        sender: &str,
        recipient: &str,
        world: &mut World,
    ) -> Listing {
        let resolved = self.resolved(sender, recipient, world);
        match &resolved.state {
            State::Fails(error) => Listing::Fails(error.class),
            _ => self.listing(&resolved, RECIPIENT, world),
        }
    }

    /// An address as trivial-rewrite(8) resolves it for a sender, in lower case.
    fn resolved(&self, sender: &str, address: &str, world: &mut World) -> Resolution {
        let rewriting = &self.read.rewriting;
        let address = rewriting.settings.canonical(address);
        let sender = rewriting.settings.canonical(sender);
        let mut resolved = rewriting.resolve(self.service.instance, &sender, &address, world);
        resolved.recipient = self.read.searcher.folded(&resolved.recipient);
        resolved
    }

    /// Whether an address is the one that probes come from (`src/global/verify_sender_addr.c`). What stands
    /// behind its name, a time, is taken to be right.
    fn is_probe(&self, address: &str) -> bool {
        let probe = self.read.settings.probe.as_str();
        if probe.is_empty() || probe == "<>" {
            return address.is_empty();
        }
        let probe = self.read.rewriting.settings.canonical(probe).to_lowercase();
        let address = address.to_lowercase();
        let (local, domain) = probe
            .split_once('@')
            .map_or((probe.as_str(), None), |(l, d)| (l, Some(d)));
        let Some(rest) = address.strip_prefix(local) else {
            return false;
        };
        let (time, given) = rest
            .split_once('@')
            .map_or((rest, None), |(time, domain)| (time, Some(domain)));
        given == domain && time.is_empty() && !self.read.settings.probe_has_time
    }
}

/// The addresses of a transaction in internal form, as soon as smtpd has taken them.
#[derive(Default)]
struct Names {
    sender: OnceCell<String>,
    recipient: OnceCell<String>,
}

impl<'e> Evaluation<'e, '_> {
    /// The session up to the reply to RCPT: the recipient that is accepted, or why it is not.
    fn transaction(&mut self, given: &str, names: &'e Names) -> Result<&'e str, Stop> {
        let smtpd = self.smtpd;
        let settings = &smtpd.read.settings;
        self.stage = Stage::Banner;
        if !settings.delays {
            self.client_list()?;
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
        let sender = names.sender.get_or_init(|| sender.address).as_str();
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
        let recipient = names.recipient.get_or_init(|| recipient.address).as_str();
        if recipient.eq_ignore_ascii_case("postmaster") || smtpd.is_probe(recipient) {
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
    fn resolve(
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
                self.resolved.push(evaluation::Resolved {
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

/// A name after HELO as smtpd keeps it: without characters that could mislead readers of the log.
fn greeted(helo: &str) -> String {
    let is_bad = |c: char| c.is_ascii_control() || " <>()\\\";@".contains(c);
    helo.replace(is_bad, "?")
}

/// The programs that may refuse what smtpd accepts.
fn others(service: Service<'_>) -> Vec<Other> {
    let mut others = Vec::new();
    let scope = service.scope();
    if service.line.kind() == "pass" {
        let fronts = service.instance.services().filter(|front| {
            front.line.command() == "postscreen"
                && front.parameter("smtpd_service_name").text() == service.name()
                && refuses(front.scope())
        });
        others.extend(fronts.map(|front| Other {
            what: format!("postscreen at {}", front.label()),
            stage: Stage::Banner,
            spares_the_decent: true,
        }));
    }
    let milters = scope.any_parameter("smtpd_milters").text();
    if !milters.is_empty() {
        others.push(Other {
            what: format!("the milters {milters}"),
            stage: Stage::Rcpt,
            spares_the_decent: true,
        });
    }
    let proxy = scope.any_parameter("smtpd_proxy_filter").text();
    if !proxy.is_empty() {
        others.push(Other {
            what: format!("the proxy filter {proxy}"),
            stage: Stage::Rcpt,
            spares_the_decent: false,
        });
    }
    others
}

/// Whether a postscreen(8) turns away clients that fail its tests.
fn refuses(scope: Scope<'_>) -> bool {
    let is_on = |name: &'static str| scope.any_parameter(name).flag() == Some(true);
    let acts = |name: &'static str| {
        let action = scope.any_parameter(name).text();
        ["enforce", "drop"]
            .iter()
            .any(|word| action.eq_ignore_ascii_case(word))
    };
    let lists = |name: &'static str| !scope.any_parameter(name).is_empty();
    acts("postscreen_greet_action")
        || (acts("postscreen_dnsbl_action") && lists("postscreen_dnsbl_sites"))
        || acts("postscreen_denylist_action")
        || acts("postscreen_blacklist_action")
        || is_on("postscreen_bare_newline_enable")
        || is_on("postscreen_non_smtp_command_enable")
        || is_on("postscreen_pipelining_enable")
}

#[cfg(test)]
mod tests;
