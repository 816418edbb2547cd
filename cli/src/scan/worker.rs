//! What the threads do with a piece.

use std::cell::RefCell;
use std::ops::Range;

use whyerr::scan::Finding as Scanned;
use whyerr::{Scratch, Severity, Verdict};
use whyerr_logs::LogFraming;
use whyerr_logs::record::Record;

use super::reader::{Piece, Work};
use crate::fold;
use crate::input::Chunk;
use crate::output::sink::{Finding, Renderer};

/// The findings of a chunk.
#[derive(Default)]
pub struct Report {
    pub findings: u64,
    pub worst: Option<Severity>,
    /// What the renderer made of them.
    pub output: Vec<u8>,
    /// For the sinks.
    pub found: Vec<Found>,
}

/// A finding of a chunk.
pub struct Found {
    pub verdict: Verdict,
    pub record: Record,
    /// Its bytes in the chunk.
    pub range: Range<usize>,
    pub line: u64,
    pub key: String,
}

pub struct Worker {
    pub framing: LogFraming,
    pub names: Vec<String>,
    /// How each finding is written by itself, if it is.
    pub renderer: Option<Renderer>,
    /// Whether findings are handed on.
    pub has_sinks: bool,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Worker {
    pub fn work(&self, piece: Piece<Work>) -> Piece<Report> {
        match piece {
            Piece::Chunk { chunk, source, lines, known } => {
                let known = self.scan(&chunk, source, &known);
                Piece::Chunk { chunk, source, lines, known }
            }
            Piece::End { skipped, open_lines } => Piece::End { skipped, open_lines },
            Piece::Fault { source, error } => Piece::Fault { source, error },
            Piece::Tick => Piece::Tick,
        }
    }

    fn scan(&self, chunk: &Chunk, source: usize, work: &Work) -> Report {
        let bytes = chunk.bytes();
        let mut report = Report::default();
        let (mut counted, mut line) = (0, work.first_line);
        let found = |scanned: Scanned<Record>| {
            let Scanned { verdict, range, record, .. } = scanned;
            line += memchr::memchr_iter(b'\n', &bytes[counted..range.start]).count() as u64;
            counted = range.start;
            report.findings += 1;
            report.worst = report.worst.max(verdict.severity());
            if let Some(renderer) = self.renderer {
                let finding = Finding {
                    verdict: &verdict,
                    record: &record,
                    source: &self.names[source],
                    source_number: source,
                    line,
                    offset: chunk.offset + range.start as u64,
                    text: &bytes[range.clone()],
                    key: "",
                    cut: chunk.cut,
                };
                let written = renderer(&mut report.output, &finding);
                debug_assert!(written.is_ok(), "writing to memory");
            }
            if self.has_sinks {
                let key = fold::normalize(&bytes[range.clone()]);
                report.found.push(Found { verdict, record, range, line, key });
            }
        };
        SCRATCH.with_borrow_mut(|scratch| {
            work.scanner.scan_events(bytes, &self.framing, scratch, found);
        });
        report
    }
}
