//! The command word, and what its program needs from the other fields (`src/master/master_spawn.c`,
//! `src/master/*_server.c`).

use super::Report;
use super::fields::has_value;
use crate::instance::daemon::{Daemon, daemon_names, daemon_of};
use crate::instance::files::Location;

/// Looks at the command word. Whether it is one of Postfix's programs.
pub(super) fn check(report: &mut Report<'_, '_>) -> bool {
    let (instance, line) = (report.instance, report.line);
    let command = line.command();
    let Some(daemon) = daemon_of(command, instance.version()) else {
        if command != "-" {
            check_unknown(report, command);
        }
        return false;
    };
    check_type(report, daemon);
    check_limit(report, daemon);
    if daemon.is_privileged && line.field(3) != "n" {
        let message = format!("{command} stops when it is started: it needs the field unprivileged to be \
                               n");
        report.add_field(3, message, Some("n"));
    }
    true
}

fn check_unknown(report: &mut Report<'_, '_>, command: &str) {
    let instance = report.instance;
    let base = command.rsplit('/').next().unwrap_or(command);
    let known = daemon_of(base, instance.version());
    if command.starts_with('/') {
        let message = format!(
            "the program of this service is never started: master looks for {command} below \
             daemon_directory; the name alone would be right"
        );
        report.add_field(7, message, known.map(|daemon| daemon.name));
        return;
    }
    let directory = instance.parameter("daemon_directory").text();
    match instance.files().locate(&format!("{directory}/{command}")) {
        Location::Here(path) if path.exists() => return,
        // Somebody's own program, which may well be there.
        Location::Elsewhere if command.contains('/') => return,
        Location::Here(_) | Location::Elsewhere => {}
    }
    let version = instance.version();
    let message = format!(
        "the program of this service is never started, and whoever connects gets no answer: Postfix \
         {version} has no program {command}"
    );
    let near = super::super::nearest::nearest(command, daemon_names(version));
    let finding = report.add_field(7, message, near);
    if known.is_none() && near.is_none() {
        finding.note("it can only work if somebody has put a program of his own into daemon_directory");
    }
}

fn check_type(report: &mut Report<'_, '_>, daemon: &Daemon) {
    let kind = report.line.kind();
    let is_type = matches!(kind, "inet" | "unix" | "fifo" | "pass" | "unix-dgram");
    if is_type && !daemon.types.contains(&kind) {
        let message = format!(
            "{} stops when it is started: it does not serve the type {kind}; {} would be right",
            daemon.name,
            daemon.types.join(" or "),
        );
        let right = if daemon.types.contains(&"unix") { "unix" } else { daemon.types[0] };
        report.add_field(1, message, Some(right));
    }
}

fn check_limit(report: &mut Report<'_, '_>, daemon: &Daemon) {
    let Some(limit) = daemon.limit else { return };
    let default = report.instance.parameter("default_process_limit").text();
    let right = limit.to_string();
    let field = report.line.fields.get(6);
    let is_number = field.is_some_and(|field| *field == "-" || field.as_str().parse::<u64>().is_ok());
    if !is_number || has_value(field, &default, &right) {
        return;
    }
    let meaning = if limit == 0 { " (no limit)" } else { "" };
    let message = format!(
        "{} stops when it is started: it needs a process limit of {limit}{meaning}",
        daemon.name
    );
    report.add_field(6, message, Some(&right));
}
