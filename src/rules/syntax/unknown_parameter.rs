//! Settings of names that Postfix does not have, and nothing refers to.

use crate::finding::Finding;
use crate::instance::builtin::{self, Builtin, Version, client_parameters, service_parameters};
use crate::instance::postconf::{Notice, NoticeKind};
use crate::instance::restriction_table::restriction_word;
use crate::rules::prelude::*;
use crate::source::{Span, Text};
use crate::syntax::main_cf::{MainCf, Setting};

use super::nearest;

pub(super) static RULE: Rule = Rule {
    name: "unknown-parameter",
    code: "SX004",
    group: Group::Syntax,
    severity: Severity::Warning,
    summary: "a setting that no program reads",
    docs: include_str!("unknown_parameter.md"),
    check,
};

/// Parameters that neither refuse mail nor let anybody relay, whatever their value.
const HARMLESS: [&str; 13] = [
    "biff",
    "html_directory",
    "mail_name",
    "manpage_directory",
    "milter_macro_daemon_name",
    "milter_macro_v",
    "readme_directory",
    "sample_directory",
    "smtpd_banner",
    "smtpd_tls_loglevel",
    "smtp_tls_loglevel",
    "smtp_tls_note_starttls_offer",
    "syslog_name",
];

fn check(instance: &Instance, findings: &mut Findings) {
    // Without main.cf nobody knows which names it refers to.
    if instance.main_cf().is_none() {
        return;
    }
    let postconf = instance.postconf();
    for notice in postconf.unused_in_main_cf() {
        report_unused(instance, &notice, findings);
    }
    if instance.master_cf().is_some() {
        for notice in postconf.unused_in_master_cf() {
            report_unused(instance, &notice, findings);
        }
    }
    for notice in postconf.notices() {
        match notice.kind {
            NoticeKind::ReadOnly => report_read_only(instance, notice, findings),
            NoticeKind::UnusedInClient => report_client(instance, notice, findings),
            NoticeKind::UnreadableClient => report_unreadable(instance, notice, findings),
            _ => {}
        }
    }
}

/// A name that later versions have, which is another rule's.
fn is_too_new(builtin: &Builtin, version: Version) -> bool {
    builtin.exists().ranges().all(|(from, _)| from.is_some_and(|from| from > version))
}

fn report_unused(instance: &Instance, notice: &Notice, findings: &mut Findings) {
    let is_unused = matches!(notice.kind, NoticeKind::UnusedSetting | NoticeKind::UnusedOverride);
    let (Some(name), true) = (&notice.name, is_unused) else { return };
    let Some(place) = name.span() else { return };
    let version = instance.version();
    let known = builtin::parameter(name.as_str());
    if known.is_some_and(|builtin| is_too_new(builtin, version)) {
        return;
    }
    let derived = derived_from(name.as_str(), version);
    // Which services there are is not known where there is no master.cf.
    if derived.is_some() && instance.is_master_cf_assumed() {
        return;
    }
    let why = match (known, &derived) {
        (Some(_), _) => format!("Postfix {version} does not have the parameter any more"),
        (None, Some(service)) => {
            format!("there is no service {service} in master.cf whose program has such a parameter")
        }
        (None, None) => "Postfix has no such parameter, and no value refers to it".to_owned(),
    };
    let finding = findings.add(&RULE, place, format!("nothing reads {name}: {why}"));
    finding.parameter(name.to_string());
    if derived.is_none() && known.is_none() {
        suggest(instance, name, finding);
    }
    finding.choice("remove it, if it is not needed");
}

/// The service that a name such as `lists_destination_rate_delay` is made of.
fn derived_from(name: &str, version: Version) -> Option<&str> {
    let service = service_parameters("pipe", version)
        .filter_map(|parameter| name.strip_suffix(parameter.suffix))
        .min_by_key(|service| service.len())?;
    (!service.is_empty() && service != "default").then_some(service)
}

fn suggest(instance: &Instance, name: &Text, finding: &mut Finding) {
    let Some(setting) = setting_at(instance, name.span()) else { return };
    if let Some(near) = nearest::parameter(name.as_str(), instance) {
        let is_set = instance.main_cf_setting(near.as_bytes()).is_some();
        let distance = strsim::damerau_levenshtein(name.as_str(), near);
        if is_set {
            finding.choice(format!("{near} is meant, perhaps, which is set already"));
            return;
        }
        let safety = if distance == 1 && HARMLESS.contains(&near) {
            Safety::Safe
        } else {
            Safety::Unsafe
        };
        let source = instance.sources().get(setting.span.file);
        finding.fix_if(
            format!("write {near}"),
            safety,
            crate::edits::replace_word(&source, name, near),
        );
    } else if is_restriction_list(&setting.value) {
        finding.choice("name it in smtpd_restriction_classes, if it is a restriction class");
    }
}

/// The setting of main.cf, or the `-o`, whose name stands at a place.
fn setting_at(instance: &Instance, name: Option<Span>) -> Option<&Setting> {
    let main = instance.main_cf().into_iter().flat_map(MainCf::settings);
    let services = instance.master_cf().into_iter().flat_map(|file| file.services());
    let overrides = services.flat_map(|service| &service.overrides);
    main.chain(overrides).find(|setting| setting.name.span() == name)
}

fn is_restriction_list(value: &Text) -> bool {
    let words = value.words(crate::instance::parameter::LIST_SEPARATORS);
    words.first().is_some_and(|word| restriction_word(word.as_str()).is_some())
}

/// `process_name` and the like.
fn report_read_only(instance: &Instance, notice: &Notice, findings: &mut Findings) {
    let Some((name, place)) = notice.name.as_ref().and_then(|name| Some((name, name.span()?))) else {
        return;
    };
    let finding = findings.add(
        &RULE,
        place,
        format!("Postfix sets {name} itself, and postconf ignores this setting; another name would be right"),
    );
    finding.parameter(name.to_string());
    if let Some(setting) = setting_at(instance, Some(place))
        && instance.main_cf().is_some_and(|main_cf| main_cf.source.id() == place.file)
    {
        let source = instance.sources().get(place.file);
        finding.fix("remove it", Safety::Unsafe, edits::remove_setting(&source, setting));
    }
}

/// A name in the file of a database client.
fn report_client(instance: &Instance, notice: &Notice, findings: &mut Findings) {
    let Some((name, place)) = notice.name.as_ref().and_then(|name| Some((name, name.span()?))) else {
        return;
    };
    let client = notice.message.split(':').next().unwrap_or_default();
    let near = nearest::nearest(name.as_str(), client_parameters(client, instance.version()));
    let finding = findings.add(
        &RULE,
        place,
        format!("nothing reads {name}: the {client} client of Postfix has no such parameter"),
    );
    finding.parameter(name.to_string());
    if let Some(near) = near {
        finding.choice(format!("write {near}"));
    }
    finding.choice("remove it, if it is not needed");
}

/// The file of a database client that postconf cannot read, and the client neither.
fn report_unreadable(instance: &Instance, notice: &Notice, findings: &mut Findings) {
    let Some(place) = notice.span else { return };
    let mut quoted = notice.message.split('"').skip(1).step_by(2);
    let (client, path) = (quoted.next().unwrap_or_default(), quoted.next().unwrap_or_default());
    let reason = notice.message.rsplit(": ").next().unwrap_or_default().to_ascii_lowercase();
    let message = format!(
        "lookups with {client} fail, and mail that needs them is put off: the parameters of the client \
         cannot be read from {path} ({reason})"
    );
    let finding = findings.add(&RULE, place, message);
    if instance.files().is_host() {
        finding.severity(Severity::Error);
    } else {
        finding.note(
            "this is a copy of a configuration: the file may exist where it is used; --map-path says \
             where to look for it",
        );
    }
    finding.choice(format!("write {path}"));
}
