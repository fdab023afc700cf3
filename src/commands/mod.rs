//! One file a subcommand: each wires the layers and holds no logic of its own.

mod apply;
mod check;
mod color;
mod diff;
mod explain;
mod fix;
mod instances;
mod listed;
mod listener;
mod log;
mod maillog;
mod postconf;
mod query;
mod queue;
mod replay;
mod rules;
mod trace;
mod verify;

use std::io::Write;

use crate::cli::{Cli, Command};
use crate::exit::Exit;

/// Runs what the command line asks for; results go to `out`, what is said beside them to `err`.
///
/// # Errors
/// A [`crate::exit::UsageError`], or why postlint could not do its job.
pub fn run(cli: Cli, out: &mut dyn Write, err: &mut dyn Write) -> anyhow::Result<Exit> {
    match cli.command {
        None => check::run(&cli.check, out, err),
        Some(Command::Check(args)) => check::run(&args, out, err),
        Some(Command::Explain(args)) => explain::run(&args, out),
        Some(Command::Rules(args)) => rules::run(&args, out),
        Some(Command::Log(args)) => log::run(&args, out, err),
        Some(Command::Replay(args)) => replay::run(&args, out, err),
        Some(Command::Query(args)) => query::run(&args, out, err),
        Some(Command::Queue(args)) => queue::run(&args, out, err),
        Some(Command::Trace(args)) => trace::run(&args, out),
        Some(Command::Listed(args)) => listed::run(&args, out),
        Some(Command::Verify(args)) => verify::run(&args, out),
        Some(Command::Diff(args)) => diff::run(&args, out, err),
        Some(Command::Apply(args)) => apply::run(&args, out, err),
        Some(Command::Postconf(args)) => postconf::run(&args, out, err),
    }
}
