//! The arguments of `check`.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{InstanceArgs, OutputArgs, SeverityArg};

/// The arguments of `check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Configuration directories, main.cf, master.cf or lookup tables; '-' is a main.cf on standard input
    /// [default: the configuration of this host]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// What becomes of the fixes.
    #[command(flatten)]
    pub fixes: FixArgs,
    /// Which rules run, and what is shown.
    #[command(flatten)]
    pub rules: SelectionArgs,
    /// How the outcome is told.
    #[command(flatten)]
    pub output: OutputArgs,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// What becomes of the fixes.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Fixes")]
#[command(group = ArgGroup::new("applies").multiple(true))]
pub struct FixArgs {
    /// Apply the safe fixes, and report what remains; a main.cf on standard input goes to standard output
    #[arg(long, group = "applies")]
    pub fix: bool,
    /// Show what --fix would change as a unified diff, and change nothing
    #[arg(long, group = "applies", conflicts_with_all = ["output", "backup"])]
    pub diff: bool,
    /// Apply also the fixes that are right in most cases only: review what they do
    #[arg(long, requires = "applies")]
    pub unsafe_fixes: bool,
    /// Write the files that change into DIR, and leave the configuration as it is
    #[arg(long, value_name = "DIR", requires = "fix", conflicts_with = "backup")]
    pub output: Option<PathBuf>,
    /// Keep the old files, with SUFFIX (.orig when left out) behind their names
    #[arg(
        long,
        value_name = "SUFFIX",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = ".orig",
        value_parser = backup_suffix,
        requires = "fix"
    )]
    pub backup: Option<String>,
    /// Addresses, one a line, whose mail safe fixes must not lose, besides those in the tables
    #[arg(long, value_name = "FILE", requires = "applies")]
    pub recipients: Option<PathBuf>,
}

/// Reads the suffix of backups.
pub(super) fn backup_suffix(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['/', '\0']) {
        return Err("a suffix is some text without a slash".to_owned());
    }
    Ok(text.to_owned())
}

fn trimmed(word: &str) -> Result<String, std::convert::Infallible> {
    Ok(word.trim().to_owned())
}

/// Which rules run, and what is shown.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Rules")]
pub struct SelectionArgs {
    /// Rules to run: names, codes or the letters of a group, separated by commas
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = trimmed)]
    pub select: Vec<String>,
    /// Rules to leave out
    #[arg(long, value_name = "RULES", value_delimiter = ',', value_parser = trimmed)]
    pub ignore: Vec<String>,
    /// Show nothing below this severity
    #[arg(long, value_enum)]
    pub severity: Option<SeverityArg>,
    /// Show notes, too
    #[arg(long)]
    pub pedantic: bool,
}
