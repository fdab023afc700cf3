//! The Postfix that is installed on this machine.

use std::path::PathBuf;

use super::builtin::Version;

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

/// Where a program of Postfix is: on the search path, or where administrators' programs are.
fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin", "/sbin"].map(PathBuf::from))
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
}
