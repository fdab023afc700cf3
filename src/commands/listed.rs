//! `postlint listed`: whether addresses are on DNS blocklists.

use std::io::Write;
use std::net::{IpAddr, ToSocketAddrs};
use std::path::Path;

use anyhow::Context;

use super::color;
use super::instances::configuration;
use super::verify::host_and_port;
use crate::cli::{ListedArgs, TraceFormatArg};
use crate::exit::{Exit, UsageError};
use crate::instance::Instance;
use crate::instance::hostname::hostname_fault;
use crate::live::dnsbl::{Report, Resolver, Says, Zone, is_public, known, look_up};
use crate::report::ListedWriter;
use crate::rules::closed_dnsbl;

const DNS: u16 = 53;
const RESOLV_CONF: &str = "/etc/resolv.conf";

pub(super) fn run(args: &ListedArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    if args.timeout.is_zero() {
        return Err(UsageError("--timeout has to be longer than 0".to_owned()).into());
    }
    let zones = zones(&args.zones)?;
    let resolver = resolver(args)?;
    let mut addresses = args.addresses.clone();
    addresses.extend(&args.more_addresses);
    if addresses.is_empty() {
        let instance = configuration(args.directory.as_deref(), &args.instance, &[])?;
        addresses = own_addresses(&instance);
        if addresses.is_empty() {
            return Err(UsageError(
                "the configuration names no public address: say which one the Internet sees"
                    .to_owned(),
            )
            .into());
        }
    }
    let mut once: Vec<IpAddr> = Vec::new();
    for address in addresses.iter().map(IpAddr::to_canonical) {
        if !once.contains(&address) {
            once.push(address);
        }
    }
    let reports = look_up(&resolver, &zones, &once);
    let writer = ListedWriter::new(&zones);
    match args.format {
        TraceFormatArg::Text => writer.text(&reports, out)?,
        TraceFormatArg::Json => writer.json(&reports, out)?,
    }
    Ok(exit(&reports))
}

/// Listed counts more than unknown: something is to be done. An address that no list has although some do not
/// answer is not clean everywhere.
fn exit(reports: &[Report]) -> Exit {
    let listings = || reports.iter().flat_map(|report| &report.listings);
    let has = |says: Says| listings().flatten().any(|listing| listing.says == says);
    if has(Says::Listed) {
        Exit::Findings
    } else if has(Says::Unknown)
        || reports
            .iter()
            .any(|report| report.listings.iter().all(Option::is_none))
    {
        Exit::Failure
    } else {
        Exit::Clean
    }
}

fn zones(names: &[String]) -> Result<Vec<Zone>, UsageError> {
    if names.is_empty() {
        return Ok(known());
    }
    let mut zones: Vec<Zone> = Vec::new();
    for name in names {
        let zone = Zone::named(name);
        if hostname_fault(&zone.name).is_some() {
            return Err(UsageError(format!("{name} cannot be the domain of a list")));
        }
        if let Some(year) = closed_dnsbl(&zone.name) {
            return Err(UsageError(format!(
                "{name} closed in {year}: its answers mean nothing"
            )));
        }
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    Ok(zones)
}

fn resolver(args: &ListedArgs) -> anyhow::Result<Resolver> {
    let Some(server) = &args.dns_server else {
        return Ok(Resolver::of_file(Path::new(RESOLV_CONF), args.timeout));
    };
    let (host, port) = host_and_port(server, DNS)?;
    let found = (host, port).to_socket_addrs();
    let servers: Vec<_> = found
        .with_context(|| format!("cannot find the address of {host}"))?
        .take(1)
        .collect();
    Ok(Resolver {
        servers,
        patience: args.timeout,
    })
}

/// The public addresses that a configuration sends from, else those that it says are its own.
fn own_addresses(instance: &Instance) -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = Vec::new();
    for name in ["smtp_bind_address", "smtp_bind_address6"] {
        addresses.extend(of_clients(instance, name));
    }
    let main = instance.scope();
    let words = |name: &'static str| main.parameter(name).text();
    if addresses.is_empty() {
        let (interfaces, protocols) = (words("inet_interfaces"), words("inet_protocols"));
        addresses.extend(instance.host().own(&interfaces, &protocols));
        // Behind a translator of addresses these are what the Internet sees.
        let proxies = words("proxy_interfaces");
        let proxies = proxies
            .split([' ', '\t', ','])
            .map(|word| word.trim_matches(['[', ']']));
        addresses.extend(proxies.filter_map(|word| word.parse::<IpAddr>().ok()));
    }
    addresses.retain(|address| is_public(*address));
    addresses
}

/// The values that a parameter has for the SMTP clients of master.cf.
fn of_clients(instance: &Instance, name: &'static str) -> Vec<IpAddr> {
    let clients = instance
        .services()
        .filter(|service| service.line.command() == "smtp");
    let texts = clients.map(|service| service.parameter(name).text());
    texts
        .filter_map(|text| text.trim_matches(['[', ']']).parse().ok())
        .collect()
}
