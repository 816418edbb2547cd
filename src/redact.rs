//! Secrets in text: found and masked, in everything that is emitted.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex::bytes::{Regex, RegexBuilder};

/// What replaces a secret.
pub const MASK: &str = "[redacted]";

/// A shape of secrets.
struct Shape {
    /// In lower case: one of these is in every text that holds such a secret.
    hints: &'static [&'static str],
    /// Group 1, where there is one, is the secret; else the whole match.
    pattern: &'static str,
    regex: OnceLock<Option<Regex>>,
}

const fn shape(hints: &'static [&'static str], pattern: &'static str) -> Shape {
    Shape { hints, pattern, regex: OnceLock::new() }
}

static SHAPES: [Shape; 24] = [
    // Keys with a vendor's prefix.
    shape(&["sk-", "rk-", "pk-"], r"\b(?:sk|rk|pk)-[A-Za-z0-9*_-]{8,}"),
    shape(&["_live_", "_test_"], r"\b(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{8,}"),
    shape(&["aiza"], r"\bAIza[0-9A-Za-z_-]{20,}"),
    shape(&["akia", "asia"], r"\b(?:AKIA|ASIA)[0-9A-Z]{12,}"),
    shape(&["gh"], r"\bgh[pousr]_[A-Za-z0-9]{16,}"),
    shape(&["github_pat_"], r"\bgithub_pat_[A-Za-z0-9_]{16,}"),
    shape(&["glpat-"], r"\bglpat-[A-Za-z0-9_-]{16,}"),
    shape(&["xox"], r"\bxox[abeoprs]-[A-Za-z0-9-]{8,}"),
    shape(
        &["gsk", "xai", "hf", "nvapi", "pplx", "r8", "tgp", "fw", "csk", "dop_v1"],
        r"\b(?:gsk|xai|hf|nvapi|pplx|r8|tgp|fw|csk|dop_v1)[_-][A-Za-z0-9_-]{16,}",
    ),
    shape(&["npm_"], r"\bnpm_[A-Za-z0-9]{16,}"),
    shape(&["sg."], r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    // JSON web tokens.
    shape(&["eyj"], r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    // Authorization headers and URL credentials.
    shape(&["bearer", "basic"], r"(?i)\b(?:bearer|basic)(?:\s+|%20|\+)([A-Za-z0-9._~+/=-]{8,})"),
    shape(
        &["authorization"],
        r#"(?i)\bauthorization(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?(?:[A-Za-z][A-Za-z0-9-]*\s+)?([^\s"',;]{8,})"#,
    ),
    shape(
        &["cookie"],
        r#"(?i)\b(?:set-)?cookie(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?([^\s"'=]+=[^\r\n"']{4,})"#,
    ),
    shape(&["://"], r"[a-z][a-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@"),
    // Keyed secrets.
    shape(
        &["key", "secret", "passw", "token"],
        r#"(?i)(?:api[_-]?key|apikey|secret|passw(?:or)?d|access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|private[_-]?key|access[_-]?key)(?:\\*["'])?\s*[:=]\s*(?:\\*["'])?([^\s"',;&}]{6,})"#,
    ),
    // A word that prose uses too: as a parameter, or quoted as a field.
    shape(
        &["token=", "token\"", "token'"],
        r#"(?i)token(?:=|\\*["']\s*[:=]\s*\\*["'])([A-Za-z0-9._~+/=%-]{8,})"#,
    ),
    shape(
        &["key", "secret", "passw", "token"],
        r#"(?i)(?:--(?:password|passwd|token|secret|api-?key)[ =]|\b(?:secret|passw(?:or)?d)\s*[:=])\s*["']([^"'\n]{4,})["']"#,
    ),
    shape(
        &["--pass", "--token", "--secret", "--api"],
        r#"(?i)--(?:password|passwd|passphrase|token|secret|api-?key)[ =]+([^\s"'-][^\s"']{3,})"#,
    ),
    shape(
        &["sig", "x-amz-", "sessid", "sessionid", "pwd", "passphrase", "accountkey", "accesskey"],
        r#"(?i)(?:[?&](?:sig|signature)|\bx-amz-(?:signature|credential|security-token)|\b(?:j|php)sessi?on?id|\bsession_?id|\bpwd|\bpassphrase|\b(?:account|sharedaccess)key)\s*[=:]\s*([^\s"',;&}/][^\s"',;&}]{3,})"#,
    ),
    shape(&["hooks.slack.com"], r"hooks\.slack\.com/(?:services|workflows)/([A-Za-z0-9/_-]{8,})"),
    shape(
        &["private key"],
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|[A-Za-z0-9+/=\s\\]*)",
    ),
    // E-mail addresses.
    shape(&["@"], r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b"),
];

impl Shape {
    fn regex(&self) -> Option<&Regex> {
        let build = || RegexBuilder::new(self.pattern).unicode(false).build().ok();
        self.regex.get_or_init(build).as_ref()
    }
}

/// Finds the hints of all shapes in one pass.
fn hints() -> &'static AhoCorasick {
    static HINTS: OnceLock<AhoCorasick> = OnceLock::new();
    HINTS.get_or_init(|| {
        AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(SHAPES.iter().flat_map(|shape| shape.hints))
            .expect("a few short hints")
    })
}

/// The shape of each hint, in the order of the automaton.
static HINTED: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let shapes = SHAPES.iter().enumerate();
    shapes.flat_map(|(at, shape)| shape.hints.iter().map(move |_| at)).collect()
});

/// The ranges of secrets in `text`, in order, without overlaps.
pub fn secrets(text: &[u8]) -> Vec<Range<usize>> {
    let mut hinted = [false; SHAPES.len()];
    for hint in hints().find_overlapping_iter(text) {
        hinted[HINTED[hint.pattern().as_usize()]] = true;
    }
    let mut ranges: Vec<Range<usize>> = SHAPES
        .iter()
        .zip(hinted)
        .filter(|(_, hinted)| *hinted)
        .filter_map(|(shape, _)| shape.regex())
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
    fn every_shape_compiles() {
        assert!(SHAPES.iter().all(|shape| shape.regex().is_some()));
    }

    #[test]
    fn secrets_are_masked() {
        let cases = [
            ("key sk-To3E*****************wdv.", "key [redacted]."),
            ("Authorization: Bearer abc.def-123456", "Authorization: Bearer [redacted]"),
            ("postgres://bob:hunter22@db:5432/x", "postgres://bob:[redacted]@db:5432/x"),
            (r#"{"api_key": "0123456789abcdef"}"#, r#"{"api_key": "[redacted]"}"#),
            // Keys stand in JSON inside of JSON.
            (r#"{\"api_key\":\"0123456789\"}"#, r#"{\"api_key\":\"[redacted]"}"#),
            ("mail bob.k@example.com now", "mail [redacted] now"),
            ("password=hunter22&x=1", "password=[redacted]&x=1"),
            ("password: 'two words'", "password: '[redacted]'"),
            ("psql --password hunter22 -h db", "psql --password [redacted] -h db"),
            ("GET /a?token=abcdefgh12&b=1", "GET /a?token=[redacted]&b=1"),
            (r#"{"token":"abcdefgh12"}"#, r#"{"token":"[redacted]"}"#),
            ("Authorization: token 0123456789", "Authorization: token [redacted]"),
            ("authorization: 0123456789abcdef", "authorization: [redacted]"),
            ("Cookie: sid=abcdef; theme=dark", "Cookie: [redacted]"),
            ("a?x=1&sig=abc%2Bdef&y=2", "a?x=1&sig=[redacted]&y=2"),
            ("X-Amz-Signature=0123abcd", "X-Amz-Signature=[redacted]"),
            ("Server=db;Uid=sa;Pwd=hunter22;", "Server=db;Uid=sa;Pwd=[redacted];"),
            ("AccountName=a;AccountKey=abcd1234==", "AccountName=a;AccountKey=[redacted]"),
            (
                "https://hooks.slack.com/services/T000/B000/abcdefgh",
                "https://hooks.slack.com/services/[redacted]",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc+/\nxyz", "[redacted]"),
        ];
        for (text, wanted) in cases {
            assert_eq!(redact(text), wanted);
        }
    }

    #[test]
    fn plain_text_stays() {
        for text in [
            "task-force",
            "risk-averse people",
            "secret: no",
            "a@b",
            "insufficient_quota",
            "PWD=/home/bob",
            "unexpected token: something",
            "maximum tokens: 4096",
            "Set-Cookie header is missing",
        ] {
            assert_eq!(redact(text), text);
        }
    }
}
