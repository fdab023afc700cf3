//! The arguments of `listed`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::verify::seconds;
use super::{ColorArg, InstanceArgs, TraceFormatArg};

pub(super) const LISTED_EXIT_CODES: &str = "\
Exit codes: 0 no list has an address, 1 a list has one, 2 wrong usage or settings, 3 no list that answers has \
one, but not all lists answer, or postlint could not do its job";

/// The arguments of `listed`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct ListedArgs {
    /// The addresses in question [default: the public ones from which the configuration sends, or where it
    /// listens]
    #[arg(value_name = "IP")]
    pub addresses: Vec<IpAddr>,
    /// As IP
    #[arg(long = "ip", value_name = "IP")]
    pub more_addresses: Vec<IpAddr>,
    /// The configuration directory, or a main.cf [default: that of this host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Ask this list, and no others but those that are named so; may be repeated
    #[arg(long = "zone", value_name = "ZONE")]
    pub zones: Vec<String>,
    /// The DNS server to ask [default: those in /etc/resolv.conf]. Big public ones get no answers from many
    /// lists
    #[arg(long, value_name = "HOST[:PORT]")]
    pub dns_server: Option<String>,
    /// How long to wait for each answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub timeout: Duration,

    /// As text, or as JSON
    #[arg(long, value_enum, default_value_t = TraceFormatArg::Text, help_heading = "Output")]
    pub format: TraceFormatArg,
    /// When to use colours [default: auto, on a terminal unless `NO_COLOR` is set]
    #[arg(long, value_enum, value_name = "WHEN", help_heading = "Output")]
    pub color: Option<ColorArg>,
    /// What to look at, and as whose.
    #[command(flatten)]
    pub instance: InstanceArgs,
}
