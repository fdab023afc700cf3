//! What is in the queue and not wanted: counted by cause, destination and day of arrival, or as JSON with each
//! message. Messages are written as they come, so that memory does not grow with the queue.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use super::{shown_path, visible};
use crate::live::queue::{Arrival, Kind, Listing, Message, Refusal};
use crate::source::Sources;

/// So many different destinations are counted one by one; the others are counted together.
const MOST_DESTINATIONS: usize = 20_000;
/// So many of these, and so many messages, are shown as text.
const MOST_SHOWN: usize = 20;
const OTHERS: &str = "(others)";
const NOTICE: &str = "notice to a stranger";

/// Writes the report on a queue.
#[derive(Debug)]
pub struct QueueWriter<'s> {
    sources: &'s Sources,
    is_json: bool,
    found: u64,
    causes: BTreeMap<String, u64>,
    destinations: BTreeMap<String, u64>,
    days: BTreeMap<Day, u64>,
    shown: Vec<String>,
}

/// A day of arrival: text has no year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Day {
    SinceEpoch(i64),
    OfSomeYear(usize, u8),
    Unknown,
}

#[derive(Serialize)]
struct MessageV1<'m> {
    queue_id: &'m str,
    queue_name: Option<&'m str>,
    arrival_time: ArrivalV1<'m>,
    message_size: u64,
    sender: &'m str,
    recipients: Vec<&'m str>,
    /// `notice` or `refused`.
    kind: &'static str,
    cause: Cow<'m, str>,
    file: Option<String>,
    line: Option<usize>,
    /// Whether the message itself was looked at, and not the listing alone.
    confirmed: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum ArrivalV1<'m> {
    Seconds(i64),
    Local(&'m str),
}

#[derive(Serialize)]
struct GroupsV1<'g> {
    cause: &'g BTreeMap<String, u64>,
    destination: &'g BTreeMap<String, u64>,
    arrival: BTreeMap<String, u64>,
}

impl<'s> QueueWriter<'s> {
    /// Begins a report; `sources` are the files of the configuration.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn begin(sources: &'s Sources, is_json: bool, out: &mut dyn Write) -> io::Result<Self> {
        if is_json {
            out.write_all(b"{\"version\":1,\"backscatter\":[")?;
        }
        Ok(Self {
            sources,
            is_json,
            found: 0,
            causes: BTreeMap::new(),
            destinations: BTreeMap::new(),
            days: BTreeMap::new(),
            shown: Vec::new(),
        })
    }

    /// How many messages are not wanted.
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Adds a message that is not wanted.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn add(
        &mut self,
        message: &Message<'_>,
        kind: &Kind,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        self.found += 1;
        let group = self.group(kind);
        count(&mut self.causes, &group, usize::MAX);
        let first = message.recipients.first().map_or("", |one| &*one.address);
        let domain = first.rsplit_once('@').map_or("", |(_, domain)| domain);
        if domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
            let domain = domain.to_ascii_lowercase();
            count(&mut self.destinations, &domain, MOST_DESTINATIONS);
        } else {
            count(&mut self.destinations, domain, MOST_DESTINATIONS);
        }
        *self.days.entry(Day::of(&message.arrival)).or_default() += 1;
        if self.is_json {
            return self.json(message, kind, out);
        }
        if self.shown.len() < MOST_SHOWN {
            let recipients: Vec<&str> = (message.recipients.iter().take(3))
                .map(|one| &*one.address)
                .collect();
            self.shown.push(format!(
                "  {}  {} -> {}",
                message.queue_id,
                visible(&message.sender),
                visible(&recipients.join(", "))
            ));
        }
        Ok(())
    }

    fn json(&self, message: &Message<'_>, kind: &Kind, out: &mut dyn Write) -> io::Result<()> {
        if self.found > 1 {
            out.write_all(b",")?;
        }
        out.write_all(b"\n")?;
        let (name, cause, place) = match kind {
            Kind::Notice => ("notice", Cow::Borrowed(NOTICE), None),
            Kind::Refused(refusal) => (
                "refused",
                Cow::Owned(refusal.reply.to_string()),
                self.place(refusal),
            ),
        };
        let (file, line) = place.unzip();
        let entry = MessageV1 {
            queue_id: &message.queue_id,
            queue_name: Some(&*message.queue_name).filter(|name| !name.is_empty()),
            arrival_time: match &message.arrival {
                Arrival::Seconds(seconds) => ArrivalV1::Seconds(*seconds),
                Arrival::Local(text) => ArrivalV1::Local(text),
            },
            message_size: message.size,
            sender: &message.sender,
            recipients: message.recipients.iter().map(|one| &*one.address).collect(),
            kind: name,
            cause,
            file,
            line,
            confirmed: false,
        };
        serde_json::to_writer(&mut *out, &entry)?;
        Ok(())
    }

    fn place(&self, refusal: &Refusal) -> Option<(String, usize)> {
        let span = refusal.span?;
        let source = self.sources.get(span.file);
        Some((shown_path(&source), source.line_column(span.start).line))
    }

    /// The cause without what is different for each recipient.
    fn group(&self, kind: &Kind) -> Cow<'static, str> {
        let Kind::Refused(refusal) = kind else {
            return Cow::Borrowed(NOTICE);
        };
        let reply = &refusal.reply;
        let text = reply
            .text
            .split_once(">: ")
            .map_or(&*reply.text, |(_, text)| text);
        let place = self
            .place(refusal)
            .map(|(file, line)| format!(" ({file}:{line})"));
        let place = place.unwrap_or_default();
        Cow::Owned(format!(
            "refused today: {} {} {text}{place}",
            reply.code, reply.dsn
        ))
    }

    /// Ends the report.
    ///
    /// # Errors
    /// The report cannot be written.
    pub fn end(self, listing: &Listing, out: &mut dyn Write) -> io::Result<()> {
        if self.is_json {
            let days = self.days.iter().map(|(day, count)| (day.text(), *count));
            let groups = GroupsV1 {
                cause: &self.causes,
                destination: &self.destinations,
                arrival: days.collect(),
            };
            write!(
                out,
                "\n],\"found\":{},\"messages\":{},\"unread_lines\":{},\"groups\":",
                self.found, listing.messages, listing.unread
            )?;
            serde_json::to_writer(&mut *out, &groups)?;
            return writeln!(out, "}}");
        }
        if self.found > 0 {
            by_count("by cause", &self.causes, out)?;
            by_count("by destination", &self.destinations, out)?;
            writeln!(out, "by day of arrival")?;
            for (day, count) in &self.days {
                writeln!(out, "{count:>9}  {}", day.text())?;
            }
            writeln!(out, "messages")?;
            for line in &self.shown {
                writeln!(out, "{line}")?;
            }
            let more = self.found - self.shown.len() as u64;
            if more > 0 {
                writeln!(out, "  … and {more} more: --format json has them all")?;
            }
            writeln!(out)?;
        }
        writeln!(
            out,
            "{} of {} messages in the queue are backscatter, or mail that would be refused today",
            self.found, listing.messages
        )
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str, most: usize) {
    let name = if counts.len() >= most && !counts.contains_key(name) {
        OTHERS
    } else {
        name
    };
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => drop(counts.insert(name.to_owned(), 1)),
    }
}

fn by_count(title: &str, counts: &BTreeMap<String, u64>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{title}")?;
    let mut rows: Vec<_> = counts.iter().collect();
    rows.sort_by(|one, other| other.1.cmp(one.1).then(one.0.cmp(other.0)));
    for (name, count) in rows.iter().take(MOST_SHOWN) {
        writeln!(out, "{count:>9}  {}", visible(name))?;
    }
    let rest: u64 = rows.iter().skip(MOST_SHOWN).map(|(_, count)| **count).sum();
    if rest > 0 {
        writeln!(out, "{rest:>9}  for {} others", rows.len() - MOST_SHOWN)?;
    }
    Ok(())
}

impl Day {
    fn of(arrival: &Arrival<'_>) -> Self {
        match arrival {
            Arrival::Seconds(seconds) => Self::SinceEpoch(seconds.div_euclid(86_400)),
            Arrival::Local(text) => {
                let mut words = text.split_ascii_whitespace().skip(1);
                let month = words
                    .next()
                    .and_then(|name| MONTHS.iter().position(|one| *one == name));
                let day = words.next().and_then(|day| day.parse().ok());
                match (month, day) {
                    (Some(month), Some(day)) => Self::OfSomeYear(month, day),
                    _ => Self::Unknown,
                }
            }
        }
    }

    fn text(self) -> String {
        match self {
            Self::SinceEpoch(days) => date(days),
            Self::OfSomeYear(month, day) => format!("{} {day:2}", MONTHS.get(month).unwrap_or(&"")),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A day in UTC, of the number of days since 1970: years are taken to begin in March, so that the leap day is
/// their last.
fn date(days: i64) -> String {
    let days = i128::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let day = days.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let in_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * in_year + 2) / 153;
    let in_month = in_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i128::from(month <= 2);
    format!("{year:04}-{month:02}-{in_month:02}")
}

#[cfg(test)]
mod tests {
    use super::date;

    #[test]
    fn days_have_dates() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(date(-1), "1969-12-31");
        date(i64::MAX);
    }
}
