//! `whyerr [scan] FILE...`: logs, event by event.

mod context;
pub mod reader;
pub mod select;
mod worker;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use anyhow::bail;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use whyerr::Severity;
use whyerr_logs::LogFraming;
use whyerr_logs::group::Grouping;

use crate::Outcome;
use crate::args::ScanArgs;
use crate::exec::Exec;
use crate::follow::{Follower, Roots, StateFile};
use crate::input::{Reading, Source, Sources};
use crate::load::Loaded;
use crate::output::lines::Answers;
use crate::output::sink::{
    Context, Fault, Finding, MAX_FAULTS, Renderer, Rendering, Sink, State, Totals,
};
use crate::output::{Outputs, Style, Target, shortfall};
use crate::pipeline::{self, Bounds};
use crate::stop;
use crate::templates::{self, Counter};
use crate::term;
use context::{Around, Waiting};
use reader::{Notice, Piece, Reader, Work};
use select::{AtLeast, Selection};
use worker::{MAX_WAITING, Place, Report, Worker};

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
    let follow = args.follow.follow;
    let sources = match follow {
        true => Sources::default(),
        false => args.input.sources(&args.files)?,
    };
    let selection = match Selection::new(&args.only, loaded.classifier.catalog()) {
        Ok(selection) => selection,
        Err(message) => {
            term::error(&message);
            return Ok(Outcome::Problem);
        }
    };
    if let Some(service) = &args.service
        && let Err(message) = select::known_service(service, loaded.classifier.catalog())
    {
        bail!("--service: {message}");
    }
    let mut framing = LogFraming { service: args.service.clone(), ..args.records.framing()? };
    let read: Vec<&Path> = match follow {
        true => args.files.iter().map(PathBuf::as_path).collect(),
        false => sources.list.iter().map(Source::path).collect(),
    };
    args.output.check_paths(args.follow.state.as_deref(), read)?;
    let outputs = args.output.open(Style {
        no_fold: args.no_fold,
        json: args.json,
        context: args.context > 0,
        follow,
    })?;
    let Outputs { rendering, mut sinks, mut target, shows_unclassified, tells_shortfalls } =
        outputs;
    if let Some(exec) = Exec::new(&args.exec) {
        sinks.push(Box::new(exec));
    }
    if let Rendering::Lines(_) = rendering {
        framing.grouping = Grouping::lines();
    }
    let grouping = framing.grouping.clone();
    let mut state = None;
    let (names, produce): (Vec<String>, Box<Producer>) = if follow {
        let (mut follower, file) = following(args, loaded, grouping)?;
        state = file;
        // It tells of each file when it takes it up.
        (Vec::new(), Box::new(move |buffer| follower.next(buffer)))
    } else {
        let gives_back = matches!(rendering, Rendering::Lines(Answers::Enrich));
        let mut reader =
            Reader::new(&sources, loaded.classifier.clone(), grouping).keep_skipped(gives_back);
        let names = sources.list.iter().map(Source::name).collect();
        (names, Box::new(move |buffer| reader.next(buffer)))
    };
    // Lines around an event may stand in other chunks: then nothing is rendered in the threads.
    let around = (args.context > 0).then(|| Around::new(args.context));
    let (in_threads, renderer) = match rendering {
        Rendering::Findings(renderer) if around.is_some() => (Rendering::Nothing, Some(renderer)),
        rendering => (rendering, None),
    };
    let worker = Worker {
        framing,
        rendering: in_threads,
        hands_on: !sinks.is_empty() || around.is_some(),
        has_keys: sinks.iter().any(|sink| sink.reads_keys()),
        selection,
        counts_unclassified: shows_unclassified,
    };
    let mut scan = Scan {
        loaded,
        sources: &sources.list,
        reading: &sources.reading,
        names,
        sinks,
        renderer,
        around,
        unclassified: Counter::default(),
        totals: Totals::default(),
        faults: Vec::new(),
        lag: BTreeMap::new(),
        worst: None,
        outcome: sources.tell_faults(),
        progress: if follow { ProgressBar::hidden() } else { progress(&sources.list) },
        follow,
        state,
        taken: 0,
        state_failed: false,
    };
    // Before the first read: what cannot be written to is told at once.
    scan.each_sink(|sink, state| sink.tick(state, &mut target))?;
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    pipeline::ordered(
        Bounds { threads, parts: MAX_WAITING },
        produce,
        move |piece, more| worker.work(piece, more),
        |done| scan.take(done, &mut target),
    )?;
    scan.progress.finish_and_clear();
    sources.reading.tell_left_out();
    // Being stopped is how following ends.
    scan.totals.interrupted = stop::requested() && !follow;
    if !tells_shortfalls {
        scan.tell_shortfalls();
    }
    let state = scan.state.take();
    let taken = scan.taken;
    let finished = scan.finish(target).map_err(anyhow::Error::from).and_then(|()| match state {
        Some(mut state) => {
            state.written(taken);
            state.save()
        }
        None => Ok(()),
    });
    let closed = scan.sinks.iter_mut().map(|sink| sink.close()).max();
    finished?;
    Ok(scan.outcome(args.fail_on).max(closed.unwrap_or(Outcome::Fine)))
}

/// Gives the pieces of the input.
type Producer = dyn FnMut(Option<Vec<u8>>) -> Option<Piece<Work>> + Send;

/// Reads the named files as they grow, from where the state file says.
fn following(
    args: &ScanArgs,
    loaded: &Loaded,
    grouping: Grouping,
) -> anyhow::Result<(Follower, Option<StateFile>)> {
    if args.files.iter().any(|path| path == Path::new("-")) {
        bail!("standard input cannot be followed: it is read as it comes without --follow");
    }
    let mut own: Vec<PathBuf> = args.output.written().map(Path::to_owned).collect();
    let state = args.follow.state.as_deref();
    own.extend(state.into_iter().flat_map(StateFile::paths));
    let mut roots = Roots::new(args.input.finder()?, own);
    let mut files = args.files.clone();
    files.retain(|path| !roots.take(path));
    let (classifier, flags) = (&loaded.classifier, &args.follow);
    let Some(path) = state else {
        let (follower, _) = Follower::new(&files, roots, flags, classifier, grouping, None, vec![]);
        return Ok((follower, None));
    };
    let (mut state, saved) = StateFile::open(path)?;
    let (sender, marks) = mpsc::channel();
    let (follower, others) =
        Follower::new(&files, roots, flags, classifier, grouping, Some(sender), saved);
    state.listen(marks, others);
    Ok((follower, Some(state)))
}

fn hand_on(
    finding: &Finding<'_>,
    renderer: Option<Renderer>,
    sinks: &mut [Box<dyn Sink>],
    out: &mut impl Write,
) -> io::Result<()> {
    if let Some(renderer) = renderer {
        let mut rendered = Vec::new();
        renderer(&mut rendered, finding)?;
        out.write_all(&rendered)?;
    }
    sinks.iter_mut().try_for_each(|sink| sink.finding(finding, out))
}

/// What becomes of the findings.
struct Scan<'l> {
    loaded: &'l Loaded,
    sources: &'l [Source],
    reading: &'l Reading,
    names: Vec<String>,
    sinks: Vec<Box<dyn Sink>>,
    /// What was not rendered by the threads.
    renderer: Option<Renderer>,
    around: Option<Around>,
    unclassified: Counter,
    totals: Totals,
    faults: Vec<Fault>,
    lag: BTreeMap<usize, u64>,
    worst: Option<Severity>,
    /// Worse than fine when a source could not be read.
    outcome: Outcome,
    progress: ProgressBar,
    /// Files are read as they grow: what is found is written at once.
    follow: bool,
    state: Option<StateFile>,
    /// Pieces that were taken.
    taken: u64,
    /// The state could not be saved, and that was told.
    state_failed: bool,
}

impl Scan<'_> {
    /// Counts and hands on what came of a piece, and gives its buffer back. The error is one of
    /// writing, which ends the run; a source that cannot be read does not.
    fn take(
        &mut self,
        done: Piece<Report>,
        out: &mut impl Write,
    ) -> anyhow::Result<Option<Vec<u8>>> {
        let buffer = match done {
            Piece::Chunk(report) if !report.ends => {
                self.take_report(report, out)?;
                return Ok(None);
            }
            Piece::Chunk(report) => self.take_report(report, out)?,
            Piece::Notice(notice) => {
                self.take_notice(notice, out)?;
                None
            }
        };
        self.each_sink(|sink, state| sink.tick(state, out))?;
        self.taken += 1;
        if self.follow {
            self.keep_account(out)?;
            out.flush()?;
        }
        Ok(buffer)
    }

    fn take_report(
        &mut self,
        mut report: Report,
        out: &mut impl Write,
    ) -> io::Result<Option<Vec<u8>>> {
        let source = report.source;
        self.totals.findings += report.findings;
        self.totals.left_out += report.left_out;
        self.totals.cut_findings += report.cut;
        if let (None, Some(line)) = (&self.totals.first_cut, report.first_cut) {
            self.totals.first_cut = Some((self.names[source].clone(), line));
        }
        self.worst = self.worst.max(report.worst);
        out.write_all(&report.output)?;
        let shows = !report.output.is_empty() || !report.found.is_empty();
        let bytes = report.chunk.bytes();
        for (key, line) in report.unclassified.drain(..) {
            self.unclassified.add(key, || templates::example(&bytes[line]));
        }
        self.unclassified.total += report.more_unclassified;
        self.unclassified.uncounted += report.more_unclassified;
        self.hand_on(&mut report, out)?;
        if report.ends {
            self.totals.lines += report.lines;
            let chunk = &report.chunk;
            self.totals.cut_lines += u64::from(chunk.cut);
            if !chunk.skipped {
                self.totals.bytes += chunk.len as u64;
            }
            if let Some(lag) = report.lag {
                self.lag.insert(source, lag);
            }
            // Of what is packed too, as the total counts it.
            self.progress.set_position(self.reading.raw_bytes());
        }
        // A pipe that is watched shows what it has.
        if shows && !self.follow && self.sources[source].is_live() {
            out.flush()?;
        }
        // Nobody else has the chunk any more at its end.
        Ok(Arc::into_inner(report.chunk).map(|chunk| chunk.buffer))
    }

    fn take_notice(&mut self, notice: Notice, out: &mut impl Write) -> io::Result<()> {
        match notice {
            Notice::End { source, skipped, open_lines } => {
                self.totals.skipped_bytes += skipped;
                self.totals.lines += open_lines;
                self.hand_on_waiting(Some(source), out)?;
            }
            Notice::Fault { source, error } => {
                let message = format!("{}: {error}", self.names[source]);
                self.progress.suspend(|| term::error(&message));
                self.outcome = Outcome::Problem;
                self.totals.read_errors += 1;
                if self.faults.len() < MAX_FAULTS {
                    self.faults.push(Fault { source, message: error.to_string() });
                }
                self.hand_on_waiting(Some(source), out)?;
            }
            Notice::Source { source, name } => {
                // One that had the number before has nothing left to read.
                self.lag.remove(&source);
                match self.names.get_mut(source) {
                    Some(known) => *known = name,
                    None => self.names.push(name),
                }
            }
            Notice::Note { message, lost } => {
                self.totals.lost_bytes += lost;
                term::warning(&message);
            }
            Notice::Tick => self.hand_on_waiting(None, out)?,
        }
        Ok(())
    }

    /// Hands the findings of a report on, each with the lines around it if they are asked for.
    fn hand_on(&mut self, report: &mut Report, out: &mut impl Write) -> io::Result<()> {
        let (source, chunk) = (report.source, &report.chunk);
        let bytes = chunk.bytes();
        if let Some(around) = self.around.as_mut().filter(|_| report.begins) {
            let done = around.begin(source, bytes);
            self.hand_on_all(&done, out)?;
        }
        for found in report.found.drain(..) {
            let offset = chunk.offset + found.range.start as u64;
            let (context, whole) = match &self.around {
                Some(around) => around.of(source, bytes, &found.range),
                None => (Context::default(), true),
            };
            let text = &bytes[found.range.clone()];
            match &mut self.around {
                Some(around) if !whole => {
                    let text = text.to_vec();
                    around.wait(Waiting { found, source, offset, text, context });
                }
                _ => {
                    let place = Place { name: &self.names[source], source, offset };
                    let finding = found.finding(place, text, &context);
                    hand_on(&finding, self.renderer, &mut self.sinks, out)?;
                }
            }
        }
        if let Some(around) = self.around.as_mut().filter(|_| report.ends) {
            around.remember(source, bytes);
        }
        Ok(())
    }

    /// Hands on what waits for lines that do not come.
    fn hand_on_waiting(&mut self, source: Option<usize>, out: &mut impl Write) -> io::Result<()> {
        let waiting = self.around.as_mut().map(|around| around.end(source)).unwrap_or_default();
        self.hand_on_all(&waiting, out)
    }

    fn hand_on_all(&mut self, waiting: &[Waiting], out: &mut impl Write) -> io::Result<()> {
        for Waiting { found, source, offset, text, context } in waiting {
            let place = Place { name: &self.names[*source], source: *source, offset: *offset };
            let finding = found.finding(place, text, context);
            hand_on(&finding, self.renderer, &mut self.sinks, out)?;
        }
        Ok(())
    }

    /// Notes in the state file, now and then, what was written by now.
    fn keep_account(&mut self, out: &mut impl Write) -> io::Result<()> {
        if !self.state.as_ref().is_some_and(StateFile::is_due) {
            return Ok(());
        }
        // A finding that waits for lines around it is not written.
        self.hand_on_waiting(None, out)?;
        out.flush()?;
        let Some(state) = &mut self.state else { return Ok(()) };
        state.written(self.taken);
        // A full disk may have room again: it is tried with every save, and at the end.
        match state.save() {
            Ok(()) => self.state_failed = false,
            Err(error) if !std::mem::replace(&mut self.state_failed, true) => {
                term::warning(&format!("{error:#}; trying on"));
            }
            Err(_) => {}
        }
        Ok(())
    }

    fn each_sink(
        &mut self,
        mut call: impl FnMut(&mut dyn Sink, &State<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut sinks = std::mem::take(&mut self.sinks);
        let mut all = Ok(());
        self.with_state(|state| {
            for sink in &mut sinks {
                // One that fails does not keep the others from their turn.
                let done = call(&mut **sink, state);
                if all.is_ok() {
                    all = done;
                }
            }
        });
        self.sinks = sinks;
        all
    }

    fn with_state(&self, call: impl FnOnce(&State<'_>)) {
        call(&State {
            catalog: self.loaded.classifier.catalog(),
            names: &self.names,
            totals: &self.totals,
            unclassified: &self.unclassified,
            faults: &self.faults,
            lag: &self.lag,
        });
    }

    /// The report is put in place unless it could not be written, whatever became of other files.
    fn finish(&mut self, mut target: Target) -> io::Result<()> {
        self.hand_on_waiting(None, &mut target)?;
        let finished = self.each_sink(|sink, state| sink.finish(state, &mut target));
        let report = target.commit();
        finished.and(report)
    }

    /// Where no report does.
    fn tell_shortfalls(&self) {
        self.with_state(|state| {
            for shortfall in shortfall::untold(state) {
                term::note(&shortfall.text);
            }
        });
    }

    fn outcome(&self, fail_on: Option<AtLeast>) -> Outcome {
        let fails = match (fail_on, self.worst) {
            (Some(limit), Some(worst)) => worst >= limit.severity(),
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
