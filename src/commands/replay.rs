//! `postlint replay`: what a configuration would answer to the recipients of a mail log.

use std::io::Write;
use std::path::Path;

use super::color;
use super::instances::configuration;
use super::listener::listener;
use super::maillog::{Teller, inputs, tell_damages};
use crate::cli::{ReplayArgs, TraceFormatArg};
use crate::exit::Exit;
use crate::live::replay::{Replay, collect, services_of};
use crate::report::{ReplayWriter, Secrets};

pub(super) fn run(
    args: &ReplayArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let is_configuration =
        |path: &Path| path.is_dir() || path.file_name().is_some_and(|name| name == "main.cf");
    let (directory, files) = match args.files.split_last() {
        Some((last, logs)) if args.directory.is_none() && is_configuration(last) => {
            (Some(last.as_path()), logs)
        }
        _ => (args.directory.as_deref(), args.files.as_slice()),
    };
    let instance = configuration(directory, &args.instance, &[])?;
    let (services, front) = services_of(&instance, listener(&instance, None)?);
    let inputs = inputs(files, Some(&instance))?;
    let mut teller = Teller::new();
    let attempts = collect(&inputs, &mut |progress| teller.tell(progress, err))?;
    teller.clear(err);
    tell_damages(&attempts.walked.damages, err)?;
    let replay = Replay::of(&attempts, &services, front);
    let secrets = Secrets::of(&instance);
    let writer = ReplayWriter::new(&replay, &attempts, instance.sources(), &secrets);
    match args.format {
        TraceFormatArg::Text => writer.text(out)?,
        TraceFormatArg::Json => writer.json(out)?,
    }
    Ok(match replay.would_refuse_delivered.attempts {
        0 => Exit::Clean,
        _ => Exit::Findings,
    })
}
