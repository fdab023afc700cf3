//! The command line: definitions only, one file for the arguments of a command.

mod apply;
mod catalogue;
mod check;
mod diff;
mod listed;
mod log;
mod postconf;
mod query;
mod queue;
mod replay;
mod trace;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use apply::ApplyArgs;
pub use catalogue::{ExplainArgs, RulesArgs};
pub use check::{CheckArgs, FixArgs, SelectionArgs};
pub use diff::{DiffArgs, DiffFormatArg};
pub use listed::ListedArgs;
pub use log::LogArgs;
pub use postconf::PostconfArgs;
pub use query::{QueryArgs, QueryRoleArg};
pub use queue::QueueArgs;
pub use replay::ReplayArgs;
pub use trace::TraceArgs;
pub use verify::VerifyArgs;

use crate::finding::Severity;
use crate::instance::builtin::Version;
use crate::settings::{path_pair, target_version};

/// Says what Postfix will do with a configuration, and what is wrong with it.
#[derive(Clone, Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    args_override_self = true,
    max_term_width = 100,
    after_help = EXIT_CODES
)]
pub struct Cli {
    /// What to do; `check` when it is left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The arguments of `check`, when no command is named.
    #[command(flatten)]
    pub check: CheckArgs,
}

const EXIT_CODES: &str = "\
Exit codes: 0 nothing found at or above the threshold, 1 something found, 2 wrong usage or settings, \
3 postlint could not do its job";

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Find what is wrong with a configuration (also without the word check)
    #[command(after_help = EXIT_CODES, args_override_self = true)]
    Check(Box<CheckArgs>),
    /// Print the page of a rule, or what is known of a parameter
    Explain(ExplainArgs),
    /// List all rules
    Rules(RulesArgs),
    /// Say what happens to mail for an address, and why: the reply of smtpd, and what follows
    Trace(Box<TraceArgs>),
    /// Read the mail log: who refuses our mail, which notices went to strangers and why, who tries names
    #[command(after_help = log::LOG_EXIT_CODES)]
    Log(Box<LogArgs>),
    /// Ask a configuration what it would answer to the recipients of a mail log, and say what would be otherwise
    #[command(after_help = replay::REPLAY_EXIT_CODES)]
    Replay(Box<ReplayArgs>),
    /// Ask a lookup table, as postmap -q does, and say which line answers
    #[command(after_help = query::QUERY_EXIT_CODES)]
    Query(Box<QueryArgs>),
    /// Find backscatter, and mail that would be refused today, in the mail queue
    #[command(after_help = queue::QUEUE_EXIT_CODES)]
    Queue(Box<QueueArgs>),
    /// Ask a running server whether it refuses what it must: up to RCPT TO, no mail is sent
    #[command(after_help = verify::VERIFY_EXIT_CODES)]
    Verify(Box<VerifyArgs>),
    /// Say whether the addresses of this host are on DNS blocklists, and where to ask for removal: asks DNS
    #[command(after_help = listed::LISTED_EXIT_CODES)]
    Listed(Box<ListedArgs>),
    /// Say what changes for mail between two configurations, or two revisions of one
    #[command(after_help = diff::DIFF_HELP)]
    Diff(Box<DiffArgs>),
    /// Fix, build indexes, reload Postfix, and prove it; shows the steps unless told to --run
    #[command(after_help = apply::APPLY_EXIT_CODES)]
    Apply(Box<ApplyArgs>),
    /// Print what Postfix's own postconf(1) prints, with its options, on a machine that need not have Postfix
    Postconf(PostconfArgs),
}

/// What to look at, and as whose.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct InstanceArgs {
    /// The version of Postfix that the configuration is meant for, such as 3.7 or 2.10.1 [default: that of
    /// the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = target_version)]
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
    /// Ask tables that are not files (LDAP, SQL, sockets) through the installed postmap: connects to servers
    #[arg(long)]
    pub live_tables: bool,
    /// Read settings from FILE [default: postlint.toml beside main.cf]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// How the outcome is told.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// The form of the report [default: full]
    #[arg(long, value_enum)]
    pub format: Option<FormatArg>,
    /// Write the report to FILE
    #[arg(long, value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
    /// Count findings by rule in place of showing them
    #[arg(long)]
    pub statistics: bool,
    /// Say nothing besides the findings
    #[arg(long, short)]
    pub quiet: bool,
    /// Exit with 1 from this severity on [default: warning]
    #[arg(long, value_name = "SEVERITY", value_enum)]
    pub fail_on: Option<SeverityArg>,
    /// Exit with 0 whatever was found
    #[arg(long)]
    pub exit_zero: bool,
}

/// The form of a trace as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TraceFormatArg {
    /// An explanation for people
    Text,
    /// One JSON object a line
    Json,
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
    /// SARIF 2.1.0, for code scanning services
    Sarif,
    /// Annotations of GitHub Actions
    Github,
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
