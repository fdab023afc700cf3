//! Seeded random tables: not realistic, but full of the bytes that a reader can trip over.

/// A small generator of random numbers (xorshift64*): the same seed gives the same tables everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or(0) % limit
    }

    pub(crate) fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// `least` to `most` fragments in a row.
    fn row(&mut self, fragments: &[&[u8]], least: usize, most: usize) -> Vec<u8> {
        let count = least + self.below(most - least + 1);
        (0..count)
            .flat_map(|_| self.pick(fragments).to_vec())
            .collect()
    }
}

const WORDS: &[&[u8]] = &[
    b"a",
    b"B",
    b"ann",
    b"Bob",
    b"x.test",
    b"@",
    b".",
    b"user",
    b"\xc3\xa9",
    b"\xc3\x89",
    b"1",
    b"-",
];
const ODD: &[&[u8]] = &[
    b"\"",
    b"\\",
    b" ",
    b"#",
    b":",
    b",",
    b"\r",
    b"\x0b",
    b"\xff",
    b"(",
    b")",
    b"[",
    b"]",
    b"<",
    b">",
    b"%",
    b"!",
    b"|",
    b";",
    b"/",
    b"{",
    b"}",
    b"=",
    b"\xc3\x9f",
    b"\xc4\xb0",
    b"$",
];

/// A line of a logical line: often `separator` between two parts, sometimes anything.
fn line(random: &mut Random, separator: &[u8]) -> Vec<u8> {
    let part = |random: &mut Random| {
        let mut part = random.row(WORDS, 1, 3);
        for _ in 0..random.below(3) {
            if random.one_in(3) {
                let at = random.below(part.len() + 1);
                part.splice(at..at, random.pick(ODD).to_vec());
            }
        }
        part
    };
    if random.one_in(6) {
        let mixed: Vec<&[u8]> = WORDS.iter().chain(ODD).copied().collect();
        return random.row(&mixed, 0, 8);
    }
    let mut line = part(random);
    line.extend_from_slice(separator);
    line.extend(part(random));
    line
}

/// A file of lines, comments, blank lines and continuations.
fn file(
    random: &mut Random,
    lines: usize,
    mut line: impl FnMut(&mut Random) -> Vec<u8>,
) -> Vec<u8> {
    let mut file = Vec::new();
    for _ in 0..lines {
        match random.below(12) {
            0 => file.extend_from_slice(b"# comment"),
            1 => file.extend_from_slice(random.pick(&[&b""[..], b"  ", b"\t#c"])),
            2 => {
                file.push(b' ');
                file.extend(line(random));
            }
            _ => file.extend(line(random)),
        }
        file.push(b'\n');
    }
    if random.one_in(4) {
        file.pop();
    }
    file
}

/// A table for postmap(1).
pub(crate) fn map(random: &mut Random) -> Vec<u8> {
    file(random, 25, |random| line(random, b" "))
}

/// An alias file.
pub(crate) fn aliases(random: &mut Random) -> Vec<u8> {
    file(random, 25, |random| {
        let separator = random.pick(&[&b": "[..], b":", b" : ", b": \"|cmd x\", "]);
        line(random, separator)
    })
}

/// No `x`: versions of PCRE2 disagree about `\x` without digits.
const PATTERN: &[&[u8]] = &[
    b"a",
    b"B",
    b"y",
    b".",
    b"*",
    b"+",
    b"?",
    b"(",
    b")",
    b"(a|ab)",
    b"(b)?",
    b"[ab]",
    b"[^a]",
    b"[]y]",
    b"^",
    b"$",
    b"|",
    b"\\.",
    b"\\",
    b"{1,2}",
    b"[[:alpha:]]",
    b"\\/",
    b"@",
    b"\\w",
    b"(.*)",
];
const RESULT: &[&[u8]] = &[
    b"ok", b" ", b"$1", b"${2}", b"$(1)", b"$$", b"$x", b"$0", b"text", b"$1b", b"${1}b", b"x",
    b"y", b"z",
];

fn pattern(random: &mut Random) -> Vec<u8> {
    let delimiter = random.pick(&[&b"/"[..], b"/", b"/", b",", b"!", b"|"]);
    let mut pattern = Vec::new();
    if random.one_in(6) {
        pattern.extend_from_slice(random.pick(&[&b"!"[..], b"! ", b"!!"]));
    }
    pattern.extend_from_slice(delimiter);
    pattern.extend(random.row(PATTERN, 1, 4));
    if !random.one_in(20) {
        pattern.extend_from_slice(delimiter);
    }
    if random.one_in(4) {
        pattern.extend_from_slice(random.pick(&[
            &b"i"[..],
            b"m",
            b"x",
            b"ii",
            b"s",
            b"A",
            b"E",
            b"U",
            b"X",
            b"q",
            b"ix",
        ]));
    }
    pattern
}

/// A regexp or pcre table.
pub(crate) fn patterns(random: &mut Random) -> Vec<u8> {
    file(random, 12, |random| {
        let mut line = Vec::new();
        match random.below(8) {
            0 => {
                line.extend_from_slice(random.pick(&[&b"if "[..], b"IF", b"if  "]));
                line.extend(pattern(random));
            }
            1 => {
                return random
                    .pick(&[&b"endif"[..], b"ENDIF", b"endif x", b"endif "])
                    .to_vec();
            }
            2 if random.one_in(4) => return b"word and more".to_vec(),
            _ => {
                line.extend(pattern(random));
                if random.one_in(10) {
                    line.extend_from_slice(b"!");
                    line.extend(pattern(random));
                }
                line.push(b' ');
                line.extend(random.row(RESULT, 1, 3));
                if random.one_in(20) {
                    line.extend_from_slice(random.pick(&[&b"$"[..], b"${1"]));
                }
            }
        }
        line
    })
}

/// A cidr table.
pub(crate) fn networks(random: &mut Random) -> Vec<u8> {
    const NETWORK: &[&[u8]] = &[
        b"10.0.0.0/8",
        b"10.1.0.0/16",
        b"10.1.2.3",
        b"[10.0.0.0/8]",
        b"[10.1.0.0]/16",
        b"0.0.0.0/0",
        b"::/0",
        b"2001:db8::/32",
        b"[2001:db8::]/32",
        b"::1",
        b"10.0.0.1/8",
        b"10.0.0.0/33",
        b"10.0.0.0/x",
        b"10.0.0",
        b"[::1",
        b"[::1]x",
        b"01.2.3.4",
        b"::ffff:10.1.2.3",
        b"::10.1.2.3/112",
        b"name",
        b"2001:DB8::1/31",
        b"10.1.2.3/032",
        b"1:2:3:4:5:6:7::",
        b"::1:2/64",
        b"10.0.0.0/",
        b"/8",
    ];
    file(random, 12, |random| {
        let mut line = Vec::new();
        let kind = random.below(8);
        match kind {
            0 => line.extend_from_slice(random.pick(&[&b"if "[..], b"IF ", b"if", b"if !"])),
            1 => {
                return random
                    .pick(&[&b"endif"[..], b"ENDIF", b"endif x", b"endif "])
                    .to_vec();
            }
            _ => {}
        }
        if random.one_in(5) {
            line.extend_from_slice(random.pick(&[&b"!"[..], b"! ", b"!!"]));
        }
        line.extend_from_slice(random.pick(NETWORK));
        if kind != 0 || random.one_in(8) {
            line.extend_from_slice(random.pick(&[&b" ok"[..], b"\tREJECT no mail ", b" a b", b""]));
        }
        line
    })
}

/// Addresses to ask a cidr table for.
pub(crate) const ADDRESSES: &[&str] = &[
    "10.1.2.3",
    "10.1.9.9",
    "10.9.9.9",
    "192.0.2.1",
    "::1",
    "2001:db8::1",
    "2001:DB8:0::2",
    "::ffff:10.1.2.3",
    "name",
    "10.1.2",
    "[::1]",
    "::1%lo",
    "010.1.2.3",
    "1:2:3:4:5:6:7:0",
    "2001:db9::",
    "::10.1.2.3",
];

/// Keys to ask a table of patterns for.
pub(crate) fn subjects(random: &mut Random) -> Vec<Vec<u8>> {
    const PARTS: &[&[u8]] = &[
        b"a",
        b"A",
        b"b",
        b"ab",
        b"AB",
        b"y",
        b"Y",
        b".",
        b"@",
        b"/",
        b" ",
        b"\xc3\xa9",
        b"1",
        b"$",
    ];
    (0..30).map(|_| random.row(PARTS, 1, 5)).collect()
}

/// What is no reference.
pub(crate) const MALFORMED: &[&str] = &["x:", ":x", "proxy:", "inline:"];

/// The names of tables that are written in the reference, and of tables made of tables.
pub(crate) fn reference(random: &mut Random, depth: usize) -> String {
    const VALUES: &[&str] = &["a", "B", "b c", "x=y", "", "{z}", "a,b", "\"q r\"", "é"];
    let kind = random.below(if depth == 0 { 4 } else { 7 });
    let pair = |random: &mut Random| {
        let key = random.pick(&["a", "B", "b", "\"q r\"", "é", "c\\ d"]);
        let value = random.pick(VALUES);
        match random.below(4) {
            0 => format!("{key}={value}"),
            1 => format!("{{{key} = {value}}}"),
            2 => format!("{{ {key}={value} }}"),
            _ => format!("{{{key}={value}}}"),
        }
    };
    let list = |items: &[String], random: &mut Random| {
        let separator = random.pick(&[",", " ", ", "]);
        format!("{{{}}}", items.join(separator))
    };
    match kind {
        0 | 1 => {
            let items: Vec<_> = (0..random.below(4)).map(|_| pair(random)).collect();
            format!("inline:{}", list(&items, random))
        }
        2 => format!(
            "static:{}",
            random.pick(&["a", "B", "{ b c }", "{}", "{a", "{a}x", "é"])
        ),
        3 => random
            .pick(&[
                "fail:x",
                "internal:x",
                "regexp:{{/^(.)/ $1}, {!/a/ no}}",
                "pcre:{{/^b/i B}, /c/ d}",
                "cidr:{{10.0.0.0/8 ok}}",
                "regexp:{}",
                "nosuch:x",
                "unix:nosuch",
            ])
            .to_owned(),
        _ => {
            let items: Vec<_> = (0..random.below(4))
                .map(|_| reference(random, depth - 1))
                .collect();
            let kind = random.pick(&["unionmap", "pipemap"]);
            format!("{kind}:{}", list(&items, random))
        }
    }
}
