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

#[test]
fn plain_lists_are_cut_as_a_parser_cuts_them() {
    // Where blanks part no words, it is left to the parser.
    assert!(scan::plain_targets(b". a").is_none());
    let parts = ["a", ".", "@", "%", "+", "-", " ", ",", "b.test", "\t"];
    let count = parts.len();
    for number in 0..count.pow(5) {
        let digits = (0..5).map(|digit| number / count.pow(digit) % count);
        let value: String = digits.map(|digit| parts[digit]).collect();
        let value = value.trim_matches([' ', '\t']).as_bytes();
        let Some(quick) = scan::plain_targets(value) else {
            continue;
        };
        let quick: Vec<&[u8]> = quick.collect();
        let addresses = crate::syntax::token::addresses(value);
        let exact: Vec<_> = addresses
            .iter()
            .map(|address| address.internal(value))
            .collect();
        assert_eq!(quick, exact, "{}", String::from_utf8_lossy(value));
    }
}

#[test]
fn domains_of_complete_targets_stay_as_they_are() {
    let instance = instance(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nappend_dot_mydomain = yes\n"
            .to_owned(),
        VERSION,
        Some(&["root"]),
    );
    let domain = |target: &str| crate::mail::Address::written(&instance, target).domain;
    for local in [
        "a", "", "a.", ".a", "a..b", "a%b", "a@b", "-a", "a+b", "%", "@", "a@.", "a%b.test",
    ] {
        assert_eq!(domain(&format!("{local}@b.test")), "b.test", "{local}");
    }
    for bare in ["a", "a.b", ".a", "a.", "a+b", "-a", "a=b"] {
        assert_eq!(domain(bare), domain("x"), "{bare}");
    }
}
