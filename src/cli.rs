//! The command line: definitions only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::finding::Severity;
use crate::instance::builtin::Version;

/// Says what Postfix will do with a configuration, and what is wrong with it.
#[derive(Clone, Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 100)]
pub struct Cli {
    /// What to do; `check` when it is left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `check`, when no command is named.
    #[command(flatten)]
    pub check: CheckArgs,
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Find what is wrong with a configuration (what postlint does when no command is named)
    Check(CheckArgs),
}

/// What to look at, and as whose.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct InstanceArgs {
    /// The version of Postfix that the configuration is meant for, such as 3.7 or 2.10.1 [default: that of
    /// the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub postfix_version: Option<Version>,
    /// Look for files below FROM, as the configuration names them, below TO; may be repeated
    #[arg(long, value_name = "FROM=TO", value_parser = path_pair)]
    pub map_path: Vec<(PathBuf, PathBuf)>,
    /// A directory in front of all absolute names in the configuration
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// A file in the format of passwd(5), or with one name a line, with the local users
    #[arg(long, value_name = "FILE")]
    pub passwd: Option<PathBuf>,
}

/// The arguments of `check`.
#[derive(Clone, Debug, Default, Args)]
pub struct CheckArgs {
    /// Configuration directories, main.cf, master.cf or lookup tables; '-' is a main.cf on standard input
    /// [default: the configuration of this host]
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Rules to run: names, codes or the letters of a group, separated by commas
    #[arg(
        long,
        value_name = "RULES",
        value_delimiter = ',',
        help_heading = "Rules"
    )]
    pub select: Vec<String>,
    /// Rules to leave out
    #[arg(
        long,
        value_name = "RULES",
        value_delimiter = ',',
        help_heading = "Rules"
    )]
    pub ignore: Vec<String>,
    /// Show nothing below this severity
    #[arg(long, value_name = "SEVERITY", value_enum, help_heading = "Rules")]
    pub severity: Option<SeverityArg>,
    /// Show notes, too
    #[arg(long, help_heading = "Rules")]
    pub pedantic: bool,

    /// The form of the report [default: full]
    #[arg(long, value_enum, help_heading = "Output")]
    pub format: Option<FormatArg>,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        global = true,
        help_heading = "Output"
    )]
    pub color: Option<ColorArg>,
    /// Exit with 1 from this severity on [default: warning]
    #[arg(long, value_name = "SEVERITY", value_enum, help_heading = "Output")]
    pub fail_on: Option<SeverityArg>,
    /// Exit with 0 whatever was found
    #[arg(long, help_heading = "Output")]
    pub exit_zero: bool,

    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// A severity as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SeverityArg {
    /// Worth knowing
    Note,
    /// Likely wrong
    Warning,
    /// Mail is lost, bounced to strangers, refused to everyone, or relayed for strangers
    Error,
}

impl From<SeverityArg> for Severity {
    fn from(severity: SeverityArg) -> Self {
        match severity {
            SeverityArg::Note => Self::Note,
            SeverityArg::Warning => Self::Warning,
            SeverityArg::Error => Self::Error,
        }
    }
}

/// The form of a report as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FormatArg {
    /// The lines in question with the places marked, notes and fixes
    Full,
    /// One line a finding
    Concise,
    /// JSON, for programs
    Json,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorArg {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

fn version(text: &str) -> Result<Version, String> {
    Version::target(text).ok_or_else(|| "a version looks like 3.7 or 3.7.11".to_owned())
}

fn path_pair(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.split_once('=') {
        Some((from, to)) if from.starts_with('/') && !to.is_empty() => Ok((from.into(), to.into())),
        _ => {
            Err("expected FROM=TO, FROM an absolute path as the configuration names it".to_owned())
        }
    }
}
