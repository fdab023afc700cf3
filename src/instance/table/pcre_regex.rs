//! Perl-compatible regular expressions as `pcre:` tables have them: PCRE2 with 8-bit characters, without
//! UTF, without just-in-time compilation (`src/util/dict_pcre.c`).

// The `pcre2` crate knows neither ungreedy nor dollar-end-only patterns, so its C interface is used.
// `Compiled` owns one code object; all pointers handed over live for the length of the call.
#![allow(unsafe_code)]

use std::ops::Range;
use std::ptr::{NonNull, null_mut};

use pcre2_sys::{
    PCRE2_ANCHORED, PCRE2_CASELESS, PCRE2_DOLLAR_ENDONLY, PCRE2_DOTALL, PCRE2_ERROR_NOMATCH,
    PCRE2_EXTENDED, PCRE2_INFO_CAPTURECOUNT, PCRE2_MULTILINE, PCRE2_UNGREEDY, PCRE2_UNSET,
    pcre2_code_8, pcre2_code_free_8, pcre2_compile_8, pcre2_get_error_message_8,
    pcre2_get_ovector_pointer_8, pcre2_match_8, pcre2_match_data_create_from_pattern_8,
    pcre2_match_data_free_8, pcre2_pattern_info_8,
};

use super::regex::{CompileError, Execution};
use crate::syntax::pattern_table::PatternOptions;

/// A compiled pattern.
pub(super) struct Compiled {
    code: NonNull<pcre2_code_8>,
    groups: usize,
}

// SAFETY: pcre2api(3), "Multithreading": compiled code is read-only during matching, and each match here
// has match data of its own.
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

impl Compiled {
    /// Compiles a pattern.
    pub(super) fn new(pattern: &[u8], options: PatternOptions) -> Result<Self, CompileError> {
        let mut flags = 0;
        for (set, flag) in [
            (options.ignore_case, PCRE2_CASELESS),
            (options.multi_line, PCRE2_MULTILINE),
            (options.dot_all, PCRE2_DOTALL),
            (options.extended, PCRE2_EXTENDED),
            (options.anchored, PCRE2_ANCHORED),
            (options.dollar_end_only, PCRE2_DOLLAR_ENDONLY),
            (options.ungreedy, PCRE2_UNGREEDY),
        ] {
            if set {
                flags |= flag;
            }
        }
        let mut error = 0;
        let mut offset = 0;
        // SAFETY: pattern and length describe a slice; the context may be null.
        let code = unsafe {
            pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                flags,
                &raw mut error,
                &raw mut offset,
                null_mut(),
            )
        };
        let Some(code) = NonNull::new(code) else {
            return Err(CompileError::Message(format!(
                "error in regex at offset {offset}: {}",
                error_text(error)
            )));
        };
        let mut groups = 0_u32;
        // SAFETY: the code is valid, and this item is written as a u32.
        unsafe {
            pcre2_pattern_info_8(
                code.as_ptr(),
                PCRE2_INFO_CAPTURECOUNT,
                (&raw mut groups).cast(),
            )
        };
        Ok(Self {
            code,
            groups: usize::try_from(groups).unwrap_or(usize::MAX),
        })
    }

    /// Number of parenthesised groups.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// Matches; gives the places of the groups 0 to `groups`.
    pub(super) fn execute(&self, subject: &[u8], groups: usize) -> Execution {
        // SAFETY: the code is valid; the result is freed below.
        let data =
            unsafe { pcre2_match_data_create_from_pattern_8(self.code.as_ptr(), null_mut()) };
        if data.is_null() {
            return Execution::Failed("no more memory".to_owned());
        }
        // SAFETY: subject and length describe a slice; code and match data are valid.
        let count = unsafe {
            pcre2_match_8(
                self.code.as_ptr(),
                subject.as_ptr(),
                subject.len(),
                0,
                0,
                data,
                null_mut(),
            )
        };
        let execution = if count > 0 {
            // SAFETY: made from the pattern, the vector has a pair for the match and for each group.
            let places = unsafe {
                std::slice::from_raw_parts(pcre2_get_ovector_pointer_8(data), 2 * (self.groups + 1))
            };
            Execution::Match(places.chunks(2).take(groups + 1).map(place).collect())
        } else if count == PCRE2_ERROR_NOMATCH {
            Execution::NoMatch
        } else {
            Execution::Failed(error_text(count))
        };
        // SAFETY: created above, not used after this.
        unsafe { pcre2_match_data_free_8(data) };
        execution
    }
}

impl Drop for Compiled {
    fn drop(&mut self) {
        // SAFETY: made by pcre2_compile_8 and freed only here.
        unsafe { pcre2_code_free_8(self.code.as_ptr()) }
    }
}

fn place(pair: &[usize]) -> Option<Range<usize>> {
    match *pair {
        [PCRE2_UNSET, _] => None,
        // `\K` in a lookaround may give a start after the end.
        [start, end] if start <= end => Some(start..end),
        _ => None,
    }
}

/// The library's text for an error.
fn error_text(error: i32) -> String {
    let mut buffer = [0_u8; 256];
    // SAFETY: the buffer is as long as we say.
    let length = unsafe { pcre2_get_error_message_8(error, buffer.as_mut_ptr(), buffer.len()) };
    match usize::try_from(length) {
        Ok(length) if length > 0 && length <= buffer.len() => {
            String::from_utf8_lossy(&buffer[..length]).into_owned()
        }
        _ => format!("unexpected pcre2 error code {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: PatternOptions = PatternOptions {
        ignore_case: true,
        multi_line: false,
        extended: false,
        dot_all: true,
        anchored: false,
        dollar_end_only: false,
        ungreedy: false,
    };

    fn execute(pattern: &str, options: PatternOptions, subject: &str) -> Execution {
        match Compiled::new(pattern.as_bytes(), options) {
            Ok(compiled) => compiled.execute(subject.as_bytes(), compiled.groups()),
            Err(error) => panic!("{pattern}: {error:?}"),
        }
    }

    #[test]
    fn leftmost_first() {
        assert_eq!(
            execute("(a|ab)(c)?", USUAL, "xABC"),
            Execution::Match(vec![Some(1..2), Some(1..2), None])
        );
        let ungreedy = PatternOptions {
            ungreedy: true,
            ..USUAL
        };
        assert_eq!(
            execute("a+", ungreedy, "aaa"),
            Execution::Match(vec![Some(0..1)])
        );
    }

    #[test]
    fn errors_are_those_of_the_library() {
        let Err(CompileError::Message(text)) = Compiled::new(b"a(", USUAL) else {
            panic!("an open group");
        };
        assert_eq!(
            text,
            "error in regex at offset 2: missing closing parenthesis"
        );
        let endless = execute("(a+)+$", USUAL, &("a".repeat(60) + "b"));
        assert!(matches!(endless, Execution::Failed(_)), "{endless:?}");
    }
}
