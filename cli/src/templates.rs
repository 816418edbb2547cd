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

/// Whether nothing is wrong, for all that stands around such a word.
fn is_harmless(line: &[u8], word: Range<usize>) -> bool {
    let (before, behind) = (&line[..word.start], &line[word.end..]);
    HARMLESS_BEFORE.iter().any(|text| ends_with_word(before, text.as_bytes()))
        || value(behind).is_some_and(|value| {
            let is_number = value.first().is_some_and(u8::is_ascii_digit);
            let is_setting = line[word].eq_ignore_ascii_case(b"timeout") && is_number;
            is_setting
                || HARMLESS_VALUES.iter().any(|text| begins_with_word(value, text.as_bytes()))
        })
}

/// The value of the counter or switch whose name the word is, or begins: `_count=0`, `": null`.
fn value(behind: &[u8]) -> Option<&[u8]> {
    let name = behind.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_');
    let rest = &behind[name.count()..];
    let rest = rest.strip_prefix(b"\"").unwrap_or(rest);
    let [b'=' | b':', value @ ..] = rest else { return None };
    let value = value.trim_ascii_start();
    Some(value.strip_prefix(b"\"").unwrap_or(value))
}

/// Ends with a text, in any case, that is no end of a longer word or number.
fn ends_with_word(text: &[u8], end: &[u8]) -> bool {
    let Some(at) = text.len().checked_sub(end.len()) else { return false };
    let (before, last) = text.split_at(at);
    let joins = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    last.eq_ignore_ascii_case(end) && !(joins(before.last()) && joins(end.first()))
}

/// The same for a beginning.
fn begins_with_word(text: &[u8], start: &[u8]) -> bool {
    let Some((first, behind)) = text.split_at_checked(start.len()) else { return false };
    first.eq_ignore_ascii_case(start) && !behind.first().is_some_and(u8::is_ascii_alphanumeric)
}

/// Lines of `bytes` that look like errors, in order. Each word is looked at once.
pub fn error_lines(bytes: &[u8]) -> impl Iterator<Item = Range<usize>> {
    let mut line = 0..0;
    let mut is_known = false;
    WORDS.find_iter(bytes).filter_map(move |word| {
        if word.start() >= line.end {
            let from = line.end;
            let start = memchr::memrchr(b'\n', &bytes[from..word.start()]);
            let end = memchr::memchr(b'\n', &bytes[word.end()..]);
            line.start = start.map_or(from, |at| from + at + 1);
            line.end = end.map_or(bytes.len(), |at| word.end() + at);
            is_known = false;
        }
        let place = word.start() - line.start..word.end() - line.start;
        if is_known || is_harmless(&bytes[line.clone()], place) {
            return None;
        }
        is_known = true;
        Some(line.clone())
    })
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
        // One harmless word does not hide another, and a line comes once.
        let log = b"0 errors\nno error, failed=0, but it timed out and was refused\nkilled";
        let lines: Vec<_> = error_lines(log).collect();
        assert_eq!(lines, [9..61, 62..68]);
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
