//! Replies of small configurations.

use super::Smtpd;
use crate::mail::reply::Answer;
use crate::mail::session::Session;
use crate::mail::testing::{VERSION, instance};
use crate::mail::world::{World, explore};

/// What each world answers, with `anna` the only user of mail.example.com: `stage reply`.
fn answers_of(session: &Session, main_cf: &str, address: &str, version: &str) -> Vec<String> {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\nmydestination = $myhostname\n\
         mynetworks = 192.0.2.0/24\nalias_maps =\nrelay_domains = r.test\n{main_cf}\n"
    );
    let instance = instance(text, version, Some(&["anna"]));
    let service = instance.smtpd_services().next().expect("a stock smtpd");
    let smtpd = Smtpd::of(service);
    let (results, _) = explore(&World::default(), 64, |world| {
        match smtpd.answer(session, address, world).answer {
            Answer::Reply(stage, reply) => format!("{} {reply}", stage.name()),
            Answer::Silence(stage, why) => format!("{} silence: {why}", stage.name()),
            Answer::Unknown(stage) => format!("{} unknown", stage.name()),
        }
    });
    results.into_iter().map(|(answer, _)| answer).collect()
}

fn answers(main_cf: &str, address: &str) -> Vec<String> {
    answers_of(&Session::stranger(), main_cf, address, VERSION)
}

fn answer(main_cf: &str, address: &str) -> String {
    let answers = answers(main_cf, address);
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.concat()
}

const ANNA: &str = "anna@mail.example.com";
const NOBODY: &str = "nobody@mail.example.com";
const OK: &str = "rcpt 250 2.1.5 Ok";

#[test]
fn the_stock_lists() {
    assert_eq!(answer("", ANNA), OK);
    assert_eq!(answer("", "x@r.test"), OK);
    assert_eq!(
        answer("", NOBODY),
        "rcpt 550 5.1.1 <nobody@mail.example.com>: Recipient address rejected: User unknown in \
         local recipient table"
    );
    assert_eq!(
        answer("", "x@other.test"),
        "rcpt 454 4.7.1 <x@other.test>: Relay access denied"
    );
    assert_eq!(
        answer("", ""),
        "rcpt 501 5.1.3 Bad recipient address syntax"
    );
    assert_eq!(
        answer("smtpd_client_restrictions = reject", "Postmaster"),
        OK
    );
}

#[test]
fn results_of_tables() {
    let table = |value: &str| {
        let list = format!("smtpd_recipient_restrictions = check_sender_access static:{{{value}}}");
        answer(&list, ANNA)
    };
    let refused = |reply: &str| format!("rcpt {reply}");
    assert_eq!(table("550"), OK);
    assert_eq!(
        table("REJECT 4.1.1 gone"),
        refused("554 5.1.7 <someone@example.net>: Sender address rejected: gone")
    );
    assert_eq!(
        table("defer"),
        refused("450 4.7.1 <someone@example.net>: Sender address rejected: Access denied")
    );
    assert_eq!(
        table("421 4.2.1 later"),
        refused("421 4.2.1 <someone@example.net>: Sender address rejected: later")
    );
    assert_eq!(
        table("hash:/x"),
        refused("451 4.3.5 Server configuration error")
    );
    assert_eq!(
        table("REJCT"),
        refused("451 4.3.5 Server configuration error")
    );
    assert_eq!(
        table("reject, x"),
        refused("554 5.7.1 <someone@example.net>: Sender address rejected: Access denied")
    );
    assert_eq!(table("DISCARD"), OK);
    assert_eq!(table("hangup"), "rcpt silence: hangup");
}

#[test]
fn what_waits_and_what_only_warns() {
    let list = |restrictions: &str, address: &str| {
        answer(
            &format!("smtpd_recipient_restrictions = {restrictions}"),
            address,
        )
    };
    let pending = "rcpt 450 4.7.0 <nobody@mail.example.com>: Recipient address rejected: defer_if_permit requested";
    assert_eq!(list("defer_if_permit", NOBODY), pending);
    assert!(list("defer_if_permit, reject_unlisted_recipient", NOBODY).starts_with("rcpt 550"));
    assert_eq!(list("warn_if_reject reject", ANNA), OK);
    assert_eq!(
        list("warn_if_reject no_such_thing", ANNA),
        "rcpt 451 4.3.5 Server configuration error"
    );
    assert_eq!(
        list("defer_if_reject, reject", ANNA),
        "rcpt 450 4.7.0 <anna@mail.example.com>: Recipient address rejected: defer_if_reject requested"
    );
    // A permission does not spare anybody the check of the recipient.
    assert!(list("permit", NOBODY).starts_with("rcpt 550"));
}

#[test]
fn stages() {
    let early = "smtpd_delay_reject = no\n";
    assert_eq!(
        answer(&format!("{early}smtpd_client_restrictions = reject"), ANNA),
        "banner 554 5.7.1 <stranger.example.net[198.51.100.7]>: Client host rejected: Access denied"
    );
    assert!(
        answer(&format!("{early}smtpd_helo_restrictions = reject"), ANNA).starts_with("ehlo 554")
    );
    assert!(
        answer(&format!("{early}smtpd_sender_restrictions = defer"), ANNA).starts_with("mail 450")
    );
    assert_eq!(
        answer("smtpd_tls_security_level = encrypt", ANNA),
        "mail 530 5.7.0 Must issue a STARTTLS command first"
    );
    assert_eq!(
        answer(
            "soft_bounce = yes\nsmtpd_client_restrictions = reject",
            ANNA
        ),
        "rcpt 454 4.7.1 <stranger.example.net[198.51.100.7]>: Client host rejected: Access denied"
    );
}

#[test]
fn keys_of_clients_and_addresses() {
    let reject = |check: &str, keys: &str| {
        let list = format!("smtpd_recipient_restrictions = {check} inline:{{{keys}}}");
        answer(&list, "anna+x@mail.example.com").starts_with("rcpt 554")
    };
    assert!(reject("check_client_access", "198.51.100=REJECT"));
    assert!(reject("check_client_access", "example.net=REJECT"));
    assert!(!reject("check_client_access", ".example.net=REJECT"));
    assert!(reject("check_recipient_access", "mail.example.com=REJECT"));
    assert!(reject("check_recipient_access", "anna+x@=REJECT"));
    assert!(!reject(
        "check_recipient_access",
        "@mail.example.com=REJECT"
    ));
    assert!(reject("check_helo_access", "net=REJECT"));
}

#[test]
fn circles_and_codes() {
    let circle = "smtpd_restriction_classes = one, two\none = two\ntwo = one\n\
                  smtpd_recipient_restrictions = one";
    assert_eq!(
        answer(circle, ANNA),
        "rcpt silence: smtpd is killed by signal 11"
    );
    let tables = "smtpd_restriction_classes = again\nagain = check_sender_access static:again\n\
                  smtpd_recipient_restrictions = again";
    assert_eq!(
        answer(tables, ANNA),
        "rcpt 451 4.3.5 Server configuration error"
    );
    assert_eq!(
        answer(
            "reject_code = 299\nsmtpd_client_restrictions = reject",
            ANNA
        ),
        "rcpt 450 4.7.1 Service unavailable"
    );
}

#[test]
fn what_others_may_say() {
    let policy = "smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10023";
    assert_eq!(answers(policy, ANNA), [OK, "rcpt unknown"]);
    let list = "smtpd_recipient_restrictions = reject_rbl_client bl.test";
    let blocked =
        "rcpt 554 5.7.1 Service unavailable; Client host [198.51.100.7] blocked using bl.test";
    assert_eq!(answers(list, ANNA), [OK, blocked]);
    let unknown = "smtpd_recipient_restrictions = check_recipient_access ldap:/x.cf";
    assert!(answers(unknown, ANNA).contains(&"rcpt unknown".to_owned()));
    let ldap = "local_recipient_maps = ldap:/x.cf";
    assert!(answers(ldap, NOBODY)[0].starts_with("rcpt 550"));
    assert_eq!(answers(ldap, NOBODY).last().map(String::as_str), Some(OK));
}

#[test]
fn versions_and_levels() {
    let both = "smtpd_relay_restrictions = reject\nsmtpd_recipient_restrictions = defer";
    let of = |version| answers_of(&Session::stranger(), both, ANNA, version).concat();
    assert!(of("3.7.11").starts_with("rcpt 554"));
    assert!(of("3.5.0").starts_with("rcpt 450"));
    let removed = "smtpd_recipient_restrictions = check_relay_domains";
    let of = |version| answers_of(&Session::stranger(), removed, ANNA, version).concat();
    assert_eq!(of("3.8.0"), OK);
    assert_eq!(of("3.9.0"), "rcpt 451 4.3.5 Server configuration error");
}

#[test]
fn logins_and_footers() {
    let session = Session {
        sasl_user: Some("anna".to_owned()),
        ..Session::stranger()
    };
    let relay = |main_cf: &str| answers_of(&session, main_cf, "x@other.test", "3.7.11").concat();
    assert_eq!(relay("smtpd_sasl_auth_enable = yes"), OK);
    assert!(relay("").starts_with("rcpt 454"));
    let owned = "smtpd_sasl_auth_enable = yes\n\
                 smtpd_sender_login_maps = inline:{someone@example.net=bob}\n\
                 smtpd_sender_restrictions = reject_sender_login_mismatch";
    assert_eq!(
        relay(owned),
        "rcpt 553 5.7.1 <someone@example.net>: Sender address rejected: not owned by user anna"
    );
    assert_eq!(
        answer("smtpd_reject_footer = \\c. Call us", "x@other.test"),
        "rcpt 454 4.7.1 <x@other.test>: Relay access denied. Call us"
    );
}
