//! By what a finding is known again in the next run, when lines above it came or went.

use std::collections::BTreeMap;

use super::super::Entry;

/// More of the text than this does not count, in bytes.
const TEXT: usize = 400;

/// Tells findings apart that are alike but for their places.
#[derive(Debug, Default)]
pub(super) struct Fingerprints {
    seen: BTreeMap<u64, u32>,
}

impl Fingerprints {
    /// The fingerprint of a finding: rule, name of the file, parameter, service and the text in question; for
    /// the second of two that are alike, also that it is the second.
    pub(super) fn of(&mut self, entry: &Entry<'_>) -> String {
        let finding = &entry.finding;
        let source = entry.sources.get(finding.span.file);
        let name = source
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        let end = finding.span.end.min(finding.span.start + TEXT);
        let text = entry.secrets.masked(&source, finding.span.start..end);
        let words: Vec<&str> = text.split_whitespace().collect();
        let mut hash = Fnv::default();
        for part in [
            finding.rule.code,
            &name,
            finding.parameter.as_deref().unwrap_or_default(),
            finding.service.as_deref().unwrap_or_default(),
            &words.join(" "),
        ] {
            hash.add(part.as_bytes());
            hash.add(&[0]);
        }
        let count = self.seen.entry(hash.0).or_default();
        *count += 1;
        format!("{:016x}:{count}", hash.0)
    }
}

/// FNV-1a: the same on every machine and in every version, as the hashes of the standard library are not.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_values() {
        let mut hash = Fnv::default();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }
}
