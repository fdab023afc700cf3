//! Configurations that were thought of: each has one trap.

use std::collections::BTreeMap;

use crate::generate::{Case, PASSWD};

/// One a paragraph: settings of main.cf, `-o` for the smtpd that is asked, `== FILE` before the lines of a table,
/// and `?` before recipients.
const CASES: &str = "\
compatibility_level = 3.6
? anna@mail.example.test ghost@mail.example.test anna@localhost x@outside.test postmaster@mail.example.test

compatibility_level = 0
? anna@mail.example.test

compatibility_level = 2
? anna@mail.example.test x@sub.mail.example.test ghost@mail.example.test

compatibility_level = 3.6
smtpd_relay_restrictions =
smtpd_recipient_restrictions =
? anna@mail.example.test

compatibility_level = 3.6
smtpd_recipient_restrictions = check_recipient_access proxy:hash:/etc/postfix/access
== access
ghost@mail.example.test REJECT
? anna@mail.example.test

compatibility_level = 3.6
smtpd_recipient_restrictions = no_such_restriction
? anna@mail.example.test x@outside.test

compatibility_level = 3.6
virtual_alias_domains = a.test b.test
virtual_alias_maps = inline:{{one@a.test=two@b.test},{two@b.test=one@a.test},{self@a.test=self@a.test},{@b.test=@a.test}}
? one@a.test two@b.test self@a.test x@b.test x@a.test

compatibility_level = 3.6
virtual_alias_domains = a.test
virtual_mailbox_domains = a.test, b.test
virtual_mailbox_maps = inline:{{one@a.test=one},{two@b.test=two}}
relay_domains = b.test
? one@a.test two@b.test x@b.test

compatibility_level = 3.6
virtual_alias_maps = regexp:/etc/postfix/virtual
== virtual
/test$/ anna
? x@outside.test ghost@mail.example.test

compatibility_level = 3.6
virtual_alias_maps = texthash:/etc/postfix/virtual
== virtual
one@mail.example.test anna
one@mail.example.test ben
? one@mail.example.test anna@mail.example.test x@outside.test

compatibility_level = 3.6
virtual_alias_maps = hash:/etc/postfix/no-such-table
relay_domains = r.test
? anna@mail.example.test x@r.test x@outside.test

compatibility_level = 3.6
virtual_alias_maps = inline:{{info@mail.example.test=anna}}
-o receive_override_options=no_address_mappings
? info@mail.example.test anna@mail.example.test

compatibility_level = 3.6
-o soft_bounce=yes
local_recipient_maps =
? ghost@mail.example.test x@outside.test @ <> ..@x

compatibility_level = 3.6
soft_bounce = yes
local_recipient_maps =
? ghost@mail.example.test x@outside.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = anna
? ghost@mail.example.test ghost+x@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = $undefined
? ghost@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = anna, ben
? ghost@mail.example.test

compatibility_level = 3.6
luser_relay = anna
? ghost@mail.example.test

compatibility_level = 3.6
recipient_delimiter = -
? web-data@mail.example.test anna-x@mail.example.test ghost-x@mail.example.test

compatibility_level = 3.6
transport_maps = inline:{{a.test=error:5.1.2 closed},{b.test=error:4.1.2 odd},{c.test=retry:later},{d.test=discard:},{ben@mail.example.test=error:5.1.3 ben is gone}}
relay_domains = a.test b.test c.test d.test
virtual_alias_maps = inline:{info@mail.example.test=x@a.test}
? x@a.test x@b.test x@c.test x@d.test info@mail.example.test ben@mail.example.test x@outside.test

compatibility_level = 3.6
relocated_maps = inline:{{anna@mail.example.test=anna@elsewhere.test},{old@mail.example.test=new@elsewhere.test}}
? anna@mail.example.test old@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
smtpd_recipient_restrictions = check_recipient_access inline:{{a@mail.example.test=550},{b@mail.example.test=550 no},{c@mail.example.test=REJECT 4.2.1 x},{d@mail.example.test=DISCARD},{e@mail.example.test=HOLD},{f@mail.example.test=REDIRECT anna@mail.example.test},{g@mail.example.test=FILTER discard:x},{h@mail.example.test=NOSUCH},{i@mail.example.test=421 bye},{root@mail.example.test=HOLD},{anna@mail.example.test=DISCARD},{ben@mail.example.test=REDIRECT ghost@mail.example.test}}
? a@mail.example.test b@mail.example.test c@mail.example.test d@mail.example.test e@mail.example.test f@mail.example.test g@mail.example.test h@mail.example.test i@mail.example.test root@mail.example.test anna@mail.example.test ben@mail.example.test

compatibility_level = 3.6
alias_maps = hash:/etc/postfix/aliases-own
== aliases-own
inc: :include:/etc/postfix/no-such-file
bad: \"|/no/such/program\"
odd: \"|exit 3\"
file: /var/mail/archive
null: /dev/null
me: \\anna
team: anna, ghost, ben
one: two
two: one
list: ghost
owner-list: anna
? inc@mail.example.test bad@mail.example.test odd@mail.example.test file@mail.example.test null@mail.example.test me@mail.example.test team@mail.example.test one@mail.example.test list@mail.example.test owner-list@mail.example.test

compatibility_level = 3.6
relay_domains = r.test
relay_recipient_maps = inline:{one@r.test=x}
parent_domain_matches_subdomains =
? one@r.test two@r.test one@sub.r.test

compatibility_level = 3.6
canonical_maps = inline:{{@old.test=@mail.example.test},{ghost@mail.example.test=anna@mail.example.test}}
? anna@old.test ghost@mail.example.test x@old.test

compatibility_level = 3.6
smtpd_recipient_restrictions = defer_if_permit
? anna@mail.example.test ghost@mail.example.test x@outside.test

compatibility_level = 3.6
smtpd_recipient_restrictions = check_recipient_access static:DEFER_IF_PERMIT, reject_unlisted_recipient
? anna@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
? anna%mail.example.test x%outside.test@mail.example.test @mail.example.test:x@outside.test outside.test!x @mail.example.test \"\"@mail.example.test anna@[127.0.0.1] anna@[192.0.2.1] \"anna@mail.example.test\" anna

compatibility_level = 3.6
-o mydestination=
-o myorigin=other.test
? root@mail.example.test anna anna@mail.example.test

compatibility_level = 3.6
myhostname = mail.example.test $nothing
? anna@mail.example.test

compatibility_level = 3.6
mydestination = mail.example.test $mydestination
? anna@mail.example.test

compatibility_level = 3.6
mailbox_transport = error:5.2.0 no mailboxes
fallback_transport = discard:
local_recipient_maps =
? anna@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
unknown_local_recipient_reject_code = abc
? anna@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = root, ben
always_bcc = anna@elsewhere.test
? list@mail.example.test

compatibility_level = 3.6
recipient_delimiter = +
local_recipient_maps =
luser_relay = anna+$user
alias_maps = hash:/etc/postfix/aliases-own
== aliases-own
anna: loop
loop: anna
? ben+x+y@mail.example.test ghost@mail.example.test anna@mail.example.test

compatibility_level = 3.6
recipient_delimiter = +
local_recipient_maps =
luser_relay = anna+$user
? ghost@mail.example.test ghost+x@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = postmaster@mail.example.test
? postmaster@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
home_mailbox = mbox
? nobody@mail.example.test anna@mail.example.test

compatibility_level = 3.6
home_mailbox = Maildir/
? nobody@mail.example.test anna@mail.example.test

compatibility_level = 3.6
virtual_mailbox_domains = b.test
alias_maps = hash:/etc/postfix/aliases-own
== aliases-own
info: anna@b.test
? anna@b.test info@mail.example.test

compatibility_level = 3.6
virtual_mailbox_domains = b.test
virtual_mailbox_maps = inline:{{anna@b.test=no/such/box},{ben@b.test=ben/},{root@b.test=root}}
virtual_mailbox_base = /home/anna
virtual_uid_maps = static:2001
virtual_gid_maps = static:2001
? anna@b.test ben@b.test root@b.test

compatibility_level = 3.6
virtual_mailbox_domains = b.test
virtual_mailbox_maps = inline:{{anna@b.test=anna/},{ben@b.test=ben}}
virtual_mailbox_base = /home/no-such-directory
virtual_uid_maps = static:2001
virtual_gid_maps = static:2001
? anna@b.test ben@b.test

compatibility_level = 3.6
recipient_delimiter = +-
alias_maps = hash:/etc/postfix/aliases-own
propagate_unmatched_extensions = virtual, alias
== aliases-own
web: anna
? web-data@mail.example.test web+x@mail.example.test

compatibility_level = 3.6
append_at_myorigin = no
double_bounce_sender = anna
? ANNA anna ANNA@mail.example.test

compatibility_level = 3.6
virtual_alias_domains = b.test
virtual_alias_maps = inline:{{@b.test=loop@b.test, more@b.test}}
alias_maps = hash:/etc/postfix/aliases-own
== aliases-own
one: anna@elsewhere.test, ben@b.test
? one@mail.example.test

compatibility_level = 3.6
forward_path = $home/.forward
== forward-anna
ben@elsewhere.test, \\anna
== forward-ben
anna
? anna@mail.example.test ben@mail.example.test

compatibility_level = 3.6
hopcount_limit = 2
prepend_delivered_header = command, file
virtual_alias_maps = inline:{{two@mail.example.test=one@mail.example.test}}
alias_maps = hash:/etc/postfix/aliases-own
== aliases-own
one: two
owner-one: anna
two: x@mail.example.test
owner-two: anna
? one@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
luser_relay = $nothing
empty_address_recipient = anna
? ghost@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
virtual_mailbox_domains = b.test
virtual_mailbox_maps = inline:{{anna@b.test=anna}}
virtual_mailbox_base = /home/anna
virtual_uid_maps = static:2001
virtual_gid_maps = static:2001
virtual_alias_domains = a.test
virtual_alias_maps = inline:{{one@a.test=ghost@mail.example.test},{two@a.test={anna, ghost}}}
relay_domains = r.test s.test
transport_maps = inline:{{r.test=error:5.1.2 closed},{s.test=retry:4.3.9 later}}
unverified_recipient_reject_code = 550
address_verify_map =
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
smtpd_recipient_restrictions = reject_unverified_recipient
? anna@mail.example.test ghost@mail.example.test anna@b.test ben@b.test one@a.test two@a.test x@r.test x@s.test postmaster@mail.example.test

compatibility_level = 3.6
local_recipient_maps =
address_verify_map =
unverified_recipient_reject_reason = nobody there
soft_bounce = yes
smtpd_recipient_restrictions = reject_unverified_recipient
? anna@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
smtpd_data_restrictions = reject_unauth_pipelining, check_recipient_access inline:{{anna@mail.example.test=REJECT not now},{ben@mail.example.test=DISCARD},{root@mail.example.test=HOLD}}
smtpd_end_of_data_restrictions = check_sender_access inline:{sender.test=DUNNO}, check_recipient_access inline:{{nobody@mail.example.test=451 4.7.3 wait},{web-data@mail.example.test=REDIRECT ghost@mail.example.test}}
? anna@mail.example.test ben@mail.example.test root@mail.example.test nobody@mail.example.test web-data@mail.example.test postmaster@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
smtpd_data_restrictions = reject
? anna@mail.example.test postmaster@mail.example.test x@outside.test

compatibility_level = 3.6
soft_bounce = yes
smtpd_end_of_data_restrictions = defer_if_permit, check_recipient_access static:REJECT
? anna@mail.example.test

compatibility_level = 3.6
smtpd_data_restrictions = inline:{anna@mail.example.test=REJECT}
? anna@mail.example.test

compatibility_level = 3.6
-o alias_maps=hash:/etc/postfix/aliases-own
== aliases-own
list: anna
? list@mail.example.test ghost@mail.example.test

compatibility_level = 3.6
smtpd_delay_reject = no
smtpd_client_restrictions = check_helo_access static:REJECT
? anna@mail.example.test

compatibility_level = 3.6
virtual_alias_maps = inline:{{one@mail.example.test=two@mail.example.test},{two@mail.example.test=one@mail.example.test}}
smtpd_recipient_restrictions = check_sender_access static:DISCARD
? one@mail.example.test anna@mail.example.test

compatibility_level = 3.6
home_mailbox = mbox
mail_spool_directory = /var/mail/
? anna@mail.example.test nobody@mail.example.test

compatibility_level = 3.6
smtpd_delay_reject = no
smtpd_client_restrictions = check_client_access inline:{stranger.example.net=REJECT}
? anna@mail.example.test
";

/// All of them, with their numbers, from 1.
pub(crate) fn cases() -> Vec<Case> {
    CASES.split("\n\n").map(parse).collect()
}

fn parse(text: &str) -> Case {
    let mut case = Case {
        settings: Vec::new(),
        overrides: Vec::new(),
        files: BTreeMap::from([("passwd".to_owned(), PASSWD.to_owned())]),
        sender: "probe@sender.test".to_owned(),
        addresses: Vec::new(),
    };
    if !text.contains("myhostname") {
        let name = ("myhostname".to_owned(), "mail.example.test".to_owned());
        case.settings.push(name);
    }
    let mut file = None;
    for line in text.lines() {
        if let Some(addresses) = line.strip_prefix("? ") {
            let addresses = addresses.split(' ');
            case.addresses
                .extend(addresses.map(|one| one.trim_matches(['<', '>']).to_owned()));
        } else if let Some(name) = line.strip_prefix("== ") {
            file = Some(name.to_owned());
        } else if let Some(name) = &file {
            let text = case.files.entry(name.clone()).or_default();
            text.push_str(line);
            text.push('\n');
        } else {
            let (list, line) = match line.strip_prefix("-o ") {
                Some(line) => (&mut case.overrides, line),
                None => (&mut case.settings, line),
            };
            if let Some((name, value)) = line.split_once('=') {
                list.push((name.trim().to_owned(), value.trim().to_owned()));
            }
        }
    }
    case
}
