//! What the flags say about the output.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use super::clash;
use super::formats::{Format, Style};
use super::lines::Answers;
use super::metrics::Metrics;
use super::sink::{Rendering, Sink};
use super::target::{Shape, Target};

const LINES: &str = "A line for a line";

/// Where and how the report is written.
#[derive(Debug, Clone, Default, Args)]
pub struct OutputArgs {
    /// How to report [default: text]
    #[arg(long, short, value_enum)]
    format: Option<Format>,

    /// Answer every line of the input with one line, in order: `{"whyerr":null}`, or the verdict in
    /// short. Lines are not joined to events
    #[arg(
        long,
        conflicts_with_all = ["format", "no_fold", "json", "context", "enrich", "follow"],
        help_heading = LINES
    )]
    filter: bool,

    /// Give every line of the input back; JSON objects that have a verdict get it as the member
    /// "whyerr", everything else stays as it was. Lines are not joined to events
    #[arg(
        long,
        conflicts_with_all = ["format", "no_fold", "json", "context", "follow"],
        help_heading = LINES
    )]
    enrich: bool,

    /// Write the report to this file; `-` is standard output. Lines (json, otlp, --filter,
    /// --enrich) and text that is followed are added to it, other formats replace it when the report
    /// is whole
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Keep this file up to date with counters for Prometheus (text format, for the textfile
    /// collector), beside any format
    #[arg(long, value_name = "FILE")]
    metrics: Option<PathBuf>,
}

/// What is written, and where.
pub struct Outputs {
    pub rendering: Rendering,
    pub sinks: Vec<Box<dyn Sink>>,
    pub target: Target,
    /// Lines that look like errors and have no verdict are told of.
    pub shows_unclassified: bool,
    /// The report says what it does not cover.
    pub tells_shortfalls: bool,
}

impl OutputArgs {
    /// The file that the report goes to, if it is one.
    fn file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| *path != Path::new("-"))
    }

    /// The files that these flags ask to be written to.
    pub fn written(&self) -> impl Iterator<Item = &Path> {
        self.file().into_iter().chain(self.metrics.as_deref())
    }

    /// Refuses a file that is written to and read, or written to twice: by these flags or that of
    /// the state.
    pub fn check_paths<'a>(
        &self,
        state: Option<&Path>,
        read: impl IntoIterator<Item = &'a Path>,
    ) -> anyhow::Result<()> {
        let flags =
            [("--output", self.file()), ("--metrics", self.metrics.as_deref()), ("--state", state)];
        let written: Vec<clash::Written<'_>> =
            flags.into_iter().filter_map(|(flag, path)| Some((flag, path?))).collect();
        clash::check(&written, read)?;
        // A file that the report is redirected to must not be replaced under it.
        match (self.file(), &self.metrics) {
            (None, Some(metrics)) => {
                let stdout = ("standard output", Path::new("/dev/stdout"));
                clash::check(&[stdout, ("--metrics", metrics)], [])
            }
            _ => Ok(()),
        }
    }

    /// Opens what is written to, before anything is read.
    pub fn open(&self, style: Style) -> anyhow::Result<Outputs> {
        let answers = match (self.filter, self.enrich) {
            (true, _) => Some(Answers::Filter),
            (_, true) => Some(Answers::Enrich),
            _ => None,
        };
        let entry = self.format.unwrap_or(Format::Text).entry(style).map_err(anyhow::Error::msg)?;
        let shape = match entry.shape {
            // What ends by itself is put in place when it is whole.
            Shape::Live if !style.follow => Shape::Whole,
            shape => shape,
        };
        let (rendering, report, shape) = match (answers, entry.renderer) {
            (Some(answers), _) => (Rendering::Lines(answers), None, Shape::Answers),
            (None, Some(renderer)) => (Rendering::Findings(renderer), entry.sink, shape),
            (None, None) => (Rendering::Nothing, entry.sink, shape),
        };
        let tells_shortfalls = report.is_some();
        let mut sinks: Vec<Box<dyn Sink>> = report.map(|new| new()).into_iter().collect();
        if let Some(path) = &self.metrics {
            sinks.push(Box::new(Metrics::new(path)));
        }
        let path = self.file();
        let target = Target::open(path, shape);
        let name = || path.unwrap_or("standard output".as_ref()).display().to_string();
        let target = target.with_context(|| format!("cannot write to {}", name()))?;
        let shows_unclassified = answers.is_none() && entry.shows_unclassified;
        Ok(Outputs { rendering, sinks, target, shows_unclassified, tells_shortfalls })
    }
}
