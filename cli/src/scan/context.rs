//! Lines around events.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::worker::Found;
use crate::output::beginning;
use crate::output::sink::Context;

/// Most lines that may be asked for, and most bytes that are kept of one.
pub const MAX_LINES: usize = 100;
const MAX_BYTES: usize = 2000;

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
        let mut before = VecDeque::new();
        let mut at = event.start;
        while before.len() < self.lines && at > 0 {
            let start = memchr::memrchr(b'\n', &chunk[..at - 1]).map_or(0, |newline| newline + 1);
            before.push_front(line(&chunk[start..at]));
            at = start;
        }
        let missing = self.lines - before.len();
        if let Some(tail) = self.tails.get(&source) {
            for line in tail.iter().rev().take(missing) {
                before.push_front(line.clone());
            }
        }
        let behind = memchr::memchr(b'\n', &chunk[event.end..])
            .map_or(chunk.len(), |newline| event.end + newline + 1);
        let after: Vec<String> = after(chunk, behind, self.lines).collect();
        let whole = after.len() == self.lines;
        (Context { before: before.into(), after }, whole)
    }

    pub fn wait(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    /// Behind the events of a chunk.
    pub fn remember(&mut self, source: usize, chunk: &[u8]) {
        let tail = self.tails.entry(source).or_default();
        let mut last = Vec::new();
        let mut at = chunk.len();
        while last.len() < self.lines && at > 0 {
            let start = memchr::memrchr(b'\n', &chunk[..at - 1]).map_or(0, |newline| newline + 1);
            last.push(line(&chunk[start..at]));
            at = start;
        }
        tail.extend(last.into_iter().rev());
        while tail.len() > self.lines {
            tail.pop_front();
        }
    }
}

fn after(chunk: &[u8], from: usize, lines: usize) -> impl Iterator<Item = String> {
    chunk[from.min(chunk.len())..].split_inclusive(|&byte| byte == b'\n').take(lines).map(line)
}

fn line(bytes: &[u8]) -> String {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    beginning(bytes, MAX_BYTES)
}
