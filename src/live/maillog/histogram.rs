//! Counts by hour, and by day where there are too many hours.

use super::Counts;
use super::groups::text;
use super::stamp;

/// So many rows are kept: hours, and days where there are more hours.
const MOST: usize = 4_000;
/// Lines of several programs are not in order: so far back an hour is looked for.
const BACK: usize = 4;

/// An hour or a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// The start of the stamps of it, such as `Nov  4 02` or `2026-11-04T02`.
    pub stamp: String,
    /// What was counted.
    pub counts: Counts,
}

/// Counts by time.
#[derive(Debug, Default)]
pub(super) struct Histogram {
    buckets: Vec<(Vec<u8>, Counts)>,
    by_day: bool,
}

impl Histogram {
    /// The counts of the hour of a stamp.
    pub(super) fn at(&mut self, stamp: &[u8]) -> &mut Counts {
        let hour = stamp::hour(stamp);
        let name = if self.by_day { stamp::day(hour) } else { hour };
        let start = self.buckets.len().saturating_sub(BACK);
        let found = self.buckets[start..]
            .iter()
            .rposition(|(known, _)| known == name);
        let index = match found {
            Some(found) => start + found,
            None => {
                if self.buckets.len() >= MOST && !self.by_day {
                    self.merge_into_days();
                    return self.at(stamp);
                }
                if self.buckets.len() < MOST {
                    self.buckets.push((name.to_vec(), Counts::default()));
                }
                self.buckets.len() - 1
            }
        };
        &mut self.buckets[index].1
    }

    fn merge_into_days(&mut self) {
        self.by_day = true;
        let mut days: Vec<(Vec<u8>, Counts)> = Vec::new();
        for (hour, counts) in self.buckets.drain(..) {
            let day = stamp::day(&hour);
            match days.last_mut().filter(|(last, _)| last == day) {
                Some((_, sum)) => sum.add(&counts),
                None => days.push((day.to_vec(), counts)),
            }
        }
        days.truncate(MOST - 1);
        self.buckets = days;
    }

    /// All rows, in the order of the log.
    pub(super) fn finish(self) -> Vec<Bucket> {
        let buckets = self.buckets.into_iter();
        let buckets = buckets.map(|(stamp, counts)| Bucket {
            stamp: text(&stamp),
            counts,
        });
        buckets.collect()
    }
}
