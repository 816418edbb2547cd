//! Typed values in text: durations, sizes, times, names of gRPC statuses and signals.

use std::fmt;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::{rfc2822, temporal};
use jiff::tz::Offset;

use crate::rule::model::Extract;
use crate::rule::words::ValueType;

/// A value that was read from an event.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Text.
    String(String),
    /// A whole number.
    Integer(i64),
    /// Bytes.
    Size(u64),
    /// A length of time.
    Duration(Duration),
    /// A point in time.
    Time(SystemTime),
}

impl Value {
    /// Reads `text` as the value that `extract` looks for.
    pub(crate) fn parse(extract: &Extract, text: &str) -> Option<Value> {
        match extract.kind {
            ValueType::String => Some(Value::String(text.to_owned())),
            ValueType::Integer => {
                let digits: String = text.chars().filter(|c| !matches!(c, ',' | '_')).collect();
                digits.parse().ok().map(Value::Integer)
            }
            ValueType::Size => size(text).map(Value::Size),
            ValueType::Duration => duration(text, extract.unit).map(Value::Duration),
            ValueType::Time => time_in(text, extract.zone).map(Value::Time),
        }
    }

    /// Which type it is.
    pub fn kind(&self) -> ValueType {
        match self {
            Value::String(_) => ValueType::String,
            Value::Integer(_) => ValueType::Integer,
            Value::Size(_) => ValueType::Size,
            Value::Duration(_) => ValueType::Duration,
            Value::Time(_) => ValueType::Time,
        }
    }
}

/// As people read it: `18.4 s`, `6 min`, `100 MB`, `2026-11-24T00:00:00Z`.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::String(text) => f.write_str(text),
            Value::Integer(number) => write!(f, "{number}"),
            Value::Size(bytes) => {
                const UNITS: [(&str, u64); 4] = [
                    ("TB", 1_000_000_000_000),
                    ("GB", 1_000_000_000),
                    ("MB", 1_000_000),
                    ("kB", 1000),
                ];
                match UNITS.iter().find(|(_, unit)| *bytes >= *unit) {
                    Some((name, unit)) => {
                        let tenths = (*bytes as f64 / *unit as f64 * 10.0).round() / 10.0;
                        write!(f, "{tenths} {name}")
                    }
                    None => write!(f, "{bytes} bytes"),
                }
            }
            Value::Duration(duration) => f.write_str(&duration_for_people(*duration)),
            Value::Time(time) => match Timestamp::try_from(*time) {
                Ok(time) => write!(f, "{:.0}", time),
                Err(_) => f.write_str("a time out of range"),
            },
        }
    }
}

/// `125 ms`, `18.4 s`, `6 min`, `1 h 30 min`, `2 d`.
pub(crate) fn duration_for_people(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds < 1.0 {
        return format!("{} ms", duration.as_millis());
    }
    if seconds < 120.0 {
        return format!("{} s", (seconds * 10.0).round() / 10.0);
    }
    let total = seconds.round() as u64;
    let (days, hours, minutes, rest) =
        (total / 86_400, total / 3600 % 24, total / 60 % 60, total % 60);
    let parts: Vec<String> = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
        .iter()
        .filter(|(count, _)| *count > 0)
        .take(2)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    parts.join(" ")
}

/// The length of a unit of time, by any of its usual names.
pub(crate) fn unit(name: &str) -> Option<Duration> {
    const UNITS: &[(&str, Duration)] = &[
        ("ns nanosecond nanoseconds", Duration::from_nanos(1)),
        ("us µs microsecond microseconds", Duration::from_micros(1)),
        ("ms msec msecs millisecond milliseconds 毫秒", Duration::from_millis(1)),
        ("s sec secs second seconds 秒 秒钟", Duration::from_secs(1)),
        ("m min mins minute minutes 分 分钟", Duration::from_secs(60)),
        ("h hr hrs hour hours 小时 时", Duration::from_secs(3600)),
        ("d day days 天 日", Duration::from_secs(86_400)),
        ("w week weeks 周", Duration::from_secs(7 * 86_400)),
    ];
    let name = name.to_ascii_lowercase();
    UNITS
        .iter()
        .find(|(names, _)| names.split(' ').any(|known| known == name))
        .map(|&(_, length)| length)
}

/// `18.4s`, `6m0s`, `1h 2m`, `2 minutes`, `1 day, 3 hours`; a bare number counts `default`.
pub(crate) fn duration(text: &str, default: Option<Duration>) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = 0f64;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number: f64 = rest[..digits].trim_end_matches('.').parse().ok()?;
        rest = rest[digits..].trim_start();
        let letters = rest
            .find(|c: char| c.is_ascii_digit() || c.is_whitespace() || c == ',')
            .unwrap_or(rest.len());
        let length = match &rest[..letters] {
            "" if parts == 0 && rest.is_empty() => default?,
            name => unit(name)?,
        };
        total += number * length.as_secs_f64();
        parts += 1;
        rest = rest[letters..].trim_start_matches([' ', ',']);
        rest = rest.strip_prefix("and ").unwrap_or(rest);
    }
    // 10,000 years: beyond that it is no wait but noise.
    (parts > 0 && total < 3.2e11).then(|| Duration::from_secs_f64(total))
}

/// `100MB`, `4 KiB`, `20971520`, in bytes.
pub(crate) fn size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..digits].trim_end_matches('.').parse().ok()?;
    let factor = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "t" | "tb" => 1e12,
        "ki" | "kib" => 1024.0,
        "mi" | "mib" => 1024.0 * 1024.0,
        "gi" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "ti" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    let bytes = number * factor;
    (bytes < u64::MAX as f64).then_some(bytes as u64)
}

/// RFC 3339, RFC 2822 and HTTP dates, `2024-05-01 10:00:00` (UTC unless it says otherwise:
/// ` UTC`, ` +0800`), `2024-05-01`, dates as English writes them (`May 1st, 2024 10:00 AM`), Unix
/// seconds (10 digits) and milliseconds (13 digits).
pub(crate) fn time(text: &str) -> Option<SystemTime> {
    time_in(text, 0)
}

/// Seconds east of UTC, of `+08:00`.
pub(crate) fn zone(text: &str) -> Option<i32> {
    let zone = temporal::DateTimeParser::new().parse_time_zone(text).ok()?;
    zone.to_fixed_offset().ok().map(|offset| offset.seconds())
}

/// The same as [`time`], where a time that names no zone counts so many seconds east of UTC.
pub(crate) fn time_in(text: &str, zone: i32) -> Option<SystemTime> {
    let text = text.trim().trim_end_matches('.');
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().ok()?;
        let time = match text.len() {
            10 => Timestamp::from_second(number),
            13 => Timestamp::from_millisecond(number),
            _ => return None,
        };
        return time.ok().map(SystemTime::from);
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Some(time.into());
    }
    if let Ok(zoned) = rfc2822::DateTimeParser::new().parse_zoned(text) {
        return Some(zoned.timestamp().into());
    }
    let civil = text.replacen(" at ", " ", 1);
    let (civil, zone) = ["UTC", "GMT", "Z"]
        .iter()
        .find_map(|name| Some((civil.strip_suffix(name)?, 0)))
        .or_else(|| {
            let (civil, offset) = civil.rsplit_once(' ')?;
            Some((civil, self::zone(offset)?))
        })
        .unwrap_or((&civil, zone));
    let civil = civil.trim_end();
    let civil: DateTime = civil.parse().ok().or_else(|| english(civil))?;
    let offset = Offset::from_seconds(zone).ok()?;
    offset.to_timestamp(civil).ok().map(SystemTime::from)
}

/// `May 1st, 2024 10:00 AM` and its relatives.
fn english(text: &str) -> Option<DateTime> {
    const DATES: &[&str] = &["%B %d %Y", "%b %d %Y", "%d %B %Y", "%d %b %Y"];
    const TIMES: &[&str] = &["%I:%M %p", "%I:%M:%S %p", "%I:%M%p", "%H:%M", "%H:%M:%S"];
    // "1st" and "13th" are numbers, commas and full stops separate.
    let words = text.split([' ', ',', '.']).filter(|word| !word.is_empty()).map(|word| {
        let digits = word.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let ordinal = ["st", "nd", "rd", "th"].contains(&&word[digits.len()..]);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if ordinal && number { digits } else { word }
    });
    let text = words.collect::<Vec<_>>().join(" ");
    DATES.iter().find_map(|date| {
        TIMES.iter().find_map(|time| DateTime::strptime(format!("{date} {time}"), &text).ok())
    })
}

/// gRPC statuses by name.
pub(crate) const GRPC_NAMES: &[(&str, u8)] = &[
    ("CANCELLED", 1),
    ("UNKNOWN", 2),
    ("INVALID_ARGUMENT", 3),
    ("DEADLINE_EXCEEDED", 4),
    ("NOT_FOUND", 5),
    ("ALREADY_EXISTS", 6),
    ("PERMISSION_DENIED", 7),
    ("RESOURCE_EXHAUSTED", 8),
    ("FAILED_PRECONDITION", 9),
    ("ABORTED", 10),
    ("OUT_OF_RANGE", 11),
    ("UNIMPLEMENTED", 12),
    ("INTERNAL", 13),
    ("UNAVAILABLE", 14),
    ("DATA_LOSS", 15),
    ("UNAUTHENTICATED", 16),
];

/// `14`, `UNAVAILABLE`, `Unavailable`, `DeadlineExceeded`.
pub(crate) fn grpc_status(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (1..=16).contains(&number).then_some(number);
    }
    let plain = |name: &str| name.replace('_', "").to_ascii_uppercase();
    let wanted = match plain(text).as_str() {
        "CANCELED" => "CANCELLED".to_owned(),
        other => other.to_owned(),
    };
    GRPC_NAMES.iter().find(|(name, _)| plain(name) == wanted).map(|&(_, number)| number)
}

/// The name of a gRPC status.
pub(crate) fn grpc_name(number: u8) -> &'static str {
    GRPC_NAMES.iter().find(|(_, n)| *n == number).map_or("UNKNOWN", |(name, _)| name)
}

/// Signals by name, Linux numbers.
pub(crate) const SIGNAL_NAMES: &[(&str, u8)] = &[
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGILL", 4),
    ("SIGTRAP", 5),
    ("SIGABRT", 6),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGKILL", 9),
    ("SIGUSR1", 10),
    ("SIGSEGV", 11),
    ("SIGUSR2", 12),
    ("SIGPIPE", 13),
    ("SIGALRM", 14),
    ("SIGTERM", 15),
    ("SIGXCPU", 24),
    ("SIGXFSZ", 25),
    ("SIGSYS", 31),
];

/// A decimal number, or an NTSTATUS in hexadecimal, as Windows prints them: `0xc0000409`.
pub(crate) fn exit_code(text: &str) -> Option<i32> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok().map(|code| code as i32),
        None => {
            let code = text.parse::<i64>().ok()?;
            i32::try_from(code).ok().or(u32::try_from(code).ok().map(|code| code as i32))
        }
    }
}

/// `9`, `SIGKILL`, `KILL`.
pub(crate) fn signal(text: &str) -> Option<u8> {
    if let Ok(number) = text.parse::<u8>() {
        return (1..=64).contains(&number).then_some(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    SIGNAL_NAMES.iter().find(|(known, _)| &known[3..] == name).map(|&(_, number)| number)
}

/// The name of a signal, or its number.
pub(crate) fn signal_name(number: u8) -> String {
    match SIGNAL_NAMES.iter().find(|(_, n)| *n == number) {
        Some((name, _)) => (*name).to_owned(),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let cases: &[(&str, u64)] = &[
            ("18.4s", 18_400),
            ("125ms", 125),
            ("6m0s", 360_000),
            ("1h2m3s", 3_723_000),
            ("20 seconds", 20_000),
            ("2 minutes", 120_000),
            ("1 day, 3 hours", 97_200_000),
            ("1 hour and 5 minutes", 3_900_000),
            ("30 秒", 30_000),
            ("30秒", 30_000),
        ];
        for &(text, millis) in cases {
            assert_eq!(duration(text, None), Some(Duration::from_millis(millis)), "{text}");
        }
        assert_eq!(duration("20", Some(Duration::from_millis(1))), Some(Duration::from_millis(20)));
        for text in ["", "20", "s", "1.2.3s", "-5s", "5 parsecs", "1e9s", "99999999999999d"] {
            assert_eq!(duration(text, None), None, "{text}");
        }
    }

    #[test]
    fn times() {
        let epoch = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        for text in [
            "2024-05-01T10:00:00Z",
            "2024-05-01 10:00:00",
            "2024-05-01 at 10:00 UTC",
            "2024-05-01 18:00:00 +0800",
            "2024-05-01 06:30:00 -03:30",
            "Wed, 01 May 2024 10:00:00 GMT",
            "May 1st, 2024 10:00 AM",
            "May 1, 2024 at 10:00AM UTC",
            "1 May 2024 10:00",
            "May 01, 2024 6:00:00 PM +08:00",
            "1714557600",
            "1714557600000",
        ] {
            assert_eq!(time(text), Some(epoch(1_714_557_600)), "{text}");
        }
        let china = zone("+08:00").unwrap();
        for (text, east) in [("2024-05-01 18:00:00", china), ("2024-05-01 10:00 UTC", china)] {
            assert_eq!(time_in(text, east), Some(epoch(1_714_557_600)), "{text}");
        }
        assert_eq!((zone("-03:30"), zone("Z"), zone("+8h")), (Some(-12_600), None, None));
        assert_eq!(
            [time("Apr 13th, 2026 12:46 AM"), time("April 13, 2026 00:46:00")],
            [Some(epoch(1_776_041_160)); 2]
        );
        for text in ["17145576", "Apr 13", "st, 2026 12:46 AM", "2024-05-01 10:00:00 +8h"] {
            assert_eq!(time(text), None, "{text}");
        }
        assert_eq!(time("soon"), None);
    }

    #[test]
    fn values_read_back_as_people_write_them() {
        assert_eq!(duration_for_people(Duration::from_secs_f64(18.403)), "18.4 s");
        assert_eq!(duration_for_people(Duration::from_secs(86_400)), "1 d");
        assert_eq!(duration_for_people(Duration::from_secs(5_400)), "1 h 30 min");
        assert_eq!(size("100MB"), Some(100_000_000));
        assert_eq!(size("4 KiB"), Some(4096));
        assert_eq!(Value::Size(100_000_000).to_string(), "100 MB");
        assert_eq!(grpc_status("DeadlineExceeded"), Some(4));
        assert_eq!(grpc_status("Canceled"), Some(1));
        assert_eq!(grpc_status("0"), None);
        assert_eq!(signal("KILL"), Some(9));
    }
}
