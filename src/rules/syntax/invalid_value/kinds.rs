//! Numbers, times and switches (`src/global/mail_conf_int.c`, `mail_conf_time.c`, `mail_conf_bool.c` and their
//! relatives).

use super::{Effect, Problem};
use crate::finding::Severity;
use crate::instance::builtin::Kind;
use crate::instance::value_fault::{Facts, Fault};
use crate::source::Text;

/// What is wrong with the value of `name`, which is no text.
pub(super) fn problem(name: &str, value: &Text, facts: &Facts) -> Option<Problem> {
    let subject = Subject { name, value: value.as_str() };
    let fault = facts.fault(value.as_str(), value.len());
    match facts.kind {
        Kind::Bool | Kind::Nbool => fault.map(|_| switch(&subject)),
        Kind::Int | Kind::Nint | Kind::Long => fault.map(|fault| number(&subject, facts, fault)),
        Kind::Time => time(&subject, facts, fault),
        Kind::Str | Kind::Raw => None,
    }
}

/// A parameter and its value.
struct Subject<'v> {
    name: &'v str,
    value: &'v str,
}

impl Subject<'_> {
    /// Says that the value is no such thing.
    fn is_no(&self, thing: &str) -> String {
        let Self { name, value } = self;
        if value.is_empty() {
            format!("{name} is empty")
        } else {
            format!("{name} = {value} is no {thing}")
        }
    }
}

fn switch(subject: &Subject<'_>) -> Problem {
    let value = subject.value;
    let meant = match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" | "y" | "t" | "enable" | "enabled" => Some("yes"),
        "false" | "off" | "0" | "n" | "f" | "disable" | "disabled" => Some("no"),
        _ => None,
    };
    let what = format!("{}; yes or no would be right", subject.is_no("switch"));
    Problem::stops(what).meant(meant)
}

fn number(subject: &Subject<'_>, facts: &Facts, fault: Fault) -> Problem {
    let Subject { name, value } = subject;
    let wanted = match (facts.min, facts.max) {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number from {min} on"),
        (None, Some(max)) => format!("a whole number up to {max}"),
        (None, None) => "a whole number".to_owned(),
    };
    let size = match fault {
        Fault::Malformed => {
            let what = format!("{}; {wanted} would be right", subject.is_no("number"));
            return Problem::stops(what).choices(multiplied(value));
        }
        Fault::Below(_) => "small",
        Fault::Above(_) => "large",
    };
    Problem::stops(format!("{name} = {value} is too {size}; {wanted} would be right"))
}

/// A size with a unit, which Postfix does not have, as a number.
fn multiplied(value: &str) -> Option<String> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let factor: i64 = match value[digits..].trim().to_ascii_lowercase().as_str() {
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => return None,
    };
    let number: i64 = value[..digits].parse().ok()?;
    Some(format!("write {}", number.checked_mul(factor)?))
}

fn time(subject: &Subject<'_>, facts: &Facts, fault: Option<Fault>) -> Option<Problem> {
    let Subject { name, value } = subject;
    let what = match fault {
        None => return surprise(subject),
        Some(Fault::Malformed) => format!(
            "{}; a whole number with one of the letters s, m, h, d, w would be right",
            subject.is_no("time")
        ),
        Some(Fault::Below(_)) => {
            format!("{name} = {value} is too short; the least is {}s", facts.min.unwrap_or(0))
        }
        Some(Fault::Above(_)) => {
            format!("{name} = {value} is too long; the most is {}s", facts.max.unwrap_or(0))
        }
    };
    Some(Problem::stops(what))
}

/// What follows the letter of the unit is ignored: `1h30m` is one hour, `5ms` five minutes.
fn surprise(subject: &Subject<'_>) -> Option<Problem> {
    let Subject { name, value } = subject;
    let number = value.trim_start_matches(|c: char| c.is_ascii_digit() || c == '+' || c.is_ascii_whitespace());
    let letters = number.trim();
    let unit = letters.get(..1)?;
    let names: &[&str] = match unit {
        "s" => &["s", "sec", "secs", "second", "seconds"],
        "m" => &["m", "min", "mins", "minute", "minutes"],
        "h" => &["h", "hr", "hrs", "hour", "hours"],
        "d" => &["d", "day", "days"],
        _ => &["w", "wk", "wks", "week", "weeks"],
    };
    if names.contains(&letters.to_ascii_lowercase().as_str()) {
        return None;
    }
    let read = &value[..value.len() - number.len() + 1];
    let effect = Effect::Other(Severity::Warning, "Postfix ignores what follows the letter of the unit");
    let what = format!("{name} = {value} is read as {read}; one number with one letter would be right");
    Some(Problem::new(effect, what))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(kind: Kind) -> Facts {
        Facts { kind, min: Some(1), max: Some(600), unit: b's' }
    }

    fn effect(kind: Kind, value: &str) -> Option<Effect> {
        problem("x", &Text::placeless(value), &facts(kind)).map(|problem| problem.effect)
    }

    #[test]
    fn accepted_as_postfix_does() {
        for good in ["yes", "NO", "Yes"] {
            assert_eq!(effect(Kind::Bool, good), None, "{good}");
        }
        for good in ["1", "+7", "010", " 600"] {
            assert_eq!(effect(Kind::Int, good), None, "{good}");
        }
        for good in ["5", "5m", "10min", "600s", "1minute", "20 "] {
            assert_eq!(effect(Kind::Time, good.trim()), None, "{good}");
        }
    }

    #[test]
    fn refused_as_postfix_does() {
        for bad in ["", "true", "1", "yes no"] {
            assert_eq!(effect(Kind::Nbool, bad), Some(Effect::Stops), "{bad}");
        }
        for bad in ["", "0", "601", "1k", "0x10", "1,000", "2147483648"] {
            assert_eq!(effect(Kind::Int, bad), Some(Effect::Stops), "{bad}");
        }
        for bad in ["", "0", "11m", "-1", "5 m", "5M", "1.5h", "h"] {
            assert_eq!(effect(Kind::Time, bad), Some(Effect::Stops), "{bad}");
        }
    }

    #[test]
    fn the_rest_of_a_time_is_ignored() {
        for odd in ["5ms", "1m30s", "5s x", "2mo"] {
            assert!(matches!(effect(Kind::Time, odd), Some(Effect::Other(..))), "{odd}");
        }
    }

    #[test]
    fn sizes_as_numbers() {
        assert_eq!(multiplied("10M").as_deref(), Some("write 10485760"));
        assert_eq!(multiplied("1 gb").as_deref(), Some("write 1073741824"));
        assert_eq!(multiplied("10"), None);
    }
}
