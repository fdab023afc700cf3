//! What Postfix itself logs about its configuration, and the rule that finds the same.

use memchr::memmem::Finder;

use super::groups::{Groups, Seen, key_of, key_of_words, text};
use super::line::{Line, Severity};

/// So many different ones are kept.
const MOST: usize = 1_000;

/// A warning or an error of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// How bad Postfix calls it.
    pub severity: Severity,
    /// The program that logged it.
    pub program: String,
    /// What it says, the first time.
    pub text: String,
    /// The code of the rule that finds the cause in the configuration.
    pub rule: Option<&'static str>,
    /// How often and when.
    pub seen: Seen,
}

/// Words of a message of Postfix that only a configuration can be the cause of, and the rule; the first that
/// fits counts. The sources are those of Postfix 3.7.
const WORDS: [(&str, Option<&str>); 52] = [
    // src/smtpd/smtpd_check.c
    ("unknown smtpd restriction", Some("SX009")),
    ("needs a definition", Some("SX009")),
    ("specify at least one working instance of", Some("RL004")),
    ("SMTP reply code configuration error", Some("RC004")),
    ("rbl response code configuration error", Some("RC004")),
    (
        "do not specify lookup tables inside SMTPD access maps",
        Some("TB011"),
    ),
    ("causes unreasonable recursion", Some("TB011")),
    ("has empty value", Some("TB011")),
    ("has entry with lookup table", Some("TB011")),
    ("requires transport:destination", Some("TB011")),
    ("requires user@domain target", Some("TB011")),
    ("' is ignored", Some("RL009")),
    ("is deprecated. Use", Some("UP001")),
    ("support for restriction", Some("UP001")),
    ("deprecated parameter", Some("UP001")),
    ("requires domain name argument", Some("RL015")),
    ("need maptype:mapname", Some("RL015")),
    ("must be followed by", Some("RL015")),
    // src/trivial-rewrite/resolve.c
    ("do not list ", Some("AC001")),
    // src/util/dict_open.c, dict_db.c, dict_thash.c …
    ("is older than source file", Some("TB002")),
    ("unsupported dictionary type", Some("TB003")),
    (
        "open dictionary: expecting \"type:name\" form",
        Some("TB003"),
    ),
    ("duplicate entry:", Some("TB004")),
    ("expected format: key whitespace value", Some("TB005")),
    ("is unavailable. open", Some("TB001")),
    ("open database ", Some("TB001")),
    ("open lookup table ", Some("TB001")),
    ("table lookup problem", Some("TB001")),
    ("non-null host address bits", Some("RL003")),
    ("bad net/mask pattern", Some("RL003")),
    // src/proxymap/proxymap.c
    ("unapproved table", Some("TB016")),
    // src/global/mail_conf*.c, src/util/dict.c, mac_expand.c
    ("overriding earlier entry", Some("SX003")),
    ("unused parameter", Some("SX004")),
    ("undefined parameter", Some("SX005")),
    ("truncated macro reference", Some("SX005")),
    ("missing '=' after attribute name", Some("SX002")),
    ("logical line must not start with whitespace", Some("SX006")),
    ("bad numerical configuration", Some("SX008")),
    ("bad boolean configuration", Some("SX008")),
    ("bad string length", Some("SX008")),
    ("bad time value", Some("SX008")),
    ("bad parameter value", Some("SX008")),
    ("invalid transport name", Some("SX010")),
    ("service name or type", Some("SX010")),
    // src/local, src/cleanup, src/smtp
    ("alias database loop for", Some("BS007")),
    ("unreasonable virtual_alias_maps map", Some("BS007")),
    ("is smaller than message_size_limit", Some("BS017")),
    ("unknown command in ", Some("TB011")),
    ("greeted me with my own hostname", Some("AC004")),
    ("required alias not found", None),
    ("bad command startup", None),
    ("see a previous warning/fatal/panic logfile record", None),
];

/// Collects them.
#[derive(Debug)]
pub(super) struct Complaints {
    groups: Groups<Complaint>,
    words: Vec<(Finder<'static>, Option<&'static str>)>,
}

impl Complaints {
    pub(super) fn new() -> Self {
        Self {
            groups: Groups::new(MOST),
            words: (WORDS.iter())
                .map(|(word, rule)| (Finder::new(word), *rule))
                .collect(),
        }
    }

    /// Counts a warning that is about the configuration, and all that is worse than a warning.
    pub(super) fn add(&mut self, line: &Line<'_>, times: u64) {
        let found = self
            .words
            .iter()
            .find(|(word, _)| word.find(line.text).is_some());
        let rule = found.and_then(|(_, rule)| *rule);
        if found.is_none() && line.severity <= Severity::Warning {
            return;
        }
        let key = key_of_words(key_of(&[line.program_name]), line.text);
        self.groups.add(key, line.stamp, times, || Complaint {
            severity: line.severity,
            program: text(line.program_name),
            text: text(line.text),
            rule,
            seen: Seen::default(),
        });
    }

    /// All of them, the most frequent first, and how many did not fit.
    pub(super) fn finish(self) -> (Vec<Complaint>, u64) {
        let left_out = self.groups.left_out;
        let all = self.groups.into_sorted().into_iter();
        let all = all.map(|(seen, complaint)| Complaint { seen, ..complaint });
        (all.collect(), left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    #[test]
    fn the_rules_exist() {
        for code in WORDS.iter().filter_map(|(_, rule)| *rule) {
            assert!(rules::all().any(|rule| rule.code == code), "{code}");
        }
    }
}
