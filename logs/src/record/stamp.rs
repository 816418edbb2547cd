//! Time stamps at the beginning of a text, in the layouts that logs have.

use std::time::{Duration, SystemTime};

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::cursor::Cursor;

/// A time stamp as it stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    day: Option<Day>,
    hour: i8,
    minute: i8,
    second: i8,
    nanos: i32,
    /// Seconds east of UTC, if the text says so.
    offset: Option<i32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Day {
    year: Option<i16>,
    month: i8,
    day: i8,
}

/// A log may be a little ahead: clocks, and zones that it does not name.
const AHEAD: Duration = Duration::from_secs(86_400);

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

const WEEKDAYS: [&[u8; 3]; 7] = [b"mon", b"tue", b"wed", b"thu", b"fri", b"sat", b"sun"];

/// Zones by the name that `date` and PostgreSQL print. Names that stand for several zones are not
/// here: they count as UTC, as no name does.
const ZONES: &[(&[u8], i32)] = &[
    (b"UTC", 0),
    (b"GMT", 0),
    (b"Z", 0),
    (b"CET", 3600),
    (b"CEST", 7200),
    (b"EET", 7200),
    (b"EEST", 10_800),
    (b"WET", 0),
    (b"WEST", 3600),
    (b"MSK", 10_800),
    (b"EST", -18_000),
    (b"EDT", -14_400),
    (b"MST", -25_200),
    (b"MDT", -21_600),
    (b"PST", -28_800),
    (b"PDT", -25_200),
    (b"JST", 32_400),
    (b"KST", 32_400),
    (b"AEST", 36_000),
    (b"AEDT", 39_600),
];

/// Zone names that are gone over and say nothing.
const AMBIGUOUS_ZONES: &[&[u8]] = &[b"CST", b"CDT", b"IST", b"BST"];

impl Stamp {
    /// The stamp that `bytes` begin with, and its length. A zone belongs to it.
    pub(crate) fn at_start(bytes: &[u8]) -> Option<(Stamp, usize)> {
        let first = *bytes.first()?;
        let mut cursor = Cursor::new(bytes, 0);
        let stamp = match first {
            b'0'..=b'9' => Stamp::from_digits(&mut cursor),
            b'A'..=b'Z' => Stamp::from_name(&mut cursor),
            _ => None,
        }?;
        Some((stamp, cursor.at()))
    }

    /// The stamp that `bytes` are, with nothing behind it.
    pub(crate) fn whole(bytes: &[u8]) -> Option<Stamp> {
        let (stamp, length) = Stamp::at_start(bytes)?;
        bytes[length..].iter().all(u8::is_ascii_whitespace).then_some(stamp)
    }

    /// Whether it says which day.
    pub(crate) fn has_day(&self) -> bool {
        self.day.is_some()
    }

    /// Whether it says which year.
    pub(crate) fn has_year(&self) -> bool {
        self.day.is_some_and(|day| day.year.is_some())
    }

    /// Whether it says which zone.
    pub(crate) fn has_zone(&self) -> bool {
        self.offset.is_some()
    }

    /// The same time of day, on a day of a year that is not known.
    pub(crate) fn on(self, month: u8, day: u8) -> Option<Stamp> {
        Some(Stamp { day: Some(Day::new(None, month.into(), day.into())?), ..self })
    }

    /// The point in time. Without a zone it is UTC; without a year it is the year that puts it at
    /// most a day after `now`. A time of day alone is none.
    pub(crate) fn time(&self, now: SystemTime) -> Option<SystemTime> {
        let day = self.day?;
        let Some(year) = day.year else {
            let latest = now.checked_add(AHEAD)?;
            let this = Zoned::new(Timestamp::try_from(now).ok()?, TimeZone::UTC).year();
            // The 29th of February comes every fourth year, and once every eighth.
            return (0..=9)
                .filter_map(|back| self.in_year(day, this.checked_add(1)? - back))
                .find(|&time| time <= latest);
        };
        self.in_year(day, year)
    }

    fn in_year(&self, day: Day, year: i16) -> Option<SystemTime> {
        let date = Date::new(year, day.month, day.day).ok()?;
        let time = Time::new(self.hour, self.minute, self.second, self.nanos).ok()?;
        let offset = Offset::from_seconds(self.offset.unwrap_or(0)).ok()?;
        let time = offset.to_timestamp(DateTime::from_parts(date, time)).ok()?;
        Some(time.into())
    }

    fn from_digits(cursor: &mut Cursor<'_>) -> Option<Stamp> {
        let start = cursor.at();
        let mut ahead = *cursor;
        let first = ahead.take_while(|byte| byte.is_ascii_digit());
        let separator = ahead.peek()?;
        match (first.len(), separator) {
            (4, b'-' | b'/' | b'.') => {
                let year = cursor.number(4, 4)?;
                cursor.skip(1);
                let month = cursor.number(1, 2)?;
                cursor.eat(separator).then_some(())?;
                let day = cursor.number(1, 2)?;
                let day = Day::new(Some(year), month, day)?;
                cursor.eat(b',');
                (cursor.eat_any(b"Tt") || cursor.spaces() > 0).then_some(())?;
                Stamp::clock(cursor, Some(day))
            }
            // yy/MM/dd, as Spark writes it.
            (2, b'/') if cursor.rest().get(5) == Some(&b'/') => {
                let year = cursor.number(2, 2)?;
                cursor.skip(1);
                let month = cursor.number(2, 2)?;
                cursor.skip(1);
                let day = Day::new(Some(2000 + year), month, cursor.number(2, 2)?)?;
                cursor.eat(b' ').then_some(())?;
                Stamp::clock(cursor, Some(day))
            }
            // 1/2/2024 3:04:05 PM: who writes PM writes the month first.
            (1 | 2, b'/') if cursor.rest().get(first.len() + 1).is_some_and(u8::is_ascii_digit) => {
                let month = cursor.number(1, 2)?;
                cursor.skip(1);
                let day = cursor.number(1, 2)?;
                cursor.eat(b'/').then_some(())?;
                let day = Day::new(Some(cursor.number(4, 4)?), month, day)?;
                cursor.eat(b' ').then_some(())?;
                let stamp = Stamp::clock(cursor, Some(day))?;
                let before = &cursor.behind()[start..];
                before.ends_with(b"M").then_some(stamp)
            }
            // 02/Jan/2024:03:04:05, 02-Jan-2024 03:04:05, 02 Jan 2024 03:04:05
            (1 | 2, b'/' | b'-' | b' ') => {
                let day = cursor.number(1, 2)?;
                cursor.skip(1);
                let month = month(cursor)?;
                cursor.eat(separator).then_some(())?;
                let year = cursor.number(4, 4)?;
                cursor.eat_any(b": ").then_some(())?;
                Stamp::clock(cursor, Some(Day::new(Some(year), month, day)?))
            }
            (1 | 2, b':') => {
                let stamp = Stamp::clock(cursor, None)?;
                // Hours and minutes alone are a ratio, a score, a part of an address.
                (cursor.at() - start >= 7).then_some(stamp)
            }
            _ => None,
        }
    }

    /// Begins with the name of a month or a weekday.
    fn from_name(cursor: &mut Cursor<'_>) -> Option<Stamp> {
        let is_weekday = name(cursor.rest(), &WEEKDAYS).is_some();
        if is_weekday {
            cursor.skip(3);
            if cursor.eat(b',') {
                // Wed, 02 Jan 2024 03:04:05 GMT
                cursor.eat(b' ').then_some(())?;
                return Stamp::from_digits(cursor).filter(Stamp::has_day);
            }
            cursor.eat(b' ').then_some(())?;
            // Tue 2024-01-02 03:04:05 UTC, as systemd writes it.
            if cursor.rest().get(4) == Some(&b'-') {
                return Stamp::from_digits(cursor);
            }
        }
        let month = month(cursor)?;
        (cursor.spaces() > 0).then_some(())?;
        let day = cursor.number(1, 2)?;
        let mut year = None;
        if cursor.eat(b',') {
            // Jan 02, 2024 3:04:05 AM
            cursor.eat(b' ').then_some(())?;
            year = Some(cursor.number(4, 4)?);
        }
        cursor.eat(b' ').then_some(())?;
        if year.is_none() {
            // Jan 02 2024 03:04:05
            let mut ahead = *cursor;
            if let Some(number) = ahead.number(4, 4)
                && ahead.eat(b' ')
            {
                year = Some(number);
                *cursor = ahead;
            }
        }
        let mut stamp = Stamp::clock(cursor, Some(Day::new(year, month, day)?))?;
        if is_weekday && year.is_none() {
            // The year stands last: Wed Jan  2 03:04:05 2024
            let mut ahead = *cursor;
            if ahead.eat(b' ')
                && let Some(number) = ahead.number(4, 4)
            {
                stamp.day = Some(Day::new(Some(number), month, day)?);
                *cursor = ahead;
            }
        }
        Some(stamp)
    }

    /// Hours, minutes, seconds, their fraction, AM or PM, and the zone.
    fn clock(cursor: &mut Cursor<'_>, day: Option<Day>) -> Option<Stamp> {
        let mut hour = cursor.number(1, 2)?;
        cursor.eat(b':').then_some(())?;
        let minute = cursor.number(2, 2)?;
        let mut second = 0;
        let mut nanos = 0;
        if cursor.eat(b':') {
            second = cursor.number(2, 2)?;
            nanos = fraction(cursor);
        } else {
            day?;
        }
        if let [b' ', half @ (b'A' | b'P'), b'M', ..] = cursor.rest() {
            match (half, hour) {
                (b'A', 12) => hour = 0,
                (b'P', 1..=11) => hour += 12,
                (_, 1..=12) => {}
                _ => return None,
            }
            cursor.skip(3);
        }
        // A leap second is the one before it.
        let second = if second == 60 { 59 } else { second };
        let in_range = hour < 24 && minute < 60 && second < 60;
        if !in_range || cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut stamp = Stamp {
            day,
            hour: hour as i8,
            minute: minute as i8,
            second: second as i8,
            nanos,
            offset: None,
        };
        stamp.offset = zone(cursor);
        Some(stamp)
    }
}

impl Day {
    fn new(year: Option<u64>, month: u64, day: u64) -> Option<Day> {
        let year = match year {
            Some(year) if !(1970..=9999).contains(&year) => return None,
            year => year.map(|year| year as i16),
        };
        let fits = (1..=12).contains(&month) && (1..=31).contains(&day);
        fits.then_some(Day { year, month: month as i8, day: day as i8 })
    }
}

fn name<const N: usize>(text: &[u8], names: &[&[u8; 3]; N]) -> Option<usize> {
    let three = text.get(..3)?;
    if text.get(3).is_some_and(u8::is_ascii_alphanumeric) {
        return None;
    }
    names.iter().position(|name| three.eq_ignore_ascii_case(*name))
}

fn month(cursor: &mut Cursor<'_>) -> Option<u64> {
    let index = name(cursor.rest(), &MONTHS)?;
    cursor.skip(3);
    Some(index as u64 + 1)
}

/// `.123456789`, `,123`, in nanoseconds. What is finer is left out.
fn fraction(cursor: &mut Cursor<'_>) -> i32 {
    let mut ahead = *cursor;
    if !ahead.eat_any(b".,") {
        return 0;
    }
    let digits = ahead.take_while(|byte| byte.is_ascii_digit());
    if digits.is_empty() {
        return 0;
    }
    *cursor = ahead;
    nanos(digits)
}

/// The nanoseconds that the digits behind a decimal point stand for.
pub(crate) fn nanos(digits: &[u8]) -> i32 {
    let digits = digits.iter().chain(std::iter::repeat(&b'0')).take(9);
    digits.fold(0, |nanos, &digit| nanos * 10 + i32::from(digit - b'0'))
}

/// `Z`, `+01:00`, ` -0700`, ` UTC`: seconds east of UTC.
fn zone(cursor: &mut Cursor<'_>) -> Option<i32> {
    let mut ahead = *cursor;
    let spaced = ahead.eat(b' ');
    match ahead.peek()? {
        sign @ (b'+' | b'-') => {
            ahead.skip(1);
            let digits = ahead.take_while(|byte| byte.is_ascii_digit() || byte == b':');
            let (hours, minutes) = match digits {
                [a, b] if !spaced => (two(*a, *b)?, 0),
                [a, b, c, d] | [a, b, b':', c, d] => (two(*a, *b)?, two(*c, *d)?),
                _ => return None,
            };
            if hours > 15 || minutes > 59 {
                return None;
            }
            let seconds = hours * 3600 + minutes * 60;
            *cursor = ahead;
            Some(if sign == b'-' { -seconds } else { seconds })
        }
        b'A'..=b'Z' => {
            let name = ahead.take_while(|byte| byte.is_ascii_uppercase());
            let ends = !ahead.peek().is_some_and(|byte| byte.is_ascii_alphanumeric());
            if !ends || (name == b"Z") == spaced {
                return None;
            }
            let known = ZONES.iter().find(|(zone, _)| *zone == name);
            if known.is_some() || AMBIGUOUS_ZONES.contains(&name) {
                *cursor = ahead;
            }
            known.map(|&(_, seconds)| seconds)
        }
        _ => None,
    }
}

fn two(a: u8, b: u8) -> Option<i32> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i32::from(byte - b'0'));
    Some(digit(a)? * 10 + digit(b)?)
}

/// The time that a number counts since 1970: seconds, milliseconds, microseconds or nanoseconds,
/// by its size (years 1973 to 5138 in each). A fraction is kept.
pub(crate) fn since_1970(text: &[u8]) -> Option<SystemTime> {
    let mut cursor = Cursor::new(text, 0);
    let whole = cursor.take_while(|byte| byte.is_ascii_digit());
    let mut rest: &[u8] = b"";
    if cursor.eat(b'.') {
        rest = cursor.take_while(|byte| byte.is_ascii_digit());
    }
    if !cursor.is_end() {
        // 1.7040672e9
        let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
        return match number {
            1e8..1e11 => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(number)),
            _ => None,
        };
    }
    if whole.len() > 19 {
        return None;
    }
    let number = whole.iter().fold(0u64, |n, &digit| n * 10 + u64::from(digit - b'0'));
    let since = match whole.len() {
        9..=11 => Duration::new(number, nanos(rest) as u32),
        12..=14 => Duration::from_millis(number) + Duration::from_nanos(nanos(rest) as u64 / 1000),
        15..=17 => Duration::from_micros(number),
        18 | 19 => Duration::from_nanos(number),
        _ => return None,
    };
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_718_452_800; // 2024-06-15T12:00:00Z

    fn seconds(text: &str) -> Option<(f64, usize)> {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
        let (stamp, length) = Stamp::at_start(text.as_bytes())?;
        let time = stamp.time(now)?.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        Some((time.as_secs_f64(), length))
    }

    #[test]
    fn layouts() {
        // 2024-01-02T03:04:05Z
        let base = 1_704_164_645.0;
        let cases: &[(&str, f64, usize)] = &[
            ("2024-01-02T03:04:05Z x", base, 20),
            ("2024-01-02T03:04:05.678901234Z", base + 0.678901234, 30),
            ("2024-01-02 03:04:05,678 - x", base + 0.678, 23),
            ("2024-01-02T03:04:05.5+01:00 x", base - 3599.5, 27),
            ("2024-01-02T03:04:05+0200", base - 7200.0, 24),
            ("2024-01-02 03:04:05 -0700]", base + 25_200.0, 25),
            ("2024-01-02 03:04:05.678 UTC [1]", base + 0.678, 27),
            ("2024-01-02 03:04:05 CET [1]", base - 3600.0, 23),
            ("2024-01-02 03:04:05 ERROR x", base, 19),
            ("2024-01-02, 03:04:05 UTC]", base, 24),
            ("2024-01-02  3:04:05 12 [ERROR]", base, 19),
            ("2024/01/02 03:04:05 [error]", base, 19),
            ("24/01/02 03:04:05 ERROR", base, 17),
            ("02/Jan/2024:03:04:05 +0000]", base, 26),
            ("02-Jan-2024 03:04:05 UTC]", base, 24),
            ("02 Jan 2024 03:04:05.678 #", base + 0.678, 24),
            ("Jan  2 03:04:05 host", base, 15),
            ("Jan 02, 2024 3:04:05 AM org", base, 23),
            ("Jan 02, 2024 3:04:05 PM org", base + 43_200.0, 23),
            ("1/2/2024 3:04:05 AM", base, 19),
            ("Jan 02 2024 03:04:05: %ASA", base, 20),
            ("Tue Jan  2 03:04:05 2024 x", base, 24),
            ("Tue Jan 02 03:04:05.678901 2024]", base + 0.678901, 31),
            ("Tue Jan  2 03:04:05 UTC 2024", base, 28),
            ("Tue, 02 Jan 2024 03:04:05 GMT", base, 29),
        ];
        for &(text, time, length) in cases {
            let (got, end) = seconds(text).unwrap_or_else(|| panic!("{text}"));
            assert!((got - time).abs() < 1e-6, "{text}: {got}");
            assert_eq!(end, length, "{text}");
        }
    }

    #[test]
    fn no_stamps() {
        for text in [
            "",
            "2024",
            "2024-01-02",
            "2024-13-02 03:04:05",
            "2024-01-02 25:04:05",
            "1/2",
            "12:30",
            "May be",
            "March 5",
            "Monday",
            "Sun",
            "2024-01-02T03:04:051",
            "10.0.0.1:80",
            "1:2:3",
            "2024-01-0203:04:05",
            "99:99:99",
        ] {
            assert_eq!(Stamp::at_start(text.as_bytes()), None, "{text}");
        }
        assert!(!Stamp::whole(b"03:04:05.678").unwrap().has_day());
    }

    #[test]
    fn a_missing_year_is_the_latest_that_is_no_future() {
        // The 15th of June 2024 at noon.
        for (text, year) in [
            ("Jun 15 11:00:00", 2024),
            ("Jun 16 11:00:00", 2024),
            ("Jun 17 00:00:00", 2023),
            ("Dec 31 23:59:59", 2023),
            ("Jan  1 00:00:00", 2024),
            ("Feb 29 00:00:00", 2024),
        ] {
            let (time, _) = seconds(text).unwrap();
            let time = Timestamp::from_second(time as i64).unwrap().to_zoned(TimeZone::UTC);
            assert_eq!(time.year(), year, "{text}");
        }
    }

    #[test]
    fn numbers() {
        let at = |text: &str| {
            let time = since_1970(text.as_bytes())?;
            Some(time.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos())
        };
        assert_eq!(at("1704164645"), Some(1_704_164_645_000_000_000));
        assert_eq!(at("1704164645.678901"), Some(1_704_164_645_678_901_000));
        assert_eq!(at("1704164645678"), Some(1_704_164_645_678_000_000));
        assert_eq!(at("1704164645678901"), Some(1_704_164_645_678_901_000));
        assert_eq!(at("1704164645678901234"), Some(1_704_164_645_678_901_234));
        assert_eq!(at("1.704164645e9"), Some(1_704_164_645_000_000_000));
        for text in ["", "12", "-5", "1e300", "NaN", "inf", "99999999999999999999", "1704164645x"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
