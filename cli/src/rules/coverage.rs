//! `whyerr rules coverage`: what the rules know of a log, and what they do not.

use std::collections::HashMap;
use std::io::{self, Write};
use std::sync::Arc;

use serde::Serialize;
use whyerr::{Event, Scratch};
use whyerr_logs::group::Grouping;

use crate::Outcome;
use crate::args::CoverageArgs;
use crate::fold;
use crate::input::{Chunks, Next, Reading, Source};
use crate::load::Loaded;
use crate::templates::{self, Counter, Entry, Template};
use crate::term::{self, BOLD, DIM, clip, count, harmless, paint};

/// Most characters of a template that are shown.
const MAX_SHOWN: usize = 160;
#[derive(Default)]
struct Coverage {
    lines: u64,
    classified: u64,
    rules: HashMap<Box<str>, u64>,
    unclassified: Counter,
    /// Literals that made a line a candidate for nothing.
    in_vain: Counter,
}

#[derive(Serialize)]
struct Report<'c> {
    lines: u64,
    classified: u64,
    fired: Vec<(&'c str, u64)>,
    never_fired: Vec<&'c str>,
    unclassified_lines: u64,
    unclassified: Vec<Template<'c>>,
    looked_at_in_vain: u64,
    in_vain: Vec<Entry<'c>>,
}

pub fn run(args: &CoverageArgs, loaded: &Loaded) -> anyhow::Result<Outcome> {
    let mut coverage = Coverage::default();
    let sources = args.input.sources(&args.files)?;
    let mut outcome = sources.tell_faults();
    for source in &sources.list {
        if let Err(error) = read(source, &sources.reading, loaded, &mut coverage) {
            term::error(&format!("{}: {error}", source.name()));
            outcome = Outcome::Problem;
        }
    }
    sources.reading.tell_left_out();
    let catalog = loaded.classifier.catalog();
    let mut fired: Vec<(&str, u64)> =
        coverage.rules.iter().map(|(id, &number)| (&**id, number)).collect();
    fired.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let never =
        catalog.rules().map(|rule| &*rule.id).filter(|id| !coverage.rules.contains_key(*id));
    let report = Report {
        lines: coverage.lines,
        classified: coverage.classified,
        fired,
        never_fired: never.collect(),
        unclassified_lines: coverage.unclassified.total,
        unclassified: coverage.unclassified.top(args.top).iter().map(Template::of).collect(),
        looked_at_in_vain: coverage.in_vain.total,
        in_vain: coverage.in_vain.top(args.top),
    };
    let mut out = anstream::AutoStream::auto(io::stdout().lock());
    if args.json {
        crate::output::json::line_of(&mut out, &report)?;
    } else {
        text(&mut out, &report, args.top)?;
    }
    out.flush()?;
    Ok(outcome)
}

fn read(
    source: &Source,
    reading: &Arc<Reading>,
    loaded: &Loaded,
    coverage: &mut Coverage,
) -> io::Result<()> {
    let Some(input) = source.open(reading)? else { return Ok(()) };
    let mut chunks = Chunks::new(input, Grouping::lines());
    let mut scratch = Scratch::default();
    let mut buffer = Vec::new();
    loop {
        let chunk = match chunks.next(std::mem::take(&mut buffer))? {
            Next::Chunk(chunk) => chunk,
            Next::Nothing(_) => continue,
            Next::End(_) => return Ok(()),
        };
        for line in chunk.bytes().split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() {
                coverage.line(line, loaded, &mut scratch);
            }
        }
        buffer = chunk.buffer;
    }
}

impl Coverage {
    fn line(&mut self, line: &[u8], loaded: &Loaded, scratch: &mut Scratch) {
        let classifier = &loaded.classifier;
        self.lines += 1;
        let verdict = classifier.classify_with(&Event::from_bytes(line), scratch);
        if let Some(rule) = verdict.rule() {
            self.classified += 1;
            *self.rules.entry(rule.id.clone()).or_default() += 1;
            return;
        }
        for (literal, rules) in classifier.nominators(line) {
            let literal = String::from_utf8_lossy(literal).into_owned();
            self.in_vain.add(literal, || rules.join(", "));
        }
        if templates::looks_like_error(line) {
            self.unclassified.add(fold::normalize(line), || templates::example(line));
        }
    }
}

fn text(out: &mut impl Write, report: &Report<'_>, top: usize) -> io::Result<()> {
    let (classified, lines) = (count(report.classified), count(report.lines));
    writeln!(out, "{classified} of {lines} lines have a verdict")?;
    let all = report.fired.len() + report.never_fired.len();
    writeln!(out, "\n{}", paint(BOLD, format!("{} of {all} rules fired", report.fired.len())))?;
    for (id, number) in report.fired.iter().take(top) {
        writeln!(out, "{:>9}  {id}", count(*number))?;
    }
    let title =
        format!("{} lines look like errors and have none", count(report.unclassified_lines));
    writeln!(out, "\n{}", paint(BOLD, title))?;
    for entry in &report.unclassified {
        writeln!(
            out,
            "{:>9}  {}",
            count(entry.lines),
            clip(&harmless(entry.note.trim()), MAX_SHOWN)
        )?;
    }
    let title = format!("{} literals were found for nothing", count(report.looked_at_in_vain));
    writeln!(out, "\n{}", paint(BOLD, title))?;
    for entry in &report.in_vain {
        let literal = format!("{:?}", entry.text);
        let rules = paint(DIM, clip(&harmless(entry.note), MAX_SHOWN));
        writeln!(out, "{:>9}  {}  {rules}", count(entry.lines), harmless(&literal))?;
    }
    Ok(())
}
