//! Lines around events.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use whyerr::redact;

use super::worker::Found;
use crate::output::beginning;
use crate::output::sink::Context;

/// Most lines that may be asked for, and most bytes that are kept of one.
pub const MAX_LINES: usize = 100;
const MAX_BYTES: usize = 2000;
/// Bytes around lines that are read to find what is secret in them, and most bytes of all of that:
/// long lines are read each by itself.
const BEFORE: usize = 8 << 10;
const MAX_REGION: usize = 64 << 10;

/// Finds the lines around events, over the ends of chunks: the last lines of a source are kept, and
/// an event waits for those that follow it.
pub struct Around {
    lines: usize,
    /// The last lines of each source.
    tails: HashMap<usize, VecDeque<String>>,
    waiting: Vec<Waiting>,
}

/// An event whose following lines are not all there.
pub struct Waiting {
    pub found: Found,
    pub source: usize,
    pub offset: u64,
    pub text: Vec<u8>,
    pub context: Context,
}

impl Around {
    pub fn new(lines: usize) -> Around {
        Around { lines: lines.min(MAX_LINES), tails: HashMap::new(), waiting: Vec::new() }
    }

    /// Before the events of a chunk: those of the last chunk that waited for its lines.
    pub fn begin(&mut self, source: usize, chunk: &[u8]) -> Vec<Waiting> {
        let lines = self.lines;
        let following = |waiting: &mut Waiting| {
            let missing = lines - waiting.context.after.len();
            waiting.context.after.extend(after(chunk, 0, missing));
            waiting.context.after.len() == lines
        };
        self.take(|waiting| waiting.source == source && following(waiting))
    }

    /// The events of a source that still wait, or of all of them: nothing more comes, or not soon.
    pub fn end(&mut self, source: Option<usize>) -> Vec<Waiting> {
        if let Some(source) = source {
            self.tails.remove(&source);
        }
        self.take(|waiting| source.is_none_or(|source| waiting.source == source))
    }

    fn take(&mut self, mut is_done: impl FnMut(&mut Waiting) -> bool) -> Vec<Waiting> {
        let mut done = Vec::new();
        for mut waiting in std::mem::take(&mut self.waiting) {
            let list = if is_done(&mut waiting) { &mut done } else { &mut self.waiting };
            list.push(waiting);
        }
        done
    }

    /// The lines around an event of a chunk, and whether that is all of them.
    pub fn of(&self, source: usize, chunk: &[u8], event: &Range<usize>) -> (Context, bool) {
        // An event may be a part of its line.
        let start = memchr::memrchr(b'\n', &chunk[..event.start]).map_or(0, |newline| newline + 1);
        let mut before = shown(chunk, &lines_before(chunk, start, self.lines));
        let missing = self.lines - before.len();
        if let Some(tail) = self.tails.get(&source) {
            let tail = tail.iter().skip(tail.len().saturating_sub(missing));
            before = tail.cloned().chain(before).collect();
        }
        let behind = memchr::memchr(b'\n', &chunk[event.end..])
            .map_or(chunk.len(), |newline| event.end + newline + 1);
        let after = after(chunk, behind, self.lines);
        let whole = after.len() == self.lines;
        (Context { before, after }, whole)
    }

    pub fn wait(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    /// Behind the events of a chunk.
    pub fn remember(&mut self, source: usize, chunk: &[u8]) {
        let tail = self.tails.entry(source).or_default();
        tail.extend(shown(chunk, &lines_before(chunk, chunk.len(), self.lines)));
        while tail.len() > self.lines {
            tail.pop_front();
        }
    }
}

/// The last lines that end at `end`, at most so many.
fn lines_before(chunk: &[u8], end: usize, most: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut at = end;
    while lines.len() < most && at > 0 {
        let start = memchr::memrchr(b'\n', &chunk[..at - 1]).map_or(0, |newline| newline + 1);
        lines.push(start..at);
        at = start;
    }
    lines.reverse();
    lines
}

fn after(chunk: &[u8], from: usize, most: usize) -> Vec<String> {
    let mut at = from.min(chunk.len());
    let lines = chunk[at..].split_inclusive(|&byte| byte == b'\n').take(most);
    let lines: Vec<Range<usize>> = lines
        .map(|line| {
            let start = at;
            at += line.len();
            start..at
        })
        .collect();
    shown(chunk, &lines)
}

/// Lines that follow each other, redacted: a key that goes over several of them is told by the
/// line that it begins with, which may stand before all of them.
fn shown(chunk: &[u8], lines: &[Range<usize>]) -> Vec<String> {
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return Vec::new() };
    let from = first.start.saturating_sub(BEFORE);
    let to = last.end.saturating_add(BEFORE).min(chunk.len());
    let shown = lines.iter().map(|line| {
        let bytes = &chunk[line.clone()];
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        line.start..line.start + bytes.len().min(MAX_BYTES)
    });
    if to - from > MAX_REGION {
        return shown.map(|line| beginning(&chunk[line.start..], line.len())).collect();
    }
    let shown: Vec<Range<usize>> = shown.map(|line| line.start - from..line.end - from).collect();
    redact::parts(&chunk[from..to], &shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_over_several_lines_is_masked_wherever_the_lines_begin() {
        let body = "q7Zt0Xw9Lk3Vb5NmR2Yc8Hd4Jf6Gs1PaUeTiOw3Q".repeat(2);
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{body}\n{body}\n{body}\n-----END PRIVATE KEY-----\n"
        );
        let log = format!("{key}an error\n{key}end\n");
        let at = log.find("an error").unwrap();
        for lines in 1..6 {
            let around = Around::new(lines);
            let (context, _) = around.of(0, log.as_bytes(), &(at..at + 8));
            for line in context.before.iter().chain(&context.after) {
                assert!(!line.contains("q7Zt"), "{lines}: {context:?}");
            }
            assert_eq!((context.before.len(), context.after.len()), (lines.min(5), lines));
        }
    }
}
