//! How long to wait, from the headers of a response.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use super::values;

/// A wait that a header states.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wait {
    For(Duration),
    Until(SystemTime),
}

/// How a header counts.
#[derive(Clone, Copy)]
enum Unit {
    /// Seconds, or an HTTP date.
    SecondsOrDate,
    Milliseconds,
    /// `6m0s`, `20ms`; a bare number is seconds.
    Duration,
    /// An RFC 3339 time, Unix seconds or milliseconds, or seconds from now.
    Reset,
}

/// Best first. The reset headers stand behind: they say when a window is full again, which may be
/// later than when the next request passes.
const HEADERS: &[(&str, Unit)] = &[
    ("retry-after-ms", Unit::Milliseconds),
    ("x-ms-retry-after-ms", Unit::Milliseconds),
    ("retry-after", Unit::SecondsOrDate),
    ("x-retry-after", Unit::SecondsOrDate),
    ("x-ratelimit-retry-after", Unit::SecondsOrDate),
    ("x-ratelimit-reset-after", Unit::Duration),
    ("x-ratelimit-reset-requests", Unit::Duration),
    ("x-ratelimit-reset-tokens", Unit::Duration),
    ("anthropic-ratelimit-requests-reset", Unit::Reset),
    ("anthropic-ratelimit-tokens-reset", Unit::Reset),
    ("anthropic-ratelimit-input-tokens-reset", Unit::Reset),
    ("anthropic-ratelimit-output-tokens-reset", Unit::Reset),
    ("ratelimit-reset", Unit::Reset),
    ("x-ratelimit-reset", Unit::Reset),
    ("x-rate-limit-reset", Unit::Reset),
];

/// The first header of the table that states a wait. With the time of the event, HTTP dates
/// become waits.
pub(crate) fn wait(
    headers: &[(Cow<'_, str>, Cow<'_, str>)],
    now: Option<SystemTime>,
) -> Option<Wait> {
    let (wait, _) = HEADERS.iter().find_map(|&(name, unit)| {
        let (_, value) = headers.iter().find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some((read(value.trim(), unit)?, name))
    })?;
    Some(match (wait, now) {
        (Wait::Until(time), Some(now)) => match time.duration_since(now) {
            Ok(duration) => Wait::For(duration),
            Err(_) => Wait::For(Duration::ZERO),
        },
        (wait, _) => wait,
    })
}

fn read(value: &str, unit: Unit) -> Option<Wait> {
    const SECOND: Duration = Duration::from_secs(1);
    match unit {
        Unit::Milliseconds => {
            values::duration(value, Some(Duration::from_millis(1))).map(Wait::For)
        }
        Unit::Duration => values::duration(value, Some(SECOND)).map(Wait::For),
        Unit::SecondsOrDate => values::duration(value, Some(SECOND))
            .map(Wait::For)
            .or_else(|| values::time(value).map(Wait::Until)),
        Unit::Reset => match values::time(value) {
            Some(time) => Some(Wait::Until(time)),
            None => values::duration(value, Some(SECOND)).map(Wait::For),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &'static str)]) -> Option<Wait> {
        let headers: Vec<_> =
            pairs.iter().map(|&(k, v)| (Cow::Borrowed(k), Cow::Borrowed(v))).collect();
        wait(&headers, None)
    }

    #[test]
    fn the_most_exact_header_counts() {
        let seconds = |s| Some(Wait::For(Duration::from_secs_f64(s)));
        assert_eq!(of(&[("Retry-After", "20")]), seconds(20.0));
        assert_eq!(of(&[("Retry-After", "20"), ("retry-after-ms", "19500")]), seconds(19.5));
        assert_eq!(of(&[("x-ratelimit-reset-requests", "6m0s")]), seconds(360.0));
        assert_eq!(of(&[("x-ratelimit-reset", "30")]), seconds(30.0));
        let epoch = SystemTime::UNIX_EPOCH + Duration::from_secs(1_714_557_600);
        assert_eq!(of(&[("x-ratelimit-reset", "1714557600000")]), Some(Wait::Until(epoch)));
        assert_eq!(
            of(&[("Retry-After", "Wed, 01 May 2024 10:00:00 GMT")]),
            Some(Wait::Until(epoch))
        );
        assert_eq!(of(&[("Retry-After", "soon")]), None);
    }
}
