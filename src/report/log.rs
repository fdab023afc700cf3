//! What a mail log says, as text for people or one JSON object for programs.

use std::io::{self, Write};

use colored::Colorize;
use serde::Serialize;

use super::place::shown_path;
use super::secret::Secrets;
use super::visible::visible;
use crate::live::maillog::{Because, Bucket, Counts, LogReport, Now, Seen};
use crate::source::{Sources, Span};

/// So many of a list are shown to people.
const SHOWN: usize = 10;
/// More rows of the histogram are put together by days, then by tens.
const ROWS: usize = 50;
/// The width of the longest bar.
const BAR: u64 = 40;

/// The report. Fields may be added; none is changed or removed.
#[derive(Serialize)]
struct LogV1<'r> {
    version: u32,
    lines: u64,
    postfix_lines: u64,
    first: Option<&'r str>,
    last: Option<&'r str>,
    counts: CountsV1,
    refused_by_others: Vec<RefusedV1<'r>>,
    backscatter: Vec<BackscatterV1<'r>>,
    notices: NoticesV1,
    accepted_unknown: Vec<AcceptedUnknownV1<'r>>,
    null_sender_deferred: Vec<NullSenderV1<'r>>,
    /// Messages with the null sender that were in the queue at the end of the log.
    null_sender_left: u64,
    attacks: Vec<AttackV1<'r>>,
    messages: Vec<MessageV1<'r>>,
    histogram: Vec<BucketV1<'r>>,
    damaged: Vec<DamageV1<'r>>,
    /// What did not fit into the lists.
    left_out: u64,
}

#[derive(Serialize)]
struct CountsV1 {
    received: u64,
    sent: u64,
    bounced: u64,
    deferred: u64,
    expired: u64,
    rejected: u64,
    warnings: u64,
    errors: u64,
    fatals: u64,
    panics: u64,
}

#[derive(Serialize)]
struct RefusedV1<'r> {
    remote: &'r str,
    code: u16,
    dsn: &'r str,
    text: &'r str,
    reason: &'static str,
    count: u64,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct BackscatterV1<'r> {
    recipient: &'r str,
    count: u64,
    rule: Option<&'static str>,
    file: Option<String>,
    line: Option<usize>,
    /// What the configuration does with such mail now: bounces, refused, delivered, unknown; null without one.
    now: Option<&'static str>,
    sent: u64,
    deferred: u64,
    delay: u64,
    client: &'r str,
    sender: &'r str,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct NoticesV1 {
    strangers: u64,
    sent: u64,
    deferred: u64,
    bounced: u64,
    delay: u64,
    own: u64,
    unknown: u64,
}

#[derive(Serialize)]
struct AcceptedUnknownV1<'r> {
    recipient: &'r str,
    program: &'r str,
    text: &'r str,
    count: u64,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct NullSenderV1<'r> {
    domain: &'r str,
    text: &'r str,
    count: u64,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct AttackV1<'r> {
    client: &'r str,
    recipients: usize,
    /// There were no more recipients than that.
    exact: bool,
    count: u64,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct MessageV1<'r> {
    severity: &'static str,
    program: &'r str,
    text: String,
    rule: Option<&'static str>,
    count: u64,
    first: &'r str,
    last: &'r str,
}

#[derive(Serialize)]
struct BucketV1<'r> {
    stamp: &'r str,
    #[serde(flatten)]
    counts: CountsV1,
}

#[derive(Serialize)]
struct DamageV1<'r> {
    file: &'r str,
    text: &'r str,
}

impl CountsV1 {
    fn of(counts: &Counts) -> Self {
        Self {
            received: counts.received,
            sent: counts.sent,
            bounced: counts.bounced,
            deferred: counts.deferred,
            expired: counts.expired,
            rejected: counts.rejected,
            warnings: counts.warnings,
            errors: counts.errors,
            fatals: counts.fatals,
            panics: counts.panics,
        }
    }
}

/// Writes what a log says.
#[derive(Debug)]
pub struct LogWriter<'w> {
    report: &'w LogReport,
    because: &'w [Because],
    sources: Option<&'w Sources>,
    secrets: &'w Secrets,
}

impl<'w> LogWriter<'w> {
    /// For a report, with the causes of its first notices, which point into `sources`.
    pub fn new(
        report: &'w LogReport,
        because: &'w [Because],
        sources: Option<&'w Sources>,
        secrets: &'w Secrets,
    ) -> Self {
        Self {
            report,
            because,
            sources,
            secrets,
        }
    }

    /// One JSON object.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let report = self.report;
        let notices = report.notices;
        let log = LogV1 {
            version: 1,
            lines: report.lines,
            postfix_lines: report.postfix_lines,
            first: report.first.as_deref(),
            last: report.last.as_deref(),
            counts: CountsV1::of(&report.counts),
            refused_by_others: (report.refused_by_others.iter())
                .map(|refused| RefusedV1 {
                    remote: &refused.remote,
                    code: refused.code,
                    dsn: &refused.dsn,
                    text: &refused.text,
                    reason: refused.reason.name(),
                    count: refused.seen.count,
                    first: &refused.seen.first,
                    last: &refused.seen.last,
                })
                .collect(),
            backscatter: (report.backscatter.iter().enumerate())
                .map(|(index, one)| {
                    let because = self.because.get(index);
                    let place = because.and_then(|because| self.place(because.span));
                    let (file, line) = place.unzip();
                    BackscatterV1 {
                        recipient: &one.recipient,
                        count: one.seen.count,
                        rule: because.and_then(|because| because.rule),
                        file,
                        line,
                        now: because.map(|because| because.now.name()),
                        sent: one.sent,
                        deferred: one.deferred,
                        delay: one.delay,
                        client: &one.client,
                        sender: &one.sender,
                        first: &one.seen.first,
                        last: &one.seen.last,
                    }
                })
                .collect(),
            notices: NoticesV1 {
                strangers: notices.strangers,
                sent: notices.sent,
                deferred: notices.deferred,
                bounced: notices.bounced,
                delay: notices.delay,
                own: notices.own,
                unknown: notices.unknown,
            },
            accepted_unknown: (report.accepted_unknown.iter())
                .map(|one| AcceptedUnknownV1 {
                    recipient: &one.recipient,
                    program: &one.program,
                    text: &one.text,
                    count: one.seen.count,
                    first: &one.seen.first,
                    last: &one.seen.last,
                })
                .collect(),
            null_sender_deferred: (report.null_sender_deferred.iter())
                .map(|one| NullSenderV1 {
                    domain: &one.domain,
                    text: &one.text,
                    count: one.seen.count,
                    first: &one.seen.first,
                    last: &one.seen.last,
                })
                .collect(),
            null_sender_left: report.null_sender_left,
            attacks: (report.attacks.iter())
                .map(|attack| AttackV1 {
                    client: &attack.client,
                    recipients: attack.recipients,
                    exact: attack.is_exact,
                    count: attack.seen.count,
                    first: &attack.seen.first,
                    last: &attack.seen.last,
                })
                .collect(),
            messages: (report.complaints.iter())
                .map(|one| MessageV1 {
                    severity: one.severity.name(),
                    program: &one.program,
                    text: self.secrets.hide(&one.text),
                    rule: one.rule,
                    count: one.seen.count,
                    first: &one.seen.first,
                    last: &one.seen.last,
                })
                .collect(),
            histogram: (report.histogram.iter())
                .map(|bucket| BucketV1 {
                    stamp: &bucket.stamp,
                    counts: CountsV1::of(&bucket.counts),
                })
                .collect(),
            damaged: (report.damages.iter())
                .map(|damage| DamageV1 {
                    file: &damage.input,
                    text: &damage.reason,
                })
                .collect(),
            left_out: report.left_out,
        };
        serde_json::to_writer(&mut *out, &log)?;
        out.write_all(b"\n")
    }

    /// The sums, the histogram, and what is to be mended, for people.
    ///
    /// # Errors
    /// `out` cannot be written to.
    pub fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.sums(out)?;
        self.histogram(out)?;
        self.refused(out)?;
        self.backscatter(out)?;
        self.rest(out)
    }

    fn sums(&self, out: &mut dyn Write) -> io::Result<()> {
        let (report, counts) = (self.report, &self.report.counts);
        write!(out, "{} lines", grouped(report.lines))?;
        if let (Some(first), Some(last)) = (&report.first, &report.last) {
            write!(out, ", {} to {}", visible(first), visible(last))?;
        }
        writeln!(out)?;
        if report.postfix_lines == 0 {
            return writeln!(out, "none of them is of Postfix");
        }
        let numbers = [
            ("received", counts.received),
            ("sent", counts.sent),
            ("bounced", counts.bounced),
            ("deferred", counts.deferred),
            ("expired", counts.expired),
            ("rejected", counts.rejected),
            ("warnings", counts.warnings),
            ("errors", counts.errors),
            ("fatals", counts.fatals),
            ("panics", counts.panics),
        ];
        let numbers = numbers.iter().filter(|(_, number)| *number > 0);
        let numbers: Vec<String> = numbers
            .map(|(name, number)| format!("{name} {}", grouped(*number)))
            .collect();
        writeln!(out, "{}", numbers.join(", "))
    }

    fn histogram(&self, out: &mut dyn Write) -> io::Result<()> {
        let rows = rows(&self.report.histogram);
        let most = rows
            .iter()
            .map(|(_, counts)| bad(counts))
            .max()
            .unwrap_or(0);
        if rows.len() < 2 {
            return Ok(());
        }
        writeln!(
            out,
            "\n{}",
            format!(
                "{:13} {:>10} {:>10} {:>10} {:>10}  bounced and deferred",
                "", "received", "rejected", "bounced", "deferred"
            )
            .bold()
        )?;
        for (stamp, counts) in rows {
            let length = (bad(&counts) * BAR).checked_div(most).unwrap_or(0);
            let bar = "█".repeat(usize::try_from(length).unwrap_or(0));
            let line = format!(
                "{:13} {:>10} {:>10} {:>10} {:>10}  {}",
                visible(&stamp),
                grouped(counts.received),
                grouped(counts.rejected),
                grouped(counts.bounced),
                grouped(counts.deferred),
                bar.red()
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn refused(&self, out: &mut dyn Write) -> io::Result<()> {
        let list = &self.report.refused_by_others;
        let sum: u64 = list.iter().map(|refused| refused.seen.count).sum();
        if list.is_empty() {
            return Ok(());
        }
        let title = format!(
            "others refuse our mail because of our address: {} times",
            grouped(sum)
        );
        writeln!(out, "\n{}", title.red().bold())?;
        for one in list.iter().take(SHOWN) {
            let code = match one.code {
                0 => String::new(),
                code => format!("{code} "),
            };
            writeln!(
                out,
                "  {:>7}  {}: {code}{} ({}){}",
                grouped(one.seen.count),
                visible(&one.remote).bold(),
                visible(&one.dsn),
                one.reason.name(),
                period(&one.seen)
            )?;
            writeln!(out, "           {}", visible(&cut(&one.text)))?;
        }
        more(list.len(), out)
    }

    fn backscatter(&self, out: &mut dyn Write) -> io::Result<()> {
        let (list, notices) = (&self.report.backscatter, &self.report.notices);
        if list.is_empty() {
            return Ok(());
        }
        let title = format!(
            "we sent notices to strangers: {} ({} taken, {} waiting)",
            grouped(notices.strangers),
            grouped(notices.sent),
            grouped(notices.deferred)
        );
        writeln!(out, "\n{}", title.red().bold())?;
        for (index, one) in list.iter().take(SHOWN).enumerate() {
            let recipient = match one.recipient.as_str() {
                "" => "(the log does not say for whom)".to_owned(),
                recipient => format!("because of {}", visible(recipient).bold()),
            };
            writeln!(
                out,
                "  {:>7}  {recipient}{}",
                grouped(one.seen.count),
                period(&one.seen)
            )?;
            let Some(because) = self.because.get(index) else {
                continue;
            };
            let mut parts = Vec::new();
            if let Some(rule) = because.rule {
                parts.push(rule.to_owned());
            }
            if let Some((file, line)) = self.place(because.span) {
                parts.push(format!("{}:{line}", visible(&file)).cyan().to_string());
            }
            parts.push(
                match because.now {
                    Now::Bounces => "it would happen again",
                    Now::Refused => "refused today: this was mended",
                    Now::Delivered => "delivered today",
                    Now::Unknown => "what happens today cannot be known",
                }
                .to_owned(),
            );
            writeln!(out, "           {}", parts.join(", "))?;
        }
        more(list.len(), out)
    }

    fn rest(&self, out: &mut dyn Write) -> io::Result<()> {
        let report = self.report;
        let list = &report.accepted_unknown;
        if !list.is_empty() {
            let sum: u64 = list.iter().map(|one| one.seen.count).sum();
            let title = format!("accepted for recipients who do not exist: {}", grouped(sum));
            writeln!(out, "\n{}", title.yellow().bold())?;
            for one in list.iter().take(SHOWN) {
                let text = format!("{} ({}: {})", one.recipient, one.program, cut(&one.text));
                writeln!(out, "  {:>7}  {}", grouped(one.seen.count), visible(&text))?;
            }
            more(list.len(), out)?;
        }
        let list = &report.null_sender_deferred;
        if !list.is_empty() {
            let sum: u64 = list.iter().map(|one| one.seen.count).sum();
            let title = format!(
                "notices that nobody takes: {} put off, {} in the queue at the end",
                grouped(sum),
                grouped(report.null_sender_left)
            );
            writeln!(out, "\n{}", title.yellow().bold())?;
            for one in list.iter().take(SHOWN) {
                let text = format!("{} ({})", one.domain, cut(&one.text));
                writeln!(out, "  {:>7}  {}", grouped(one.seen.count), visible(&text))?;
            }
            more(list.len(), out)?;
        }
        let list = &report.attacks;
        if !list.is_empty() {
            let title = format!("clients that try names: {}", list.len());
            writeln!(out, "\n{}", title.yellow().bold())?;
            for one in list.iter().take(SHOWN) {
                let least = if one.is_exact { "" } else { "at least " };
                writeln!(
                    out,
                    "  {:>7}  {}: {least}{} recipients{}",
                    grouped(one.seen.count),
                    visible(&one.client),
                    grouped(one.recipients as u64),
                    period(&one.seen)
                )?;
            }
            more(list.len(), out)?;
        }
        let list = &report.complaints;
        if !list.is_empty() {
            writeln!(
                out,
                "\n{}",
                "Postfix about its configuration".yellow().bold()
            )?;
            for one in list.iter().take(SHOWN) {
                let rule = one.rule.map_or(String::new(), |rule| format!(" [{rule}]"));
                let text = format!("{}: {}: {}", one.program, one.severity.name(), one.text);
                let text = self.secrets.hide(&cut(&text));
                writeln!(
                    out,
                    "  {:>7}  {}{rule}",
                    grouped(one.seen.count),
                    visible(&text)
                )?;
            }
            more(list.len(), out)?;
        }
        if report.refused_by_others.is_empty() && report.backscatter.is_empty() {
            writeln!(out, "\n{}", "nothing of ours to mend".green())?;
        }
        Ok(())
    }

    fn place(&self, span: Option<Span>) -> Option<(String, usize)> {
        let (sources, span) = (self.sources?, span?);
        let source = sources.get(span.file);
        Some((shown_path(&source), source.line_column(span.start).line))
    }
}

fn bad(counts: &Counts) -> u64 {
    counts.bounced + counts.deferred
}

/// The rows that are shown: hours, or days, or so many days together that they fit.
fn rows(buckets: &[Bucket]) -> Vec<(String, Counts)> {
    let mut rows: Vec<(String, Counts)> = Vec::new();
    let by_day = buckets.len() > ROWS;
    for bucket in buckets {
        let stamp = match bucket.stamp.len() {
            13 if by_day => bucket.stamp.get(..10),
            9 if by_day => bucket.stamp.get(..6),
            _ => None,
        };
        let stamp = stamp.unwrap_or(&bucket.stamp);
        match rows.last_mut().filter(|(last, _)| last == stamp) {
            Some((_, sum)) => sum.add(&bucket.counts),
            None => rows.push((stamp.to_owned(), bucket.counts)),
        }
    }
    let together = rows.len().div_ceil(ROWS).max(1);
    let sums = rows.chunks(together).filter_map(|chunk| {
        let (stamp, _) = chunk.first()?;
        let mut sum = Counts::default();
        chunk.iter().for_each(|(_, counts)| sum.add(counts));
        Some((stamp.clone(), sum))
    });
    sums.collect()
}

fn period(seen: &Seen) -> String {
    if seen.first == seen.last {
        format!(", {}", visible(&seen.first))
    } else {
        format!(", {} to {}", visible(&seen.first), visible(&seen.last))
    }
}

pub(super) fn more(length: usize, out: &mut dyn Write) -> io::Result<()> {
    match length.checked_sub(SHOWN) {
        Some(more) if more > 0 => {
            writeln!(
                out,
                "           and {} more (--format json has all)",
                grouped(more as u64)
            )
        }
        _ => Ok(()),
    }
}

/// The start of a text that is too long for a line or two.
pub(super) fn cut(text: &str) -> String {
    const LONGEST: usize = 160;
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} …", &text[..at]),
        None => text.to_owned(),
    }
}

/// A number with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_commas() {
        assert_eq!(
            ["0", "999", "1,000", "12,403", "1,234,567"].map(String::from),
            [0, 999, 1_000, 12_403, 1_234_567].map(grouped)
        );
    }

    #[test]
    fn many_hours_are_days() {
        let buckets: Vec<Bucket> = (0..120)
            .map(|hour| Bucket {
                stamp: format!("Nov {:2} {:02}", hour / 24 + 1, hour % 24),
                counts: Counts {
                    received: 1,
                    ..Counts::default()
                },
            })
            .collect();
        let rows = rows(&buckets);
        assert_eq!(rows.len(), 5);
        assert_eq!((rows[1].0.as_str(), rows[1].1.received), ("Nov  2", 24));
    }
}
