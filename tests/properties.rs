//! What holds for any input, tried with generated ones.

mod common;

use std::sync::OnceLock;

use common::any_bytes;
use postlint::instance::{Instance, LoadOptions, Target};
use postlint::mail::{Address, Session, Tracer, World};
use proptest::prelude::*;

/// Pieces that mean something in one of the formats, and bytes that mean nothing.
fn files() -> impl Strategy<Value = Vec<u8>> {
    let meaningful = prop::sample::select(vec![
        "\n",
        "\n",
        "\n ",
        "\n\t",
        "\r\n",
        "\n#",
        "\n # ",
        " ",
        "\t",
        "=",
        " = ",
        ",",
        ", ",
        ":",
        "$",
        "${",
        "{",
        "}",
        "$(",
        ")",
        "?",
        "?{",
        "}:{",
        "==",
        "<=",
        "a",
        "b",
        "c",
        "x@example.com",
        "@example.com",
        "hash:",
        "/etc/postfix/virtual",
        "-o",
        " -o a=b",
        " -o { a = b }",
        "smtp",
        " inet n - n - - smtpd",
        "unix",
        "\"",
        "\\",
        "'",
        "(",
        "<",
        ">",
        ";",
        ".",
        "[",
        "]",
        "|",
        "!",
        ":include:",
        "if ",
        "endif",
        "/",
        "/i",
        "{",
        "}",
        "inline:{",
        "unionmap:{",
        "pipemap:{",
        "static:",
        "regexp:{{",
        "192.0.2.0/24",
        "2001:db8::/32",
        "\u{e4}",
        "\u{4f60}",
    ]);
    let piece = prop_oneof![
        20 => meaningful.prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..4),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// Pieces of addresses, and characters that mean nothing in one.
fn addresses() -> impl Strategy<Value = String> {
    let meaningful = prop::sample::select(vec![
        "@",
        "@",
        "@",
        ".",
        ".",
        "%",
        "!",
        ":",
        ",",
        ";",
        "(",
        ")",
        "<",
        ">",
        "\"",
        "\\",
        " ",
        "[",
        "]",
        "|",
        "+",
        "-",
        "#",
        "\0",
        "\r",
        "ann",
        "a b",
        "example.com",
        "EXAMPLE.com",
        "far.test",
        "localhost",
        "[127.0.0.1]",
        "[IPv6:::1]",
        "192.0.2.1",
        "\"a b\"",
        "postmaster",
        "\u{e4}",
        "\u{3002}",
        "\u{130}",
    ]);
    let piece = prop_oneof![
        20 => meaningful.prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// Instances in which addresses go many ways.
fn instances() -> &'static [Instance] {
    static INSTANCES: OnceLock<Vec<Instance>> = OnceLock::new();
    INSTANCES.get_or_init(|| {
        [
            "recipient_delimiter = +-
transport_maps = inline:{ {far.test=smtp:[192.0.2.1]} {*=:} } regexp:{{/ann/ error:no}}
virtual_alias_maps = inline:{ {ann=a b, \"c d\"@far.test} {@example.com=@far.test} {a b@far.test=(c)} }
relocated_maps = regexp:{{/a b/ x}}
sender_dependent_relayhost_maps = inline:{ {@far.test=[192.0.2.2]} }
resolve_null_domain = yes
resolve_numeric_domain = yes",
            "strict_rfc821_envelopes = yes
append_dot_mydomain = yes
append_at_myorigin = no
resolve_dequoted_address = no
smtputf8_enable = no
local_recipient_maps =",
        ]
        .map(|main_cf| {
            let main_cf = format!(
                "compatibility_level = 3.6\nmyhostname = mail.example.com\n\
                 mydestination = example.com, localhost\nmynetworks = 0.0.0.0/0\n{main_cf}\n"
            );
            let target = Target::MainCfText(main_cf.into_bytes());
            Instance::load(&target, &LoadOptions::default()).expect("text can be loaded")
        })
        .into()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn any_bytes_are_read_in_place(bytes in files()) {
        any_bytes::are_read_in_place(&bytes);
    }

    #[test]
    fn any_address_goes_somewhere(address in addresses(), sender in addresses()) {
        for instance in instances() {
            let session = Session { sender: sender.clone(), ..Session::stranger() };
            for service in instance.smtpd_services() {
                Tracer::of(service).trace(&session, &address);
            }
            let written = Address::written(instance, &address);
            instance.route(&written, &mut World::default());
            instance.class_of(&address);
        }
    }

    #[test]
    fn any_bytes_are_tables(bytes in files()) {
        any_bytes::are_tables(&bytes);
    }

    #[test]
    fn any_bytes_are_expanded(bytes in files()) {
        any_bytes::are_expanded(&bytes);
    }

    #[test]
    fn any_bytes_are_judged_as_by_postconf(bytes in files()) {
        any_bytes::are_judged_as_by_postconf(&bytes);
    }
}
