//! What Postfix learns from the machine that it runs on: the host name and the network interfaces.

use std::net::IpAddr;

use anyhow::Context;
use nix::sys::socket::SockaddrStorage;

/// The machine as far as Postfix's defaults depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The kernel's host name.
    pub name: String,
    /// Addresses of the interfaces with the lengths of their network prefixes.
    pub interfaces: Vec<(IpAddr, u8)>,
}

impl Host {
    /// A machine of which nothing is known: the host name that Postfix falls back to, and the loopback
    /// interface.
    pub fn unknown() -> Self {
        Self {
            name: "localhost".to_owned(),
            interfaces: vec![
                (IpAddr::from([127, 0, 0, 1]), 8),
                (IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), 128),
            ],
        }
    }
}

impl Host {
    /// This machine.
    ///
    /// # Errors
    /// The operating system does not say its name or its interfaces.
    pub fn this() -> anyhow::Result<Self> {
        let name = nix::unistd::gethostname().context("cannot get the name of this host")?;
        let interfaces = nix::ifaddrs::getifaddrs()
            .context("cannot list the network interfaces of this host")?
            .filter_map(|interface| {
                let address = ip(interface.address.as_ref()?)?;
                let mask = interface.netmask.as_ref().and_then(ip);
                let bits = match mask {
                    Some(IpAddr::V4(mask)) => mask.to_bits().leading_ones(),
                    Some(IpAddr::V6(mask)) => mask.to_bits().leading_ones(),
                    None if address.is_ipv4() => 32,
                    None => 128,
                };
                Some((address, u8::try_from(bits).ok()?))
            })
            .collect();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            interfaces,
        })
    }

    /// The default of `mynetworks` for a `mynetworks_style`, over the interfaces that `inet_interfaces` and
    /// `inet_protocols` leave (`src/global/mynetworks.c`).
    pub fn networks(&self, style: &str, interfaces: &str, protocols: &str) -> String {
        let wanted = |address: &IpAddr| {
            let family = protocols.split([',', ' ', '\t']).any(|word| {
                word == "all"
                    || (word == "ipv4" && address.is_ipv4())
                    || (word == "ipv6" && address.is_ipv6())
            });
            let interface = match interfaces.trim() {
                "all" => true,
                "loopback-only" => address.is_loopback(),
                list => list.split([',', ' ', '\t']).any(|word| {
                    let word = word.trim_start_matches('[').trim_end_matches(']');
                    word.parse::<IpAddr>()
                        .is_ok_and(|listed| listed == *address)
                        || (word == "localhost" && address.is_loopback())
                }),
            };
            family && interface
        };
        let mut networks: Vec<String> = Vec::new();
        for (address, prefix) in self
            .interfaces
            .iter()
            .filter(|(address, _)| wanted(address))
        {
            let length = match (style.trim(), address) {
                ("host", IpAddr::V4(_)) => 32,
                ("host", IpAddr::V6(_)) => 128,
                ("class", IpAddr::V4(address)) => match address.octets()[0] {
                    0..=127 => 8,
                    128..=191 => 16,
                    192..=223 => 24,
                    _ => 32,
                },
                _ => *prefix,
            };
            let text = match ipnet::IpNet::new(*address, length) {
                Ok(network) if address.is_ipv6() => {
                    format!("[{}]/{length}", network.network())
                }
                Ok(network) => format!("{}/{length}", network.network()),
                Err(_) => continue,
            };
            if !networks.contains(&text) {
                networks.push(text);
            }
        }
        networks.join(" ")
    }
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
        (_, Some(v6)) => Some(IpAddr::V6(v6.ip())),
        _ => None,
    }
}
