//! Numbers, times and switches (`src/global/mail_conf_int.c`, `mail_conf_time.c`, `mail_conf_bool.c` and their
//! relatives).

use super::super::readings::Facts;
use super::{Effect, Problem};
use crate::finding::Severity;
use crate::instance::builtin::Kind;
use crate::instance::parameter::{parse_number, parse_seconds};
use crate::source::Text;

/// What is wrong with the value of `name`, which is no text.
pub(super) fn problem(name: &str, value: &Text, facts: &Facts) -> Option<Problem> {
    let subject = Subject { name, value: value.as_str() };
    match facts.kind {
        Kind::Bool | Kind::Nbool => switch(&subject),
        Kind::Int | Kind::Nint => number(&subject, facts, i64::from(i32::MIN)..=i64::from(i32::MAX)),
        Kind::Long => number(&subject, facts, i64::MIN..=i64::MAX),
        Kind::Time => time(&subject, facts),
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

fn switch(subject: &Subject<'_>) -> Option<Problem> {
    let value = subject.value;
    if value.eq_ignore_ascii_case("yes") || value.eq_ignore_ascii_case("no") {
        return None;
    }
    let meant = match value.to_ascii_lowercase().as_str() {
        "true" | "on" | "1" | "y" | "t" | "enable" | "enabled" => Some("yes"),
        "false" | "off" | "0" | "n" | "f" | "disable" | "disabled" => Some("no"),
        _ => None,
    };
    let what = format!("{}; yes or no would be right", subject.is_no("switch"));
    Some(Problem::stops(what).meant(meant))
}

fn number(
    subject: &Subject<'_>,
    facts: &Facts,
    range: std::ops::RangeInclusive<i64>,
) -> Option<Problem> {
    let Subject { name, value } = subject;
    let wanted = match (facts.min, facts.max) {
        (Some(min), Some(max)) => format!("a whole number from {min} to {max}"),
        (Some(min), None) => format!("a whole number from {min} on"),
        (None, Some(max)) => format!("a whole number up to {max}"),
        (None, None) => "a whole number".to_owned(),
    };
    let Some(number) = parse_number(value).filter(|number| range.contains(number)) else {
        let what = format!("{}; {wanted} would be right", subject.is_no("number"));
        return Some(Problem::stops(what).choices(multiplied(value)));
    };
    let size = size(number, facts)?;
    let size = if size.is_lt() { "small" } else { "large" };
    Some(Problem::stops(format!("{name} = {value} is too {size}; {wanted} would be right")))
}

/// Whether a number lies below or above what is allowed.
fn size(number: i64, facts: &Facts) -> Option<std::cmp::Ordering> {
    if facts.min.is_some_and(|min| number < min) {
        Some(std::cmp::Ordering::Less)
    } else if facts.max.is_some_and(|max| number > max) {
        Some(std::cmp::Ordering::Greater)
    } else {
        None
    }
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

fn time(subject: &Subject<'_>, facts: &Facts) -> Option<Problem> {
    let Subject { name, value } = subject;
    let Some(seconds) = parse_seconds(value, facts.unit) else {
        let what = format!(
            "{}; a whole number with one of the letters s, m, h, d, w would be right",
            subject.is_no("time")
        );
        return Some(Problem::stops(what));
    };
    let what = match size(i64::try_from(seconds).unwrap_or(i64::MAX), facts) {
        None => return surprise(subject),
        Some(std::cmp::Ordering::Less) => {
            format!("{name} = {value} is too short; the least is {}s", facts.min.unwrap_or(0))
        }
        Some(_) => format!("{name} = {value} is too long; the most is {}s", facts.max.unwrap_or(0)),
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
