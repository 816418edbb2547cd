//! The JSON form of a verdict: versioned, the same for findings and for `whyerr classify`.
//! `docs/verdict.schema.json` describes it.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::ser::{Serialize, Serializer};

use super::{ChainLink, Evidence, FactView, Retry, RunnerUp, Verdict, rfc3339};
use crate::facts::Value;
use crate::rule::words::{Category, Confidence, Severity, Tier, Who};

/// Version of the JSON form: raised when a field changes its meaning or goes away, not when one
/// is added.
pub const FORMAT_VERSION: u32 = 1;

/// The fields of a verdict in their order. `category` is always there: `unclassified` where no
/// rule matched.
#[derive(serde::Serialize)]
struct Json<'v> {
    version: u32,
    rule: Option<&'v str>,
    title: Option<String>,
    category: &'static str,
    severity: Option<Severity>,
    service: Option<&'v str>,
    service_from: Option<&'static str>,
    who: Option<Who>,
    retry: Option<RetryJson<'v>>,
    confidence: Option<Confidence>,
    summary: Option<String>,
    causes: Vec<String>,
    remedies: Vec<RemedyJson>,
    evidence: Vec<EvidenceJson<'v>>,
    facts: Vec<FactJson<'v>>,
    values: BTreeMap<&'v str, ValueJson<'v>>,
    tier: Option<Tier>,
    decided_by: Option<&'static str>,
    ambiguous: bool,
    runners_up: Vec<RunnerUpJson<'v>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shadows: Vec<&'v str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    chain: Vec<LinkJson<'v>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    root_cause: bool,
    pack: Pack,
}

#[derive(serde::Serialize)]
struct LinkJson<'v> {
    text: &'v str,
    span: [usize; 2],
}

#[derive(serde::Serialize)]
struct RetryJson<'v> {
    verdict: &'static str,
    scope: Option<&'static str>,
    delay_s: Option<f64>,
    not_before: Option<String>,
    resets: Option<&'v str>,
    /// Delays before the first retries, in seconds, without jitter.
    schedule_s: Vec<f64>,
    alternatives: Vec<&'static str>,
    if_idempotent: bool,
}

#[derive(serde::Serialize)]
struct RemedyJson {
    #[serde(rename = "do")]
    text: String,
    who: Who,
}

#[derive(serde::Serialize)]
struct EvidenceJson<'v> {
    kind: &'static str,
    text: &'v str,
    span: Option<[usize; 2]>,
}

#[derive(serde::Serialize)]
struct FactJson<'v> {
    name: &'static str,
    value: &'v str,
    from: &'static str,
    span: Option<[usize; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'v str>,
}

#[derive(serde::Serialize)]
struct RunnerUpJson<'v> {
    rule: &'v str,
    category: Category,
    lost_by: &'static str,
}

#[derive(serde::Serialize)]
struct Pack {
    version: &'static str,
    hash: String,
}

/// How many delays of the schedule are written.
const SCHEDULE: u32 = 5;

struct ValueJson<'v>(&'v Value);

/// Numbers as numbers, durations in seconds, times as RFC 3339.
impl Serialize for ValueJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::String(text) => serializer.serialize_str(text),
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Size(bytes) => serializer.serialize_u64(*bytes),
            Value::Duration(duration) => serializer.serialize_f64(duration.as_secs_f64()),
            Value::Time(time) => serializer.serialize_str(&rfc3339(*time).unwrap_or_default()),
        }
    }
}

fn span(range: &Option<Range<usize>>) -> Option<[usize; 2]> {
    range.as_ref().map(|range| [range.start, range.end])
}

impl<'v> RetryJson<'v> {
    fn new(retry: &'v Retry) -> RetryJson<'v> {
        RetryJson {
            verdict: retry.verdict.as_str(),
            scope: retry.scope.map(|scope| scope.as_str()),
            delay_s: retry.delay(1).map(|delay| delay.as_secs_f64()),
            not_before: retry.not_before.and_then(rfc3339),
            resets: retry.resets.as_deref(),
            schedule_s: (1..=SCHEDULE)
                .filter_map(|attempt| retry.delay(attempt))
                .map(|delay| delay.as_secs_f64())
                .collect(),
            alternatives: retry.alternatives.iter().map(|a| a.as_str()).collect(),
            if_idempotent: retry.if_idempotent,
        }
    }
}

impl<'v> Json<'v> {
    fn new(verdict: &'v Verdict) -> Json<'v> {
        let service = verdict.service();
        let evidence =
            |e: &'v Evidence| EvidenceJson { kind: e.kind, text: &e.text, span: span(&e.span) };
        let fact = |f: &'v FactView| FactJson {
            name: f.name,
            value: &f.value,
            from: f.from.as_str(),
            span: span(&f.span),
            path: f.path.as_deref(),
        };
        let link = |l: &'v ChainLink| LinkJson { text: &l.text, span: [l.span.start, l.span.end] };
        let runner_up = |r: &'v RunnerUp| RunnerUpJson {
            rule: &r.rule,
            category: r.category,
            lost_by: r.lost_by.as_str(),
        };
        Json {
            version: FORMAT_VERSION,
            rule: verdict.rule().map(|rule| &*rule.id),
            title: verdict.title(),
            category: verdict.category().map_or("unclassified", |category| category.as_str()),
            severity: verdict.severity(),
            service: service.map(|service| &*service.id),
            service_from: service.map(|service| service.from.as_str()),
            who: verdict.who(),
            retry: verdict.details().map(|details| RetryJson::new(&details.retry)),
            confidence: verdict.confidence(),
            summary: verdict.summary(),
            causes: verdict.causes(),
            remedies: verdict
                .remedies()
                .into_iter()
                .map(|(text, who)| RemedyJson { text, who })
                .collect(),
            evidence: verdict.evidence().iter().map(evidence).collect(),
            facts: verdict.facts().iter().map(fact).collect(),
            values: verdict.values().iter().map(|(k, v)| (&**k, ValueJson(v))).collect(),
            tier: verdict.tier(),
            decided_by: verdict.decided_by().map(|step| step.as_str()),
            ambiguous: verdict.is_ambiguous(),
            runners_up: verdict.runners_up().iter().map(runner_up).collect(),
            shadows: verdict.shadows().map(|rule| &*rule.id).collect(),
            chain: verdict.chain().iter().map(link).collect(),
            root_cause: verdict.is_root_cause(),
            pack: Pack { version: verdict.catalog().version(), hash: verdict.catalog().hash() },
        }
    }
}

impl Serialize for Verdict {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Json::new(self).serialize(serializer)
    }
}
