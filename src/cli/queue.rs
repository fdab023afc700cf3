//! The arguments of `queue`.

use std::path::PathBuf;

use clap::Args;

use super::{InstanceArgs, TraceFormatArg};

pub(super) const QUEUE_EXIT_CODES: &str = "\
Exit codes: 0 nothing unwanted is in the queue, 1 something is, 2 wrong usage or settings, 3 the queue or the \
configuration cannot be read";

/// The arguments of `queue`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct QueueArgs {
    /// What postqueue -j, postqueue -p or mailq printed; '-' is standard input [default: the queue of this
    /// host is listed]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// The configuration directory, or a main.cf [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// As text, or as JSON with all messages
    #[arg(long, value_enum, default_value_t = TraceFormatArg::Text, help_heading = "Output")]
    pub format: TraceFormatArg,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}
