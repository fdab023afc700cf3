//! What the operator has to run before Postfix takes notice of changed files.
//!
//! `DATABASE_README`: an indexed table is built anew by postmap(1) or postalias(1), and running processes see
//! that by themselves. Everything else is read when a process starts: `postfix reload`, or stop and start
//! where master(8) keeps what it had (postconf(5), `inet_interfaces` and others).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};

use super::write::Written;
use crate::instance::files::Location;
use crate::instance::parameter::Scope;
use crate::instance::table::reference::{self, Reference};
use crate::instance::{Instance, Scale};
use crate::source::Text;
use crate::syntax::braces::COMMA_SPACE;
use crate::syntax::table::{TableLines, TableSyntax};

/// The configuration directory that Postfix's commands use by themselves.
const DEFAULT_DIRECTORY: &str = "/etc/postfix";
/// The parameters whose tables postalias(1) builds.
const ALIAS_PARAMETERS: [&str; 2] = ["alias_database", "alias_maps"];

/// A command to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program.
    pub program: &'static str,
    /// The configuration directory, unless it is the one that the program uses by itself.
    pub directory: Option<String>,
    /// What else the program is told.
    pub arguments: Vec<String>,
    /// Why, a phrase each, sorted.
    pub reasons: Vec<String>,
    /// The files that the program writes: those of an index.
    pub indexes: Vec<PathBuf>,
}

impl Command {
    /// The program and all its arguments.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        let directory = self.directory.as_deref();
        let option = directory
            .into_iter()
            .flat_map(|directory| ["-c", directory]);
        std::iter::once(self.program)
            .chain(option)
            .chain(self.arguments.iter().map(String::as_str))
    }
}

impl fmt::Display for Command {
    /// The command as a shell takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words().enumerate() {
            let blank = if index > 0 { " " } else { "" };
            write!(f, "{blank}{}", quoted(word))?;
        }
        Ok(())
    }
}

/// `word` as one word of the shell.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/_-.:,+@%=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The commands to run, in this order, after the files `changed` were written.
///
/// `before` and `after` are the configuration as it was and as it is. The commands are those for the machine
/// that the configuration is meant for.
pub fn commands<'p>(
    before: &Instance,
    after: &Instance,
    changed: impl IntoIterator<Item = &'p Path>,
) -> Vec<Command> {
    let mut needed = Needed::default();
    if after.scale() == Scale::Table {
        needed.lone_table(after);
    }
    let tables = Named::by(after);
    for path in changed {
        needed.changed_file(after, &tables, path);
    }
    needed.new_tables(after, &Named::by(before), &tables);
    needed.changed_parameters(before, after);
    needed.into_commands(after)
}

/// The commands that build the indexes which are missing, or older than their sources.
pub fn for_stale_indexes(instance: &Instance) -> Vec<Command> {
    let mut needed = Needed::default();
    let named = Named::by(instance);
    for stale in instance.stale_indexes() {
        let reason = match stale.is_missing {
            true => format!("{} has no index", stale.reference.name),
            false => format!("{} is newer than its index", stale.reference.name),
        };
        needed.indexed(instance, &named, &stale.reference, reason);
    }
    needed.into_commands(instance)
}

/// The paths in a result of [`write`](super::write::write).
pub fn paths(written: &[Written]) -> impl Iterator<Item = &Path> {
    written.iter().map(|file| file.path.as_path())
}

/// The tables and files that parameters name, by parameter.
struct Named {
    tables: Vec<(String, Reference)>,
    /// Lists that are files: `mynetworks = /etc/postfix/networks`.
    files: Vec<(String, String)>,
    /// The tables that postalias(1) builds.
    aliases: BTreeSet<String>,
}

impl Named {
    fn by(instance: &Instance) -> Self {
        let mut named = Self {
            tables: Vec::new(),
            files: Vec::new(),
            aliases: BTreeSet::new(),
        };
        let mut names: BTreeSet<String> = instance
            .builtins()
            .iter()
            .map(|builtin| builtin.name().to_owned())
            .collect();
        let main_cf = instance.main_cf();
        names.extend(
            main_cf
                .iter()
                .flat_map(|main_cf| main_cf.settings())
                .map(|setting| setting.name.to_string()),
        );
        for name in names {
            named.add(instance.scope(), &name);
        }
        for service in instance.services() {
            for setting in &service.line.overrides {
                named.add(service.scope(), setting.name.as_str());
            }
        }
        named
    }

    fn add(&mut self, scope: Scope<'_>, name: &str) {
        let value: Text = scope.named(name).value().unwrap_or_default();
        for word in value.words_outside_braces(COMMA_SPACE) {
            let path = word.as_str().trim_start_matches('!');
            if path.starts_with('/') {
                self.files.push((name.to_owned(), path.to_owned()));
                continue;
            }
            let Ok(reference) = reference::parse(&word, scope.instance.version()) else {
                continue;
            };
            for reference in reference.with_members() {
                // Words such as `[host]:25` look like references, too.
                if reference.table_type.is_none() {
                    continue;
                }
                if ALIAS_PARAMETERS.contains(&name) {
                    self.aliases.insert(reference.to_string());
                }
                self.tables.push((name.to_owned(), reference.clone()));
            }
        }
    }
}

/// What building an index comes to.
#[derive(Default)]
struct Build {
    reasons: BTreeSet<String>,
    indexes: Vec<PathBuf>,
}

/// What there is to do, each with its reasons.
#[derive(Default)]
struct Needed {
    /// Program and table.
    tables: BTreeMap<(&'static str, String), Build>,
    reload: BTreeSet<String>,
    restart: BTreeSet<String>,
}

impl Needed {
    fn table(&mut self, program: &'static str, table: String, reason: String) -> &mut Build {
        let build = self.tables.entry((program, table)).or_default();
        build.reasons.insert(reason);
        build
    }

    fn indexed(
        &mut self,
        instance: &Instance,
        named: &Named,
        reference: &Reference,
        reason: String,
    ) {
        let table = reference.to_string();
        let program = if named.aliases.contains(&table) {
            "postalias"
        } else {
            "postmap"
        };
        let located = reference.index_paths();
        let located = located
            .iter()
            .filter_map(|path| match instance.files().locate(path) {
                Location::Here(path) => Some(path),
                Location::Elsewhere => None,
            });
        self.table(program, table, reason).indexes = located.collect();
    }

    fn changed_file(&mut self, instance: &Instance, named: &Named, path: &Path) {
        let shown = path.display();
        let main = instance.main_cf().map(|file| file.source.path());
        let master = instance.master_cf().map(|file| file.source.path());
        if [main, master].contains(&Some(path)) {
            self.reload.insert(format!("{shown} changed"));
            return;
        }
        let is_here =
            |name: &str| instance.files().locate(name) == Location::Here(path.to_path_buf());
        for (parameter, reference) in &named.tables {
            if !is_here(reference.name.as_str()) {
                continue;
            }
            if reference.table_type.is_some_and(|kind| kind.is_indexed()) {
                self.indexed(instance, named, reference, format!("{shown} changed"));
            } else {
                self.reload
                    .insert(format!("{shown} changed, which {parameter} reads"));
            }
        }
        for (parameter, file) in &named.files {
            if is_here(file) {
                self.reload
                    .insert(format!("{shown} changed, which {parameter} reads"));
            }
        }
    }

    /// A table that nothing names: its lines say which program builds it, its type is not known.
    fn lone_table(&mut self, instance: &Instance) {
        let Some(source) = instance.lone_table() else {
            return;
        };
        let is_alias = TableLines::of(source, TableSyntax::default())
            .next()
            .is_some_and(|line| line.has_alias_colon());
        let program = if is_alias { "postalias" } else { "postmap" };
        let path = source.path().display().to_string();
        let reason = format!("{path} changed, if there is an index of it");
        self.table(program, path, reason);
    }

    /// A table that the configuration did not name before has no index yet.
    fn new_tables(&mut self, instance: &Instance, before: &Named, after: &Named) {
        let known: BTreeSet<String> = before
            .tables
            .iter()
            .map(|(_, reference)| reference.to_string())
            .collect();
        for (parameter, reference) in &after.tables {
            let is_indexed = reference.table_type.is_some_and(|kind| kind.is_indexed());
            if is_indexed && !known.contains(&reference.to_string()) {
                self.indexed(
                    instance,
                    after,
                    reference,
                    format!("{parameter} uses it now"),
                );
            }
        }
    }

    fn changed_parameters(&mut self, before: &Instance, after: &Instance) {
        for builtin in after.builtins().iter() {
            let value = |instance: &Instance| instance.scope().named(builtin.name()).text();
            if builtin.needs_restart() && value(before) != value(after) {
                self.restart.insert(format!(
                    "{} changed, which a reload does not take over",
                    builtin.name()
                ));
            }
        }
    }

    fn into_commands(mut self, instance: &Instance) -> Vec<Command> {
        let directory = instance.files().config_directory();
        let directory = (instance.scale() != Scale::Table && directory != DEFAULT_DIRECTORY)
            .then_some(directory);
        let command = |program, argument: &str, build: &Build| Command {
            program,
            directory: directory.clone(),
            arguments: vec![argument.to_owned()],
            reasons: build.reasons.iter().cloned().collect(),
            indexes: build.indexes.clone(),
        };
        let of_service = |argument, reasons| {
            let indexes = Vec::new();
            command("postfix", argument, &Build { reasons, indexes })
        };
        let mut commands: Vec<_> = self
            .tables
            .iter()
            .map(|((program, table), build)| command(program, table, build))
            .collect();
        if !self.restart.is_empty() {
            self.restart.append(&mut self.reload);
            commands.push(of_service("stop", self.restart.clone()));
            commands.push(of_service("start", self.restart));
        } else if !self.reload.is_empty() {
            commands.push(of_service("reload", self.reload));
        }
        commands
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::builtin::Version;
    use crate::instance::{LoadOptions, Target};

    const MASTER: &str = "smtp inet n - n - - smtpd\n  -o smtpd_client_restrictions=check_client_access,hash:/etc/postfix/clients\n";

    struct Case {
        directory: tempfile::TempDir,
        before: Instance,
    }

    fn load(directory: &Path, overlay: &[(&str, &str)]) -> Instance {
        let mut options = LoadOptions {
            version: Version::parse("3.7.11"),
            ..LoadOptions::default()
        };
        for (name, text) in overlay {
            let path = directory.join(name);
            options.paths.overlay.insert(path, text.as_bytes().to_vec());
        }
        Instance::load(&Target::Path(directory.to_path_buf()), &options).expect("it loads")
    }

    impl Case {
        fn new(main: &str) -> Self {
            let directory = tempfile::tempdir().expect("a directory");
            for (name, text) in [("main.cf", main), ("master.cf", MASTER)] {
                std::fs::write(directory.path().join(name), text).expect("write");
            }
            let before = load(directory.path(), &[]);
            Self { directory, before }
        }

        fn commands(&self, main: &str, changed: &[&str]) -> Vec<String> {
            let after = load(self.directory.path(), &[("main.cf", main)]);
            let changed: Vec<PathBuf> = changed
                .iter()
                .map(|name| self.directory.path().join(name))
                .collect();
            commands(&self.before, &after, changed.iter().map(PathBuf::as_path))
                .iter()
                .map(ToString::to_string)
                .collect()
        }
    }

    #[test]
    fn indexes_are_built_and_everything_else_is_reloaded() {
        let main = "virtual_alias_maps = hash:$config_directory/virtual, regexp:/etc/postfix/catch\n\
             alias_maps = hash:/etc/postfix/aliases\n\
             local_recipient_maps = proxy:unix:passwd.byname $alias_maps\n\
             relay_domains = !example.test, /etc/postfix/relays\n";
        let case = Case::new(main);
        assert_eq!(case.commands(main, &[]), Vec::<String>::new());
        assert_eq!(
            case.commands(main, &["virtual"]),
            ["postmap hash:/etc/postfix/virtual"]
        );
        assert_eq!(
            case.commands(main, &["clients"]),
            ["postmap hash:/etc/postfix/clients"]
        );
        assert_eq!(case.commands(main, &["catch"]), ["postfix reload"]);
        assert_eq!(case.commands(main, &["relays"]), ["postfix reload"]);
        assert_eq!(case.commands(main, &["master.cf"]), ["postfix reload"]);
        assert_eq!(
            case.commands(main, &["main.cf", "aliases", "virtual"]),
            [
                "postalias hash:/etc/postfix/aliases",
                "postmap hash:/etc/postfix/virtual",
                "postfix reload"
            ]
        );
        // Included in an alias, a script: nothing reads it at start.
        assert_eq!(case.commands(main, &["members"]), Vec::<String>::new());
    }

    #[test]
    fn some_parameters_need_stop_and_start() {
        let case = Case::new("mydomain = example.test\ninet_interfaces = $mydomain\n");
        let after = "mydomain = example.com\ninet_interfaces = $mydomain\n";
        assert_eq!(
            case.commands(after, &["main.cf"]),
            ["postfix stop", "postfix start"]
        );
        let same = "mydomain = example.com\ninet_interfaces = example.test\n";
        assert_eq!(case.commands(same, &["main.cf"]), ["postfix reload"]);
        let after = load(case.directory.path(), &[("main.cf", after)]);
        let path = case.directory.path().join("main.cf");
        let commands = commands(&case.before, &after, [path.as_path()]);
        assert_eq!(
            commands[0].reasons,
            [
                format!("{} changed", path.display()),
                "inet_interfaces changed, which a reload does not take over".to_owned()
            ]
        );
    }

    #[test]
    fn a_new_table_is_built_first() {
        let case = Case::new("virtual_alias_maps = hash:/etc/postfix/virtual\n");
        assert_eq!(
            case.commands(
                "virtual_alias_maps = lmdb:/etc/postfix/virtual\n",
                &["main.cf"]
            ),
            ["postmap lmdb:/etc/postfix/virtual", "postfix reload"]
        );
    }

    #[test]
    fn another_directory_is_named_and_quoted() {
        let shown = |directory: Option<&str>| {
            let command = Command {
                program: "postfix",
                directory: directory.map(str::to_owned),
                arguments: vec!["reload".to_owned()],
                reasons: Vec::new(),
                indexes: Vec::new(),
            };
            command.to_string()
        };
        assert_eq!(shown(None), "postfix reload");
        assert_eq!(shown(Some("/srv/et c")), "postfix -c '/srv/et c' reload");
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }

    #[test]
    fn a_table_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, text, program) in [
            ("virtual", "a@example.test b\n", "postmap"),
            ("aliases", "a: b\n", "postalias"),
        ] {
            let path = directory.path().join(name);
            std::fs::write(&path, text).expect("write");
            let table = load(&path, &[]);
            let commands = commands(&table, &table, [path.as_path()]);
            let shown: Vec<_> = commands.iter().map(ToString::to_string).collect();
            assert_eq!(shown, [format!("{program} {}", path.display())]);
        }
    }
}
