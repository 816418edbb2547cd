//! How often something happened over time, in a fixed number of buckets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Buckets of a rate. Their width grows with the time that they have to span, so that memory does
/// not.
const BUCKETS: usize = 32;
/// Widths in seconds, as people divide time: each a multiple of the one before. Behind the last one
/// they double.
const WIDTHS: [u64; 13] = [1, 5, 10, 30, 60, 120, 600, 1800, 3600, 7200, 21_600, 43_200, 86_400];
/// Times before this are none that a log meant (1980): clocks that were never set.
const FIRST: u64 = 315_532_800;

/// Counts over time.
#[derive(Debug, Clone, Default)]
pub struct Rate {
    counts: [u64; BUCKETS],
    /// Number of the first bucket, counted from 1970.
    first: u64,
    /// Which of the widths.
    step: usize,
    span: Option<(SystemTime, SystemTime)>,
}

impl Rate {
    /// Seconds of a bucket.
    fn width(&self) -> u64 {
        let last = WIDTHS.len() - 1;
        WIDTHS[self.step.min(last)] << self.step.saturating_sub(last)
    }

    pub fn add(&mut self, time: SystemTime) {
        let Some(seconds) = time.duration_since(UNIX_EPOCH).ok().map(|age| age.as_secs()) else {
            return;
        };
        if seconds < FIRST {
            return;
        }
        let Some((from, to)) = &mut self.span else {
            self.first = seconds;
            self.counts[0] = 1;
            self.span = Some((time, time));
            return;
        };
        (*from, *to) = ((*from).min(time), (*to).max(time));
        loop {
            let bucket = seconds / self.width();
            match bucket.checked_sub(self.first) {
                Some(at) if at < BUCKETS as u64 => {
                    self.counts[at as usize] += 1;
                    return;
                }
                // Earlier than all: move the others up if there is room at the end.
                None if self.last_used() + ((self.first - bucket) as usize) < BUCKETS => {
                    self.counts.rotate_right((self.first - bucket) as usize);
                    self.first = bucket;
                }
                _ => self.widen(),
            }
        }
    }

    fn last_used(&self) -> usize {
        self.counts.iter().rposition(|&count| count > 0).unwrap_or(0)
    }

    /// Buckets of the next width.
    fn widen(&mut self) {
        let width = self.width();
        self.step += 1;
        let times = self.width() / width;
        let old = std::mem::take(&mut self.counts);
        let first = self.first / times;
        for (at, count) in old.into_iter().enumerate() {
            let bucket = (self.first + at as u64) / times;
            // At most half of them and one.
            self.counts[(bucket - first) as usize] += count;
        }
        self.first = first;
    }

    /// The first and the last time.
    pub fn span(&self) -> Option<(SystemTime, SystemTime)> {
        self.span
    }

    /// Start of the first bucket, width, and counts up to the last bucket that has any.
    pub fn buckets(&self) -> Option<(SystemTime, Duration, &[u64])> {
        self.span?;
        let width = self.width();
        let start = UNIX_EPOCH + Duration::from_secs(self.first * width);
        Some((start, Duration::from_secs(width), &self.counts[..=self.last_used()]))
    }

    /// A bar for each bucket; nothing where all happened in one.
    pub fn sparkline(&self) -> Option<String> {
        const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let (_, _, counts) = self.buckets()?;
        let most = counts.iter().copied().max().filter(|_| counts.len() > 1)?;
        let bar = |count: u64| match count {
            0 => ' ',
            count => BARS[(count * 7).div_ceil(most).min(7) as usize],
        };
        Some(counts.iter().map(|&count| bar(count)).collect())
    }
}

/// Seconds, in UTC: `2026-11-24 16:05:09`.
pub fn shown(time: SystemTime) -> String {
    match jiff::Timestamp::try_from(time) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => String::new(),
    }
}

/// A time of a span of time: without its date where the whole span is of one day.
pub fn shown_near(time: SystemTime, (from, to): (SystemTime, SystemTime)) -> String {
    let (from, to, time) = (shown(from), shown(to), shown(time));
    let day = |time: &str| time.split_once(' ').map(|(day, _)| day.to_owned());
    match time.split_once(' ') {
        Some((_, clock)) if day(&from) == day(&to) => clock.to_owned(),
        _ => time,
    }
}

/// A span of time for people; the date once where both ends are of one day.
pub fn shown_span((from, to): (SystemTime, SystemTime)) -> String {
    let (from, to) = (shown(from), shown(to));
    if from == to {
        return from;
    }
    match to.split_once(' ') {
        Some((day, time)) if from.starts_with(day) => format!("{from} … {time}"),
        _ => format!("{from} … {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 1_700_000_000;

    fn rate(seconds: &[u64]) -> Rate {
        let mut rate = Rate::default();
        for &at in seconds {
            rate.add(UNIX_EPOCH + Duration::from_secs(DAY + at));
        }
        rate
    }

    #[test]
    fn buckets_widen_with_the_span() {
        let (_, width, counts) =
            rate(&[0, 1, 1, 31]).buckets().map(|b| (b.0, b.1, b.2.to_vec())).unwrap();
        assert_eq!((width.as_secs(), counts.len()), (1, 32));
        assert_eq!((counts[0], counts[1], counts[31]), (1, 2, 1));
        let far = rate(&[0, 1, 1, 31, 100_000_000]);
        let (_, width, counts) = far.buckets().unwrap();
        assert_eq!((counts.iter().sum::<u64>(), counts[0]), (5, 4));
        assert!(width.as_secs() * counts.len() as u64 >= 100_000_000);
    }

    #[test]
    fn order_does_not_matter_for_the_sum() {
        let times = [5_000, 10, 900, 10, 0, 70_000, 3];
        let mut sorted = times;
        sorted.sort();
        let (a, b) = (rate(&times), rate(&sorted));
        assert_eq!(a.span(), b.span());
        assert_eq!(a.counts.iter().sum::<u64>(), 7);
        assert_eq!(a.step, b.step);
    }

    #[test]
    fn lines_show_the_rate() {
        assert_eq!(rate(&[0, 0, 0, 0, 2]).sparkline().unwrap(), "█ ▃");
        assert_eq!(rate(&[0, 0]).sparkline(), None);
        let mut unset = Rate::default();
        unset.add(UNIX_EPOCH);
        assert!(unset.span().is_none());
        assert_eq!(shown_span(rate(&[0, 60]).span().unwrap()), "2023-11-14 22:13:20 … 22:14:20");
    }
}
