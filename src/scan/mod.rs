//! Whole chunks of a log: which lines have a verdict.
//!
//! The automaton runs over the chunk; line ends are looked for around hits, and only lines with a
//! hit are classified. What is found equals classifying every line by itself.

use std::ops::Range;

use crate::engine::Classifier;
use crate::engine::fast::{Scratch, nominations};
use crate::event::Event;
use crate::verdict::Verdict;

/// A verdict at a line of a chunk.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Bytes of the line in the chunk, without its line end.
    pub line: Range<usize>,
}

/// Classifies every line of `chunk`, which should end at a line end unless it is the last one.
/// Calls `found` for each line with a verdict, in order.
///
/// ```
/// use whyerr::{Classifier, Scratch, scan};
///
/// let log = b"fine\nopen /var/x: no space left on device\nfine\n";
/// let mut lines = Vec::new();
/// scan::scan(Classifier::builtin(), log, &mut Scratch::default(), |finding| lines.push(finding.line));
/// assert_eq!(lines, [5..41]);
/// ```
pub fn scan(
    classifier: &Classifier,
    chunk: &[u8],
    scratch: &mut Scratch,
    mut found: impl FnMut(Finding),
) {
    let program = classifier.program();
    let lower = scratch.take_chunk(chunk);
    let mut at = 0;
    let mut hidden = HiddenLiterals::new(chunk);
    let mut places = Vec::new();
    nominations(program, &lower, &mut places);
    places.sort_unstable();
    let mut places = places.into_iter().peekable();
    while at < chunk.len() {
        while places.next_if(|&place| place < at).is_some() {}
        let hit = places.peek().copied();
        // Lines whose escapes may hide a literal are candidates as well.
        let Some(candidate) = [hit, hidden.next_from(at)].into_iter().flatten().min() else {
            break;
        };
        let start =
            memchr::memrchr(b'\n', &chunk[..candidate]).map_or(0, |newline| newline + 1).max(at);
        let newline = memchr::memchr(b'\n', &chunk[candidate..]).map(|length| candidate + length);
        let end = newline.unwrap_or(chunk.len());
        let line = match chunk[start..end].strip_suffix(b"\r") {
            Some(line) => start..start + line.len(),
            None => start..end,
        };
        let event = Event::from_bytes(&chunk[line.clone()]);
        let verdict = classifier.classify_with(&event, scratch);
        if verdict.is_classified() {
            found(Finding { verdict, line });
        }
        at = end + 1;
    }
    scratch.put_chunk(lower);
}

/// Places of ANSI escapes and `\u` escapes, found ahead of the search, once.
struct HiddenLiterals<'c> {
    chunk: &'c [u8],
    escape: Option<usize>,
    unicode: Option<usize>,
}

impl<'c> HiddenLiterals<'c> {
    fn new(chunk: &'c [u8]) -> Self {
        let mut hidden = HiddenLiterals { chunk, escape: None, unicode: None };
        hidden.escape = hidden.find_escape(0);
        hidden.unicode = hidden.find_unicode(0);
        hidden
    }

    fn find_escape(&self, from: usize) -> Option<usize> {
        memchr::memchr(0x1b, &self.chunk[from..]).map(|at| from + at)
    }

    fn find_unicode(&self, from: usize) -> Option<usize> {
        memchr::memmem::find(&self.chunk[from..], b"\\u").map(|at| from + at)
    }

    fn next_from(&mut self, from: usize) -> Option<usize> {
        if self.escape.is_some_and(|at| at < from) {
            self.escape = self.find_escape(from);
        }
        if self.unicode.is_some_and(|at| at < from) {
            self.unicode = self.find_unicode(from);
        }
        [self.escape, self.unicode].into_iter().flatten().min()
    }
}
