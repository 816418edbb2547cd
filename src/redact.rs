//! Secrets in text: found and masked, in everything that is emitted.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

/// What replaces a secret.
pub const MASK: &str = "[redacted]";

/// Shapes of secrets. Group 1, where there is one, is the secret; else the whole match.
const SHAPES: &[&str] = &[
    // Keys with a vendor's prefix.
    r"\b(?:sk|rk|pk)-[A-Za-z0-9*_-]{8,}",
    r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}",
    r"\bAIza[0-9A-Za-z_-]{20,}",
    r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}",
    r"\bgh[pousr]_[A-Za-z0-9]{16,}",
    r"\bgithub_pat_[A-Za-z0-9_]{16,}",
    r"\bglpat-[A-Za-z0-9_-]{16,}",
    r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}",
    r"\b(?:gsk|xai|hf|nvapi|pplx|r8|tgp|fw|csk|dop_v1)[_-][A-Za-z0-9_-]{16,}",
    r"\bnpm_[A-Za-z0-9]{16,}",
    r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    // JSON web tokens.
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    // Authorization headers and URL credentials.
    r"(?i)\b(?:bearer|basic)\s+([A-Za-z0-9._~+/=-]{8,})",
    r"[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@",
    // Keyed secrets.
    r#"(?i)(?:api[_-]?key|apikey|secret|passw(?:or)?d|access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key|access[_-]?key)["']?\s*[:=]\s*["']?([^\s"',;&}]{6,})"#,
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----)?",
    // E-mail addresses.
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b",
];

static REGEXES: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    SHAPES
        .iter()
        .map(|shape| {
            regex::bytes::RegexBuilder::new(shape).unicode(false).build().expect("a constant")
        })
        .collect()
});

/// The ranges of secrets in `text`, in order, without overlaps.
pub fn secrets(text: &[u8]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = REGEXES
        .iter()
        .flat_map(|regex| regex.captures_iter(text))
        .filter_map(|captures| captures.get(1).or_else(|| captures.get(0)).map(|m| m.range()))
        .collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// `text` with every secret masked.
///
/// ```
/// let text = whyerr::redact::redact("Incorrect API key provided: sk-abcdefgh1234");
/// assert_eq!(text, "Incorrect API key provided: [redacted]");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text.as_bytes());
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(masked(text.as_bytes(), 0..text.len(), &secrets))
}

/// The part `range` of `text`, with the parts of `secrets` that lie in it masked. Bytes that are
/// not UTF-8 become U+FFFD.
pub(crate) fn masked(text: &[u8], range: Range<usize>, secrets: &[Range<usize>]) -> String {
    let mut out = String::with_capacity(range.len());
    let mut at = range.start;
    for secret in secrets {
        if secret.end <= at || secret.start >= range.end {
            continue;
        }
        if secret.start > at {
            out.push_str(&String::from_utf8_lossy(&text[at..secret.start]));
        }
        out.push_str(MASK);
        at = secret.end.min(range.end);
    }
    if at < range.end {
        out.push_str(&String::from_utf8_lossy(&text[at..range.end]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let cases = [
            ("key sk-To3E*****************wdv.", "key [redacted]."),
            ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [redacted]"),
            ("postgres://bob:hunter22@db:5432/x", "postgres://bob:[redacted]@db:5432/x"),
            (r#"{"api_key": "0123456789abcdef"}"#, r#"{"api_key": "[redacted]"}"#),
            ("mail bob.k@example.com now", "mail [redacted] now"),
            ("password=hunter22&x=1", "password=[redacted]&x=1"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redact(text), wanted);
        }
    }

    #[test]
    fn plain_text_stays() {
        for text in ["task-force", "risk-averse people", "secret: no", "a@b", "insufficient_quota"]
        {
            assert_eq!(redact(text), text);
        }
    }
}
