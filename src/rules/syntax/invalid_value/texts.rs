//! Parameters whose kind is text: length, and what their owners accept.

use super::super::nearest::nearest;
use super::super::readings::InForce;
use super::{Effect, Problem, expressions, hosts, servers};
use crate::finding::Severity;
use crate::instance::parameter::{LIST_SEPARATORS, Scope};
use crate::instance::text_value::{TextValue, Usage, Wrong, text_value};
use crate::instance::value_fault::Fault;
use crate::source::Text;
use crate::syntax::braces;

/// What is wrong with a text.
pub(super) fn problem(in_force: &InForce<'_>, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let name = in_force.name;
    let facts = text_value(name);
    length(in_force, value)
        .or_else(|| match facts.usage {
            _ if !is_looked_at(name, scope) => None,
            Usage::Words => words(name, &facts, value, scope),
            Usage::Choice | Usage::Exact => choice(&facts, value, scope),
            Usage::List => negation(value),
            _ => None,
        })
        .or_else(|| hosts::problem(name, value, scope))
        .or_else(|| unpaired(&facts, value))
        .or_else(|| servers::problem(in_force, value, scope))
}

/// `src/global/mail_conf_str.c`.
fn length(in_force: &InForce<'_>, value: &Text) -> Option<Problem> {
    let facts = &in_force.facts;
    let fault = facts.fault(value.as_str(), value.len())?;
    let (name, min, max) = (in_force.name, facts.min, facts.max);
    let length = value.len();
    let is_short = matches!(fault, Fault::Below(_));
    let what = match (min, max) {
        (Some(min), Some(max)) if min == max => {
            format!("the length of {name} is {length}; {min} would be right")
        }
        _ if is_short => format!("{name} is empty; any text would be right"),
        _ => format!("{name} is too long"),
    };
    Some(Problem::stops(what))
}

/// Whether the program looks at a value: other settings may make it pointless.
fn is_looked_at(name: &str, scope: Scope<'_>) -> bool {
    let is_on = |switch: &'static str| scope.parameter(switch).flag() != Some(false);
    match name {
        "mynetworks_style" => scope.setting("mynetworks").is_none(),
        "smtpd_tls_security_level" => scope.parameter("smtpd_tls_wrappermode").flag() != Some(true),
        "smtpd_sasl_type" => is_on("smtpd_sasl_auth_enable"),
        "smtp_sasl_type" => is_on("smtp_sasl_auth_enable"),
        "lmtp_sasl_type" => is_on("lmtp_sasl_auth_enable"),
        "smtp_host_lookup" => scope.parameter("smtp_dns_support_level").text() != "disabled",
        "lmtp_host_lookup" => scope.parameter("lmtp_dns_support_level").text() != "disabled",
        "milter_default_action" => {
            ["smtpd_milters", "non_smtpd_milters"].iter().any(|name| !scope.parameter(name).is_empty())
        }
        _ => true,
    }
}

fn effect(facts: &TextValue) -> Effect {
    match facts.wrong {
        Wrong::Stops | Wrong::Nothing => Effect::StopsAtUse,
        Wrong::Defers => {
            Effect::Other(Severity::Error, "all mail is put off while a mail filter does not answer")
        }
        Wrong::NoTls => Effect::Other(Severity::Warning, "TLS sessions fail"),
    }
}

fn words(name: &str, facts: &TextValue, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let allowed: Vec<&str> = facts.words(scope.instance.version()).collect();
    let words = value.words(LIST_SEPARATORS);
    if name == "mynetworks_style" && words.len() != 1 {
        return Some(Problem::stops(format!("{name} has to be one word; {}", one_of(&allowed))));
    }
    let unknown = &facts.unknown_word(value, scope.instance.version())?;
    let what = format!("{unknown} is not known in {name}; {}", one_of(&allowed));
    Some(Problem::new(effect(facts), what).at(unknown).choices(near(unknown, &allowed)))
}

fn choice(facts: &TextValue, value: &Text, scope: Scope<'_>) -> Option<Problem> {
    let allowed: Vec<&str> = facts.words(scope.instance.version()).collect();
    if facts.allows(value, scope.instance.version()) {
        return None;
    }
    let name = facts.name;
    let what = if value.is_empty() {
        format!("{name} is empty; {}", one_of(&allowed))
    } else {
        format!("{name} = {value} is not known; {}", one_of(&allowed))
    };
    Some(Problem::new(effect(facts), what).choices(near(value, &allowed)))
}

/// What would be right.
fn one_of(allowed: &[&str]) -> String {
    let named: Vec<&str> = allowed.iter().copied().filter(|word| !word.is_empty()).collect();
    let listed = match named[..] {
        [.., last] if named.len() > 1 => format!("{} or {last}", named[..named.len() - 1].join(", ")),
        _ => named.join(""),
    };
    format!("{listed} would be right")
}

fn near(word: &Text, allowed: &[&str]) -> Option<String> {
    nearest(word.as_str(), allowed.iter().copied()).map(|near| format!("write {near}"))
}

/// `src/util/match_list.c`: there is nothing behind a `!`.
fn negation(value: &Text) -> Option<Problem> {
    let words = value.words_outside_braces(LIST_SEPARATORS);
    let lone = words.iter().find(|word| word.as_str().bytes().all(|byte| byte == b'!'))?;
    Some(
        Problem::new(
            Effect::StopsAtUse,
            "nothing follows the !; a pattern without a blank in front would be right",
        )
        .at(lone),
    )
}

/// Words in braces, and tables with braces, that are not closed (`src/postconf/postconf_dbms.c`).
fn unpaired(facts: &TextValue, value: &Text) -> Option<Problem> {
    memchr::memchr(b'{', value.as_bytes())?;
    let (word, message) = value.words_outside_braces(LIST_SEPARATORS).iter().find_map(in_word)?;
    let mut problem = expressions::unpaired(message).at(&word);
    if !matches!(
        facts.usage,
        Usage::List | Usage::Tables | Usage::Table | Usage::Restrictions | Usage::Milters
    ) {
        problem.effect = Effect::Other(Severity::Note, "postconf warns about the braces");
    }
    Some(problem)
}

fn in_word(word: &Text) -> Option<(Text, String)> {
    let bytes = word.as_bytes();
    let open = match bytes.first()? {
        b'{' => 0,
        _ => bytes.windows(2).position(|pair| pair == b":{")? + 1,
    };
    let braced = word.slice(open..word.len());
    match braces::extract(&braced, true) {
        Err(message) => Some((word.clone(), message)),
        Ok(inner) if open == 0 => {
            inner.words_outside_braces(LIST_SEPARATORS).iter().find_map(in_word)
        }
        Ok(_) => None,
    }
}
