//! What Postfix learns from the machine that it runs on: the host name and the network interfaces.

use std::net::{IpAddr, ToSocketAddrs};

use anyhow::Context;
use nix::errno::Errno;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, socket};

use super::parameter::LIST_SEPARATORS;

/// The machine as far as Postfix's defaults depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The kernel's host name.
    pub name: String,
    /// Addresses of the interfaces that are up, with the lengths of their network prefixes.
    pub interfaces: Vec<(IpAddr, u8)>,
    /// Whether the kernel knows IPv6.
    pub has_ipv6: bool,
}

/// Finds the addresses of a name or of a numeric address; none where it has none.
pub type Resolve = fn(&str) -> Vec<IpAddr>;

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
            has_ipv6: true,
        }
    }

    /// This machine.
    ///
    /// # Errors
    /// The operating system does not say its name or its interfaces.
    pub fn this() -> anyhow::Result<Self> {
        let name = nix::unistd::gethostname().context("cannot get the name of this host")?;
        let interfaces = nix::ifaddrs::getifaddrs()
            .context("cannot list the network interfaces of this host")?
            .filter(|interface| interface.flags.contains(InterfaceFlags::IFF_UP))
            .filter_map(|interface| {
                let address = ip(interface.address.as_ref()?)?;
                let bits = match ip(interface.netmask.as_ref()?)? {
                    IpAddr::V4(mask) => mask.to_bits().leading_ones(),
                    IpAddr::V6(mask) => mask.to_bits().leading_ones(),
                };
                let prefix = u8::try_from(bits).ok()?;
                (!address.is_unspecified()).then_some((address, prefix))
            })
            .collect();
        Ok(Self {
            name: name.to_string_lossy().into_owned(),
            interfaces,
            has_ipv6: kernel_has(AddressFamily::Inet6),
        })
    }

    /// The default of `mynetworks` for a `mynetworks_style`, over the interfaces that `inet_interfaces` and
    /// `inet_protocols` leave (`src/global/mynetworks.c`).
    ///
    /// # Errors
    /// Postfix's own words, with which a program ends.
    pub fn networks(
        &self,
        style: &str,
        interfaces: &str,
        protocols: &str,
        resolve: Resolve,
    ) -> Result<String, String> {
        let families = self.families(protocols)?;
        if families == Families::default() {
            return Ok(String::new());
        }
        let style = network_style(style)?;
        let mut networks: Vec<String> = Vec::new();
        for (address, prefix) in self.own_addresses(interfaces, families, resolve)? {
            let length = match (style, address) {
                (Style::Host, IpAddr::V4(_)) => 32,
                (Style::Host, IpAddr::V6(_)) => 128,
                (Style::Class, IpAddr::V4(address)) => match address.octets()[0] {
                    0..=127 => 8,
                    128..=191 => 16,
                    192..=223 => 24,
                    224..=239 => 4,
                    _ => {
                        return Err(format!("mynetworks_core: unknown address class: {address}"));
                    }
                },
                (Style::Class | Style::Subnet, _) => prefix,
            };
            let Ok(network) = ipnet::IpNet::new(address, length) else {
                continue;
            };
            let text = match network.network() {
                IpAddr::V4(network) => format!("{network}/{length}"),
                IpAddr::V6(network) => format!("[{network}]/{length}"),
            };
            if !networks.contains(&text) {
                networks.push(text);
            }
        }
        Ok(networks.join(" "))
    }

    /// The addresses that Postfix takes for its own, as far as `inet_interfaces` and `inet_protocols` say
    /// without asking the DNS. Where Postfix would not start, what can be read.
    pub fn own(&self, interfaces: &str, protocols: &str) -> Vec<IpAddr> {
        let families = self.families(protocols).unwrap_or(Families {
            v4: true,
            v6: self.has_ipv6,
        });
        match self.own_addresses(interfaces, families, resolve_offline) {
            Ok(found) => found.into_iter().map(|(address, _)| address).collect(),
            Err(_) => interfaces
                .split([' ', '\t', ','])
                .flat_map(|word| resolve_offline(word.trim_matches(['[', ']'])))
                .filter(|address| families.has(address))
                .collect(),
        }
    }

    /// Whether `inet_protocols` leaves the family of an address.
    pub fn has_family(&self, protocols: &str, address: IpAddr) -> bool {
        let families = self.families(protocols);
        families.map_or(true, |families| families.has(&address))
    }

    /// The address families that `inet_protocols` leaves (`src/util/inet_proto.c`).
    fn families(&self, protocols: &str) -> Result<Families, String> {
        let mut families = Families::default();
        for word in words(protocols) {
            match word {
                "ipv4" => families.v4 = true,
                "ipv6" => families.v6 = true,
                "all" => (families.v4, families.v6) = (true, true),
                _ => return Err(unknown_word("inet_protocols", word, protocols)),
            }
        }
        families.v6 &= self.has_ipv6;
        Ok(families)
    }

    /// The addresses that Postfix takes for its own, with their prefixes (`src/global/own_inet_addr.c`).
    fn own_addresses(
        &self,
        interfaces: &str,
        families: Families,
        resolve: Resolve,
    ) -> Result<Vec<(IpAddr, u8)>, String> {
        // All of IPv4 first, whatever the kernel's order.
        let mut local: Vec<(IpAddr, u8)> = Vec::new();
        for is_v4 in [true, false] {
            local.extend(
                self.interfaces
                    .iter()
                    .filter(|(address, _)| families.has(address) && address.is_ipv4() == is_v4),
            );
        }
        if local.is_empty() {
            return Err("could not find any active network interfaces".to_owned());
        }
        match interfaces {
            "all" => return Ok(local),
            "loopback-only" => {
                local.retain(|(address, _)| address.is_loopback());
                return Ok(local);
            }
            _ => {}
        }
        let mut listed = Vec::new();
        for word in interfaces
            .split([' ', '\t', ','])
            .filter(|word| !word.is_empty())
        {
            let host = word
                .strip_prefix('[')
                .and_then(|word| word.strip_suffix(']'))
                .unwrap_or(word);
            let before = listed.len();
            listed.extend(
                resolve(host)
                    .into_iter()
                    .filter(|found| families.has(found)),
            );
            if listed.len() == before {
                return Err(format!(
                    "config variable inet_interfaces: host not found: {word}"
                ));
            }
        }
        listed.sort_unstable();
        listed.dedup();
        listed
            .into_iter()
            .map(|address| {
                let known = local.iter().find(|(own, _)| *own == address);
                known.copied().ok_or_else(|| {
                    format!("parameter inet_interfaces: no local interface found for {address}")
                })
            })
            .collect()
    }
}

/// Address families that are in use.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Families {
    v4: bool,
    v6: bool,
}

impl Families {
    fn has(self, address: &IpAddr) -> bool {
        match address {
            IpAddr::V4(_) => self.v4,
            IpAddr::V6(_) => self.v6,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Class,
    Subnet,
    Host,
}

fn network_style(text: &str) -> Result<Style, String> {
    let mut styles = Vec::new();
    for word in words(text) {
        let style = match word {
            "class" => Style::Class,
            "subnet" => Style::Subnet,
            "host" => Style::Host,
            _ => return Err(unknown_word("mynetworks mask style", word, text)),
        };
        if !styles.contains(&style) {
            styles.push(style);
        }
    }
    match styles[..] {
        [style] => Ok(style),
        _ => Err(format!(
            "bad mynetworks_style value: {text}; specify exactly one value"
        )),
    }
}

/// The words of a text that `src/util/name_mask.c` reads.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_separator = |c: char| u8::try_from(c).is_ok_and(|c| LIST_SEPARATORS.contains(&c));
    text.split(is_separator).filter(|word| !word.is_empty())
}

fn unknown_word(context: &str, word: &str, text: &str) -> String {
    format!("unknown {context} value \"{word}\" in \"{text}\"")
}

/// Reads a numeric address, and knows `localhost`, without asking anybody.
pub fn resolve_offline(host: &str) -> Vec<IpAddr> {
    if host == "localhost" {
        let mut found = Host::unknown().interfaces;
        return found.drain(..).map(|(address, _)| address).collect();
    }
    host.parse().into_iter().collect()
}

/// Asks the system, and with it perhaps the DNS.
pub fn resolve_with_system(host: &str) -> Vec<IpAddr> {
    (host, 0)
        .to_socket_addrs()
        .map(|found| found.map(|address| address.ip()).collect())
        .unwrap_or_default()
}

/// Whether the kernel can make sockets of a family.
fn kernel_has(family: AddressFamily) -> bool {
    let made = socket(family, SockType::Stream, SockFlag::empty(), None);
    !matches!(made, Err(Errno::EAFNOSUPPORT | Errno::EPROTONOSUPPORT))
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(v4), _) => Some(IpAddr::V4(v4.ip())),
        (_, Some(v6)) => Some(IpAddr::V6(v6.ip())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(style: &str, interfaces: &str, protocols: &str) -> Result<String, String> {
        let address = |text: &str, prefix| (text.parse().unwrap(), prefix);
        let host = Host {
            name: "mail".to_owned(),
            interfaces: vec![
                address("127.0.0.1", 8),
                address("::1", 128),
                address("2001:db8::25", 64),
                address("192.0.2.25", 27),
                address("192.0.2.26", 27),
            ],
            has_ipv6: true,
        };
        host.networks(style, interfaces, protocols, resolve_offline)
    }

    fn ok(text: &str) -> Result<String, String> {
        Ok(text.to_owned())
    }

    #[test]
    fn networks_by_style() {
        assert_eq!(
            networks("host", "all", "all"),
            ok("127.0.0.1/32 192.0.2.25/32 192.0.2.26/32 [::1]/128 [2001:db8::25]/128")
        );
        assert_eq!(
            networks("subnet", "all", "all"),
            ok("127.0.0.0/8 192.0.2.0/27 [::1]/128 [2001:db8::]/64")
        );
        assert_eq!(
            networks("class", "all", "ipv4"),
            ok("127.0.0.0/8 192.0.2.0/24")
        );
        assert_eq!(
            networks("class, host", "all", "all"),
            Err("bad mynetworks_style value: class, host; specify exactly one value".to_owned())
        );
        assert_eq!(
            networks("net", "all", "all"),
            Err("unknown mynetworks mask style value \"net\" in \"net\"".to_owned())
        );
    }

    #[test]
    fn networks_of_chosen_interfaces() {
        assert_eq!(
            networks("host", "192.0.2.26,[2001:db8::25] 127.0.0.1", "all"),
            ok("127.0.0.1/32 192.0.2.26/32 [2001:db8::25]/128")
        );
        assert_eq!(
            networks("host", "loopback-only", "all"),
            ok("127.0.0.1/32 [::1]/128")
        );
        assert_eq!(networks("host", "", "all"), ok(""));
        assert_eq!(networks("nonsense", "nonsense", ""), ok(""));
        assert_eq!(
            networks("host", "[::1]", "ipv4"),
            Err("config variable inet_interfaces: host not found: [::1]".to_owned())
        );
        assert_eq!(
            networks("host", "198.51.100.1", "all"),
            Err("parameter inet_interfaces: no local interface found for 198.51.100.1".to_owned())
        );
        assert_eq!(
            networks("host", "all", "IPv4"),
            Err("unknown inet_protocols value \"IPv4\" in \"IPv4\"".to_owned())
        );
    }
}
