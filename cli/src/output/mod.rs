//! How findings are reported. A format writes each finding by itself (a renderer), or takes them
//! all in (a sink), or both.

mod clash;
mod compact;
mod formats;
mod github;
pub mod json;
mod junit;
pub mod lines;
pub mod live;
mod metrics;
mod options;
mod otlp;
mod sarif;
pub mod sink;
pub mod summary;
mod summary_json;
mod target;
pub mod text;

use whyerr::redact::redact;
use whyerr::{RetryVerdict, Verdict, Who};

pub use formats::Style;
pub use options::{OutputArgs, Outputs};
pub use target::Target;

/// The beginning of raw bytes as text, redacted: at most so many bytes of them.
pub fn beginning(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(most)]);
    redact(&text).into_owned()
}

/// "the account's owner" for people.
pub fn who_acts(who: Who) -> &'static str {
    match who {
        Who::Caller => "whoever sends the request",
        Who::Account => "the account's owner",
        Who::Operator => "the operator",
        Who::Provider => "the provider",
        Who::Network => "the network's owner",
        _ => "somebody",
    }
}

/// Retry advice in a few words.
pub fn retry_words(verdict: &Verdict) -> String {
    let retry = verdict.retry();
    let mut text = match retry.verdict {
        RetryVerdict::Never => "do not retry".to_owned(),
        RetryVerdict::OnceFixed => "retry once fixed".to_owned(),
        RetryVerdict::Backoff => match retry.delay(1) {
            Some(delay) => format!("retry with backoff from {}", seconds(delay.as_secs_f64())),
            None => "retry with backoff".to_owned(),
        },
        _ => match (retry.delay(1), &retry.resets, retry.not_before) {
            (Some(delay), ..) => format!("retry after {}", seconds(delay.as_secs_f64())),
            (None, Some(resets), _) => format!("retry after the {} reset", resets_words(resets)),
            (None, None, _) => match verdict.value("reset_at") {
                Some(time) => format!("retry after {time}"),
                None => "retry after the stated time".to_owned(),
            },
        },
    };
    if retry.if_idempotent && retry.is_retryable() {
        text.push_str(", only if the request may run twice");
    }
    if !retry.alternatives.is_empty() {
        let list: Vec<&str> = retry.alternatives.iter().map(|a| a.as_str()).collect();
        text.push_str(&format!("; or another {}", list.join(", ")));
    }
    text
}

fn resets_words(resets: &str) -> String {
    match resets.split_once('@') {
        Some((every, zone)) => format!("{every} ({zone})"),
        None => resets.to_owned(),
    }
}

/// `18.4 s`, `2 min`.
pub fn seconds(seconds: f64) -> String {
    if seconds >= 120.0 {
        let minutes = (seconds / 6.0).round() / 10.0;
        if minutes >= 120.0 {
            return format!("{} h", (minutes / 6.0).round() / 10.0);
        }
        return format!("{minutes} min");
    }
    if seconds < 1.0 && seconds > 0.0 {
        return format!("{} ms", (seconds * 1000.0).round());
    }
    format!("{} s", (seconds * 10.0).round() / 10.0)
}
