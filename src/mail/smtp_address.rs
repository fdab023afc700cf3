//! Addresses as smtpd(8) takes them from MAIL FROM and RCPT TO: the words of a command
//! (`src/smtpd/smtpd_token.c`), and the address in the third (`src/smtpd/smtpd.c: extract_addr`).

use super::quoting::halves;
use super::reply::Reply;
use super::resolve::{Resolution, Rewriting, State};
use super::world::World;
use crate::instance::Instance;
use crate::instance::builtin::Version;
use crate::instance::domain_list::folds_utf8;
use crate::instance::parameter::Scope;
use crate::syntax::token;

/// A command with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Mail => "MAIL FROM:",
            Self::Rcpt => "RCPT TO:",
        }
    }

    fn bad_address(self) -> Reply {
        match self {
            Self::Mail => Reply::new(501, "5.1.7", "Bad sender address syntax"),
            Self::Rcpt => Reply::new(501, "5.1.3", "Bad recipient address syntax"),
        }
    }
}

/// How a smtpd(8) reads addresses in commands.
#[derive(Clone, Debug)]
pub(super) struct CommandSyntax {
    is_strict: bool,
    utf8: bool,
    needs_declaration: bool,
    offers_smtputf8: bool,
    offers_dsn: bool,
    offers_auth: bool,
    line_length: usize,
}

/// An address that smtpd(8) took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Given {
    /// The address in internal form, as it is shown in replies and passed on: not yet rewritten. Empty for
    /// the null sender.
    pub(super) address: String,
    /// What trivial-rewrite(8) says of it; `None` for the null sender. It may have failed: that is no error
    /// here.
    pub(super) resolution: Option<Resolution>,
    /// MAIL FROM has the option SMTPUTF8, now or, for RCPT TO, then.
    pub(super) smtputf8: bool,
}

/// A word of a command.
struct Word {
    text: String,
    /// A `<` or `"` is not closed.
    is_open: bool,
}

impl CommandSyntax {
    /// As a smtpd(8) with this view of the parameters reads.
    pub(super) fn of(scope: Scope<'_>) -> Self {
        let is_on = |name| scope.any_parameter(name).flag() == Some(true);
        let has_utf8 = scope.instance.version() >= Version::release(3, 0, 0);
        let discarded = scope.any_parameter("smtpd_discard_ehlo_keywords").words();
        let offers = |keyword: &str| {
            let is_it = |word: &crate::source::Text| word.as_str().eq_ignore_ascii_case(keyword);
            !discarded.iter().any(is_it)
        };
        let length = scope.any_parameter("line_length_limit").number();
        Self {
            is_strict: is_on("strict_rfc821_envelopes"),
            utf8: folds_utf8(scope),
            needs_declaration: has_utf8 && is_on("strict_smtputf8"),
            offers_smtputf8: folds_utf8(scope) && offers("smtputf8"),
            offers_dsn: offers("dsn"),
            offers_auth: is_on("smtpd_sasl_auth_enable"),
            line_length: length
                .and_then(|length| usize::try_from(length).ok())
                .filter(|&length| length > 0)
                .unwrap_or(2048),
        }
    }

    /// Takes the address of a command. `text` is what stands behind the colon, with options; one that does
    /// not begin with `<` is taken to stand between `<` and `>`. `other` is the other address: the sender for
    /// RCPT TO, the recipient (empty as yet) for MAIL FROM. `smtputf8`: MAIL FROM had that option.
    ///
    /// # Errors
    /// The reply that refuses the command.
    #[expect(
        clippy::too_many_arguments,
        reason = "the command and its circumstances"
    )]
    pub(super) fn take(
        &self,
        instance: &Instance,
        rewriting: &Rewriting,
        verb: Verb,
        text: &str,
        other: &str,
        smtputf8: bool,
        world: &mut World,
    ) -> Result<Given, Reply> {
        let words = self.words(verb, text)?;
        let [word, options @ ..] = words.as_slice() else {
            let text = format!("Syntax: {}<address>", verb.name());
            return Err(Reply::new(501, "5.5.4", text));
        };
        if word.is_open {
            return Err(verb.bad_address());
        }
        let is_declaration = |option: &Word| option.text.eq_ignore_ascii_case("SMTPUTF8");
        let smtputf8 = smtputf8
            || (verb == Verb::Mail && self.offers_smtputf8 && options.iter().any(is_declaration));
        let address = self
            .address(verb, &word.text)
            .ok_or_else(|| verb.bad_address())?;
        let resolution = if address.is_empty() {
            None
        } else {
            let canonical = |address| rewriting.settings.canonical(address);
            let resolved =
                rewriting.resolve(instance, &canonical(other), &canonical(&address), world);
            // Before 3.0 no domain passes trivial-rewrite that is not ASCII.
            let (_, domain) = halves(&resolved.recipient);
            let is_foreign = !smtputf8 && domain.is_some_and(|domain| !domain.is_ascii());
            if resolved.state == State::Syntax || is_foreign {
                return Err(verb.bad_address());
            }
            Some(resolved)
        };
        self.check_options(verb, options)?;
        Ok(Given {
            address,
            resolution,
            smtputf8,
        })
    }

    /// The refusal of an address that has other letters than those of ASCII, where these have to be declared
    /// (`strict_smtputf8`). smtpd(8) gives it after all restrictions.
    pub(super) fn undeclared(&self, given: &Given) -> Option<Reply> {
        (self.needs_declaration && !given.smtputf8 && !given.address.is_ascii()).then(|| {
            Reply::new(
                553,
                "5.6.7",
                "Must declare SMTPUTF8 to send unicode address",
            )
        })
    }

    /// The words of the command behind the colon.
    fn words(&self, verb: Verb, text: &str) -> Result<Vec<Word>, Reply> {
        let mut line = verb.name().to_owned();
        if text.starts_with('<') {
            line.push_str(text);
        } else {
            line.push('<');
            line.push_str(text);
            line.push('>');
        }
        // What follows a NUL is not seen.
        let mut end = line.find('\0').unwrap_or(line.len());
        if end > self.line_length {
            end = self.line_length;
            if !line.is_char_boundary(end) {
                if self.utf8 {
                    return Err(Reply::new(500, "5.5.2", "Error: bad UTF-8 syntax"));
                }
                while !line.is_char_boundary(end) {
                    end -= 1;
                }
            }
        }
        Ok(words(line.get(verb.name().len()..end).unwrap_or_default()))
    }

    /// The address in a word, in internal form (`extract_addr`); `None` where there is none that is allowed.
    fn address(&self, verb: Verb, word: &str) -> Option<String> {
        let inner = word
            .strip_prefix('<')
            .and_then(|word| word.strip_suffix('>'));
        let mut text = inner.unwrap_or(word);
        if text.starts_with('@')
            && let Some(colon) = text.find(':')
        {
            text = &text[colon + 1..];
        }
        let list = token::address_list(text.as_bytes());
        if list.addresses.len() > 1 || (self.is_strict && (list.has_more || !word.starts_with('<')))
        {
            return None;
        }
        let address = list.addresses.last().map_or_else(String::new, |address| {
            String::from_utf8_lossy(&address.internal(text.as_bytes())).into_owned()
        });
        let is_refused = (address.is_empty() && verb == Verb::Rcpt)
            || (self.is_strict && address.starts_with('@'));
        (!is_refused).then_some(address)
    }

    fn check_options(&self, verb: Verb, options: &[Word]) -> Result<(), Reply> {
        let bad = |text: &str| Err(Reply::new(501, "5.5.4", text));
        let no_dsn = || Err(Reply::new(501, "5.7.1", "DSN support is disabled"));
        let mut seen: Vec<&str> = Vec::new();
        for option in options {
            let option = option.text.as_str();
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name.to_ascii_uppercase(), Some(value)),
                None => (option.to_ascii_uppercase(), None),
            };
            let mut is_again = |name| {
                let is_again = seen.contains(&name);
                seen.push(name);
                is_again
            };
            match (verb, name.as_str(), value) {
                (Verb::Rcpt, "NOTIFY" | "ORCPT", Some(_))
                | (Verb::Mail, "RET" | "ENVID", Some(_))
                    if !self.offers_dsn =>
                {
                    return no_dsn();
                }
                (Verb::Rcpt, "NOTIFY", Some(value)) => {
                    if is_again("NOTIFY") || !is_notify(value) {
                        return bad("Error: Bad NOTIFY parameter syntax");
                    }
                }
                (Verb::Rcpt, "ORCPT", Some(value)) => {
                    let is_fine = value.split_once(';').is_some_and(|(kind, address)| {
                        !kind.is_empty()
                            && (kind.eq_ignore_ascii_case("utf-8") || is_xtext(address))
                    });
                    if is_again("ORCPT") || !is_fine {
                        return bad("Error: Bad ORCPT parameter syntax");
                    }
                }
                (Verb::Mail, "BODY", Some(value))
                    if value.eq_ignore_ascii_case("8BITMIME")
                        || value.eq_ignore_ascii_case("7BIT") => {}
                (Verb::Mail, "SIZE", Some(value)) => {
                    if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
                        return bad("Bad message size syntax");
                    }
                    if value.parse::<i64>().is_err() {
                        return Err(Reply::new(
                            552,
                            "5.3.4",
                            "Message size exceeds file system imposed limit",
                        ));
                    }
                }
                (Verb::Mail, "SMTPUTF8", None) if self.offers_smtputf8 => {}
                (Verb::Mail, "AUTH", Some(_)) => {
                    if !self.offers_auth {
                        return Err(Reply::new(503, "5.5.4", "Error: authentication disabled"));
                    }
                }
                (Verb::Mail, "RET", Some(value)) => {
                    let is_known =
                        value.eq_ignore_ascii_case("FULL") || value.eq_ignore_ascii_case("HDRS");
                    if is_again("RET") || !is_known {
                        return bad("Bad RET parameter syntax");
                    }
                }
                (Verb::Mail, "ENVID", Some(value)) => {
                    if is_again("ENVID") || !is_xtext(value) {
                        return bad("Bad ENVID parameter syntax");
                    }
                }
                _ => {
                    let text = format!("Unsupported option: {option}");
                    return Err(Reply::new(555, "5.5.4", text));
                }
            }
        }
        Ok(())
    }
}

/// `NEVER`, or some of `SUCCESS`, `FAILURE`, `DELAY` (RFC 3461).
fn is_notify(value: &str) -> bool {
    let mut words = value.split(',').filter(|word| !word.is_empty()).peekable();
    let is = |word: &str, name: &str| word.eq_ignore_ascii_case(name);
    if words.peek().is_none() {
        return false;
    }
    let mut has_never = false;
    let mut has_other = false;
    for word in words {
        if is(word, "NEVER") {
            has_never = true;
        } else if is(word, "SUCCESS") || is(word, "FAILURE") || is(word, "DELAY") {
            has_other = true;
        } else {
            return false;
        }
    }
    has_never != has_other
}

/// A text with `+` and two hexadecimal digits for what cannot be written (RFC 3461).
fn is_xtext(text: &str) -> bool {
    let digits = |rest: &str| {
        let bytes = rest.as_bytes();
        bytes.len() >= 2 && bytes[..2].iter().all(u8::is_ascii_hexdigit)
    };
    text.split('+').skip(1).all(digits)
}

/// Cuts the rest of a command into words (`smtpd_token`).
fn words(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}');
    loop {
        let mut word = Word {
            text: String::new(),
            is_open: false,
        };
        while let Some(c) = chars.next() {
            match c {
                _ if is_space(c) => {
                    if !word.text.is_empty() {
                        break;
                    }
                }
                '<' => word.is_open |= !enclosed(&mut chars, &mut word.text, '<', '>'),
                '"' => word.is_open |= !enclosed(&mut chars, &mut word.text, '"', '"'),
                ':' => {
                    word.text.push(c);
                    // A prefix of these counts as much as the whole.
                    let is_front = |name: &str| {
                        name.get(..word.text.len())
                            .is_some_and(|front| front.eq_ignore_ascii_case(&word.text))
                    };
                    if is_front("to:") || is_front("from:") {
                        break;
                    }
                }
                '\\' => {
                    word.text.push(c);
                    word.text.extend(chars.next());
                }
                _ => word.text.push(c),
            }
        }
        if word.text.is_empty() {
            return words;
        }
        words.push(word);
    }
}

/// Takes what is in `<…>` or `"…"` into a word (`smtp_quoted`). Whether it is closed.
fn enclosed(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    word: &mut String,
    open: char,
    close: char,
) -> bool {
    word.push(open);
    let mut wanted = vec![close];
    while let Some(c) = chars.next() {
        word.push(c);
        match c {
            '\\' => match chars.next() {
                Some(next) => word.push(next),
                None => return false,
            },
            _ if wanted.last() == Some(&c) => {
                wanted.pop();
                if wanted.is_empty() {
                    return true;
                }
            }
            '"' => wanted.push('"'),
            '<' if wanted.last() == Some(&'>') => wanted.push('>'),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::testing::{self, VERSION};

    /// What a smtpd with these settings makes of recipients: the address, or the reply.
    fn taken(main_cf: &str, verb: Verb, texts: &[&str]) -> Vec<String> {
        let instance = instance(main_cf);
        let syntax = CommandSyntax::of(instance.scope());
        let rewriting = Rewriting::of(&instance);
        let take = |text: &&str| {
            let mut world = World::default();
            let given = syntax.take(&instance, &rewriting, verb, text, "", false, &mut world);
            given.map_or_else(|reply| reply.to_string(), |given| given.address)
        };
        texts.iter().map(take).collect()
    }

    fn instance(main_cf: &str) -> Instance {
        let main_cf = format!(
            "compatibility_level = 3.6\nmyhostname = mail.example.com\n\
             mydestination = example.com\n{main_cf}"
        );
        testing::instance(main_cf, VERSION, None)
    }

    fn all_are(found: &[String], texts: &[&str], wanted: &str) {
        for (found, text) in found.iter().zip(texts) {
            assert_eq!(found, wanted, "{text}");
        }
    }

    const LENIENT: [&str; 9] = [
        ",ann@far.test",
        "ann@far.test,",
        "ann@far.test;",
        "group:ann@far.test;",
        "(c)ann@far.test",
        "ann(c)@far.test",
        "Ann <ann@far.test>",
        "@a.test,@b.test:ann@far.test",
        "@:ann@far.test",
    ];

    #[test]
    fn recipients_that_are_taken() {
        let found = taken("", Verb::Rcpt, &LENIENT);
        all_are(&found, &LENIENT, "ann@far.test");
        let both = [
            "<ann@far.test>",
            "ann@far.test",
            " ann @ far.test ",
            "<ann@far.test> NOTIFY=NEVER",
        ];
        for main_cf in ["", "strict_rfc821_envelopes = yes"] {
            all_are(&taken(main_cf, Verb::Rcpt, &both), &both, "ann@far.test");
        }
        for (text, address) in [
            ("ann", "ann"),
            ("\"a b\"@far.test", "a b@far.test"),
            ("a\\ b@far.test", "a b@far.test"),
            ("a.\"b c\".d@far.test", "a.b c.d@far.test"),
            (".ann@far.test", ".ann@far.test"),
            ("ann@\"far.test\"", "ann@far.test"),
            ("user:x@far.test", "user:x@far.test"),
            ("ann@[192.0.2.1", "ann@[192.0.2.1]"),
            ("ann@[ipv6:2001:db8::1]", "ann@[ipv6:2001:db8::1]"),
            ("@far.test", "@far.test"),
            ("ann%far.test@example.com", "ann%far.test@example.com"),
            ("é@far.test", "é@far.test"),
        ] {
            assert_eq!(taken("", Verb::Rcpt, &[text]), [address], "{text}");
        }
    }

    #[test]
    fn recipients_that_are_not() {
        let texts = [
            "",
            " ",
            "\"\"",
            "(c)",
            "@",
            "ann@",
            "ann@@example.com",
            "@@example.com",
            "%@example.com",
            "ann%@example.com",
            "a b@far.test",
            "\"a\"b@far.test",
            "a@b.test d@b.test",
            "ann,x@far.test",
            "ann@a..b",
            "ann@.far.test",
            "ann@far.test..",
            "ann@[::1]",
            "ann@[1.2.3]",
            "ann@192.0.2.1",
            "ann@123",
            "-ann@far.test",
            "ann@exämple.test",
            "ann%far.test@example.net!x",
            "ann>junk",
            "<ann@far.test",
            "<\"ann@far.test>",
        ];
        let found = taken("", Verb::Rcpt, &texts);
        all_are(&found, &texts, "501 5.1.3 Bad recipient address syntax");
        let strict: Vec<&str> = LENIENT[..7].iter().copied().chain(["@far.test"]).collect();
        let found = taken("strict_rfc821_envelopes = yes", Verb::Rcpt, &strict);
        all_are(&found, &strict, "501 5.1.3 Bad recipient address syntax");
    }

    #[test]
    fn senders() {
        let null = ["", "<>", "(c)", "\"\""];
        all_are(&taken("", Verb::Mail, &null), &null, "");
        for (text, answer) in [
            ("@", "501 5.1.7 Bad sender address syntax"),
            (
                "<ann@far.test> BODY=8BITMIME SIZE=100 RET=HDRS",
                "ann@far.test",
            ),
            ("<ann@exämple.test> SMTPUTF8", "ann@exämple.test"),
            ("<ann@far.test> RET=x", "501 5.5.4 Bad RET parameter syntax"),
            ("<ann@far.test> SIZE=x", "501 5.5.4 Bad message size syntax"),
            ("<ann@far.test> X", "555 5.5.4 Unsupported option: X"),
        ] {
            assert_eq!(taken("", Verb::Mail, &[text]), [answer], "{text}");
        }
        let text = ["<ann@exämple.test> SMTPUTF8"];
        let found = taken("smtputf8_enable = no", Verb::Mail, &text);
        all_are(&found, &text, "501 5.1.7 Bad sender address syntax");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text in "[\\\\\"<>@:;,.()\\[\\] a%!é\0=]{0,40}|.{0,40}") {
            for verb in [Verb::Mail, Verb::Rcpt] {
                taken("line_length_limit = 40", verb, &[&text]);
            }
            let settings = &Rewriting::of(&instance("")).settings;
            for extension in ["", "+x"] {
                crate::mail::search::results(settings, &text, &text, extension, true);
            }
        }
    }

    #[test]
    fn lines_that_are_cut() {
        let long = format!("{}@far.test", "x".repeat(2100));
        let found = taken("", Verb::Rcpt, &[&long]);
        assert_eq!(found, ["501 5.1.3 Bad recipient address syntax"]);
        let long = format!("<{}@far.test>", "é".repeat(1100));
        let found = taken("line_length_limit = 1001", Verb::Rcpt, &[&long]);
        assert_eq!(found, ["501 5.1.3 Bad recipient address syntax"]);
        let found = taken(
            "line_length_limit = 1002",
            Verb::Rcpt,
            &[&format!("<x{long}")],
        );
        assert_eq!(found, ["500 5.5.2 Error: bad UTF-8 syntax"]);
    }
}
