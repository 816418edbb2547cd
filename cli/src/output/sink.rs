//! What findings are handed to.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use whyerr::{Catalog, Verdict};
use whyerr_logs::record::Record;

use super::lines::Answers;
use crate::Outcome;
use crate::templates::Counter;

/// A finding as outputs see it.
pub struct Finding<'a> {
    pub verdict: &'a Verdict,
    /// What the record said beside its text.
    pub record: &'a Record,
    /// Name of the source, and its number.
    pub source: &'a str,
    pub source_number: usize,
    /// Line of its first byte, from 1.
    pub line: u64,
    /// Offset of its first byte in the source.
    pub offset: u64,
    /// Raw bytes of the event, without the last line end. Nothing in them is redacted.
    pub text: &'a [u8],
    /// The text without what differs between repeats ([`crate::fold::normalize`]); empty while it
    /// is rendered by the threads.
    pub key: &'a str,
    /// Not all of it was read: a line longer than what is classified, an event or a value of its
    /// record over its limit.
    pub cut: bool,
    /// Lines before and behind, if they are asked for.
    pub context: &'a Context,
    /// The source is packed or UTF-16: `offset` counts bytes of the text that it holds, in UTF-8.
    pub decoded: bool,
}

impl Finding<'_> {
    /// The text that was classified, for people: what stands in the source may be pieces, or numbers.
    pub fn shown(&self) -> &[u8] {
        self.record.text.as_deref().unwrap_or(self.text)
    }

    /// The line of the event that made the rule match, from 0.
    pub fn telling_line(&self) -> usize {
        let spans = self.verdict.evidence().iter().filter_map(|evidence| evidence.span.clone());
        let start = spans.map(|span| span.start).min().unwrap_or(0);
        let text = self.shown();
        memchr::memchr_iter(b'\n', &text[..start.min(text.len())]).count()
    }
}

/// Lines around an event, redacted.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub struct Context {
    pub before: Vec<String>,
    pub after: Vec<String>,
}

/// What was read.
#[derive(Debug, Default, Clone)]
pub struct Totals {
    pub lines: u64,
    pub bytes: u64,
    pub findings: u64,
    pub cut_lines: u64,
    pub skipped_bytes: u64,
    /// Findings of which not all was read, and where the first is: source and line.
    pub cut_findings: u64,
    pub first_cut: Option<(String, u64)>,
    /// Findings that were not asked for.
    pub left_out: u64,
    /// Sources that could not be read, or not to their end.
    pub read_errors: u64,
    /// Bytes of followed files that are known to be gone unread.
    pub lost_bytes: u64,
    /// Somebody stopped the run before the end of the input.
    pub interrupted: bool,
}

/// A source that could not be read, or not to its end.
#[derive(Debug, Clone)]
pub struct Fault {
    pub source: usize,
    pub message: String,
}

/// Most faults that are kept; all are counted.
pub const MAX_FAULTS: usize = 1000;

/// What is known besides findings.
pub struct State<'a> {
    pub catalog: &'a Catalog,
    /// Names of the sources by number.
    pub names: &'a [String],
    pub totals: &'a Totals,
    /// Lines that look like errors, and have no verdict: where a report asks for them.
    pub unclassified: &'a Counter,
    /// The first [`MAX_FAULTS`].
    pub faults: &'a [Fault],
    /// Of sources that are followed: bytes that are there and were not read yet, by number.
    pub lag: &'a BTreeMap<usize, u64>,
}

/// Takes findings, in the order of the input. An error ends the run.
pub trait Sink {
    fn finding(&mut self, finding: &Finding<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// Called after every chunk, and about every second while nothing comes.
    fn tick(&mut self, _state: &State<'_>, _out: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    /// Whether it reads [`Finding::key`], which costs something to make.
    fn reads_keys(&self) -> bool {
        true
    }

    /// Called once, at the end, an early one too.
    fn finish(&mut self, state: &State<'_>, out: &mut dyn Write) -> io::Result<()>;

    /// Called last, when the report is in its place: for what others do not wait for. Returns whether
    /// all of it went well.
    fn close(&mut self) -> Outcome {
        Outcome::Fine
    }
}

/// Writes one finding by itself. Called by the threads that scan, so that work is spread.
pub type Renderer = fn(&mut Vec<u8>, &Finding<'_>) -> io::Result<()>;

/// What the threads write of a chunk.
#[derive(Clone, Copy)]
pub enum Rendering {
    Nothing,
    /// Each finding by itself.
    Findings(Renderer),
    /// Every line, with a finding or without.
    Lines(Answers),
}
