//! `postlint diff`: what changes for mail between two configurations, in directories and in git revisions.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use common::postfix::{Private, is_available};
use common::postlint::{Outcome, command, run_with};
use common::{copy_tree, fixture};
use serde_json::Value;
use tempfile::TempDir;

const MAIN_CF: &str = "\
compatibility_level = 3.6
myhostname = mail.example.com
mydestination = example.com
alias_maps =
virtual_alias_domains = example.org
virtual_alias_maps = hash:/etc/postfix/virtual
mynetworks = 127.0.0.0/8 192.0.2.0/24
";
const VIRTUAL: &str = "\
info@example.org anna@example.com
shop@example.org info@example.org
sales@example.org ben@example.com
";

/// git in a directory, without the settings of whoever runs the test.
fn git(directory: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .output()
        .expect("git runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "git {arguments:?}: {said}");
}

fn commit(directory: &Path) {
    git(directory, &["add", "-A"]);
    git(
        directory,
        &["commit", "-q", "--allow-empty", "-m", "change"],
    );
}

/// A repository with a configuration in `etc/postfix`, committed.
fn repository(main_cf: &str, virtual_table: &str) -> TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let postfix = directory.path().join("etc/postfix");
    fs::create_dir_all(&postfix).expect("a directory");
    fs::write(postfix.join("main.cf"), main_cf).expect("a file");
    fs::write(postfix.join("virtual"), virtual_table).expect("a file");
    fs::write(directory.path().join("users"), "anna\nben\n").expect("a file");
    git(directory.path(), &["init", "-q"]);
    commit(directory.path());
    directory
}

fn write(repository: &TempDir, name: &str, text: &str) {
    fs::write(repository.path().join(name), text).expect("a file");
}

fn diff(directory: &Path, arguments: &[&str]) -> Outcome {
    let mut program = command(directory);
    program
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .args(["diff", "--postfix-version=3.7.11"])
        .args(arguments);
    run_with(&mut program, b"")
}

/// The JSON of the difference to the commit before, with the users that are known.
fn json(repository: &TempDir, arguments: &[&str]) -> (Option<i32>, Value) {
    let mut all = vec!["--format=json", "--passwd=users"];
    all.extend_from_slice(arguments);
    let outcome = diff(repository.path(), &all);
    let value = serde_json::from_str(&outcome.out);
    (
        outcome.code,
        value.unwrap_or_else(|error| panic!("{error}: {outcome:?}")),
    )
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The addresses that mean something to a stranger.
fn meaning<'v>(value: &'v Value, meaning: &str) -> Vec<&'v str> {
    let is_meant = |change: &&Value| {
        change["meaning"] == meaning && change["senders"][0]["who"] == "a stranger"
    };
    let meant = list(value, "addresses").iter().filter(is_meant);
    meant
        .filter_map(|change| change["address"].as_str())
        .collect()
}

const HEAD: &str = "HEAD:etc/postfix";
const WORK: &str = "etc/postfix";

#[test]
fn an_alias_that_goes_takes_with_it_what_leads_there() {
    let repository = repository(MAIN_CF, VIRTUAL);
    write(
        &repository,
        "etc/postfix/virtual",
        "shop@example.org info@example.org\nsales@example.org anna@example.com\n",
    );
    let (code, value) = json(&repository, &[HEAD, WORK]);
    assert_eq!(code, Some(1));
    assert_eq!(
        (&value["version"], &value["harmful"]),
        (&1.into(), &true.into())
    );
    assert_eq!(
        meaning(&value, "lost"),
        ["info@example.org", "shop@example.org"]
    );
    assert_eq!(meaning(&value, "other"), ["sales@example.org"]);
    let info = list(&value, "addresses")
        .iter()
        .find(|change| change["address"] == "info@example.org");
    let info = info.expect("it is lost");
    assert_eq!(info["old"]["code"], 250);
    assert_eq!(info["old"]["outcome"][0]["address"], "anna@example.com");
    assert_eq!(
        info["old"]["because"][0]["file"],
        "HEAD:etc/postfix/virtual"
    );
    assert_eq!(
        (&info["new"]["code"], &info["new"]["dsn"]),
        (&550.into(), &"5.1.1".into())
    );

    // The other way round, somebody gains.
    let (code, value) = json(&repository, &[WORK, HEAD]);
    assert_eq!((code, &value["harmful"]), (Some(0), &false.into()));
    commit(repository.path());
    let (code, _) = json(
        &repository,
        &["HEAD~1:etc/postfix", "HEAD:./etc/postfix/main.cf"],
    );
    assert_eq!(code, Some(1));
}

#[test]
fn only_what_can_change_is_asked_for() {
    let mut table = String::from(VIRTUAL);
    for number in 0..5_000 {
        table.push_str(&format!("user{number}@example.org ben@example.com\n"));
    }
    let repository = repository(MAIN_CF, &table);
    write(
        &repository,
        "etc/postfix/virtual",
        &table.replace("user77@example.org ben@", "user77@example.org nobody@"),
    );
    let (code, value) = json(&repository, &[HEAD, WORK]);
    assert_eq!(code, Some(1));
    assert_eq!(meaning(&value, "lost"), ["user77@example.org"]);
    let asked = value["compared"]["addresses"].as_u64().expect("a number");
    assert!(asked < 50, "{asked}");
    assert_eq!(value["compared"]["unaffected"], 5_002);
    // With another setting everything may change, up to a number.
    let main_cf = format!("{MAIN_CF}soft_bounce = yes\n");
    write(&repository, "etc/postfix/main.cf", &main_cf);
    let (_, value) = json(&repository, &[HEAD, WORK, "--most-addresses=1000"]);
    assert_eq!(value["compared"]["addresses"], 1_000);
    assert!(value["compared"]["left_out"].as_u64() > Some(4_000));
    // The one that is known to change comes before the cut.
    assert!(
        list(&value, "addresses")
            .iter()
            .any(|one| one["address"] == "user77@example.org")
    );
}

#[test]
fn strangers_who_can_relay_are_harm() {
    let repository = repository(MAIN_CF, VIRTUAL);
    let open = MAIN_CF.replace("192.0.2.0/24", "0.0.0.0/0");
    write(&repository, "etc/postfix/main.cf", &open);
    let (code, value) = json(&repository, &[HEAD, WORK]);
    assert_eq!(code, Some(1));
    assert!(meaning(&value, "relays").contains(&"somebody@elsewhere.invalid"));
    let parameter = &list(&value, "parameters")[0];
    assert_eq!(parameter["parameter"], "mynetworks");
    assert_eq!(parameter["old"]["file"], "HEAD:etc/postfix/main.cf");
    assert_eq!(parameter["new"]["line"], 7);
    let appeared = list(&value["findings"], "appeared");
    assert!(
        appeared
            .iter()
            .any(|one| one["file"] == "etc/postfix/main.cf"),
        "{appeared:?}"
    );
}

#[test]
fn clients_that_are_no_friends_any_more_lose_their_mail() {
    let repository = repository(MAIN_CF, VIRTUAL);
    let closed = MAIN_CF.replace(" 192.0.2.0/24", "");
    write(&repository, "etc/postfix/main.cf", &closed);
    let outcome = diff(repository.path(), &["--passwd=users", HEAD, WORK]);
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .out
            .contains("from a client in mynetworks (192.0.2.1)"),
        "{}",
        outcome.out
    );
}

const MASTER_CF: &str = "\
smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_sasl_auth_enable=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
proxymap unix - - n - - proxymap
local unix - n n - - local
smtp unix - - n - - smtp
error unix - - n - - error
";

#[test]
fn listeners_come_and_go() {
    let repository = repository(MAIN_CF, VIRTUAL);
    write(&repository, "etc/postfix/master.cf", MASTER_CF);
    commit(repository.path());
    let listeners = |master_cf: &str, main_cf: &str| -> Vec<String> {
        write(&repository, "etc/postfix/master.cf", master_cf);
        write(&repository, "etc/postfix/main.cf", main_cf);
        let (_, value) = json(&repository, &[HEAD, WORK]);
        let told = list(&value, "listeners").iter().map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            format!(
                "{}: {} ({})",
                text("service"),
                text("change"),
                text("meaning")
            )
        });
        told.collect()
    };
    let without = "submission inet n - n - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n";
    assert_eq!(
        listeners(&MASTER_CF.replace(without, ""), MAIN_CF),
        ["submission/inet: nobody listens any more (lost)"]
    );
    assert_eq!(
        listeners(
            &MASTER_CF.replace("auth_enable=yes", "auth_enable=no"),
            MAIN_CF
        ),
        ["submission/inet: nobody can log in any more (lost)"]
    );
    let closed = format!("{MAIN_CF}inet_interfaces = loopback-only\n");
    assert_eq!(
        listeners(MASTER_CF, &closed),
        [
            "smtp/inet: other hosts cannot connect any more (lost)",
            "submission/inet: other hosts cannot connect any more (lost)"
        ]
    );
    // smtpd behind postscreen is where smtpd was.
    let screened = MASTER_CF.replace(
        "smtp inet n - n - - smtpd\n",
        "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n",
    );
    assert_eq!(listeners(&screened, MAIN_CF), Vec::<String>::new());
    let relay = format!("{MASTER_CF}2525 inet n - n - - smtpd\n  -o mynetworks=0.0.0.0/0\n");
    assert_eq!(
        listeners(&relay, MAIN_CF),
        ["2525/inet: a new listener (relays)"]
    );
}

#[test]
fn a_list_in_dns_is_no_loss() {
    let repository = repository(MAIN_CF, VIRTUAL);
    let listed =
        format!("{MAIN_CF}smtpd_recipient_restrictions = reject_rbl_client zen.example.net\n");
    write(&repository, "etc/postfix/main.cf", &listed);
    let (code, value) = json(&repository, &[HEAD, WORK]);
    assert_eq!((code, list(&value, "addresses").len()), (Some(0), 0));
    let doubts = list(&value, "new_doubts");
    assert!(
        doubts.iter().any(|doubt| {
            doubt["what"]
                .as_str()
                .is_some_and(|what| what.contains("zen.example.net"))
        }),
        "{doubts:?}"
    );
}

#[test]
fn what_is_staged_and_where_one_is() {
    let repository = repository(MAIN_CF, VIRTUAL);
    write(
        &repository,
        "etc/postfix/virtual",
        "info@example.org anna@example.com\n",
    );
    git(repository.path(), &["add", "-A"]);
    write(&repository, "etc/postfix/virtual", VIRTUAL);
    let (code, value) = json(&repository, &[HEAD, ":etc/postfix"]);
    assert_eq!(code, Some(1));
    assert_eq!(meaning(&value, "lost").len(), 2);
    let inside = repository.path().join("etc/postfix");
    let outcome = diff(
        &inside,
        &["HEAD:./", ":0:etc/postfix", "--passwd=../../users"],
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert_eq!(json(&repository, &[HEAD, HEAD]).0, Some(0));
}

#[test]
fn links_are_followed_inside_of_the_repository_only() {
    let repository = repository(MAIN_CF, VIRTUAL);
    let postfix = repository.path().join("etc/postfix");
    fs::rename(postfix.join("virtual"), repository.path().join("table")).expect("moved");
    symlink("../../table", postfix.join("virtual")).expect("a link");
    symlink("etc/postfix", repository.path().join("conf")).expect("a link");
    symlink("/etc/passwd", postfix.join("out")).expect("a link");
    commit(repository.path());
    fs::remove_file(repository.path().join("table")).expect("removed");
    let (code, value) = json(&repository, &["HEAD~1:etc/postfix", "HEAD:conf"]);
    assert_eq!((code, list(&value, "addresses").len()), (Some(0), 0));
    let outcome = diff(repository.path(), &["HEAD~1:etc/postfix", "HEAD:conf"]);
    assert_eq!(
        outcome.err,
        "postlint: HEAD:etc/postfix/out is a symbolic link out of the repository: what is there is not known \
         here\n"
    );
    let outcome = diff(repository.path(), &["HEAD:etc/postfix/out", HEAD]);
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome
            .err
            .contains("a symbolic link out of the repository"),
        "{}",
        outcome.err
    );
}

#[test]
fn what_cannot_be_read_is_said() {
    let repository = repository(MAIN_CF, VIRTUAL);
    let said = |arguments: &[&str]| {
        let outcome = diff(repository.path(), arguments);
        assert_eq!(
            (outcome.code, outcome.out.as_str()),
            (Some(3), ""),
            "{outcome:?}"
        );
        outcome.err
    };
    assert_eq!(
        said(&["v9:etc/postfix", WORK]),
        "postlint: cannot read v9:etc/postfix: there is no revision v9 in this repository\n"
    );
    assert_eq!(
        said(&["HEAD:etc/exim", WORK]),
        "postlint: cannot read HEAD:etc/exim: HEAD has no etc/exim\n"
    );
    assert!(said(&["HEAD:etc", WORK]).contains("holds no main.cf"));
    assert!(said(&["HEAD:../x", WORK]).contains("is not in the repository"));
    let elsewhere = tempfile::tempdir().expect("a directory");
    let outcome = diff(elsewhere.path(), &["HEAD:x", "."]);
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.err.contains("not a git repository"),
        "{}",
        outcome.err
    );
    assert_eq!(diff(repository.path(), &[HEAD]).code, Some(2));
}

#[test]
fn a_submodule_is_not_looked_into() {
    let module = repository(MAIN_CF, VIRTUAL);
    let outer = tempfile::tempdir().expect("a directory");
    git(outer.path(), &["init", "-q"]);
    let from = module.path().to_string_lossy().into_owned();
    git(outer.path(), &["submodule", "add", "-q", &from, "mail"]);
    commit(outer.path());
    let outcome = diff(outer.path(), &["HEAD:mail/etc/postfix", "mail/etc/postfix"]);
    assert_eq!(outcome.code, Some(3));
    assert!(
        outcome.err.contains("is in the submodule mail"),
        "{}",
        outcome.err
    );
}

#[test]
fn no_secret_is_shown() {
    let with = |word: &str| format!("{MAIN_CF}smtp_sasl_password_maps = static:user:{word}\n");
    let repository = repository(&with("hunter2old"), VIRTUAL);
    write(&repository, "etc/postfix/main.cf", &with("hunter2new"));
    for format in ["text", "markdown", "json"] {
        let outcome = diff(repository.path(), &["--format", format, HEAD, WORK]);
        assert!(!outcome.out.contains("hunter2"), "{}", outcome.out);
        assert!(
            outcome.out.contains("smtp_sasl_password_maps"),
            "{}",
            outcome.out
        );
    }
}

#[test]
fn options_name_files_of_the_same_revision() {
    let repository = repository(MAIN_CF, VIRTUAL);
    write(&repository, "etc/aliases", "anna: ben@example.com\n");
    let main_cf = MAIN_CF.replace("alias_maps =", "alias_maps = hash:/etc/aliases");
    write(&repository, "etc/postfix/main.cf", &main_cf);
    write(
        &repository,
        "etc/postfix/postlint.toml",
        "map-path = [\"/etc/aliases=../aliases\"]\n",
    );
    commit(repository.path());
    write(
        &repository,
        "etc/aliases",
        "anna: nobody-here@example.com\n",
    );
    write(&repository, "users", "anna\n");
    let (code, value) = json(&repository, &[HEAD, WORK]);
    assert_eq!(code, Some(1));
    let lost = meaning(&value, "lost");
    assert!(
        lost.contains(&"anna@example.com") && lost.contains(&"sales@example.org"),
        "{lost:?}"
    );
}

/// Whom the two servers of the story know, and whom not.
const STORY: [&str; 12] = [
    "anna@example.com",
    "ben@mail.example.com",
    "postmaster@example.com",
    "info@example.org",
    "orders@example.org",
    "shop@example.org",
    "info@example.net",
    "postmaster@example.net",
    "no-such-user-x7q2@example.com",
    "no-such-user-x7q2@example.net",
    "no-such-user-x7q2@example.org",
    "somebody@elsewhere.invalid",
];

/// Before and after, the model says what the real server answers, and nothing else changes.
#[test]
fn the_real_postfix_answers_as_before_and_after() {
    if !is_available("diff: the story") {
        return;
    }
    let repository = tempfile::tempdir().expect("a directory");
    let postfix = repository.path().join("postfix");
    copy_tree(&fixture("_mail/story"), &postfix);
    git(repository.path(), &["init", "-q"]);
    commit(repository.path());
    copy_tree(&fixture("_mail/story-fixed"), &postfix);
    // One that is delivered no more.
    let table = fs::read_to_string(postfix.join("virtual")).expect("a table");
    let shorter = table.replace("orders@example.org        anna, ben\n", "");
    let shorter = shorter.replace("orders@example.org      anna, ben\n", "");
    assert_ne!(table, shorter, "the story has changed");
    fs::write(postfix.join("virtual"), shorter).expect("a table");
    fs::write(repository.path().join("list"), STORY.join("\n")).expect("a list");

    let outcome = diff(
        repository.path(),
        &[
            "--format=json",
            "--recipients=list",
            "HEAD:postfix",
            "postfix",
        ],
    );
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let value: Value = serde_json::from_str(&outcome.out).expect("JSON");
    let answers = |directory: &Path| -> Vec<(u16, String)> {
        let server = Private::start(directory, &[]).unwrap_or_else(|error| panic!("{error}"));
        let replies = STORY.iter().map(|address| server.rcpt(address));
        replies.map(|reply| (reply.code, reply.dsn)).collect()
    };
    let before = answers(&fixture("_mail/story"));
    let after = answers(&postfix);
    let mut changed = 0;
    for (address, (before, after)) in STORY.iter().zip(before.iter().zip(&after)) {
        let change = list(&value, "addresses").iter().find(|change| {
            change["address"] == **address && change["senders"][0]["who"] == "a stranger"
        });
        let said = |side: &str| {
            change.map(|change| {
                let code = change[side]["code"]
                    .as_u64()
                    .and_then(|code| code.try_into().ok());
                (
                    code.unwrap_or(0),
                    change[side]["dsn"].as_str().unwrap_or_default().to_owned(),
                )
            })
        };
        match change {
            Some(_) => {
                changed += 1;
                assert_eq!(said("old").as_ref(), Some(before), "{address} before");
                assert_eq!(said("new").as_ref(), Some(after), "{address} after");
            }
            None => assert_eq!(before, after, "{address} changes"),
        }
    }
    assert!(changed >= 4, "{changed}");
}
