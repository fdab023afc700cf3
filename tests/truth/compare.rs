//! What the model says of a [`Case`], beside what Postfix did.

use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use postlint::instance::files::PathOptions;
use postlint::instance::{Instance, LoadOptions, Target};
use postlint::mail::{Answer, Ending, Outcome, Session, Stage, Trace, Tracer};

use crate::ask::{Asked, End, Fact};
use crate::common::smtp::CLIENT_NAME;
use crate::generate::Case;

/// Something that the model says otherwise than Postfix did it.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    pub(crate) address: String,
    /// What differs: `reply`, `text`, `data`, `outcome`, `notice`, `unknown`, `panic`.
    pub(crate) kind: &'static str,
    pub(crate) postfix: String,
    pub(crate) postlint: String,
}

impl Difference {
    /// What differences of the same cause have in common, often.
    pub(crate) fn signature(&self) -> String {
        // Names and numbers are the case's own.
        let plain = |text: &str| {
            let words = text.split(' ').map(|word| match word {
                word if word.contains('@') => "@",
                word if word.len() > 3 && word.contains(|c: char| c.is_ascii_digit()) => {
                    word.get(..6).filter(|_| word.contains('.')).unwrap_or("0")
                }
                word => word,
            });
            let words: Vec<&str> = words.collect();
            words.join(" ").chars().take(90).collect::<String>()
        };
        format!(
            "{}: {} | {}",
            self.kind,
            plain(&self.postfix),
            plain(&self.postlint)
        )
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of <{}>\n  Postfix:  {}\n  postlint: {}",
            self.kind, self.address, self.postfix, self.postlint
        )
    }
}

/// The directories that the instance has for itself, and where these are.
const PRIVATE: [(&str, &str); 6] = [
    ("/etc", "etc"),
    ("/home", "home"),
    ("/var/mail", "mail"),
    ("/var/log", "log"),
    ("/var/lib/postfix", "lib"),
    ("/var/spool/postfix", "spool"),
];

/// What the model says of the addresses of a case, as it lies in a directory, and ran in a file system with
/// this top.
fn traces(case: &Case, directory: &Path, root: Option<&Path>) -> Result<Vec<Trace>, String> {
    let (target, passwd) = match root {
        Some(root) => (root.join("etc/postfix"), root.join("etc/passwd")),
        None => (directory.to_path_buf(), directory.join("passwd")),
    };
    // What is not private to the instance is this host's.
    let own = |root: &Path| PRIVATE.map(|(name, path)| (name.into(), root.join(path)));
    let map_paths: Option<[(PathBuf, PathBuf); 6]> = root.map(own);
    let options = LoadOptions {
        paths: PathOptions {
            root: Some("/".into()),
            map_paths: map_paths.into_iter().flatten().collect(),
            ..PathOptions::default()
        },
        passwd: passwd.is_file().then_some(passwd),
        ..LoadOptions::default()
    };
    let target = Target::Path(target);
    let instance = Instance::load(&target, &options).map_err(|error| format!("{error:#}"))?;
    let service = instance.smtpd_services().next().ok_or("no smtpd")?;
    let session = Session {
        helo: Some(CLIENT_NAME.to_owned()),
        sender: case.sender.clone(),
        ..Session::stranger()
    };
    let tracer = Tracer::of(service);
    let addresses = case.addresses.iter();
    Ok(addresses
        .map(|address| tracer.trace(&session, address))
        .collect())
}

/// All differences of a case that ran.
pub(crate) fn compare(case: &Case, asked: &Asked, directory: &Path) -> Vec<Difference> {
    let root = asked.root.as_deref();
    let traced = catch_unwind(AssertUnwindSafe(|| traces(case, directory, root)));
    let traces = match traced {
        Ok(Ok(traces)) => traces,
        Ok(Err(error)) => return vec![failure(case, error)],
        Err(_) => return vec![failure(case, "panic".to_owned())],
    };
    let mut differences = Vec::new();
    for ((address, fact), trace) in case.addresses.iter().zip(&asked.facts).zip(&traces) {
        differences.extend(difference(address, fact, trace));
    }
    differences
}

fn failure(case: &Case, error: String) -> Difference {
    Difference {
        address: case.addresses.first().cloned().unwrap_or_default(),
        kind: "panic",
        postfix: String::new(),
        postlint: error,
    }
}

/// The first difference in what happens to one address.
fn difference(address: &str, fact: &Fact, trace: &Trace) -> Option<Difference> {
    let made = |kind, postfix: String, postlint: String| {
        Some(Difference {
            address: address.to_owned(),
            kind,
            postfix,
            postlint,
        })
    };
    let real = format!(
        "{} {} {} {}",
        fact.stage,
        fact.code,
        fact.dsn,
        one_line(&fact.text)
    );
    if !trace.is_certain() {
        let postlint = format!(
            "depends on {:?}, may be {:?}",
            trace.depends_on, trace.possible
        );
        return made("unknown", real, postlint);
    }
    let (stage, code, dsn, text) = match &trace.answer {
        Answer::Reply(stage, reply) => {
            (*stage, reply.code, reply.dsn.as_str(), reply.text.as_str())
        }
        Answer::Silence(stage, text) => (*stage, 0, "", text.as_str()),
        Answer::Unknown(stage) => (*stage, 0, "", "unknown"),
    };
    let ours = format!("{} {code} {dsn} {}", stage.name(), one_line(text));
    let is_silent =
        matches!(stage, Stage::Start | Stage::Banner) && matches!(fact.stage, "start" | "banner");
    if code != fact.code
        || dsn != fact.dsn
        || (stage.name() != fact.stage && !(code == 0 && is_silent))
    {
        return made("reply", real, ours);
    }
    if code != 0 && text.trim() != fact.text {
        return made("text", real, ours);
    }
    if let Some((code, dsn, text)) = &fact.data {
        let real = format!("{code} {dsn} {text}");
        match &trace.data {
            None => return made("data", real, "nothing".to_owned()),
            Some(reply) if reply.code != *code || reply.dsn != *dsn => {
                return made("data", real, reply.to_string());
            }
            Some(_) => {}
        }
        if *code >= 400 || *code == 0 {
            return None;
        }
        return outcome(fact, trace).and_then(|(kind, real, ours)| made(kind, real, ours));
    }
    None
}

fn outcome(fact: &Fact, trace: &Trace) -> Option<(&'static str, String, String)> {
    let mut real: Vec<String> = fact.ends.iter().map(described).collect();
    let mut ours: Vec<String> = Vec::new();
    for outcome in &trace.outcomes {
        let name = match outcome.ending {
            // Mail that goes in a circle is returned.
            Ending::Loop => "bounced",
            ending => ending.name(),
        };
        ours.push(format!("{} {name}", plain(&outcome.address)));
    }
    // What is lost leaves no trace.
    let is_silent = |outcome: &Outcome| {
        outcome.ending == Ending::Discarded && outcome.dsn.is_empty() && outcome.text.is_empty()
    };
    for outcome in trace.outcomes.iter().filter(|outcome| is_silent(outcome)) {
        let one = format!("{} discarded", plain(&outcome.address));
        if !real.contains(&one) {
            ours.retain(|other| *other != one);
        }
    }
    let is_said = real.iter().any(|one| one.ends_with(" deferred"))
        || fact.ends.iter().any(|end| end.status == "deferred");
    if fact.is_held || fact.is_stuck || (fact.is_deferred && !is_said) {
        // Whose mail that is does not stand in the log.
        let name = if fact.is_held { "held" } else { "deferred" };
        let is_waiting = |one: &String| one.ends_with(name) && !real.contains(one);
        if ours.iter().any(is_waiting) {
            ours.retain(|one| !is_waiting(one));
        } else {
            real.push(name.to_owned());
        }
    }
    real.sort();
    real.dedup();
    ours.sort();
    ours.dedup();
    // local(8) sends nothing on before the servers have taken the mail that others get, and it is not known here
    // which of them answer.
    let has_no_answer = |end: &End| is_elsewhere(end) && end.status == "deferred";
    if fact.ends.iter().any(has_no_answer) {
        ours.retain(|one| real.contains(one) || one.ends_with(" bounced"));
    }
    // Mail that is thrown away by an access table, or that has no recipient, leaves no line in the log.
    let all_discarded = trace
        .outcomes
        .iter()
        .all(|outcome| outcome.ending == Ending::Discarded);
    if real != ours && !(real.is_empty() && all_discarded) {
        let texts: Vec<String> = (fact.ends.iter())
            .map(|end| format!("{} {} {}", end.program, end.dsn, end.text))
            .collect();
        return Some((
            "outcome",
            format!("{real:?} {texts:?}"),
            format!("{:?}", trace.outcomes),
        ));
    }
    // Nobody is told as long as another recipient of the message is being tried.
    let is_open = fact.is_hidden || (fact.is_stuck && !fact.is_bounced);
    match trace.backscatter {
        Some(ours) if ours != fact.is_bounced && !is_open => {
            Some(("notice", fact.is_bounced.to_string(), ours.to_string()))
        }
        _ => None,
    }
}

/// Whether another server has the mail, or is to get it. One that has just refused to take any is not tried again at
/// once.
fn is_elsewhere(end: &End) -> bool {
    matches!(end.program.as_str(), "smtp" | "lmtp" | "pipe" | "relay")
        || end
            .text
            .starts_with("delivery temporarily suspended: connect to ")
}

/// An end in the words of the model.
fn described(end: &End) -> String {
    let result = match end.status.as_str() {
        _ if is_elsewhere(end) => "relayed",
        "sent" if end.text.contains("discard") || end.program == "discard" => "discarded",
        "sent" => "delivered",
        "bounced" => "bounced",
        "deferred" | "SOFTBOUNCE" => "deferred",
        other => other,
    };
    format!("{} {result}", plain(&end.to))
}

/// An address in one of the forms that it may have: domains have no case, and nothing needs no quotes.
fn plain(address: &str) -> String {
    match address.rsplit_once('@') {
        Some((local, domain)) => {
            let local = if local == "\"\"" { "" } else { local };
            format!("{local}@{}", domain.to_lowercase())
        }
        None => address.to_owned(),
    }
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for c in text.chars() {
        let _ = match c {
            '\n' => write!(line, " / "),
            c => write!(line, "{c}"),
        };
    }
    line
}
