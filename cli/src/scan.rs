//! `whyerr [scan] FILE...`: logs, line by line.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::time::Duration;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use whyerr::scan::Scanner;
use whyerr::{Scratch, Severity};

use crate::Outcome;
use crate::args::{FailOn, Format, ScanArgs};
use crate::fold::{Fold, Place};
use crate::input::{Chunks, Source};
use crate::load::Loaded;
use crate::output::summary::{self, Totals};
use crate::output::{json, text};
use crate::term;

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
        scratch: Scratch::default(),
    };
    let mut outcome = Outcome::Fine;
    for (at, source) in sources.iter().enumerate() {
        if let Err(error) = scan.source(at, source, &mut out)? {
            scan.progress.suspend(|| term::error(&format!("{}: {error}", source.name())));
            outcome = Outcome::Problem;
        }
    }
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

struct Scan<'l> {
    loaded: &'l Loaded,
    format: Format,
    no_fold: bool,
    names: Vec<String>,
    fold: Fold,
    totals: Totals,
    worst: Option<Severity>,
    progress: ProgressBar,
    scratch: Scratch,
}

impl Scan<'_> {
    /// Scans one source. The outer error is one of writing, which ends the run; the inner one of
    /// reading, which does not.
    fn source(
        &mut self,
        at: usize,
        source: &Source,
        out: &mut impl Write,
    ) -> anyhow::Result<io::Result<()>> {
        let reader = match source.open() {
            Ok(reader) => reader,
            Err(error) => return Ok(Err(error)),
        };
        let mut chunks = Chunks::new(reader);
        let scanner = Scanner::new(&self.loaded.classifier);
        let mut line = 1u64;
        loop {
            let chunk = match chunks.next() {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return Ok(Err(error)),
            };
            let bytes = chunk.bytes;
            let (mut counted, mut number) = (0, line);
            let mut result = Ok(());
            let Scan { scratch, fold, totals, worst, names, .. } = self;
            scanner.scan(bytes, scratch, |finding| {
                let range = finding.line.clone();
                number += memchr::memchr_iter(b'\n', &bytes[counted..range.start]).count() as u64;
                counted = range.start;
                totals.findings += 1;
                *worst = (*worst).max(finding.verdict.severity());
                let text = &bytes[range.clone()];
                let verdict = &finding.verdict;
                if result.is_err() {
                    return;
                }
                let written = match self.format {
                    Format::Json => {
                        let offset = chunk.offset + range.start as u64;
                        json::finding(out, &names[at], number, offset, text, chunk.cut, verdict)
                    }
                    Format::Text if self.no_fold => {
                        fold.add(verdict, text, Place { source: at, line: number });
                        text::single(out, verdict, &names[at], number, text)
                    }
                    Format::Text | Format::Summary => {
                        fold.add(verdict, text, Place { source: at, line: number });
                        Ok(())
                    }
                };
                result = written;
            });
            result?;
            number += memchr::memchr_iter(b'\n', &bytes[counted..]).count() as u64;
            line = number;
            self.totals.bytes += bytes.len() as u64;
            self.totals.cut_lines += u64::from(chunk.cut);
            self.progress.inc(bytes.len() as u64);
            let ends_open = bytes.last().is_some_and(|&byte| byte != b'\n') && !chunk.cut;
            self.totals.lines += u64::from(ends_open);
            // A pipe that is watched shows what it has.
            if matches!(source, Source::Stdin) && (self.format == Format::Json || self.no_fold) {
                out.flush()?;
            }
        }
        self.totals.lines += line - 1 + u64::from(chunks.skipping);
        self.totals.skipped_bytes += chunks.skipped;
        Ok(Ok(()))
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
