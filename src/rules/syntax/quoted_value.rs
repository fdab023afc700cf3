//! Quotes around a value are part of it.

use super::quotes;
use super::readings::{InForce, Reading, settings_in_force};
use super::revival;
use crate::instance::builtin::Kind;
use crate::instance::text_value::{Usage, text_value};
use crate::rules::prelude::*;
use crate::source::Text;

pub(super) static RULE: Rule = Rule {
    name: "quoted-value",
    code: "SX007",
    group: Group::Syntax,
    severity: Severity::Error,
    summary: "quotes around a value are taken for part of it",
    docs: include_str!("quoted_value.md"),
    check,
};

/// What Postfix makes of the quotes.
struct Verdict<'i> {
    severity: Severity,
    /// The programs that stop.
    stops: Option<Reading<'i>>,
    /// What Postfix does, or why the programs stop.
    what: String,
    /// What taking the quotes away means.
    safety: Safety,
}

fn check(instance: &Instance, findings: &mut Findings) {
    for in_force in settings_in_force(instance) {
        let mut found: Vec<(Text, Verdict<'_>)> = Vec::new();
        for reading in &in_force.readings {
            for value in reading.values(in_force.setting, &in_force.facts).into_iter().flatten() {
                let Some(place) = quoted(in_force.name, &value) else { continue };
                let Some(verdict) = judge(&in_force, reading) else { continue };
                match found.iter_mut().find(|(_, known)| known.what == verdict.what) {
                    Some((_, Verdict { stops: Some(known), .. })) => known.join(reading),
                    Some(_) => {}
                    None => found.push((place, verdict)),
                }
            }
        }
        for (place, verdict) in found {
            report(instance, &in_force, &place, &verdict, findings);
        }
    }
    check_classes(instance, findings);
}

/// The part of a value that stands in quotes.
fn quoted(name: &str, value: &Text) -> Option<Text> {
    if quotes::is_quoted(value) {
        return Some(value.clone());
    }
    let is_list = matches!(
        text_value(name).usage,
        Usage::List | Usage::Tables | Usage::Restrictions | Usage::Milters | Usage::Words | Usage::Items
    );
    quotes::quoted_words(value).into_iter().next().filter(|_| is_list)
}

fn judge<'i>(in_force: &InForce<'i>, reading: &Reading<'i>) -> Option<Verdict<'i>> {
    let name = in_force.name;
    let instance = reading.scope.instance;
    let error = |what: &str, safety: Safety| Verdict {
        severity: Severity::Error,
        stops: None,
        what: what.to_owned(),
        safety,
    };
    let warning = |what: &str| Verdict { severity: Severity::Warning, ..error(what, Safety::Unsafe) };
    let stops = |why: String| Verdict {
        stops: Some(reading.clone()),
        ..error(&why, revival::safety(instance, name))
    };
    let at_use = |why: String| Verdict {
        stops: Some(reading.at_use(name)),
        ..stops(why)
    };
    let is_no = |thing: &str| stops(format!("{name} is no {thing} with the quotes"));
    Some(match (in_force.facts.kind, name, text_value(name).usage) {
        (Kind::Bool | Kind::Nbool, ..) => is_no("switch"),
        (Kind::Int | Kind::Nint | Kind::Long, ..) => is_no("number"),
        (Kind::Time, ..) => is_no("time"),
        (_, "compatibility_level", _) => is_no("level"),
        (_, "smtp_bind_address" | "smtp_bind_address6" | "lmtp_bind_address" | "lmtp_bind_address6", _) => {
            is_no("address")
        }
        (_, "inet_interfaces" | "smtpd_restriction_classes", _) | (_, _, Usage::Host | Usage::Accounts)
            if name != "myorigin" =>
        {
            stops("the quotes are taken for part of the name".to_owned())
        }
        (_, "myorigin", _) => error("addresses without a domain get one with quotes", Safety::Unsafe),
        (_, "recipient_delimiter", _) => {
            warning("a quote, too, separates user names from extensions")
        }
        (_, "smtp_helo_name" | "lmtp_lhlo_name" | "smtpd_proxy_ehlo", _) => {
            warning("other servers are greeted with the quotes, and may refuse that")
        }
        (_, _, Usage::Words | Usage::Choice | Usage::Exact) => {
            at_use(format!("{name} does not know a word with quotes"))
        }
        (_, _, Usage::List) => {
            error("the quotes are part of the pattern, which never matches", Safety::Unsafe)
        }
        (_, _, Usage::Tables | Usage::Table) => {
            error("lookups fail, because no type of table begins with a quote", Safety::Unsafe)
        }
        (_, _, Usage::Restrictions) => error(NO_RESTRICTION, Safety::Unsafe),
        (_, _, Usage::Milters) => {
            error("all mail is put off, because no mail filter has quotes", revival::safety(instance, name))
        }
        (_, _, Usage::Transport) => error(
            "mail for this transport is put off, because none has quotes in its name",
            revival::safety(instance, name),
        ),
        (_, _, Usage::NextHop) => {
            error("mail is put off, because no server has quotes in its name", Safety::Unsafe)
        }
        (_, _, Usage::Mailbox) => {
            error("mail goes to a file with quotes in its name, or bounces", Safety::Unsafe)
        }
        (_, _, Usage::File) if name.contains("_tls_") => {
            warning("TLS does not work, because no file has quotes in its name")
        }
        (_, _, Usage::File) => at_use("no file or directory has quotes in its name".to_owned()),
        (_, _, Usage::Service) => {
            error("nothing finds the service, because of the quotes in its name", Safety::Unsafe)
        }
        (_, _, Usage::Address) => warning("the quotes make a local name of the whole address"),
        (_, _, Usage::Items) if name.ends_with("_protocols") => {
            warning("TLS does not work, because no protocol has quotes in its name")
        }
        (_, _, Usage::Items) => warning("Postfix does not know words with quotes"),
        // The shell takes quotes away; a text may have them on purpose.
        (_, _, Usage::Command | Usage::Text | Usage::Host | Usage::Accounts) => return None,
    })
}

/// What smtpd(8) does about quotes in a restriction list.
const NO_RESTRICTION: &str =
    "smtpd answers 451 to every client for whom it gets there, because no restriction has quotes";

/// Restriction classes, which are parameters of the configuration's own.
fn check_classes(instance: &Instance, findings: &mut Findings) {
    for smtpd in instance.smtpd_services() {
        for class in smtpd.parameter("smtpd_restriction_classes").words() {
            let class = smtpd.scope().named(class.to_string());
            let words = class.value().map(|value| quotes::quoted_words(&value)).unwrap_or_default();
            if let Some(place) = words.first().and_then(Text::span) {
                let message = format!("{NO_RESTRICTION}; the words alone would be right");
                findings
                    .add(&RULE, place, message)
                    .parameter(class.name())
                    .service(smtpd.label())
                    .choice("remove the quotes");
            }
        }
    }
}

fn report(
    instance: &Instance,
    in_force: &InForce<'_>,
    place: &Text,
    verdict: &Verdict<'_>,
    findings: &mut Findings,
) {
    let (setting, name, what) = (in_force.setting, in_force.name, &verdict.what);
    let effect = match &verdict.stops {
        Some(reading) => format!("{}, because {what}", reading.stopping()),
        None => what.clone(),
    };
    let span = place.span().unwrap_or_else(|| setting.value_span());
    let message = format!("{effect}; the value without quotes would be right");
    let finding = findings.add(&RULE, span, message);
    finding.severity(verdict.severity).parameter(name);
    if let Some(service) = in_force.service {
        finding.service(service.label());
    }
    let source = instance.sources().get(setting.span.file);
    let bare = bare(&setting.value);
    finding.fix_if(
        "remove the quotes",
        verdict.safety,
        bare.and_then(|bare| edits::set_value(&source, setting, &bare)),
    );
}

/// The value without its quotes: those around all of it, or those around single words.
fn bare(value: &Text) -> Option<String> {
    let text = value.as_str();
    if let Some(inner) = quotes::unquoted(text) {
        return Some(inner.trim().to_owned());
    }
    let words = quotes::quoted_words(value);
    let is_paired = words.iter().all(|word| quotes::unquoted(word.as_str()).is_some());
    (!words.is_empty() && is_paired && value.is_contiguous())
        .then(|| text.replace(['"', '\''], ""))
}
