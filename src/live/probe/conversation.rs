//! The conversations with a server, one at a time: as many as it takes.
//!
//! smtpd(8) slows a client down after `smtpd_soft_error_limit` errors (10), and ends the conversation after
//! `smtpd_hard_error_limit` (20, under stress 1). So a new one begins before that, and each recipient has a
//! transaction of its own: what a server says about one must not depend on another.

use std::thread;
use std::time::Instant;

use super::{Manner, Probe, Server};
use crate::live::smtp::{Client, Failure};
use crate::mail::{Answer, Reply, Session, Stage};

/// So many refusals are taken in one conversation.
const MOST_REFUSALS: usize = 8;
/// After so many conversations that end without an answer nothing more is asked.
const MOST_LOSSES: usize = 3;

/// Talks to a server, and begins again where needed.
#[derive(Debug)]
pub(super) struct Conversation<'s> {
    server: &'s Server,
    manner: &'s Manner,
    client: Option<Client>,
    refusals: usize,
    losses: usize,
    /// The server does not take the name after EHLO.
    unwelcome: Option<Reply>,
    banner: String,
    local: std::net::IpAddr,
    tls: Option<String>,
    tls_fault: Option<String>,
    end: Instant,
}

impl<'s> Conversation<'s> {
    /// Begins the first one.
    ///
    /// # Errors
    /// There is nobody to talk to.
    pub(super) fn open(server: &'s Server, manner: &'s Manner) -> Result<Self, Failure> {
        let mut conversation = Self {
            server,
            manner,
            client: None,
            refusals: 0,
            losses: 0,
            unwelcome: None,
            banner: String::new(),
            local: server.address.ip(),
            tls: None,
            tls_fault: None,
            end: Instant::now() + manner.overall,
        };
        conversation.begin()?;
        Ok(conversation)
    }

    /// Who asks, as the server sees it, with an empty sender.
    pub(super) fn session(&self) -> Session {
        let manner = self.manner;
        let client = manner.pose.unwrap_or(self.local);
        let client_name = match &manner.client_name {
            Some(name) => Some(name.clone()),
            None => client.is_loopback().then(|| "localhost".to_owned()),
        };
        Session {
            client,
            reverse_name: client_name.clone(),
            client_name,
            helo: Some(manner.helo.clone()),
            sender: String::new(),
            sasl_user: None,
            tls: self.tls.is_some(),
        }
    }

    /// The answer to each probe.
    pub(super) fn ask(&mut self, probes: &[Probe]) -> Vec<Answer> {
        let mut last = String::new();
        let ask = |(index, probe): (usize, &Probe)| {
            if index > 0 && self.losses < MOST_LOSSES {
                thread::sleep(self.manner.pause);
            }
            let not_asked = |why: &str| Answer::Silence(Stage::Start, format!("not asked: {why}"));
            if Instant::now() >= self.end {
                return not_asked("the time for all questions is over");
            }
            if self.losses >= MOST_LOSSES {
                return not_asked(&last);
            }
            let answer = self.ask_one(probe);
            if let Answer::Silence(_, why) = &answer {
                last.clone_from(why);
            }
            answer
        };
        probes.iter().enumerate().map(ask).collect()
    }

    /// Ends the last one; what there is to say of the server.
    pub(super) fn close(mut self) -> (String, Option<String>, Option<String>) {
        if let Some(client) = self.client.take() {
            client.quit();
        }
        (self.banner, self.tls, self.tls_fault)
    }

    fn ask_one(&mut self, probe: &Probe) -> Answer {
        let mut silence = None;
        // A server may end a conversation for reasons of its own; then there is another one.
        for _ in 0..2 {
            if self.losses >= MOST_LOSSES {
                break;
            }
            let (stage, failure) = match self.transact(probe) {
                Ok((stage, reply)) => {
                    self.losses = 0;
                    self.refusals += usize::from(!reply.is_positive());
                    return Answer::Reply(stage, reply);
                }
                Err(failed) => failed,
            };
            self.client = None;
            self.losses += 1;
            let may_pass = matches!(
                failure,
                Failure::Closing(_) | Failure::Lost | Failure::NoConnection(_)
            );
            silence = Some(Answer::Silence(stage, failure.to_string()));
            if !may_pass {
                break;
            }
        }
        silence.unwrap_or(Answer::Unknown(Stage::Rcpt))
    }

    /// One transaction: the reply to RCPT TO, or the refusal before it.
    fn transact(&mut self, probe: &Probe) -> Result<(Stage, Reply), (Stage, Failure)> {
        if self.refusals >= MOST_REFUSALS
            && let Some(client) = self.client.take()
        {
            client.quit();
        }
        if self.client.is_none() {
            self.begin().map_err(|failure| (Stage::Start, failure))?;
        }
        if let Some(reply) = &self.unwelcome {
            return Ok((Stage::Ehlo, reply.clone()));
        }
        let Some(client) = self.client.as_mut() else {
            return Err((Stage::Start, Failure::Lost));
        };
        let at = |stage: Stage| move |failure: Failure| (stage, failure);
        let mut stage = Stage::Mail;
        let mut reply = client.mail(&probe.from).map_err(at(stage))?;
        if reply.is_positive() {
            stage = Stage::Rcpt;
            reply = client.rcpt(&probe.to).map_err(at(stage))?;
        }
        match client.reset() {
            Ok(()) => {}
            // What was heard is then no answer to what was asked.
            Err(failure @ (Failure::OutOfTurn(_) | Failure::NoReply(_))) => {
                return Err((stage, failure));
            }
            Err(_) => self.client = None,
        }
        Ok((stage, reply))
    }

    /// Connects and greets.
    fn begin(&mut self) -> Result<(), Failure> {
        (self.refusals, self.unwelcome) = (0, None);
        let wants_tls = self.manner.tls && self.tls_fault.is_none();
        let (mut client, mut greeted) = self.greet()?;
        if wants_tls && greeted.is_positive() && client.offers("STARTTLS") {
            match client.start_tls(&self.server.name) {
                Ok(()) => greeted = client.greet(&self.manner.helo)?,
                Err(failure) => {
                    self.tls_fault = Some(failure.to_string());
                    (client, greeted) = self.greet()?;
                }
            }
        }
        if let Some(address) = self.manner.pose {
            if !client.offers("XCLIENT") {
                return Err(Failure::NotOffered("XCLIENT"));
            }
            let reply = client.pose_as(address, self.manner.client_name.as_deref())?;
            if reply.code != 220 {
                return Err(Failure::Refused("XCLIENT", reply));
            }
            greeted = client.greet(&self.manner.helo)?;
        }
        if !greeted.is_positive() {
            self.unwelcome = Some(greeted);
        }
        self.banner.clone_from(&client.greeting().text);
        self.local = client.local();
        self.tls = client.tls().map(str::to_owned);
        self.client = Some(client);
        Ok(())
    }

    fn greet(&self) -> Result<(Client, Reply), Failure> {
        let mut client = Client::connect(self.server.address, self.manner.limits)?;
        let greeted = client.greet(&self.manner.helo)?;
        Ok((client, greeted))
    }
}
