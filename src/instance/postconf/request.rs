//! Patterns that choose entries of master.cf, their fields and parameters (`src/postconf/postconf_match.c`).

use super::entry::Entry;
use super::notice::{Notice, NoticeKind};
use crate::source::{Text, same_length_lossy};
use crate::syntax::master_cf::FIELD_NAMES;

/// A pattern `service[/type[/name]]`, in which `*` stands for anything.
#[derive(Clone, Debug)]
pub struct ServiceRequest {
    text: String,
    parts: [Vec<u8>; 3],
}

impl ServiceRequest {
    /// Reads a pattern of at most `limit` parts (2 or 3); `None` when it is malformed
    /// (`pcf_parse_service_pattern`).
    pub fn parse(pattern: &[u8], limit: usize) -> Option<Self> {
        if pattern.first() == Some(&b'/') {
            return None;
        }
        let written: Vec<&[u8]> = pattern
            .split(|&byte| byte == b'/')
            .filter(|part| !part.is_empty())
            .collect();
        let is_good = |part: &&[u8]| *part == b"*" || !part.contains(&b'*');
        if written.is_empty() || written.len() > limit || !written.iter().all(is_good) {
            return None;
        }
        let part = |index: usize| written.get(index).unwrap_or(&b"*".as_slice()).to_vec();
        Some(Self {
            text: same_length_lossy(pattern).into_owned(),
            parts: [part(0), part(1), part(2)],
        })
    }

    pub(super) fn matches(&self, entry: &Entry) -> bool {
        let is_match = |part: &[u8], text: &Text| part == b"*" || part == text.as_bytes();
        is_match(&self.parts[0], entry.service()) && is_match(&self.parts[1], entry.transport())
    }

    /// The name of a field or parameter; `None` for all of them.
    pub(super) fn name(&self) -> Option<&[u8]> {
        let name = self.parts[2].as_slice();
        (name != b"*").then_some(name)
    }

    pub(super) fn unmatched(&self) -> Notice {
        let message = format!("unmatched request: \"{}\"", self.text);
        Notice::new(NoticeKind::Request, message)
    }
}

/// A pattern `service[/type[/field]]`.
#[derive(Clone, Debug)]
pub struct FieldRequest {
    pub(super) service: ServiceRequest,
    /// `None` for all fields.
    pub(super) field: Option<usize>,
}

impl FieldRequest {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Postfix's own words for a malformed one, and for a field that does not exist.
    pub fn parse(pattern: &[u8]) -> Result<Self, String> {
        let service = ServiceRequest::parse(pattern, 3)
            .ok_or("-F option requires service_name[/type[/field]]")?;
        let field = match service.name() {
            None => None,
            Some(name) => {
                let mut fields = FIELD_NAMES.iter();
                let field = fields.position(|field| field.as_bytes() == name);
                Some(field.ok_or_else(|| {
                    let name = same_length_lossy(name);
                    format!("invalid service attribute name: \"{name}\"")
                })?)
            }
        };
        Ok(Self { service, field })
    }
}

/// Whether a list of the old kind has an entry: its first pattern that fits decides
/// (`src/global/match_service.c`).
pub(super) fn is_listed(entry: &Entry, patterns: &[impl AsRef<[u8]>]) -> bool {
    let mut full = entry.service().as_bytes().to_vec();
    full.push(b'.');
    full.extend_from_slice(entry.transport().as_bytes());
    // The type is what follows the last dot.
    let last_dot = full.iter().rposition(|&byte| byte == b'.').unwrap_or(0);
    for pattern in patterns {
        let pattern = pattern.as_ref();
        let negations = pattern.iter().take_while(|&&byte| byte == b'!').count();
        let pattern = &pattern[negations..];
        let subject = if pattern.contains(&b'.') {
            full.as_slice()
        } else {
            &full[last_dot + 1..]
        };
        if subject.eq_ignore_ascii_case(pattern) {
            return negations % 2 == 0;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_services() {
        assert!(ServiceRequest::parse(b"smtp//", 2).is_some());
        for bad in ["", "/smtp", "smtp/inet/x", "s*"] {
            assert!(ServiceRequest::parse(bad.as_bytes(), 2).is_none(), "{bad}");
        }
        assert!(FieldRequest::parse(b"smtp/inet/chroot").is_ok());
        assert_eq!(
            FieldRequest::parse(b"smtp/inet/x").unwrap_err(),
            "invalid service attribute name: \"x\""
        );
    }
}
