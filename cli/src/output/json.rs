//! One JSON object for each finding. `docs/finding.schema.json` describes it.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::Serialize;
use whyerr::Verdict;

/// Most bytes of a line that are repeated in a finding.
const MAX_TEXT: usize = 8192;

#[derive(Serialize)]
struct Finding<'a> {
    r#type: &'static str,
    source: &'a str,
    line: u64,
    /// Offset of the line's first byte in the source.
    offset: u64,
    text: Cow<'a, str>,
    /// The text was cut.
    cut: bool,
    #[serde(flatten)]
    verdict: &'a Verdict,
}

pub fn finding(
    out: &mut impl Write,
    source: &str,
    line: u64,
    offset: u64,
    text: &[u8],
    cut: bool,
    verdict: &Verdict,
) -> io::Result<()> {
    let shown = String::from_utf8_lossy(&text[..text.len().min(MAX_TEXT)]);
    let finding = Finding {
        r#type: "finding",
        source,
        line,
        offset,
        text: Cow::Owned(whyerr::redact::redact(&shown).into_owned()),
        cut: cut || text.len() > MAX_TEXT,
        verdict,
    };
    line_of(out, &finding)
}

/// One JSON line. Control characters that JSON leaves alone (C1, which some terminals obey) are
/// escaped as well.
pub fn line_of(out: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    let json = serde_json::to_string(value)?;
    let mut rest = json.as_str();
    while let Some(at) = rest.find(|c: char| matches!(c, '\u{7f}'..='\u{9f}')) {
        let c = rest[at..].chars().next().unwrap_or_default();
        write!(out, "{}\\u{:04x}", &rest[..at], c as u32)?;
        rest = &rest[at + c.len_utf8()..];
    }
    writeln!(out, "{rest}")
}
