//! `postlint apply`: the fixes into the running system, step by step, with a proof at the end.

use std::io::Write;
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use colored::Colorize;

use super::check::selection;
use super::color;
use super::fix::Fixes;
use super::instances::plans;
use super::listener::{listener, own_address};
use super::verify::own_name;
use crate::cli::{ApplyArgs, FixArgs};
use crate::exit::{Exit, UsageError};
use crate::fix::ChangedFile;
use crate::fix::after::{Command, for_stale_indexes};
use crate::instance::host::Host;
use crate::instance::{Instance, LoadOptions, Scale, Target};
use crate::lint;
use crate::live::apply::{Ending, Job, Progress, Proof, apply};
use crate::live::log_tail::LogTail;
use crate::live::probe::{self, Manner, Report, Server, Wish};
use crate::live::programs::Programs;
use crate::live::smtp::Limits;
use crate::mail::{Answer, Tracer};
use crate::report::{Checked, visible};

/// So long a server may go on as before after a reload: its processes pause while main.cf is younger than
/// two seconds, and those in a conversation bring it to its end.
const SETTLING: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(500);
/// How long is waited for an answer, and for all.
const PATIENCE: Duration = Duration::from_secs(15);
const OVERALL: Duration = Duration::from_secs(120);

pub(super) fn run(
    args: &ApplyArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let (target, options, settings) = target(args)?;
    let instance = Instance::load(&target, &options)?;
    if instance.scale() != Scale::Configuration {
        bail!("a configuration directory is needed: what is applied is all that it says");
    }
    let programs = Programs::of(&instance);
    if args.run && !rustix::process::geteuid().is_root() {
        bail!(
            "only root may tell Postfix to take a configuration over; without --run the steps are shown"
        );
    }
    let fix_args = FixArgs {
        fix: args.run,
        diff: !args.run,
        unsafe_fixes: args.unsafe_fixes,
        recipients: args.recipients.clone(),
        ..FixArgs::default()
    };
    let mut fixes = Fixes::new(&fix_args)?.context("there is nothing to fix with")?;
    let builds_before = for_stale_indexes(&instance);
    let findings = lint::run(&instance, &settings);
    fixes.apply(
        Checked::new(instance, findings),
        &target,
        &options,
        &settings,
    )?;
    let files = fixes.files();
    let (builds, services) = steps(fixes.commands(), builds_before);
    if !args.run {
        fixes.write_diff(&files, out, err)?;
        fixes.say(false, err)?;
        return show(args, &files, &builds, &services, out);
    }
    fixes.say(false, err)?;
    if files.is_empty() && builds.is_empty() {
        writeln!(out, "nothing to apply")?;
    }
    let job = Job {
        programs: &programs,
        files: &files,
        builds: &builds,
        services: &services,
        backup: args.backup.as_deref(),
    };
    let before = Instance::load(&target, &options)?;
    let mut log = LogTail::begin(&before);
    let mut prove = || match args.no_verify {
        true => Proof::Missing("the running server was not asked".to_owned()),
        false => proof(&target, &options),
    };
    let mut number = 0;
    let mut trouble = Ok(());
    let ending = apply(&job, &mut log, &mut prove, &mut |progress| {
        let line = match progress {
            Progress::Step(step) => {
                number += 1;
                format!("{number}. {}", visible(step))
            }
            Progress::Note(note) => format!("   {}", visible(note)),
        };
        let written = writeln!(out, "{line}").and_then(|()| out.flush());
        // Nobody who reads is no reason to stop half-way.
        if trouble.is_ok() {
            trouble = written;
        }
    })?;
    trouble?;
    tell(&ending, &log, out)
}

/// What is changed: the configuration of this machine, with its own files.
fn target(args: &ApplyArgs) -> anyhow::Result<(Target, LoadOptions, lint::Selection)> {
    let paths: Vec<_> = args.path.iter().cloned().collect();
    let Some(plan) = plans(&paths, &args.instance)?.into_iter().next() else {
        bail!("there is no configuration");
    };
    if matches!(plan.target, Target::MainCfText(_)) {
        let message = "apply needs the configuration directory of a Postfix on this machine";
        return Err(UsageError(message.to_owned()).into());
    }
    let selection = selection(&args.rules, &plan)?;
    let mut options = plan.options;
    if options.paths.root.is_some() || !options.paths.map_paths.is_empty() {
        let message = "apply is for the Postfix of this machine: it does not go with files that stand \
                       elsewhere (root, map-path)";
        return Err(UsageError(message.to_owned()).into());
    }
    // Whatever the directory is called, the other files are those of this machine.
    options.paths.root = Some("/".into());
    options.host = Some(Host::this()?);
    Ok((plan.target, options, selection))
}

/// What builds indexes, and what tells Postfix.
fn steps(commands: &[Command], stale: Vec<Command>) -> (Vec<Command>, Vec<Command>) {
    let (services, mut builds): (Vec<_>, Vec<_>) =
        (commands.iter().cloned()).partition(|command| command.program == "postfix");
    for command in stale {
        let is_same = |other: &Command| other.arguments == command.arguments;
        if !builds.iter().any(is_same) {
            builds.push(command);
        }
    }
    (builds, services)
}

/// The steps as they would be done.
fn show(
    args: &ApplyArgs,
    files: &[ChangedFile],
    builds: &[Command],
    services: &[Command],
    out: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if files.is_empty() && builds.is_empty() {
        writeln!(out, "nothing to apply")?;
        return Ok(Exit::Clean);
    }
    let mut lines = Vec::new();
    for file in files {
        lines.push(format!("write {}", file.path().display()));
    }
    let because = |command: &Command| format!("{command}  ({})", command.reasons.join("; "));
    lines.extend(builds.iter().map(because));
    lines.push("postfix check".to_owned());
    lines.extend(services.iter().map(because));
    if !args.no_verify {
        lines.push(
            "ask the running server whether it answers as this configuration says".to_owned(),
        );
    }
    writeln!(out, "{}", "steps".bold())?;
    for (number, line) in (1..).zip(&lines) {
        writeln!(out, "{number}. {}", visible(line))?;
    }
    writeln!(
        out,
        "if a step fails, files and indexes are put back and Postfix is told again\n\
         nothing was changed; to do it: the same command with --run, as root"
    )?;
    Ok(Exit::Findings)
}

fn tell(ending: &Ending, log: &LogTail, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let failure = match ending {
        Ending::Proved => {
            let words = "the running server answers as the configuration says";
            writeln!(out, "{}: {words}", "done".green())?;
            return Ok(Exit::Clean);
        }
        Ending::Unproved(why) => {
            writeln!(out, "{}: {}", "done, not proved".yellow(), visible(why))?;
            return Ok(Exit::Findings);
        }
        Ending::PutBack(failure) => failure,
    };
    writeln!(
        out,
        "{}: {}: {}",
        "failed".red(),
        visible(&failure.step),
        visible(&failure.reason)
    )?;
    match (failure.log.as_slice(), log.path()) {
        ([], Some(path)) => writeln!(out, "{} says nothing about it", path.display())?,
        ([], None) => writeln!(out, "where Postfix logs is not known: look into its log")?,
        (lines, _) => {
            writeln!(out, "Postfix logged:")?;
            for line in lines {
                writeln!(out, "    {}", visible(line))?;
            }
        }
    }
    if failure.remains.is_empty() {
        writeln!(out, "everything is as it was before")?;
    }
    for line in &failure.remains {
        writeln!(out, "{}: {}", "not as before".red(), visible(line))?;
    }
    Ok(Exit::Failure)
}

/// Asks the running server, until it answers as the configuration says, or has had its time.
fn proof(target: &Target, options: &LoadOptions) -> Proof {
    let instance = match Instance::load(target, options) {
        Ok(instance) => instance,
        Err(error) => return Proof::Refuted(format!("{error:#}")),
    };
    let service = match listener(&instance, None) {
        Ok(service) => service,
        Err(error) => return Proof::Missing(format!("{error:#}")),
    };
    let Some(address) = own_address(&service) else {
        return Proof::Missing(format!(
            "{} listens where this host cannot ask",
            service.label()
        ));
    };
    let tracer = Tracer::of(service);
    let end = Instant::now() + SETTLING;
    loop {
        let proof = one_proof(&tracer, address);
        if !matches!(proof, Proof::Refuted(_)) || Instant::now() > end {
            return proof;
        }
        thread::sleep(PAUSE);
    }
}

fn one_proof(tracer: &Tracer<'_>, address: SocketAddr) -> Proof {
    let server = Server {
        name: address.ip().to_string(),
        address,
    };
    let manner = Manner {
        helo: own_name(address),
        pose: None,
        client_name: None,
        tls: true,
        limits: Limits {
            patience: PATIENCE,
            ..Limits::default()
        },
        pause: Duration::ZERO,
        overall: OVERALL,
    };
    // From here, mail for elsewhere is taken as it should be.
    let wish = Wish {
        domains: Vec::new(),
        sender: None,
        seed: String::new(),
        relay: false,
    };
    match probe::run(&server, &manner, Some(tracer), &wish) {
        Ok(report) => judge(&report),
        Err(failure) => Proof::Refuted(format!("{address} does not answer: {failure}")),
    }
}

fn judge(report: &Report) -> Proof {
    for outcome in &report.outcomes {
        let to = &outcome.probe.to;
        if let Answer::Silence(_, why) = &outcome.answer {
            return Proof::Refuted(format!("RCPT TO:<{to}>: no answer: {why}"));
        }
        let (Some(false), Some((code, dsn))) =
            (outcome.judgement.agrees, &outcome.judgement.expected)
        else {
            continue;
        };
        let Answer::Reply(_, reply) = &outcome.answer else {
            continue;
        };
        return Proof::Refuted(format!(
            "RCPT TO:<{to}>: the server answers {reply}; this configuration says {code} {dsn}"
        ));
    }
    match report.proof {
        probe::Proof::Proved => Proof::Given,
        // From here some things are allowed that strangers may not do: they prove nothing about strangers, but
        // that the server follows its configuration.
        probe::Proof::Unknown
            if (report.outcomes.iter()).all(|outcome| outcome.judgement.agrees == Some(true)) =>
        {
            Proof::Given
        }
        probe::Proof::Failed => {
            let accepted = report
                .outcomes
                .iter()
                .find(|one| one.judgement.verdict.is_wrong());
            let to = accepted.map_or("", |outcome| outcome.probe.to.as_str());
            Proof::Missing(format!(
                "as the configuration says, mail for {to} is not refused for good: postlint check says why"
            ))
        }
        probe::Proof::Unknown => {
            let note = (report.outcomes.iter())
                .map(|outcome| outcome.judgement.note.as_str())
                .find(|note| !note.is_empty());
            let note = note.unwrap_or("the answers prove nothing");
            Proof::Missing(note.to_owned())
        }
    }
}
