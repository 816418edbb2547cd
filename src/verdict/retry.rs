//! Retry advice for one event: the rule's advice with the waits that the event states.

use std::time::{Duration, SystemTime};

use crate::facts::{Facts, Value, Wait};
use crate::rule::model::{RetryRule, Rule};
use crate::rule::words::{Alternative, Category, RetryVerdict, Scope};

/// Whether, when and where to retry.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Retry {
    /// Whether. `after` only where something is known of the wait; else it reads `backoff`, or
    /// `once_fixed` where a quota is used up.
    pub verdict: RetryVerdict,
    /// What the limit counts by: everything in it has to wait.
    pub scope: Option<Scope>,
    /// The wait that the event states.
    pub wait: Option<Duration>,
    /// The earliest time that the event states, where it is absolute.
    pub not_before: Option<SystemTime>,
    /// When a quota starts anew, such as `daily@UTC`.
    pub resets: Option<Box<str>>,
    /// What may work at once instead.
    pub alternatives: Vec<Alternative>,
    /// Only if the request may be carried out twice.
    pub if_idempotent: bool,
    base: Duration,
    cap: Duration,
}

impl Retry {
    /// The advice of `rule` for an event.
    pub(super) fn new(
        rule: &Rule,
        facts: &Facts,
        values: &[(Box<str>, Value)],
        now: Option<SystemTime>,
    ) -> Retry {
        let advice: &RetryRule = &rule.retry;
        let mut retry = Retry {
            verdict: advice.verdict,
            scope: advice.scope,
            wait: None,
            not_before: None,
            resets: None,
            alternatives: advice.alternatives.clone(),
            if_idempotent: advice.if_idempotent,
            base: advice.base,
            cap: advice.cap,
        };
        match advice.verdict {
            RetryVerdict::After | RetryVerdict::Backoff => {}
            RetryVerdict::Never | RetryVerdict::OnceFixed => return retry,
        }
        let source = |name: &str| match name {
            "header" => facts.header_wait,
            name => {
                values.iter().find(|(key, _)| &**key == name).and_then(|(_, value)| match value {
                    Value::Duration(duration) => Some(Wait::For(*duration)),
                    Value::Time(time) => Some(Wait::Until(*time)),
                    _ => None,
                })
            }
        };
        match advice.wait.iter().find_map(|name| source(name)) {
            Some(Wait::For(wait)) => retry.wait = Some(wait),
            Some(Wait::Until(time)) => {
                retry.not_before = Some(time);
                retry.wait = now.map(|now| time.duration_since(now).unwrap_or(Duration::ZERO));
            }
            None => {}
        }
        retry.resets = advice.resets.clone();
        let known = retry.wait.is_some() || retry.not_before.is_some() || retry.resets.is_some();
        retry.verdict = match (known, rule.category) {
            (true, _) => RetryVerdict::After,
            // A quota may start anew in a minute or in a month. A schedule of seconds would only
            // burn requests, and somebody who pays may be waited for.
            (false, Category::QuotaExhausted) => RetryVerdict::OnceFixed,
            (false, _) => RetryVerdict::Backoff,
        };
        retry
    }

    /// No rule matched: nothing is known, so nothing is advised.
    pub(super) fn unknown() -> Retry {
        Retry {
            verdict: RetryVerdict::Never,
            scope: None,
            wait: None,
            not_before: None,
            resets: None,
            alternatives: Vec::new(),
            if_idempotent: false,
            base: Duration::ZERO,
            cap: Duration::ZERO,
        }
    }

    /// Whether the same request may be sent again without anybody acting first.
    pub fn is_retryable(&self) -> bool {
        matches!(self.verdict, RetryVerdict::Backoff | RetryVerdict::After)
    }

    /// How long to wait before attempt `attempt` (the first retry is 1), without jitter. `None`:
    /// do not retry, or the wait is known only as a time of day ([`resets`](Self::resets),
    /// [`not_before`](Self::not_before)).
    ///
    /// A known wait is the least; growing delays of the schedule come on top for later attempts.
    ///
    /// ```
    /// use std::time::Duration;
    /// use whyerr::Classifier;
    ///
    /// let verdict = Classifier::builtin().classify("429 Too Many Requests, retry after 20 seconds");
    /// assert_eq!(verdict.retry().delay(1), Some(Duration::from_secs(20)));
    /// ```
    pub fn delay(&self, attempt: u32) -> Option<Duration> {
        if !self.is_retryable() {
            return None;
        }
        if self.wait.is_none() && self.verdict == RetryVerdict::After {
            return None;
        }
        let doublings = attempt.saturating_sub(1).min(31);
        let step = self.base.saturating_mul(1 << doublings).min(self.cap);
        match self.wait {
            Some(wait) if attempt <= 1 => Some(wait),
            Some(wait) => Some(wait.max(step)),
            None => Some(step),
        }
    }

    /// The same with jitter: `random` is a number from 0 to 1 of the caller's making. The schedule
    /// is spread over its upper half; a known wait is never undercut but extended by up to a tenth.
    pub fn delay_with_jitter(&self, attempt: u32, random: f64) -> Option<Duration> {
        let delay = self.delay(attempt)?;
        let random = if random.is_finite() { random.clamp(0.0, 1.0) } else { 0.5 };
        Some(match self.wait {
            Some(_) => delay.mul_f64(1.0 + random / 10.0),
            None => delay.mul_f64(0.5 + random / 2.0),
        })
    }
}
