//! Secrets in text: found and masked, in everything that is emitted.
//!
//! A secret is told by its shape: a vendor's prefix, the name in front of it, the place in an
//! address. It is looked for in the text as it stands and without its escapes and colours, which
//! would hide its beginning.

mod hints;
mod shapes;

use std::borrow::Cow;
use std::ops::Range;

use crate::facts::text::{View, Views};
use shapes::SHAPES;

/// What replaces a secret.
pub const MASK: &str = "[redacted]";

/// How much is read behind the end of what is shown: a secret that begins before it may be told
/// only by what stands behind.
const BEHIND: usize = 4096;

/// The ranges of secrets in `text`, in order, without overlaps.
pub fn secrets(text: &[u8]) -> Vec<Range<usize>> {
    secrets_in(&Views::new(text))
}

/// The same, of a text whose views are there already.
pub(crate) fn secrets_in(views: &Views<'_>) -> Vec<Range<usize>> {
    let mut found = Found::default();
    views.iter().for_each(|view| found.search(view));
    if let Some(view) = views.percent_decoded() {
        found.search(&view);
    }
    found.ranges()
}

/// Secrets, as ranges of the original.
#[derive(Default)]
struct Found {
    strong: Vec<Range<usize>>,
    weak: Vec<Range<usize>>,
}

impl Found {
    fn search(&mut self, view: &View<'_>) {
        let hinted = hints::hinted(&view.bytes);
        for (shape, _) in SHAPES.iter().zip(hinted).filter(|(_, hinted)| *hinted) {
            let list = if shape.weak { &mut self.weak } else { &mut self.strong };
            shape.find(&view.bytes, |range| {
                let there = view.original(range.start, range.end);
                list.push(there.start..there.end);
            });
        }
    }

    fn ranges(self) -> Vec<Range<usize>> {
        let Found { strong, weak } = self;
        let mut ranges = merged(strong);
        // A host behind a masked password is no e-mail address.
        let whole = ranges.clone();
        ranges.extend(weak.into_iter().filter_map(|mut range| {
            let next = whole.partition_point(|strong| strong.end <= range.start);
            if let Some(strong) = whole.get(next) {
                range.end = range.end.min(strong.start.max(range.start));
            }
            (!range.is_empty()).then_some(range)
        }));
        merged(ranges)
    }
}

/// In order, without overlaps.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
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
/// use whyerr::redact::redact;
///
/// let text = redact("Incorrect API key provided: sk-abcdefgh1234");
/// assert_eq!(text, "Incorrect API key provided: [redacted]");
/// assert_eq!(redact("redis://bob:hunter2@cache:6379"), "redis://[redacted]@cache:6379");
/// ```
pub fn redact(text: &str) -> Cow<'_, str> {
    let secrets = secrets(text.as_bytes());
    if secrets.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(masked(text.as_bytes(), 0..text.len(), &secrets))
}

/// The first `most` bytes of `bytes` as text, with every secret masked, one that goes over the end
/// too. Bytes that are not UTF-8 become U+FFFD.
///
/// ```
/// let text = whyerr::redact::beginning(b"dial redis://bob:hunter2@cache failed", 22);
/// assert_eq!(text, "dial redis://[redacted]");
/// ```
pub fn beginning(bytes: &[u8], most: usize) -> String {
    let most = most.min(bytes.len());
    let read = &bytes[..bytes.len().min(most.saturating_add(BEHIND))];
    masked(read, 0..most, &secrets(read))
}

/// Parts of a text, with every secret masked: one that is told by what stands around a part, or
/// that goes over its ends, too. A part that lies outside of the text is empty.
///
/// ```
/// let text = b"-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----\ndone\n";
/// let lines = whyerr::redact::parts(text, &[28..34, 61..65]);
/// assert_eq!(lines, ["[redacted]", "done"]);
/// ```
pub fn parts(text: &[u8], parts: &[Range<usize>]) -> Vec<String> {
    let secrets = secrets(text);
    let inside = |part: &Range<usize>| part.start.min(text.len())..part.end.min(text.len());
    parts.iter().map(|part| masked(text, inside(part), &secrets)).collect()
}

/// The first `most` bytes of `bytes` as text, with `secrets` masked, which are those of all of it:
/// what a [verdict](crate::Verdict::secrets) knows of its event.
///
/// ```
/// use whyerr::{Classifier, redact};
///
/// let text = "dial redis://bob:hunter2@cache: connection refused";
/// let verdict = Classifier::builtin().classify(text);
/// assert_eq!(redact::mask(text.as_bytes(), 22, verdict.secrets()), "dial redis://[redacted]");
/// ```
pub fn mask(bytes: &[u8], most: usize, secrets: &[Range<usize>]) -> String {
    masked(bytes, 0..most.min(bytes.len()), secrets)
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
mod tests;
