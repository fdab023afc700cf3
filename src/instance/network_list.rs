//! Lists of networks, such as `mynetworks`: addresses, networks, host names, `/file`, `type:table`, `!`
//! (`src/util/match_ops.c: match_hostaddr`).

use std::net::IpAddr;

use ipnet::IpNet;

use super::domain_list::{Element, ElementKind, Parents, Says, ask_keys, ask_plainly, elements_of};
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

    /// What the list says of a client with a name that was verified (`namadr_list_match`); `None` is smtpd's
    /// `unknown`. With `matches_subdomains` a name in the list stands for the names below it, too.
    pub fn find_client(
        &self,
        address: IpAddr,
        name: Option<&str>,
        matches_subdomains: bool,
    ) -> Trust<'_> {
        self.decide_client(address, name, matches_subdomains, &mut ask_plainly)
    }

    /// As [`NetworkList::find_client`], with `ask` for what elements that are no patterns say of a key: each
    /// is asked with the name first, then with the address.
    pub fn decide_client(
        &self,
        address: IpAddr,
        name: Option<&str>,
        matches_subdomains: bool,
        ask: &mut dyn FnMut(&Element, &str) -> Says,
    ) -> Trust<'_> {
        let name = name.unwrap_or("unknown").to_lowercase();
        let text = address.to_string();
        let parents = if matches_subdomains {
            Parents::Plain
        } else {
            Parents::Dotted
        };
        for element in &self.elements {
            let matches = match &element.kind {
                ElementKind::Pattern(pattern) => {
                    match pattern_matches(pattern, &name, matches_subdomains, address, &text) {
                        Ok(matches) => matches,
                        Err(message) => return Trust::Fails(element, message),
                    }
                }
                _ => {
                    let says = match ask_keys(element, &name, parents, ask) {
                        Says::No => ask(element, &text),
                        says => says,
                    };
                    match says {
                        Says::Yes => true,
                        Says::No => false,
                        Says::Unknown => return Trust::Unknown(element),
                        Says::Fails => return Trust::Fails(element, why_it_fails(element, &text)),
                    }
                }
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

/// Whether a pattern matches a client (`match_hostname`, `match_hostaddr`), or why the list fails.
fn pattern_matches(
    pattern: &str,
    name: &str,
    matches_subdomains: bool,
    address: IpAddr,
    text: &str,
) -> Result<bool, String> {
    let is_below = |front: &str| {
        if matches_subdomains {
            front.ends_with('.')
        } else {
            pattern.starts_with('.') && !front.is_empty()
        }
    };
    let bare = pattern
        .strip_prefix('[')
        .and_then(|pattern| pattern.strip_suffix(']'));
    if pattern == name
        || name.strip_suffix(pattern).is_some_and(is_below)
        || bare.unwrap_or(pattern) == text
    {
        return Ok(true);
    }
    // A pattern of the other family is passed by, whatever it says.
    if pattern.contains(':') != address.is_ipv6() {
        return Ok(false);
    }
    match network(pattern) {
        Network::Net(network) => Ok(network.contains(&address)),
        Network::Name => Ok(false),
        Network::Broken(message) => Err(message),
    }
}

/// Why a lookup in an element fails, in Postfix's words.
fn why_it_fails(element: &Element, address: &str) -> String {
    match &element.kind {
        ElementKind::Malformed(malformed) => malformed.message.clone(),
        ElementKind::NoPattern => "no pattern after '!'".to_owned(),
        ElementKind::MissingFile(path) => {
            format!("open file {}: No such file or directory", path.display())
        }
        ElementKind::Table(table) => match table.lookup(address.as_bytes(), Flags::LIST) {
            Lookup::Error(error) => error.message,
            _ => format!("{}: table lookup problem", element.text),
        },
        ElementKind::Pattern(_) | ElementKind::UnknownFile => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_in_lists() {
        let matches = |pattern: &str, name: &str, address: &str, below| {
            let address: IpAddr = address.parse().expect("an address");
            pattern_matches(pattern, name, below, address, &address.to_string())
        };
        for (pattern, below, matched) in [
            ("192.0.2.0/24", false, true),
            ("[192.0.2.7]", false, true),
            ("192.0.2.8", false, false),
            ("mx.far.test", false, true),
            ("far.test", false, false),
            ("far.test", true, true),
            (".far.test", false, true),
            (".far.test", true, false),
            ("[2001:db8::1]/32", false, false),
            ("192.0.2", false, false),
            ("[192.0.2.0]/24", false, true),
            ("192.0.2.007", false, false),
        ] {
            let found = matches(pattern, "mx.far.test", "192.0.2.7", below);
            assert_eq!(found, Ok(matched), "{pattern}");
        }
        assert!(matches("192.0.2.1/24", "unknown", "192.0.2.7", false).is_err());
        assert_eq!(
            matches("192.0.2.1/24", "unknown", "2001:db8::7", false),
            Ok(false)
        );
        assert!(matches("[2001:db8::1]/32", "unknown", "2001:db8::7", false).is_err());
        assert!(matches("[::1::2]", "unknown", "2001:db8::7", false).is_err());
    }

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
