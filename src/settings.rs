//! postlint.toml: what the command line would say each time.
//!
//! Keys are named like the options of `postlint check`. A key, rule or value that does not exist is an error
//! with its place, never ignored: a misspelt rule would otherwise run, or not run, without a word.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;
use toml::Spanned;

use crate::exit::UsageError;
use crate::finding::Severity;
use crate::instance::builtin::Version;
use crate::rules;

/// The name of the file beside main.cf.
pub const FILE_NAME: &str = "postlint.toml";

/// The settings. What is not set is `None` or empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Rules to run.
    pub select: Vec<String>,
    /// Rules to leave out.
    pub ignore: Vec<String>,
    /// Nothing below this is shown.
    pub severity: Option<Severity>,
    /// Notes are shown, too.
    pub pedantic: bool,
    /// From which severity on the program ends with 1.
    pub fail_on: Option<Severity>,
    /// Another severity for all findings of a rule.
    pub rules: Vec<(String, Severity)>,
    /// The version that the configuration is meant for.
    pub postfix_version: Option<Version>,
    /// Where files are to be found, as `FROM=TO`.
    pub map_path: Vec<(PathBuf, PathBuf)>,
    /// A directory in front of all absolute names.
    pub root: Option<PathBuf>,
    /// The local users.
    pub passwd: Option<PathBuf>,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    #[serde(default)]
    select: Vec<Spanned<String>>,
    #[serde(default)]
    ignore: Vec<Spanned<String>>,
    severity: Option<WrittenSeverity>,
    #[serde(default)]
    pedantic: bool,
    fail_on: Option<WrittenSeverity>,
    #[serde(default)]
    rules: BTreeMap<Spanned<String>, WrittenSeverity>,
    postfix_version: Option<Spanned<String>>,
    #[serde(default)]
    map_path: Vec<Spanned<String>>,
    root: Option<PathBuf>,
    passwd: Option<PathBuf>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum WrittenSeverity {
    Note,
    Warning,
    Error,
}

impl From<WrittenSeverity> for Severity {
    fn from(severity: WrittenSeverity) -> Self {
        match severity {
            WrittenSeverity::Note => Self::Note,
            WrittenSeverity::Warning => Self::Warning,
            WrittenSeverity::Error => Self::Error,
        }
    }
}

impl Settings {
    /// Reads the file that was asked for.
    ///
    /// # Errors
    /// A [`UsageError`]: it cannot be read, or something in it does not exist.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| UsageError(format!("cannot read {}: {error}", path.display())))?;
        Self::parse(&text, path)
    }

    /// Reads the file beside a main.cf, when there is one.
    ///
    /// # Errors
    /// A [`UsageError`]: something in it does not exist; or why it cannot be read.
    pub fn beside(directory: &Path) -> anyhow::Result<Self> {
        let path = directory.join(FILE_NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Reads settings; paths in them are relative to the directory of `path`.
    ///
    /// # Errors
    /// A [`UsageError`] that names the place of what does not exist.
    fn parse(text: &str, path: &Path) -> anyhow::Result<Self> {
        let file = File { text, path };
        let written: Written = toml::from_str(text).map_err(|error| {
            file.error(
                error.span().unwrap_or(0..0),
                &with_suggestion(error.message()),
            )
        })?;
        let names = |words: Vec<Spanned<String>>| -> Result<Vec<String>, UsageError> {
            words.into_iter().map(|word| file.rule(word)).collect()
        };
        let mut severities = Vec::new();
        for (name, severity) in written.rules {
            severities.push((file.rule(name)?, severity.into()));
        }
        let mut map_path = Vec::new();
        for pair in written.map_path {
            let (from, to) =
                path_pair(pair.get_ref()).map_err(|error| file.error(pair.span(), &error))?;
            map_path.push((from, file.below(to)));
        }
        let postfix_version = match written.postfix_version {
            None => None,
            Some(version) => Some(
                target_version(version.get_ref())
                    .map_err(|error| file.error(version.span(), &error))?,
            ),
        };
        Ok(Self {
            select: names(written.select)?,
            ignore: names(written.ignore)?,
            severity: written.severity.map(Into::into),
            pedantic: written.pedantic,
            fail_on: written.fail_on.map(Into::into),
            rules: severities,
            postfix_version,
            map_path,
            root: written.root.map(|root| file.below(root)),
            passwd: written.passwd.map(|passwd| file.below(passwd)),
        })
    }
}

/// The file, for messages and relative paths.
struct File<'f> {
    text: &'f str,
    path: &'f Path,
}

impl File<'_> {
    fn error(&self, span: Range<usize>, message: &str) -> UsageError {
        let before = self.text.as_bytes().get(..span.start).unwrap_or_default();
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        UsageError(format!("{}:{line}: {message}", self.path.display()))
    }

    /// A word that has to name rules.
    fn rule(&self, word: Spanned<String>) -> Result<String, UsageError> {
        if rules::is_known(word.get_ref()) {
            return Ok(word.into_inner());
        }
        let unknown = crate::lint::UnknownRule {
            nearest: rules::nearest(word.get_ref()),
            word: word.get_ref().clone(),
        };
        Err(self.error(word.span(), &unknown.to_string()))
    }

    fn below(&self, path: PathBuf) -> PathBuf {
        match self.path.parent() {
            Some(parent) => parent.join(path),
            None => path,
        }
    }
}

/// Adds "did you mean" to an error of serde that lists what it expected.
fn with_suggestion(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().filter(|_| message.starts_with("unknown "));
    let nearest = unknown.and_then(|unknown| {
        quoted
            .map(|name| (strsim::damerau_levenshtein(unknown, name), name))
            .filter(|(distance, name)| distance * 3 <= name.len().max(3))
            .min()
    });
    let message = message.trim_end();
    let message = message.replacen("unknown field", "unknown key", 1);
    let message = message.replacen("unknown variant", "unknown value", 1);
    match nearest {
        Some((_, name)) => format!("{message}; did you mean `{name}`?"),
        None => message,
    }
}

/// Reads `FROM=TO`.
///
/// # Errors
/// What is expected.
pub fn path_pair(text: &str) -> Result<(PathBuf, PathBuf), String> {
    match text.split_once('=') {
        Some((from, to)) if from.starts_with('/') && !to.is_empty() => Ok((from.into(), to.into())),
        _ => {
            Err("expected FROM=TO, FROM an absolute path as the configuration names it".to_owned())
        }
    }
}

/// Reads the version that a configuration is meant for.
///
/// # Errors
/// What is expected.
pub fn target_version(text: &str) -> Result<Version, String> {
    let version = Version::target(text)
        .ok_or_else(|| format!("'{text}' is no version such as 3.7 or 3.7.11"))?;
    if version < Version::OLDEST {
        return Err(format!(
            "Postfix {text} is older than {}, the oldest known version",
            Version::OLDEST
        ));
    }
    Ok(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/etc/postfix/postlint.toml")).map_err(|error| {
            assert!(error.is::<UsageError>(), "{error:#}");
            error.to_string()
        })
    }

    #[test]
    fn all_keys() {
        let settings = parse(
            "select = ['BS', 'rc001']\nignore = ['empty-local-recipient-maps']\nseverity = 'warning'\n\
             pedantic = true\nfail-on = 'error'\npostfix-version = '2.10'\n\
             map-path = ['/etc/aliases=aliases', '/a=/b']\nroot = '/mnt'\npasswd = 'users'\n\
             [rules]\nRC001 = 'error'\n",
        )
        .expect("good settings");
        assert_eq!(settings.select, ["BS", "rc001"]);
        assert_eq!(settings.ignore, ["empty-local-recipient-maps"]);
        assert_eq!(settings.severity, Some(Severity::Warning));
        assert_eq!(settings.fail_on, Some(Severity::Error));
        assert!(settings.pedantic);
        assert_eq!(settings.rules, [("RC001".to_owned(), Severity::Error)]);
        assert_eq!(settings.postfix_version, Version::target("2.10"));
        assert_eq!(
            settings.map_path,
            [
                ("/etc/aliases".into(), "/etc/postfix/aliases".into()),
                ("/a".into(), "/b".into())
            ]
        );
        assert_eq!(settings.root, Some("/mnt".into()));
        assert_eq!(settings.passwd, Some("/etc/postfix/users".into()));
        assert_eq!(parse(""), Ok(Settings::default()));
    }

    #[test]
    fn errors_have_a_place_and_a_suggestion() {
        let at = |text: &str| parse(text).expect_err("an error");
        assert_eq!(
            at("\nselct = []"),
            "/etc/postfix/postlint.toml:2: unknown key `selct`, expected one of `select`, `ignore`, \
             `severity`, `pedantic`, `fail-on`, `rules`, `postfix-version`, `map-path`, `root`, `passwd`; \
             did you mean `select`?"
        );
        assert_eq!(
            at("pedantic = true\nignore = [\n 'BS001',\n 'BS0001']"),
            "/etc/postfix/postlint.toml:4: there is no rule 'BS0001'; did you mean 'BS001'?"
        );
        assert_eq!(
            at("[rules]\n'defered-unknown-recipient' = 'note'"),
            "/etc/postfix/postlint.toml:2: there is no rule 'defered-unknown-recipient'; did you mean \
             'deferred-unknown-recipient'?"
        );
        assert_eq!(
            at("fail-on = 'eror'"),
            "/etc/postfix/postlint.toml:1: unknown value `eror`, expected one of `note`, `warning`, \
             `error`; did you mean `error`?"
        );
        assert!(at("\n\nselect = [").starts_with("/etc/postfix/postlint.toml:3: "));
        assert!(
            at("postfix-version = 'new'")
                .ends_with(":1: 'new' is no version such as 3.7 or 3.7.11")
        );
        assert!(at("map-path = ['x']").contains(":1: expected FROM=TO"));
        assert!(at("root = 1").contains(":1: invalid type"));
    }
}
