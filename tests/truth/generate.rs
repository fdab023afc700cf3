//! Seeded random configurations: everything that decides about a recipient, in all combinations.
//!
//! They are not sensible. Domains stand in several lists, tables name people who do not exist, and lists of
//! restrictions end in the middle: what Postfix makes of that is the question.

use std::collections::BTreeMap;

use crate::common::random::Random;
use crate::tables::Tables;

/// A configuration in parts, so that parts can be left out.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The settings of main.cf.
    pub(crate) settings: Vec<(String, String)>,
    /// The overrides of the smtpd that is asked.
    pub(crate) overrides: Vec<(String, String)>,
    /// The other files of the directory.
    pub(crate) files: BTreeMap<String, String>,
    /// The envelope sender.
    pub(crate) sender: String,
    /// The recipients to ask for.
    pub(crate) addresses: Vec<String>,
}

/// So many recipients are asked for.
const ADDRESSES: usize = 20;

/// The users of the host, besides those that Postfix needs.
pub(crate) const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
postfix:x:101:103::/var/spool/postfix:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
anna:x:2001:2001:Anna:/home/anna:/bin/sh
ben:x:2002:2002:Ben:/home/ben:/bin/sh
web-data:x:2003:2003:Web:/home/web:/bin/sh
";

/// Names before the `@`: users, aliases, nobody, and names with a meaning of their own.
pub(crate) const LOCALS: &str = "anna ben ANNA anna+x ben+x+y ghost ghost+x nouser root nobody postmaster \
     Postmaster mailer-daemon abuse info sales team list owner-list list-request loop one two web-data web \
     sales-x double-bounce anna-y";
/// Domains, each in any of the lists.
pub(crate) const DOMAINS: &str = "mail.example.test example.test localhost localhost.example.test \
     local.test alias1.test alias2.test box1.test box2.test relay1.test relay2.test sub.relay1.test \
     sub.local.test outside.test Box1.TEST";
/// Domains for the lists.
const LISTED: &str =
    "local.test alias1.test alias2.test box1.test box2.test relay1.test relay2.test";

impl Case {
    /// The configuration of a seed.
    pub(crate) fn generate(seed: u64) -> Self {
        let mut generator = Generator {
            random: Random::new(seed.wrapping_mul(0x5851_f42d_4c95_7f2d)),
            tables: Tables::default(),
            settings: Vec::new(),
            named: Vec::new(),
        };
        generator.run();
        let Generator {
            mut random,
            tables,
            mut settings,
            named,
        } = generator;
        let overrides = overrides(&mut random, &mut settings);
        let mut files = tables.files;
        files.insert("passwd".to_owned(), PASSWD.to_owned());
        let addresses = (0..ADDRESSES)
            .map(|_| recipient(&mut random, &named, &settings))
            .collect();
        let sender = random.pick(&["probe@sender.test"; 6]).to_owned();
        Self {
            settings,
            overrides,
            files,
            sender: if random.one_in(12) {
                String::new()
            } else {
                sender
            },
            addresses,
        }
    }

    /// main.cf.
    pub(crate) fn main_cf(&self) -> String {
        let lines = self.settings.iter();
        lines
            .map(|(name, value)| format!("{name} = {value}\n"))
            .collect()
    }

    /// The part of master.cf that is not stock.
    pub(crate) fn master_cf(&self) -> String {
        let mut text = "smtp inet n - n - - smtpd\n".to_owned();
        for (name, value) in &self.overrides {
            text.push_str(&format!("  -o {{ {name} = {value} }}\n"));
        }
        text
    }
}

/// Some settings of main.cf become overrides, and some are only overrides.
fn overrides(random: &mut Random, settings: &mut Vec<(String, String)>) -> Vec<(String, String)> {
    let mut overrides = Vec::new();
    if !random.one_in(3) {
        return overrides;
    }
    for _ in 0..=random.below(2) {
        let line = random.line(
            "local_recipient_maps=\nmydestination=\nmydestination=alias1.test\nsoft_bounce=yes\n\
             virtual_alias_maps=\nrelay_recipient_maps=\nreceive_override_options=no_address_mappings\n\
             receive_override_options=no_unknown_recipient_checks\nsmtpd_reject_unlisted_recipient=no\n\
             smtpd_delay_reject=no\nrecipient_delimiter=-\nunknown_local_recipient_reject_code=450\n\
             virtual_mailbox_maps=\nrelay_domains=outside.test\nmyorigin=alias2.test\n\
             smtpd_recipient_restrictions=reject_unauth_destination,reject_unlisted_recipient",
        );
        if let Some((name, value)) = line.split_once('=') {
            overrides.push((name.to_owned(), value.to_owned()));
        }
    }
    if !settings.is_empty() && random.one_in(2) {
        let index = random.below(settings.len());
        let name = settings[index].0.as_str();
        // What other programs read, too, has to stand in main.cf to have a meaning.
        if name.starts_with("smtpd_") || name.ends_with("_maps") || name.ends_with("_code") {
            overrides.push(settings.remove(index));
        }
    }
    overrides
}

/// An address as a client may write it: often one that a table has, or one in a domain of ours.
fn recipient(random: &mut Random, named: &[String], settings: &[(String, String)]) -> String {
    if !named.is_empty() && random.one_in(3) {
        return named[random.below(named.len())].clone();
    }
    let local = random.word(LOCALS).to_owned();
    let ours: Vec<&str> = DOMAINS
        .split_ascii_whitespace()
        .filter(|domain| settings.iter().any(|(_, value)| value.contains(domain)))
        .collect();
    let domain = if ours.is_empty() || random.one_in(4) {
        random.word(DOMAINS).to_owned()
    } else {
        random.pick(&ours).to_owned()
    };
    match random.below(30) {
        0 => local,
        1 => format!("@{domain}"),
        2 => format!("{local}%{domain}"),
        3 => format!("{local}%{domain}@{}", random.word(DOMAINS)),
        4 => format!("@{}:{local}@{domain}", random.word(DOMAINS)),
        5 => format!("{domain}!{local}"),
        6 => format!("\"{local}\"@{domain}"),
        7 => format!(
            "{local}@{}",
            random.word("[127.0.0.1] [192.0.2.9] 127.0.0.1 [::1] [IPv6:::1] outside local")
        ),
        8 => random
            .line(
                "\n\"\"@example.test\nanna@\nanna@example.test.\n\"a b\"@example.test\na b@example.test\n\
                 anna@@example.test\nanna@-x.test\nanna@x_y.test\n.anna@example.test\n\
                 anna.@example.test\n\"anna@box1.test\"@example.test\n|id@example.test\n/tmp/x@example.test\n\
                 anna@example..test\nanna <anna@example.test>",
            )
            .to_owned(),
        _ => format!("{local}@{domain}"),
    }
}

struct Generator {
    random: Random,
    tables: Tables,
    settings: Vec<(String, String)>,
    /// Addresses that tables name.
    named: Vec<String>,
}

impl Generator {
    fn set(&mut self, name: &str, value: impl Into<String>) {
        // Each name once: every daemon warns of duplicates, which is slow.
        self.settings.retain(|(other, _)| other != name);
        self.settings.push((name.to_owned(), value.into()));
    }

    /// Sets a parameter once in so many times to one of the lines of a text.
    fn maybe(&mut self, one_in: usize, name: &str, values: &str) {
        if self.random.one_in(one_in) {
            let value = self.random.line(values).trim().to_owned();
            self.set(name, value);
        }
    }

    fn run(&mut self) {
        let level = self
            .random
            .word("0 1 2 2 3.6 3.6 3.6 3.6 3.6 3.7 3.7 3.7")
            .to_owned();
        self.set("compatibility_level", level);
        self.set("myhostname", "mail.example.test");
        self.maybe(4, "myorigin", "$mydomain\nalias1.test\nbox1.test");
        self.maybe(2, "recipient_delimiter", "+\n+\n-\n+-");
        self.rewriting();
        self.classes();
        self.mappings();
        self.local();
        self.transports();
        self.restrictions();
        self.codes();
        self.oddities();
    }

    fn rewriting(&mut self) {
        for name in [
            "allow_percent_hack",
            "swap_bangpath",
            "append_at_myorigin",
            "resolve_dequoted_address",
        ] {
            self.maybe(10, name, "no");
        }
        self.maybe(6, "append_dot_mydomain", "yes\nno");
        self.maybe(10, "allow_untrusted_routing", "yes");
        self.maybe(12, "resolve_numeric_domain", "yes");
        self.maybe(12, "resolve_null_domain", "yes");
        self.maybe(12, "strict_rfc821_envelopes", "yes");
    }

    fn classes(&mut self) {
        if !self.random.one_in(4) {
            let list = self.domains("$myhostname, localhost.$mydomain, localhost", 2);
            self.set("mydestination", list);
        }
        if self.random.one_in(2) {
            let list = self.domains("", 3);
            self.set("virtual_alias_domains", list);
        }
        if self.random.one_in(2) {
            let list = self.domains("", 3);
            self.set("virtual_mailbox_domains", list);
        }
        if self.random.one_in(2) {
            let list = self.domains("", 3);
            self.set("relay_domains", list);
        }
        self.maybe(
            5,
            "parent_domain_matches_subdomains",
            "\nsmtpd_access_maps\nrelay_domains",
        );
        self.maybe(10, "proxy_interfaces", "192.0.2.9");
    }

    /// A list of domains, in any of the forms that lists have.
    fn domains(&mut self, first: &str, most: usize) -> String {
        let mut words: Vec<String> = first
            .split(", ")
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        for _ in 0..=self.random.below(most) {
            let domain = self.random.word(LISTED).to_owned();
            let element = match self.random.below(9) {
                0 => self
                    .tables
                    .table(&mut self.random, "domains", &[(domain, "x".to_owned())]),
                1 => {
                    let other = self.random.word(LISTED).to_owned();
                    let text = format!("{domain}\n{other}\n");
                    self.tables.file("list", text)
                }
                2 => format!("!{domain}"),
                3 => format!(".{domain}"),
                4 => format!("{domain} {}", self.random.word(LISTED)),
                _ => domain,
            };
            words.push(element);
        }
        let separator = self.random.line(", \n, \n ");
        words.join(if separator.is_empty() { "," } else { separator })
    }

    /// An address in a table, or what tables have in place of one.
    fn key(&mut self) -> String {
        let local = self.random.word(LOCALS).to_owned();
        let domain = self.random.word(DOMAINS).to_owned();
        match self.random.below(9) {
            0 | 1 => format!("@{domain}"),
            2 => local,
            _ => {
                let address = format!("{local}@{domain}");
                self.named.push(address.clone());
                address
            }
        }
    }

    /// What an alias stands for.
    fn target(&mut self) -> String {
        let local = self.random.word(LOCALS).to_owned();
        let domain = self.random.word(DOMAINS).to_owned();
        match self.random.below(10) {
            0 | 1 => local,
            2 => format!("@{domain}"),
            3 => format!("{local}, {}@{domain}", self.random.word(LOCALS)),
            4 => format!("{local}@{domain} {}", self.random.word(LOCALS)),
            _ => format!("{local}@{domain}"),
        }
    }

    fn pairs(
        &mut self,
        least: usize,
        most: usize,
        value: fn(&mut Self) -> String,
    ) -> Vec<(String, String)> {
        let count = least + self.random.below(most - least + 1);
        (0..count).map(|_| (self.key(), value(self))).collect()
    }

    /// One table or two.
    fn maps(&mut self, name: &str, least: usize, most: usize, value: fn(&mut Self) -> String) {
        let mut words = Vec::new();
        for _ in 0..=usize::from(self.random.one_in(5)) {
            let pairs = self.pairs(least, most, value);
            words.push(self.tables.table(&mut self.random, name, &pairs));
        }
        self.set(name, words.join(", "));
    }

    fn mappings(&mut self) {
        if self.random.one_in(2) {
            self.maps("virtual_alias_maps", 1, 7, Self::target);
        }
        if self.random.one_in(7) {
            self.maps("canonical_maps", 1, 3, Self::target);
        }
        if self.random.one_in(7) {
            self.maps("recipient_canonical_maps", 1, 3, Self::target);
        }
        self.maybe(
            8,
            "recipient_canonical_classes",
            "header_recipient\nenvelope_recipient",
        );
        self.maybe(
            8,
            "propagate_unmatched_extensions",
            "\ncanonical\nvirtual, alias, forward, include",
        );
        if self.random.one_in(12) {
            self.maps("sender_canonical_maps", 1, 2, Self::target);
        }
        self.maybe(
            12,
            "sender_canonical_maps",
            "inline:{probe@sender.test=anna@mail.example.test}\ninline:{@sender.test=@local.test}\n\
             static:other@outside.test\ninline:{probe@sender.test={a, b}}",
        );
        self.maybe(
            10,
            "masquerade_domains",
            "example.test\n!sub.relay1.test relay1.test local.test\n.test\nexample.test relay1.test",
        );
        self.maybe(
            8,
            "masquerade_classes",
            "envelope_recipient\nenvelope_sender, envelope_recipient, header_sender",
        );
        self.maybe(
            8,
            "masquerade_exceptions",
            "root anna\ninline:{ben=x}\n!root",
        );
        self.maybe(
            10,
            "canonical_classes",
            "envelope_sender\nenvelope_recipient\nheader_sender",
        );
        self.patterns();
        self.maybe(12, "virtual_alias_recursion_limit", "2");
        self.maybe(12, "virtual_alias_expansion_limit", "2");
        self.maybe(
            8,
            "receive_override_options",
            "no_address_mappings\nno_unknown_recipient_checks",
        );
        if self.random.one_in(8) {
            self.maps("relocated_maps", 1, 3, |g| {
                g.random.line("new@outside.test\nmoved away").to_owned()
            });
        }
        if self.random.one_in(2) {
            self.maps("virtual_mailbox_maps", 1, 6, |g| {
                g.random.line("anna/\nben.box\nx").to_owned()
            });
            // Where those of local(8) are not.
            self.set("virtual_mailbox_base", "/home/anna");
            self.set("virtual_uid_maps", "static:2001");
            self.set("virtual_gid_maps", "static:2001");
        }
        if self.random.one_in(3) {
            self.maps("relay_recipient_maps", 1, 6, |_| "x".to_owned());
        }
    }

    /// Tables of patterns whose results have parts of the address in them.
    fn patterns(&mut self) {
        for (one_in, name) in [(10, "virtual_alias_maps"), (14, "canonical_maps")] {
            if !self.random.one_in(one_in) {
                continue;
            }
            let mut text = String::new();
            for _ in 0..=self.random.below(2) {
                let line = self.random.line(
                    "/^(.*)@alias1\\.test$/ ${1}@local.test\n/^(.*)-x@(.*)$/ $1@$2\n/^owner-(.+)@/ $1\n\
                     /^(.+)\\+.*@(.*)$/ $1@$2\nif /alias/\\n/^list@(.*)/ anna@$1, ben@$1\\nendif\n\
                     !/test$/ anna\n/^no/ ghost@local.test\n/@box1.test/ anna@box2.test\n/^ANNA@/ ben\n/^ANNA@/i ben",
                );
                text.push_str(&line.replace("\\n", "\n"));
                text.push('\n');
            }
            let kind = self.random.word("regexp regexp pcre").to_owned();
            let file = self.tables.file("patterns", text);
            let others = self.settings.iter().find(|(other, _)| other == name);
            let others = others
                .map(|(_, value)| format!("{value} "))
                .unwrap_or_default();
            self.set(name, format!("{others}{kind}:{file}"));
        }
    }

    fn local(&mut self) {
        match self.random.below(4) {
            0 => {}
            1 => self.set("alias_maps", ""),
            _ => {
                let aliases = self.aliases();
                self.set("alias_maps", aliases);
            }
        }
        match self.random.below(7) {
            0 | 1 => self.set("local_recipient_maps", ""),
            2 => self.set("local_recipient_maps", "$alias_maps"),
            3 => self.set("local_recipient_maps", "unix:passwd.byname $alias_maps"),
            4 => self.maps("local_recipient_maps", 1, 5, |_| "x".to_owned()),
            _ => {}
        }
        self.maybe(
            8,
            "luser_relay",
            "anna\nghost\nanna+$user\n$user@outside.test\n$local@box1.test\nroot, ben\n$nothing",
        );
        self.maybe(
            10,
            "mailbox_transport",
            "error:5.2.0 closed\nlmtp:unix:private/no\nvirtual\nlocal:$myhostname\nsmtp:$next_hop",
        );
        self.maybe(
            10,
            "fallback_transport",
            "error:5.1.1 nobody here\nvirtual\nsmtp:[127.0.0.1]:1\ndiscard:\nsmtp:$next_hop",
        );
        for name in ["anna", "ben"] {
            if self.random.one_in(9) {
                let target = match self.random.below(8) {
                    0 => format!("\\{name}"),
                    1 => format!("\\{name}, {}", self.target()),
                    2 => format!("{name}\n{}", self.target()),
                    3 => "\"|exit 67\"".to_owned(),
                    4 => "~/box, /dev/null".to_owned(),
                    5 => "# nothing".to_owned(),
                    _ => self.target(),
                };
                let file = format!("forward-{name}");
                self.tables.files.insert(file, format!("{target}\n"));
            }
        }
        self.maybe(
            25,
            "forward_path",
            "\n$home/.forward+$extension, $home/.forward",
        );
        self.maybe(20, "prepend_delivered_header", "command, file");
        self.maybe(20, "frozen_delivered_to", "no");
        self.maybe(20, "reset_owner_alias", "yes");
        self.maybe(30, "hopcount_limit", "2");
        self.maybe(
            20,
            "mailbox_command",
            "/bin/true\nexit 75\n/no/such/program",
        );
        self.maybe(25, "mail_spool_directory", "/var/mail/\n/var/mail");
        if self.random.one_in(12) {
            let value = |g: &mut Self| {
                g.random
                    .line("error:5.2.1 no\ndiscard:\nvirtual:")
                    .to_owned()
            };
            let name = self
                .random
                .word("mailbox_transport_maps fallback_transport_maps")
                .to_owned();
            let pairs = vec![
                ("anna".to_owned(), value(self)),
                (self.random.word(LOCALS).to_owned(), value(self)),
            ];
            let table = self.tables.table(&mut self.random, &name, &pairs);
            self.set(&name, table);
        }
        self.maybe(10, "home_mailbox", "Maildir/\nmbox");
        self.maybe(10, "expand_owner_alias", "yes");
        self.maybe(10, "owner_request_special", "no");
        self.maybe(10, "allow_mail_to_files", "alias");
        self.maybe(10, "allow_mail_to_commands", "alias, include");
    }

    fn aliases(&mut self) -> String {
        let mut text = String::new();
        let mut names: Vec<String> = Vec::new();
        for _ in 0..=self.random.below(6) {
            let name = self.random.word(LOCALS).to_lowercase();
            if names.contains(&name) {
                continue;
            }
            let target = match self.random.below(16) {
                0 => ":include:/etc/postfix/members".to_owned(),
                1 => ":include:/etc/postfix/no-such-file".to_owned(),
                2 => "\"|/bin/true\"".to_owned(),
                3 => "\"|/no/such/program\"".to_owned(),
                4 => "/var/mail/archive".to_owned(),
                5 => "\\anna".to_owned(),
                6 => "/dev/null".to_owned(),
                7 => "\"|exit 67\"".to_owned(),
                8 => format!("\"|exit 75\", {}", self.target()),
                9 => "/no/such/directory/file".to_owned(),
                10 => format!(":include:/etc/postfix/members, {}", self.target()),
                _ => self.target(),
            };
            text.push_str(&format!("{name}: {target}\n"));
            self.named.push(format!("{name}@mail.example.test"));
            names.push(name);
        }
        let members = format!("{}\n{}\n", self.target(), self.target());
        self.tables.files.insert("members".to_owned(), members);
        let kind = self.random.word("hash btree texthash").to_owned();
        if kind == "texthash" {
            let text = text.replace(": ", " ");
            self.tables.files.insert("aliases-text".to_owned(), text);
            return "texthash:/etc/postfix/aliases-text".to_owned();
        }
        self.tables.files.insert("aliases-own".to_owned(), text);
        format!("{kind}:/etc/postfix/aliases-own")
    }

    fn transports(&mut self) {
        let value = |g: &mut Self| {
            g.random
                .line(
                    "error:5.1.2 gone for good\nerror:4.1.2 gone for now\nretry:4.3.0 later\ndiscard:\nlocal:\n\
                     virtual:\nrelay:[127.0.0.1]:1\n:[127.0.0.1]:1\nerror:\nerror\nno-such:\nlocal:outside.test\n\
                     error:no code\nretry:",
                )
                .to_owned()
        };
        if self.random.one_in(3) {
            let count = 1 + self.random.below(4);
            let pairs: Vec<(String, String)> = (0..count)
                .map(|_| {
                    let domain = self.random.word(DOMAINS).to_owned();
                    let key = match self.random.below(6) {
                        0 => format!(".{domain}"),
                        1 => format!("{}@{domain}", self.random.word(LOCALS)),
                        2 => "*".to_owned(),
                        _ => domain,
                    };
                    (key, value(self))
                })
                .collect();
            let table = self
                .tables
                .table(&mut self.random, "transport_maps", &pairs);
            self.set("transport_maps", table);
        }
        self.maybe(
            9,
            "virtual_transport",
            "lmtp:unix:private/no\nerror:5.1.1 no\nlocal\ndiscard:\nrelay:[127.0.0.1]:1",
        );
        self.maybe(
            9,
            "local_transport",
            "error:5.1.1 no\nvirtual\nlocal:$myhostname\nlmtp:unix:private/no",
        );
        self.maybe(
            9,
            "relay_transport",
            "error:5.1.1 no\nrelay:[127.0.0.1]:1\nlocal",
        );
        self.maybe(12, "default_transport", "error:5.1.1 no\nsmtp\ndiscard");
        self.maybe(25, "defer_transports", "smtp\nlocal\nrelay virtual");
        self.maybe(
            20,
            "sender_dependent_default_transport_maps",
            "inline:{probe@sender.test=error:5.1.0 not you}\ninline:{@sender.test=discard:}\n\
             inline:{{<>=local:}}\nstatic:DUNNO",
        );
        self.maybe(
            20,
            "sender_dependent_relayhost_maps",
            "inline:{{probe@sender.test=[127.0.0.1]:1}}\nstatic:DUNNO",
        );
        self.maybe(
            25,
            "default_delivery_status_filter",
            "regexp:{{/^5\\.1\\.1 (.*)/ 4.1.1 $1}}\ninline:{{4.3.0 mail transport unavailable=5.3.0 no}}",
        );
    }

    /// Most of them refuse everybody: two configurations of three have few.
    fn restrictions(&mut self) {
        if !self.random.one_in(3) {
            self.maybe(
                6,
                "smtpd_recipient_restrictions",
                "permit_mynetworks, reject_unauth_destination\nreject_unlisted_recipient\n\
                 reject_unauth_destination, reject_non_fqdn_recipient, permit\npermit\n\
                 check_recipient_access inline:{anna@example.test=REJECT, {alias1.test=450 wait}}",
            );
            self.maybe(
                8,
                "smtpd_relay_restrictions",
                "permit_mynetworks, reject_unauth_destination\npermit_auth_destination, reject",
            );
            self.maybe(10, "smtpd_reject_unlisted_recipient", "no");
            self.maybe(10, "smtpd_relay_before_recipient_restrictions", "yes\nno");
            return;
        }
        if self.random.one_in(4) {
            self.set("smtpd_restriction_classes", "one_class, other_class");
            let list = self.restriction_list(2);
            self.set("one_class", list);
            let list = self.restriction_list(2);
            self.set("other_class", list);
        }
        if self.random.one_in(3) {
            let mut list = self.restriction_list(3);
            if !self.random.one_in(6) {
                list.push_str(", reject_unauth_destination");
            }
            self.set("smtpd_relay_restrictions", list);
        }
        if self.random.one_in(2) {
            let list = self.restriction_list(4);
            self.set("smtpd_recipient_restrictions", list);
        }
        for name in [
            "smtpd_client_restrictions",
            "smtpd_helo_restrictions",
            "smtpd_sender_restrictions",
        ] {
            if self.random.one_in(6) {
                let mut list = self.restriction_list(2);
                // In the lists before it, Postfix takes the check for done when it was in the session before.
                if name == "smtpd_sender_restrictions" && self.random.one_in(3) {
                    list.insert_str(0, "reject_unlisted_sender, ");
                }
                self.set(name, list);
            }
        }
        if self.random.one_in(12) {
            self.set(
                "smtpd_recipient_restrictions",
                "reject_unlisted_sender, reject_unauth_destination, reject_unlisted_recipient",
            );
        }
        for name in ["smtpd_data_restrictions", "smtpd_end_of_data_restrictions"] {
            if self.random.one_in(5) {
                let list = self.restriction_list(2);
                self.set(name, list);
            }
        }
        self.maybe(8, "smtpd_delay_reject", "no");
        self.maybe(8, "smtpd_reject_unlisted_recipient", "no");
        self.maybe(10, "smtpd_reject_unlisted_sender", "yes");
        self.maybe(8, "smtpd_relay_before_recipient_restrictions", "yes\nno");
        self.maybe(12, "smtpd_helo_required", "yes");
        self.maybe(
            12,
            "mynetworks",
            "198.51.100.0/24\n127.0.0.0/8, !198.51.100.7, 198.51.100.0/24",
        );
        self.maybe(12, "local_header_rewrite_clients", "static:all");
    }

    fn restriction_list(&mut self, most: usize) -> String {
        let count = 1 + self.random.below(most);
        let mut words: Vec<String> = Vec::new();
        for _ in 0..count {
            if self.random.one_in(8) {
                words.push("warn_if_reject".to_owned());
            }
            let classes = self.settings.iter().any(|(name, _)| name == "one_class");
            let word = match self.random.below(10) {
                0..=2 => self.access_check(),
                3 if classes => self.random.word("one_class other_class").to_owned(),
                _ => self
                    .random
                    .word(
                        "permit_mynetworks permit_mynetworks reject_unauth_destination \
                         reject_unauth_destination defer_unauth_destination permit_auth_destination \
                         reject_unlisted_recipient reject_non_fqdn_recipient reject_non_fqdn_sender \
                         permit reject defer defer_if_permit defer_if_reject \
                         reject_unauth_pipelining reject_invalid_helo_hostname \
                         reject_non_fqdn_helo_hostname permit_sasl_authenticated \
                         reject_sender_login_mismatch permit_naked_ip_address",
                    )
                    .to_owned(),
            };
            words.push(word);
        }
        words.join(", ")
    }

    fn access_check(&mut self) -> String {
        let action = |g: &mut Self| {
            g.random
                .line(
                    "OK\nREJECT\nREJECT not here\nREJECT 5.7.9 go away\nREJECT 4.2.1 odd\nDEFER\nDEFER 4.7.8 later\n\
                     DUNNO\n550 no such\n450 4.1.1 wait\n550\n554 5.7.1 no\n521 bye\n421 too busy\n\
                     DEFER_IF_PERMIT\nDEFER_IF_PERMIT 4.5.0 hm\nDEFER_IF_REJECT\nDISCARD\nDISCARD quietly\nHOLD\n\
                     WARN odd\nINFO seen\nREDIRECT anna@example.test\nREDIRECT ghost@example.test\nBCC anna@example.test\n\
                     PREPEND X-Seen: yes\nFILTER no-such:x\nFILTER discard:\nreject_unauth_destination\n\
                     reject_unlisted_recipient, permit\npermit_auth_destination, reject\nNOSUCHACTION\n\
                     one_class\nwarn_if_reject reject\n123\n",
                )
                .to_owned()
        };
        let kind = self.random.below(8);
        let mut pairs: Vec<(String, String)> = Vec::new();
        for _ in 0..=self.random.below(3) {
            let local = self.random.word(LOCALS).to_owned();
            let domain = self.random.word(DOMAINS).to_owned();
            let key = match (kind, self.random.below(5)) {
                (0, 0) => "198.51.100".to_owned(),
                (0, 1) => "198.51.100.7".to_owned(),
                (0, 2) => ".example.net".to_owned(),
                (0, _) => "stranger.example.net".to_owned(),
                (1, 0) => "sender.test".to_owned(),
                (1, 1) => "<>".to_owned(),
                (1, _) => "probe@sender.test".to_owned(),
                (2, 0) => "example.net".to_owned(),
                (2, _) => "stranger.example.net".to_owned(),
                (_, 0) => format!("{local}@"),
                (_, 1) => format!(".{domain}"),
                (_, 2) => domain,
                _ => format!("{local}@{domain}"),
            };
            pairs.push((key, action(self)));
        }
        let table = if kind == 0 && self.random.one_in(3) {
            let text = format!("198.51.100.0/24 {}\n", action(self));
            format!("cidr:{}", self.tables.file("clients", text))
        } else if self.random.one_in(8) {
            format!("static:{{{}}}", action(self))
        } else {
            self.tables.table(&mut self.random, "access", &pairs)
        };
        let check = match kind {
            0 => "check_client_access",
            1 => "check_sender_access",
            2 => "check_helo_access",
            _ if self.random.one_in(8) => return table,
            _ => "check_recipient_access",
        };
        format!("{check} {table}")
    }

    fn codes(&mut self) {
        for class in ["local", "virtual_alias", "virtual_mailbox", "relay"] {
            let name = format!("unknown_{class}_recipient_reject_code");
            let name = if class.starts_with("virtual") {
                format!("unknown_{class}_reject_code")
            } else {
                name
            };
            self.maybe(8, &name, "450\n550\n551\n450");
        }
        for name in [
            "relay_domains_reject_code",
            "access_map_reject_code",
            "reject_code",
            "defer_code",
            "access_map_defer_code",
            "non_fqdn_reject_code",
            "invalid_hostname_reject_code",
            "maps_rbl_reject_code",
            "unverified_recipient_reject_code",
        ] {
            self.maybe(14, name, "450\n571\n554\n550");
        }
        self.maybe(12, "soft_bounce", "yes");
        self.maybe(20, "show_user_unknown_table_name", "no");
    }

    fn oddities(&mut self) {
        self.maybe(20, "smtpd_reject_footer", "\\c; see http://example.test/");
        self.maybe(20, "double_bounce_sender", "anna");
        self.maybe(20, "empty_address_recipient", "anna");
        self.maybe(20, "always_bcc", "ben@example.test\nghost@example.test");
        self.maybe(
            25,
            "recipient_bcc_maps",
            "inline:{anna@example.test=ben@example.test}\nstatic:anna\ninline:{@local.test=ghost@local.test}",
        );
        self.maybe(
            20,
            "sender_bcc_maps",
            "inline:{probe@sender.test=ben@example.test}\nstatic:ghost@local.test\nfail:x",
        );
        self.maybe(30, "enable_original_recipient", "no");
        self.maybe(25, "content_filter", "no-such:x\ndiscard:");
        self.maybe(25, "smtpd_recipient_limit", "1");
        self.maybe(25, "disable_vrfy_command", "yes");
        self.maybe(25, "address_verify_map", "");
        self.maybe(
            25,
            "smtpd_discard_ehlo_keywords",
            "enhancedstatuscodes\nxclient",
        );
    }
}
