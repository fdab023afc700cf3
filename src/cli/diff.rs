//! The arguments of `diff`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{ColorArg, InstanceArgs, SelectionArgs};

/// What `diff` says at the end of its help.
pub(super) const DIFF_HELP: &str = "\
OLD and NEW are configuration directories or main.cf files, or REV:PATH for a revision of the git repository \
around the current directory: HEAD~1:etc/postfix, or :etc/postfix for what is staged. Paths of other options \
that lie in the repository are those of the same revision.

Exit codes: 0 nobody loses mail, 1 mail that is delivered with OLD is not with NEW, or a stranger can relay who \
could not, 2 wrong usage or settings, 3 postlint could not do its job";

/// The arguments of `diff`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct DiffArgs {
    /// The configuration as it is
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The configuration as it is to be
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Compare these addresses, too, one a line, before all others; '-' is standard input
    #[arg(long, value_name = "FILE")]
    pub recipients: Option<PathBuf>,
    /// Compare at most so many addresses
    #[arg(long, value_name = "NUMBER", default_value_t = crate::mail::behaviour::MOST_ADDRESSES)]
    pub most_addresses: usize,

    /// The form of the report
    #[arg(long, value_enum, default_value_t = DiffFormatArg::Text, help_heading = "Output")]
    pub format: DiffFormatArg,
    /// Show so many addresses of those that change in the same way; JSON has all of them
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 10,
        help_heading = "Output"
    )]
    pub show: usize,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorArg>,
    /// Which findings are compared.
    #[command(flatten)]
    pub rules: SelectionArgs,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// The form of the report as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormatArg {
    /// For people
    Text,
    /// For a comment in a review
    Markdown,
    /// For programs
    Json,
}
