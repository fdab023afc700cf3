//! Examples of addresses and where they go.

use super::*;
use crate::mail::testing::{self, VERSION};

fn instance(main_cf: &str) -> Instance {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = example.com localhost\n{main_cf}"
    );
    testing::instance(text, VERSION, None)
}

fn resolve(main_cf: &str, address: &str) -> Resolution {
    let instance = instance(main_cf);
    let rewriting = Rewriting::of(&instance);
    let canonical = rewriting.settings.canonical(address);
    rewriting.resolve(
        &instance,
        "someone@far.test",
        &canonical,
        &mut World::default(),
    )
}

#[test]
fn routes_through_local_domains_are_followed() {
    for (address, recipient) in [
        ("u%far.test@example.com", "u@far.test"),
        ("far.test!u@example.com", "u@far.test"),
        ("u@far.test@example.com", "u@far.test"),
        ("a!b.test!u@example.com", "b.test!u@a"),
        ("u@localhost@example.com", "u@localhost"),
        ("@example.com", "MAILER-DAEMON@example.com"),
        ("a@b@", "a@b"),
        ("%far.test@example.com", "@far.test"),
        ("anna", "anna@mail.example.com"),
        ("u@example.com.", "u@example.com"),
    ] {
        let found = resolve("", address);
        assert_eq!(found.recipient, recipient, "{address}");
        assert_eq!(found.state, State::Fine, "{address}");
    }
    let stays = resolve(
        "swap_bangpath = no\nallow_percent_hack = no",
        "u%far.test@example.com",
    );
    assert_eq!(
        (stays.recipient.as_str(), stays.is_routed),
        ("u%far.test@example.com", true)
    );
    let stays = resolve("resolve_dequoted_address = no", "u@far.test@example.com");
    assert_eq!((stays.class, stays.is_routed), (Class::Local, true));
}

#[test]
fn what_is_no_address() {
    for address in [
        "u@a..b",
        "u@",
        "u@1.2.3.4",
        "u@[1.2.3]",
        "-u@example.com",
        "u@-a.test",
        "u@*",
    ] {
        assert_eq!(resolve("", address).state, State::Syntax, "{address}");
    }
    assert_eq!(
        resolve("allow_min_user = yes", "-u@example.com").state,
        State::Fine
    );
    let numeric = resolve("resolve_numeric_domain = yes", "u@127.0.0.1");
    assert_eq!(
        (numeric.recipient.as_str(), numeric.class),
        ("u@[127.0.0.1]", Class::Local)
    );
}

fn goes(main_cf: &str, address: &str) -> (Class, String) {
    let found = resolve(main_cf, address);
    (
        found.class,
        format!("{}:{}", found.transport, found.nexthop),
    )
}

#[test]
fn classes_and_transports() {
    assert_eq!(
        goes("", "u@example.com"),
        (Class::Local, "local:mail.example.com".to_owned())
    );
    assert_eq!(
        goes("", "u@[127.0.0.1]"),
        (Class::Local, "local:mail.example.com".to_owned())
    );
    assert_eq!(
        goes("relayhost = [r.test]", "u@far.test"),
        (Class::Default, "smtp:[r.test]".to_owned())
    );
    assert_eq!(
        goes("relay_domains = r.test", "u@sub.r.test"),
        (Class::Relay, "relay:sub.r.test".to_owned())
    );
    assert_eq!(
        goes("virtual_alias_domains = v.test", "u@v.test"),
        (
            Class::VirtualAlias,
            "error:5.1.1 User unknown in virtual alias table".to_owned()
        )
    );
    assert_eq!(
        goes("virtual_alias_domains = v.test", "u@sub.v.test").0,
        Class::Default
    );
    assert_eq!(
        goes(
            "sender_dependent_relayhost_maps = inline:{someone@far.test=[own.test]}",
            "u@x.test"
        ),
        (Class::Default, "smtp:[own.test]".to_owned())
    );
}

#[test]
fn transport_maps_are_asked_in_order() {
    let maps = "relayhost = [r.test]\ntransport_maps = inline:{{u@a.test=error:5.7.9 no}, {a.test=lmtp:unix:/x}, \
                {.a.test=smtp:}, {b.test=:[b]}, {c.test=error}, {*=discard:}}";
    for (address, goes_to) in [
        ("u@a.test", "error:5.7.9 no"),
        ("v@a.test", "lmtp:unix:/x"),
        ("v@x.y.a.test", "smtp:x.y.a.test"),
        ("v@b.test", "smtp:[b]"),
        ("v@c.test", "error:Address is undeliverable"),
        ("v@else.test", "discard:else.test"),
    ] {
        assert_eq!(goes(maps, address).1, goes_to, "{address}");
    }
    let relocated = "relocated_maps = inline:{old@example.com=new@far.test}";
    assert_eq!(
        goes(relocated, "old@example.com").1,
        "error:5.1.6 User has moved to new@far.test"
    );
}

#[test]
fn an_empty_transport_hangs() {
    assert!(matches!(
        resolve("default_transport = :x", "u@far.test").state,
        State::Hangs(_)
    ));
}
