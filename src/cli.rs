//! The command line: definitions only.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{ArgAction, ArgGroup, Args, Parser, Subcommand, ValueEnum};

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

const QUERY_EXIT_CODES: &str = "\
Exit codes: 0 at least one key is found, 1 no key is found, or the table fails, 2 wrong usage or settings, \
3 it cannot be known, or postlint could not do its job";

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
    /// Ask a lookup table, as postmap -q does, and say which line answers
    #[command(after_help = QUERY_EXIT_CODES)]
    Query(Box<QueryArgs>),
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
fn backup_suffix(text: &str) -> Result<String, String> {
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

/// The arguments of `explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The name or code of a rule, the letters of a group, or the name of a parameter
    #[arg(value_name = "RULE|PARAMETER", required = true)]
    pub words: Vec<String>,
    /// The version of Postfix whose parameters are meant [default: that of the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = target_version)]
    pub postfix_version: Option<Version>,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
}

/// The arguments of `rules`.
#[derive(Clone, Debug, Args)]
pub struct RulesArgs {
    /// As a page in Markdown
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// As JSON, for programs
    #[arg(long)]
    pub json: bool,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN")]
    pub color: Option<ColorArg>,
}

/// The arguments of `trace`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct TraceArgs {
    /// The addresses that a client names after RCPT TO
    #[arg(value_name = "ADDRESS")]
    pub addresses: Vec<OsString>,
    /// The configuration directory, or a main.cf [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Read more addresses from FILE, one a line; '-' is standard input
    #[arg(long, value_name = "FILE")]
    pub recipients: Option<PathBuf>,
    /// The smtpd that is asked, as master.cf names it: smtp, or smtp/inet [default: the one that strangers
    /// reach]
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,

    /// The address of the client [default: 198.51.100.7, a stranger]
    #[arg(long, value_name = "IP", help_heading = "Client")]
    pub client: Option<IpAddr>,
    /// The name of the client in DNS, or unknown [default: unknown, with --client]
    #[arg(long, value_name = "NAME", help_heading = "Client")]
    pub client_name: Option<String>,
    /// What the client says after HELO [default: its name]
    #[arg(long, value_name = "NAME", help_heading = "Client")]
    pub helo: Option<String>,
    /// The sender after MAIL FROM; empty for a bounce (default: someone@example.net)
    #[arg(long, value_name = "ADDRESS", help_heading = "Client")]
    pub from: Option<String>,
    /// The name under which the client has logged in
    #[arg(long, value_name = "USER", help_heading = "Client")]
    pub sasl: Option<String>,
    /// The client uses TLS
    #[arg(long, help_heading = "Client")]
    pub tls: bool,

    /// An address of a network interface with the length of its network, such as 192.0.2.1/24; may be repeated
    /// [default: those of this host; a copy of another host's files has the loopback interface only]
    #[arg(long = "interface", value_name = "ADDR/LEN", value_parser = interface)]
    pub interfaces: Vec<(IpAddr, u8)>,
    /// As text, or one JSON object for each address
    #[arg(long, value_enum, default_value_t = TraceFormatArg::Text, help_heading = "Output")]
    pub format: TraceFormatArg,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorArg>,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// The arguments of `query`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct QueryArgs {
    /// The table, as main.cf names it; or '$PARAMETER', the tables of a parameter, which are asked in order
    #[arg(value_name = "TYPE:NAME")]
    pub table: OsString,
    /// What is looked up, as it is: no address is taken apart; '-' reads keys from standard input, one a line
    #[arg(value_name = "KEY", required = true)]
    pub keys: Vec<OsString>,
    /// The configuration directory, or a main.cf [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Which program asks: they refuse different things [default: postmap -q; the source of an index is
    /// in the format of aliases(5) if it is listed in `alias_maps` or `alias_database`]
    #[arg(long = "as", value_name = "USE", value_enum)]
    pub role: Option<QueryRoleArg>,
    /// As text, or one JSON object for each key
    #[arg(long, value_enum, default_value_t = TraceFormatArg::Text, help_heading = "Output")]
    pub format: TraceFormatArg,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}

/// For what a table is used, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum QueryRoleArg {
    /// postmap -q, and most programs: the source of an index is in the format of postmap(1)
    Map,
    /// local(8), `alias_maps`: the source of an index is in the format of aliases(5)
    Alias,
    /// trivial-rewrite(8), `transport_maps`: no $1 in results
    Transport,
    /// virtual(8), `virtual_mailbox_maps`: no $1 in results, no folding
    Mailbox,
    /// A list of domains, such as mydestination: no folding of what the table holds
    List,
    /// `header_checks` and the other checks: no folding, no UTF-8
    Checks,
}

/// The form of a trace as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TraceFormatArg {
    /// An explanation for people
    Text,
    /// One JSON object a line
    Json,
}

/// Reads an address with the length of its network.
fn interface(text: &str) -> Result<(IpAddr, u8), String> {
    let network: ipnet::IpNet = text.parse().map_err(|_| {
        "expected an address and the length of its network, such as 192.0.2.1/24".to_owned()
    })?;
    Ok((network.addr(), network.prefix_len()))
}

/// The arguments of `postconf`: those of postconf(1) that only look.
#[derive(Clone, Debug, Default, Args)]
#[command(disable_help_flag = true, args_override_self = true)]
pub struct PostconfArgs {
    /// Parameters to print; with -M, -F and -P patterns service[/type[/name]] [default: all]
    #[arg(value_name = "NAME")]
    pub names: Vec<OsString>,

    /// The configuration directory [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Classes of parameters to print: builtin, service, user, all
    #[arg(short = 'C', value_name = "CLASS")]
    pub class: Option<String>,
    /// Print defaults instead of values
    #[arg(short = 'd')]
    pub defaults: bool,
    /// Fold long lines
    #[arg(short = 'f')]
    pub fold: bool,
    /// Print the fields of the entries in master.cf
    #[arg(short = 'F')]
    pub fields: bool,
    /// Print values without names
    #[arg(short = 'h')]
    pub hide_names: bool,
    /// Print names without values
    #[arg(short = 'H')]
    pub hide_values: bool,
    /// Print the entries in master.cf
    #[arg(short = 'M')]
    pub entries: bool,
    /// Print only what is set in main.cf
    #[arg(short = 'n')]
    pub settings: bool,
    /// Take this value instead of that in main.cf; may be repeated
    #[arg(short = 'o', value_name = "NAME=VALUE")]
    pub overrides: Vec<OsString>,
    /// Print the parameters of main.cf, as without -M, -F and -P
    #[arg(short = 'p')]
    pub parameters: bool,
    /// Print the parameters that are set in master.cf
    #[arg(short = 'P')]
    pub overrides_of_services: bool,
    /// Do not warn of parameters that are unused or deprecated
    #[arg(short = 'q')]
    pub quiet: bool,
    /// Expand $name in values
    #[arg(short = 'x')]
    pub expand: bool,

    /// The version of postconf, such as 3.7 or 2.10.1 [default: that of the installed one, else the newest]
    #[arg(long, value_name = "VERSION", value_parser = target_version)]
    pub postfix_version: Option<Version>,
    /// Print help
    #[arg(long, action = ArgAction::Help)]
    pub help: Option<bool>,
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
