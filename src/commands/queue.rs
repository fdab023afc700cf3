//! `postlint queue`: what in the mail queue is backscatter, or would be refused today.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};

use super::instances::configuration;
use super::listener::listener;
use crate::cli::{QueueArgs, TraceFormatArg};
use crate::exit::Exit;
use crate::instance::builtin::Version;
use crate::live::programs::{Programs, Running, complaint};
use crate::live::queue::{Judge, Listing, read};
use crate::mail::Tracer;
use crate::report::{QueueWriter, visible};

/// Listing a queue of a million messages takes minutes.
const PATIENCE: Duration = Duration::from_secs(1800);

pub(super) fn run(
    args: &QueueArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    let instance = configuration(args.directory.as_deref(), &args.instance, &[])?;
    let mut judge = Judge::of(Tracer::of(listener(&instance, None)?));
    let is_json = args.format == TraceFormatArg::Json;
    let mut report = |input: &mut dyn Read| -> io::Result<(Listing, u64)> {
        // Nothing is written before the first bytes are there.
        let mut first = [0];
        let count = input.read(&mut first)?;
        let mut writer = QueueWriter::begin(instance.sources(), is_json, out)?;
        let listing = read((&first[..count]).chain(input), |message| {
            match judge.judge(message) {
                Some(kind) => writer.add(message, &kind, out),
                None => Ok(()),
            }
        })?;
        let found = writer.found();
        writer.end(&listing, out)?;
        Ok((listing, found))
    };
    let (listing, found) = match args.file.as_deref() {
        Some(path) if path == Path::new("-") => {
            report(&mut io::stdin().lock()).context("cannot read the queue from standard input")?
        }
        Some(path) => {
            let shown = || format!("cannot read the queue from {}", path.display());
            let mut file = File::open(path).with_context(shown)?;
            report(&mut file).with_context(shown)?
        }
        None => {
            let has_json = instance.version() >= Version::release(3, 1, 0);
            let mut command = Programs::of(&instance).command("postqueue")?;
            command.arg(if has_json { "-j" } else { "-p" });
            let mut running = Running::start(&mut command, Vec::new(), PATIENCE)?;
            let read = report(&mut running).context("cannot list the queue")?;
            let (status, said) = running.finish()?;
            if !status.success() {
                bail!("cannot list the queue: {}", visible(complaint(&said)));
            }
            read
        }
    };
    if let Some(line) = listing.first_unread {
        if listing.messages == 0 && !listing.says_empty {
            bail!(
                "this is no listing of a queue: what postqueue -j, postqueue -p or mailq prints is needed"
            );
        }
        writeln!(
            err,
            "warning: {} lines cannot be read, the first is line {line}: nothing is said of what stands there",
            listing.unread
        )?;
    }
    Ok(if found > 0 {
        Exit::Findings
    } else {
        Exit::Clean
    })
}
