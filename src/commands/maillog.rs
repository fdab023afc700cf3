//! Which mail logs a command reads, and how it tells how far it has come.

use std::io::{IsTerminal, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;

use super::instances::configuration;
use crate::cli::InstanceArgs;
use crate::instance::network_list::{Trust, network_list};
use crate::instance::{Instance, host_directory};
use crate::live::maillog::{Damage, Input, Progress};
use crate::report::visible;

/// Whoever waits longer than this is told how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// Where syslog daemons put mail.
const USUAL: [&str; 2] = ["/var/log/mail.log", "/var/log/maillog"];

/// The configuration that was named, or that of this host; `None` where none is named and the host has none.
///
/// # Errors
/// The configuration that was named cannot be read.
pub(super) fn configuration_if_any(
    directory: Option<&Path>,
    args: &InstanceArgs,
) -> anyhow::Result<Option<Instance>> {
    let is_bare =
        directory.is_none() && args.root.is_none() && !host_directory().join("main.cf").exists();
    if is_bare {
        return Ok(None);
    }
    configuration(directory, args, &[]).map(Some)
}

/// The logs that were named, else those of this host.
///
/// # Errors
/// None is named, and there is none where one usually is.
pub(super) fn inputs(files: &[PathBuf], instance: Option<&Instance>) -> anyhow::Result<Vec<Input>> {
    if files.is_empty() {
        return Ok(vec![Input::File(usual(instance)?)]);
    }
    let mut inputs = Vec::new();
    for file in files {
        let input = match file.as_os_str() == "-" {
            true => Input::Stdin,
            false => Input::File(file.clone()),
        };
        if !inputs.contains(&input) {
            inputs.push(input);
        }
    }
    Ok(inputs)
}

fn usual(instance: Option<&Instance>) -> anyhow::Result<PathBuf> {
    let set = instance.map(|instance| {
        instance
            .program("postlogd")
            .any_parameter("maillog_file")
            .text()
    });
    let set = set.filter(|path| !path.is_empty() && !path.starts_with("/dev/"));
    if let Some(path) = set {
        return Ok(PathBuf::from(path));
    }
    let found = USUAL.iter().map(Path::new).find(|path| path.exists());
    match found {
        Some(path) => Ok(path.to_path_buf()),
        None => bail!(
            "there is no {} here: name the log, or ask the journal: journalctl -t 'postfix*' -o short-iso | postlint log -",
            USUAL.join(" or ")
        ),
    }
}

/// Says which logs broke off.
///
/// # Errors
/// `err` cannot be written to.
pub(super) fn tell_damages(damages: &[Damage], err: &mut dyn Write) -> anyhow::Result<()> {
    for damage in damages {
        let text = format!("{} breaks off: {}", damage.input, damage.reason);
        writeln!(
            err,
            "postlint: {}; what was read is counted",
            visible(&text)
        )?;
    }
    Ok(())
}

/// Whether an address is in `mynetworks`.
pub(super) fn is_own(instance: Option<&Instance>) -> impl Fn(IpAddr) -> bool {
    let list = instance.map(|instance| network_list(instance.program("smtpd"), "mynetworks"));
    move |address| {
        let trust = list.as_ref().map(|list| list.find(address));
        matches!(trust, Some(Trust::Listed(_)))
    }
}

/// Tells on standard error how far reading has come, on a terminal, and to whoever waits.
pub(super) struct Teller {
    started: Instant,
    told: Option<Instant>,
    is_terminal: bool,
}

impl Teller {
    pub(super) fn new() -> Self {
        Self {
            started: Instant::now(),
            told: None,
            is_terminal: std::io::stderr().is_terminal(),
        }
    }

    /// Tells it, now and then.
    pub(super) fn tell(&mut self, progress: Progress<'_>, err: &mut dyn Write) {
        if !self.is_terminal || self.started.elapsed() < PATIENCE {
            return;
        }
        if self.told.is_some_and(|told| told.elapsed() < PATIENCE / 5) {
            return;
        }
        self.told = Some(Instant::now());
        let megabytes = progress.done >> 20;
        let part = match progress.total {
            0 => String::new(),
            total => format!(", {} %", progress.done.saturating_mul(100) / total),
        };
        let name = visible(&progress.input.shown()).into_owned();
        // Nobody is left to be told when this fails.
        let _ = write!(err, "\r\x1b[Kreading {name}: {megabytes} MB{part}");
        let _ = err.flush();
    }

    /// Takes the line away.
    pub(super) fn clear(&self, err: &mut dyn Write) {
        if self.told.is_some() {
            let _ = write!(err, "\r\x1b[K");
        }
    }
}
