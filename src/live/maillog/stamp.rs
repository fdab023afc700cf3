//! The stamp at the start of a line: of syslog ("Nov  4 02:54:24"), of postlogd(8) ("Nov 04 02:54:24"), or of
//! RFC 3339, as rsyslog and `journalctl -o short-iso` write it.
//!
//! A stamp without a year stays one: it is shown as it stands in the log, and nothing is made up.

/// The length of a stamp without a year.
const PLAIN: usize = "Nov  4 02:54:24".len();
/// The length up to the seconds of a stamp of RFC 3339.
const ISO: usize = "2026-11-04T02:54:24".len();
const MONTHS: &[u8] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

/// The moment of a stamp, for putting files in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment {
    /// The year; `None` where the stamp has none.
    pub(super) year: Option<i32>,
    /// Month, day and the seconds of the day: numbers that grow within a year.
    pub(super) in_year: u32,
}

/// How many bytes the stamp at the start of a line has; 0 without one.
pub(super) fn length(line: &[u8]) -> usize {
    let Some(first) = line.first() else { return 0 };
    if first.is_ascii_uppercase() {
        let is_plain = line.len() > PLAIN
            && line[3] == b' '
            && line[6] == b' '
            && line[9] == b':'
            && line[12] == b':'
            && line[PLAIN] == b' ';
        return if is_plain { PLAIN } else { 0 };
    }
    if !first.is_ascii_digit() || line.len() <= ISO {
        return 0;
    }
    let is_iso = line[4] == b'-' && line[7] == b'-' && line[10] == b'T' && line[13] == b':';
    if !is_iso {
        return 0;
    }
    // Fractions and the zone: up to the next blank.
    let longest = &line[..line.len().min(ISO + 24)];
    memchr::memchr(b' ', longest).unwrap_or(0)
}

/// The part of a stamp that names the hour, to count by.
pub(super) fn hour(stamp: &[u8]) -> &[u8] {
    let end = if stamp.len() == PLAIN { 9 } else { 13 };
    &stamp[..end.min(stamp.len())]
}

/// The part of an hour that names its day.
pub(super) fn day(hour: &[u8]) -> &[u8] {
    let end = if hour.len() == 13 { 10 } else { 6 };
    &hour[..end.min(hour.len())]
}

/// The moment of a stamp; `None` where it is none.
pub(super) fn moment(stamp: &[u8]) -> Option<Moment> {
    let number = |from: usize, to: usize| -> Option<u32> {
        let text = std::str::from_utf8(stamp.get(from..to)?).ok()?;
        text.trim_start().parse().ok()
    };
    let (year, month, day, clock) = if stamp.first()?.is_ascii_uppercase() {
        let name = stamp.get(..3)?;
        let month = MONTHS.chunks(3).position(|month| month == name)?;
        (None, u32::try_from(month).ok()?, number(4, 6)?, 7)
    } else {
        let year = i32::try_from(number(0, 4)?).ok()?;
        (
            Some(year),
            number(5, 7)?.checked_sub(1)?,
            number(8, 10)?,
            11,
        )
    };
    let hour = number(clock, clock + 2)?;
    let minute = number(clock + 3, clock + 5)?;
    let second = number(clock + 6, clock + 8)?;
    if month > 11 || day > 31 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Moment {
        year,
        in_year: ((month * 32 + day) * 24 + hour) * 3661 + minute * 61 + second,
    })
}

/// The month and the day, as [`Moment`] counts them.
pub(super) fn day_number(month: u32, day: u32) -> u32 {
    (month * 32 + day) * 24 * 3661
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms() {
        for (line, stamp, hour_, day_) in [
            (
                "Nov  4 02:54:24 mx x",
                "Nov  4 02:54:24",
                "Nov  4 02",
                "Nov  4",
            ),
            (
                "Nov 04 02:54:24 mx x",
                "Nov 04 02:54:24",
                "Nov 04 02",
                "Nov 04",
            ),
            (
                "2026-11-04T02:54:24.123456+01:00 mx x",
                "2026-11-04T02:54:24.123456+01:00",
                "2026-11-04T02",
                "2026-11-04",
            ),
            (
                "2026-11-04T02:54:24+0100 mx x",
                "2026-11-04T02:54:24+0100",
                "2026-11-04T02",
                "2026-11-04",
            ),
        ] {
            let length = length(line.as_bytes());
            assert_eq!(&line[..length], stamp);
            let found = hour(stamp.as_bytes());
            assert_eq!((found, day(found)), (hour_.as_bytes(), day_.as_bytes()));
        }
        for line in [
            "",
            "N",
            "-- No entries --",
            "Nov 04",
            "2026-11-04T02:54:24",
            "warning: x",
        ] {
            assert_eq!(length(line.as_bytes()), 0, "{line}");
        }
    }

    #[test]
    fn moments_grow() {
        let of = |stamp: &str| moment(stamp.as_bytes());
        assert_eq!(of("Nov  4 02:54:24"), of("Nov 04 02:54:24"));
        assert!(of("Feb 29 23:59:60") < of("Mar  1 00:00:00"));
        assert!(of("2025-12-31T23:59:59Z") < of("2026-01-01T00:00:00Z"));
        assert_eq!(of("Nox  4 02:54:24"), None);
        assert_eq!(of("Nov 34 02:54:24"), None);
    }
}
