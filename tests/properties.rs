//! What holds for any input, tried with generated ones.

mod common;

use common::any_bytes;
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn any_bytes_are_read_in_place(bytes in files()) {
        any_bytes::are_read_in_place(&bytes);
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
