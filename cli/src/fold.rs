//! Repeats of the same error are one entry: counts, first and last place, one example.

use std::collections::HashMap;

use whyerr::Verdict;

use crate::output::sink::{Context, Finding};
use crate::rate::Rate;
use crate::templates;

/// Most different texts that are kept for one rule and service.
const MAX_TEXTS: usize = 50;
/// Most bytes of a line that are read, and most bytes of what is left of them that tell texts
/// apart. The second is smaller: ids of other lengths must not move the end.
const MAX_READ: usize = 2000;
const MAX_KEY: usize = 240;
/// Most bytes of a line that are kept as the example.
pub const MAX_EXAMPLE: usize = 4096;

/// Where something was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
    pub source: usize,
    pub line: u64,
    /// Lines of the event behind its first one.
    pub more_lines: u64,
    /// Offset of its first byte in the source, and its bytes.
    pub offset: u64,
    pub bytes: usize,
    /// The offset is one of the decoded text.
    pub decoded: bool,
}

/// All findings of one rule for one service.
pub struct Group {
    /// The verdict of the first one.
    pub verdict: Verdict,
    pub count: u64,
    pub texts: Vec<TextEntry>,
    /// Findings whose text was not kept.
    pub other_texts: u64,
    /// When they happened, as far as the log says.
    pub rate: Rate,
    index: HashMap<String, usize>,
}

/// Findings whose lines are the same but for numbers and ids.
pub struct TextEntry {
    /// The verdict of the first one: values in its words are those of the example.
    pub verdict: Verdict,
    pub count: u64,
    pub first: Place,
    pub last: Place,
    pub rate: Rate,
    /// The first one, redacted.
    pub example: String,
    /// The line of it that made the rule match, from 0.
    pub telling_line: usize,
    /// Lines before and behind it.
    pub context: Context,
}

/// Folds findings as they come. Memory grows with rules that fired, not with findings.
#[derive(Default)]
pub struct Fold {
    pub groups: Vec<Group>,
    /// Of all findings.
    pub rate: Rate,
    index: HashMap<(String, Option<String>), usize>,
}

impl Fold {
    pub fn add(&mut self, finding: &Finding<'_>) {
        let Finding { verdict, key, text: line, .. } = *finding;
        let place = Place {
            source: finding.source_number,
            line: finding.line,
            more_lines: memchr::memchr_iter(b'\n', line).count() as u64,
            offset: finding.offset,
            decoded: finding.decoded,
            bytes: line.len(),
        };
        let Some(rule) = verdict.rule() else { return };
        let service = verdict.service().map(|service| service.id.to_string());
        let at = *self.index.entry((rule.id.to_string(), service)).or_insert_with(|| {
            self.groups.push(Group {
                verdict: verdict.clone(),
                count: 0,
                texts: Vec::new(),
                other_texts: 0,
                rate: Rate::default(),
                index: HashMap::new(),
            });
            self.groups.len() - 1
        });
        let group = &mut self.groups[at];
        group.count += 1;
        let time = finding.record.time;
        if let Some(time) = time {
            self.rate.add(time);
            group.rate.add(time);
        }
        match group.index.get(key) {
            Some(&text) => {
                let text = &mut group.texts[text];
                text.count += 1;
                text.last = place;
                time.into_iter().for_each(|time| text.rate.add(time));
            }
            None if group.texts.len() < MAX_TEXTS => {
                group.index.insert(key.to_owned(), group.texts.len());
                let mut rate = Rate::default();
                time.into_iter().for_each(|time| rate.add(time));
                group.texts.push(TextEntry {
                    verdict: verdict.clone(),
                    count: 1,
                    first: place.clone(),
                    last: place,
                    rate,
                    example: templates::example(finding.shown()),
                    telling_line: finding.telling_line(),
                    context: finding.context.clone(),
                });
            }
            None => group.other_texts += 1,
        }
    }
}

/// A line without what differs between repeats: numbers, and words that hold a digit (ids,
/// addresses, hashes).
pub fn normalize(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(&line[..line.len().min(MAX_READ)]);
    let mut out = String::with_capacity(text.len());
    for word in text.split_inclusive(|c: char| !c.is_alphanumeric() && c != '-' && c != '_') {
        if out.len() >= MAX_KEY {
            break;
        }
        let body = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '-' && c != '_');
        if body.contains(|c: char| c.is_ascii_digit()) {
            if !out.ends_with('#') {
                out.push('#');
            }
        } else {
            out.push_str(body);
        }
        // Between two numbers (times, addresses) the separator does not tell them apart.
        let rest = &word[body.len()..];
        if !(out.ends_with('#') && matches!(rest, ":" | "." | "," | "/")) {
            out.push_str(rest);
        }
        if out.len() >= MAX_KEY {
            let end = (0..=MAX_KEY).rev().find(|&at| out.is_char_boundary(at));
            out.truncate(end.unwrap_or(0));
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_have_one_key() {
        let same = [
            "2024-05-01 10:00:00.123 user 42 at 10.0.0.1:5432: refused (req_01AbC)",
            "2025-11-30 23:59:59.9 user 7 at 192.168.1.20:80: refused (req_9zz)",
        ];
        assert_eq!(normalize(same[0].as_bytes()), normalize(same[1].as_bytes()));
        let long = |id: &str| format!("job {id} failed: {}", "some words ".repeat(100));
        assert_eq!(normalize(long("1").as_bytes()), normalize(long("123456789").as_bytes()));
        assert_ne!(normalize(b"disk full on /a"), normalize(b"disk full on /b"));
    }
}
