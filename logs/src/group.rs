//! Events of several lines.

use std::ops::Range;

/// Which lines belong together. Bounds depend on the bytes and on the limits alone.
#[derive(Debug, Clone)]
pub struct Grouping {
    /// Most lines of an event; what lies behind begins another one.
    pub max_lines: usize,
    /// Most bytes of an event of more than one line.
    pub max_bytes: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Grouping { max_lines: 500, max_bytes: 64 << 10 }
    }
}

impl Grouping {
    /// Every line by itself.
    pub fn lines() -> Grouping {
        Grouping { max_lines: 1, ..Grouping::default() }
    }

    /// The event that holds the byte at `place`: whole lines, with the last line end. An event
    /// begins at `from`, which is not behind `place`.
    pub fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize> {
        let start = memchr::memrchr(b'\n', &chunk[from..place]).map_or(from, |at| from + at + 1);
        let end = memchr::memchr(b'\n', &chunk[place..]).map_or(chunk.len(), |at| place + at + 1);
        start..end
    }

    /// Where the last event of a chunk of whole lines begins: lines that come later may still
    /// belong to it, and to none before it. The end of the chunk where every line is an event.
    pub fn last_event(&self, chunk: &[u8]) -> usize {
        chunk.len()
    }
}
