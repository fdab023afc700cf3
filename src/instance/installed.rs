//! The Postfix that is installed on this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use super::builtin::{Builtin, Builtins, Version};

/// The stamp that every Postfix program carries (`src/global/mail_version.h`).
const STAMP: &[u8] = b"mail_version=";

/// The version of the installed Postfix, `None` when there is none.
///
/// It is read from the stamp in the postconf program: starting the program takes longer than all the rest
/// of a run.
pub fn installed_version() -> Option<Version> {
    let program = std::fs::read(find_program("postconf")?).ok()?;
    memchr::memmem::find_iter(&program, STAMP).find_map(|at| {
        let rest = &program[at + STAMP.len()..];
        let end = memchr::memchr(0, rest)?;
        Version::parse(str::from_utf8(&rest[..end]).ok()?)
    })
}

/// The defaults that were fixed when the installed Postfix was built, by name. None when there is no Postfix
/// of this version, and when it is Debian's package: the tables have what that one has.
pub(super) fn build_defaults(version: Version) -> BTreeMap<String, String> {
    if Path::new("/var/lib/dpkg/info/postfix.list").exists() || installed_version() != Some(version)
    {
        return BTreeMap::new();
    }
    let Some(program) = find_program("postconf") else {
        return BTreeMap::new();
    };
    // The defaults are the same for all configurations; with this one there is nothing to read.
    let output = Command::new(program)
        .args(["-c", "/nonexistent", "-d"])
        .args(
            Builtins::of(version)
                .iter()
                .filter(|builtin| builtin.is_fixed_at_build())
                .map(Builtin::name),
        )
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let Ok(output) = output else {
        return BTreeMap::new();
    };
    parse_settings(&String::from_utf8_lossy(&output.stdout))
}

/// The lines `name = value` that postconf prints.
fn parse_settings(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(" ="))
        .map(|(name, value)| (name.to_owned(), value.trim().to_owned()))
        .collect()
}

/// The postmap(1) that is installed.
///
/// # Errors
/// There is none.
pub(super) fn postmap() -> anyhow::Result<PathBuf> {
    find_program("postmap")
        .context("there is no postmap here that could ask tables (--live-tables)")
}

/// Where a program of Postfix is: on the search path, or where administrators' programs are.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_with_and_without_a_value() {
        let settings = parse_settings("a = b = c\nhtml_directory =\n");
        assert_eq!(settings.get("a").map(String::as_str), Some("b = c"));
        assert_eq!(settings.get("html_directory").map(String::as_str), Some(""));
    }
}
