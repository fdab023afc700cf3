//! What a scan of small tables finds.

use super::*;
use crate::mail::testing::{VERSION, instance};

/// The keys of suspect entries, dead ones and those in circles, with `root` as the only user.
fn suspects(main_cf: &str) -> (Vec<String>, Vec<String>) {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nalias_maps =\n\
         virtual_alias_domains = a.test b.test\n{main_cf}"
    );
    let instance = instance(text, VERSION, Some(&["root"]));
    let graph = AliasGraph::of(&instance);
    let keys = |suspects: &mut dyn Iterator<Item = Suspect>| -> Vec<String> {
        suspects.map(|suspect| suspect.key.to_string()).collect()
    };
    (keys(&mut graph.dead()), keys(&mut graph.circles()))
}

fn dead(main_cf: &str) -> Vec<String> {
    suspects(main_cf).0
}

fn circles(main_cf: &str) -> Vec<String> {
    suspects(main_cf).1
}

#[test]
fn targets_that_exist_are_not_suspect() {
    let fine = "virtual_alias_maps = inline:{{x@a.test=root}, {y@a.test=x@a.test}, \
        {z@a.test=Root@Mail.Example.Com, someone@far.test}, {@b.test=@a.test}, {w@a.test=any@b.test}}";
    assert_eq!(suspects(fine), (vec![], vec![]));
}

#[test]
fn dead_targets_are_suspect() {
    let maps = "virtual_alias_maps = inline:{{x@a.test=ghost}, {y@a.test=root, nobody@a.test}, {z@a.test=root}}";
    assert_eq!(dead(maps), ["x@a.test", "y@a.test"]);
    assert_eq!(
        dead(
            "virtual_mailbox_domains = m.test\nvirtual_mailbox_maps = inline:{u@m.test=u/}\n\
              virtual_alias_maps = inline:{{x@a.test=u@m.test}, {y@a.test=v@m.test}}"
        ),
        ["y@a.test"]
    );
    // An address of a virtual alias domain that stands for itself has no mailbox.
    assert_eq!(
        dead("virtual_alias_maps = inline:{{x@a.test=x@a.test}}"),
        ["x@a.test"]
    );
    assert_eq!(
        dead("alias_maps = inline:{{info=ghost}, {sales=info, root}}"),
        ["info"]
    );
}

#[test]
fn circles_are_suspect() {
    assert_eq!(
        circles(
            "virtual_alias_maps = inline:{{x@a.test=y@a.test}, {y@a.test=root, x@a.test}, {z@a.test=x@a.test}}"
        ),
        ["x@a.test", "y@a.test"]
    );
    assert_eq!(
        circles("virtual_alias_maps = inline:{{@a.test=@b.test}, {@b.test=@a.test}}"),
        ["@a.test", "@b.test"]
    );
    assert_eq!(
        circles("alias_maps = inline:{{one=two}, {two=one}, {root=root}}"),
        ["one", "two"]
    );
    assert_eq!(
        circles(
            "virtual_alias_recursion_limit = 2\n\
                 virtual_alias_maps = inline:{{c@a.test=d@a.test}, {d@a.test=e@a.test}, {e@a.test=root}}"
        ),
        ["d@a.test"]
    );
}
