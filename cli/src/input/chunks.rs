//! A source as chunks of whole events.

use std::io;
use std::ops::Range;
use std::time::Duration;

use whyerr_logs::group::Grouping;

use super::{Got, Input, Start};

/// Room of a chunk. Lines may be as long, with their end.
pub const CHUNK: usize = 2 << 20;
/// How much is read at once, unless a line or an event is longer. Where every line is a finding
/// they take many times their bytes; less would be too little for the scanner to learn from.
pub const STEP: usize = 384 << 10;
/// What is classified of a line that no chunk holds: what lies behind in the same line is skipped,
/// and counted.
pub const MAX_LINE: usize = 1 << 20;
/// How long an event is kept back because lines may come that belong to it.
pub const HOLD: Duration = Duration::from_millis(500);
/// How long is waited before somebody may be asked whether to go on.
const PATIENCE: Duration = Duration::from_millis(250);

/// A run of whole lines and whole events.
pub struct Chunk {
    /// Holds the lines, and space behind them.
    pub buffer: Vec<u8>,
    /// Bytes of the lines.
    pub len: usize,
    /// Bytes in the space behind them that are known to come next.
    pub behind: usize,
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// The only line of the chunk was longer than a chunk: these are its first [`MAX_LINE`] bytes.
    pub cut: bool,
    /// The end of such a line comes first: its line end, if that was reached.
    pub continues: bool,
    /// Nothing but what was skipped of such a line, for outputs that give the input back.
    pub skipped: bool,
    /// The source was packed or UTF-16: offsets are those of the decoded text.
    pub decoded: bool,
    /// A byte order mark stood before its first byte.
    pub marked: bool,
}

impl Chunk {
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// The lines, and what is known of those behind them: whether a limit cut the last event.
    pub fn bytes_and_behind(&self) -> &[u8] {
        &self.buffer[..self.len + self.behind]
    }
}

/// What comes next of a source.
pub enum Next {
    Chunk(Chunk),
    /// Nothing came for a while: the buffer, to ask again with.
    Nothing(Vec<u8>),
    /// That was all: the buffer, for another source.
    End(Vec<u8>),
}

/// Reads a source chunk by chunk.
pub struct Chunks<I> {
    input: I,
    grouping: Grouping,
    /// What was read behind the last event of the last chunk.
    rest: Vec<u8>,
    /// Bytes of the chunks so far.
    offset: u64,
    /// In the part of a line that is not classified; at the end: such a line had no end.
    pub skipping: bool,
    ended: bool,
    /// What ended the reading too early.
    error: Option<io::Error>,
    /// Bytes of overlong lines that were skipped.
    pub skipped: u64,
    /// What is skipped is handed out too.
    keeps_skipped: bool,
    /// The last chunk was the beginning of an overlong line, whose end is still to come.
    was_cut: bool,
    /// A chunk was handed out.
    begun: bool,
}

impl<I: Input> Chunks<I> {
    pub fn new(input: I, grouping: Grouping) -> Chunks<I> {
        Chunks {
            input,
            grouping,
            rest: Vec::new(),
            offset: 0,
            skipping: false,
            ended: false,
            error: None,
            skipped: 0,
            keeps_skipped: false,
            was_cut: false,
            begun: false,
        }
    }

    /// Hands out what is skipped of overlong lines too, as chunks of their own.
    pub fn keep_skipped(mut self, keeps: bool) -> Chunks<I> {
        self.keeps_skipped = keeps;
        self
    }

    /// What is known of the source, once something was read.
    pub fn start(&self) -> Start {
        self.input.start()
    }

    /// What comes next, in `buffer`.
    pub fn next(&mut self, mut buffer: Vec<u8>) -> io::Result<Next> {
        // A buffer that comes round again is not cleared: that would cost more than the scan. Of a
        // fresh one only what is used is touched.
        if buffer.len() != CHUNK {
            buffer = vec![0; CHUNK];
        }
        let mut filled = self.rest.len();
        buffer[..filled].copy_from_slice(&self.rest);
        self.rest.clear();
        loop {
            let waited_in_vain = self.fill(&mut buffer, &mut filled);
            if filled == 0 && self.ended {
                // A mark may be all there is.
                if self.keeps_skipped && !self.begun && self.is_marked() {
                    return Ok(Next::Chunk(self.chunk(buffer, 0..0, false, false)));
                }
                return self.error.take().map_or(Ok(Next::End(buffer)), Err);
            }
            if self.skipping && filled > 0 {
                // The newline itself ends the cut line: it stays, to be counted.
                let skipped = memchr::memchr(b'\n', &buffer[..filled]);
                self.skipping = skipped.is_none();
                let skipped = skipped.unwrap_or(filled);
                self.skipped += skipped as u64;
                if self.keeps_skipped && skipped > 0 {
                    self.rest.extend_from_slice(&buffer[skipped..filled]);
                    return Ok(Next::Chunk(self.chunk(buffer, skipped..skipped, false, true)));
                }
                self.offset += skipped as u64;
                buffer.copy_within(skipped..filled, 0);
                filled -= skipped;
                if filled == 0 {
                    // A line may have no end at all: somebody may want to stop.
                    return Ok(Next::Nothing(buffer));
                }
            }
            let flow = match () {
                () if self.ended => Flow::Ended,
                () if waited_in_vain => Flow::Paused,
                () => Flow::Running { full: filled == buffer.len() },
            };
            let (len, cut) = whole_events(&self.grouping, &buffer[..filled], flow);
            if len == 0 {
                if waited_in_vain {
                    self.rest.extend_from_slice(&buffer[..filled]);
                    return Ok(Next::Nothing(buffer));
                }
                continue;
            }
            self.rest.extend_from_slice(&buffer[len..filled]);
            self.skipping = cut;
            return Ok(Next::Chunk(self.chunk(buffer, len..filled, cut, false)));
        }
    }

    /// `behind`: where its bytes end, and what is known of those behind them.
    fn chunk(&mut self, buffer: Vec<u8>, behind: Range<usize>, cut: bool, skipped: bool) -> Chunk {
        let (len, behind) = (behind.start, behind.len());
        let Start { offset, decoded, .. } = self.input.start();
        let marked = !std::mem::replace(&mut self.begun, true) && self.is_marked();
        let offset = offset + self.offset;
        self.offset += len as u64;
        let continues = !skipped && std::mem::replace(&mut self.was_cut, cut);
        Chunk { buffer, len, behind, offset, cut, continues, skipped, decoded, marked }
    }

    /// A byte order mark stands before the text, which needs no decoding.
    fn is_marked(&self) -> bool {
        let Start { offset, decoded, .. } = self.input.start();
        offset > 0 && !decoded
    }

    /// Reads until there is a line end that was not there before, or a step is full, or the end.
    /// Returns whether the source made wait for too long.
    fn fill(&mut self, buffer: &mut [u8], filled: &mut usize) -> bool {
        // What is there in one piece already is longer than a step.
        let room = if *filled < STEP { STEP } else { buffer.len() };
        let buffer = &mut buffer[..room];
        while *filled < buffer.len() && !self.ended {
            let patience = if *filled > 0 { HOLD } else { PATIENCE };
            match self.input.read(&mut buffer[*filled..], Some(patience)) {
                Ok(Got::End) => self.ended = true,
                Ok(Got::Nothing) => return true,
                Ok(Got::Bytes(count)) => {
                    *filled += count;
                    // What a pipe has is shown at once, not when a whole chunk is there.
                    if memchr::memrchr(b'\n', &buffer[*filled - count..*filled]).is_some() {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    // What was read so far is still worth classifying.
                    self.ended = true;
                    self.error = Some(error);
                }
            }
        }
        false
    }
}

/// What is known of what comes behind some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// More may come at once; `full` when there is no room for it.
    Running { full: bool },
    /// Nothing came for [`HOLD`].
    Paused,
    /// Nothing will come.
    Ended,
}

/// How many of the bytes are events to which nothing can be added any more, and whether that is
/// the beginning of a line too long to be classified whole.
pub fn whole_events(grouping: &Grouping, bytes: &[u8], flow: Flow) -> (usize, bool) {
    let whole = memchr::memrchr(b'\n', bytes).map_or(0, |newline| newline + 1);
    match (whole, flow) {
        (_, Flow::Ended) => (bytes.len(), false),
        // Not for a pause: what is cut must not depend on when it came.
        (0, Flow::Running { full: true }) => (bytes.len().min(MAX_LINE), true),
        (0, _) => (0, false),
        (_, Flow::Paused) => (whole, false),
        (_, Flow::Running { full }) => match complete(grouping, &bytes[..whole]) {
            // A long line behind leaves no room to wait in.
            0 if full => (whole, false),
            len => (len, false),
        },
    }
}

/// Bytes of the events to which no further line can belong.
fn complete(grouping: &Grouping, lines: &[u8]) -> usize {
    let mut held = grouping.last_event(lines);
    if held == 0 && lines.len() > grouping.max_bytes {
        // One run of lines that belong together: what its limits cut off is complete.
        loop {
            let end = grouping.bounds(lines, held, held).end;
            if end >= lines.len() {
                break;
            }
            held = end;
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::live::Live;
    use std::io::Read;

    fn all<I: Input>(mut chunks: Chunks<I>) -> (Vec<(Vec<u8>, u64, bool)>, u64) {
        let mut list = Vec::new();
        loop {
            match chunks.next(Vec::new()).unwrap() {
                Next::Chunk(chunk) => {
                    list.push((chunk.bytes().to_vec(), chunk.offset, chunk.cut));
                }
                Next::Nothing(_) => {}
                Next::End(_) => return (list, chunks.skipped),
            }
        }
    }

    /// Gives each part at a read of its own.
    struct Parts(Vec<Vec<u8>>);

    impl Input for Parts {
        fn read(&mut self, buffer: &mut [u8], _: Option<Duration>) -> io::Result<Got> {
            if self.0.is_empty() {
                return Ok(Got::End);
            }
            let part = &mut self.0[0];
            let count = part.len().min(buffer.len());
            buffer[..count].copy_from_slice(&part[..count]);
            part.drain(..count);
            if part.is_empty() {
                self.0.remove(0);
            }
            Ok(Got::Bytes(count))
        }
    }

    fn read(text: &[u8]) -> (Vec<(Vec<u8>, u64, bool)>, u64) {
        all(Chunks::new(Parts(vec![text.to_vec()]), Grouping::lines()))
    }

    #[test]
    fn chunks_hold_whole_lines() {
        let (list, skipped) = read(b"a\nb\nc");
        assert_eq!(list, [(b"a\nb\n".to_vec(), 0, false), (b"c".to_vec(), 4, false)]);
        assert_eq!(skipped, 0);
        assert!(read(b"").0.is_empty());
        let parts = Parts(vec![b"a".to_vec(), b"b\nc".to_vec(), b"\n".to_vec()]);
        let (list, _) = all(Chunks::new(parts, Grouping::lines()));
        assert_eq!(list, [(b"ab\n".to_vec(), 0, false), (b"c\n".to_vec(), 3, false)]);
    }

    #[test]
    fn a_failed_read_is_told_after_what_was_read() {
        struct Fails(bool);
        impl Input for Fails {
            fn read(&mut self, buffer: &mut [u8], _: Option<Duration>) -> io::Result<Got> {
                if std::mem::replace(&mut self.0, true) {
                    return Err(io::ErrorKind::PermissionDenied.into());
                }
                buffer[..3].copy_from_slice(b"a\nb");
                Ok(Got::Bytes(3))
            }
        }
        let mut chunks = Chunks::new(Fails(false), Grouping::lines());
        for expected in [&b"a\n"[..], b"b"] {
            let Next::Chunk(chunk) = chunks.next(Vec::new()).unwrap() else { panic!("no chunk") };
            assert_eq!(chunk.bytes(), expected);
        }
        assert!(chunks.next(Vec::new()).is_err());
    }

    #[test]
    fn endless_lines_are_cut_and_counted() {
        let mut text = vec![b'x'; CHUNK * 2];
        text.extend_from_slice(b"\nnext\n");
        let (list, skipped) = read(&text);
        assert_eq!(list[0].0.len(), MAX_LINE);
        assert!(list[0].2);
        assert_eq!(list.last().unwrap().0, b"\nnext\n");
        assert_eq!(skipped as usize, CHUNK * 2 - MAX_LINE);
    }

    #[test]
    fn what_is_skipped_can_be_kept() {
        let mut text = vec![b'x'; CHUNK * 2];
        text.extend_from_slice(b"\nnext\nlast");
        let parts = text.chunks(CHUNK / 3).map(<[u8]>::to_vec).collect();
        let mut chunks = Chunks::new(Parts(parts), Grouping::lines()).keep_skipped(true);
        let (mut all, mut kinds) = (Vec::new(), Vec::new());
        loop {
            match chunks.next(Vec::new()).unwrap() {
                Next::Chunk(chunk) => {
                    assert_eq!(chunk.offset, all.len() as u64);
                    all.extend_from_slice(chunk.bytes());
                    kinds.push((chunk.cut, chunk.skipped, chunk.continues));
                }
                Next::Nothing(_) => {}
                Next::End(_) => break,
            }
        }
        assert!(all == text, "{kinds:?}");
        kinds.dedup();
        let (cut, skipped) = ((true, false, false), (false, true, false));
        assert_eq!(kinds, [cut, skipped, (false, false, true)]);
        assert_eq!(chunks.skipped as usize, CHUNK * 2 - MAX_LINE);
    }

    #[test]
    fn a_source_that_makes_wait_gives_what_it_has() {
        struct Slow(u8);
        impl Read for Slow {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                match self.0 {
                    1 => {
                        buffer[..8].copy_from_slice(b"one\ntwo\n");
                        Ok(8)
                    }
                    2 => {
                        std::thread::sleep(HOLD * 3);
                        buffer[..1].copy_from_slice(b"x");
                        Ok(1)
                    }
                    _ => Ok(0),
                }
            }
        }
        let started = std::time::Instant::now();
        let mut chunks = Chunks::new(Live::open(|| Ok(Slow(0))), Grouping::default());
        let mut text = Vec::new();
        while text.len() < 8 {
            if let Next::Chunk(chunk) = chunks.next(Vec::new()).unwrap() {
                text.extend_from_slice(chunk.bytes());
            }
        }
        assert_eq!(text, b"one\ntwo\n");
        assert!(started.elapsed() < HOLD * 3, "the last line was kept back for too long");
    }
}
