//! Findings as rustc shows its own: the place, further places, what goes with it, and the change that mends
//! it.

use std::io::{self, Write};
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use colored::Colorize;

use super::Entry;
use super::change;
use super::excerpt::Excerpt;
use super::place::shown_path;
use super::visible::visible;
use crate::finding::{Safety, Severity};
use crate::source::{FileId, Span};

/// Places of one file that are further apart than this, in bytes, are shown in snippets of their own.
const GAP: usize = 8_000;
/// Of a span with more lines than this, the first line is marked.
const MARKED_LINES: usize = 60;

pub(super) fn write(entries: &[Entry<'_>], color: bool, out: &mut dyn Write) -> io::Result<()> {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    for entry in entries {
        let mut moved = Vec::new();
        let report = [group(entry, &mut moved)];
        let text = with_true_places(renderer.render(&report), &moved);
        writeln!(out, "{text}")?;
        write_fixes(entry, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Places of one file, near each other.
struct Places {
    file: FileId,
    marks: Vec<Mark>,
}

struct Mark {
    range: Range<usize>,
    label: Option<String>,
    is_primary: bool,
}

/// A place as the renderer counts it in a line that was cut, and as it is in the file: `file:line:column`.
struct Moved {
    shown: String,
    real: String,
}

/// The places in front of snippets as they are in the file.
fn with_true_places(text: String, moved: &[Moved]) -> String {
    if moved.is_empty() {
        return text;
    }
    let is_place = |line: &str| line.contains("--> ") || line.contains("::: ");
    text.split('\n')
        .map(|line| {
            let moved = moved.iter().find(|moved| line.contains(&moved.shown));
            match moved.filter(|_| is_place(line)) {
                Some(moved) => line.replacen(&moved.shown, &moved.real, 1),
                None => line.to_owned(),
            }
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn group<'a>(entry: &Entry<'_>, moved: &mut Vec<Moved>) -> Group<'a> {
    let finding = &entry.finding;
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level
        .primary_title(entry.text(&finding.message))
        .id(finding.rule.name);
    let mut group = Group::with_title(title);
    for places in places(entry) {
        group = group.element(snippet(entry, &places, moved));
    }
    for note in &finding.notes {
        group = group.element(Level::NOTE.message(entry.text(note)));
    }
    if let Some(service) = &finding.service {
        group = group.element(
            Level::NOTE
                .with_name("service")
                .message(entry.text(service)),
        );
    }
    if let Some(witness) = &finding.witness {
        group = group.element(
            Level::NOTE
                .with_name("witness")
                .message(entry.text(witness)),
        );
    }
    group.element(Level::HELP.message(format!("postlint explain {}", finding.rule.name)))
}

/// The places of a finding by file, the primary one first, in the order in which they are given.
fn places(entry: &Entry<'_>) -> Vec<Places> {
    let finding = &entry.finding;
    let mut all = vec![Places {
        file: finding.span.file,
        marks: vec![Mark {
            range: marked(entry, finding.span),
            label: None,
            is_primary: true,
        }],
    }];
    for related in &finding.related {
        let range = marked(entry, related.span);
        let near = all.iter_mut().find(|places| {
            places.file == related.span.file
                && places.marks.iter().any(|mark| {
                    let (first, last) = if mark.range.start <= range.start {
                        (&mark.range, &range)
                    } else {
                        (&range, &mark.range)
                    };
                    last.start.saturating_sub(first.end) <= GAP
                })
        });
        let mark = Mark {
            range,
            label: Some(entry.text(&related.message)),
            is_primary: false,
        };
        match near {
            Some(places) => places.marks.push(mark),
            None => all.push(Places {
                file: related.span.file,
                marks: vec![mark],
            }),
        }
    }
    all
}

/// What is marked of a span: all of it, or the first line when there is too much of it.
fn marked(entry: &Entry<'_>, span: Span) -> Range<usize> {
    let source = entry.sources.get(span.file);
    let bytes = source.bytes();
    let end = span.end.min(bytes.len());
    let start = span.start.min(end);
    // A newline at the end belongs to no line that could be marked.
    let end = if end > start && bytes[end - 1] == b'\n' {
        end - 1
    } else {
        end
    };
    match memchr::memchr_iter(b'\n', &bytes[start..end]).nth(MARKED_LINES) {
        Some(_) => {
            let first = memchr::memchr(b'\n', &bytes[start..end]);
            start..first.map_or(end, |length| start + length)
        }
        None => start..end,
    }
}

fn snippet<'a>(
    entry: &Entry<'_>,
    places: &Places,
    moved: &mut Vec<Moved>,
) -> Snippet<'a, Annotation<'a>> {
    let source = entry.sources.get(places.file);
    let ranges: Vec<_> = places.marks.iter().map(|mark| mark.range.clone()).collect();
    let excerpt = Excerpt::of(&source, entry.secrets, &ranges);
    let path = visible(&shown_path(&source)).into_owned();
    for range in &ranges {
        let real = source.line_column(range.start);
        let column = excerpt.column(range.start);
        if column != real.column {
            let place = |column: usize| format!("{path}:{}:{column}", real.line);
            moved.push(Moved {
                shown: place(column),
                real: place(real.column),
            });
        }
    }
    let annotations: Vec<_> = places
        .marks
        .iter()
        .map(|mark| {
            let kind = if mark.is_primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(excerpt.range(&mark.range))
                .label(mark.label.clone())
        })
        .collect();
    Snippet::source(excerpt.text)
        .path(path)
        .line_start(excerpt.first_line)
        .annotations(annotations)
}

fn write_fixes(entry: &Entry<'_>, out: &mut dyn Write) -> io::Result<()> {
    for fix in &entry.finding.fixes {
        let how = match fix.safety {
            Safety::Safe => " [--fix]",
            Safety::Unsafe => " [--fix --unsafe-fixes]",
            Safety::DisplayOnly => "",
        };
        let head = if fix.safety == Safety::DisplayOnly {
            "choice"
        } else {
            "fix"
        };
        writeln!(
            out,
            "{}{} {}{}",
            head.cyan().bold(),
            ":".bold(),
            entry.text(&fix.title),
            how.dimmed()
        )?;
        change::write(entry, fix, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Findings;
    use crate::report::secret::Secrets;
    use crate::rules;
    use crate::source::Sources;

    /// Renders a finding about these places of these bytes, with a fix that changes the first.
    fn rendered(bytes: &[u8], primary: Range<usize>, related: &[Range<usize>]) -> String {
        let sources = Sources::default();
        let source = sources.add("main.cf".into(), bytes.to_vec(), None);
        let rule = rules::all().next().expect("there are rules");
        let mut findings = Findings::default();
        let finding = findings.add(rule, source.span_of(primary.clone()), source.text());
        for range in related {
            finding.related(source.span_of(range.clone()), "here");
        }
        finding.fix(
            "mend it",
            Safety::Safe,
            [crate::edits::replace_span(
                source.span_of(primary),
                "x\x1by\n",
            )],
        );
        let secrets = Secrets::default();
        let entries: Vec<_> = findings
            .into_vec()
            .into_iter()
            .map(|finding| Entry {
                finding: std::borrow::Cow::Owned(finding),
                sources: &sources,
                secrets: &secrets,
            })
            .collect();
        let mut out = Vec::new();
        colored::control::set_override(false);
        write(&entries, false, &mut out).expect("a vector takes all");
        String::from_utf8(out).expect("text")
    }

    /// Bytes with much of what is difficult.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            Just(b"\n".to_vec()),
            Just(b"\r\n".to_vec()),
            Just(b"\t".to_vec()),
            Just(b"\0".to_vec()),
            Just(b"\x1b[31m".to_vec()),
            Just("\u{9b}é\u{202e}漢".as_bytes().to_vec()),
            Just(vec![b'x'; 300]),
            Just(b" a = b, c".to_vec()),
            proptest::collection::vec(any::<u8>(), 0..4),
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn anything_can_be_shown(
            bytes in bytes(),
            places in proptest::collection::vec((0_usize..2_000, 0_usize..50), 1..4),
        ) {
            let range = |&(start, length): &(usize, usize)| {
                let start = start % (bytes.len() + 1);
                start..(start + length).min(bytes.len())
            };
            let ranges: Vec<_> = places.iter().map(range).collect();
            let text = rendered(&bytes, ranges[0].clone(), &ranges[1..]);
            prop_assert!(
                text.chars().all(|c| c == '\n' || super::super::visible::stand_in(c).is_none()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn the_place_in_a_cut_line_is_that_in_the_file() {
        let mut text = vec![b'x'; 1_000];
        text.extend_from_slice(b"\r\n");
        text.extend(vec![b'y'; 1_000]);
        let shown = rendered(&text, 500..501, std::slice::from_ref(&(1_700..1_702)));
        assert!(shown.contains("--> main.cf:1:501\n"), "{shown}");
        let shown = rendered(&text, 1_700..1_702, &[]);
        assert!(shown.contains("--> main.cf:2:699\n"), "{shown}");
    }

    #[test]
    fn a_setting_of_many_lines_shows_the_first() {
        let mut text = b"mynetworks =\n".to_vec();
        for _ in 0..10_000 {
            text.extend_from_slice(b"  192.0.2.1\n");
        }
        let end = text.len();
        assert!(rendered(&text, 0..end, &[]).lines().count() < 60);
    }
}
