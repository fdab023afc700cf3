//! What a scan knows of the domains of keys and targets: each is asked about once, however many addresses it has.

use std::collections::HashMap;
use std::rc::Rc;

use super::scan::Found;
use crate::instance::Instance;
use crate::instance::address_class::Class;

/// What is known of a domain.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    /// In lower case.
    pub(super) name: Rc<[u8]>,
    pub(super) class: Option<Class>,
    /// Names without a domain are looked up for it, too.
    pub(super) is_bare: bool,
    /// The tables of virtual aliases may have keys in it.
    pub(super) may_have_aliases: bool,
    /// The `@domain` entry of the virtual aliases.
    pub(super) wildcard: Found,
    /// It has a dot.
    pub(super) has_dot: bool,
    /// Nothing that makes an address complete changes it.
    pub(super) is_complete: bool,
    /// A target in it was met in the table in hand, of an alias in another domain.
    pub(super) is_target: bool,
    /// Which of the domains in no class it is that the keys of the table in hand are in.
    pub(super) outside: Option<u32>,
}

/// The domains that were met, by numbers.
#[derive(Debug, Default)]
pub(super) struct Domains {
    known: Vec<Domain>,
    numbers: HashMap<Rc<[u8]>, u32>,
    /// Keys and targets of one domain often stand together.
    last: [u32; 2],
    turn: usize,
    folded: Vec<u8>,
}

impl Domains {
    /// The number of a domain, in any case; `ask` tells of a new one, which it gets in lower case.
    pub(super) fn number(&mut self, name: &[u8], ask: impl FnOnce(&[u8]) -> Domain) -> u32 {
        for number in self.last {
            let known = self.known.get(number as usize);
            if known.is_some_and(|known| known.name.eq_ignore_ascii_case(name)) {
                return number;
            }
        }
        self.folded.clear();
        self.folded.extend(name.iter().map(u8::to_ascii_lowercase));
        let number = match self.numbers.get(self.folded.as_slice()) {
            Some(&number) => number,
            None => {
                let number = self.known.len() as u32;
                let domain = ask(&self.folded);
                self.numbers.insert(Rc::clone(&domain.name), number);
                self.known.push(domain);
                number
            }
        };
        self.turn ^= 1;
        self.last[self.turn] = number;
        number
    }

    pub(super) fn get(&self, number: u32) -> &Domain {
        &self.known[number as usize]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Domain {
        &mut self.known[number as usize]
    }

    /// Forgets what belongs to the table in hand: the domains of its targets in no class.
    pub(super) fn take_targets(&mut self) -> Vec<String> {
        let mut targets = Vec::new();
        for domain in &mut self.known {
            domain.outside = None;
            if std::mem::take(&mut domain.is_target) && domain.class == Some(Class::Default) {
                targets.push(String::from_utf8_lossy(&domain.name).into_owned());
            }
        }
        targets
    }
}

impl Domain {
    /// What the instance says of a domain in lower case; `wildcard` and whether there may be keys say the
    /// tables.
    pub(super) fn ask(instance: &Instance, name: &[u8], myorigin: &[u8]) -> Self {
        let class = instance.class_of(&String::from_utf8_lossy(name));
        Self {
            class,
            is_bare: class == Some(Class::Local) || name == myorigin,
            may_have_aliases: true,
            wildcard: Found::Nothing,
            has_dot: name.contains(&b'.'),
            is_complete: is_complete(name),
            is_target: false,
            outside: None,
            name: name.into(),
        }
    }
}

/// Whether a domain needs no care: letters and digits between single dots, and hyphens among them.
fn is_complete(name: &[u8]) -> bool {
    let is_label = |label: &[u8]| {
        let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        matches!(label, [first, ..] if *first != b'-')
            && label.last() != Some(&b'-')
            && label.iter().all(is_plain)
    };
    name.contains(&b'.') && name.split(|&byte| byte == b'.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_domains() {
        for name in ["a.test", "xn--a.b-c.test", "1.2"] {
            assert!(is_complete(name.as_bytes()), "{name}");
        }
        for name in [
            "", "a", ".a.test", "a.test.", "a..test", "-a.test", "a.b-", "a_b.test", "[1.2]",
        ] {
            assert!(!is_complete(name.as_bytes()), "{name}");
        }
    }
}
