//! A verdict in short, for lines that somebody else reads on: `--filter` and `--enrich`. Valid
//! against `docs/verdict.schema.json`.

use serde::Serialize;
use whyerr::{Confidence, FORMAT_VERSION, Severity, Verdict, Who};

/// Steps that are told.
const REMEDIES: usize = 2;

#[derive(Serialize)]
pub struct Compact<'v> {
    version: u32,
    rule: Option<&'v str>,
    category: &'static str,
    severity: Option<Severity>,
    service: Option<&'v str>,
    who: Option<Who>,
    retry: Retry,
    confidence: Option<Confidence>,
    summary: Option<String>,
    remedies: Vec<Remedy>,
    /// The line was longer than what is classified.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

#[derive(Serialize)]
struct Retry {
    verdict: &'static str,
    scope: Option<&'static str>,
    delay_s: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_before: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resets: Option<Box<str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    if_idempotent: bool,
}

#[derive(Serialize)]
struct Remedy {
    #[serde(rename = "do")]
    text: String,
    who: Who,
}

impl<'v> Compact<'v> {
    pub fn new(verdict: &'v Verdict, cut: bool) -> Compact<'v> {
        let retry = verdict.retry();
        let remedies = verdict.remedies().into_iter().take(REMEDIES);
        Compact {
            version: FORMAT_VERSION,
            rule: verdict.rule().map(|rule| &*rule.id),
            category: verdict.category().map_or("unclassified", |category| category.as_str()),
            severity: verdict.severity(),
            service: verdict.service().map(|service| &*service.id),
            who: verdict.who(),
            retry: Retry {
                verdict: retry.verdict.as_str(),
                scope: retry.scope.map(|scope| scope.as_str()),
                delay_s: retry.delay(1).map(|delay| delay.as_secs_f64()),
                not_before: retry.not_before.and_then(|time| time.try_into().ok()),
                resets: retry.resets.clone(),
                if_idempotent: retry.if_idempotent,
            },
            confidence: verdict.confidence(),
            summary: verdict.summary(),
            remedies: remedies.map(|(text, who)| Remedy { text, who }).collect(),
            cut,
        }
    }
}
