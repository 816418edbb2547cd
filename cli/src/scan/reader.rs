//! The sources, piece by piece.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use whyerr::Classifier;
use whyerr::scan::Scanner;
use whyerr_logs::group::Grouping;

use crate::input::{Chunk, Chunks, Input, Next, Reading, Source, Sources};
use crate::stop;

/// How often an idle source lets outputs look at the clock.
const TICK: Duration = Duration::from_secs(1);

/// A piece of the input: a chunk to be scanned, or what came of it; and what else is to be told in
/// its place.
pub enum Piece<C> {
    Chunk(C),
    Notice(Notice),
}

/// What is told between chunks.
pub enum Notice {
    /// The source is done: bytes of overlong lines that were skipped, lines that had no end.
    End { source: usize, skipped: u64, open_lines: u64 },
    /// The source cannot be read, or not to its end.
    Fault { source: usize, error: io::Error },
    /// A source that is followed from now on, and what it is called.
    Source { source: usize, name: String },
    /// Something to tell that is no fault of the run; bytes that are known to be lost.
    Note { message: String, lost: u64 },
    /// Nothing came for a while.
    Tick,
}

impl From<Notice> for Piece<Work> {
    fn from(notice: Notice) -> Piece<Work> {
        Piece::Notice(notice)
    }
}

/// A chunk, and what scanning it needs.
pub struct Work {
    pub chunk: Chunk,
    pub source: usize,
    pub first_line: u64,
    /// Line ends in it.
    pub lines: u64,
    pub scanner: Arc<Scanner>,
    /// The source before this one ended without a line end, and this is the first chunk behind it.
    pub joined: bool,
    /// Of the source.
    pub name: Arc<str>,
    /// Bytes of a followed file that are known to be there and are not read yet.
    pub lag: Option<u64>,
}

/// Reads all sources, one behind the other.
pub struct Reader {
    sources: VecDeque<(usize, Source)>,
    reading: Arc<Reading>,
    classifier: Classifier,
    grouping: Grouping,
    open: Option<Open>,
    /// A piece before which something was told.
    next: Option<Piece<Work>>,
    /// Buffers that came round and were not needed: small files do not take one each.
    spare: Vec<Vec<u8>>,
    ticked: Instant,
    /// What is skipped of overlong lines is handed out too.
    keeps_skipped: bool,
    /// The source that was read last ended without a line end.
    unended: bool,
}

struct Open {
    source: usize,
    name: Arc<str>,
    chunks: Chunks<Box<dyn Input>>,
    scanner: Arc<Scanner>,
    line: u64,
    /// The last line has no end.
    open_line: bool,
    /// What it is was told, if that is no text.
    told: bool,
}

impl Reader {
    pub fn new(sources: &Sources, classifier: Classifier, grouping: Grouping) -> Reader {
        let reading = sources.reading.clone();
        let sources = sources.list.iter().cloned().enumerate().collect();
        Reader {
            sources,
            reading,
            classifier,
            grouping,
            open: None,
            next: None,
            spare: Vec::new(),
            ticked: Instant::now(),
            keeps_skipped: false,
            unended: false,
        }
    }

    /// For outputs that give the input back.
    pub fn keep_skipped(mut self, keeps: bool) -> Reader {
        self.keeps_skipped = keeps;
        self
    }

    /// The next piece; `None` when all is read, or somebody asked to stop.
    pub fn next(&mut self, buffer: Option<Vec<u8>>) -> Option<Piece<Work>> {
        if let Some(piece) = self.next.take() {
            self.spare.extend(buffer);
            return Some(piece);
        }
        let mut buffer = buffer.or_else(|| self.spare.pop()).unwrap_or_default();
        loop {
            if stop::requested() {
                return None;
            }
            let open = match &mut self.open {
                Some(open) => open,
                closed => {
                    let (at, source) = self.sources.pop_front()?;
                    match source.open(&self.reading) {
                        Ok(None) => continue,
                        Ok(Some(input)) => closed.insert(Open {
                            source: at,
                            name: source.name().into(),
                            chunks: Chunks::new(input, self.grouping.clone())
                                .keep_skipped(self.keeps_skipped),
                            scanner: Arc::new(Scanner::new(&self.classifier)),
                            line: 1,
                            open_line: false,
                            told: false,
                        }),
                        Err(error) => return Some(Notice::Fault { source: at, error }.into()),
                    }
                }
            };
            let source = open.source;
            match open.chunks.next(buffer) {
                Ok(Next::Chunk(chunk)) => {
                    let first_line = open.line;
                    let lines = memchr::memchr_iter(b'\n', chunk.bytes()).count() as u64;
                    open.line += lines;
                    let counted_later = chunk.cut || chunk.skipped;
                    open.open_line =
                        chunk.bytes().last().is_some_and(|byte| *byte != b'\n') && !counted_later;
                    let joined = std::mem::take(&mut self.unended);
                    let piece = Piece::Chunk(Work {
                        chunk,
                        source,
                        first_line,
                        lines,
                        scanner: open.scanner.clone(),
                        joined,
                        name: open.name.clone(),
                        lag: None,
                    });
                    if !std::mem::replace(&mut open.told, true)
                        && let Some((remark, is_fault)) = open.chunks.start().remark()
                    {
                        self.next = Some(piece);
                        let notice = match is_fault {
                            true => Notice::Fault { source, error: io::Error::other(remark) },
                            false => {
                                let message = format!("{}: {remark}", open.name);
                                Notice::Note { message, lost: 0 }
                            }
                        };
                        return Some(notice.into());
                    }
                    return Some(piece);
                }
                Ok(Next::Nothing(same)) => {
                    buffer = same;
                    if self.ticked.elapsed() >= TICK {
                        self.ticked = Instant::now();
                        return Some(Notice::Tick.into());
                    }
                }
                Ok(Next::End(same)) => {
                    self.spare.push(same);
                    let skipped = open.chunks.skipped;
                    let open_lines = u64::from(open.open_line) + u64::from(open.chunks.skipping);
                    self.unended = open_lines > 0 || self.unended;
                    self.open = None;
                    return Some(Notice::End { source, skipped, open_lines }.into());
                }
                Err(error) => {
                    self.unended = open.open_line || open.chunks.skipping || self.unended;
                    self.open = None;
                    return Some(Notice::Fault { source, error }.into());
                }
            }
        }
    }
}
