//! The entries of master.cf as postconf brings them into a form of its own
//! (`src/postconf/postconf_master.c`).
//!
//! That is not what master(8) does with them: postconf minds braces in the first eight words, too, splits
//! `-oname=value` in two wherever it sees an `o`, and takes options that stand behind braces.

use std::collections::BTreeSet;

use super::notice::{Notice, NoticeKind};
use super::settings::{Assigned, discarded, line_number, nul_notices, split};
use crate::instance::builtin::Version;
use crate::source::{Span, Text};
use crate::syntax::braces;
use crate::syntax::master_cf::{FIELD_NAMES, MasterCf, MasterLine};

/// What separates words in master.cf.
pub(super) const BLANK: &[u8] = b" \t\r\n";

/// An entry of master.cf.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The eight fields and the arguments; an option and its value are two words.
    pub(super) words: Vec<Text>,
    /// The values of `-o`, which all entries with the same name and type share: an index.
    pub(super) space: Option<usize>,
    /// The user-defined names that are known in this entry.
    pub(super) valid: BTreeSet<Vec<u8>>,
}

impl Entry {
    /// The service name, as written.
    pub(super) fn service(&self) -> &Text {
        &self.words[0]
    }

    /// The transport type.
    pub(super) fn transport(&self) -> &Text {
        &self.words[1]
    }

    /// The command word.
    pub(super) fn command(&self) -> &Text {
        &self.words[FIELD_NAMES.len() - 1]
    }

    /// The words behind the command.
    pub(super) fn arguments(&self) -> &[Text] {
        self.words.get(FIELD_NAMES.len()..).unwrap_or_default()
    }

    /// `name/type`.
    pub(super) fn name_space(&self) -> Text {
        let mut name_space = self.service().clone();
        name_space.push(&Text::placeless("/"));
        name_space.push(self.transport());
        name_space
    }

    /// What `$process_name` is: the last part of the command.
    pub(super) fn process_name(&self) -> Text {
        let command = self.command();
        let start = command
            .as_bytes()
            .iter()
            .rposition(|&byte| byte == b'/')
            .map_or(0, |slash| slash + 1);
        command.slice(start..command.len())
    }

    /// The `-o name=value` among the arguments, in order.
    pub(super) fn overrides(&self, version: Version) -> Vec<Assigned> {
        let mut found = Vec::new();
        let mut words = self.arguments().iter().peekable();
        while let Some(word) = words.next() {
            if !is_option(word) {
                break;
            }
            if !takes_value(word) {
                continue;
            }
            let Some(value) = words.next() else { break };
            if word == "-o"
                && let Ok(pair) = split(value, version)
            {
                found.push(Assigned {
                    name: pair.name,
                    value: pair.value,
                    span: span_of_both(word, value),
                });
            }
        }
        found
    }
}

fn span_of_both(word: &Text, value: &Text) -> Option<Span> {
    match (word.span(), value.span()) {
        (Some(word), Some(value)) => Some(word.to(value)),
        (word, value) => word.or(value),
    }
}

/// Whether options go on with this word.
pub(super) fn is_option(word: &Text) -> bool {
    word.as_bytes().first() == Some(&b'-') && word != "--"
}

/// Whether the option is followed by its value. A lone `-` is: C's `strchr` finds the end of a text, too.
pub(super) fn takes_value(option: &Text) -> bool {
    matches!(option.as_bytes().get(1), Some(b'o') | None)
}

/// Reads master.cf, which is called `path` in what is said of it.
///
/// A line that postconf does not accept gives a fatal notice and no entry; those behind it are read all the
/// same.
pub(super) fn read(
    file: &MasterCf,
    path: &str,
    version: Version,
    notices: &mut Vec<Notice>,
) -> Vec<Entry> {
    notices.extend(nul_notices(&file.source, path, version));
    let mut entries = Vec::new();
    for line in &file.lines {
        match line {
            MasterLine::Discarded { text, span } => notices.push(discarded(path, text, *span)),
            MasterLine::Service(service) => match parse(&service.text, version, notices) {
                Ok(entry) => entries.push(entry),
                Err(Refused::TooShort) => {
                    let number = line_number(&file.source, service.span, version);
                    let message = format!("file {path}: line {number}: bad field count");
                    let notice = Notice::new(NoticeKind::MalformedService, message);
                    notices.push(notice.at(service.span));
                }
                Err(Refused::Field(field, word)) => {
                    let message =
                        format!("invalid {field} field \"{word}\" in \"{}\"", service.text);
                    let notice = Notice::new(NoticeKind::MalformedService, message);
                    notices.push(notice.at(word.span()));
                }
            },
        }
    }
    entries
}

/// Why postconf does not accept a line.
enum Refused {
    TooShort,
    /// The name of the field and what stands there.
    Field(&'static str, Text),
}

fn parse(text: &Text, version: Version, notices: &mut Vec<Notice>) -> Result<Entry, Refused> {
    let mut words = if knows_braces(version) {
        text.words_outside_braces(BLANK)
    } else {
        text.words(BLANK)
    };
    if words.len() < FIELD_NAMES.len() {
        return Err(Refused::TooShort);
    }
    if version >= Version::release(2, 11, 0) {
        check_fields(&words, version)?;
    }
    normalize_arguments(&mut words, version, notices);
    Ok(Entry {
        words,
        space: None,
        valid: BTreeSet::new(),
    })
}

/// Whether braces mean anything in master.cf.
fn knows_braces(version: Version) -> bool {
    version >= Version::release(3, 0, 0)
}

/// `pcf_check_master_entry`.
fn check_fields(words: &[Text], version: Version) -> Result<(), Refused> {
    for (&field, word) in FIELD_NAMES.iter().zip(words) {
        let bytes = word.as_bytes();
        let are_digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        let is_good = match field {
            "type" => match bytes {
                b"unix" | b"fifo" | b"inet" | b"pass" => true,
                b"unix-dgram" => version >= Version::release(3, 4, 0),
                _ => false,
            },
            "private" | "unprivileged" | "chroot" => matches!(bytes, [b'y' | b'n' | b'-']),
            "wakeup" => {
                let bytes = bytes.strip_suffix(b"?").unwrap_or(bytes);
                bytes == b"-" || are_digits(bytes)
            }
            "process_limit" => bytes == b"-" || are_digits(bytes),
            _ => true,
        };
        if !is_good {
            return Err(Refused::Field(field, word.clone()));
        }
    }
    Ok(())
}

/// `pcf_normalize_daemon_args`.
fn normalize_arguments(words: &mut Vec<Text>, version: Version, notices: &mut Vec<Notice>) {
    let knows_braces = knows_braces(version);
    let mut at = FIELD_NAMES.len();
    while let Some(word) = words.get(at).filter(|word| is_option(word)).cloned() {
        // `-vox=y` becomes `-v` and `-ox=y`. So does `-ofoo=y`, against its author's intention.
        let mut option = word.clone();
        let second = word.as_bytes().iter().skip(2).position(|&b| b == b'o');
        if let Some(o) = second.map(|offset| offset + 2) {
            let mut rest = word.slice(0..1);
            rest.push(&word.slice(o..word.len()));
            words.insert(at + 1, rest);
            option = word.slice(0..o);
        }
        if takes_value(&option) {
            if option.len() > 2 {
                words.insert(at + 1, option.slice(2..option.len()));
                option = option.slice(0..2);
            }
            let is_override = option == "-o";
            words[at] = option;
            at += 1;
            if knows_braces
                && let Some(value) = words.get_mut(at)
                && value.as_bytes().first() == Some(&b'{')
            {
                take_out_of_braces(value, notices);
                if is_override {
                    normalize_name_value(value, version, notices);
                }
            }
        } else {
            words[at] = option;
        }
        at += 1;
    }
    for word in words.iter_mut().skip(at).filter(|_| knows_braces) {
        if word.as_bytes().first() == Some(&b'{') {
            take_out_of_braces(word, notices);
        }
    }
}

fn take_out_of_braces(word: &mut Text, notices: &mut Vec<Notice>) {
    let span = word.span();
    let (inner, error) = braces::open(word, true);
    if let Some(error) = error {
        let message = format!("master.cf: {error}");
        notices.push(Notice::new(NoticeKind::MalformedArgument, message).at(span));
    }
    *word = inner;
}

/// `name = value` from inside braces becomes `name=value`.
fn normalize_name_value(word: &mut Text, version: Version, notices: &mut Vec<Notice>) {
    match split(word, version) {
        Ok(pair) => {
            let mut normalized = pair.name;
            normalized.push(&Text::placeless("="));
            normalized.push(&pair.value);
            *word = normalized;
        }
        Err(error) => {
            let message = format!("master.cf: {}: \"{word}\"", error.message());
            let notice = Notice::new(NoticeKind::MalformedArgument, message);
            notices.push(notice.at(word.span()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        let mut notices = Vec::new();
        let text = Text::placeless(&format!("smtp inet n - n - - smtpd {line}"));
        let version = Version::release(3, 7, 11);
        let Ok(entry) = parse(&text, version, &mut notices) else {
            panic!("{line}")
        };
        let words = entry.arguments().iter().map(ToString::to_string);
        words
            .chain(notices.iter().map(|notice| notice.message.clone()))
            .collect()
    }

    #[test]
    fn options_are_taken_apart() {
        assert_eq!(words("-vox=y -D a"), ["-v", "-o", "x=y", "-D", "a"]);
        assert_eq!(words("-o {a = b c} {d e}"), ["-o", "a=b c", "d e"]);
        assert_eq!(words("-o{a = b}"), ["-o", "a=b"]);
        assert_eq!(words("{-o} {a = b}"), ["-o", "a = b"]);
    }

    #[test]
    fn an_o_in_a_value_splits_it() {
        assert_eq!(words("-oa=foo b"), ["-o", "a=f", "-o", "-o", "b"]);
        assert_eq!(words("-oa=b"), ["-o", "a=b"]);
    }

    #[test]
    fn bad_braces_are_warned_about_and_opened() {
        assert_eq!(
            words("-o {a}"),
            [
                "-o",
                "a",
                "master.cf: missing '=' after attribute name: \"a\""
            ]
        );
        assert_eq!(
            words("{a}b"),
            ["a", "master.cf: syntax error after '}' in \"{a}b\""]
        );
        assert_eq!(words("{a b"), ["a b", "master.cf: missing '}' in \"{a b\""]);
    }

    #[test]
    fn fields_are_checked() {
        let refused = |line: &str| {
            let version = Version::release(3, 7, 11);
            match parse(&Text::placeless(line), version, &mut Vec::new()) {
                Err(Refused::Field(field, _)) => Some(field),
                Err(Refused::TooShort) => Some("short"),
                Ok(_) => None,
            }
        };
        assert_eq!(refused("a unix - - - - - b"), None);
        assert_eq!(refused("a unix - - - 60? 0 b"), None);
        assert_eq!(refused("a unix - - - -? 0 b"), None);
        assert_eq!(refused("a unix - - - ? - b"), None);
        assert_eq!(refused("a unix - - - 6x - b"), Some("wakeup"));
        assert_eq!(refused("a unix - - - - 6? b"), Some("process_limit"));
        assert_eq!(refused("a tcp - - - - - b"), Some("type"));
        assert_eq!(refused("a unix - - no - - b"), Some("chroot"));
        assert_eq!(refused("a unix - - - - {b c}"), Some("short"));
    }
}
