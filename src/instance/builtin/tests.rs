use std::collections::BTreeMap;
use std::process::Command;

use super::*;

fn version(text: &str) -> Version {
    Version::parse(text).unwrap()
}

fn default(text: &str, name: &str) -> &'static str {
    let version = version(text);
    Builtins::of(version)
        .get(name)
        .unwrap_or_else(|| panic!("{name} in {text}"))
        .default(version)
}

fn known(text: &str, name: &str) -> bool {
    Builtins::of(version(text)).get(name).is_some()
}

#[test]
fn every_row_is_well_formed() {
    let text = include_str!("../builtin.tsv");
    let mut names = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let columns: Vec<_> = line.split('\t').collect();
        let facts = if columns[0].is_empty() {
            assert_eq!(columns.len(), 6, "{line}");
            assert!(
                VersionSet::new(columns[1]).is_well_formed() && !columns[1].is_empty(),
                "{line}"
            );
            &columns[2..]
        } else {
            names += 1;
            assert_eq!(columns.len(), 11, "{line}");
            for flag in columns[3].split(',').filter(|flag| !flag.is_empty()) {
                assert!(
                    ["build", "computed", "readonly", "release", "restart"].contains(&flag),
                    "{line}"
                );
            }
            &columns[7..]
        };
        let kinds = [
            "str", "raw", "int", "nint", "long", "bool", "nbool", "time", "legacy",
        ];
        assert!(kinds.contains(&facts[0]), "{line}");
        for limit in &facts[1..3] {
            assert!(limit.is_empty() || limit.parse::<i64>().is_ok(), "{line}");
        }
        assert_eq!(facts[3].trim(), facts[3], "{line}");
    }
    assert_eq!(TABLE.len(), names);
}

#[test]
fn names_are_sorted_and_unique() {
    assert!(TABLE.is_sorted_by(|a, b| a.name.as_bytes() < b.name.as_bytes()));
}

#[test]
fn version_sets_are_well_formed_and_facts_do_not_overlap() {
    let releases: Vec<_> = version::releases().map(|release| release.version).collect();
    for builtin in TABLE.iter() {
        assert!(
            builtin.exists.is_well_formed() && !builtin.exists.is_empty(),
            "{}",
            builtin.name
        );
        assert!(builtin.deprecated.is_well_formed(), "{}", builtin.name);
        let earlier: Vec<_> = builtin
            .earlier
            .lines()
            .filter_map(|row| row.split('\t').nth(1).map(VersionSet::new))
            .collect();
        for release in &releases {
            let rows = earlier.iter().filter(|set| set.contains(*release)).count();
            assert!(
                rows <= usize::from(builtin.exists_in(*release)),
                "{} in {release}",
                builtin.name
            );
        }
    }
}

#[test]
fn facts_fit_their_kind_in_every_release() {
    for release in version::releases() {
        for builtin in Builtins::of(release.version).iter() {
            let Definition {
                kind,
                legacy,
                min,
                max,
                default,
            } = builtin.definition(release.version);
            let name = builtin.name;
            if let (Some(min), Some(max)) = (min, max) {
                assert!(min <= max, "{name}");
            }
            assert!(!legacy || default.is_empty(), "{name}");
            match kind {
                Kind::Bool => assert!(["yes", "no"].contains(&default), "{name}"),
                Kind::Int | Kind::Long if !builtin.is_computed() => {
                    let number: i64 = default.parse().unwrap();
                    assert!(min.is_none_or(|min| min <= number), "{name}");
                    assert!(max.is_none_or(|max| number <= max), "{name}");
                }
                Kind::Time => assert!(
                    builtin.unit().is_some_and(|unit| "smhdw".contains(unit)),
                    "{name}"
                ),
                _ => {}
            }
        }
    }
}

#[test]
fn replacements_exist_where_they_are_named() {
    for release in version::releases() {
        for builtin in TABLE.iter() {
            let deprecation = builtin.deprecation(release.version);
            if let Some(replacement) = deprecation.and_then(|deprecation| deprecation.replacement) {
                assert!(
                    parameter(replacement).unwrap().exists_in(release.version),
                    "{}",
                    builtin.name
                );
            }
        }
    }
}

#[test]
fn defaults_refer_to_known_parameters() {
    // Names that are local to a program or to one delivery, and what a configuration may define.
    let local = [
        "stress",
        "client",
        "rbl_code",
        "rbl_class",
        "rbl_what",
        "rbl_domain",
        "rbl_reason",
        "home",
        "extension",
        "name",
        "domain_to_ascii",
    ];
    for release in version::releases() {
        let builtins = Builtins::of(release.version);
        for builtin in builtins.iter() {
            for piece in builtin.default(release.version).split('$').skip(1) {
                let piece = piece.trim_start_matches('{');
                let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &piece[..end.unwrap_or(piece.len())];
                assert!(
                    name.is_empty() || local.contains(&name) || builtins.get(name).is_some(),
                    "{} = ${name} in {}",
                    builtin.name,
                    release.version
                );
            }
        }
    }
}

#[test]
fn defaults_change_with_the_version() {
    let level_1 = "${{$compatibility_level} < {1} ? {yes} : {no}}";
    for (text, name, value) in [
        (
            "2.10.0",
            "smtpd_relay_restrictions",
            "permit_mynetworks, reject_unauth_destination",
        ),
        (
            "2.10.1",
            "smtpd_relay_restrictions",
            "permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination",
        ),
        ("2.10.0", "append_dot_mydomain", "yes"),
        ("2.10.7", "smtpd_tls_ciphers", "export"),
        ("2.10.8", "smtpd_tls_ciphers", "medium"),
        ("2.11.5", "smtpd_tls_ciphers", "export"),
        ("2.10.10", "smtpd_timeout", "${stress?10}${stress:300}s"),
        ("3.0.0", "smtpd_timeout", "${stress?{10}:{300}}s"),
        ("3.0.0", "append_dot_mydomain", level_1),
        ("3.0.0", "smtpd_tls_mandatory_protocols", "!SSLv2"),
        ("3.0.2", "smtpd_tls_mandatory_protocols", "!SSLv2, !SSLv3"),
        (
            "3.6.0",
            "append_dot_mydomain",
            "${{$compatibility_level} <level {1} ? {yes} : {no}}",
        ),
        ("3.6.0", "smtpd_tls_mandatory_protocols", ">=TLSv1"),
        (
            "3.6.0",
            "relay_domains",
            "${{$compatibility_level} <level {2} ? {$mydestination} : {}}",
        ),
        ("3.7.19", "milter_default_action", "tempfail"),
        ("3.7.20", "milter_default_action", "shutdown"),
        ("3.8.0", "milter_default_action", "tempfail"),
        ("3.8.20", "smtpd_forbid_bare_newline", "no"),
        ("3.9.0", "smtpd_forbid_bare_newline", "normalize"),
        ("3.9.0", "mail_version", "3.9"),
        ("3.9.14", "smtp_tls_security_level", ""),
        (
            "3.11.0",
            "smtp_tls_security_level",
            "${{$compatibility_level} <level {3.11} ? {} : {may}}",
        ),
        (
            "3.11.0",
            "address_verify_map",
            "$default_cache_db_type:$data_directory/verify_cache",
        ),
        ("3.12-20260821", "mail_version", "3.12-20260821"),
        ("2.11.3", "mail_release_date", "20141019"),
    ] {
        assert_eq!(default(text, name), value, "{name} in {text}");
    }
}

#[test]
fn parameters_come_and_go_by_patch_level() {
    for (text, name, expected) in [
        ("2.11.11", "compatibility_level", false),
        ("3.0.0", "compatibility_level", true),
        ("3.5.22", "smtpd_forbid_bare_newline", false),
        ("3.5.23", "smtpd_forbid_bare_newline", true),
        ("3.6.12", "smtpd_forbid_bare_newline", false),
        ("3.8.5", "cleanup_replace_stray_cr_lf", true),
        ("3.10.4", "smtp_tls_enforce_sts_mx_patterns", false),
        ("3.10.5", "smtp_tls_enforce_sts_mx_patterns", true),
        ("3.3.22", "tls_dane_digest_agility", true),
        ("3.4.0", "tls_dane_digest_agility", false),
        ("3.2.22", "service_name", false),
        ("3.3.0", "service_name", true),
        ("3.7.11", "Myhostname", false),
    ] {
        assert_eq!(known(text, name), expected, "{name} in {text}");
    }
}

#[test]
fn a_renamed_parameter_becomes_legacy() {
    let old = parameter("smtpd_per_record_deadline").unwrap();
    assert_eq!(old.kind(version("3.6.20")), Kind::Nbool);
    assert!(!old.is_legacy(version("3.6.20")));
    assert!(old.is_legacy(version("3.7.0")) && old.exists_in(version("3.7.0")));
    assert_eq!(old.default(version("3.7.0")), "");
    assert_eq!(old.deprecation(version("3.10.13")), None);
    assert_eq!(
        old.deprecation(version("3.11.0")),
        Some(Deprecation {
            replacement: Some("smtpd_per_request_deadline"),
            removed: false
        })
    );
    assert!(
        Builtins::of(version("2.10.0"))
            .get("virtual_maps")
            .unwrap()
            .is_legacy(version("2.10.0"))
    );
}

#[test]
fn a_removed_parameter_is_still_explained() {
    let gone = parameter("tlsproxy_client_loglevel_parameter").unwrap();
    assert!(gone.exists_in(version("3.11.6")));
    assert_eq!(
        gone.deprecation(version("3.12-20260821")),
        Some(Deprecation {
            replacement: None,
            removed: true
        })
    );
}

#[test]
fn markers() {
    let marked = |has: fn(&Builtin) -> bool| -> Vec<_> {
        TABLE
            .iter()
            .filter(|builtin| has(builtin))
            .map(|builtin| builtin.name)
            .collect()
    };
    assert_eq!(
        marked(Builtin::is_computed),
        [
            "mydomain",
            "myhostname",
            "mynetworks",
            "process_id",
            "process_name"
        ]
    );
    assert_eq!(
        marked(Builtin::is_read_only),
        ["process_id", "process_name", "service_name"]
    );
    assert_eq!(
        marked(Builtin::needs_restart),
        [
            "config_directory",
            "data_directory",
            "inet_interfaces",
            "inet_protocols",
            "mail_owner",
            "queue_directory",
            "setgid_group"
        ]
    );
}

#[test]
fn scope_names_programs() {
    assert!(parameter("smtpd_banner").unwrap().is_read_by("smtpd"));
    assert!(!parameter("transport_maps").unwrap().is_read_by("smtpd"));
    assert!(parameter("mydestination").unwrap().is_read_by("pickup"));
    assert!(!parameter("smtp_helo_name").unwrap().is_read_by("lmtp"));
}

/// `postconf -d` without a main.cf: name → default.
fn installed(directory: &std::path::Path) -> Option<(Version, BTreeMap<String, String>)> {
    let output = Command::new("postconf")
        .arg("-c")
        .arg(directory)
        .args(["-d", "-C", "builtin,service"])
        .output();
    let output = output.ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).unwrap();
    let table: BTreeMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once(" ="))
        .map(|(name, value)| (name.to_owned(), value.trim_start().to_owned()))
        .collect();
    Some((Version::parse(table.get("mail_version")?)?, table))
}

#[test]
fn agrees_with_the_installed_postconf() {
    let directory = tempfile::tempdir().unwrap();
    let Some((version, installed)) = installed(directory.path()) else {
        return;
    };
    let ours: BTreeMap<_, _> = Builtins::of(version)
        .iter()
        .filter(|builtin| !builtin.is_legacy(version))
        .map(|builtin| (builtin.name(), builtin))
        .collect();
    let names: Vec<_> = installed.keys().map(String::as_str).collect();
    assert_eq!(names, ours.keys().copied().collect::<Vec<_>>());
    // Debian 12 is what the table has for values fixed at build time.
    let is_debian_12 = version == Version::release(3, 7, 11);
    for (name, builtin) in ours {
        if builtin.is_computed() || (builtin.is_fixed_at_build() && !is_debian_12) {
            continue;
        }
        assert_eq!(installed[name], builtin.default(version), "{name}");
    }
}

#[test]
fn the_installed_postconf_knows_the_legacy_names() {
    let directory = tempfile::tempdir().unwrap();
    let Some((version, _)) = installed(directory.path()) else {
        return;
    };
    let main_cf = Builtins::of(version)
        .iter()
        .filter(|builtin| builtin.is_legacy(version))
        .map(|builtin| format!("{} = 1\n", builtin.name()))
        .collect::<String>();
    let path = directory.path().join("main.cf");
    std::fs::write(&path, main_cf).unwrap();
    // postconf waits until a file that was just written has cooled down.
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.set_modified(std::time::UNIX_EPOCH).unwrap();
    std::fs::write(directory.path().join("master.cf"), "").unwrap();
    let output = Command::new("postconf")
        .arg("-c")
        .arg(directory.path())
        .arg("-n")
        .output()
        .unwrap();
    let warnings = String::from_utf8(output.stderr).unwrap();
    assert!(!warnings.contains("unused"), "{warnings}");
}
