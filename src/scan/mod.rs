//! Whole chunks of a log: which lines have a verdict.
//!
//! Only places that may matter are looked at: a filter over the chunk finds them, line ends are
//! looked for around them, and only those lines are classified. What is found equals classifying
//! every line by itself.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::filter::{Filter, Profile};
use crate::engine::index::to_lower;
use crate::engine::{Classifier, Scratch};
use crate::event::Event;
use crate::verdict::Verdict;

/// Bytes after which a filter for the input at hand has paid for itself: until then the index of
/// the classifier is used, which is there anyway.
const PLAN_AFTER: u64 = 8 << 20;
/// Smallest chunk that tells what an input is like.
const PLAN_FROM: usize = 256 << 10;
/// A filter is made anew when so many more samples than in its first chunk have to be verified,
/// and at most once in so many bytes.
const DRIFT: f64 = 2.0;
const REPLAN_AFTER: u64 = 64 << 20;
/// Verified samples per byte below which a filter is good whatever it promised.
const GOOD_RATE: f64 = 1.0 / 512.0;

/// A verdict at a line of a chunk.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding {
    /// The verdict.
    pub verdict: Verdict,
    /// Bytes of the line in the chunk, without its line end.
    pub line: Range<usize>,
}

/// Scans the chunks of one input. Learns from the first megabytes what the input is like, so use
/// one for each kind of input. May be shared between threads, each with a [`Scratch`] of its own.
///
/// ```
/// use whyerr::scan::Scanner;
/// use whyerr::{Classifier, Scratch};
///
/// let scanner = Scanner::new(Classifier::builtin());
/// let log = b"fine\nopen /var/x: no space left on device\nfine\n";
/// let mut lines = Vec::new();
/// scanner.scan(log, &mut Scratch::default(), |finding| lines.push(finding.line));
/// assert_eq!(lines, [5..41]);
/// ```
#[derive(Debug)]
pub struct Scanner {
    classifier: Classifier,
    plan: Mutex<Plan>,
}

#[derive(Default)]
struct Plan {
    filter: Option<Arc<Filter>>,
    /// Verified samples per byte in the first chunk of this filter.
    rate: Option<f64>,
    /// Bytes since the filter was made, or since the start.
    bytes: u64,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Scanner {
    /// A scanner for one input.
    pub fn new(classifier: &Classifier) -> Scanner {
        Scanner { classifier: classifier.clone(), plan: Mutex::default() }
    }

    /// A scanner for an input of which a piece is known: it uses a filter from the first byte on.
    pub fn with_sample(classifier: &Classifier, sample: &[u8]) -> Scanner {
        let scanner = Scanner::new(classifier);
        let mut plan = Plan::default();
        plan.remake(classifier, sample);
        Scanner { plan: Mutex::new(plan), ..scanner }
    }

    /// Classifies every line of `chunk`, which should end at a line end unless it is the last
    /// one. Calls `found` for each line with a verdict, in order.
    pub fn scan(&self, chunk: &[u8], scratch: &mut Scratch, mut found: impl FnMut(Finding)) {
        let mut lines = Lines {
            classifier: &self.classifier,
            chunk,
            hidden: HiddenLiterals::new(chunk),
            done: 0,
        };
        let program = self.classifier.program();
        match self.filter(chunk) {
            Some(filter) => {
                let verified = filter
                    .search(&program.index, chunk, |place| lines.reach(place, scratch, &mut found));
                self.learn(chunk.len(), verified);
            }
            None => {
                let mut lower = scratch.take_chunk();
                to_lower(chunk, &mut lower);
                let mut places = scratch.take_places();
                program.index.find(&lower, |literal, start, _| {
                    if program.nominates(literal) {
                        places.push(start);
                    }
                });
                places.sort_unstable();
                scratch.put_chunk(lower);
                let mut from = 0;
                for &place in &places {
                    if place >= from {
                        from = lines.reach(place, scratch, &mut found);
                    }
                }
                scratch.put_places(places);
            }
        }
        lines.reach(chunk.len(), scratch, &mut found);
    }

    /// The filter for the next chunk, once one is worth it.
    fn filter(&self, chunk: &[u8]) -> Option<Arc<Filter>> {
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        plan.bytes += chunk.len() as u64;
        let due = plan.filter.is_none() && plan.bytes >= PLAN_AFTER;
        if due && chunk.len() >= PLAN_FROM {
            plan.remake(&self.classifier, chunk);
        }
        plan.filter.clone()
    }

    /// Looks whether the filter still fits.
    fn learn(&self, bytes: usize, verified: usize) {
        if bytes < PLAN_FROM {
            return;
        }
        let rate = verified as f64 / bytes as f64;
        let mut plan = self.plan.lock().unwrap_or_else(PoisonError::into_inner);
        let first = *plan.rate.get_or_insert(rate);
        if rate > GOOD_RATE && rate > DRIFT * first && plan.bytes > REPLAN_AFTER {
            // The next chunk tells what the input has become.
            *plan = Plan { bytes: PLAN_AFTER, ..Plan::default() };
        }
    }
}

impl Plan {
    fn remake(&mut self, classifier: &Classifier, chunk: &[u8]) {
        let program = classifier.program();
        let wanted = |literal| program.nominates(literal);
        let filter = Filter::new(&program.index, wanted, &Profile::new(chunk));
        *self = Plan { filter: Some(Arc::new(filter)), ..Plan::default() };
    }
}

/// The lines of a chunk that have been classified so far.
struct Lines<'c> {
    classifier: &'c Classifier,
    chunk: &'c [u8],
    hidden: HiddenLiterals<'c>,
    /// Where the first line begins that was not looked at.
    done: usize,
}

impl Lines<'_> {
    /// Classifies the line of `place` if that was not done yet, and before it the lines up to
    /// there whose escapes may hide a literal. Returns where the next line begins.
    fn reach(
        &mut self,
        place: usize,
        scratch: &mut Scratch,
        found: &mut impl FnMut(Finding),
    ) -> usize {
        while let Some(hidden) = self.hidden.next_from(self.done).filter(|&at| at < place) {
            self.classify(hidden, scratch, found);
        }
        if self.done <= place && place < self.chunk.len() {
            self.classify(place, scratch, found);
        }
        self.done
    }

    fn classify(&mut self, place: usize, scratch: &mut Scratch, found: &mut impl FnMut(Finding)) {
        let (chunk, done) = (self.chunk, self.done);
        let start = memchr::memrchr(b'\n', &chunk[done..place]).map_or(done, |at| done + at + 1);
        let end = memchr::memchr(b'\n', &chunk[place..]).map_or(chunk.len(), |at| place + at);
        self.done = end + 1;
        let line = match chunk[start..end].strip_suffix(b"\r") {
            Some(line) => start..start + line.len(),
            None => start..end,
        };
        let verdict =
            self.classifier.classify_with(&Event::from_bytes(&chunk[line.clone()]), scratch);
        if verdict.is_classified() {
            found(Finding { verdict, line });
        }
    }
}

/// Places of ANSI escapes and `\u` escapes, found ahead of the search, once.
struct HiddenLiterals<'c> {
    chunk: &'c [u8],
    escape: Option<usize>,
    unicode: Option<usize>,
}

impl<'c> HiddenLiterals<'c> {
    fn new(chunk: &'c [u8]) -> Self {
        let mut hidden = HiddenLiterals { chunk, escape: None, unicode: None };
        hidden.escape = hidden.find_escape(0);
        hidden.unicode = hidden.find_unicode(0);
        hidden
    }

    fn find_escape(&self, from: usize) -> Option<usize> {
        memchr::memchr(0x1b, self.chunk.get(from..)?).map(|at| from + at)
    }

    fn find_unicode(&self, from: usize) -> Option<usize> {
        memchr::memmem::find(self.chunk.get(from..)?, b"\\u").map(|at| from + at)
    }

    fn next_from(&mut self, from: usize) -> Option<usize> {
        if self.escape.is_some_and(|at| at < from) {
            self.escape = self.find_escape(from);
        }
        if self.unicode.is_some_and(|at| at < from) {
            self.unicode = self.find_unicode(from);
        }
        [self.escape, self.unicode].into_iter().flatten().min()
    }
}
