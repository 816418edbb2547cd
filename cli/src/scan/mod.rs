//! `whyerr [scan] FILE...`: logs, event by event.

mod reader;
mod worker;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use whyerr::Severity;
use whyerr_logs::LogFraming;

use crate::Outcome;
use crate::args::{FailOn, Format, ScanArgs};
use crate::input::Source;
use crate::load::Loaded;
use crate::output;
use crate::output::sink::{Finding, Sink, State, Totals};
use crate::pipeline;
use crate::stop;
use crate::term;
use reader::{Piece, Reader};
use worker::{Found, Report, Worker};

/// More threads than this wait for the reader.
const MAX_THREADS: usize = 16;
/// Scans that are done sooner show no progress.
const PROGRESS_FROM: u64 = 64 << 20;

pub fn run(args: &ScanArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    if args.files.is_empty() && io::stdin().is_terminal() {
        term::error("name files to scan, or pipe a log in (`whyerr --help` shows how)");
        return Ok(Outcome::Problem);
    }
    stop::listen();
    let sources = Source::from_args(&args.files);
    let names: Vec<String> = sources.iter().map(Source::name).collect();
    let format = args.format.unwrap_or(Format::Text);
    let sinks: Vec<Box<dyn Sink>> = output::sink(format, args.no_fold).into_iter().collect();
    let framing = LogFraming::default();
    let mut reader = Reader::new(&sources, loaded.classifier.clone(), framing.grouping.clone());
    let worker = Worker {
        framing,
        names: names.clone(),
        renderer: output::renderer(format, args.no_fold),
        has_sinks: !sinks.is_empty(),
    };
    let mut out = BufWriter::new(anstream::AutoStream::auto(io::stdout().lock()));
    let mut scan = Scan {
        loaded,
        sources: &sources,
        names,
        sinks,
        totals: Totals::default(),
        worst: None,
        outcome: Outcome::Fine,
        progress: progress(&sources),
    };
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    pipeline::ordered(
        threads,
        move |buffer| reader.next(buffer),
        move |piece| worker.work(piece),
        |done| scan.take(done, &mut out),
    )?;
    scan.progress.finish_and_clear();
    scan.totals.interrupted = stop::requested();
    scan.finish(&mut out).context("cannot write the report")?;
    Ok(scan.outcome(args.fail_on))
}

fn severity(limit: FailOn) -> Severity {
    match limit {
        FailOn::Info => Severity::Info,
        FailOn::Warning => Severity::Warning,
        FailOn::Error => Severity::Error,
        FailOn::Critical => Severity::Critical,
    }
}

/// What becomes of the findings.
struct Scan<'l> {
    loaded: &'l Loaded,
    sources: &'l [Source],
    names: Vec<String>,
    sinks: Vec<Box<dyn Sink>>,
    totals: Totals,
    worst: Option<Severity>,
    /// Worse than fine when a source could not be read.
    outcome: Outcome,
    progress: ProgressBar,
}

impl Scan<'_> {
    /// Counts and hands on what came of a piece, and gives its buffer back. The error is one of
    /// writing, which ends the run; a source that cannot be read does not.
    fn take(
        &mut self,
        done: Piece<Report>,
        out: &mut impl Write,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let mut buffer = None;
        match done {
            Piece::Chunk { chunk, source, lines, known: report } => {
                self.totals.findings += report.findings;
                self.totals.lines += lines;
                self.totals.bytes += chunk.len as u64;
                self.totals.cut_lines += u64::from(chunk.cut);
                self.worst = self.worst.max(report.worst);
                out.write_all(&report.output)?;
                for Found { verdict, record, range, line, key } in &report.found {
                    let finding = Finding {
                        verdict,
                        record,
                        source: &self.names[source],
                        source_number: source,
                        line: *line,
                        offset: chunk.offset + range.start as u64,
                        text: &chunk.bytes()[range.clone()],
                        key,
                        cut: chunk.cut,
                    };
                    for sink in &mut self.sinks {
                        sink.finding(&finding, out)?;
                    }
                }
                self.progress.inc(chunk.len as u64);
                // A pipe that is watched shows what it has.
                if self.sources[source].is_live() && !report.output.is_empty() {
                    out.flush()?;
                }
                buffer = Some(chunk.buffer);
            }
            Piece::End { skipped, open_lines } => {
                self.totals.skipped_bytes += skipped;
                self.totals.lines += open_lines;
            }
            Piece::Fault { source, error } => {
                let message = format!("{}: {error}", self.names[source]);
                self.progress.suspend(|| term::error(&message));
                self.outcome = Outcome::Problem;
            }
            Piece::Tick => {}
        }
        self.each_sink(|sink, state| sink.tick(state, out))?;
        Ok(buffer)
    }

    fn each_sink(
        &mut self,
        mut call: impl FnMut(&mut dyn Sink, &State<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let state = State {
            catalog: self.loaded.classifier.catalog(),
            names: &self.names,
            totals: &self.totals,
        };
        for sink in &mut self.sinks {
            call(&mut **sink, &state)?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.each_sink(|sink, state| sink.finish(state, out))?;
        out.flush()
    }

    fn outcome(&self, fail_on: Option<FailOn>) -> Outcome {
        let fails = match (fail_on, self.worst) {
            (Some(limit), Some(worst)) => worst >= severity(limit),
            _ => false,
        };
        let found = if fails { Outcome::Found } else { Outcome::Fine };
        let stopped = if self.totals.interrupted { Outcome::Interrupted } else { Outcome::Fine };
        self.outcome.max(found).max(stopped)
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
