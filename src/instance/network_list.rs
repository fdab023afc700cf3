//! Lists of networks, such as `mynetworks`: addresses, networks, host names, `/file`, `type:table`, `!`
//! (`src/util/match_ops.c: match_hostaddr`).

use std::net::IpAddr;

use ipnet::IpNet;

use super::domain_list::{Element, ElementKind, elements_of};
use super::parameter::Scope;
use super::table::{Flags, Lookup};
use crate::source::Text;
use crate::syntax::cidr_table;

/// A list of networks in force for a program.
#[derive(Clone, Debug)]
pub struct NetworkList {
    /// The elements in order, those of files in the place of the file.
    pub elements: Vec<Element>,
    /// `# …` at the end of the list: the rest of the list, which is not read.
    pub comment: Option<Text>,
}

/// What a literal element is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Network {
    /// A network or an address.
    Net(IpNet),
    /// A host name or domain, matched with the name of the client; or text that never matches an address.
    Name,
    /// The list fails for every client of this family that gets here: Postfix's words.
    Broken(String),
}

/// What a list says of a client.
#[derive(Clone, Debug)]
pub enum Trust<'l> {
    /// The client is in the list, by this element.
    Listed(&'l Element),
    /// It is not.
    NotListed,
    /// This element decides, and cannot be looked at.
    Unknown(&'l Element),
    /// The search fails at this element: mail is put off.
    Fails(&'l Element, String),
}

/// The list of a parameter, such as `mynetworks`, as a program with this view reads it.
pub fn network_list(scope: Scope<'_>, name: &'static str) -> NetworkList {
    let value = scope.any_parameter(name).value().unwrap_or_default();
    let (elements, comment) = elements_of(&value, scope);
    NetworkList { elements, comment }
}

/// What a literal element of a list of networks is.
pub fn network(pattern: &str) -> Network {
    let bytes = pattern.as_bytes();
    // Postfix skips what cannot be a network without a word.
    let is_plain = !pattern.contains([':', '/']);
    if is_plain && !pattern.starts_with('[') {
        return match cidr_table::parse_address(bytes) {
            Some(address) => Network::Net(address.into()),
            None => Network::Name,
        };
    }
    if !bytes
        .iter()
        .all(|byte| byte.is_ascii_hexdigit() || b".:[]/".contains(byte))
    {
        return Network::Name;
    }
    match cidr_table::network(bytes) {
        Ok(network) => Network::Net(network),
        Err(_) if is_plain && pattern.contains('.') => Network::Name,
        Err(message) => Network::Broken(message),
    }
}

impl NetworkList {
    /// What the list says of a client by its address alone: a client whose name is unknown.
    pub fn find(&self, address: IpAddr) -> Trust<'_> {
        self.find_client(address, None, false)
    }

    /// What the list says of a client with a name that was verified (`namadr_list_match`). With
    /// `matches_subdomains` a name in the list stands for the names below it, too.
    pub fn find_client(
        &self,
        address: IpAddr,
        name: Option<&str>,
        matches_subdomains: bool,
    ) -> Trust<'_> {
        let name = name.map(str::to_lowercase);
        let is_named = |pattern: &str| {
            name.as_deref().is_some_and(|name| {
                name == pattern
                    || name.strip_suffix(pattern).is_some_and(|front| {
                        if matches_subdomains {
                            front.ends_with('.')
                        } else {
                            pattern.starts_with('.')
                        }
                    })
            })
        };
        for element in &self.elements {
            let matches = match &element.kind {
                ElementKind::Pattern(pattern) if is_named(pattern) => true,
                ElementKind::Pattern(pattern) => match network(pattern) {
                    Network::Net(network) => network.contains(&address),
                    Network::Name => false,
                    Network::Broken(message) => {
                        if pattern.contains(':') == address.is_ipv6() {
                            return Trust::Fails(element, message);
                        }
                        false
                    }
                },
                ElementKind::Table(table)
                    if name.as_ref().is_some_and(|name| {
                        table.lookup(name.as_bytes(), Flags::LIST).exists() == Some(true)
                    }) =>
                {
                    true
                }
                ElementKind::Table(table) => {
                    match table.lookup(address.to_string().as_bytes(), Flags::LIST) {
                        Lookup::Found(_) | Lookup::OneOf(_) => true,
                        Lookup::NotFound => false,
                        Lookup::Error(error) => return Trust::Fails(element, error.message),
                        Lookup::Unknown(_) => return Trust::Unknown(element),
                    }
                }
                ElementKind::Malformed(malformed) => {
                    return Trust::Fails(element, malformed.message.clone());
                }
                ElementKind::MissingFile(path) => {
                    let message =
                        format!("open file {}: No such file or directory", path.display());
                    return Trust::Fails(element, message);
                }
                ElementKind::NoPattern => {
                    return Trust::Fails(element, "no pattern after '!'".to_owned());
                }
                ElementKind::UnknownFile => return Trust::Unknown(element),
            };
            if matches {
                return if element.negated {
                    Trust::NotListed
                } else {
                    Trust::Listed(element)
                };
            }
        }
        Trust::NotListed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_as_postfix_reads_them() {
        assert!(matches!(network("127.0.0.0/8"), Network::Net(_)));
        assert!(matches!(network("[::1]/128"), Network::Net(_)));
        assert!(matches!(network("198.51.100.7"), Network::Net(_)));
        for name in [
            "198.51.100",
            "198.51.100.",
            "10.0.0.0/8x",
            "host.example.com",
            "*",
        ] {
            assert_eq!(network(name), Network::Name, "{name}");
        }
        assert_eq!(
            network("127.0.0.1/8"),
            Network::Broken(
                "non-null host address bits in \"127.0.0.1/8\", perhaps you should use \
                 \"127.0.0.0/8\" instead"
                    .to_owned()
            )
        );
        assert!(matches!(network("10.0.0.0/33"), Network::Broken(_)));
    }
}
