//! `postlint verify`: asks a running server whether it refuses what it has to refuse.

use std::io::Write;
use std::net::{SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::Duration;

use anyhow::Context;

use super::color;
use super::instances::configuration;
use super::listener::listener;
use crate::cli::{TraceFormatArg, VerifyArgs};
use crate::exit::{Exit, UsageError};
use crate::instance::Instance;
use crate::instance::endpoint::Endpoint;
use crate::instance::host::Host;
use crate::instance::service::{Service, port_of};
use crate::live::probe::{Manner, Proof, Report, Server, Wish, run as probe};
use crate::live::smtp::{Failure, Limits};
use crate::mail::{Session, Tracer};
use crate::report::VerifyWriter;

/// Nobody waits longer for a whole run.
const OVERALL: Duration = Duration::from_secs(600);
/// So many addresses of a name are tried.
const MOST_ADDRESSES: usize = 4;
const SMTP: u16 = 25;

pub(super) fn run(args: &VerifyArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    if args.timeout.is_zero() {
        return Err(UsageError("--timeout has to be longer than 0".to_owned()).into());
    }
    check_words(args)?;
    let (host, port) = host_and_port(&args.host, SMTP)?;
    let addresses: Vec<SocketAddr> = (host, port)
        .to_socket_addrs()
        .with_context(|| format!("cannot find the address of {host}"))?
        .take(MOST_ADDRESSES)
        .collect();
    let is_own = addresses.iter().all(is_own_address);
    if !is_own && !args.i_run_this_host {
        return Err(UsageError(format!(
            "{host} is not this machine; if you run it, say so with --i-run-this-host"
        ))
        .into());
    }
    let instance = model_of(args, is_own)?;
    let tracer = match &instance {
        Some(instance) => Some(Tracer::of(service(instance, args, port)?)),
        None => None,
    };
    let wish = Wish {
        domains: args.domains.clone(),
        sender: args.from.as_deref().map(bare),
        seed: args.seed.clone(),
        relay: !args.no_relay,
    };
    let mut outcome = Err(Failure::NoConnection("it has no address".to_owned()));
    let mut tried = SocketAddr::from(([0, 0, 0, 0], port));
    for address in addresses {
        tried = address;
        let server = Server {
            name: host.to_owned(),
            address,
        };
        outcome = probe(&server, &manner(args, address), tracer.as_ref(), &wish);
        if !matches!(outcome, Err(Failure::NoConnection(_))) {
            break;
        }
    }
    let writer = VerifyWriter::new(host, tried, tracer.as_ref());
    match args.format {
        TraceFormatArg::Text => writer.text(&outcome, out)?,
        TraceFormatArg::Json => writer.json(&outcome, out)?,
    }
    Ok(exit(&outcome))
}

fn exit(outcome: &Result<Report, Failure>) -> Exit {
    match outcome.as_ref().map(|report| report.proof) {
        Ok(Proof::Proved) => Exit::Clean,
        Ok(Proof::Failed) => Exit::Findings,
        Ok(Proof::Unknown) | Err(_) => Exit::Failure,
    }
}

/// What goes into a command must not end it.
fn check_words(args: &VerifyArgs) -> Result<(), UsageError> {
    let words = [&args.from, &args.helo, &args.client_name];
    let words = words.into_iter().flatten().chain(&args.domains);
    for word in words {
        if word.chars().any(|c| c.is_control() || c == ' ') {
            return Err(UsageError(format!(
                "{word:?} cannot be part of a command of SMTP"
            )));
        }
    }
    Ok(())
}

/// A server as it is typed, with the port or without.
pub(super) fn host_and_port(text: &str, default: u16) -> Result<(&str, u16), UsageError> {
    let wrong = || UsageError(format!("{text} is no server: expected HOST or HOST:PORT"));
    let bare_address = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Some(address) = bare_address {
        return Ok((address, default));
    }
    if text.is_empty() || !text.contains(':') || text.parse::<std::net::Ipv6Addr>().is_ok() {
        return match text {
            "" => Err(wrong()),
            host => Ok((host, default)),
        };
    }
    let endpoint = Endpoint::parse(text).map_err(|_| wrong())?;
    let port = port_of(endpoint.port).filter(|port| *port != 0);
    match port {
        Some(port) if !endpoint.host.is_empty() => Ok((endpoint.host, port)),
        _ => Err(wrong()),
    }
}

/// Whether an address is one of this machine.
fn is_own_address(address: &SocketAddr) -> bool {
    let ip = address.ip();
    let is_of_interface =
        || Host::this().is_ok_and(|host| host.interfaces.iter().any(|(own, _)| *own == ip));
    ip.is_loopback() || ip.is_unspecified() || is_of_interface()
}

/// The configuration of the server; none where only domains are known.
fn model_of(args: &VerifyArgs, is_own: bool) -> anyhow::Result<Option<Instance>> {
    let directory = args.directory.as_deref();
    if directory.is_none() && !is_own {
        if args.domains.is_empty() {
            return Err(UsageError(
                "name the configuration of the server with -c, or its domains with --domain"
                    .to_owned(),
            )
            .into());
        }
        return Ok(None);
    }
    match configuration(directory, &args.instance, &[]) {
        Ok(instance) => Ok(Some(instance)),
        Err(_) if directory.is_none() && !args.domains.is_empty() => Ok(None),
        Err(error) => Err(error),
    }
}

fn service<'i>(
    instance: &'i Instance,
    args: &VerifyArgs,
    port: u16,
) -> anyhow::Result<Service<'i>> {
    let asked = match &args.service {
        Some(name) => Some(name.clone()),
        None => (instance.smtpd_services())
            .find(|service| service.port() == Some(port))
            .map(|service| service.label()),
    };
    listener(instance, asked.as_deref())
}

fn manner(args: &VerifyArgs, server: SocketAddr) -> Manner {
    let stranger = Session::stranger();
    let helo = match (&args.helo, args.xclient) {
        (Some(helo), _) => helo.clone(),
        (None, Some(_)) => (args.client_name.clone())
            .or(stranger.helo)
            .unwrap_or_default(),
        (None, None) => own_name(server),
    };
    Manner {
        helo,
        pose: args.xclient,
        client_name: args.client_name.clone(),
        tls: !args.no_tls,
        limits: Limits {
            patience: args.timeout,
            ..Limits::default()
        },
        pause: args.pause,
        overall: OVERALL,
    }
}

/// The name of this machine where it is one for the Internet, else its address as the server sees it.
pub(super) fn own_name(server: SocketAddr) -> String {
    if let Ok(host) = Host::this()
        && host.name.contains('.')
    {
        return host.name;
    }
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0; 16], 0).into(),
    };
    // This sends nothing: the system only says from which address it would.
    let local = UdpSocket::bind(any).and_then(|socket| {
        socket.connect(server)?;
        socket.local_addr()
    });
    match local.map(|address| address.ip()) {
        Ok(std::net::IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Ok(std::net::IpAddr::V4(address)) => format!("[{address}]"),
        Err(_) => "localhost".to_owned(),
    }
}

/// An address without `<` and `>`.
fn bare(address: &str) -> String {
    let inner = address.strip_prefix('<');
    let inner = inner.and_then(|address| address.strip_suffix('>'));
    inner.unwrap_or(address).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_as_they_are_typed() {
        for (text, host, port) in [
            ("mx.example.com", "mx.example.com", 25),
            ("mx.example.com:587", "mx.example.com", 587),
            ("mx.example.com:submission", "mx.example.com", 587),
            ("192.0.2.1", "192.0.2.1", 25),
            ("2001:db8::1", "2001:db8::1", 25),
            ("[2001:db8::1]", "2001:db8::1", 25),
            ("[2001:db8::1]:26", "2001:db8::1", 26),
        ] {
            assert_eq!(host_and_port(text, 25).unwrap(), (host, port), "{text}");
        }
        for text in ["", ":25", "a:0", "a:70000", "a:b", "a b:25"] {
            assert!(host_and_port(text, 25).is_err(), "{text}");
        }
    }
}
