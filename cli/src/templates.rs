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

/// Whether a line looks like an error.
pub fn looks_like_error(line: &[u8]) -> bool {
    WORDS.is_match(line)
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
}
