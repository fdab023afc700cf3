//! The `postlint` program: parses the arguments, runs, and turns the outcome into an exit code.

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use clap::Parser;
use postlint::cli::Cli;
use postlint::commands;
use postlint::exit::{Exit, UsageError};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            return match error.print() {
                Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Exit::Failure,
                _ if wrong => Exit::Usage,
                _ => Exit::Clean,
            }
            .into();
        }
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let mut err = io::stderr().lock();
    let outcome = commands::run(cli, &mut out, &mut err)
        .and_then(|exit| out.flush().map(|()| exit).map_err(Into::into));
    match outcome {
        Ok(exit) => exit,
        // Whoever reads the output has seen enough.
        Err(error) if is_broken_pipe(&error) => Exit::Clean,
        Err(error) => {
            // Nobody is left to be told when this fails.
            let _ = writeln!(err, "postlint: {error:#}");
            if error.is::<UsageError>() {
                Exit::Usage
            } else {
                Exit::Failure
            }
        }
    }
    .into()
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
