//! Reading a configuration: which files make it up, which version it is meant for, whose machine it is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, bail};

use super::builtin::{Builtins, Version};
use super::files::{Files, Location, Opened, PathOptions};
use super::host::Host;
use super::table::Postmap;
use super::users::Users;
use super::{Instance, Scale};
use crate::source::{Source, Sources};
use crate::syntax::logical_line::LogicalLines;
use crate::syntax::main_cf::MainCf;
use crate::syntax::master_cf::MasterCf;

/// How long postmap(1) may take for one key. To a tcp table that nobody serves it tries for ten seconds.
const PATIENCE: Duration = Duration::from_secs(15);
/// The directory that a configuration calls its own unless it says otherwise.
const DEFAULT_DIRECTORY: &str = "/etc/postfix";
/// The services that are assumed where there is no master.cf: the one that takes mail from the network,
/// and those that deliver.
const STOCK_SERVICES: &str = "\
smtp inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
lmtp unix - - n - - lmtp
";

/// What to look at.
#[derive(Clone, Debug)]
pub enum Target {
    /// This host's own configuration.
    Host,
    /// A configuration directory, a main.cf, a master.cf or a lookup table.
    Path(PathBuf),
    /// One main.cf, as text.
    MainCfText(Vec<u8>),
}

/// How to look at it.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// The version of Postfix; else that of the installed one, else the newest known.
    pub version: Option<Version>,
    /// Where files are to be found.
    pub paths: PathOptions,
    /// A file with the local user names.
    pub passwd: Option<PathBuf>,
    /// The machine; else this one for its own configuration, and an unknown one for a copy.
    pub host: Option<Host>,
    /// The configuration is meant for this host, although it does not lie where this host has its own: what
    /// it names outside of its directory is that of this host, and so are the users.
    pub is_for_this_host: bool,
    /// Tables that are not files are asked through the installed postmap(1). Servers are connected to.
    pub live_tables: bool,
}

/// The configuration directory of this host: `MAIL_CONFIG`, else the usual place.
pub fn host_directory() -> PathBuf {
    std::env::var_os("MAIL_CONFIG").map_or_else(|| DEFAULT_DIRECTORY.into(), PathBuf::from)
}

/// What a path turned out to be.
enum Found {
    Directory(PathBuf),
    File(Scale, Arc<Source>, PathBuf),
}

impl Instance {
    /// Loads one instance.
    ///
    /// # Errors
    /// There is no configuration at the target, or it cannot be read. What is wrong *inside* the files is
    /// not an error but something for rules to find.
    pub fn load(target: &Target, options: &LoadOptions) -> anyhow::Result<Self> {
        if let Some(root) = options.paths.root.as_ref().filter(|root| !root.is_dir()) {
            bail!(
                "{} is no directory: --root names the top of a file system",
                root.display()
            );
        }
        for (from, to) in &options.paths.map_paths {
            if !to.exists() {
                bail!(
                    "there is no {}, where files below {} are to be looked for",
                    to.display(),
                    from.display()
                );
            }
        }
        let sources = Arc::new(Sources::default());
        let found = find(target, options, &sources)?;
        let directory = match &found {
            Found::Directory(directory) | Found::File(.., directory) => directory.clone(),
        };
        let is_text = matches!(target, Target::MainCfText(_));
        let is_own = matches!(target, Target::Host) || is_same(&directory, &host_directory());
        let is_host =
            options.paths.root.is_none() && !is_text && (is_own || options.is_for_this_host);
        let version = options
            .version
            .or_else(super::installed_version)
            .unwrap_or(Version::NEWEST);
        let (scale, main_source, master_source, table) = match found {
            Found::Directory(directory) => {
                let main = read_required(&directory.join("main.cf"), options, &sources)?;
                let path = directory.join("master.cf");
                let master = match reader(&directory, is_host, options).open_path(&path, &sources) {
                    Opened::Found(source) => Some(source),
                    Opened::Missing(_) | Opened::Elsewhere => None,
                    Opened::Unreadable(path, reason) => {
                        bail!("cannot read {}: {reason}", path.display())
                    }
                };
                (Scale::Configuration, Some(main), master, None)
            }
            Found::File(Scale::Configuration, source, _) => {
                (Scale::Configuration, Some(source), None, None)
            }
            Found::File(Scale::MasterCf, source, _) => (Scale::MasterCf, None, Some(source), None),
            Found::File(Scale::Table, source, _) => (Scale::Table, None, None, Some(source)),
        };
        let main_cf = main_source.map(MainCf::parse);
        let master_cf = master_source.map(MasterCf::parse);
        let assumed = (scale == Scale::Configuration)
            .then(|| assumed_services(master_cf.as_ref()))
            .flatten()
            .map(|text| {
                let path = directory.join("master.cf (assumed)");
                MasterCf::parse(sources.add(path, text.into_bytes(), None))
            });
        let mut settings = HashMap::new();
        for (index, setting) in main_cf.iter().flat_map(MainCf::settings).enumerate() {
            settings.insert(setting.name.as_bytes().to_vec(), index);
        }
        let users = match (&options.passwd, is_host) {
            (Some(path), _) => Users::from_file(path)?,
            (None, true) => Users::of_this_host(),
            (None, false) => {
                let below_root = options
                    .paths
                    .root
                    .as_ref()
                    .map(|root| root.join("etc/passwd"));
                match below_root.filter(|passwd| passwd.is_file()) {
                    Some(passwd) => Users::from_file(&passwd)?,
                    None => Users::Unknown,
                }
            }
        };
        let host = match &options.host {
            Some(host) => host.clone(),
            None if is_host => Host::this()?,
            None => Host::unknown(),
        };
        let has_directory = main_cf.is_some() && !is_text;
        let postmap = match options.live_tables {
            true => Some(Postmap {
                program: super::installed::postmap()?,
                directory: has_directory.then(|| absolute(&directory)),
                patience: PATIENCE,
            }),
            false => None,
        };
        let mut instance = Self {
            files: match () {
                () if is_text => reader(&directory, is_host, options).detached(),
                () if is_host && !is_own => reader(&directory, is_host, options).proposed(),
                () => reader(&directory, is_host, options),
            },
            sources,
            directory,
            scale,
            main_cf,
            master_cf,
            assumed,
            table,
            settings,
            version,
            builtins: Builtins::of(version),
            host,
            users,
            tables: super::tables::TableCache::default(),
            domain_lists: super::domain_list::DomainLists::default(),
            postconf: OnceLock::new(),
            memo: Default::default(),
            postmap,
        };
        instance.add_own_name();
        Ok(instance)
    }

    /// Loads an instance and those that its `multi_instance_directories` names.
    ///
    /// # Errors
    /// As [`Instance::load`], for any of them.
    pub fn load_all(target: &Target, options: &LoadOptions) -> anyhow::Result<Vec<Self>> {
        let first = Self::load(target, options)?;
        let mut others = Vec::new();
        if first.scale == Scale::Configuration && !matches!(target, Target::MainCfText(_)) {
            for word in first.parameter("multi_instance_directories").words() {
                if let Location::Here(directory) = first.files.locate(word.as_str())
                    && directory != first.directory
                    && directory.is_dir()
                {
                    others.push(Self::load(&Target::Path(directory), options).with_context(
                        || {
                            format!(
                                "in multi_instance_directories of {}",
                                first.directory.display()
                            )
                        },
                    )?);
                }
            }
        }
        others.insert(0, first);
        Ok(others)
    }

    /// A configuration that sets `config_directory` calls its own directory by that name, too.
    fn add_own_name(&mut self) {
        if let Some(setting) = self.main_cf_setting(b"config_directory")
            && let Ok(name) = self.scope().expand(&setting.value)
        {
            let name = PathBuf::from(name.as_str());
            if name.is_absolute() {
                self.files.add_own_name(name);
            }
        }
    }
}

/// The services that are taken to be there although no file says so: all of the stock ones where there is no
/// master.cf, and all but the one for the network where there is a part of one. Without a queue manager
/// nothing would be delivered at all, so such a file is not the whole.
fn assumed_services(master_cf: Option<&MasterCf>) -> Option<String> {
    let Some(master_cf) = master_cf else {
        return Some(STOCK_SERVICES.to_owned());
    };
    let is_whole = master_cf
        .services()
        .any(|line| matches!(line.command(), "qmgr" | "oqmgr" | "nqmgr"));
    (!is_whole).then(|| {
        let inside = STOCK_SERVICES
            .lines()
            .filter(|line| !line.contains(" inet "));
        inside.flat_map(|line| [line, "\n"]).collect()
    })
}

fn reader(directory: &Path, is_host: bool, options: &LoadOptions) -> Files {
    Files::new(
        directory.to_path_buf(),
        vec![PathBuf::from(DEFAULT_DIRECTORY)],
        is_host,
        options.paths.clone(),
    )
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn is_same(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

fn find(target: &Target, options: &LoadOptions, sources: &Sources) -> anyhow::Result<Found> {
    let path = match target {
        Target::Host => {
            let directory = host_directory();
            match &options.paths.root {
                Some(root) => root.join(directory.strip_prefix("/").unwrap_or(&directory)),
                None => directory,
            }
        }
        Target::Path(path) => path.clone(),
        Target::MainCfText(bytes) => {
            let source = sources.add("-".into(), bytes.clone(), None);
            return Ok(Found::File(
                Scale::Configuration,
                source,
                DEFAULT_DIRECTORY.into(),
            ));
        }
    };
    // Names inside the files are absolute: so must be the directory that they are compared with. The
    // path that is shown stays the one that was given.
    if path.is_dir() {
        return Ok(Found::Directory(path));
    }
    let source = read_required(&path, options, sources)?;
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new(".")).to_path_buf();
    Ok(Found::File(kind_of(&path, &source), source, directory))
}

fn read_required(
    path: &Path,
    options: &LoadOptions,
    sources: &Sources,
) -> anyhow::Result<Arc<Source>> {
    if let Some(bytes) = options.paths.overlay.get(path) {
        return Ok(sources.add(path.to_path_buf(), bytes.clone(), None));
    }
    sources.read(path).map_err(|error| {
        let shown = path.display();
        let is_missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = anyhow::Error::new(error);
        match path.parent().filter(|_| is_missing) {
            Some(directory) if path.ends_with("main.cf") && directory.is_dir() => {
                error.context(format!(
                    "{} holds no main.cf: give a configuration directory, or a file",
                    directory.display()
                ))
            }
            Some(_) => error.context(format!(
                "cannot read {shown}: give a configuration directory, a main.cf, a master.cf or a \
                 lookup table"
            )),
            None => error.context(format!("cannot read {shown}")),
        }
    })
}

/// What a file is: by its name, else by what its lines look like.
fn kind_of(path: &Path, source: &Source) -> Scale {
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase());
    let name = name.unwrap_or_default();
    if name.contains("main.cf") {
        return Scale::Configuration;
    }
    if name.contains("master.cf") {
        return Scale::MasterCf;
    }
    let mut lines = 0;
    let (mut settings, mut services) = (0, 0);
    for line in LogicalLines::of(source).take(200) {
        lines += 1;
        let text = line.text(source);
        let words: Vec<_> = text.as_str().split_ascii_whitespace().take(8).collect();
        if words.len() == 8 && matches!(words[1], "inet" | "unix" | "fifo" | "pass" | "unix-dgram")
        {
            services += 1;
        } else if text.as_str().split_once('=').is_some_and(|(name, _)| {
            let name = name.trim();
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        }) {
            settings += 1;
        }
    }
    if services > 0 && services * 2 >= lines {
        Scale::MasterCf
    } else if settings > 0 && settings * 2 >= lines {
        Scale::Configuration
    } else {
        Scale::Table
    }
}
