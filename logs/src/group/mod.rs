//! Events of several lines: stack traces, bodies after a message, DETAIL lines, boxes of tools.
//!
//! An event is a head line and the lines that continue it. Whether a line continues the one before
//! is a matter of that line, at most two before it and at most two after it (`joins`), so the
//! bounds of an event can be found from any place in it, and a log of which nobody asks anything
//! is never framed.
//!
//! Two rules hold for what is looked at, and make the bounds a matter of bytes alone however a log
//! is cut into chunks at [`Grouping::last_event`]:
//! - A line further on counts only in favour of joining, and only if it belongs to the same event.
//! - A line further back than the one before counts only in favour of joining, and only if it
//!   belongs to the same event.
//!
//! Limits are counted from the head. What lies behind a limit begins another event. Frames of a
//! stack and the causes among them have wider limits: the last cause is the one that counts.

mod joins;
mod pieces;
mod shape;
mod stack;
#[cfg(test)]
mod tests;
mod words;
mod wrapping;

use std::ops::Range;

use joins::{Ahead, continues};
pub(crate) use pieces::rejoined;
use shape::Shape;
use shape::mark::{CAUSE, FRAME};
pub(crate) use stack::shortened;

/// Which lines belong together. Bounds depend on the bytes and on the limits alone.
///
/// ```
/// use whyerr_logs::group::Grouping;
///
/// let log = b"start\nERROR save failed\n\tat a.B.c(B.java:1)\nstop\n";
/// let grouping = Grouping::default();
/// assert_eq!(grouping.bounds(log, 0, 8), 6..44);
/// assert_eq!(grouping.bounds(log, 0, 30), 6..44);
/// // More lines of a stack may follow the last line, none will join what stands before it.
/// assert_eq!(grouping.last_event(log), 44);
/// ```
#[derive(Debug, Clone)]
pub struct Grouping {
    /// Most lines of an event; what lies behind begins another one.
    pub max_lines: usize,
    /// Most bytes of an event of more than one line.
    pub max_bytes: usize,
    /// Most lines of one whose lines behind the limit are stack frames and causes.
    pub max_stack_lines: usize,
    /// Most bytes of one.
    pub max_stack_bytes: usize,
}

impl Default for Grouping {
    fn default() -> Self {
        Grouping {
            max_lines: 500,
            max_bytes: 64 << 10,
            max_stack_lines: 5000,
            max_stack_bytes: 512 << 10,
        }
    }
}

impl Grouping {
    /// Every line by itself.
    pub fn lines() -> Grouping {
        Grouping { max_lines: 1, max_stack_lines: 1, ..Grouping::default() }
    }

    /// The event that holds the byte at `place`: whole lines, with the last line end. An event
    /// begins at `from`, which is not behind `place`.
    ///
    /// Costs the bytes between `from` and the end of the event at most, and two lines more on
    /// either side: asked for one event after the other, with the end of each as the next `from`,
    /// a chunk costs what it is long, whatever stands in it.
    pub fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize> {
        let mut line = line_at(chunk, from, place);
        if self.is_lines() {
            return line;
        }
        while let Some(before) = line_before(chunk, from, line.start)
            && continues(chunk, from, &line, Ahead::Known)
        {
            line = before;
        }
        let (mut event, mut lines) = (line, 1);
        while let Some(next) = line_after(chunk, event.end) {
            if self.has_room(chunk, &event, lines, &next)
                && continues(chunk, event.start, &next, Ahead::Known)
            {
                event.end = next.end;
                lines += 1;
            } else if place < event.end {
                break;
            } else {
                (event, lines) = (next, 1);
            }
        }
        event
    }

    /// Where the last event of a chunk of whole lines begins: lines that come later may still
    /// belong to it, and to none before it. The end of the chunk where every line is an event.
    /// A last line without an end is not whole: it counts to what comes later.
    pub fn last_event(&self, chunk: &[u8]) -> usize {
        let whole = memchr::memrchr(b'\n', chunk).map_or(0, |at| at + 1);
        let Some(chunk) = chunk.get(..whole).filter(|_| !self.is_lines()) else {
            return whole;
        };
        let Some(mut line) = line_before(chunk, 0, whole) else { return whole };
        while let Some(before) = line_before(chunk, 0, line.start)
            && continues(chunk, 0, &line, Ahead::Open)
        {
            line = before;
        }
        // The head is sure. What limits cut off from its run are events too.
        let (mut event, mut lines) = (line, 1);
        while let Some(next) = line_after(chunk, event.end) {
            if !self.has_room(chunk, &event, lines, &next) {
                (event, lines) = (next, 1);
            } else if continues(chunk, event.start, &next, Ahead::Known) {
                event.end = next.end;
                lines += 1;
            } else if continues(chunk, event.start, &next, Ahead::Open) {
                // It depends on lines that are not there yet.
                break;
            } else {
                (event, lines) = (next, 1);
            }
        }
        event.start
    }

    /// Whether the event ends at a limit: the line behind it would belong to it. So the chunk has to
    /// have that line, if there is one.
    pub fn is_cut(&self, chunk: &[u8], event: &Range<usize>) -> bool {
        // Without its line end, or with it.
        let end = match chunk.get(event.end.max(1) - 1) {
            Some(b'\n') => event.end,
            _ => line_at(chunk, event.start.min(event.end), event.end).end,
        };
        if self.is_lines() {
            return false;
        }
        let Some(next) = line_after(chunk, end) else { return false };
        let lines = memchr::memchr_iter(b'\n', &chunk[event.start..end]).count();
        !self.has_room(chunk, &(event.start..end), lines, &next)
            && continues(chunk, event.start, &next, Ahead::Known)
    }

    pub(crate) fn is_lines(&self) -> bool {
        self.max_lines.max(self.max_stack_lines) <= 1
    }

    fn has_room(
        &self,
        chunk: &[u8],
        event: &Range<usize>,
        lines: usize,
        next: &Range<usize>,
    ) -> bool {
        let bytes = next.end - event.start;
        (lines < self.max_lines && bytes <= self.max_bytes)
            || (lines < self.max_stack_lines
                && bytes <= self.max_stack_bytes
                && Shape::of(&chunk[next.clone()]).has(FRAME | CAUSE))
    }
}

/// The line that holds the byte at `place`, with its end; it begins at `floor` at the earliest.
fn line_at(chunk: &[u8], floor: usize, place: usize) -> Range<usize> {
    let place = place.min(chunk.len());
    let floor = floor.min(place);
    let start = memchr::memrchr(b'\n', &chunk[floor..place]).map_or(floor, |at| floor + at + 1);
    let end = memchr::memchr(b'\n', &chunk[place..]).map_or(chunk.len(), |at| place + at + 1);
    start..end
}

/// The line that ends where another starts.
fn line_before(chunk: &[u8], floor: usize, start: usize) -> Option<Range<usize>> {
    let last = start.checked_sub(1).filter(|&last| last >= floor)?;
    let from = memchr::memrchr(b'\n', chunk.get(floor..last)?).map_or(floor, |at| floor + at + 1);
    Some(from..start)
}

/// The line that starts where another ends.
fn line_after(chunk: &[u8], end: usize) -> Option<Range<usize>> {
    let rest = chunk.get(end..).filter(|rest| !rest.is_empty())?;
    Some(end..memchr::memchr(b'\n', rest).map_or(chunk.len(), |at| end + at + 1))
}
