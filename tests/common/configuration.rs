//! Random pairs of main.cf and master.cf, as odd as Postfix lets them be, and sometimes odder.

use super::random::Random;

/// The files of a configuration. `@` in them stands for their directory.
pub(crate) struct Configuration {
    pub(crate) main_cf: Vec<u8>,
    pub(crate) master_cf: Vec<u8>,
    /// Files of database clients.
    pub(crate) clients: Vec<(&'static str, Vec<u8>)>,
}

/// Names that Postfix knows by itself: of all kinds; not expanded by postconf; known for the sake of old
/// configurations; not to be set.
pub(crate) const BUILT_IN: &str = "
    mydomain myhostname myorigin mydestination mynetworks mynetworks_style inet_interfaces inet_protocols
    compatibility_level config_directory daemon_directory data_directory mail_name mail_version
    smtpd_banner smtpd_restriction_classes smtpd_recipient_restrictions smtpd_tls_security_level
    smtpd_client_connection_count_limit smtpd_timeout virtual_alias_maps virtual_alias_domains
    virtual_mailbox_maps relay_domains canonical_maps alias_database header_checks message_size_limit biff
    stress command_time_limit default_destination_recipient_limit local_destination_concurrency_limit
    local_destination_recipient_limit smtp_fallback_relay
    luser_relay forward_path default_rbl_reply smtpd_reject_footer smtpd_expansion_filter
    virtual_maps fallback_relay postscreen_dnsbl_ttl
    process_name service_name";

/// Names that only a configuration gives a meaning: user-defined ones; those made of service names; those
/// that database clients look for.
pub(crate) const OTHER: &str = "
    foo bar baz a b A _x 1 Z9_ empty my_class other_class my_banner mydomain2 x-y a.b ; ma\u{ef}l
    smtp_destination_recipient_limit slow_destination_rate_delay slow_time_limit policy_time_limit
    policy_recipient_limit lists_initial_destination_concurrency 127.0.0.1:10025_time_limit
    corp_server_host corp_bind corp_hosts corp_foo db_dbname db_query";

const REFERENCES: &str = "foo bar baz a b empty none my_banner _x 1 A
    virtual_maps stress service_name process_name luser_relay";

const WORDS: &str =
    "a b.test example.com mail.example.com permit reject 5 05 10 3.6 yes no x=y # #x my_class
    other_class -o \\ \"q caf\u{e9} /etc/hosts !/x 192.0.2.0/24 [::1]/128 true";

/// One a line.
const TABLES: &str = "hash:/etc/aliases
mysql:@/my.cf
proxy:mysql:@/my.cf
ldap:@/ldap.cf
proxy:proxy:pgsql:@/pg.cf
sqlite:@/nosuch.cf
memcache:@
pgsql:./pg.cf
ldap:corp
mysql:corp
proxy:pgsql:db
sqlite:db
mysql:
proxy:
:x
inline:{ {a = b} {c=d} }
inline:{a=b, c=d}
regexp:{ {/#x/ y} {/ldap:corp/ z} }
pipemap:{ldap:@/ldap.cf, mysql:corp}
unionmap:{mysql:@/my.cf}x
inline:{a
{ldap:corp}
{a
{a}x
a}
{}";

/// One a line.
const MALFORMED_EXPRESSIONS: &str = "$
$-
${
$(
${}
$()
${foo
$(foo
${foo}}
${foo bar}
${ foo bar}
${foo?{a}b}
${foo?{a}:{b}c}
${foo:{a}:{b}}
${foo?{a
${$foo}
${foo?{$}:{a}}
${foo?a:$}
${foo?{${bar baz}}:{$empty$}}
${{a}}
${{a} == {b}
${{a} = {b}}
${{a}==level {b}}
${{a} == {b} x}
${{a} ==x {b}}
${{a} <level x {b}}
${{3} <level {x}}
${{99999999999999999999} < {1}}
${{a} == b}
${\u{e9}}
${{$} == {$a$}}";

/// A random configuration.
pub(crate) fn configuration(random: &mut Random) -> Configuration {
    let mut writer = Writer {
        has_mistakes: random.one_in(5),
        has_loops: random.one_in(6),
        sets_read_only: random.one_in(4),
        random,
    };
    let clients = vec![
        ("my.cf", writer.client()),
        ("ldap.cf", writer.client()),
        ("pg.cf", writer.client()),
    ];
    Configuration {
        main_cf: writer.main_cf(),
        master_cf: writer.master_cf(),
        clients,
    }
}

/// Writes files. Where Postfix gives up there is little to compare, so that most configurations have
/// nothing that makes it give up.
struct Writer<'r> {
    random: &'r mut Random,
    /// There may be malformed lines and expressions.
    has_mistakes: bool,
    /// Values may refer to each other in a circle.
    has_loops: bool,
    /// Names may be set that are not to be. postconf forgets the setting, but in no set order: until then,
    /// other values refer to it. So these do not, then.
    sets_read_only: bool,
}

const READ_ONLY: [&str; 2] = ["process_name", "service_name"];

impl Writer<'_> {
    fn one_in(&mut self, count: usize) -> bool {
        self.random.one_in(count)
    }

    fn mistake_in(&mut self, count: usize) -> bool {
        self.has_mistakes && self.random.one_in(count)
    }

    fn client(&mut self) -> Vec<u8> {
        let mut file = Vec::new();
        for _ in 0..self.random.below(6) {
            if self.mistake_in(20) {
                file.extend_from_slice(b"malformed\n");
            }
            let name = self.random.word(
                "hosts dbname query user bind server_host version foo domain tls_cert_file charset a.b",
            );
            let value = self.random.word(WORDS);
            file.extend_from_slice(format!("{name} = {value}\n").as_bytes());
        }
        file
    }

    fn name(&mut self) -> &'static str {
        let names = if self.one_in(2) { OTHER } else { BUILT_IN };
        let name = self.random.word(names);
        if READ_ONLY.contains(&name) && !self.sets_read_only {
            "foo"
        } else {
            name
        }
    }

    /// A name to which the value of another name can refer.
    fn reference(&mut self, from: &str) -> Option<&'static str> {
        let names = if self.one_in(3) { BUILT_IN } else { REFERENCES };
        let name = self.random.word(names);
        let is_read_only = READ_ONLY.contains(&name) && self.sets_read_only;
        (!is_read_only && (self.has_loops || name > from)).then_some(name)
    }

    /// An expression in the value of `name`.
    fn expression(&mut self, name: &str, depth: usize) -> String {
        if self.mistake_in(12) {
            return self.random.line(MALFORMED_EXPRESSIONS).to_owned();
        }
        let Some(reference) = self.reference(name) else {
            return "$$".to_owned();
        };
        let mut operand = || {
            if depth > 2 || self.one_in(2) {
                let plain = "a\n\n a \n5\n05\n3.6\nx y\nb:c\n?";
                self.random.line(plain).to_owned()
            } else {
                self.text(name, depth + 1, 2)
            }
        };
        let (one, two, three, four) = (operand(), operand(), operand(), operand());
        match self.random.below(14) {
            0..=3 => format!("${reference}"),
            4 => format!("${{{reference}}}"),
            5 => format!("$({reference})"),
            6 => format!("${{ {reference}\t}}"),
            7 => format!("${{{reference}?{one}}}"),
            8 => format!("${{{reference}:{one}}}"),
            9 => format!("${{{reference} ? {{{one}}} : {{{two}}}}}"),
            10 => "$$".to_owned(),
            11 => {
                let operator = self.random.word("<level <=level ==level >=level >level");
                let level = self.random.word("0 2 3.6 3.10");
                format!("${{{{{level}}} {operator} {{3.6}} ? {{{one}}} : {{{two}}}}}")
            }
            _ => {
                let operator = self.random.word("== != < <= >= >");
                let end = match self.random.below(4) {
                    0 => String::new(),
                    1 => format!("?{{{three}}}"),
                    2 => format!(":{three}"),
                    _ => format!(" ? {{{three}}} : {{{four}}}"),
                };
                format!("${{{{{one}}} {operator} {{{two}}}{end}}}")
            }
        }
    }

    /// Words, expressions and tables, with something in between, for the value of `name`.
    fn text(&mut self, name: &str, depth: usize, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..self.random.below(most + 1) {
            match self.random.below(10) {
                0..=3 => text.push_str(self.random.word(WORDS)),
                4..=7 => text.push_str(&self.expression(name, depth)),
                8 if depth == 0 => text.push_str(self.random.line(TABLES)),
                8 => text.push('y'),
                _ => text.push_str(&"long".repeat(self.random.below(24))),
            }
            let separators = [
                " ", " ", ", ", ",", "  ", "\t", "", ".", "\r", "\x0b", "\x0c",
            ];
            text.push_str(self.random.pick(&separators));
        }
        text
    }

    /// The value of a parameter; some have values that the machine must agree with.
    fn value(&mut self, name: &str) -> String {
        let fitting = match name {
            // Other names would lead to questions to the DNS.
            "inet_interfaces" => "all\nloopback-only\n127.0.0.1\n127.0.0.1, 127.0.0.1\n",
            "inet_protocols" => "all\nipv4\nipv4, ipv6\n\n$inet_protocols_",
            "mynetworks_style" => "host\nsubnet\nclass",
            "compatibility_level" => "0\n2\n3.6\n3.7.1",
            "smtpd_restriction_classes" => {
                "my_class\nmy_class, other_class\nnosuch foo\n$virtual_maps"
            }
            _ => "",
        };
        if !fitting.is_empty() {
            return self.random.line(fitting).to_owned();
        }
        let most = if self.one_in(10) { 25 } else { 4 };
        self.text(name, 0, most)
    }

    /// Breaks a text into physical lines, with comments in between, and puts in bytes that no text has
    /// behind the first `safe` bytes.
    fn fold(&mut self, text: &str, safe: usize, file: &mut Vec<u8>) {
        for (index, &byte) in text.as_bytes().iter().enumerate() {
            if byte == b' ' && index > 0 && self.one_in(12) {
                let breaks: [&[u8]; 8] = [
                    b"\n ",
                    b"\n\t",
                    b"\r\n  ",
                    b" \n   ",
                    b"\n# comment\n ",
                    b"\n\n \n ",
                    b"\n  # indented\n\x0c ",
                    b"\n\x0b ",
                ];
                // Vertical tab and form feed are no white space between fields.
                let kinds = if index < safe { 6 } else { 8 };
                file.extend_from_slice(self.random.pick(&breaks[..kinds]));
            } else {
                file.push(byte);
            }
            if index >= safe && self.one_in(700) {
                let odd: [&[u8]; 6] = [b"\0", b"\xff", b"\xc3\xa9", b"\x01", b"\x7f", b"\xa0"];
                file.extend_from_slice(self.random.pick(&odd));
            }
        }
    }

    fn end_line(&mut self, file: &mut Vec<u8>) {
        let ends: [&[u8]; 5] = [b"\n", b"\n", b"\n", b"\r\n", b" \n"];
        file.extend_from_slice(self.random.pick(&ends));
        while self.one_in(6) {
            let lines: [&[u8]; 6] = [
                b"\n",
                b"# comment\n",
                b"  # comment = x\n",
                b" \t\n",
                b"\r\n",
                b"#\0\n",
            ];
            file.extend_from_slice(self.random.pick(&lines));
        }
    }

    fn start_file(&mut self) -> Vec<u8> {
        let mut file = Vec::new();
        if self.one_in(20) {
            file.extend_from_slice(
                b"# head\n  mydomain = discarded, with a text that is too long\n",
            );
        }
        if self.mistake_in(12) {
            file.extend_from_slice(b"\xef\xbb\xbf");
        }
        file
    }

    fn main_cf(&mut self) -> Vec<u8> {
        let mut file = self.start_file();
        for _ in 0..self.random.below(14) {
            if self.mistake_in(30) {
                let malformed = "no equals sign\n= no name\ntwo words = x\n\0\n\u{a0}x\n = a = b";
                file.extend_from_slice(self.random.line(malformed).as_bytes());
                self.end_line(&mut file);
            }
            let name = self.name();
            let value = self.value(name);
            let equals = self.random.pick(&[" = ", " = ", "=", "\t=\t", " =", "= "]);
            let line = format!("{name}{equals}{value}");
            self.fold(&line, name.len() + equals.len(), &mut file);
            self.end_line(&mut file);
        }
        if self.one_in(10) {
            file.pop();
        }
        file
    }

    fn master_cf(&mut self) -> Vec<u8> {
        let mut file = self.start_file();
        for _ in 0..self.random.below(7) {
            let (line, safe) = self.entry();
            self.fold(&line, safe, &mut file);
            self.end_line(&mut file);
        }
        file
    }

    /// An entry of master.cf, and the length of its fields.
    fn entry(&mut self) -> (String, usize) {
        if self.mistake_in(20) {
            let malformed =
                "smtp inet n - n - - \nsmtp tcp n - n - - smtpd\nsmtp inet n - n x - smtpd
smtp inet no - n - - smtpd\nsmtp inet n - n - 5? smtpd\n-o x=y\nsmtp {in et} n - n - - smtpd";
            return (self.random.line(malformed).to_owned(), 100);
        }
        let fields = [
            "smtp\nsmtp\nsubmission\nslow\npolicy\nlists\n127.0.0.1:10025\n[::1]:2525\n{x y}\nlocal\nca\u{e9}",
            "inet\nunix\nunix\nfifo\npass\nunix-dgram",
            "-\n-\ny\nn",
            "-\n-\ny\nn",
            "-\n-\ny\nn",
            "-\n-\n60\n60?\n-?\n?\n0",
            "-\n0\n1\n007",
            "smtpd\nsmtp\nlmtp\npipe\nspawn\nlocal\nvirtual\nerror\ndiscard\n../sbin/smtp\ndir/\ncleanup",
        ];
        let mut line = String::new();
        for field in fields {
            line.push_str(self.random.line(field));
            line.push_str(self.random.pick(&[" ", " ", "\t", "   "]));
        }
        let safe = line.len();
        for _ in 0..self.random.below(5) {
            line.push_str(&self.argument());
            line.push_str(self.random.pick(&[" ", " ", "\t", "   "]));
        }
        (line, safe)
    }

    fn argument(&mut self) -> String {
        let name = self.name();
        let value = self.value(name);
        // Without blanks, so that it is one word.
        let word: String = value.split_whitespace().collect();
        match self.random.below(20) {
            0..=6 => format!("-o {name}={word}"),
            7 => format!("-o{name}={word}"),
            8 => format!("-vo {name}={word}"),
            9 => format!("-vo{name}={word}"),
            10..=12 => format!("-o {{ {name} = {value} }}"),
            13 => format!("-o{{{name}={value}}}"),
            14 => format!("-o {name} = {word}"),
            15 => {
                let odd = "-v\n-D\n-\n--\n-o\n-o {a}\n-o {}\n-o {a = b\n-o {a = b}x\n-o =
{-o} {a = b c}\n{-o a=b}\n-oo\n-v -v\n- {a = b}";
                self.random.line(odd).to_owned()
            }
            16 => "user=nobody argv=/bin/x ${sender} {a b}".to_owned(),
            17 => format!("flags=R {{{value}}}"),
            18 => format!("{{{value}"),
            _ => format!("-o syslog_name=postfix/$service_name -o {name}={word}"),
        }
    }
}
