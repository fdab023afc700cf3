//! `postlint postconf`: prints what Postfix's own postconf(1) prints.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::PostconfArgs;
use crate::exit::{Exit, UsageError};
use crate::instance::builtin::Version;
use crate::instance::files::{Files, PathOptions};
use crate::instance::host::{Host, resolve_with_system};
use crate::instance::postconf::{
    Classes, FieldRequest, Given, Notice, Postconf, ServiceRequest, Show,
};
use crate::instance::{host_directory, installed_version};
use crate::source::{Source, Sources, Text, error_text};
use crate::syntax::name_value::{self, NameValue};
use crate::syntax::{MainCf, MasterCf};

/// postconf's buffer for standard output. What does not fill one is lost when it gives up.
const BUFFER: usize = 4096;

/// postconf gives up, with these words.
struct Fatal(String);

pub(super) fn run(
    args: &PostconfArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    if let Some(name) = args
        .names
        .iter()
        .find(|name| name.as_bytes().contains(&b'='))
    {
        let name = name.to_string_lossy();
        return Err(UsageError(format!("postlint does not edit configurations: '{name}'")).into());
    }
    let mut session = Session { args, out, err };
    match session.run()? {
        Ok(()) => Ok(Exit::Clean),
        Err(Fatal(message)) => {
            writeln!(err, "postlint: fatal: {message}")?;
            Ok(Exit::Findings)
        }
    }
}

/// One run.
struct Session<'a> {
    args: &'a PostconfArgs,
    out: &'a mut dyn Write,
    err: &'a mut dyn Write,
}

type Outcome<T> = anyhow::Result<Result<T, Fatal>>;

/// `?` for the inner one of two results.
macro_rules! go_on {
    ($outcome:expr) => {
        match $outcome {
            Ok(value) => value,
            Err(fatal) => return Ok(Err(fatal)),
        }
    };
}

impl Session<'_> {
    fn run(&mut self) -> Outcome<()> {
        let args = self.args;
        let classes = match &args.class {
            None => Classes::default(),
            Some(text) => go_on!(Classes::parse(text).map_err(Fatal)),
        };
        go_on!(check_options(args));
        let show = Show {
            defaults: args.defaults,
            settings: args.settings,
            expanded: args.expand,
            folded: args.fold,
            hide_names: args.hide_names,
            hide_values: args.hide_values,
            classes,
        };
        let postconf = go_on!(self.read()?);
        go_on!(self.say(postconf.notices())?);
        let mut printed = Vec::new();
        let notices = go_on!(self.print(&postconf, show, &mut printed));
        let gives_up = notices.iter().any(Notice::is_fatal);
        if gives_up {
            let lost = (printed.len().max(1) - 1) % BUFFER + 1;
            printed.truncate(printed.len().saturating_sub(lost));
        }
        self.out.write_all(&printed)?;
        go_on!(self.say(&notices)?);
        let mut unused = Vec::new();
        if !args.quiet && !args.defaults {
            let is_about_services = self.is_about_services();
            if !is_about_services {
                unused.extend(postconf.unused_in_main_cf());
            }
            if !is_about_services || postconf.judges_after_services() {
                unused.extend(postconf.unused_in_master_cf());
            }
            unused.extend(postconf.closing_notice(&unused));
        }
        self.say(&unused)
    }

    fn is_about_services(&self) -> bool {
        self.args.entries || self.args.fields || self.args.overrides_of_services
    }

    fn print(
        &self,
        postconf: &Postconf,
        show: Show,
        out: &mut Vec<u8>,
    ) -> Result<Vec<Notice>, Fatal> {
        let args = self.args;
        let names: Vec<&[u8]> = args.names.iter().map(|name| name.as_bytes()).collect();
        if args.entries {
            return postconf.print_entries(show, &names, out).map_err(Fatal);
        }
        if args.fields {
            let requests = names.iter().map(|name| FieldRequest::parse(name));
            let requests: Vec<_> = requests.collect::<Result<_, _>>().map_err(Fatal)?;
            return Ok(postconf.print_fields(show, &requests, out));
        }
        if args.overrides_of_services {
            let parse = |name: &&[u8]| ServiceRequest::parse(name, 3);
            let requests: Option<Vec<_>> = names.iter().map(parse).collect();
            let usage = "-P option requires service_name[/type[/parameter]]";
            let requests = requests.ok_or_else(|| Fatal(usage.to_owned()))?;
            return Ok(postconf.print_overrides(show, &requests, out));
        }
        Ok(postconf.print_parameters(show, &names, out))
    }

    /// Reads the configuration.
    fn read(&mut self) -> Outcome<Postconf> {
        let args = self.args;
        let version = args
            .postfix_version
            .or_else(installed_version)
            .unwrap_or(Version::NEWEST);
        let directory = args.directory.clone().unwrap_or_else(host_directory);
        let is_chosen = args.directory.is_some() || std::env::var_os("MAIL_CONFIG").is_some();
        let sources = Sources::default();
        let mut master_cf = None;
        if self.is_about_services() {
            master_cf = go_on!(self.read_master_cf(&directory, &sources)?);
        }
        let mut main_cf = None;
        let mut overrides = Vec::new();
        if !args.defaults {
            main_cf = Some(MainCf::parse(go_on!(read_main_cf(&directory, &sources))));
            for text in &args.overrides {
                overrides.push(go_on!(override_of(text)));
            }
        }
        if !self.is_about_services() {
            master_cf = go_on!(self.read_master_cf(&directory, &sources)?);
        }
        let files = Files::new(directory.clone(), Vec::new(), true, PathOptions::default());
        Ok(Ok(Postconf::read(Given {
            version,
            directory: &directory.to_string_lossy(),
            config_directory: is_chosen
                .then(|| Text::placeless_bytes(directory.as_os_str().as_bytes())),
            main_cf: main_cf.as_ref(),
            master_cf: master_cf.as_ref(),
            master_cf_first: self.is_about_services(),
            overrides,
            host: Host::this()?,
            resolve: resolve_with_system,
            ask_installed: true,
            files: Some((&files, &sources)),
        })))
    }

    /// master.cf. Without one, postconf has nothing to say about services, and goes on where these are not
    /// what it was asked about.
    fn read_master_cf(&mut self, directory: &Path, sources: &Sources) -> Outcome<Option<MasterCf>> {
        let path = directory.join("master.cf");
        match sources.read(&path) {
            Ok(source) => Ok(Ok(Some(MasterCf::parse(source)))),
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => Ok(Ok(None)),
            Err(error) => {
                let message = format!("open {}: {}", path.display(), error_text(&error));
                if self.is_about_services() {
                    return Ok(Err(Fatal(message)));
                }
                writeln!(self.err, "postlint: warning: {message}")?;
                Ok(Ok(None))
            }
        }
    }

    /// Prints notices, up to the first with which postconf gives up.
    fn say(&mut self, notices: &[Notice]) -> Outcome<()> {
        for notice in notices {
            if notice.is_fatal() {
                return Ok(Err(Fatal(notice.printable())));
            }
            writeln!(self.err, "postlint: warning: {}", notice.printable())?;
        }
        Ok(Ok(()))
    }
}

fn read_main_cf(directory: &Path, sources: &Sources) -> Result<Arc<Source>, Fatal> {
    let path: PathBuf = directory.join("main.cf");
    sources.read(&path).map_err(|error| {
        let verb = if error.kind() == io::ErrorKind::IsADirectory {
            "read"
        } else {
            "open"
        };
        Fatal(format!("{verb} {}: {}", path.display(), error_text(&error)))
    })
}

fn override_of(text: &OsStr) -> Result<NameValue, Fatal> {
    let text = Text::placeless_bytes(text.as_bytes());
    name_value::split(&text).map_err(|error| {
        Fatal(format!(
            "invalid parameter override: {text}: {}",
            error.message()
        ))
    })
}

/// Refuses combinations of options that contradict each other (`src/postconf/postconf.c`).
fn check_options(args: &PostconfArgs) -> Result<(), Fatal> {
    const MODES: [&str; 4] = ["-F", "-M", "-p", "-P"];
    let is_given = |option: &str| match option {
        "-d" => args.defaults,
        "-f" => args.fold,
        "-F" => args.fields,
        "-h" => args.hide_names,
        "-H" => args.hide_values,
        "-M" => args.entries,
        "-n" => args.settings,
        "-o" => !args.overrides.is_empty(),
        "-p" => args.parameters,
        "-P" => args.overrides_of_services,
        "-x" => args.expand,
        _ => false,
    };
    let given = |options: &[&'static str]| -> Vec<&str> {
        let options = options.iter().copied();
        options.filter(|option| is_given(option)).collect()
    };
    for group in [&MODES[..], &["-d", "-n"], &["-d", "-o"], &["-h", "-H"]] {
        let options = given(group);
        if options.len() > 1 {
            return Err(Fatal(format!("specify one of {}", options.join(" "))));
        }
    }
    let all = ["-d", "-f", "-h", "-H", "-n", "-o", "-x"];
    for (mode, compatible) in [
        ("-M", &["-f", "-o", "-x"][..]),
        ("-F", &["-f", "-h", "-H", "-o", "-x"]),
        ("-P", &["-f", "-h", "-H", "-o", "-x"]),
    ] {
        let mut excess = given(&all);
        excess.retain(|option| !compatible.contains(option));
        if is_given(mode) && !excess.is_empty() {
            return Err(Fatal(format!(
                "with option {mode}, do not specify {}",
                excess.join(" ")
            )));
        }
    }
    Ok(())
}
