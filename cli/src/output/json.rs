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
    serde_json::to_writer(&mut *out, &finding)?;
    out.write_all(b"\n")
}
