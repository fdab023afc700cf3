//! Whether the programs that a stranger's mail needs run at all with this configuration: master(8) itself, the
//! smtpd(8) of a service, and behind it trivial-rewrite(8), cleanup(8) and proxymap(8).
//!
//! Each program is followed as it starts: options, parameters in the order in which it reads them, then what
//! it opens. The first thing that it cannot use ends it, in the words of the log. What cannot be looked at
//! (accounts of another machine, a login server) is taken to be fine.

mod general;
mod master;
mod open;
mod process;
mod programs;
mod proxies;
mod server_settings;
mod smtpd;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use self::process::{Death, Process};
use self::proxies::Proxies;
use super::reply::{Answer, Reply, Stage};
use super::session::Session;
use crate::instance::Instance;
use crate::instance::network_list::{Trust, network_list};
use crate::instance::service::Service;

/// How the programs behind one service start. It depends on the configuration alone, and is worked out once.
#[derive(Clone, Debug)]
pub struct Startup {
    /// What everybody hears, whatever he says.
    answer: Option<Answer>,
    /// What smtpd warned about before.
    warnings: Vec<String>,
    /// Why trivial-rewrite never answers.
    rewrite: Option<String>,
    /// Why there is no queue file, and when that shows.
    cleanup: Option<(Stage, String)>,
    /// Lists of clients that EHLO asks, which end in an error for some.
    features: Features,
}

/// What EHLO asks for.
#[derive(Clone, Debug)]
struct Features {
    hostname: String,
    lists: Vec<crate::instance::network_list::NetworkList>,
}

impl Startup {
    /// Starts everything that mail through a service that runs smtpd(8) needs.
    pub fn of(service: Service<'_>) -> Self {
        let shared = service.instance.remember(Shared::of);
        let process = Process::new("smtpd", service.scope(), Some(Arc::clone(&shared.proxies)));
        let answer = shared
            .master
            .clone()
            .or_else(|| smtpd_answer(&process, service));
        let mut startup = Self {
            answer,
            warnings: process.warnings.take(),
            rewrite: None,
            cleanup: None,
            features: Features::of(service),
        };
        if startup.answer.is_none() {
            startup.behind(service, &shared.proxies);
        }
        startup
    }

    /// The programs that smtpd asks.
    fn behind(&mut self, service: Service<'_>, proxies: &Arc<Proxies>) {
        let (instance, scope) = (service.instance, service.scope());
        let silence =
            |parameter, class| programs::silence(instance, scope, parameter, class, proxies);
        self.rewrite = silence("rewrite_service_name", "private");
        // With a filter before the queue, smtpd makes no queue file itself.
        if scope.parameter("smtpd_proxy_filter").is_empty() {
            let waits = scope.parameter("smtpd_delay_open_until_valid_rcpt").flag() != Some(false);
            let stage = if waits { Stage::Rcpt } else { Stage::Mail };
            self.cleanup = silence("cleanup_service_name", "public").map(|text| (stage, text));
        }
    }

    /// What everybody hears in place of the greeting: nothing. `None` when smtpd greets.
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_ref()
    }

    /// What smtpd warns about when it starts, up to what ends it, without `warning: `.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What a client hears in place of the answer to EHLO, because a list that says which features are
    /// announced to it ends in an error.
    pub fn ehlo(&self, session: &Session) -> Option<Answer> {
        let fails = self
            .features
            .lists
            .iter()
            .any(|list| matches!(list.find(session.client), Trust::Fails(..)));
        fails.then(|| {
            let text = format!("{} Server local data error", self.features.hostname);
            Answer::Reply(Stage::Ehlo, Reply::new(421, "4.3.0", text))
        })
    }

    /// What a client hears as soon as smtpd asks for an address: at MAIL FROM with a sender, else at RCPT TO.
    /// `None` when trivial-rewrite answers.
    pub fn resolving(&self, session: &Session) -> Option<Answer> {
        let stage = if session.sender.is_empty() {
            Stage::Rcpt
        } else {
            Stage::Mail
        };
        let text = self.rewrite.as_ref()?;
        Some(Answer::Silence(stage, text.clone()))
    }

    /// What a client hears in place of the first 250 to RCPT TO (or to MAIL FROM, see the stage): cleanup does
    /// not make the queue file. `None` when it does.
    pub fn queueing(&self) -> Option<Answer> {
        let (stage, text) = self.cleanup.as_ref()?;
        Some(Answer::Silence(*stage, text.clone()))
    }
}

/// What all services have in common.
#[derive(Debug)]
struct Shared {
    /// What everybody hears because master does not run.
    master: Option<Answer>,
    proxies: Arc<Proxies>,
}

impl Shared {
    fn of(instance: &Instance) -> Self {
        let process = Process::new("master", instance.scope(), None);
        let death = master::start(&process).err();
        let master = death.map(|death| {
            let mut words: Vec<String> = Vec::new();
            match death {
                Death::Fatal(text) => {
                    let warnings = process.warnings.take();
                    words.extend(warnings.iter().map(|text| format!("warning: {text}")));
                    words.push(format!("fatal: {text}"));
                }
                Death::Crash => words.push("killed by signal 11".to_owned()),
                Death::Waits(text) => words.push(text),
            }
            let text = format!("instance did not start: {}", words.join("; "));
            Answer::Silence(Stage::Start, text.trim_end().to_owned())
        });
        Self {
            master,
            proxies: Arc::new(Proxies::of(instance)),
        }
    }
}

/// What everybody hears because smtpd does not serve.
fn smtpd_answer(process: &Process<'_>, service: Service<'_>) -> Option<Answer> {
    let silence = |text: String| Some(Answer::Silence(Stage::Banner, text));
    if let Some(reason) = master::closed(service) {
        return Some(Answer::Silence(
            Stage::Start,
            format!("nobody listens: {reason}"),
        ));
    }
    match smtpd::start(process, service) {
        Ok(()) => {}
        Err(death) => return silence(obituary(process.program, &death)),
    }
    let death = smtpd::connect(process, service).err()?;
    let text = obituary(process.program, &death);
    silence(text.replacen(NO_REPLY, "connection closed", 1))
}

/// What a client gets of a program that died.
const NO_REPLY: &str = "no reply";

/// The text for a program that died.
fn obituary(program: &str, death: &Death) -> String {
    match death {
        Death::Fatal(text) => format!("{NO_REPLY}: {program}: fatal: {text}"),
        Death::Crash => format!("{NO_REPLY}: {program}: killed by signal 11"),
        Death::Waits(reason) => waits_for(program, reason),
    }
}

/// The text for a program that waits for proxymap.
fn waits_for(program: &str, reason: &str) -> String {
    let reason = reason.strip_prefix("no reply: ").unwrap_or(reason);
    format!("{NO_REPLY}: {program} waits for proxymap: {reason}")
}

impl Features {
    fn of(service: Service<'_>) -> Self {
        let lists = [
            "smtpd_authorized_xclient_hosts",
            "smtpd_authorized_xforward_hosts",
        ];
        Self {
            hostname: service.parameter("myhostname").text(),
            lists: lists
                .map(|name| network_list(service.scope(), name))
                .to_vec(),
        }
    }
}
