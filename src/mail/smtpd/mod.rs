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
mod transaction;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::accepted::Accepted;
use super::domains::OwnAddresses;
use super::reply::{Answer, Reply, Stage};
use super::resolve::{Resolution, Rewriting, State};
use super::search::Searcher;
use super::session::Session;
use super::smtp_address::CommandSyntax;
use super::world::World;
use crate::instance::network_list::{NetworkList, network_list};
use crate::instance::parameter::Scope;
use crate::instance::service::Service;
use crate::instance::table::Maps;
use crate::source::{Span, Text};
use checks::RECIPIENT;
use evaluation::{Evaluation, Stop};
use footer::Footer;
use list::{Lists, Word};
use recipient::Tables;
use settings::{Settings, Tls};
use transaction::Names;

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
    data: Vec<Word>,
    end_of_data: Vec<Word>,
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
        let data = list("smtpd_data_restrictions");
        let end_of_data = list("smtpd_end_of_data_restrictions");
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
            data,
            end_of_data,
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
        let refused = match outcome {
            Ok(recipient) => evaluation.message(recipient),
            Err(_) => None,
        };
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
                    refused,
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

    /// The address that probes come from, when an address is that one: it takes its place
    /// (`src/global/verify_sender_addr.c`). One with a time in it is never the right one here.
    fn probe(&self, address: &str) -> Option<String> {
        let probe = self.read.settings.probe.as_str();
        if probe.is_empty() || probe == "<>" {
            return address.is_empty().then(String::new);
        }
        let probe = self.read.rewriting.settings.canonical(probe);
        let folded = probe.to_lowercase();
        let address = address.to_lowercase();
        let (local, domain) = folded
            .split_once('@')
            .map_or((folded.as_str(), None), |(l, d)| (l, Some(d)));
        let rest = address.strip_prefix(local)?;
        let (time, given) = rest
            .split_once('@')
            .map_or((rest, None), |(time, domain)| (time, Some(domain)));
        let is_probe = given == domain && time.is_empty() && !self.read.settings.probe_has_time;
        is_probe.then_some(probe)
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
