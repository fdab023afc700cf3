//! The commands in README.md print what it says they print.
//!
//! In a block marked `console`, a line `$ postlint …` or `$ cargo run --release -- …` is run, and the lines
//! up to the next command are its output. `BLESS=1 cargo test --test readme` writes them.

use std::fs;
use std::path::Path;
use std::process::Command;

mod common;

/// What postlint prints in a directory with the fixtures that README speaks of, without an installed
/// Postfix; nothing for other commands.
fn output(command: &str, directory: &Path) -> Option<String> {
    let arguments = command
        .strip_prefix("cargo run --release -- ")
        .or_else(|| command.strip_prefix("postlint "))?;
    let output = Command::new(env!("CARGO_BIN_EXE_postlint"))
        .args(arguments.split(' '))
        .current_dir(directory)
        .env_clear()
        .env("PATH", directory)
        .output()
        .unwrap_or_else(|error| panic!("{command}: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn commands_print_what_the_readme_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("README.md");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let copy = directory.path().join("fixtures/_mail");
    common::copy_tree(&common::fixture("_mail"), &copy);

    let mut actual = String::new();
    let (mut in_console, mut is_output_known, mut commands) = (false, false, 0);
    for line in readme.lines() {
        if let Some(kind) = line.strip_prefix("```") {
            (in_console, is_output_known) = (kind == "console", false);
        }
        let command = line.strip_prefix("$ ").filter(|_| in_console);
        if command.is_none() && is_output_known {
            continue;
        }
        actual.push_str(line);
        actual.push('\n');
        if let Some(command) = command {
            let output = output(command, directory.path());
            is_output_known = output.is_some();
            commands += usize::from(is_output_known);
            actual.push_str(&output.unwrap_or_default());
        }
    }
    assert!(commands > 0, "README.md shows no command");
    postlint::testing::assert_file(&path, &actual);
}
