//! `whyerr [scan] FILE...`: logs, line by line.

use std::cell::RefCell;
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use whyerr::scan::{Finding, Scanner};
use whyerr::{Classifier, Scratch, Severity, Verdict};

use crate::Outcome;
use crate::args::{FailOn, Format, ScanArgs};
use crate::fold::{self, Fold, Place};
use crate::input::{Chunk, Chunks, Source};
use crate::load::Loaded;
use crate::output::summary::{self, Totals};
use crate::output::{json, text};
use crate::pipeline;
use crate::term;

/// More threads than this wait for the reader.
const MAX_THREADS: usize = 16;
/// Scans that are done sooner show no progress.
const PROGRESS_FROM: u64 = 64 << 20;

pub fn run(args: &ScanArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    if args.files.is_empty() && io::stdin().is_terminal() {
        term::error("name files to scan, or pipe a log in (`whyerr --help` shows how)");
        return Ok(Outcome::Problem);
    }
    let sources = Source::from_args(&args.files);
    let format = args.format.unwrap_or(Format::Text);
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let mut scan = Scan {
        loaded,
        format,
        no_fold: args.no_fold,
        names: sources.iter().map(Source::name).collect(),
        fold: Fold::default(),
        totals: Totals::default(),
        worst: None,
        progress: progress(&sources),
    };
    let outcome = scan.run(&sources, &mut out)?;
    scan.progress.finish_and_clear();
    scan.finish(&mut out).context("cannot write the report")?;
    let fails = match (args.fail_on, scan.worst) {
        (Some(limit), Some(worst)) => worst >= severity(limit),
        _ => false,
    };
    Ok(if fails { outcome.max(Outcome::Found) } else { outcome })
}

fn severity(limit: FailOn) -> Severity {
    match limit {
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
        FailOn::Critical => Severity::Critical,
    }
}

/// What the report is made of.
struct Scan<'l> {
    loaded: &'l Loaded,
    format: Format,
    no_fold: bool,
    names: Vec<String>,
    fold: Fold,
    totals: Totals,
    worst: Option<Severity>,
    progress: ProgressBar,
}

/// A piece of the input, with what is known of its chunk: the work, then the report.
enum Piece<K> {
    Chunk {
        chunk: Chunk,
        source: usize,
        lines: u64,
        known: K,
    },
    /// The source is done: bytes of overlong lines that were skipped, lines that had no end.
    End {
        skipped: u64,
        open_lines: u64,
    },
    Fault {
        source: usize,
        error: io::Error,
    },
}

/// What scanning a chunk needs.
struct Work {
    first_line: u64,
    scanner: Arc<Scanner>,
}

/// The findings of a chunk.
#[derive(Default)]
struct Report {
    findings: u64,
    worst: Option<Severity>,
    /// Rendered, where each finding is shown.
    output: Vec<u8>,
    entries: Vec<Entry>,
}

/// A finding to fold.
struct Entry {
    verdict: Verdict,
    key: String,
    /// The line in the chunk, and its number.
    bytes: Range<usize>,
    line: u64,
}

/// Reads all sources, one behind the other.
struct Reader {
    sources: std::iter::Enumerate<std::vec::IntoIter<Source>>,
    classifier: Classifier,
    open: Option<Open>,
}

struct Open {
    source: usize,
    chunks: Chunks<Box<dyn Read + Send>>,
    scanner: Arc<Scanner>,
    line: u64,
    /// The last line has no end.
    open_line: bool,
}

impl Reader {
    fn next(&mut self, buffer: Option<Vec<u8>>) -> Option<Piece<Work>> {
        let open = match &mut self.open {
            Some(open) => open,
            closed => {
                let (at, source) = self.sources.next()?;
                match source.open() {
                    Ok(reader) => closed.insert(Open {
                        source: at,
                        chunks: Chunks::new(reader),
                        scanner: Arc::new(Scanner::new(&self.classifier)),
                        line: 1,
                        open_line: false,
                    }),
                    Err(error) => return Some(Piece::Fault { source: at, error }),
                }
            }
        };
        let source = open.source;
        match open.chunks.next(buffer.unwrap_or_default()) {
            Ok(Some(chunk)) => {
                let first_line = open.line;
                let lines = memchr::memchr_iter(b'\n', chunk.bytes()).count() as u64;
                open.line += lines;
                open.open_line = !chunk.bytes().ends_with(b"\n") && !chunk.cut;
                let known = Work { first_line, scanner: open.scanner.clone() };
                Some(Piece::Chunk { chunk, source, lines, known })
            }
            Ok(None) => {
                let skipped = open.chunks.skipped;
                let open_lines = u64::from(open.open_line) + u64::from(open.chunks.skipping);
                self.open = None;
                Some(Piece::End { skipped, open_lines })
            }
            Err(error) => {
                self.open = None;
                Some(Piece::Fault { source, error })
            }
        }
    }
}

impl Scan<'_> {
    /// Scans all sources. The error is one of writing, which ends the run; a source that cannot
    /// be read does not.
    fn run(&mut self, sources: &[Source], out: &mut impl Write) -> anyhow::Result<Outcome> {
        let classifier = self.loaded.classifier.clone();
        let list: Vec<Source> = sources.to_vec();
        let mut reader = Reader { sources: list.into_iter().enumerate(), classifier, open: None };
        let render =
            Render { format: self.format, no_fold: self.no_fold, names: self.names.clone() };
        let mut outcome = Outcome::Fine;
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
        pipeline::ordered(
            threads,
            move |buffer| reader.next(buffer),
            move |piece| render.work(piece),
            |done| self.take(done, sources, &mut outcome, out),
        )?;
        Ok(outcome)
    }

    /// Counts, folds and writes what came of a piece, and gives its buffer back.
    fn take(
        &mut self,
        done: Piece<Report>,
        sources: &[Source],
        outcome: &mut Outcome,
        out: &mut impl Write,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        match done {
            Piece::Chunk { chunk, source, lines, known: report } => {
                self.totals.findings += report.findings;
                self.totals.lines += lines;
                self.totals.bytes += chunk.len as u64;
                self.totals.cut_lines += u64::from(chunk.cut);
                self.worst = self.worst.max(report.worst);
                out.write_all(&report.output)?;
                for Entry { verdict, key, bytes, line } in report.entries {
                    self.fold.add(&verdict, key, &chunk.bytes()[bytes], Place { source, line });
                }
                self.progress.inc(chunk.len as u64);
                // A pipe that is watched shows what it has.
                if sources[source] == Source::Stdin && !report.output.is_empty() {
                    out.flush()?;
                }
                return Ok(Some(chunk.buffer));
            }
            Piece::End { skipped, open_lines } => {
                self.totals.skipped_bytes += skipped;
                self.totals.lines += open_lines;
            }
            Piece::Fault { source, error } => {
                let message = format!("{}: {error}", self.names[source]);
                self.progress.suspend(|| term::error(&message));
                *outcome = Outcome::Problem;
            }
        }
        Ok(None)
    }

    fn finish(&self, out: &mut impl Write) -> io::Result<()> {
        let catalog = self.loaded.classifier.catalog();
        match self.format {
            Format::Json => {}
            Format::Summary => summary::write(out, catalog, &self.fold, &self.totals)?,
            Format::Text => {
                if self.no_fold {
                    writeln!(out)?;
                } else {
                    text::groups(out, &self.fold, &self.names)?;
                }
                summary::write(out, catalog, &self.fold, &self.totals)?;
            }
        }
        out.flush()
    }
}

/// What the threads do with a piece.
struct Render {
    format: Format,
    no_fold: bool,
    names: Vec<String>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Render {
    fn work(&self, piece: Piece<Work>) -> Piece<Report> {
        match piece {
            Piece::Chunk { chunk, source, lines, known } => {
                let known = self.scan(&chunk, source, &known);
                Piece::Chunk { chunk, source, lines, known }
            }
            Piece::End { skipped, open_lines } => Piece::End { skipped, open_lines },
            Piece::Fault { source, error } => Piece::Fault { source, error },
        }
    }

    fn scan(&self, chunk: &Chunk, source: usize, work: &Work) -> Report {
        let bytes = chunk.bytes();
        let mut report = Report::default();
        let (mut counted, mut line) = (0, work.first_line);
        let found = |finding: Finding| {
            let Finding { verdict, range, .. } = finding;
            line += memchr::memchr_iter(b'\n', &bytes[counted..range.start]).count() as u64;
            counted = range.start;
            report.findings += 1;
            report.worst = report.worst.max(verdict.severity());
            let text = &bytes[range.clone()];
            let (out, name) = (&mut report.output, &self.names[source]);
            let written = match self.format {
                Format::Json => {
                    let offset = chunk.offset + range.start as u64;
                    json::finding(out, name, line, offset, text, chunk.cut, &verdict)
                }
                Format::Text if self.no_fold => text::single(out, &verdict, name, line, text),
                Format::Text | Format::Summary => Ok(()),
            };
            debug_assert!(written.is_ok(), "writing to memory");
            if self.format != Format::Json {
                let key = fold::normalize(text);
                report.entries.push(Entry { verdict, key, bytes: range, line });
            }
        };
        SCRATCH.with_borrow_mut(|scratch| work.scanner.scan(bytes, scratch, found));
        report
    }
}

fn progress(sources: &[Source]) -> ProgressBar {
    let total: u64 = sources.iter().filter_map(Source::size).sum();
    if total < PROGRESS_FROM || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(4));
    bar.enable_steady_tick(Duration::from_millis(250));
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
