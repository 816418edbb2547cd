//! How findings are reported. A format writes each finding by itself (a renderer), or takes them
//! all in (a sink), or both.

mod around;
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
pub mod shortfall;
pub mod sink;
pub mod summary;
mod summary_json;
mod target;
pub mod text;

use std::time::Duration;

pub use whyerr::redact::beginning;
use whyerr::{RetryVerdict, Value, Verdict, Who};

pub use formats::Style;
pub use options::{OutputArgs, Outputs};
pub use target::Target;

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
            Some(delay) => format!("retry with backoff from {}", duration(delay)),
            None => "retry with backoff".to_owned(),
        },
        _ => match (retry.delay(1), &retry.resets, retry.not_before) {
            (Some(delay), ..) => format!("retry after {}", duration(delay)),
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
pub fn duration(duration: Duration) -> String {
    Value::Duration(duration).to_string()
}
