//! The arguments of `query`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{InstanceArgs, TraceFormatArg};

pub(super) const QUERY_EXIT_CODES: &str = "\
Exit codes: 0 at least one key is found, 1 no key is found, or the table fails, 2 wrong usage or settings, \
3 it cannot be known, or postlint could not do its job";

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
