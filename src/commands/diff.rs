//! `postlint diff`: what changes for mail between two configurations.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};

use super::check::selection;
use super::color;
use super::instances::{Plan, plans};
use crate::cli::{DiffArgs, DiffFormatArg, InstanceArgs};
use crate::exit::{Exit, UsageError};
use crate::instance::{Instance, Scale, Target, difference, host_directory};
use crate::lint;
use crate::live::revision::{Revision, Tree};
use crate::mail::behaviour::{self, Question};
use crate::report::{Checked, DiffReport, DiffSide, DiffStyle};

/// One of the two configurations before it is loaded.
struct Given {
    /// As it stands on the command line.
    name: PathBuf,
    plan: Plan,
    /// The revision that it is of.
    tree: Option<Tree>,
}

pub(super) fn run(
    args: &DiffArgs,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> anyhow::Result<Exit> {
    color::decide(args.color, true);
    let recipients = args.recipients.as_deref().map(read_addresses).transpose()?;
    let mut given = [
        Given::new(&args.old, &args.instance)?,
        Given::new(&args.new, &args.instance)?,
    ];
    // Where one of the two is this host's own, both are compared as if they were.
    if given.iter().any(Given::is_of_this_host) {
        given
            .iter_mut()
            .for_each(|one| one.plan.options.is_for_this_host = true);
    }
    let [old, new] = given;
    let old = (old.checked(args)?, old);
    let new = (new.checked(args)?, new);
    let (before, after) = (&old.0.instance, &new.0.instance);
    let question = Question {
        recipients: recipients.unwrap_or_default(),
        most: args.most_addresses,
    };
    let findings = lint::difference((before, &old.0.findings), (after, &new.0.findings));
    let mail = behaviour::differences(before, after, &question);
    let report = DiffReport {
        parameters: &difference::parameters(before, after),
        services: &difference::services(before, after),
        mail: &mail,
        findings: &findings,
        old: old.1.side(&old.0),
        new: new.1.side(&new.0),
    };
    let style = DiffStyle { shown: args.show };
    match args.format {
        DiffFormatArg::Text => report.text(style, out)?,
        DiffFormatArg::Markdown => report.markdown(style, out)?,
        DiffFormatArg::Json => report.json(out)?,
    }
    for (_, given) in [&old, &new] {
        for note in given.tree.iter().flat_map(Tree::notes) {
            writeln!(err, "postlint: {}", crate::report::visible(note))?;
        }
    }
    Ok(match mail.is_harmful() {
        true => Exit::Findings,
        false => Exit::Clean,
    })
}

impl Given {
    fn new(name: &Path, args: &InstanceArgs) -> anyhow::Result<Self> {
        let tree = Revision::parse(name).map(Tree::open).transpose();
        let mut tree = tree.with_context(|| format!("cannot read {}", name.display()))?;
        let path = match &mut tree {
            Some(tree) => tree
                .configuration()
                .with_context(|| format!("cannot read {}", name.display()))?,
            None => name.to_path_buf(),
        };
        let plan = plans(&[path], args).map_err(|error| named(error, tree.as_ref()))?;
        let Some(mut plan) = plan.into_iter().next() else {
            bail!("there is no configuration");
        };
        if let Some(tree) = &mut tree {
            of_revision(&mut plan, tree)?;
        }
        Ok(Self {
            name: name.to_path_buf(),
            plan,
            tree,
        })
    }

    fn is_of_this_host(&self) -> bool {
        let host = host_directory();
        match (&self.tree, &self.plan.target) {
            (Some(tree), _) => tree.is_of(&host),
            (None, Target::Path(path)) => {
                let directory = if path.is_dir() {
                    Some(path.as_path())
                } else {
                    path.parent()
                };
                let real = directory.and_then(|directory| directory.canonicalize().ok());
                real.is_some() && real == host.canonicalize().ok()
            }
            (None, Target::Host | Target::MainCfText(_)) => false,
        }
    }

    /// Loads and lints it.
    fn checked(&self, args: &DiffArgs) -> anyhow::Result<Checked> {
        let tree = self.tree.as_ref();
        let instance = Instance::load(&self.plan.target, &self.plan.options)
            .map_err(|error| named(error, tree))?;
        if instance.scale() != Scale::Configuration {
            bail!(
                "{} is no configuration: a directory or a main.cf is needed to say what happens to mail",
                self.name.display()
            );
        }
        let findings = lint::run(&instance, &selection(&args.rules, &self.plan)?);
        Ok(Checked::new(instance, findings))
    }

    fn side<'s>(&'s self, checked: &'s Checked) -> DiffSide<'s> {
        DiffSide {
            name: self.name.to_string_lossy().into_owned(),
            checked,
            shown: Box::new(move |text| match &self.tree {
                Some(tree) => tree.shown(text),
                None => text.to_owned(),
            }),
        }
    }
}

/// Turns the paths of options into those of the same revision, where they lie in the repository.
fn of_revision(plan: &mut Plan, tree: &mut Tree) -> anyhow::Result<()> {
    let paths = &mut plan.options.paths;
    let places = (paths.map_paths.iter_mut().map(|(_, to)| to))
        .chain(&mut paths.root)
        .chain(&mut plan.options.passwd);
    for place in places {
        if let Some(there) = tree.counterpart(place)? {
            *place = there;
        }
    }
    Ok(())
}

/// An error that names files as those of the revision.
fn named(error: anyhow::Error, tree: Option<&Tree>) -> anyhow::Error {
    let Some(tree) = tree else {
        return error;
    };
    let text = tree.shown(&format!("{error:#}"));
    match error.downcast_ref::<UsageError>() {
        Some(_) => UsageError(text).into(),
        None => anyhow!(text),
    }
}

/// The addresses in a file, one a line; empty lines and comments are left out.
fn read_addresses(path: &Path) -> anyhow::Result<Vec<String>> {
    let mut bytes = Vec::new();
    match path.as_os_str() == "-" {
        true => std::io::stdin().read_to_end(&mut bytes).map(|_| ()),
        false => std::fs::read(path).map(|read| bytes = read),
    }
    .with_context(|| format!("cannot read {}, the file of --recipients", path.display()))?;
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let inner = |line: &str| {
        let inner = line
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'));
        inner.unwrap_or(line).to_owned()
    };
    Ok(lines.map(inner).collect())
}
