//! Writing with every step failing, with real file systems that refuse, and with what a file has besides
//! its contents.

// A test that cannot run here says so.
#![allow(clippy::print_stderr)]

use std::collections::BTreeMap;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use xattr::FileExt;

use super::*;
use crate::source::Sources;

/// A directory with files, and what is to become of them.
struct Case {
    directory: tempfile::TempDir,
    files: Vec<ChangedFile>,
}

const NAMES: [&str; 3] = ["main.cf", "tables/virtual", "master.cf"];

impl Case {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        fs::create_dir(directory.path().join("tables")).expect("a directory");
        for name in NAMES {
            fs::write(directory.path().join(name), format!("old {name}\n")).expect("write");
        }
        let files = NAMES
            .iter()
            .map(|name| changed(&directory.path().join(name), format!("new {name}\n")))
            .collect();
        Self { directory, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// All files with inode and contents.
    fn contents(&self) -> BTreeMap<PathBuf, (u64, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for directory in [
            self.directory.path().to_path_buf(),
            self.directory.path().join("tables"),
        ] {
            for entry in fs::read_dir(directory).expect("read") {
                let path = entry.expect("read").path();
                if path.is_file() {
                    let inode = fs::symlink_metadata(&path).expect("stat").ino();
                    found.insert(path.clone(), (inode, fs::read(&path).expect("read")));
                }
            }
        }
        found
    }
}

fn changed(path: &Path, after: impl Into<Vec<u8>>) -> ChangedFile {
    ChangedFile {
        before: Sources::default().read(path).expect("read"),
        after: after.into(),
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("read")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("read")
        .map(|entry| {
            entry
                .expect("read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

#[test]
fn all_files_are_replaced() {
    let case = Case::new();
    let written = write(&case.files, None).expect("it can be written");
    assert_eq!(written.len(), 3);
    assert!(
        written
            .iter()
            .all(|file| file.leftover.is_none() && file.backup.is_none())
    );
    for name in NAMES {
        assert_eq!(read(&case.path(name)), format!("new {name}\n"));
    }
    assert_eq!(case.contents().len(), 3);
}

#[test]
fn a_backup_is_the_old_file_and_never_overwritten() {
    let case = Case::new();
    fs::write(case.path("main.cf.orig"), "precious").expect("write");
    let inode = fs::metadata(case.path("main.cf")).expect("stat").ino();
    let written = write(&case.files, Some(".orig")).expect("it can be written");
    assert_eq!(written[0].backup, Some(case.path("main.cf.orig.1")));
    assert_eq!(written[1].backup, Some(case.path("tables/virtual.orig")));
    assert_eq!(read(&case.path("main.cf.orig")), "precious");
    assert_eq!(read(&case.path("main.cf.orig.1")), "old main.cf\n");
    let backup = fs::metadata(case.path("main.cf.orig.1")).expect("stat");
    assert_eq!((backup.ino(), backup.nlink()), (inode, 1));
    assert_eq!(case.contents().len(), 7);
    for suffix in ["", "/x"] {
        assert!(write(&[], Some(suffix)).is_err());
    }
}

/// Runs with step number `count` failing; `false` when there are fewer steps.
fn run_failing(case: &Case, backup: Option<&str>, count: usize, fail: fn() -> io::Error) -> bool {
    let mut left = count;
    let mut reached = false;
    let result = catch_unwind(AssertUnwindSafe(|| {
        write_with(&case.files, backup, &mut |_| {
            if left == 0 {
                reached = true;
                return Err(fail());
            }
            left -= 1;
            Ok(())
        })
    }));
    if let Ok(result) = result {
        assert_eq!(result.is_err(), reached);
        if let Err(error) = result {
            let text = format!("{error:#}");
            assert!(text.contains("nothing was changed"), "{text}");
            assert!(text.contains("injected"), "{text}");
        }
    }
    reached
}

#[test]
fn a_failure_at_any_step_changes_nothing() {
    let failures: [fn() -> io::Error; 2] = [
        || io::Error::other("injected"),
        || std::panic::resume_unwind(Box::new("injected")),
    ];
    for fail in failures {
        for backup in [None, Some("~")] {
            let mut count = 0;
            loop {
                let case = Case::new();
                let before = case.contents();
                if !run_failing(&case, backup, count, fail) {
                    break;
                }
                assert_eq!(case.contents(), before, "step {count}");
                count += 1;
            }
            // Stage, replace, perhaps back up each of three files, bring two directories to disk.
            assert_eq!(count, if backup.is_some() { 11 } else { 8 });
        }
    }
}

#[test]
fn a_file_that_changed_is_left_alone() {
    let case = Case::new();
    let before = case.contents();
    fs::write(case.path("master.cf"), "other master.cf\n").expect("write");
    let error = write(&case.files, None).expect_err("it changed");
    assert!(format!("{error:#}").contains("changed after it was read"));
    assert_eq!(read(&case.path("master.cf")), "other master.cf\n");
    assert_eq!(read(&case.path("main.cf")), "old main.cf\n");
    assert_eq!(case.contents().len(), before.len());
}

#[test]
fn a_change_in_the_last_moment_wins() {
    type Change = fn(&Path);
    // As an editor that renames does it, and as one that writes into the file.
    let changes: [Change; 2] = [
        |path| {
            let beside = path.with_extension("tmp");
            fs::write(&beside, "theirs").expect("write");
            fs::rename(beside, path).expect("rename");
        },
        |path| fs::write(path, "theirs").expect("write"),
    ];
    for change in changes {
        let case = Case::new();
        let master = case.path("master.cf");
        let result = write_with(&case.files, None, &mut |step| {
            if step == Step::Replace(&master) {
                change(&master);
            }
            Ok(())
        });
        assert!(result.is_err());
        assert_eq!(read(&master), "theirs");
        assert_eq!(read(&case.path("main.cf")), "old main.cf\n");
        assert_eq!(case.contents().len(), 3);
    }
}

#[test]
fn links_are_followed_or_refused() {
    let case = Case::new();
    let link = case.path("link.cf");
    symlink("main.cf", &link).expect("link");
    let written = write(&[changed(&link, "through\n")], Some("~")).expect("it can be written");
    assert_eq!(written[0].path, link);
    assert_eq!(written[0].backup, Some(case.path("main.cf~")));
    assert_eq!(
        fs::read_link(&link).expect("still a link"),
        Path::new("main.cf")
    );
    assert_eq!(read(&case.path("main.cf")), "through\n");

    // Two names of one file.
    let both = |one: &str, two: &str| {
        let files = [changed(&link, one), changed(&case.path("main.cf"), two)];
        write(&files, None)
    };
    assert_eq!(both("same\n", "same\n").expect("it is one file").len(), 1);
    assert!(both("one\n", "two\n").is_err());
    assert_eq!(read(&link), "same\n");

    fs::hard_link(case.path("main.cf"), case.path("second")).expect("link");
    let error = write(&[changed(&link, "x")], None).expect_err("it has two names");
    assert!(format!("{error:#}").contains("hard links"));
    assert_eq!(read(&link), "same\n");
}

#[test]
fn mode_owner_and_attributes_stay() {
    let case = Case::new();
    let path = case.path("main.cf");
    let file = File::open(&path).expect("open");
    if is_root() {
        std::os::unix::fs::chown(&path, Some(12), Some(34)).expect("chown");
    }
    // A POSIX ACL: owner rw, user 7 r, group r, mask r, others nothing.
    let mut acl = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (1_u16, 6_u16, u32::MAX),
        (2, 4, 7),
        (4, 4, u32::MAX),
        (16, 4, u32::MAX),
        (32, 0, u32::MAX),
    ] {
        acl.extend(tag.to_le_bytes());
        acl.extend(permissions.to_le_bytes());
        acl.extend(id.to_le_bytes());
    }
    let acl_name = "system.posix_acl_access";
    let has_acl = file.set_xattr(acl_name, &acl).is_ok();
    let has_user = file.set_xattr("user.note", b"mine").is_ok();
    if !has_acl || !has_user {
        eprintln!("skipped in part: no ACLs ({has_acl}) or attributes ({has_user}) in /tmp");
    }
    if !has_acl {
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("chmod");
    }
    // A directory that gives new files an ACL must not give one to a file that has none.
    let plain = case.path("tables/virtual");
    if has_acl {
        let tables = File::open(case.path("tables")).expect("open");
        tables
            .set_xattr("system.posix_acl_default", &acl)
            .expect("a default ACL");
    }
    let before = fs::metadata(&path).expect("stat");
    let files = [changed(&path, "new"), changed(&plain, "new")];
    write(&files, None).expect("it can be written");
    let after = fs::metadata(&path).expect("stat");
    assert_ne!(before.ino(), after.ino());
    assert_eq!(
        (before.mode(), before.uid(), before.gid()),
        (after.mode(), after.uid(), after.gid())
    );
    assert_eq!(after.mode() & 0o777, 0o640);
    if has_user {
        let note = xattr::get(&path, "user.note").expect("read");
        assert_eq!(note.as_deref(), Some(&b"mine"[..]));
    }
    if has_acl {
        let kept = xattr::get(&path, acl_name).expect("read");
        assert_eq!(kept.as_deref(), Some(acl.as_slice()));
        assert_eq!(xattr::get(&plain, acl_name).expect("read"), None);
    }
}

#[test]
fn copies_stay_below_their_directory() {
    let case = Case::new();
    let output = case.path("out/deep");
    let config = case.directory.path().to_path_buf();
    fs::set_permissions(case.path("main.cf"), fs::Permissions::from_mode(0o640)).expect("chmod");
    let copies = write_copies(&case.files, &config, &output).expect("it can be written");
    let expected: Vec<_> = NAMES.iter().map(|name| output.join(name)).collect();
    assert_eq!(copies, expected);
    assert_eq!(read(&output.join("tables/virtual")), "new tables/virtual\n");
    assert_eq!(read(&case.path("tables/virtual")), "old tables/virtual\n");
    let mode = |name: &str| fs::metadata(output.join(name)).expect("stat").mode() & 0o777;
    assert_eq!((mode("main.cf"), mode("master.cf")), (0o600, 0o644));

    // Nothing is overwritten, and what was made before that was noticed goes.
    fs::remove_file(output.join("main.cf")).expect("remove");
    let error = write_copies(&case.files, &config, &output).expect_err("one exists");
    assert!(format!("{error:#}").contains("virtual"));
    assert!(!output.join("main.cf").exists());
    assert_eq!(read(&output.join("master.cf")), "new master.cf\n");

    // Outside of the configuration directory: the absolute path.
    let tables = case.path("tables");
    let copies = write_copies(&case.files[..1], &tables, &case.path("far")).expect("written");
    let absolute = fs::canonicalize(case.path("main.cf")).expect("it is there");
    let absolute = absolute.strip_prefix("/").expect("absolute");
    assert_eq!(copies, [case.path("far").join(absolute)]);

    // A way up in the path, and a link that leads out.
    let roundabout = changed(&case.path("tables/../main.cf"), "new");
    let copies = write_copies(&[roundabout], &config, &case.path("up")).expect("written");
    assert_eq!(copies, [case.path("up/main.cf")]);
    let elsewhere = tempfile::tempdir().expect("a directory");
    fs::create_dir(case.path("trap")).expect("a directory");
    symlink(elsewhere.path(), case.path("trap/tables")).expect("link");
    assert!(write_copies(&case.files, &config, &case.path("trap")).is_err());
    assert_eq!(names_in(elsewhere.path()), Vec::<String>::new());
    assert_eq!(names_in(&case.path("trap")), ["tables"]);
}

/// The directory that [`file_systems_that_refuse`] prepares, and what is wrong with it.
const PREPARED: [&str; 2] = ["POSTLINT_TEST_DIRECTORY", "POSTLINT_TEST_TROUBLE"];
const PREPARED_TEST: &str = "fix::write::tests::in_a_prepared_directory";

/// Runs [`in_a_prepared_directory`] with real mounts: a full one, a read-only one, a file that is a mount
/// point of its own. Needs unshare(1) and user namespaces.
#[test]
fn file_systems_that_refuse() {
    let program = std::env::current_exe().expect("the path of the tests");
    let directory = tempfile::tempdir().expect("a directory");
    let script = r#"
        set -e
        mount -t tmpfs -o size=64k none "$POSTLINT_TEST_DIRECTORY"
        cd "$POSTLINT_TEST_DIRECTORY"
        run() {
            POSTLINT_TEST_TROUBLE=$1 "$0" --ignored --exact "$POSTLINT_TEST"
        }
        head -c 20000 /dev/zero > a; echo b > b; head -c 20000 /dev/zero > c
        run full
        mount -o remount,size=1m "$POSTLINT_TEST_DIRECTORY"
        touch other; mount --bind other b
        run mounted
        umount b; mount -o remount,ro "$POSTLINT_TEST_DIRECTORY"
        run read-only
        echo all done"#;
    let output = Command::new("unshare")
        .args(["-rm", "sh", "-c", script])
        .arg(program)
        .env(PREPARED[0], directory.path())
        .env("POSTLINT_TEST", PREPARED_TEST)
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: no unshare(1)");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() && !text.contains("running") {
        eprintln!("skipped: no mounts here: {errors}");
        return;
    }
    assert!(text.contains("all done"), "{text}\n{errors}");
    assert_eq!(text.matches("1 passed").count(), 3, "{text}");
}

/// As root, the same test runs as nobody, on files that are root's in a directory that is anybody's.
#[test]
fn an_owner_that_cannot_be_kept() {
    use std::os::unix::process::CommandExt;
    if !is_root() {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let open = fs::Permissions::from_mode(0o777);
    fs::set_permissions(directory.path(), open).expect("chmod");
    fs::write(directory.path().join("f"), "f").expect("write");
    let output = Command::new(std::env::current_exe().expect("the path of the tests"))
        .args(["--ignored", "--exact", PREPARED_TEST])
        .env(PREPARED[0], directory.path())
        .env(PREPARED[1], "foreign")
        .uid(65534)
        .gid(65534)
        .output();
    let Ok(output) = output else {
        eprintln!("skipped: nobody cannot run the tests");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "run by file_systems_that_refuse in mounts of its own"]
fn in_a_prepared_directory() {
    let (Some(directory), Ok(trouble)) =
        (std::env::var_os(PREPARED[0]), std::env::var(PREPARED[1]))
    else {
        return;
    };
    let directory = PathBuf::from(directory);
    let names = names_in(&directory);
    let paths: Vec<_> = names.iter().map(|name| directory.join(name)).collect();
    let before: Vec<_> = paths
        .iter()
        .map(|path| fs::read(path).expect("read"))
        .collect();
    let files: Vec<_> = paths
        .iter()
        .zip(&before)
        .map(|(path, bytes)| changed(path, [bytes.as_slice(), b"more\n"].concat()))
        .collect();
    for backup in [None, Some("~")] {
        let error = write(&files, backup).expect_err("the file system refuses");
        let text = format!("{error:#}");
        assert!(text.contains("nothing was changed"), "{text}");
        let expected = match trouble.as_str() {
            "full" => "No space left",
            "mounted" => "cannot replace",
            "foreign" => "run postlint as root",
            _ => "Read-only file system",
        };
        assert!(text.contains(expected), "{text}");
        assert_eq!(names_in(&directory), names);
        for (path, bytes) in paths.iter().zip(&before) {
            assert_eq!(&fs::read(path).expect("read"), bytes);
        }
    }
}
