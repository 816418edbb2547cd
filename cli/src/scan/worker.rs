//! What the threads do with a piece.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Arc;

use whyerr::scan::Finding as Scanned;
use whyerr::{Scratch, Severity, Verdict};
use whyerr_logs::LogFraming;
use whyerr_logs::record::Record;

use super::reader::{Piece, Work};
use super::select::Selection;
use crate::fold;
use crate::input::Chunk;
use crate::output::lines;
use crate::output::sink::{Context, Finding, Rendering};
use crate::templates;

/// What was found in a chunk, or in a part of it: one that says much is reported as it is scanned.
pub struct Report {
    pub chunk: Arc<Chunk>,
    pub source: usize,
    /// It has the first, or the last, of the chunk's findings.
    pub begins: bool,
    pub ends: bool,
    pub findings: u64,
    /// Findings that were not asked for.
    pub left_out: u64,
    pub worst: Option<Severity>,
    /// Findings of which not all was read, as their event or a value of it was cut; the line of the
    /// first.
    pub cut: u64,
    pub first_cut: Option<u64>,
    /// What the renderer made of them.
    pub output: Vec<u8>,
    /// For the sinks.
    pub found: Vec<Found>,
    /// Line ends of the chunk; in its last report, like all that follows.
    pub lines: u64,
    /// What is left to read of a followed file.
    pub lag: Option<u64>,
    /// Lines that look like errors, and have no verdict: normalised, with their place.
    pub unclassified: Vec<(String, Range<usize>)>,
    /// Further ones that were only counted.
    pub more_unclassified: u64,
}

/// Most unclassified lines of a chunk that are looked at closely.
const MAX_UNCLASSIFIED: usize = 1000;
/// What makes a report full: bytes of output, and findings for sinks, which take about 2 KiB each.
const FULL_OUTPUT: usize = 256 << 10;
const FULL_FOUND: usize = 128;
/// Most reports that wait for their turn, of all threads: 16 MiB.
pub const MAX_WAITING: usize = 64;

impl Report {
    fn new(chunk: &Arc<Chunk>, source: usize) -> Report {
        Report {
            chunk: chunk.clone(),
            source,
            begins: true,
            ends: false,
            findings: 0,
            left_out: 0,
            worst: None,
            cut: 0,
            first_cut: None,
            output: Vec::new(),
            found: Vec::new(),
            lines: 0,
            lag: None,
            unclassified: Vec::new(),
            more_unclassified: 0,
        }
    }

    /// What was found by now, where that is enough to be handed on.
    fn take_full(&mut self) -> Option<Report> {
        if self.output.len() < FULL_OUTPUT && self.found.len() < FULL_FOUND {
            return None;
        }
        let rest = Report { begins: false, ..Report::new(&self.chunk, self.source) };
        Some(std::mem::replace(self, rest))
    }
}

/// A finding of a chunk.
pub struct Found {
    pub verdict: Verdict,
    pub record: Record,
    /// Its bytes in the chunk.
    pub range: Range<usize>,
    pub line: u64,
    pub key: String,
    /// Not all of the event was read.
    pub cut: bool,
    /// The source is not text as it stands.
    pub decoded: bool,
}

/// Where an event stands.
pub struct Place<'a> {
    pub name: &'a str,
    pub source: usize,
    pub offset: u64,
}

impl Found {
    /// As outputs see it.
    pub fn finding<'a>(
        &'a self,
        place: Place<'a>,
        text: &'a [u8],
        context: &'a Context,
    ) -> Finding<'a> {
        Finding {
            verdict: &self.verdict,
            record: &self.record,
            source: place.name,
            source_number: place.source,
            line: self.line,
            offset: place.offset,
            text,
            key: &self.key,
            cut: self.cut,
            context,
            decoded: self.decoded,
        }
    }
}

pub struct Worker {
    pub framing: LogFraming,
    /// What is written of a chunk right here.
    pub rendering: Rendering,
    /// Whether findings are handed on, and with their keys.
    pub hands_on: bool,
    pub has_keys: bool,
    pub selection: Selection,
    /// Whether lines without a verdict that look like errors are counted.
    pub counts_unclassified: bool,
}

static NO_CONTEXT: Context = Context { before: Vec::new(), after: Vec::new() };

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Worker {
    /// Scans a chunk, and hands on what it has by `more`, all but the last.
    pub fn work(&self, piece: Piece<Work>, more: &mut dyn FnMut(Piece<Report>)) -> Piece<Report> {
        match piece {
            Piece::Chunk(work) => {
                Piece::Chunk(self.scan(work, &mut |report| more(Piece::Chunk(report))))
            }
            Piece::Notice(notice) => Piece::Notice(notice),
        }
    }

    fn scan(&self, work: Work, more: &mut dyn FnMut(Report)) -> Report {
        let (chunk, source) = (Arc::new(work.chunk), work.source);
        let (bytes, decoded) = (chunk.bytes(), chunk.decoded);
        let mut report = Report::new(&chunk, source);
        let framing = self.framing.on(bytes);
        // Where events with a verdict stand.
        let mut classified: Vec<Range<usize>> = Vec::new();
        let mut lines = match self.rendering {
            Rendering::Lines(answers) => {
                Some(lines::Writer::new(answers, &chunk, work.joined, &mut report.output))
            }
            _ => None,
        };
        let (mut counted, mut line) = (0, work.first_line);
        let found = |scanned: Scanned<Record>| {
            let Scanned { verdict, range, record, .. } = scanned;
            if self.counts_unclassified {
                classified.push(range.clone());
            }
            if !self.selection.admits(&verdict) {
                report.left_out += 1;
                return;
            }
            line += memchr::memchr_iter(b'\n', &bytes[counted..range.start]).count() as u64;
            counted = range.start;
            report.findings += 1;
            report.worst = report.worst.max(verdict.severity());
            let is_cut = record.cut > 0 || framing.is_cut(chunk.bytes_and_behind(), &range);
            if is_cut {
                report.cut += 1;
                report.first_cut.get_or_insert(line);
            }
            let cut = chunk.cut || is_cut;
            let key = match self.hands_on && self.has_keys {
                true => fold::normalize(record.text.as_deref().unwrap_or(&bytes[range.clone()])),
                false => String::new(),
            };
            let found = Found { verdict, record, range: range.clone(), line, key, cut, decoded };
            let written = match (self.rendering, &mut lines) {
                (Rendering::Findings(renderer), _) => {
                    let offset = chunk.offset + range.start as u64;
                    let place = Place { name: &work.name, source, offset };
                    let finding = found.finding(place, &bytes[range], &NO_CONTEXT);
                    renderer(&mut report.output, &finding)
                }
                (_, Some(lines)) => lines.finding(&mut report.output, &found.verdict, range),
                _ => Ok(()),
            };
            debug_assert!(written.is_ok(), "writing to memory");
            if self.hands_on {
                report.found.push(found);
            }
            report.take_full().into_iter().for_each(&mut *more);
        };
        if !chunk.skipped {
            SCRATCH.with_borrow_mut(|scratch| {
                work.scanner.scan_events(bytes, &framing, scratch, found);
            });
        }
        if let Some(lines) = lines {
            lines.finish(&mut report.output);
        }
        if self.counts_unclassified {
            let mut classified = classified.iter().peekable();
            for line in templates::error_lines(bytes) {
                while classified.next_if(|event| event.end <= line.start).is_some() {}
                if classified.peek().is_some_and(|event| event.start < line.end) {
                    continue;
                }
                match report.unclassified.len() < MAX_UNCLASSIFIED {
                    true => {
                        let key = fold::normalize(&bytes[line.clone()]);
                        report.unclassified.push((key, line));
                    }
                    false => report.more_unclassified += 1,
                }
            }
        }
        Report { ends: true, lines: work.lines, lag: work.lag, ..report }
    }
}
