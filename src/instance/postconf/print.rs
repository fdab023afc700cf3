//! Printing parameters, as `src/postconf/postconf_main.c` and `postconf_print.c` do.

use super::notice::{Notice, NoticeKind};
use super::{Class, GaveUp, Postconf, Scope};
use crate::source::Text;

/// Lines are folded when they would be as long as this.
pub(super) const LINE_LIMIT: usize = 80;
/// What continuation lines begin with.
pub(super) const INDENT: &[u8] = b"    ";
/// The white space that is made one blank.
const SEPARATORS: &[u8] = b" \t\r\n";

/// What is shown, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Show {
    /// Nothing but defaults (`-d`).
    pub defaults: bool,
    /// Nothing but what is set (`-n`).
    pub settings: bool,
    /// Values are expanded (`-x`).
    pub expanded: bool,
    /// Long lines are folded (`-f`).
    pub folded: bool,
    /// No names (`-h`).
    pub hide_names: bool,
    /// No values (`-H`).
    pub hide_values: bool,
    /// Where the parameters come from that are shown when none is asked for (`-C`).
    pub classes: Classes,
}

/// A choice of classes of parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Classes {
    /// Built-in parameters.
    pub builtin: bool,
    /// Parameters made of the name of a service.
    pub service: bool,
    /// User-defined parameters.
    pub user: bool,
}

impl Default for Classes {
    fn default() -> Self {
        Self {
            builtin: true,
            service: true,
            user: true,
        }
    }
}

impl Classes {
    /// Reads the argument of `-C`: `builtin`, `service`, `user`, `all`, in any case.
    ///
    /// # Errors
    /// Postfix's own words for a word that is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut classes = Self {
            builtin: false,
            service: false,
            user: false,
        };
        let words = text.split([',', ' ', '\t', '\r', '\n']);
        for word in words.filter(|word| !word.is_empty()) {
            match word.to_ascii_lowercase().as_str() {
                "builtin" => classes.builtin = true,
                "service" => classes.service = true,
                "user" => classes.user = true,
                "all" => classes = Self::default(),
                _ => {
                    return Err(format!("unknown -C option value \"{word}\" in \"{text}\""));
                }
            }
        }
        Ok(classes)
    }

    fn has(self, class: Class) -> bool {
        match class {
            Class::Builtin => self.builtin,
            Class::Service => self.service,
            Class::User => self.user,
            Class::Legacy => false,
        }
    }
}

impl Postconf {
    /// Prints parameters of main.cf to `out`: those that are named, else all of the wanted classes.
    ///
    /// Gives what is said meanwhile. When the last notice is fatal, `out` has what came before it.
    pub fn print_parameters(
        &self,
        show: Show,
        names: &[impl AsRef<[u8]>],
        out: &mut Vec<u8>,
    ) -> Vec<Notice> {
        let mut said = Vec::new();
        // An error has been said.
        let _ = self.try_print_parameters(show, names, out, &mut said);
        said
    }

    fn try_print_parameters(
        &self,
        show: Show,
        names: &[impl AsRef<[u8]>],
        out: &mut Vec<u8>,
        said: &mut Vec<Notice>,
    ) -> Result<(), GaveUp> {
        if names.is_empty() {
            for name in self.listed(show) {
                self.print_parameter(show, &name, out, said)?;
            }
        }
        for name in names {
            let name = name.as_ref();
            if self.class(name).is_some() {
                self.print_parameter(show, name, out, said)?;
            } else {
                let shown = crate::source::same_length_lossy(name);
                let message = format!("{shown}: unknown parameter");
                said.push(Notice::new(NoticeKind::Request, message));
            }
        }
        Ok(())
    }

    /// The names that are printed when none is asked for, sorted.
    fn listed(&self, show: Show) -> Vec<Vec<u8>> {
        let is_wanted = |name: &[u8]| {
            self.class(name)
                .is_some_and(|class| show.classes.has(class))
        };
        let mut names: Vec<Vec<u8>> = if show.settings {
            self.main
                .iter()
                .map(|assigned| assigned.name.as_bytes())
                .filter(|name| is_wanted(name))
                .map(<[u8]>::to_vec)
                .collect()
        } else {
            let builtins = self
                .builtins
                .iter()
                .map(|builtin| builtin.name().as_bytes());
            builtins
                .chain(self.services.keys().map(Vec::as_slice))
                .chain(self.users.iter().map(Vec::as_slice))
                .filter(|name| is_wanted(name))
                .map(<[u8]>::to_vec)
                .collect()
        };
        names.sort_unstable();
        names.dedup();
        names
    }

    /// `pcf_print_parameter`.
    fn print_parameter(
        &self,
        show: Show,
        name: &[u8],
        out: &mut Vec<u8>,
        said: &mut Vec<Notice>,
    ) -> Result<(), GaveUp> {
        let scope = if show.defaults {
            Scope::Defaults
        } else {
            Scope::Main
        };
        let value = if show.settings {
            self.main.get(name).map(|assigned| assigned.value.clone())
        } else {
            self.lookup(name, scope)
        };
        let Some(mut value) = value else {
            return Ok(());
        };
        if show.defaults {
            said.extend_from_slice(self.said_of_default(name));
            if said.last().is_some_and(Notice::is_fatal) {
                return Err(GaveUp);
            }
        }
        if show.expanded && !show.hide_values && !self.is_raw(name) {
            value = self.expand(&value, scope, said)?;
        }
        print_pair(show, name, &value, out);
        Ok(())
    }
}

/// Prints a name and its value, or what of them is wanted.
pub(super) fn print_pair(show: Show, name: &[u8], value: &Text, out: &mut Vec<u8>) {
    let mut line = Vec::new();
    if show.hide_values {
        line.extend_from_slice(name);
    } else {
        if !show.hide_names {
            line.extend_from_slice(name);
            line.extend_from_slice(b" = ");
        }
        line.extend_from_slice(value.as_bytes());
    }
    print_line(show.folded, &line, out);
}

/// Prints a line with one blank between words, perhaps folded (`pcf_print_line`).
fn print_line(folded: bool, line: &[u8], out: &mut Vec<u8>) {
    let mut length = 0;
    for word in line.split(|byte| SEPARATORS.contains(byte)) {
        if word.is_empty() {
            continue;
        }
        if length > 0 {
            if !folded || length + word.len() < LINE_LIMIT {
                out.push(b' ');
                length += 1;
            } else {
                out.push(b'\n');
                out.extend_from_slice(INDENT);
                length = INDENT.len();
            }
        }
        out.extend_from_slice(word);
        length += word.len();
    }
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(folded: bool, line: &str) -> String {
        let mut out = Vec::new();
        print_line(folded, line.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn white_space_is_one_blank_and_the_end_has_none() {
        assert_eq!(printed(false, "a =  b\t c\r\n d "), "a = b c d\n");
        assert_eq!(printed(false, "a = "), "a =\n");
        assert_eq!(printed(false, "a = b\x0b c"), "a = b\x0b c\n");
    }

    #[test]
    fn a_line_of_eighty_bytes_is_folded() {
        let word = "x".repeat(75);
        assert_eq!(
            printed(true, &format!("ab = {word}")),
            format!("ab = {word}\n")
        );
        assert_eq!(
            printed(true, &format!("abc = {word} c")),
            format!("abc =\n    {word}\n    c\n")
        );
    }

    #[test]
    fn classes_in_any_case() {
        let all = Classes::parse("Builtin, SERVICE user").unwrap();
        assert_eq!(all, Classes::default());
        assert!(!Classes::parse("user").unwrap().builtin);
        assert_eq!(
            Classes::parse("x,user").unwrap_err(),
            "unknown -C option value \"x\" in \"x,user\""
        );
    }
}
