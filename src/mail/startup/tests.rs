//! Programs that start, and programs that do not.

use super::*;
use crate::mail::testing::{VERSION, instance};

/// A main.cf with which everything runs.
const SOUND: &str = "\
compatibility_level = 3.6
myhostname = mail.example.org
mynetworks = 127.0.0.0/8
";

fn startup_in(version: &str, main_cf: &str) -> Startup {
    let text = format!("{SOUND}{main_cf}\n");
    let instance = instance(text, version, None);
    let smtpd = instance
        .smtpd_services()
        .next()
        .unwrap_or_else(|| panic!("no smtpd"));
    Startup::of(smtpd)
}

fn startup(main_cf: &str) -> Startup {
    startup_in(VERSION, main_cf)
}

fn silence(answer: Option<Answer>) -> Option<(Stage, String)> {
    match answer? {
        Answer::Silence(stage, text) => Some((stage, text)),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn runs(main_cf: &str) {
    let startup = startup(main_cf);
    assert_eq!(startup.answer(), None, "{main_cf}");
    assert_eq!(startup.resolving(&Session::stranger()), None, "{main_cf}");
    assert_eq!(startup.queueing(), None, "{main_cf}");
}

/// smtpd ends with a text.
#[track_caller]
fn ends(main_cf: &str, text: &str) {
    let (stage, words) =
        silence(startup(main_cf).answer).unwrap_or_else(|| panic!("{main_cf} runs"));
    assert_eq!(
        (stage, words.as_str()),
        (
            Stage::Banner,
            format!("no reply: smtpd: fatal: {text}").as_str()
        )
    );
}

/// Nothing runs.
#[track_caller]
fn nothing_runs(main_cf: &str, text: &str) {
    let (stage, words) =
        silence(startup(main_cf).answer).unwrap_or_else(|| panic!("{main_cf} runs"));
    assert_eq!(stage, Stage::Start, "{words}");
    assert!(words.ends_with(text), "{words}");
}

#[test]
fn sound_configurations_run() {
    for main_cf in [
        "",
        "smtpd_timeout = 2min",
        "smtpd_recipient_limit = +020",
        "virtual_alias_maps = hash:/nowhere/at/all",
        "relay_domains = !!a.test",
        "smtpd_relay_restrictions = a_class\nsmtpd_restriction_classes = a_class\na_class = \
         warn_if_reject defer, Reject",
        "smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:9, { timeout = 3s } }",
        "mynetworks_style = nonsense",
    ] {
        runs(main_cf);
    }
}

#[test]
fn a_value_ends_smtpd() {
    ends(
        "smtpd_timeout = late",
        "parameter smtpd_timeout: bad time value or unit: late",
    );
    ends(
        "smtpd_delay_reject = on",
        "bad boolean configuration: smtpd_delay_reject = on",
    );
    ends(
        "smtpd_noop_commands = a !",
        "smtpd_noop_commands: no pattern after '!'",
    );
    ends(
        "relay_recipient_maps = cdb:",
        "open dictionary: expecting \"type:name\" form instead of \"cdb:\"",
    );
    ends(
        "smtpd_tls_security_level = must",
        "Invalid TLS level \"must\"",
    );
    ends(
        "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_type = ldap",
        "SASL per-process initialization failed",
    );
    ends(
        "unverified_sender_tempfail_action = reject",
        "bad configuration: unverified_sender_tempfail_action = reject",
    );
}

#[test]
fn the_first_mistake_counts() {
    // Numbers are read before texts, and times after both.
    ends(
        "smtpd_timeout = x\nsmtpd_banner =\nsmtpd_hard_error_limit = y",
        "bad numerical configuration: smtpd_hard_error_limit = y",
    );
}

#[test]
fn a_name_stands_for_something_when_it_was_read() {
    // The times come last; the number of clients comes before the banner.
    ends(
        "smtpd_banner = $smtpd_timeout",
        "bad string length 0 < 1: smtpd_banner = ",
    );
    runs("smtpd_banner = $smtpd_client_connection_count_limit");
    runs("smtpd_banner = $smtpd_timeout\nsmtpd_timeout = 5s");
}

#[test]
fn policy_servers_are_noted_at_once() {
    let list = "smtpd_client_restrictions = check_policy_service ";
    let ends = |word: &str, text| ends(&format!("{list}{word}"), text);
    ends(
        "permit",
        "need service transport:endpoint instead of \"permit\"",
    );
    ends(
        "tcp:1.2.3.4:5",
        "invalid transport name: tcp in service: tcp:1.2.3.4:5",
    );
    ends("{ }", "empty policy service: \"{ }\"");
    ends(
        "{ inet:h:1, { color = red } }",
        "unknown option: \"color = red\"",
    );
    ends(
        "{ inet:h:1, max_idle=x }",
        "max_idle: bad time value or unit: x",
    );
}

#[test]
fn no_relay_guard() {
    let startup = startup("smtpd_relay_restrictions = permit sleep");
    let warning = "restriction `sleep' after `permit' is ignored";
    assert_eq!(startup.warnings(), [warning]);
    let (stage, text) = silence(startup.answer).unwrap_or_else(|| panic!("it runs"));
    assert_eq!(stage, Stage::Banner);
    assert!(text.contains("at least one working instance"), "{text}");
}

#[test]
fn a_class_within_itself_kills_smtpd() {
    let classes = "smtpd_restriction_classes = a, b\na = permit_mynetworks b\nb = a\n";
    let list = format!("{classes}smtpd_relay_restrictions = a, reject");
    let (stage, text) = silence(startup(&list).answer).unwrap_or_else(|| panic!("it runs"));
    assert_eq!(
        (stage, text.as_str()),
        (Stage::Banner, "no reply: smtpd: killed by signal 11")
    );
    runs(&format!("{classes}smtpd_relay_restrictions = reject, a"));
}

#[test]
fn thirteen_tables_are_too_many() {
    let missing = |count: usize| {
        let tables: Vec<String> = (0..count)
            .map(|number| format!("nosuch:{number}"))
            .collect();
        format!("smtpd_client_restrictions = {}", tables.join(" "))
    };
    runs(&missing(12));
    ends(&missing(13), "too many errors - program terminated");
    ends(
        &format!("{}\ndaemon_table_open_error_is_fatal = yes", missing(1)),
        "unsupported dictionary type: nosuch",
    );
}

#[test]
fn a_value_of_all_programs_ends_everything() {
    nothing_runs(
        "myhostname = a..b",
        "parameter myhostname: bad parameter value: a..b",
    );
    nothing_runs("x", "line 4: missing '=' after attribute name: \"x\"");
    nothing_runs(
        "inet_protocols = v4",
        "fatal: unknown inet_protocols value \"v4\" in \"v4\"",
    );
    nothing_runs("mydomain = ${{$mydomain} == {x}?y}", "killed by signal 11");
    nothing_runs(
        "myorigin = $a\na = $b\nb = $a",
        "fatal: dictionary mail_dict: macro processing error",
    );
    nothing_runs(
        "relayhost = MAIL.example.org",
        "must not be identical: mail.example.org",
    );
    nothing_runs(
        "in_flow_delay = 1m",
        "fatal: invalid in_flow_delay: 60 (max 10)",
    );
}

#[test]
fn only_the_first_session_shows_some_mistakes() {
    let (stage, text) = silence(startup("smtpd_milters = { }").answer).unwrap_or_else(|| panic!());
    assert_eq!(stage, Stage::Banner);
    assert_eq!(
        text,
        "connection closed: smtpd: fatal: empty milter definition: \"{ }\""
    );
}

#[test]
fn login_options_show_at_the_first_session() {
    let logins = "smtpd_sasl_auth_enable = yes\nsmtpd_sasl_security_options = NoAnonymous, plain";
    let broken = startup(logins);
    let warning = "unknown SASL security options value \"plain\" in \"NoAnonymous, plain\"";
    assert_eq!(broken.warnings()[0], warning);
    let (_, text) = silence(broken.answer).unwrap_or_else(|| panic!("it runs"));
    assert_eq!(
        text,
        "connection closed: smtpd: fatal: SASL per-connection initialization failed"
    );
    runs(&format!("{logins}\nsmtpd_tls_auth_only = yes"));
}

#[test]
fn proxies_need_approval() {
    let table = "smtpd_data_restrictions = check_client_access proxy:pcre:/etc/x";
    let text = "proxymap service is not configured for table \"pcre:/etc/x\"";
    ends(table, text);
    // Those of other parameters are approved by the default.
    let local = "local_recipient_maps = $alias_maps";
    runs(&format!(
        "{table}\n{local}\nproxy_read_maps = proxy:pcre:/etc/x"
    ));
    assert_eq!(startup_in("3.11.0", table).answer(), None);
    let (_, text) =
        silence(startup("relay_recipient_maps = proxy:x:y\nproxymap_service_name = p").answer)
            .unwrap_or_else(|| panic!("it runs"));
    assert_eq!(
        text,
        "no reply: smtpd waits for proxymap: master.cf has no service p"
    );
}

#[test]
fn the_programs_behind_smtpd() {
    let stranger = Session::stranger();
    let bounce = Session {
        sender: String::new(),
        ..Session::stranger()
    };
    let broken = startup("transport_maps = /etc/transport");
    assert_eq!(broken.answer(), None);
    let text = "no reply: trivial-rewrite: fatal: open dictionary: expecting \"type:name\" form \
                instead of \"/etc/transport\"";
    let at = |stage| Some((stage, text.to_owned()));
    assert_eq!(silence(broken.resolving(&stranger)), at(Stage::Mail));
    assert_eq!(silence(broken.resolving(&bounce)), at(Stage::Rcpt));

    let broken = startup("canonical_classes = envelope");
    assert_eq!(broken.resolving(&stranger), None);
    let text =
        "no reply: cleanup: fatal: unknown canonical_classes value \"envelope\" in \"envelope\"";
    assert_eq!(
        silence(broken.queueing()),
        Some((Stage::Rcpt, text.to_owned()))
    );
    let early = startup("canonical_classes = e\nsmtpd_delay_open_until_valid_rcpt = no");
    assert_eq!(
        silence(early.queueing()).map(|(stage, _)| stage),
        Some(Stage::Mail)
    );
}

#[test]
fn ehlo_asks_lists() {
    let startup = startup("smtpd_authorized_xclient_hosts = 198.51.100.7/24");
    assert_eq!(startup.answer(), None);
    let answer = startup.ehlo(&Session::stranger());
    assert_eq!(
        answer,
        Some(Answer::Reply(
            Stage::Ehlo,
            Reply::new(421, "4.3.0", "mail.example.org Server local data error")
        ))
    );
}
