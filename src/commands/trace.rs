//! `postlint trace`: what happens to mail for addresses, and why.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Context;

use super::color;
use super::instances::configuration;
use super::listener::listener;
use crate::cli::{TraceArgs, TraceFormatArg};
use crate::exit::{Exit, UsageError};
use crate::mail::{Session, Tracer};
use crate::report::{Secrets, TraceWriter};

pub(super) fn run(args: &TraceArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    if args.addresses.is_empty() && args.recipients.is_none() {
        return Err(UsageError("name an address, or a file with --recipients".to_owned()).into());
    }
    color::decide(args.color, true);
    let instance = configuration(args.directory.as_deref(), &args.instance, &args.interfaces)?;
    let session = session(args);
    let tracer = Tracer::of(listener(&instance, args.service.as_deref())?);
    let secrets = Secrets::of(&instance);
    let writer = TraceWriter::new(instance.sources(), &secrets);
    if args.format == TraceFormatArg::Text {
        writer.head(&tracer, &session, out)?;
    }
    let mut one = |line: &[u8], out: &mut dyn Write| -> io::Result<()> {
        let address = envelope(line);
        let trace = tracer.trace(&session, &address);
        match args.format {
            TraceFormatArg::Text => writer.text(&address, &trace, out),
            TraceFormatArg::Json => writer.json(&address, &trace, out),
        }
    };
    for address in &args.addresses {
        one(address.as_bytes(), out)?;
    }
    match args.recipients.as_deref() {
        None => {}
        Some(path) if path == Path::new("-") => each_line(io::stdin().lock(), out, &mut one)
            .context("cannot trace the addresses on standard input")?,
        Some(path) => {
            let shown = || format!("cannot read addresses from {}", path.display());
            let file = File::open(path).with_context(shown)?;
            each_line(file, out, &mut one).with_context(shown)?;
        }
    }
    Ok(Exit::Clean)
}

/// What stands between `<` and `>`, of an address with or without these. Bytes that are no UTF-8 are in no
/// table that Postfix reads.
fn envelope(line: &[u8]) -> Cow<'_, str> {
    let inner = line
        .strip_prefix(b"<")
        .and_then(|rest| rest.strip_suffix(b">"));
    String::from_utf8_lossy(inner.unwrap_or(line))
}

/// Hands over each line that is not empty. Whoever waits for the answer to a line before the next one gets
/// it.
fn each_line(
    input: impl Read,
    out: &mut dyn Write,
    mut one: impl FnMut(&[u8], &mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut input = BufReader::new(input);
    let mut line = Vec::new();
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        let end = line.strip_suffix(b"\n").unwrap_or(&line);
        let address = end.strip_suffix(b"\r").unwrap_or(end);
        if !address.is_empty() {
            one(address, out)?;
        }
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
    }
}

/// Who sends: a stranger, but for what was said.
fn session(args: &TraceArgs) -> Session {
    let stranger = Session::stranger();
    let client_name = match (&args.client_name, args.client) {
        (Some(name), _) if name == "unknown" => None,
        (Some(name), _) => Some(name.clone()),
        (None, Some(client)) if client.is_loopback() => Some("localhost".to_owned()),
        (None, Some(_)) => None,
        (None, None) => stranger.client_name,
    };
    let sender = args.from.as_deref().map(|from| {
        let inner = from.strip_prefix('<');
        let inner = inner.and_then(|from| from.strip_suffix('>'));
        inner.unwrap_or(from).to_owned()
    });
    Session {
        client: args.client.unwrap_or(stranger.client),
        helo: (args.helo.clone())
            .or_else(|| client_name.clone())
            .or(stranger.helo),
        reverse_name: client_name.clone(),
        client_name,
        sender: sender.unwrap_or(stranger.sender),
        sasl_user: args.sasl.clone(),
        tls: args.tls,
    }
}
