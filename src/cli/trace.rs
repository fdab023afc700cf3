//! The arguments of `trace`.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use super::{ColorArg, InstanceArgs, TraceFormatArg};

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

/// Reads an address with the length of its network.
fn interface(text: &str) -> Result<(IpAddr, u8), String> {
    let network: ipnet::IpNet = text.parse().map_err(|_| {
        "expected an address and the length of its network, such as 192.0.2.1/24".to_owned()
    })?;
    Ok((network.addr(), network.prefix_len()))
}
