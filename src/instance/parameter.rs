//! The effective value of a parameter, and where it comes from.

use std::borrow::Cow;

use super::Instance;
use super::builtin::Kind;
use super::files::Opened;
use super::service::Service;
use crate::source::{Span, Text};
use crate::syntax::expression::{self, ExpandError};
use crate::syntax::main_cf::Setting;

/// What separates the elements of a list (`CHARS_COMMA_SP`).
pub const LIST_SEPARATORS: &[u8] = b", \t\r\n";

/// Whose view of the parameters: one service's, after its `-o` overrides, or that of main.cf alone.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'i> {
    /// The instance.
    pub instance: &'i Instance,
    /// The service, `None` for programs without overrides.
    pub service: Option<Service<'i>>,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug)]
pub enum Origin<'i> {
    /// The built-in default.
    Default,
    /// A setting in main.cf.
    MainCf(&'i Setting),
    /// An `-o` in master.cf.
    Override(&'i Setting),
}

/// A parameter as one program sees it.
#[derive(Clone, Debug)]
pub struct Parameter<'i> {
    scope: Scope<'i>,
    name: Cow<'i, str>,
    raw: Text,
    origin: Origin<'i>,
}

impl<'i> Scope<'i> {
    /// A parameter that Postfix knows by itself.
    ///
    /// In a version that does not have it, and does not find it set, it is empty and unset.
    pub fn parameter(self, name: &'static str) -> Parameter<'i> {
        debug_assert!(
            super::builtin::parameter(name).is_some(),
            "no version of Postfix has a parameter {name}"
        );
        self.any_parameter(name)
    }

    /// What names without a domain get: `myorigin`, or the first line of the file that it names, as the packages
    /// of Debian and Ubuntu have it; the name of the host where that file cannot be read here.
    pub fn origin(self) -> String {
        let text = self.any_parameter("myorigin").text();
        if !text.starts_with('/') {
            return text;
        }
        let first_line = match self.instance.files().open(&text, self.instance.sources()) {
            Opened::Found(source) => source
                .text()
                .lines()
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned(),
            _ => String::new(),
        };
        if first_line.is_empty() {
            return self.any_parameter("myhostname").text();
        }
        first_line
    }

    /// A parameter by a name that the configuration gives (a user-defined one, a restriction class).
    pub fn any_parameter(self, name: &'static str) -> Parameter<'i> {
        self.named(Cow::Borrowed(name))
    }

    /// As [`Scope::any_parameter`], for a name that is put together.
    pub fn named(self, name: impl Into<Cow<'i, str>>) -> Parameter<'i> {
        let name = name.into();
        let (raw, origin) = match self.setting(&name) {
            Some((setting, origin)) => (setting.value.clone(), origin),
            None => {
                let default = self.default(&name).unwrap_or_default();
                (default, Origin::Default)
            }
        };
        Parameter {
            scope: self,
            name,
            raw,
            origin,
        }
    }

    /// The setting in force for `name`, `None` when nothing sets it.
    pub fn setting(self, name: &str) -> Option<(&'i Setting, Origin<'i>)> {
        if let Some(setting) = self
            .service
            .and_then(|service| service.override_of(name.as_bytes()))
        {
            return Some((setting, Origin::Override(setting)));
        }
        let setting = self.instance.main_cf_setting(name.as_bytes())?;
        Some((setting, Origin::MainCf(setting)))
    }

    /// The raw value of any name, as `$name` finds it: this service's overrides, main.cf, the default.
    /// `None` when nothing defines it.
    pub fn lookup(self, name: &str) -> Option<Text> {
        if let Some((setting, _)) = self.setting(name) {
            return Some(setting.value.clone());
        }
        match (name, self.service) {
            ("service_name", Some(service)) => Some(Text::placeless(service.name())),
            ("process_name", Some(service)) => Some(Text::placeless(service.line.command())),
            _ => self.default(name),
        }
    }

    /// The default of `name` in the target version, `None` when it has none.
    fn default(self, name: &str) -> Option<Text> {
        self.instance
            .default_of(name, self)
            .map(|text| Text::placeless(&text))
    }

    /// Expands a text as this program would.
    ///
    /// # Errors
    /// What Postfix would warn about before it gives up.
    pub fn expand(self, text: &Text) -> Result<Text, ExpandError> {
        expression::expand(text, self.instance.dialect(), &|name| self.lookup(name))
    }
}

impl<'i> Parameter<'i> {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The view in which the value holds.
    pub fn scope(&self) -> Scope<'i> {
        self.scope
    }

    /// Where the value comes from.
    pub fn origin(&self) -> Origin<'i> {
        self.origin
    }

    /// The setting that gives the value; `None` for a default.
    pub fn setting(&self) -> Option<&'i Setting> {
        match self.origin {
            Origin::Default => None,
            Origin::MainCf(setting) | Origin::Override(setting) => Some(setting),
        }
    }

    /// Whether main.cf or an override sets it, be it to nothing.
    pub fn is_set(&self) -> bool {
        self.setting().is_some()
    }

    /// Where the setting stands; `None` for a default.
    pub fn span(&self) -> Option<Span> {
        self.setting().map(|setting| setting.span)
    }

    /// The raw value, `$` expressions unexpanded.
    pub fn raw(&self) -> &Text {
        &self.raw
    }

    /// The effective value, trimmed. Each byte knows where it is written, be it in another setting.
    ///
    /// # Errors
    /// The value cannot be expanded; a program that reads it stops.
    pub fn value(&self) -> Result<Text, ExpandError> {
        if self.kind() == Some(Kind::Raw) {
            return Ok(self.raw.clone());
        }
        self.scope.expand(&self.raw)
    }

    /// The effective value, empty where it cannot be expanded.
    pub fn text(&self) -> String {
        self.value()
            .map(|value| value.to_string())
            .unwrap_or_default()
    }

    /// Whether the effective value is empty. A value that cannot be expanded is not: nothing works then.
    pub fn is_empty(&self) -> bool {
        self.value().is_ok_and(|value| value.trim().is_empty())
    }

    /// The elements of a list: cut at commas and white space outside `{ }`; empty where the value cannot be
    /// expanded.
    pub fn words(&self) -> Vec<Text> {
        self.value()
            .map(|value| value.words_outside_braces(LIST_SEPARATORS))
            .unwrap_or_default()
    }

    /// A boolean as Postfix reads it: `yes` or `no` in any case, nothing else.
    pub fn flag(&self) -> Option<bool> {
        let text = self.text();
        if text.eq_ignore_ascii_case("yes") {
            Some(true)
        } else if text.eq_ignore_ascii_case("no") {
            Some(false)
        } else {
            None
        }
    }

    /// A whole number as Postfix reads it (C `strtol`, base 10).
    pub fn number(&self) -> Option<i64> {
        parse_number(&self.text())
    }

    /// A time in seconds: digits and one unit letter; without a letter, the unit of the default.
    pub fn seconds(&self) -> Option<u64> {
        let unit = super::builtin::parameter(&self.name).and_then(super::builtin::Builtin::unit);
        let unit = unit
            .and_then(|unit| u8::try_from(unit).ok())
            .unwrap_or(b's');
        parse_seconds(&self.text(), unit)
    }

    /// The kind of a built-in parameter.
    pub fn kind(&self) -> Option<Kind> {
        let instance = self.scope.instance;
        instance
            .builtins()
            .get(&self.name)
            .map(|builtin| builtin.kind(instance.version()))
    }
}

/// A whole number as C `strtol` takes a text: leading white space and a sign pass, nothing may follow.
pub fn parse_number(text: &str) -> Option<i64> {
    let text =
        text.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(crate::source::is_space));
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.strip_prefix('+').unwrap_or(text).parse().ok()
}

/// A time as `src/global/conv_time.c` takes a text: digits (none are 0), then one unit letter out of
/// `s m h d w`; what follows the letter is ignored.
///
/// `default_unit` is the letter that is meant when there is none. The result is in seconds.
pub fn parse_seconds(text: &str, default_unit: u8) -> Option<u64> {
    let text =
        text.trim_start_matches(|c: char| u8::try_from(c).is_ok_and(crate::source::is_space));
    let text = text.strip_prefix('+').unwrap_or(text);
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = if length == 0 {
        0
    } else {
        text[..length].parse().ok()?
    };
    let unit = match text.as_bytes().get(length) {
        Some(&unit) => unit,
        None if length > 0 => default_unit,
        None => return None,
    };
    let factor = match unit {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return None,
    };
    (number < i32::MAX as u64 / factor).then(|| number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_postfix_reads_them() {
        assert_eq!(parse_seconds("5d", b's'), Some(432_000));
        assert_eq!(parse_seconds("5days", b's'), Some(432_000));
        assert_eq!(parse_seconds("30s # c", b'm'), Some(30));
        assert_eq!(parse_seconds("2", b'h'), Some(7_200));
        assert_eq!(parse_seconds("h", b's'), Some(0));
        for bad in ["5 m", "1.5h", "-1", "", "5M", "24855d"] {
            assert_eq!(parse_seconds(bad, b's'), None, "{bad}");
        }
    }

    #[test]
    fn numbers_as_postfix_reads_them() {
        assert_eq!(parse_number(" +7"), Some(7));
        assert_eq!(parse_number("-0"), Some(0));
        assert_eq!(parse_number("010"), Some(10));
        for bad in ["", "1k", "0x10", "10 ", "+-1"] {
            assert_eq!(parse_number(bad), None, "{bad}");
        }
    }
}
