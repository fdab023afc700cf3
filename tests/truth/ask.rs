//! What a real Postfix answers for a [`Case`], and what becomes of the mail that it accepts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::postfix::Private;
use crate::common::smtp::{CLIENT_NAME, Reply, Session};
use crate::generate::Case;

/// So that smtpd(8) takes the client for a stranger before it greets.
const SETTINGS: [&str; 3] = [
    "smtpd_upstream_proxy_protocol=haproxy",
    "smtpd_peername_lookup=yes",
    "smtpd_error_sleep_time=0",
];

/// What happened to one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fact {
    /// `start`, `banner`, `ehlo`, `mail` or `rcpt`: what was answered last.
    pub(crate) stage: &'static str,
    /// 0 when there is no answer.
    pub(crate) code: u16,
    pub(crate) dsn: String,
    pub(crate) text: String,
    /// The answer at the end of DATA.
    pub(crate) data: Option<(u16, String, String)>,
    /// Where the mail went in the end.
    pub(crate) ends: Vec<End>,
    /// A notice went to the sender.
    pub(crate) is_bounced: bool,
    /// A notice went to somebody whose name local(8) has changed, and may be for the sender.
    pub(crate) is_hidden: bool,
    /// It is in the hold queue.
    pub(crate) is_held: bool,
    /// It is still on its way, and does not move.
    pub(crate) is_stuck: bool,
    /// It waits in the queue to be tried again.
    pub(crate) is_deferred: bool,
}

/// The last line of the log about a recipient.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    /// The program that says it, such as `local`.
    pub(crate) program: String,
    pub(crate) to: String,
    /// `sent`, `bounced`, `deferred` …
    pub(crate) status: String,
    pub(crate) dsn: String,
    pub(crate) text: String,
}

/// A case that ran.
pub(crate) struct Asked {
    /// One for each address, in their order.
    pub(crate) facts: Vec<Fact>,
    /// The top of the file system in which it ran, with `etc/postfix`; `None` when it did not start.
    pub(crate) root: Option<PathBuf>,
    running: Option<Private>,
}

impl Asked {
    /// Ends the instance; its files go with it.
    pub(crate) fn end(self) {
        drop(self.running);
    }
}

/// Runs a case. `directory` is where its files are written.
pub(crate) fn ask(case: &Case, directory: &Path) -> Asked {
    write(case, directory);
    // On a busy machine it may not come up in time.
    let started =
        Private::start(directory, &SETTINGS).or_else(|_| Private::start(directory, &SETTINGS));
    match started {
        Ok(private) => {
            let facts = facts(case, &private);
            Asked {
                facts,
                root: Some(private.root().to_path_buf()),
                running: Some(private),
            }
        }
        Err(said) => {
            let fact = Fact {
                stage: "start",
                text: said,
                ..Fact::default()
            };
            Asked {
                facts: vec![fact; case.addresses.len()],
                root: None,
                running: None,
            }
        }
    }
}

/// Writes the files of a case into a directory.
pub(crate) fn write(case: &Case, directory: &Path) {
    let put = |name: &str, text: &str| {
        let path = directory.join(name);
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    };
    put("main.cf", &case.main_cf());
    put("master.cf", &case.master_cf());
    for (name, text) in &case.files {
        put(name, text);
    }
}

fn facts(case: &Case, private: &Private) -> Vec<Fact> {
    let mut dead: Option<Fact> = None;
    let mut ids: Vec<Option<String>> = Vec::new();
    let mut facts = Vec::new();
    for address in &case.addresses {
        let (fact, id) = match &dead {
            Some(fact) => (fact.clone(), None),
            None => converse(private, &case.sender, address),
        };
        // master(8) waits a minute before it starts a program again that has died.
        if fact.code == 0 {
            dead = Some(fact.clone());
        }
        facts.push(fact);
        ids.push(id);
    }
    private.settle();
    let log = Log::read(&private.log());
    for (fact, id) in facts.iter_mut().zip(ids) {
        if let Some(id) = id {
            let spool = private.root().join("spool");
            for id in log.follow(&id, &case.sender, fact) {
                let is_in = |queue: &str| spool.join(queue).join(&id).exists();
                fact.is_held |= is_in("hold");
                fact.is_stuck |= is_in("incoming") || is_in("active");
                // By default its files are in directories with the first letter of their names.
                let first = id.get(..1).unwrap_or_default();
                fact.is_deferred |= is_in(&format!("deferred/{first}"));
            }
        }
    }
    facts
}

/// One message for one recipient, as far as it gets: what is answered, and the queue ID.
fn converse(private: &Private, sender: &str, address: &str) -> (Fact, Option<String>) {
    let silent = |stage, error: std::io::Error| {
        let fact = Fact {
            stage,
            text: death(&private.log()).unwrap_or_else(|| error.to_string()),
            ..Fact::default()
        };
        (fact, None)
    };
    let refused = |stage, reply: Reply| {
        let fact = Fact {
            stage,
            code: reply.code,
            dsn: reply.dsn,
            text: reply.text,
            ..Fact::default()
        };
        (fact, None)
    };
    let is_dead = || death(&private.log()).is_some();
    let (mut session, greeting) = match Session::open_early(private.port("smtp"), is_dead) {
        Ok(opened) => opened,
        Err(error) => return silent("banner", error),
    };
    match greeting {
        Ok(reply) if reply.code == 220 => {}
        Ok(reply) => return refused("banner", reply),
        Err(error) => return silent("banner", error),
    }
    let steps = [
        ("ehlo", format!("EHLO {CLIENT_NAME}")),
        ("mail", format!("MAIL FROM:<{sender}>")),
        ("rcpt", format!("RCPT TO:<{address}>")),
    ];
    let mut last = None;
    for (stage, command) in steps {
        match session.command(&command) {
            Ok(reply) if reply.code == 250 => last = Some(reply),
            Ok(reply) => return refused(stage, reply),
            Err(error) => return silent(stage, error),
        }
    }
    let Some(reply) = last else {
        return silent("rcpt", std::io::ErrorKind::UnexpectedEof.into());
    };
    let (mut fact, _) = refused("rcpt", reply);
    let data = match session.command("DATA") {
        Ok(reply) if reply.code == 354 => session.command("Subject: test\r\n\r\ntest\r\n."),
        other => other,
    };
    let data = data.unwrap_or_else(|error| Reply {
        code: 0,
        dsn: String::new(),
        text: error.to_string(),
    });
    let (text, id) = match data.text.split_once("queued as ") {
        Some((text, id)) => (format!("{text}queued as"), Some(id.trim().to_owned())),
        None => (data.text.clone(), None),
    };
    fact.data = Some((data.code, data.dsn, text));
    (fact, id)
}

/// What smtpd(8) said when it died, or what is said about its death.
fn death(log: &str) -> Option<String> {
    log.lines().find_map(|line| {
        let is_own = line.contains("/smtpd[");
        let is_about = line.contains("/master[") && line.contains("/smtpd ");
        let last = if is_own {
            "]: fatal: "
        } else {
            "killed by signal "
        };
        let panics = is_own.then(|| line.find("]: panic: ")).flatten();
        let at = (is_own || is_about)
            .then(|| line.find(last).or(panics))
            .flatten()?;
        Some(line[at..].trim_start_matches("]: ").to_owned())
    })
}

/// The log by queue ID.
struct Log {
    records: BTreeMap<String, Vec<(String, String)>>,
}

impl Log {
    fn read(log: &str) -> Self {
        let mut records: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
        for line in log.lines() {
            let Some((head, rest)) = line.split_once("]: ") else {
                continue;
            };
            let Some((id, text)) = rest.split_once(": ") else {
                continue;
            };
            let program = head.rsplit_once('[').map_or(head, |(name, _)| name);
            let program = program.rsplit_once('/').map_or(program, |(_, name)| name);
            records
                .entry(id.to_owned())
                .or_default()
                .push((program.to_owned(), text.to_owned()));
        }
        Self { records }
    }

    /// Whether a notice goes to the sender, and not to the owner of a list.
    fn is_for(&self, notice: &str, sender: &str) -> bool {
        let records = self.records.get(notice).into_iter().flatten();
        let name = format!("to=<{sender}>");
        (records.into_iter()).any(|(_, text)| !sender.is_empty() && text.contains(&name))
    }

    /// Whether local(8) has a message, which may then be for somebody else in the log, or lost: a notice has no
    /// original recipient.
    fn is_local(&self, id: &str) -> bool {
        let records = self.records.get(id).into_iter().flatten();
        let mut ends = records.filter(|(_, text)| text.contains("to=<")).peekable();
        ends.peek().is_none() || ends.any(|(program, _)| program == "local")
    }

    /// What became of a message and of those that it led to, whose names in the queue are the result.
    fn follow(&self, id: &str, sender: &str, fact: &mut Fact) -> BTreeSet<String> {
        let mut open = vec![id.to_owned()];
        let mut seen = BTreeSet::new();
        let mut ends = BTreeSet::new();
        while let Some(id) = open.pop() {
            if !seen.insert(id.clone()) {
                continue;
            }
            for (program, text) in self.records.get(&id).into_iter().flatten() {
                if let Some((_, notice)) = text.split_once("sender non-delivery notification: ") {
                    let is_bounced = self.is_for(notice, sender);
                    fact.is_bounced |= is_bounced;
                    fact.is_hidden |= !is_bounced && self.is_local(notice);
                } else if let Some((_, rest)) = text.split_once("(forwarded as ") {
                    open.push(rest.trim_end_matches(')').to_owned());
                } else {
                    ends.extend(End::read(program, text));
                }
            }
        }
        fact.ends = ends.into_iter().collect();
        seen
    }
}

impl End {
    fn read(program: &str, text: &str) -> Option<Self> {
        let (to, rest) = text.strip_prefix("to=<")?.split_once(">, ")?;
        let dsn = rest.split_once("dsn=")?.1.split_once(',')?.0;
        let (status, text) = rest.split_once("status=")?.1.split_once(' ')?;
        Some(Self {
            program: program.to_owned(),
            to: to.to_owned(),
            status: status.to_owned(),
            dsn: dsn.to_owned(),
            text: text.trim_matches(['(', ')']).to_owned(),
        })
    }
}
