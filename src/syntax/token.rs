//! Addresses as RFC 822 tokens: Postfix's `src/global/tok822_parse.c`.
//!
//! An alias file and each list of addresses in it are read this way. [`Tokens`] cuts the text and allocates
//! nothing; [`externalize`] and [`internalize`] put tokens together again, with and without quotes;
//! [`addresses`] groups the tokens of a list into addresses.

use std::borrow::Cow;
use std::ops::Range;

use crate::source::Text;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `(…)`.
    Comment,
    /// `"…"`, and a word in which a `\` protects what would not be a word.
    Quoted,
    /// `[…]`.
    DomainLiteral,
    /// A word.
    Atom,
    /// One of `( ) < > @ , ; : \ " . [ ] | % !`.
    Operator(u8),
}

/// A token, as a range of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// The bytes, with quotes or brackets.
    pub range: Range<usize>,
}

impl Token {
    /// Whether it is the operator `byte`.
    pub fn is(&self, byte: u8) -> bool {
        self.kind == TokenKind::Operator(byte)
    }

    fn is_word(&self) -> bool {
        !matches!(self.kind, TokenKind::Operator(_))
    }

    /// What it says: without quotes, brackets and backslashes. A comment is as it is written.
    pub fn content<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let raw = &text[self.range.clone()];
        let (open, close) = match self.kind {
            TokenKind::Comment | TokenKind::Operator(_) => return Cow::Borrowed(raw),
            TokenKind::Quoted if raw.first() == Some(&b'"') => (1, Some(b'"')),
            TokenKind::DomainLiteral => (1, Some(b']')),
            TokenKind::Quoted | TokenKind::Atom => (0, None),
        };
        let inner = &raw[open..];
        let plain =
            |byte: &u8| !matches!(byte, b'\\' | b'\t' | b'\r' | b'\n') && Some(*byte) != close;
        match inner.iter().position(|byte| !plain(byte)) {
            None => return Cow::Borrowed(inner),
            Some(at) if at + 1 == inner.len() && Some(inner[at]) == close => {
                return Cow::Borrowed(&inner[..at]);
            }
            Some(_) => {}
        }
        let mut content = Vec::with_capacity(inner.len());
        let mut bytes = inner.iter();
        while let Some(&byte) = bytes.next() {
            let byte = match byte {
                b'\\' => match bytes.next() {
                    Some(&byte) => byte,
                    None => break,
                },
                _ if Some(byte) == close => break,
                _ => byte,
            };
            content.push(if is_blank(byte) { b' ' } else { byte });
        }
        Cow::Owned(content)
    }
}

/// White space between tokens.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_operator(byte: u8) -> bool {
    b"|%!()<>@,;:\\\".[]".contains(&byte)
}

/// The tokens of a text, from left to right.
#[derive(Clone, Debug)]
pub struct Tokens<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Tokens<'t> {
    /// Cuts `text`. Any bytes are accepted: what is not closed reaches to the end.
    pub fn of(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Moves to the first byte from the current place on for which `stop` holds; a `\` takes the byte after
    /// it with it.
    fn collect(&mut self, stop: impl Fn(u8) -> bool) {
        while let Some(&byte) = self.text.get(self.at) {
            if byte == b'\\' {
                self.at += 1;
                if self.at == self.text.len() {
                    return;
                }
            } else if stop(byte) {
                return;
            }
            self.at += 1;
        }
    }

    fn comment(&mut self) {
        let mut level = 1_usize;
        while let Some(&byte) = self.text.get(self.at) {
            self.at += 1;
            match byte {
                b'(' => level += 1,
                b')' => {
                    level -= 1;
                    if level == 0 {
                        return;
                    }
                }
                b'\\' => self.at = self.text.len().min(self.at + 1),
                _ => {}
            }
        }
    }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        while is_blank(*self.text.get(self.at)?) {
            self.at += 1;
        }
        let start = self.at;
        let byte = self.text[start];
        self.at += 1;
        let kind = match byte {
            b'(' => {
                self.comment();
                TokenKind::Comment
            }
            b'[' | b'"' => {
                let close = if byte == b'[' { b']' } else { b'"' };
                self.collect(|byte| byte == close);
                self.at = self.text.len().min(self.at + 1);
                if byte == b'[' {
                    TokenKind::DomainLiteral
                } else {
                    TokenKind::Quoted
                }
            }
            _ if byte != b'\\' && is_operator(byte) => TokenKind::Operator(byte),
            _ => {
                self.at = start;
                self.collect(|byte| is_blank(byte) || is_operator(byte));
                let atom = Token {
                    kind: TokenKind::Atom,
                    range: start..self.at,
                };
                // tok822_quote_atom: what a backslash protected needs quotes from now on.
                let odd =
                    |byte: &u8| *byte == b' ' || byte.is_ascii_control() || is_operator(*byte);
                if atom.content(self.text).iter().any(odd) {
                    TokenKind::Quoted
                } else {
                    TokenKind::Atom
                }
            }
        };
        Some(Token {
            kind,
            range: start..self.at,
        })
    }
}

/// Whether a blank is needed between two neighbours (`tok822_append_space`).
fn needs_space(token: &Token, next: Option<&Token>) -> bool {
    match next {
        None => false,
        Some(next) => token.is(b',') || next.is(b'<') || (token.is_word() && next.is_word()),
    }
}

/// The tokens as a string in internal form: without quotes.
pub fn internalize(text: &[u8], tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        push_internal(text, token, &mut out);
        if needs_space(token, tokens.get(index + 1)) {
            out.push(b' ');
        }
    }
    out
}

fn push_internal(text: &[u8], token: &Token, out: &mut Vec<u8>) {
    let is_literal = token.kind == TokenKind::DomainLiteral;
    if is_literal {
        out.push(b'[');
    }
    out.extend_from_slice(&token.content(text));
    if is_literal {
        out.push(b']');
    }
}

/// The tokens as a string in external form: with quotes where they are needed, to be read again.
pub fn externalize(text: &[u8], tokens: &[Token]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        push_external(text, token, &mut out);
        if let Some(space) = external_space(tokens, index) {
            out.push(space);
        }
    }
    out
}

/// [`externalize`] for a text with places: what is not changed keeps its place.
pub fn externalize_text(text: &Text, tokens: &[Token]) -> Text {
    let mut out = Text::new();
    let mut external = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        external.clear();
        push_external(text.as_bytes(), token, &mut external);
        let written = text.slice(token.range.clone());
        if written.as_bytes() == external {
            out.push(&written);
        } else {
            out.push(&Text::placeless_bytes(&external));
        }
        if external_space(tokens, index).is_some() {
            out.push(&Text::placeless(" "));
        }
    }
    out
}

/// The blank after the token `index`. After a comma there is always one.
fn external_space(tokens: &[Token], index: usize) -> Option<u8> {
    let token = &tokens[index];
    (token.is(b',') || needs_space(token, tokens.get(index + 1))).then_some(b' ')
}

fn push_external(text: &[u8], token: &Token, out: &mut Vec<u8>) {
    let content = token.content(text);
    match token.kind {
        TokenKind::Operator(_) | TokenKind::Atom | TokenKind::Comment => {
            out.extend_from_slice(&content);
        }
        TokenKind::Quoted => {
            out.push(b'"');
            push_quoted(out, &content, b"\"\\\r\n");
            out.push(b'"');
        }
        TokenKind::DomainLiteral => {
            out.push(b'[');
            push_quoted(out, &content, b"\\\r\n");
            out.push(b']');
        }
    }
}

fn push_quoted(out: &mut Vec<u8>, content: &[u8], quote: &[u8]) {
    for &byte in content {
        if quote.contains(&byte) {
            out.push(b'\\');
        }
        out.push(byte);
    }
}

/// One address of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its tokens, comments left out.
    pub tokens: Vec<Token>,
    /// From its first to its last token.
    pub range: Range<usize>,
}

impl Address {
    /// The address in external form. Inside an address no blanks are put between tokens, but one after a
    /// comma.
    pub fn external(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for token in &self.tokens {
            push_external(text, token, &mut out);
            if token.is(b',') {
                out.push(b' ');
            }
        }
        out
    }

    /// The address in internal form. Inside an address no blanks are put between tokens.
    pub fn internal(&self, text: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        for token in &self.tokens {
            push_internal(text, token, &mut out);
        }
        out
    }
}

/// A list of addresses, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressList {
    /// The addresses from left to right.
    pub addresses: Vec<Address>,
    /// There is something besides the addresses and `<` `>`: a comment, a phrase, a comma, a group, or two
    /// addresses without a comma between.
    pub has_more: bool,
}

/// The addresses of a list (`tok822_parse`), from left to right.
pub fn addresses(text: &[u8]) -> Vec<Address> {
    address_list(text).addresses
}

/// A list of addresses (`tok822_parse`).
///
/// The text is read from right to left: commas, `<…>` and named groups divide, a phrase before `<…>` is
/// left out, and two words in a row are two addresses.
pub fn address_list(text: &[u8]) -> AddressList {
    let mut list = AddressList::default();
    let mut tokens = Vec::new();
    for token in Tokens::of(text) {
        if token.kind == TokenKind::Comment {
            list.has_more = true;
        } else {
            tokens.push(token);
        }
    }
    let mut inside = 0;
    let mut lacks_comma = false;
    // `end` is what tok822_parse calls `right`: the address looked for ends in front of it.
    let mut end = tokens.len();
    let mut at = tokens.len();
    let mut word_ok = true;
    let mut in_group = false;
    let mut take = |range: Range<usize>| {
        let Some([first, .., last] | [first @ last]) = tokens.get(range.clone()) else {
            return false;
        };
        inside += range.len();
        list.addresses.push(Address {
            range: first.range.start..last.range.end,
            tokens: tokens[range].to_vec(),
        });
        true
    };
    while at > 0 {
        let here = at - 1;
        let token = &tokens[here];
        if token.is(b';') {
            lacks_comma |= take(here + 1..end);
            end = here;
            in_group = true;
            word_ok = true;
        } else if token.is(b':') && in_group {
            take(here + 1..end);
            // The name of the group is no address.
            at = here;
            while at > 0 && !tokens[at - 1].is(b',') {
                at -= 1;
            }
            end = at.saturating_sub(1);
            continue;
        } else if token.is(b'>') {
            lacks_comma |= take(here + 1..end);
            end = here;
            at = here;
            while at > 0 && !tokens[at - 1].is(b'<') {
                at -= 1;
            }
            take(at..end);
            // The phrase in front of `<` is no address.
            at = at.saturating_sub(1);
            while at > 0
                && !matches!(
                    tokens[at - 1].kind,
                    TokenKind::Operator(b'>' | b';' | b',' | b':')
                )
            {
                at -= 1;
            }
            end = at.saturating_sub(1);
            word_ok = true;
            continue;
        } else if token.is_word() {
            if !word_ok {
                lacks_comma |= take(here + 1..end);
                end = here + 1;
            }
            word_ok = false;
        } else if token.is(b',') {
            take(here + 1..end);
            end = here;
            word_ok = true;
        } else {
            word_ok = true;
        }
        at = here;
    }
    take(0..end);
    list.addresses.reverse();
    let brackets = (tokens.iter())
        .filter(|token| token.is(b'<') || token.is(b'>'))
        .count();
    let brackets_inside = (list.addresses.iter())
        .flat_map(|address| &address.tokens)
        .filter(|token| token.is(b'<') || token.is(b'>'))
        .count();
    list.has_more |= lacks_comma || tokens.len() - inside > brackets - brackets_inside;
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn external(text: &str) -> String {
        let tokens: Vec<_> = Tokens::of(text.as_bytes()).collect();
        String::from_utf8_lossy(&externalize(text.as_bytes(), &tokens)).into_owned()
    }

    fn list(text: &str) -> Vec<String> {
        addresses(text.as_bytes())
            .iter()
            .map(|address| String::from_utf8_lossy(&address.internal(text.as_bytes())).into_owned())
            .collect()
    }

    #[test]
    fn tokens_are_written_back_in_external_form() {
        assert_eq!(external("a,b,,c"), "a, b, , c");
        assert_eq!(external("\\user"), "user");
        assert_eq!(
            external("\"|cmd  a\" (c (d)) x@y.test"),
            "\"|cmd  a\" (c (d)) x@y.test"
        );
        assert_eq!(external("\"open"), "\"open\"");
        assert_eq!(external("a\\ b"), "\"a b\"");
        assert_eq!(external("[1.2"), "[1.2]");
        assert_eq!(external(":include:/a/b"), ":include:/a/b");
    }

    #[test]
    fn what_is_besides_addresses() {
        for plain in [
            "a@b.test",
            "<a@b.test>",
            "<<a@b.test>>",
            "",
            "<>",
            "a:b@c.test",
        ] {
            assert!(!address_list(plain.as_bytes()).has_more, "{plain}");
        }
        for more in [
            "a,",
            "A <a@b.test>",
            "(c)a@b.test",
            "g:a@b.test;",
            "a b",
            "<>x",
            "a;",
        ] {
            assert!(address_list(more.as_bytes()).has_more, "{more}");
        }
    }

    #[test]
    fn lists_of_addresses() {
        assert_eq!(list("a, b@x.test"), ["a", "b@x.test"]);
        assert_eq!(list("a b c"), ["a", "b", "c"]);
        assert_eq!(
            list("A. User <a@x.test>, \"b c\"@x.test"),
            ["a@x.test", "b c@x.test"]
        );
        assert_eq!(list("group: a, b;"), ["a", "b"]);
        assert_eq!(
            list("\"|cmd -a 'b'\", :include:/x"),
            ["|cmd -a 'b'", ":include:/x"]
        );
        assert_eq!(list("a (comment), "), ["a"]);
        assert_eq!(list("user:x@d.test"), ["user:x@d.test"]);
        assert_eq!(list("a:b <c>"), ["a", "c"]);
        assert_eq!(list("<x>;"), ["x"]);
        assert_eq!(list("g: a;, b"), ["a", "b"]);
        assert!(list("").is_empty());
    }
}
