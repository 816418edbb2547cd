//! Lines that look like errors, and counts of texts.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use serde::Serialize;

use crate::fold;
use crate::output::beginning;

/// Most different texts that are counted; further ones are only numbered.
const MAX_COUNTED: usize = 20_000;
/// Words of lines that look like errors.
const ERROR_WORDS: &[&str] = &[
    "error",
    "fail",
    "exception",
    "fatal",
    "panic",
    "critical",
    "refused",
    "denied",
    "timeout",
    "timed out",
    "abort",
    "cannot",
    "can't",
    "could not",
    "unable",
    "invalid",
    "not found",
    "unavailable",
    "killed",
    "错误",
    "失败",
    "异常",
];

static WORDS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let mut builder = AhoCorasick::builder();
    builder.ascii_case_insensitive(true).kind(Some(aho_corasick::AhoCorasickKind::DFA));
    builder.build(ERROR_WORDS).expect("a handful of words")
});

/// What stands before such a word where nothing is wrong: "0 errors", a path, an option.
const HARMLESS_BEFORE: &[&str] = &["0 ", "no ", "zero ", "without ", "/", "--"];
/// Values of counters and switches that say that nothing is wrong: `failed=0`, `"error": null`.
const HARMLESS_VALUES: &[&str] = &["0", "false", "none", "null", "nil", "[]", "{}"];

/// Whether a line looks like an error.
pub fn looks_like_error(line: &[u8]) -> bool {
    WORDS.find_iter(line).any(|word| !is_harmless(line, word.range()))
}

fn is_harmless(line: &[u8], word: Range<usize>) -> bool {
    let is_end = |text: &[u8]| {
        let before = &line[..word.start];
        let start = before.len().checked_sub(text.len());
        start.is_some_and(|at| {
            let stands_alone = at == 0 || !before[at - 1].is_ascii_alphanumeric();
            before[at..].eq_ignore_ascii_case(text)
                && (stands_alone || !text[0].is_ascii_alphanumeric())
        })
    };
    if HARMLESS_BEFORE.iter().any(|text| is_end(text.as_bytes())) {
        return true;
    }
    let rest = &line[word.end..];
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let rest = &rest[name.count()..];
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let [b'=' | b':', value @ ..] = rest else { return false };
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b"\"").unwrap_or(value);
    let is_number = value.first().is_some_and(u8::is_ascii_digit);
    let is_setting = line[word.clone()].eq_ignore_ascii_case(b"timeout") && is_number;
    is_setting
        || HARMLESS_VALUES.iter().any(|text| {
            let (text, end) = (text.as_bytes(), text.len());
            value.get(..end).is_some_and(|start| start.eq_ignore_ascii_case(text))
                && !value.get(end).is_some_and(u8::is_ascii_alphanumeric)
        })
}

/// Lines of `bytes` that look like errors, in order.
pub fn error_lines(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + WORDS.find(bytes.get(from..)?)?.start();
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |newline| newline + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
        from = end + 1;
        Some(start..end)
    })
    .filter(|range| looks_like_error(&bytes[range.clone()]))
}

/// Counts of texts, bounded.
#[derive(Default)]
pub struct Counter {
    counts: HashMap<String, (u64, String)>,
    pub total: u64,
    /// Of texts that came after there were too many.
    pub uncounted: u64,
}

impl Counter {
    /// Counts a text; `note` is kept of its first time.
    pub fn add(&mut self, key: String, note: impl FnOnce() -> String) {
        self.total += 1;
        if let Some((number, _)) = self.counts.get_mut(&key) {
            *number += 1;
        } else if self.counts.len() < MAX_COUNTED {
            self.counts.insert(key, (1, note()));
        } else {
            self.uncounted += 1;
        }
    }

    pub fn top(&self, most: usize) -> Vec<Entry<'_>> {
        let entries = self.counts.iter();
        let mut list: Vec<Entry<'_>> =
            entries.map(|(text, (lines, note))| Entry { lines: *lines, text, note }).collect();
        list.sort_by(|a, b| b.lines.cmp(&a.lines).then(a.text.cmp(b.text)));
        list.truncate(most);
        list
    }
}

/// Lines without a verdict that are the same but for numbers and ids.
#[derive(Debug, Serialize)]
pub struct Template<'c> {
    pub lines: u64,
    text: String,
    pub note: &'c str,
}

impl<'c> Template<'c> {
    /// Texts are counted as they came; what is shown is made of the example, which is redacted.
    pub fn of(entry: &Entry<'c>) -> Template<'c> {
        let text = fold::normalize(entry.note.as_bytes());
        Template { lines: entry.lines, text, note: entry.note }
    }
}

/// A text that was counted.
#[derive(Debug, Serialize)]
pub struct Entry<'c> {
    pub lines: u64,
    pub text: &'c str,
    /// An example line, or the rules that the literal belongs to.
    pub note: &'c str,
}

/// The beginning of a line as an example, redacted.
pub fn example(line: &[u8]) -> String {
    beginning(line, fold::MAX_EXAMPLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_look_like_errors_are_found() {
        let log = b"fine\nit FAILED, error 1\n\nunable to open\nok";
        let lines: Vec<&[u8]> = error_lines(log).map(|line| &log[line]).collect();
        assert_eq!(lines, [&b"it FAILED, error 1"[..], b"unable to open"]);
        assert_eq!(error_lines(b"").count(), 0);
    }

    #[test]
    fn counters_options_and_paths_are_no_errors() {
        for line in [
            "finished: 0 errors, 0 warnings",
            "No errors found",
            r#"GET /api/v1/errors/summary HTTP/1.1" 200 5031"#,
            r#"headers={"x-ratelimit-limit":"429","timeout":"30"}"#,
            r#"{"ok":true,"error":null,"failed":[]}"#,
            "ok=12 failed=0 unreachable=0 timeout=30s",
            "run --fail-fast --error-limit 3",
        ] {
            assert!(!looks_like_error(line.as_bytes()), "{line}");
        }
        for line in [
            "10 errors",
            "0 warnings, 3 errors",
            "failed=1",
            r#"{"error":"0x80070005"}"#,
            "error: disk",
            "timeout: nobody answered",
            "GET /errors failed",
        ] {
            assert!(looks_like_error(line.as_bytes()), "{line}");
        }
    }
}
