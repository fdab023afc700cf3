//! The arguments of `replay`.

use std::path::PathBuf;

use clap::Args;

use super::{ColorArg, InstanceArgs, TraceFormatArg};

/// What the exit codes of `replay` mean.
pub(super) const REPLAY_EXIT_CODES: &str = "\
Exit codes: 0 all who were delivered would be accepted, 1 somebody who was delivered would be refused, 2 wrong usage, \
3 a log or the configuration could not be read";

/// The arguments of `replay`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct ReplayArgs {
    /// Mail logs, plain or compressed, '-' for standard input; at the end the configuration directory or a main.cf may
    /// stand [default: the log of this host]
    #[arg(value_name = "LOG… [PATH]")]
    pub files: Vec<PathBuf>,
    /// The configuration directory, or a main.cf, that is asked [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// As text, or as one JSON object
    #[arg(long, value_enum, default_value_t = TraceFormatArg::Text, help_heading = "Output")]
    pub format: TraceFormatArg,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorArg>,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}
