//! `postlint log`: what the mail log says of backscatter, blocklists, and the configuration.

use std::io::Write;

use super::color;
use super::listener::listener;
use super::maillog::{Teller, configuration_if_any, inputs, is_own, tell_damages};
use crate::cli::{LogArgs, TraceFormatArg};
use crate::exit::Exit;
use crate::live::maillog::{Causes, Options, read};
use crate::mail::Tracer;
use crate::report::{LogWriter, Secrets};

/// So many recipients are explained, those first that caused most.
const MOST_EXPLAINED: usize = 5_000;

pub(super) fn run(
    args: &LogArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let instance = configuration_if_any(args.directory.as_deref(), &args.instance)?;
    let inputs = inputs(&args.files, instance.as_ref())?;
    let mut teller = Teller::new();
    let own = is_own(instance.as_ref());
    let report = read(
        &inputs,
        &mut Options {
            is_own: &own,
            progress: &mut |progress| teller.tell(progress, err),
        },
    )?;
    teller.clear(err);
    tell_damages(&report.damages, err)?;
    // A configuration without an smtpd explains nothing.
    let service = (instance.as_ref()).and_then(|instance| listener(instance, None).ok());
    let tracer = service.map(Tracer::of);
    let causes = (instance.as_ref().zip(tracer.as_ref()))
        .filter(|_| !report.backscatter.is_empty())
        .map(|(instance, tracer)| Causes::of(instance, tracer));
    let because: Vec<_> = causes
        .iter()
        .flat_map(|causes| {
            let recipients = report.backscatter.iter().take(MOST_EXPLAINED);
            recipients.map(|backscatter| causes.because(backscatter))
        })
        .collect();
    let secrets = instance.as_ref().map(Secrets::of).unwrap_or_default();
    let sources = instance.as_ref().map(|instance| instance.sources());
    let writer = LogWriter::new(&report, &because, sources, &secrets);
    match args.format {
        TraceFormatArg::Text => writer.text(out)?,
        TraceFormatArg::Json => writer.json(out)?,
    }
    Ok(
        match report.refused_by_others.is_empty() && report.backscatter.is_empty() {
            true => Exit::Clean,
            false => Exit::Findings,
        },
    )
}
