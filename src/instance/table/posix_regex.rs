//! POSIX regular expressions as `regexp:` tables have them: the C library's own `regcomp` and `regexec`,
//! since the C library decides what a pattern means (`src/util/dict_regexp.c`).

// The only way to ask the C library. `Compiled` owns one `regex_t`, made by `regcomp` and given back to
// `regfree`; all pointers handed over live for the length of the call.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char};
use std::mem::MaybeUninit;
use std::ops::Range;

use super::regex::{CompileError, Execution};
use crate::syntax::pattern_table::PatternOptions;

/// A compiled pattern.
pub(super) struct Compiled {
    /// Boxed because the C library may keep pointers into it.
    regex: Box<libc::regex_t>,
    groups: usize,
}

// SAFETY: POSIX requires `regexec` to be safe to call from several threads with one compiled pattern; the
// pattern is not changed after `regcomp`, and `regfree` needs exclusive access.
unsafe impl Send for Compiled {}
// SAFETY: as above.
unsafe impl Sync for Compiled {}

impl std::fmt::Debug for Compiled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiled")
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// Patterns that repeat more than this many pieces, written out, are not compiled: the C library would
/// write them out, and could take all memory.
const MAX_SIZE: u64 = 100_000;

impl Compiled {
    /// Compiles a pattern.
    pub(super) fn new(pattern: &[u8], options: PatternOptions) -> Result<Self, CompileError> {
        let pattern_size = size(pattern, options.extended);
        if pattern_size.written_out > MAX_SIZE {
            return Err(CompileError::TooLarge);
        }
        let Ok(c_pattern) = CString::new(pattern) else {
            return Err(CompileError::Message("NUL in pattern".to_owned()));
        };
        let mut flags = 0;
        for (set, flag) in [
            (options.extended, libc::REG_EXTENDED),
            (options.ignore_case, libc::REG_ICASE),
            (options.multi_line, libc::REG_NEWLINE),
        ] {
            if set {
                flags |= flag;
            }
        }
        let mut regex = Box::new(MaybeUninit::<libc::regex_t>::zeroed());
        // SAFETY: `regex` is writable memory for a regex_t, `c_pattern` ends in NUL.
        let error = unsafe { libc::regcomp(regex.as_mut_ptr(), c_pattern.as_ptr(), flags) };
        if error != 0 {
            // SAFETY: after a failed regcomp, regerror may be given the same regex_t.
            return Err(CompileError::Message(unsafe {
                error_text(error, regex.as_ptr())
            }));
        }
        Ok(Self {
            // SAFETY: regcomp succeeded, so it has initialised the regex_t.
            regex: unsafe { regex.assume_init() },
            groups: pattern_size.groups,
        })
    }

    /// Number of parenthesised groups.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Matches; gives the places of the groups 0 to `groups`.
    pub(super) fn execute(&self, subject: &CStr, groups: usize) -> Execution {
        let none = libc::regmatch_t {
            rm_so: -1,
            rm_eo: -1,
        };
        let mut found = vec![none; groups + 1];
        // SAFETY: `regex` is compiled, `subject` ends in NUL, `found` has as many members as we say.
        let result = unsafe {
            libc::regexec(
                &raw const *self.regex,
                subject.as_ptr(),
                found.len(),
                found.as_mut_ptr(),
                0,
            )
        };
        match result {
            0 => Execution::Match(found.iter().map(place).collect()),
            libc::REG_NOMATCH => Execution::NoMatch,
            // SAFETY: `regex` is compiled.
            error => Execution::Failed(unsafe { error_text(error, &raw const *self.regex) }),
        }
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        // SAFETY: `regex` was made by regcomp and is freed only here.
        unsafe { libc::regfree(&raw mut *self.regex) }
    }
}

fn place(found: &libc::regmatch_t) -> Option<Range<usize>> {
    let start = usize::try_from(found.rm_so).ok()?;
    Some(start..usize::try_from(found.rm_eo).ok()?)
}

/// The C library's text for an error.
///
/// # Safety
/// `regex` has to be one that was given to `regcomp`.
unsafe fn error_text(error: i32, regex: *const libc::regex_t) -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is as long as we say; regerror writes a NUL at its end.
    unsafe {
        libc::regerror(
            error,
            regex,
            buffer.as_mut_ptr().cast::<c_char>(),
            buffer.len(),
        )
    };
    CStr::from_bytes_until_nul(&buffer).map_or_else(
        |_| "unknown error".to_owned(),
        |text| text.to_string_lossy().into_owned(),
    )
}

struct Size {
    /// Number of groups.
    groups: usize,
    /// How many pieces there are when bounded repetitions are written out.
    written_out: u64,
}

/// Counts the groups of a pattern that compiles (the C library knows, but not under one name on all
/// systems) and estimates its size.
fn size(pattern: &[u8], extended: bool) -> Size {
    let mut groups = 0;
    // Sizes of what is open, and of the last atom in it.
    let mut open: Vec<(u64, u64)> = vec![(0, 0)];
    let mut at = 0;
    while let Some(&byte) = pattern.get(at) {
        let escaped = byte == b'\\';
        let byte = if escaped {
            at += 1;
            match pattern.get(at) {
                Some(&byte) => byte,
                None => break,
            }
        } else {
            byte
        };
        let operator = escaped != extended;
        at += 1;
        match byte {
            b'(' if operator => {
                groups += 1;
                open.push((0, 0));
                continue;
            }
            b')' if operator && open.len() > 1 => {
                if let Some((sum, last)) = open.pop()
                    && let Some(outer) = open.last_mut()
                {
                    outer.0 = outer.0.saturating_add(outer.1);
                    outer.1 = sum.saturating_add(last);
                }
                continue;
            }
            b'{' if operator => {
                let (times, length) = repetition(&pattern[at..]);
                if let Some(last) = open.last_mut() {
                    last.1 = last.1.saturating_mul(times.max(1));
                }
                at += length;
                continue;
            }
            // The C library writes `x+` out as `xx*`.
            b'+' if operator => {
                if let Some(last) = open.last_mut() {
                    last.1 = last.1.saturating_mul(2);
                }
                continue;
            }
            b'[' if !escaped => at += bracket_length(&pattern[at..]),
            _ => {}
        }
        if let Some(last) = open.last_mut() {
            *last = (last.0.saturating_add(last.1), 1);
        }
    }
    let written_out = open.iter().fold(0_u64, |total, (sum, last)| {
        total.saturating_add(sum.saturating_add(*last))
    });
    Size {
        groups,
        written_out,
    }
}

/// The largest number in `n,m}` and its length up to the brace.
fn repetition(text: &[u8]) -> (u64, usize) {
    let length = text
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || **byte == b',')
        .count();
    let times = text[..length]
        .split(|&byte| byte == b',')
        .map(|digits| {
            digits.iter().fold(0_u64, |number, digit| {
                number
                    .saturating_mul(10)
                    .saturating_add(u64::from(digit - b'0'))
            })
        })
        .max();
    (times.unwrap_or(1), length)
}

/// Length of a bracket expression after its `[`, with the `]`.
fn bracket_length(text: &[u8]) -> usize {
    let mut at = usize::from(text.first() == Some(&b'^'));
    let mut first = true;
    while let Some(&byte) = text.get(at) {
        if byte == b']' && !first {
            return at + 1;
        }
        first = false;
        let class = text.get(at + 1).copied().filter(|_| byte == b'[');
        if let Some(kind @ (b':' | b'.' | b'=')) = class {
            let close = [kind, b']'];
            let end = text[at + 2..].windows(2).position(|pair| pair == close);
            at = end.map_or(text.len(), |end| at + 2 + end + 2);
        } else {
            at += 1;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENDED: PatternOptions = PatternOptions {
        ignore_case: true,
        multi_line: false,
        extended: true,
        dot_all: false,
        anchored: false,
        dollar_end_only: false,
        ungreedy: false,
    };

    fn execute(pattern: &str, subject: &CStr) -> Execution {
        match Compiled::new(pattern.as_bytes(), EXTENDED) {
            Ok(compiled) => compiled.execute(subject, compiled.groups()),
            Err(error) => panic!("{pattern}: {error:?}"),
        }
    }

    #[test]
    fn leftmost_longest() {
        assert_eq!(
            execute("(a|ab)(c)?", c"xABC"),
            Execution::Match(vec![Some(1..4), Some(1..3), Some(3..4)])
        );
        assert_eq!(execute("^b", c"abc"), Execution::NoMatch);
        assert_eq!(
            execute("a(b)|c(d)", c"cd"),
            Execution::Match(vec![Some(0..2), None, Some(1..2)])
        );
    }

    #[test]
    fn errors_are_those_of_the_library() {
        let error = Compiled::new(b"(", EXTENDED).expect_err("an open group");
        assert!(matches!(error, CompileError::Message(text) if text.starts_with("Unmatched")));
        let huge = Compiled::new(b"((a{255}){255}){255}", EXTENDED);
        assert!(matches!(huge, Err(CompileError::TooLarge)));
    }

    #[test]
    fn groups_are_counted() {
        for (pattern, groups) in [
            ("(a)(b(c))", 3),
            ("\\(a", 0),
            ("[(](a)", 1),
            ("[^](](a)", 1),
            ("[[:alpha:](](a)", 1),
            ("a{2,3}(b)", 1),
        ] {
            assert_eq!(size(pattern.as_bytes(), true).groups, groups, "{pattern}");
        }
        assert_eq!(size(b"\\(a\\)(b)", false).groups, 1);
    }
}
