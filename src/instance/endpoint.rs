//! The names of inet services: `host:port`, `[address]:port`, `port` (`src/util/host_port.c`).

use std::net::{IpAddr, Ipv6Addr};

use super::hostname::hostname_fault;

/// Where an inet service listens, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint<'n> {
    /// The host, without brackets; empty when it listens on all `inet_interfaces`.
    pub host: &'n str,
    /// The port, a number or a name.
    pub port: &'n str,
}

/// Why a text is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointFault {
    /// The `]` is missing.
    Unclosed,
    /// Something follows the `]` that is not `:`.
    AfterBracket,
    /// `[ipv6:…]` has no IPv6 address.
    BadIpv6,
    /// There is no port.
    NoPort,
    /// What stands in front of the port is neither a name nor an address.
    BadHost,
    /// Something follows the number of the port.
    AfterNumber,
}

impl EndpointFault {
    /// Postfix's words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Unclosed => "missing \"]\"",
            Self::AfterBracket => "garbage after \"]\"",
            Self::BadIpv6 => "malformed IPv6 address",
            Self::NoPort => "missing service information",
            Self::BadHost => "valid hostname or network address required",
            Self::AfterNumber => "garbage after numerical service",
        }
    }
}

impl<'n> Endpoint<'n> {
    /// Reads the name of a service.
    ///
    /// # Errors
    /// master(8) ends.
    pub fn parse(name: &'n str) -> Result<Self, EndpointFault> {
        let (host, port) = match name.strip_prefix('[') {
            Some(inside) => {
                let (host, rest) = inside.split_once(']').ok_or(EndpointFault::Unclosed)?;
                let port = match rest.strip_prefix(':') {
                    Some(port) => port,
                    None if rest.is_empty() => rest,
                    None => return Err(EndpointFault::AfterBracket),
                };
                let ipv6 = host
                    .get(..5)
                    .filter(|mark| mark.eq_ignore_ascii_case("ipv6:"));
                let bare = &host[ipv6.map_or(0, str::len)..];
                if ipv6.is_some() && bare.parse::<Ipv6Addr>().is_err() {
                    return Err(EndpointFault::BadIpv6);
                }
                (bare, port)
            }
            None => name.rsplit_once(':').unwrap_or(("", name)),
        };
        if port.is_empty() {
            return Err(EndpointFault::NoPort);
        }
        let is_host = host.is_empty()
            || host.parse::<IpAddr>().is_ok()
            || hostname_fault(host).is_none()
            || !host.is_ascii();
        if !is_host {
            return Err(EndpointFault::BadHost);
        }
        let is_digit = |byte: u8| byte.is_ascii_digit();
        if port.starts_with(|first: char| first.is_ascii_digit()) && !port.bytes().all(is_digit) {
            return Err(EndpointFault::AfterNumber);
        }
        Ok(Self { host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services() {
        for (name, host, port) in [
            ("smtp", "", "smtp"),
            (":26", "", "26"),
            ("mx.example.com:25", "mx.example.com", "25"),
            ("[::1]:25", "::1", "25"),
            ("::1:25", "::1", "25"),
            ("[ipv6:::1]:smtp", "::1", "smtp"),
        ] {
            assert_eq!(Endpoint::parse(name), Ok(Endpoint { host, port }), "{name}");
        }
        for (name, fault) in [
            ("127.0.0.1", EndpointFault::AfterNumber),
            ("127.0.0.1:", EndpointFault::NoPort),
            ("[::1]", EndpointFault::NoPort),
            ("[::1", EndpointFault::Unclosed),
            ("[::1]25", EndpointFault::AfterBracket),
            ("[ipv6:x]:25", EndpointFault::BadIpv6),
            ("a b:25", EndpointFault::BadHost),
            ("25x", EndpointFault::AfterNumber),
        ] {
            assert_eq!(Endpoint::parse(name), Err(fault), "{name}");
        }
    }
}
