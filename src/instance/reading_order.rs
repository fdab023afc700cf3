//! In which order programs read their parameters: see `reading_order.tsv`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The parameters that a program reads when it starts, of all versions, in the order in which it reads them;
/// for `all` those that every program reads first. Empty for a program whose order is not known.
pub fn reading_order(program: &str) -> &'static [&'static str] {
    TABLE.get(program).map_or(&[], Vec::as_slice)
}

static TABLE: LazyLock<BTreeMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut table: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut program = "";
    for line in include_str!("reading_order.tsv").lines() {
        let Some((name, names)) = line.split_once('\t').filter(|_| !line.starts_with('#')) else {
            continue;
        };
        if !name.is_empty() {
            program = name;
        }
        table.entry(program).or_default().extend(names.split(' '));
    }
    table
});

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::builtin::parameter;

    #[test]
    fn every_name_is_a_parameter_and_there_once() {
        for (program, names) in TABLE.iter() {
            for (at, name) in names.iter().enumerate() {
                assert!(parameter(name).is_some(), "{name}");
                assert!(!names[..at].contains(name), "{program} reads {name} twice");
            }
        }
    }

    #[test]
    fn all_that_a_program_reads_is_there() {
        let is_there = |program: &str, name: &&str| reading_order(program).contains(name);
        for program in ["cleanup", "trivial-rewrite", "proxymap"] {
            assert!(!reading_order(program).is_empty());
        }
        assert!(is_there("smtpd", &"smtpd_banner") && is_there("all", &"myhostname"));
        assert!(reading_order("nobody").is_empty());
    }
}
