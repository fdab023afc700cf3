//! The arguments of `apply`.

use std::path::PathBuf;

use clap::Args;

use super::check::backup_suffix;
use super::{ColorArg, InstanceArgs, SelectionArgs};

pub(super) const APPLY_EXIT_CODES: &str = "\
Exit codes: 0 nothing to do, or all is done and proved, 1 there is something to do, or what was done is not proved, \
2 wrong usage or settings, 3 a step failed and everything was put back, or postlint could not do its job";

/// The arguments of `apply`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct ApplyArgs {
    /// The configuration directory [default: that of this host]
    #[arg(value_name = "PATH")]
    pub path: Option<PathBuf>,
    /// Do it; without this, the steps are shown and nothing is changed
    #[arg(long, visible_alias = "yes")]
    pub run: bool,
    /// Apply also the fixes that are right in most cases only: review what they do
    #[arg(long)]
    pub unsafe_fixes: bool,
    /// Keep the old files, with SUFFIX (.orig when left out) behind their names
    #[arg(
        long,
        value_name = "SUFFIX",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ".orig",
        value_parser = backup_suffix
    )]
    pub backup: Option<String>,
    /// Addresses, one a line, whose mail safe fixes must not lose, besides those in the tables
    #[arg(long, value_name = "FILE")]
    pub recipients: Option<PathBuf>,
    /// Do not ask the running server at the end
    #[arg(long)]
    pub no_verify: bool,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
    /// Which rules run, and what is shown.
    #[command(flatten)]
    pub rules: SelectionArgs,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}
