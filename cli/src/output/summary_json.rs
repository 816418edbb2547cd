//! The summary as one JSON object.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::SystemTime;

use serde::Serialize;
use whyerr::FORMAT_VERSION;

use super::json::line_of;
use super::sink::State;
use crate::fold::{Fold, TextEntry};
use crate::rate::Rate;
use crate::templates::Template;

/// Most templates of lines without a verdict.
const UNCLASSIFIED: usize = 100;

#[derive(Serialize)]
struct Summary<'a> {
    r#type: &'static str,
    version: u32,
    lines: u64,
    bytes: u64,
    findings: u64,
    /// Findings that were not asked for.
    left_out: u64,
    cut_lines: u64,
    cut_findings: u64,
    skipped_bytes: u64,
    /// Of followed files, rotated or truncated away before they were read.
    lost_bytes: u64,
    /// Sources that could not be read, or not to their end.
    read_errors: u64,
    interrupted: bool,
    first: Option<jiff::Timestamp>,
    last: Option<jiff::Timestamp>,
    histogram: Option<Histogram<'a>>,
    categories: BTreeMap<&'a str, u64>,
    services: BTreeMap<&'a str, u64>,
    who: BTreeMap<&'a str, u64>,
    rules: Vec<RuleCount<'a>>,
    unclassified: Unclassified<'a>,
}

/// Findings over time; the ones without a time are in none.
#[derive(Serialize)]
struct Histogram<'a> {
    start: Option<jiff::Timestamp>,
    width_s: u64,
    counts: &'a [u64],
}

#[derive(Serialize)]
struct RuleCount<'a> {
    rule: &'a str,
    category: &'a str,
    service: Option<&'a str>,
    severity: &'a str,
    who: &'a str,
    retry: &'a str,
    count: u64,
    first: Option<jiff::Timestamp>,
    last: Option<jiff::Timestamp>,
    /// Repeats but for numbers and ids are one text; the first ones that came.
    texts: Vec<TextCount<'a>>,
    /// Findings with further texts.
    other_texts: u64,
}

#[derive(Serialize)]
struct TextCount<'a> {
    count: u64,
    first: Option<jiff::Timestamp>,
    last: Option<jiff::Timestamp>,
    /// The first of them, redacted.
    example: &'a str,
}

#[derive(Serialize)]
struct Unclassified<'a> {
    lines: u64,
    /// The most frequent ones.
    templates: Vec<Template<'a>>,
    /// Lines that are in none of the templates: there are more of these than are told apart.
    uncounted: u64,
}

fn timestamp(time: SystemTime) -> Option<jiff::Timestamp> {
    jiff::Timestamp::try_from(time).ok()
}

fn ends(rate: &Rate) -> (Option<jiff::Timestamp>, Option<jiff::Timestamp>) {
    let span = rate.span();
    (span.and_then(|(first, _)| timestamp(first)), span.and_then(|(_, last)| timestamp(last)))
}

fn text_count(text: &TextEntry) -> TextCount<'_> {
    let (first, last) = ends(&text.rate);
    TextCount { count: text.count, first, last, example: &text.example }
}

pub fn write(out: &mut dyn Write, fold: &Fold, state: &State<'_>) -> io::Result<()> {
    let mut out = out;
    let totals = state.totals;
    let (first, last) = ends(&fold.rate);
    let mut summary = Summary {
        r#type: "summary",
        version: FORMAT_VERSION,
        lines: totals.lines,
        bytes: totals.bytes,
        findings: totals.findings,
        left_out: totals.left_out,
        cut_lines: totals.cut_lines,
        cut_findings: totals.cut_findings,
        skipped_bytes: totals.skipped_bytes,
        lost_bytes: totals.lost_bytes,
        read_errors: totals.read_errors,
        interrupted: totals.interrupted,
        first,
        last,
        histogram: fold.rate.buckets().map(|(start, width, counts)| Histogram {
            start: timestamp(start),
            width_s: width.as_secs(),
            counts,
        }),
        categories: BTreeMap::new(),
        services: BTreeMap::new(),
        who: BTreeMap::new(),
        rules: Vec::new(),
        unclassified: Unclassified {
            lines: state.unclassified.total,
            templates: state.unclassified.top(UNCLASSIFIED).iter().map(Template::of).collect(),
            uncounted: state.unclassified.uncounted,
        },
    };
    let retries: Vec<_> = fold.groups.iter().map(|group| group.verdict.retry()).collect();
    for (group, retry) in fold.groups.iter().zip(&retries) {
        let Some(rule) = group.verdict.rule() else { continue };
        let service = group.verdict.service().map(|service| &*service.id);
        *summary.categories.entry(rule.category.as_str()).or_default() += group.count;
        *summary.who.entry(rule.who.as_str()).or_default() += group.count;
        if let Some(service) = service {
            *summary.services.entry(service).or_default() += group.count;
        }
        let (first, last) = ends(&group.rate);
        summary.rules.push(RuleCount {
            rule: &rule.id,
            category: rule.category.as_str(),
            service,
            severity: rule.severity.as_str(),
            who: rule.who.as_str(),
            retry: retry.verdict.as_str(),
            count: group.count,
            first,
            last,
            texts: group.texts.iter().map(text_count).collect(),
            other_texts: group.other_texts,
        });
    }
    summary.rules.sort_by(|a, b| b.count.cmp(&a.count).then(a.rule.cmp(b.rule)));
    line_of(&mut out, &summary)
}
