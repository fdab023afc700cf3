//! What fixes change, as a unified diff that `patch -p1` and `git apply` take.
//!
//! Lines are compared as bytes, so a file need not be UTF-8.

use std::ops::Range;
use std::path::{Component, Path};

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

/// Lines around a change.
const CONTEXT: usize = 3;

/// The difference between two versions of a file; empty when there is none.
///
/// `path` is the path as it is shown, which becomes `a/path` and `b/path`. `mask` is given the text of each
/// line that the diff shows, and gives what to show in its place: a secret need not be printed. A line that
/// it leaves alone keeps its bytes.
pub fn unified(
    path: &Path,
    before: &[u8],
    after: &[u8],
    mask: Option<&dyn Fn(&str) -> String>,
) -> Vec<u8> {
    if before == after {
        return Vec::new();
    }
    let name = shown(path);
    let mut out = format!("--- a/{name}\n+++ b/{name}\n").into_bytes();
    // A table may have millions of lines, of which a fix changes few: only the middle is compared.
    let equal = equal_lines(before, after);
    let head = &before[..equal.start];
    let skipped = memchr::memchr_iter(b'\n', head).count();
    let context = last_lines(head, CONTEXT);
    let skipped = skipped - memchr::memchr_iter(b'\n', &head[context..]).count();
    let old = lines(&before[context..]);
    let new = lines(&after[context..]);
    let tail = memchr::memchr_iter(b'\n', &before[equal.end..])
        .count()
        .saturating_sub(CONTEXT);
    let (old, new) = (&old[..old.len() - tail], &new[..new.len() - tail]);
    let ops = capture_diff_slices(Algorithm::Myers, old, new);
    for hunk in group_diff_ops(ops, CONTEXT) {
        write_hunk(&mut out, &hunk, skipped, old, new, mask);
    }
    out
}

/// The path without what `-p1` would trip over.
fn shown(path: &Path) -> String {
    let parts: Vec<_> = path
        .components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    parts.join("/")
}

/// The lines that differ, as a range of `before`: what precedes and follows are whole lines that are in both.
fn equal_lines(before: &[u8], after: &[u8]) -> Range<usize> {
    let head = before
        .iter()
        .zip(after)
        .take_while(|(old, new)| old == new)
        .count();
    let start = memchr::memrchr(b'\n', &before[..head]).map_or(0, |newline| newline + 1);
    let tail = before[start..]
        .iter()
        .rev()
        .zip(after[start..].iter().rev())
        .take_while(|(old, new)| old == new)
        .count();
    let end = before.len() - tail;
    // The line in which the equal tail begins differs in front of it.
    let end = memchr::memchr(b'\n', &before[end..]).map_or(before.len(), |length| end + length + 1);
    start..end
}

/// Where the last `count` lines of a text that ends in a newline start.
fn last_lines(text: &[u8], count: usize) -> usize {
    memchr::memrchr_iter(b'\n', text)
        .nth(count)
        .map_or(0, |newline| newline + 1)
}

/// The lines with their newlines.
fn lines(text: &[u8]) -> Vec<&[u8]> {
    text.split_inclusive(|&byte| byte == b'\n').collect()
}

fn write_hunk(
    out: &mut Vec<u8>,
    hunk: &[DiffOp],
    skipped: usize,
    old: &[&[u8]],
    new: &[&[u8]],
    mask: Option<&dyn Fn(&str) -> String>,
) {
    let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
        return;
    };
    let old_range = first.old_range().start..last.old_range().end;
    let new_range = first.new_range().start..last.new_range().end;
    let header = format!(
        "@@ -{} +{} @@\n",
        numbers(old_range, skipped),
        numbers(new_range, skipped)
    );
    out.extend_from_slice(header.as_bytes());
    for op in hunk {
        let (tag, removed, added) = op.as_tag_tuple();
        if tag == DiffTag::Equal {
            write_lines(out, b' ', &old[removed], mask);
        } else {
            write_lines(out, b'-', &old[removed], mask);
            write_lines(out, b'+', &new[added], mask);
        }
    }
}

/// A range of lines as a hunk header has it.
fn numbers(range: Range<usize>, skipped: usize) -> String {
    let start = range.start + skipped;
    match range.len() {
        1 => format!("{}", start + 1),
        // No line: the place is behind the line of this number.
        0 => format!("{start},0"),
        length => format!("{},{length}", start + 1),
    }
}

fn write_lines(
    out: &mut Vec<u8>,
    sign: u8,
    lines: &[&[u8]],
    mask: Option<&dyn Fn(&str) -> String>,
) {
    for line in lines {
        out.push(sign);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let shown = String::from_utf8_lossy(text);
        match mask.map(|mask| mask(&shown)) {
            Some(masked) if masked != shown => out.extend_from_slice(masked.as_bytes()),
            _ => out.extend_from_slice(text),
        }
        out.push(b'\n');
        if text.len() == line.len() {
            out.extend_from_slice(b"\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use proptest::prelude::*;

    use super::*;

    fn diff(before: &str, after: &str) -> String {
        let diff = unified(
            "/etc/postfix/./main.cf".as_ref(),
            before.as_bytes(),
            after.as_bytes(),
            None,
        );
        String::from_utf8(diff).expect("tests are UTF-8")
    }

    #[test]
    fn changed_lines_with_three_around() {
        let before = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15";
        let after = "1\n2\n3\n4\n5\nsix\n7\n8\n9\n10\n11\n12\n13\n14\n15\n";
        assert_eq!(
            diff(before, after),
            "--- a/etc/postfix/main.cf\n+++ b/etc/postfix/main.cf\n\
             @@ -3,7 +3,7 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n 9\n\
             @@ -12,4 +12,4 @@\n 12\n 13\n 14\n-15\n\\ No newline at end of file\n+15\n"
        );
        assert_eq!(diff("a\n", "a\n"), "");
        assert_eq!(
            diff("", "a\n"),
            "--- a/etc/postfix/main.cf\n+++ b/etc/postfix/main.cf\n@@ -0,0 +1 @@\n+a\n"
        );
    }

    #[test]
    fn bytes_stay_and_secrets_do_not() {
        let mask = |line: &str| line.replace("secret", "…");
        let diff = unified(
            "t".as_ref(),
            b"\xe9 a\nk secret\n\xe9\n",
            b"\xe9 b\nk secret\n\xe9\n",
            Some(&mask),
        );
        let expected = "--- a/t\n+++ b/t\n@@ -1,3 +1,3 @@\n-E a\n+E b\n k …\n E\n";
        let expected: Vec<u8> = expected
            .bytes()
            .map(|byte| if byte == b'E' { 0xe9 } else { byte })
            .collect();
        assert_eq!(diff, expected);
    }

    /// What patch(1) makes of `before` and a diff; `None` where there is no patch(1).
    fn patched(before: &[u8], diff: &[u8]) -> Option<Vec<u8>> {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("f");
        std::fs::write(&path, before).expect("write");
        let mut patch = Command::new("patch")
            .args(["-s", "-p1", "--binary"])
            .current_dir(directory.path())
            .stdin(Stdio::piped())
            .spawn()
            .ok()?;
        let written = patch.stdin.take().map(|mut input| input.write_all(diff));
        assert!(written.is_some_and(|result| result.is_ok()));
        assert!(patch.wait().expect("patch ends").success());
        // patch(1) removes a file of which nothing is left.
        Some(std::fs::read(&path).unwrap_or_default())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 48, failure_persistence: None, ..ProptestConfig::default()
        })]

        #[test]
        fn patch_takes_it(
            before in "([ab\r]{0,2}\n){0,14}[ab]{0,2}",
            changes in prop::collection::vec((0..16_usize, 0..3_usize, "[ab\n]{0,3}"), 1..4),
        ) {
            let mut after = before.clone();
            for (start, length, new) in changes {
                let start = start.min(after.len());
                let end = (start + length).min(after.len());
                after.replace_range(start..end, &new);
            }
            let diff = unified("f".as_ref(), before.as_bytes(), after.as_bytes(), None);
            prop_assert_eq!(diff.is_empty(), before == after);
            if !diff.is_empty() && let Some(patched) = patched(before.as_bytes(), &diff) {
                prop_assert_eq!(patched, after.as_bytes(), "{}", String::from_utf8_lossy(&diff));
            }
        }
    }
}
