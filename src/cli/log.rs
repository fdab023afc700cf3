//! The arguments of `log`.

use std::path::PathBuf;

use clap::Args;

use super::{ColorArg, InstanceArgs, TraceFormatArg};

/// What the exit codes of `log` mean.
pub(super) const LOG_EXIT_CODES: &str = "\
Counted: received is each queue file that smtpd or pickup made; sent, bounced and deferred are the status= lines of \
delivery agents (SOFTBOUNCE is deferred); rejected are the reject: lines, those of milters included.\n\n\
Exit codes: 0 nothing of ours to mend, 1 others refuse our mail because of our address, or notices went to strangers, \
2 wrong usage, 3 a log could not be read";

/// The arguments of `log`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct LogArgs {
    /// Mail logs, plain or compressed with gzip, xz or zstd, in any order; '-' is standard input, such as that of
    /// journalctl -o short-iso [default: `maillog_file` of the configuration, else /var/log/mail.log, else
    /// /var/log/maillog]
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The configuration directory, or a main.cf, that is asked for causes [default: that of this host, if it
    /// has one]
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
