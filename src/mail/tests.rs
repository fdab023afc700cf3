//! What the model says of small configurations.

use super::testing::{VERSION, instance};
use super::{Acceptance, Address, Fate, Listing};

/// What happens to mail from a stranger, with `root` the only user, and no other alias but `info` for `root`
/// and `gone` for a user who does not exist.
fn accepts(main_cf: &str, address: &str) -> Option<Acceptance> {
    let text = format!(
        "compatibility_level = 3.6\nmyhostname = mail.example.com\n\
         alias_maps = inline:{{info=root, gone=formeruser}}\n{main_cf}"
    );
    let instance = instance(text, VERSION, Some(&["root"]));
    let (local, domain) = address.rsplit_once('@').expect("an address has a domain");
    let smtpd = instance
        .smtpd_services()
        .next()
        .expect("a stock master.cf has an smtpd");
    smtpd.accepts(&Address::new(local, domain))
}

fn fates(main_cf: &str, address: &str) -> Vec<Fate> {
    let acceptance = accepts(main_cf, address).unwrap_or_else(|| panic!("{address} is refused"));
    assert!(acceptance.world.is_certain(), "{:?}", acceptance.world);
    acceptance
        .leaves
        .into_iter()
        .map(|leaf| leaf.fate)
        .collect()
}

fn is_refused(main_cf: &str, address: &str) -> bool {
    accepts(main_cf, address).is_none()
}

const ROOT: &str = "root@mail.example.com";
const GHOST: &str = "ghost@mail.example.com";

#[test]
fn the_check_of_local_recipients() {
    assert_eq!(fates("", ROOT), [Fate::Delivered]);
    assert_eq!(fates("", "info@mail.example.com"), [Fate::Delivered]);
    assert!(is_refused("", GHOST));
    assert!(is_refused("", "root@elsewhere.test"));
    let bounce = Fate::Bounces("unknown user: \"ghost\"".to_owned());
    assert_eq!(fates("local_recipient_maps =", GHOST), [bounce]);
    assert_eq!(
        fates("local_recipient_maps =\nluser_relay = root", GHOST),
        [Fate::Delivered]
    );
    assert_eq!(
        fates("local_recipient_maps =\nluser_relay = root, info", GHOST),
        [Fate::Discarded]
    );
    assert!(is_refused(
        "local_recipient_maps =\nlocal_transport = error:none",
        GHOST
    ));
}

#[test]
fn aliases_are_known_and_may_lead_nowhere() {
    let bounce = Fate::Bounces("unknown user: \"formeruser\"".to_owned());
    assert_eq!(
        fates("", "gone@mail.example.com"),
        std::slice::from_ref(&bounce)
    );
    let virtual_maps = "virtual_alias_domains = a.test\n\
         virtual_alias_maps = inline:{{both@a.test = root, gone}, {@a.test = @mail.example.com}}";
    assert_eq!(
        fates(virtual_maps, "both@a.test"),
        [Fate::Delivered, bounce]
    );
    assert_eq!(fates(virtual_maps, "root@a.test"), [Fate::Delivered]);
    assert_eq!(
        fates(virtual_maps, "ghost@a.test"),
        [Fate::Bounces("unknown user: \"ghost\"".to_owned())]
    );
}

#[test]
fn an_alias_may_stand_for_itself_but_not_go_round() {
    let itself = "virtual_alias_maps = inline:{{root@mail.example.com = root, info}}";
    assert_eq!(fates(itself, ROOT), [Fate::Delivered, Fate::Delivered]);
    let round = "virtual_alias_domains = a.test b.test\n\
         virtual_alias_maps = inline:{@a.test=@b.test, @b.test=@a.test}";
    assert_eq!(fates(round, "x@a.test"), [Fate::PutOff]);
}

#[test]
fn other_classes() {
    let relay = "relay_domains = r.test";
    let elsewhere = Fate::Elsewhere {
        transport: "relay".to_owned(),
        nexthop: "r.test".to_owned(),
    };
    assert_eq!(fates(relay, "x@r.test"), std::slice::from_ref(&elsewhere));
    assert_eq!(fates(relay, "x@sub.r.test").len(), 1);
    let listed = "relay_domains = r.test\nrelay_recipient_maps = inline:{a@r.test=x}";
    assert!(is_refused(listed, "x@r.test"));
    assert_eq!(fates(listed, "a@r.test"), [elsewhere]);
    let mailboxes = "virtual_mailbox_domains = m.test\nvirtual_mailbox_maps = inline:{a@m.test=a/}\n\
         virtual_mailbox_base = /srv/mail\nvirtual_uid_maps = static:5000\nvirtual_gid_maps = static:5000";
    assert_eq!(fates(mailboxes, "a@m.test"), [Fate::Delivered]);
    assert!(is_refused(mailboxes, "x@m.test"));
}

#[test]
fn restrictions_for_a_stranger() {
    let open = "relay_domains = r.test\nsmtpd_recipient_restrictions = ";
    for closed in [
        "reject_unauth_destination, reject_unverified_recipient",
        "check_recipient_access inline:{{r.test=REJECT}}",
        "check_recipient_access inline:{{r.test=450 later}}",
        "check_recipient_access inline:{r.test=reject_unverified_recipient}",
        "check_client_access static:reject",
        "check_sender_access inline:{example.net=DEFER_IF_PERMIT}",
        "no_such_restriction",
    ] {
        assert!(
            is_refused(&format!("{open}{closed}"), "x@r.test"),
            "{closed}"
        );
    }
    for still_open in [
        "permit_auth_destination, reject_unverified_recipient",
        "warn_if_reject reject_unverified_recipient",
        "check_recipient_access inline:{r.test=550}",
        "check_client_access cidr:{{192.0.2.0/24 REJECT}}",
        "permit_mynetworks, reject_unauth_destination",
    ] {
        assert!(
            !is_refused(&format!("{open}{still_open}"), "x@r.test"),
            "{still_open}"
        );
    }
}

#[test]
fn what_cannot_be_looked_at_is_in_doubt() {
    let text = "relay_domains = r.test\nvirtual_alias_maps = ldap:/etc/postfix/aliases.cf";
    let acceptance = accepts(text, "x@r.test").expect("nothing refuses it for sure");
    assert_eq!(acceptance.listing, Listing::NoList);
    assert_eq!(
        acceptance.world.subjects(),
        ["ldap:/etc/postfix/aliases.cf (it is not a file)"]
    );
    assert!(accepts("relay_domains = r.test", "x@r.test").is_some_and(|a| a.world.is_certain()));
}
