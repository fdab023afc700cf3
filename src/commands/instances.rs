//! The instances that a command is to look at, with the settings that hold for them.

use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::CommandFactory;

use crate::cli::{Cli, InstanceArgs};
use crate::instance::files::PathOptions;
use crate::instance::host::Host;
use crate::instance::{Instance, LoadOptions, Scale, Target, host_directory};
use crate::settings::Settings;

/// What to look at, and how.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// What to look at.
    pub(super) target: Target,
    /// How to read it: the command line before the settings.
    pub(super) options: LoadOptions,
    /// The settings file that holds for it.
    pub(super) settings: Settings,
}

/// An instance, and how to load it anew.
#[derive(Debug)]
pub(super) struct Loaded {
    /// What gives this instance alone.
    pub(super) target: Target,
    /// The instance.
    pub(super) instance: Instance,
}

/// The one configuration that a command asks the model about: that of `directory`, else of this host.
/// `interfaces` are those that are known besides; a copy of another host's files has the loopback interface
/// only.
///
/// # Errors
/// It cannot be read, or is a lookup table and no configuration.
pub(super) fn configuration(
    directory: Option<&Path>,
    args: &InstanceArgs,
    interfaces: &[(IpAddr, u8)],
) -> anyhow::Result<Instance> {
    let paths: Vec<_> = directory.map(Path::to_path_buf).into_iter().collect();
    let Some(mut plan) = plans(&paths, args)?.into_iter().next() else {
        bail!("there is no configuration");
    };
    if !interfaces.is_empty() {
        let mut host = match directory {
            Some(_) => Host::unknown(),
            None => Host::this()?,
        };
        host.interfaces.extend(interfaces);
        plan.options.host = Some(host);
    }
    let instance = Instance::load(&plan.target, &plan.options)?;
    if instance.scale() != Scale::Configuration {
        bail!("a configuration directory or a main.cf is needed to say what happens to mail");
    }
    Ok(instance)
}

/// What the paths on the command line mean: none is the configuration of this host, `-` is a main.cf on
/// standard input.
///
/// # Errors
/// Standard input or a settings file cannot be read.
pub(super) fn plans(paths: &[PathBuf], args: &InstanceArgs) -> anyhow::Result<Vec<Plan>> {
    targets(paths)?
        .into_iter()
        .map(|target| {
            let settings = settings(&target, args)?;
            Ok(Plan {
                options: load_options(args, &settings),
                target,
                settings,
            })
        })
        .collect()
}

/// Loads the instance of a plan and those that it names in `multi_instance_directories`, each directory once.
/// `seen` keeps what was loaded for earlier plans.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn load(plan: &Plan, seen: &mut Vec<PathBuf>) -> anyhow::Result<Vec<Loaded>> {
    let instances = Instance::load_all(&plan.target, &plan.options)?;
    let loaded = instances.into_iter().enumerate().map(|(index, instance)| {
        let target = match index {
            0 => plan.target.clone(),
            _ => Target::Path(instance.directory().to_path_buf()),
        };
        Loaded { target, instance }
    });
    let mut loaded: Vec<Loaded> = loaded.collect();
    loaded.retain(|loaded| {
        let Some(path) = main_path(&loaded.instance).filter(|path| path.as_os_str() != "-") else {
            return true;
        };
        // Two names of one file are one instance; a file that only an archive has stays what it is called.
        let real = path.canonicalize().unwrap_or(path);
        let is_new = !seen.contains(&real);
        if is_new {
            seen.push(real);
        }
        is_new
    });
    Ok(loaded)
}

fn targets(paths: &[PathBuf]) -> anyhow::Result<Vec<Target>> {
    if paths.is_empty() {
        return Ok(vec![Target::Host]);
    }
    let mut targets = Vec::new();
    let mut stdin_was_read = false;
    for path in paths {
        if let Some(command) = meant_command(path) {
            bail!(
                "there is no file or directory {}; did you mean the command 'postlint {command}'?",
                path.display()
            );
        }
        if path.as_os_str() != "-" {
            targets.push(Target::Path(path.clone()));
        } else if !stdin_was_read {
            stdin_was_read = true;
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("cannot read a main.cf from standard input")?;
            targets.push(Target::MainCfText(bytes));
        }
    }
    Ok(targets)
}

/// The command that a path which does not exist was meant as.
fn meant_command(path: &Path) -> Option<String> {
    let word = path
        .to_str()
        .filter(|word| !word.contains(['/', '.']) && *word != "-")?;
    if path.exists() {
        return None;
    }
    Cli::command()
        .get_subcommands()
        .map(|command| command.get_name().to_owned())
        .find(|name| strsim::damerau_levenshtein(name, word) <= 2)
}

/// The settings file that was asked for, else the one beside main.cf.
fn settings(target: &Target, args: &InstanceArgs) -> anyhow::Result<Settings> {
    match (&args.config, target) {
        (Some(path), _) => Settings::read(path),
        (None, Target::Host) => {
            let directory = host_directory();
            match &args.root {
                Some(root) => {
                    Settings::beside(&root.join(directory.strip_prefix("/").unwrap_or(&directory)))
                }
                None => Settings::beside(&directory),
            }
        }
        (None, Target::Path(path)) if path.is_dir() => Settings::beside(path),
        (None, Target::Path(path)) => Settings::beside(path.parent().unwrap_or(Path::new(""))),
        (None, Target::MainCfText(_)) => Ok(Settings::default()),
    }
}

fn load_options(args: &InstanceArgs, settings: &Settings) -> LoadOptions {
    // Of two with the same FROM the last one wins.
    let mut map_paths = settings.map_path.clone();
    map_paths.extend(args.map_path.iter().cloned());
    LoadOptions {
        version: args.postfix_version.or(settings.postfix_version),
        paths: PathOptions {
            map_paths,
            root: args.root.clone().or_else(|| settings.root.clone()),
            ..PathOptions::default()
        },
        passwd: args.passwd.clone().or_else(|| settings.passwd.clone()),
        host: None,
        is_for_this_host: false,
        live_tables: args.live_tables,
    }
}

/// The file that stands for an instance.
fn main_path(instance: &Instance) -> Option<PathBuf> {
    let source = (instance.main_cf().map(|main| &main.source))
        .or(instance.master_cf().map(|master| &master.source))
        .or(instance.lone_table());
    source.map(|source| source.path().to_path_buf())
}
