//! Examples of messages and what becomes of them.

use super::{After, Delivery, Fate, Probe};
use crate::mail::accepted::{Accepted, Actions};
use crate::mail::testing::{VERSION, instance};
use crate::mail::world::World;

const SENDER: &str = "someone@far.test";

/// What becomes of mail, with `root` and `anna` the only users.
fn after(main_cf: &str, accepted: &Accepted) -> (After, World) {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = example.com mail.example.com\n\
         {main_cf}"
    );
    let instance = instance(text, VERSION, Some(&["root", "anna"]));
    let smtpd = instance
        .smtpd_services()
        .next()
        .expect("a stock master.cf has an smtpd");
    let mut world = World::explained();
    let after = Delivery::of(smtpd).deliver(accepted, &mut world);
    (after, world)
}

fn to(recipient: &str) -> Accepted {
    Accepted {
        recipient: recipient.to_owned(),
        sender: SENDER.to_owned(),
        ..Accepted::default()
    }
}

/// The leaves in short: address, what, status and text.
fn ends_of(main_cf: &str, accepted: &Accepted) -> Vec<String> {
    let (after, _) = after(main_cf, accepted);
    if !after.data.is_positive() {
        return vec![after.data.to_string()];
    }
    let leaves = after.leaves.iter().map(|leaf| {
        let what = match &leaf.fate {
            Fate::Delivered => "delivered",
            Fate::Discarded => "discarded",
            Fate::Held => "held",
            Fate::Bounces(_) => "bounced",
            Fate::Elsewhere { transport, nexthop } => {
                return format!("{} {transport}:{nexthop}", leaf.address);
            }
            Fate::PutOff => "deferred",
            Fate::Unknown(_) => "unknown",
        };
        let text = format!("{} {what} {} {}", leaf.address, leaf.dsn, leaf.text);
        text.trim_end().to_owned()
    });
    leaves.collect()
}

fn ends(main_cf: &str, recipient: &str) -> Vec<String> {
    ends_of(main_cf, &to(recipient))
}

fn is_backscatter(main_cf: &str, recipient: &str) -> Option<bool> {
    after(main_cf, &to(recipient)).0.backscatter
}

#[test]
fn users_and_nobody() {
    assert_eq!(
        ends("", "Anna@example.com"),
        ["Anna@example.com delivered 2.0.0 delivered to mailbox"]
    );
    assert_eq!(
        ends(
            "recipient_delimiter = +\nhome_mailbox = Maildir/",
            "anna+x@example.com"
        ),
        ["anna+x@example.com delivered 2.0.0 delivered to maildir"]
    );
    let ghost = ["Ghost+x@example.com bounced 5.1.1 unknown user: \"ghost\""];
    assert_eq!(
        ends("recipient_delimiter = +", "Ghost+x@example.com"),
        ghost
    );
    assert_eq!(is_backscatter("", "ghost@example.com"), Some(true));
    assert_eq!(
        ends("", "postmaster@example.com"),
        ["postmaster@example.com discarded 2.0.0 discarded"]
    );
    assert_eq!(
        ends("soft_bounce = yes", "ghost@example.com"),
        ["ghost@example.com deferred 4.1.1 unknown user: \"ghost\""]
    );
    assert_eq!(
        ends("mailbox_size_limit = 1000", "anna@example.com"),
        [
            "anna@example.com deferred  fatal: configuration error: mailbox_size_limit is smaller than \
          message_size_limit"
        ]
    );
    assert_eq!(
        ends("", "double-bounce@example.com"),
        [
            "double-bounce@example.com discarded 2.0.0 undeliverable postmaster notification discarded"
        ]
    );
    assert_eq!(
        ends("", ""),
        ["MAILER-DAEMON@mail.example.com discarded 2.0.0 discarded"]
    );
}

#[test]
fn the_null_sender_is_told_nothing() {
    for sender in ["", "MAILER-DAEMON", "double-bounce@mail.example.com"] {
        let accepted = Accepted {
            sender: sender.to_owned(),
            ..to("ghost@example.com")
        };
        assert_eq!(after("", &accepted).0.backscatter, Some(false), "{sender}");
    }
}

#[test]
fn luser_relay_is_one_address() {
    let relay = |value: &str| ends(&format!("luser_relay = {value}"), "ghost@example.com");
    assert_eq!(
        relay("anna"),
        ["anna@mail.example.com delivered 2.0.0 delivered to mailbox"]
    );
    assert_eq!(relay("$user@far.test"), ["ghost@far.test smtp:far.test"]);
    assert_eq!(
        relay("$recipient"),
        ["ghost@example.com bounced 5.1.1 unknown user: \"ghost\""]
    );
    assert_eq!(
        relay("|cat"),
        ["|cat@mail.example.com bounced 5.1.1 unknown user: \"|cat\""]
    );
    // Empty, several addresses, and the same name in another domain of this host: the mail is lost.
    for lost in ["$mydomain", "anna, root", "$user@mail.example.com"] {
        assert_eq!(relay(lost), ["ghost@example.com discarded"], "{lost}");
    }
}

#[test]
fn other_agents_take_over() {
    let passed = |line: &str, user: &str| ends(line, &format!("{user}@example.com"));
    assert_eq!(
        passed("mailbox_transport = lmtp:unix:private/lmtp", "ghost"),
        ["ghost@example.com lmtp:unix:private/lmtp"]
    );
    assert_eq!(
        passed("mailbox_transport_maps = inline:{anna=smtp:}", "anna"),
        ["anna@example.com smtp:mail.example.com"]
    );
    let fallback = "fallback_transport = error:5.7.5 not here";
    assert_eq!(
        passed(fallback, "ghost"),
        ["ghost@example.com bounced 5.7.5 not here"]
    );
    assert_eq!(passed(fallback, "anna").len(), 1);
    assert_eq!(
        passed("mailbox_transport = nosuch:", "anna"),
        ["anna@example.com deferred  local cannot pass mail on to nosuch"]
    );
    assert_eq!(
        passed("local_transport = nosuch", "anna"),
        ["anna@example.com deferred 4.3.0 mail transport unavailable"]
    );
}

#[test]
fn what_an_alias_stands_for() {
    let alias = |value: &str| {
        ends(
            &format!("alias_maps = inline:{{{{x={value}}}}}"),
            "x@example.com",
        )
    };
    assert_eq!(
        alias("anna, root"),
        [
            "anna@mail.example.com delivered 2.0.0 delivered to mailbox",
            "root@mail.example.com delivered 2.0.0 delivered to mailbox",
        ]
    );
    assert_eq!(
        alias("anna anna"),
        ["anna@mail.example.com delivered 2.0.0 delivered to mailbox"]
    );
    assert_eq!(alias("friend@far.test"), ["friend@far.test smtp:far.test"]);
    assert_eq!(
        alias("x"),
        ["x@mail.example.com bounced 5.1.1 unknown user: \"x\""]
    );
    assert_eq!(
        alias("\"|/opt/run it\""),
        ["x@example.com delivered 2.0.0 delivered to command: /opt/run it"]
    );
    assert_eq!(
        alias("\"|exit 67\""),
        ["x@example.com bounced 5.1.1 user unknown"]
    );
    assert_eq!(
        alias("/srv/box"),
        ["x@example.com delivered 2.0.0 delivered to file: /srv/box"]
    );
    assert_eq!(
        alias("~/box"),
        ["x@example.com bounced 5.3.5 mail system configuration error"]
    );
    assert_eq!(
        alias("(c)"),
        ["x@example.com deferred 4.3.0 alias database unavailable"]
    );
    assert_eq!(
        alias("\":include:rel\""),
        ["x@example.com bounced 5.3.5 mail system configuration error"]
    );
    let restricted = "allow_mail_to_commands =\nalias_maps = inline:{x=|run}";
    assert_eq!(
        ends(restricted, "x@example.com"),
        ["x@example.com bounced 5.7.1 mail to command is restricted"]
    );
    let broken = "alias_maps = fail:x";
    assert_eq!(
        ends(broken, "anna@example.com"),
        ["anna@example.com deferred 4.3.0 alias database unavailable"]
    );
}

#[test]
fn aliases_that_go_round() {
    let two = "alias_maps = inline:{a=b, b=a}";
    assert_eq!(
        ends(two, "a@example.com"),
        ["b@mail.example.com bounced 5.4.6 alias database loop for b"]
    );
    let (after, _) = after(two, &to("a@example.com"));
    assert!(after.leaves.iter().all(super::Leaf::is_loop));
    // A list sends mail on as a new message, and finds the mark of the first round in it.
    let list = "alias_maps = inline:{list=other, other=list, owner-list=root, owner-other=root}";
    let ends = ends(list, "list@mail.example.com");
    assert!(ends.iter().all(|end| end.contains("5.4.6")), "{ends:?}");
}

#[test]
fn an_owner_is_told_in_place_of_the_sender() {
    let list = "alias_maps = inline:{{list=ghost, anna}, owner-list=root}";
    assert_eq!(
        ends(list, "list@example.com"),
        [
            "ghost@mail.example.com bounced 5.1.1 unknown user: \"ghost\"",
            "anna@mail.example.com delivered 2.0.0 delivered to mailbox",
        ]
    );
    assert_eq!(is_backscatter(list, "list@example.com"), Some(false));
    assert_eq!(
        is_backscatter(
            &format!("{list}\nowner_request_special = no"),
            "list@example.com"
        ),
        Some(true)
    );
}

#[test]
fn virtual_aliases() {
    let maps = |entries: &str| {
        format!(
            "recipient_delimiter = +\nvirtual_alias_domains = v.test w.test\nvirtual_alias_maps = inline:{{{entries}}}"
        )
    };
    let delivered = |user: &str| format!("{user} delivered 2.0.0 delivered to mailbox");
    assert_eq!(
        ends(&maps("{a@v.test=anna root}"), "a@v.test"),
        [
            delivered("anna@mail.example.com"),
            delivered("root@mail.example.com"),
        ]
    );
    assert_eq!(
        ends(&maps("{a@v.test=anna}"), "a+x@v.test"),
        [delivered("anna+x@mail.example.com")]
    );
    assert_eq!(
        ends(&maps("{@v.test=@example.com}"), "anna@v.test"),
        [delivered("anna@example.com")]
    );
    let unknown = "bounced 5.1.1 User unknown in virtual alias table";
    assert_eq!(
        ends(&maps("{a@v.test=b@w.test}"), "a@v.test"),
        [format!("b@w.test {unknown}")]
    );
    // An address that stands for itself is not expanded again.
    assert_eq!(
        ends(&maps("{a@v.test=a@v.test}"), "a@v.test"),
        [format!("a@v.test {unknown}")]
    );
    let error = ["451 4.6.0 Alias expansion error"];
    assert_eq!(
        ends(&maps("{@v.test=@w.test}, {@w.test=@v.test}"), "a@v.test"),
        error
    );
    let three = maps("{a@v.test=anna, root, anna}");
    assert_eq!(
        ends(
            &format!("virtual_alias_expansion_limit = 3\n{three}"),
            "a@v.test"
        )
        .len(),
        2
    );
    assert_eq!(
        ends(
            &format!("virtual_alias_expansion_limit = 2\n{three}"),
            "a@v.test"
        ),
        error
    );
    let chain = maps("{a@v.test=b@v.test}, {b@v.test=anna}");
    assert_eq!(
        ends(
            &format!("virtual_alias_recursion_limit = 3\n{chain}"),
            "a@v.test"
        )
        .len(),
        1
    );
    assert_eq!(
        ends(
            &format!("virtual_alias_recursion_limit = 2\n{chain}"),
            "a@v.test"
        ),
        error
    );
    let long = format!(
        "virtual_alias_address_length_limit = 20\n{}",
        maps("{a@v.test=anna@mail.example.com}")
    );
    assert_eq!(ends(&long, "a@v.test"), error);
    assert_eq!(
        ends("virtual_alias_maps = fail:x", "anna@example.com"),
        ["451 4.3.0 Error: queue file write error"]
    );
    let off = format!(
        "receive_override_options = no_address_mappings\n{}",
        maps("{a@v.test=anna}")
    );
    assert_eq!(ends(&off, "a@v.test"), [format!("a@v.test {unknown}")]);
}

#[test]
fn canonical_addresses_and_masquerading() {
    let loops =
        "canonical_maps = inline:{{a@example.com=b@example.com}, {b@example.com=a@example.com}}";
    assert_eq!(
        ends(loops, "a@example.com"),
        ["a@example.com bounced 5.1.1 unknown user: \"a\""]
    );
    let first = "recipient_canonical_maps = inline:{{x@example.com=anna@example.com, root}}";
    assert_eq!(ends(first, "x@example.com").len(), 1);
    let off = format!("recipient_canonical_classes = header_recipient\n{first}");
    assert_eq!(
        ends(&off, "x@example.com"),
        ["x@example.com bounced 5.1.1 unknown user: \"x\""]
    );
    let masquerade = "mydestination = example.com a.example.com b.a.example.com\n\
         masquerade_domains = !a.example.com example.com\nmasquerade_classes = envelope_recipient\n\
         masquerade_exceptions = root";
    for (given, address) in [
        ("anna@mail.example.com", "anna@example.com"),
        ("root@mail.example.com", "root@mail.example.com"),
        ("anna@b.a.example.com", "anna@b.a.example.com"),
        ("anna@a.example.com", "anna@a.example.com"),
    ] {
        assert!(
            ends(masquerade, given)[0].starts_with(&format!("{address} ")),
            "{given}"
        );
    }
}

#[test]
fn copies_bounce_in_silence() {
    let copies =
        "always_bcc = ghost\nrecipient_bcc_maps = inline:{anna@example.com=archive@far.test}";
    assert_eq!(
        ends(copies, "anna@example.com"),
        [
            "anna@example.com delivered 2.0.0 delivered to mailbox",
            "archive@far.test smtp:far.test",
            "ghost@mail.example.com bounced 5.1.1 unknown user: \"ghost\"",
        ]
    );
    assert_eq!(is_backscatter(copies, "anna@example.com"), Some(false));
}

#[test]
fn what_access_tables_want() {
    let with = |actions: Actions, recipient: &str| {
        ends_of(
            "",
            &Accepted {
                actions,
                ..to(recipient)
            },
        )
    };
    let hold = Actions {
        hold: true,
        ..Actions::default()
    };
    assert_eq!(with(hold, "ghost@example.com"), ["ghost@example.com held"]);
    let discard = Actions {
        discard: true,
        ..Actions::default()
    };
    assert_eq!(
        with(discard, "ghost@example.com"),
        ["ghost@example.com discarded"]
    );
    let redirect = Actions {
        redirect: Some("anna@example.com".to_owned()),
        ..Actions::default()
    };
    assert_eq!(with(redirect, "ghost@example.com").len(), 1);
    let filter = Actions {
        filter: Some("smtp:[192.0.2.9]:10025".to_owned()),
        ..Actions::default()
    };
    assert_eq!(
        with(filter, "ghost@example.com"),
        ["ghost@example.com smtp:[192.0.2.9]:10025"]
    );
    let bcc = Actions {
        bcc: vec![
            "ghost@example.com".to_owned(),
            "gone@example.com".to_owned(),
        ],
        ..Actions::default()
    };
    let accepted = Accepted {
        actions: bcc,
        ..to("anna@example.com")
    };
    let (after, _) = after("", &accepted);
    let told: Vec<bool> = after.leaves.iter().map(|leaf| leaf.is_told).collect();
    assert_eq!(
        (told, after.backscatter),
        (vec![true, true, false], Some(true))
    );
}

#[test]
fn a_content_filter_gets_the_mail_first() {
    let filter = "content_filter = smtp:[192.0.2.1]:10024";
    assert_eq!(
        ends(filter, "ghost@example.com"),
        ["ghost@example.com smtp:[192.0.2.1]:10024"]
    );
    assert_eq!(is_backscatter(filter, "ghost@example.com"), None);
    assert_eq!(
        ends("content_filter = nosuch:x", "anna@example.com"),
        ["anna@example.com deferred 4.3.0 mail transport unavailable"]
    );
}

#[test]
fn transports_of_the_queue_manager() {
    let goes = |maps: &str| ends(&format!("transport_maps = inline:{{{maps}}}"), "u@far.test");
    assert_eq!(
        goes("{far.test=error:5.7.9 closed}"),
        ["u@far.test bounced 5.7.9 closed"]
    );
    assert_eq!(
        goes("{far.test=error:4.2.2 closed}"),
        ["u@far.test bounced 5.0.0 closed"]
    );
    assert_eq!(
        goes("{far.test=retry:closed}"),
        ["u@far.test deferred 4.0.0 closed"]
    );
    assert_eq!(
        goes("{far.test=discard:gone}"),
        ["u@far.test discarded 2.0.0 gone"]
    );
    assert_eq!(
        ends("defer_transports = smtp", "u@far.test"),
        ["u@far.test deferred 4.3.2 deferred transport"]
    );
    assert_eq!(
        goes("{far.test=smtp:[127.0.0.1]}"),
        ["u@far.test bounced 5.4.6 mail for 127.0.0.1 loops back to myself"]
    );
    assert_eq!(
        goes("{far.test=smtp:[127.0.0.1]:26}"),
        ["u@far.test smtp:[127.0.0.1]:26"]
    );
    assert_eq!(
        ends(
            "error_delivery_status_filter = static:{4.7.9 later}\n\
              transport_maps = inline:{{far.test=error:5.7.9 closed}}",
            "u@far.test"
        ),
        ["u@far.test deferred 4.7.9 later"]
    );
}

#[test]
fn virtual_mailboxes() {
    let boxes = "recipient_delimiter = +\nvirtual_mailbox_domains = m.test\n\
         virtual_mailbox_maps = inline:{{a@m.test=a/}, {b@m.test=b}}\nvirtual_mailbox_base = /srv/mail\n\
         virtual_uid_maps = static:5000\nvirtual_gid_maps = static:5000";
    assert_eq!(
        ends(boxes, "A+x@m.test"),
        ["A+x@m.test delivered 2.0.0 delivered to maildir"]
    );
    assert_eq!(
        ends(boxes, "b@m.test"),
        ["b@m.test delivered 2.0.0 delivered to mailbox"]
    );
    assert_eq!(
        ends(boxes, "C+x@m.test"),
        ["C+x@m.test bounced 5.1.1 unknown user: \"c+x@m.test\""]
    );
    let system = format!("{boxes}\nvirtual_minimum_uid = 6000");
    let misconfigured = ["b@m.test deferred 4.3.5 mail system configuration error"];
    assert_eq!(ends(&system, "b@m.test"), misconfigured);
    assert_eq!(
        ends(&format!("{boxes}\nvirtual_gid_maps ="), "b@m.test"),
        misconfigured
    );
    assert!(ends(&format!("{boxes}\nvirtual_mailbox_base ="), "b@m.test")[0].contains("deferred"));
}

#[test]
fn a_table_that_cannot_be_looked_at() {
    let main_cf = "alias_maps =\nvirtual_alias_maps = ldap:/etc/postfix/aliases.cf";
    let accepted = to("anna@example.com");
    let (after, world) = after(main_cf, &accepted);
    assert_eq!(after.leaves.len(), 1);
    assert_eq!(
        world.subjects(),
        ["ldap:/etc/postfix/aliases.cf (it is not a file)"]
    );
}

#[test]
fn an_extension_goes_on_with_its_own_delimiter() {
    let main_cf = "recipient_delimiter = +-\npropagate_unmatched_extensions = alias\n\
         alias_maps = inline:{{web=anna@far.test}}";
    for (recipient, target) in [("web-x", "anna-x"), ("web+x", "anna+x"), ("web", "anna")] {
        let far = format!("{target}@far.test smtp:far.test");
        assert_eq!(ends(main_cf, &format!("{recipient}@example.com")), [far]);
    }
}

#[test]
fn a_luser_relay_that_is_no_address_loses_mail() {
    let lost = ["ghost@example.com discarded"];
    assert_eq!(ends("luser_relay = anna, root", "ghost@example.com"), lost);
    assert_eq!(ends("luser_relay = $nothing", "ghost@example.com"), lost);
    assert_eq!(
        ends(
            "luser_relay = $nothing\nempty_address_recipient = anna",
            "ghost@example.com"
        ),
        ["anna@mail.example.com delivered 2.0.0 delivered to mailbox"]
    );
}

#[test]
fn what_a_probe_comes_to() {
    let probe = |main_cf: &str, address: &str| {
        let text = format!(
            "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = example.com\n{main_cf}"
        );
        let instance = instance(text, VERSION, Some(&["root", "anna"]));
        let smtpd = (instance.smtpd_services().next()).expect("a stock master.cf has an smtpd");
        Delivery::of(smtpd).probe(address, &mut World::default())
    };
    let unknown = || Probe::Undeliverable("unknown user: \"ghost\"".to_owned());
    let later = || Probe::Waits("later".to_owned());
    let aliases = "alias_maps = inline:{{list=ghost}}";
    for (main_cf, address, comes_to) in [
        ("", "anna@example.com", Probe::Deliverable),
        ("", "ghost@example.com", unknown()),
        ("soft_bounce = yes", "ghost@example.com", unknown()),
        // An alias is not followed, nor is what stands for several.
        (aliases, "list@example.com", Probe::Deliverable),
        (
            "virtual_alias_maps = inline:{{list@example.com=ghost one}}",
            "list@example.com",
            Probe::Deliverable,
        ),
        (
            "virtual_alias_maps = inline:{{list@example.com=ghost@example.com}}",
            "list@example.com",
            unknown(),
        ),
        (
            "transport_maps = inline:{{far.test=retry:4.3.9 later}}",
            "u@far.test",
            later(),
        ),
        ("", "u@far.test", Probe::Depends),
        (
            "address_verify_transport_maps = static:smtp:",
            "anna@example.com",
            Probe::Depends,
        ),
        (
            "mailbox_command = exit 75",
            "anna@example.com",
            Probe::Deliverable,
        ),
    ] {
        assert_eq!(probe(main_cf, address), comes_to, "{main_cf} {address}");
    }
}
