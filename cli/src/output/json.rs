//! One JSON object for each finding. `docs/finding.schema.json` describes it.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use whyerr::Verdict;
use whyerr::redact::{mask, redact};
use whyerr_logs::record::Level;

use super::sink::{self, Context};

/// Most bytes of a line that are repeated in a finding.
pub const MAX_TEXT: usize = 8192;

#[derive(Serialize)]
struct Finding<'a> {
    r#type: &'static str,
    source: &'a str,
    line: u64,
    /// Offset of the line's first byte in the source.
    offset: u64,
    /// The offset is one of the decoded text.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    decoded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<jiff::Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logged_by: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<Cow<'a, str>>,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<&'a Context>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suppressed: Option<u64>,
    /// The text was cut.
    cut: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

pub fn finding(out: &mut Vec<u8>, finding: &sink::Finding<'_>) -> io::Result<()> {
    finding_with(out, finding, None)
}

/// The same, with the number of incidents that were not told.
pub fn finding_with(
    out: &mut Vec<u8>,
    finding: &sink::Finding<'_>,
    suppressed: Option<u64>,
) -> io::Result<()> {
    let text = finding.shown();
    let record = finding.record;
    let finding = Finding {
        r#type: "finding",
        source: finding.source,
        line: finding.line,
        offset: finding.offset,
        decoded: finding.decoded,
        time: record.time.and_then(|time| jiff::Timestamp::try_from(time).ok()),
        level: record.level.map(Level::as_str),
        logged_by: record.logged_by.as_deref().map(redact),
        trace: record.trace.as_deref().map(redact),
        text: mask(text, MAX_TEXT, finding.verdict.secrets()),
        context: Some(finding.context).filter(|context| **context != Context::default()),
        suppressed,
        cut: finding.cut || text.len() > MAX_TEXT,
        verdict: finding.verdict,
    };
    line_of(out, &finding)
}

/// One JSON line.
pub fn line_of(out: &mut (impl Write + ?Sized), value: &impl Serialize) -> io::Result<()> {
    value_of(out, value)?;
    out.write_all(b"\n")
}

/// A JSON value. Control characters that JSON leaves alone (C1, which some terminals obey) are
/// escaped as well.
pub fn value_of(out: &mut (impl Write + ?Sized), value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    let mut rest = json.as_str();
    while let Some(at) = rest.find(|c: char| matches!(c, '\u{7f}'..='\u{9f}')) {
        let c = rest[at..].chars().next().unwrap_or_default();
        write!(out, "{}\\u{:04x}", &rest[..at], c as u32)?;
        rest = &rest[at + c.len_utf8()..];
    }
    out.write_all(rest.as_bytes())
}
