//! The arguments of `verify`.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{ColorArg, InstanceArgs, TraceFormatArg};

pub(super) const VERIFY_EXIT_CODES: &str = "\
Exit codes: 0 proved: all that has to be refused is refused, 1 something is accepted, or not refused for good, \
2 wrong usage or settings, 3 it cannot be known, or postlint could not do its job";

/// The arguments of `verify`.
#[derive(Clone, Debug, Args)]
#[command(args_override_self = true)]
pub struct VerifyArgs {
    /// The server: a name or an address, with a port when it is not 25
    #[arg(value_name = "HOST[:PORT]")]
    pub host: String,
    /// I am the operator of HOST. Needed unless HOST is this machine
    #[arg(long)]
    pub i_run_this_host: bool,
    /// The configuration directory of the server, or its main.cf [default: that of this host, when HOST is this
    /// host]
    #[arg(short = 'c', value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// A domain of the server; may be repeated [default: all domains of the configuration]
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub domains: Vec<String>,
    /// The smtpd in master.cf that answers [default: the one with this port, else the one that strangers reach]
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,
    /// Changes the names that are made up
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub seed: String,
    /// Do not ask whether the server relays: to clients in mynetworks, such as itself, it does
    #[arg(long)]
    pub no_relay: bool,

    /// The sender besides the null sender [default: one whom the configuration accepts]
    #[arg(long, value_name = "ADDRESS", help_heading = "Client")]
    pub from: Option<String>,
    /// What is said after EHLO [default: the name of this machine, or its address]
    #[arg(long, value_name = "NAME", help_heading = "Client")]
    pub helo: Option<String>,
    /// Have the server take this client for another one; it has to allow that (`smtpd_authorized_xclient_hosts`)
    #[arg(long, value_name = "IP", help_heading = "Client")]
    pub xclient: Option<IpAddr>,
    /// The name of the client in DNS, as the server sees it [default: not known; localhost from this host]
    #[arg(long, value_name = "NAME", help_heading = "Client")]
    pub client_name: Option<String>,
    /// Do not use STARTTLS
    #[arg(long, help_heading = "Client")]
    pub no_tls: bool,
    /// How long to wait for each answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, help_heading = "Client")]
    pub timeout: Duration,
    /// The time between two recipients, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "0.1", value_parser = seconds, help_heading = "Client")]
    pub pause: Duration,

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

/// Reads a time, with a fraction or without.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    match seconds {
        0.0..=600.0 => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("expected a number from 0 to 600".to_owned()),
    }
}
