//! What a program makes of the text of a value when it reads the parameter, by the kind of the parameter
//! (`src/global/mail_conf_str.c`, `mail_conf_int.c`, `mail_conf_time.c`, `mail_conf_bool.c` and relatives).

use super::builtin::{Builtin, Kind, Version};
use super::parameter::{parse_number, parse_seconds};

/// How a parameter is read.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// The kind of its value.
    pub kind: Kind,
    /// The smallest length, number or count of seconds.
    pub min: Option<i64>,
    /// The largest one.
    pub max: Option<i64>,
    /// The unit of a time without one.
    pub unit: u8,
}

/// Why a value is refused. The program that reads it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is neither yes nor no, no number, no time.
    Malformed,
    /// The length, the number or the time is too small: this.
    Below(i64),
    /// The length, the number or the time is too large: this.
    Above(i64),
}

impl Facts {
    /// How a version reads a parameter.
    pub fn of(builtin: &Builtin, version: Version) -> Self {
        let definition = builtin.definition(version);
        let unit = builtin.unit().and_then(|unit| u8::try_from(unit).ok());
        Self {
            kind: definition.kind,
            min: definition.min,
            max: definition.max,
            unit: unit.unwrap_or(b's'),
        }
    }

    /// What is wrong with a value; `length` is that of its bytes.
    pub fn fault(&self, value: &str, length: usize) -> Option<Fault> {
        let number = |range: std::ops::RangeInclusive<i64>| {
            parse_number(value).filter(|number| range.contains(number))
        };
        let amount = match self.kind {
            Kind::Bool | Kind::Nbool => {
                let is_switch = ["yes", "no"]
                    .iter()
                    .any(|word| value.eq_ignore_ascii_case(word));
                return (!is_switch).then_some(Fault::Malformed);
            }
            Kind::Int | Kind::Nint => number(i64::from(i32::MIN)..=i64::from(i32::MAX)),
            Kind::Long => number(i64::MIN..=i64::MAX),
            Kind::Time => {
                parse_seconds(value, self.unit).and_then(|seconds| i64::try_from(seconds).ok())
            }
            Kind::Str | Kind::Raw => i64::try_from(length).ok(),
        };
        let Some(amount) = amount else {
            return Some(Fault::Malformed);
        };
        if self.min.is_some_and(|min| amount < min) {
            Some(Fault::Below(amount))
        } else if self.max.is_some_and(|max| amount > max) {
            Some(Fault::Above(amount))
        } else {
            None
        }
    }

    /// The words with which the program ends.
    pub fn complaint(&self, fault: Fault, name: &str, value: &str) -> String {
        let limits = |amount: i64, sign: &str, limit: Option<i64>| {
            let limit = limit.unwrap_or(0);
            match self.kind {
                Kind::Str => format!("bad string length {amount} {sign} {limit}: {name} = {value}"),
                Kind::Raw => {
                    format!("bad string length ({amount} {sign} {limit}): {name} = {value}")
                }
                Kind::Time => {
                    let which = if sign == "<" { "min" } else { "max" };
                    format!("invalid {name}: {amount} ({which} {limit})")
                }
                _ => format!("invalid {name} parameter value {amount} {sign} {limit}"),
            }
        };
        match (fault, self.kind) {
            (Fault::Below(amount), _) => limits(amount, "<", self.min),
            (Fault::Above(amount), _) => limits(amount, ">", self.max),
            (Fault::Malformed, Kind::Bool | Kind::Nbool) => {
                format!("bad boolean configuration: {name} = {value}")
            }
            (Fault::Malformed, Kind::Time) => {
                format!("parameter {name}: bad time value or unit: {value}")
            }
            (Fault::Malformed, _) => format!("bad numerical configuration: {name} = {value}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(kind: Kind, value: &str) -> Option<String> {
        let facts = Facts {
            kind,
            min: Some(2),
            max: Some(600),
            unit: b's',
        };
        let fault = facts.fault(value, value.len())?;
        Some(facts.complaint(fault, "x", value))
    }

    #[test]
    fn in_the_words_of_postfix() {
        for (kind, value, words) in [
            (Kind::Bool, "maybe", "bad boolean configuration: x = maybe"),
            (Kind::Int, "7 #", "bad numerical configuration: x = 7 #"),
            (
                Kind::Nint,
                "2147483648",
                "bad numerical configuration: x = 2147483648",
            ),
            (Kind::Int, "-4", "invalid x parameter value -4 < 2"),
            (Kind::Long, "601", "invalid x parameter value 601 > 600"),
            (
                Kind::Time,
                "2 h",
                "parameter x: bad time value or unit: 2 h",
            ),
            (Kind::Time, "1", "invalid x: 1 (min 2)"),
            (Kind::Time, "11m", "invalid x: 660 (max 600)"),
            (Kind::Str, "", "bad string length 0 < 2: x = "),
            (Kind::Raw, "a", "bad string length (1 < 2): x = a"),
        ] {
            assert_eq!(complaint(kind, value).as_deref(), Some(words));
        }
        for (kind, value) in [(Kind::Bool, "No"), (Kind::Int, " +9"), (Kind::Time, "9mx")] {
            assert_eq!(complaint(kind, value), None, "{value}");
        }
    }
}
