//! The instances that a command is to look at.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::cli::InstanceArgs;
use crate::instance::files::PathOptions;
use crate::instance::{Instance, LoadOptions, Target};

/// How the arguments say that a configuration is to be read.
pub(super) fn load_options(args: &InstanceArgs) -> LoadOptions {
    LoadOptions {
        version: args.postfix_version,
        paths: PathOptions {
            map_paths: args.map_path.clone(),
            root: args.root.clone(),
            ..PathOptions::default()
        },
        passwd: args.passwd.clone(),
        host: None,
    }
}

/// What the paths on the command line mean: none is the configuration of this host, `-` is a main.cf on
/// standard input.
///
/// # Errors
/// Standard input cannot be read.
pub(super) fn targets(paths: &[PathBuf]) -> anyhow::Result<Vec<Target>> {
    if paths.is_empty() {
        return Ok(vec![Target::Host]);
    }
    let mut targets = Vec::new();
    let mut seen: Vec<&Path> = Vec::new();
    for path in paths {
        if seen.contains(&path.as_path()) {
            continue;
        }
        seen.push(path);
        if path.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin()
                .read_to_end(&mut bytes)
                .context("cannot read a main.cf from standard input")?;
            targets.push(Target::MainCfText(bytes));
        } else {
            targets.push(Target::Path(path.clone()));
        }
    }
    Ok(targets)
}

/// Loads the instances behind all targets, each directory once.
///
/// # Errors
/// One of them cannot be read.
pub(super) fn load_all(targets: &[Target], options: &LoadOptions) -> anyhow::Result<Vec<Instance>> {
    let mut instances: Vec<Instance> = Vec::new();
    for target in targets {
        for instance in Instance::load_all(target, options)? {
            let is_new = instances.iter().all(|other| {
                other.scale() != instance.scale()
                    || other.directory() != instance.directory()
                    || matches!(target, Target::MainCfText(_))
                    || main_path(other) != main_path(&instance)
            });
            if is_new {
                instances.push(instance);
            }
        }
    }
    Ok(instances)
}

/// The file that stands for an instance.
fn main_path(instance: &Instance) -> Option<PathBuf> {
    let source = (instance.main_cf().map(|main| &main.source))
        .or(instance.master_cf().map(|master| &master.source))
        .or(instance.lone_table());
    source.map(|source| source.path().to_path_buf())
}
