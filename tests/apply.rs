//! `postlint apply` against a real Postfix: all of it, or nothing.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::postfix::{Private, is_available};
use common::{copy_tree, fixture};
use tempfile::TempDir;

const POSTLINT: &str = env!("CARGO_BIN_EXE_postlint");
const NOBODY: &str = "nobody-here@example.com";

/// The server of the story as the machine itself has it: no settings that speak of a copy.
fn story() -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    copy_tree(&fixture("_mail/story"), directory.path());
    fs::remove_file(directory.path().join("postlint.toml")).expect("it is there");
    directory
}

struct Applied {
    code: Option<i32>,
    out: String,
    err: String,
}

fn apply(postfix: &Private, arguments: &[&str]) -> Applied {
    let arguments = [&["apply"], arguments].concat();
    let output = postfix.run_inside(POSTLINT, &arguments).expect("it runs");
    Applied {
        code: output.status.code(),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The files of the configuration, indexes among them, with their contents.
fn files(directory: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            files.push((path.clone(), fs::read(&path).expect("it is read")));
        }
    }
    files.sort();
    files
}

#[test]
fn the_steps_are_shown_then_done_and_proved() {
    if !is_available("apply: all of it") {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    copy_tree(&fixture("_mail/story-fixed"), directory.path());
    fs::remove_file(directory.path().join("postlint.toml")).expect("it is there");
    let postfix = Private::start(directory.path(), &[]).expect("it starts");
    let etc = postfix.root().join("etc/postfix");
    let table = etc.join("virtual");
    let mut text = fs::read_to_string(&table).expect("it is read");
    text.push_str("new@example.org anna\n");
    fs::write(&table, text).expect("it is written");
    assert_eq!(postfix.rcpt("new@example.org").code, 550);

    let before = files(&etc);
    let shown = apply(&postfix, &["--unsafe-fixes"]);
    assert_eq!(shown.code, Some(1), "{}\n{}", shown.out, shown.err);
    for step in [
        "write /etc/postfix/main.cf",
        "postmap hash:/etc/postfix/virtual",
        "postfix check",
        "postfix reload",
    ] {
        assert!(shown.out.contains(step), "{step}: {}", shown.out);
    }
    assert_eq!(files(&etc), before, "only shown");

    let done = apply(&postfix, &["--unsafe-fixes", "--run"]);
    assert_eq!(
        done.code,
        Some(0),
        "{}\n{}\n{}",
        done.out,
        done.err,
        postfix.log()
    );
    assert!(
        done.out.contains("the running server answers as"),
        "{}",
        done.out
    );
    assert_eq!(postfix.rcpt("new@example.org").code, 250);
    assert_eq!(postfix.rcpt(NOBODY).code, 550);
    assert!(postfix.send("new@example.org").is_delivered());
    let left: Vec<_> = (files(&etc).into_iter())
        .filter(|(path, _)| path.to_string_lossy().contains("postlint"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A directory of Postfix's commands in which `postfix` fails at one of its words.
fn failing_at(word: &str) -> TempDir {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let directory = tempfile::tempdir().expect("a directory");
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
    for entry in fs::read_dir("/usr/sbin").expect("a directory") {
        let entry = entry.expect("an entry");
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("post") && name != "postfix" {
            symlink(entry.path(), directory.path().join(name)).expect("a link");
        }
    }
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' {word} '*) if [ ! -e {0}/once ]; then : >{0}/once; \
         echo 'postfix: fatal: not today' >&2; exit 1; fi;; esac\nexec /usr/sbin/postfix \"$@\"\n",
        directory.path().display()
    );
    let path = directory.path().join("postfix");
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    directory
}

#[test]
fn if_a_step_fails_everything_is_as_before() {
    if !is_available("apply: nothing of it") {
        return;
    }
    for word in ["check", "reload"] {
        let directory = story();
        let commands = failing_at(word);
        let setting = format!("command_directory={}", commands.path().display());
        let postfix = Private::start(directory.path(), &[&setting]).expect("it starts");
        let etc = postfix.root().join("etc/postfix");
        let before = files(&etc);
        let failed = apply(&postfix, &["--unsafe-fixes", "--run"]);
        assert_eq!(failed.code, Some(3), "{}\n{}", failed.out, failed.err);
        assert!(
            failed.out.contains("postfix: fatal: not today"),
            "{}",
            failed.out
        );
        assert!(
            failed.out.contains("everything is as it was"),
            "{}",
            failed.out
        );
        assert_eq!(files(&etc), before, "{word}");
        assert_eq!(postfix.rcpt(NOBODY).code, 250);
    }
}

#[test]
fn without_a_running_postfix_nothing_is_proved() {
    if !is_available("apply: not running") {
        return;
    }
    let directory = story();
    let postfix = Private::start(directory.path(), &[]).expect("it starts");
    let stopped = postfix
        .run_inside("/usr/sbin/postfix", &["stop"])
        .expect("it runs");
    assert!(stopped.status.success(), "{stopped:?}");
    let done = apply(&postfix, &["--unsafe-fixes", "--run"]);
    assert_eq!(done.code, Some(1), "{}\n{}", done.out, done.err);
    assert!(done.out.contains("Postfix is not running"), "{}", done.out);
}
