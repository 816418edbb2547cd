//! Whole chunks of a log: which lines have a verdict.
//!
//! Only places that may matter are looked at: a filter over the chunk finds them, the bounds of the
//! event are looked for around them, and only those events are read and classified. What is found
//! equals classifying every event by itself.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::filter::{AHEAD, BLOCK, Filter, Profile};
use crate::engine::glance::Glance;
use crate::engine::index::{LiteralId, to_lower};
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
/// Bytes that are looked at for escapes, then filtered: they stay in the second-level cache.
const PIECE: usize = 8 * BLOCK;
/// Verified samples per byte below which a filter is good whatever it promised.
const GOOD_RATE: f64 = 1.0 / 512.0;

/// A verdict at an event of a chunk.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finding<R = ()> {
    /// The verdict.
    pub verdict: Verdict,
    /// Bytes of the event in the chunk, without its last line end.
    pub range: Range<usize>,
    /// What the framing read of it beside its text.
    pub record: R,
}

/// How a log falls into events, and what is known of each beside its text.
///
/// The bounds of an event must depend on the bytes of the chunk alone, never on what is asked
/// first: the scanner asks for events around places that matter, in order, and leaves out the rest.
pub trait Framing {
    /// What is read of an event beside its text.
    type Record;

    /// The event that holds the byte at `place`: whole lines, with the last line end. An event
    /// begins at `from`, which is not behind `place`.
    fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize>;

    /// Reads an event, without its last line end.
    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, Self::Record);

    /// The same for an event of a chunk, of which something may be said outside of its bounds.
    fn read_in<'t>(&self, chunk: &'t [u8], event: Range<usize>) -> (Event<'t>, Self::Record) {
        self.read(&chunk[event])
    }

    /// Whether every event is to be read and classified: what is known of an event may make a rule
    /// match of which nothing stands in the text.
    fn reads_all(&self) -> bool {
        false
    }

    /// The first place at `from` or behind it whose event may say what its raw bytes do not show: it
    /// is read and classified whatever is found in it.
    fn hidden(&self, _chunk: &[u8], _from: usize) -> Option<usize> {
        None
    }
}

/// Every line is an event, of which nothing is known but its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lines;

impl Framing for Lines {
    type Record = ();

    fn bounds(&self, chunk: &[u8], from: usize, place: usize) -> Range<usize> {
        let start = memchr::memrchr(b'\n', &chunk[from..place]).map_or(from, |at| from + at + 1);
        let end = memchr::memchr(b'\n', &chunk[place..]).map_or(chunk.len(), |at| place + at + 1);
        start..end
    }

    fn read<'t>(&self, text: &'t [u8]) -> (Event<'t>, ()) {
        (Event::from_bytes(text), ())
    }
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
/// scanner.scan(log, &mut Scratch::default(), |finding| lines.push(finding.range));
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
    pub fn scan(&self, chunk: &[u8], scratch: &mut Scratch, found: impl FnMut(Finding)) {
        self.scan_events(chunk, &Lines, scratch, found);
    }

    /// The same for events of one or more lines, as `framing` tells them apart.
    pub fn scan_events<F: Framing>(
        &self,
        chunk: &[u8],
        framing: &F,
        scratch: &mut Scratch,
        mut found: impl FnMut(Finding<F::Record>),
    ) {
        let mut events = Events {
            classifier: &self.classifier,
            framing,
            chunk,
            hidden: HiddenLiterals::new(chunk, framing),
            done: 0,
            open: None,
        };
        if framing.reads_all() {
            while events.done < chunk.len() {
                events.classify(events.done, scratch, &mut found);
            }
            return;
        }
        let program = self.classifier.program();
        match self.filter(chunk) {
            Some(filter) => {
                let mut verified = 0;
                for start in (0..chunk.len()).step_by(PIECE) {
                    let end = chunk.len().min(start + PIECE);
                    // A literal may begin a few bytes behind what is searched.
                    events.hidden.look(start..chunk.len().min(end + AHEAD));
                    let done = events.done;
                    let hit = |literal, place| events.reach((place, literal), scratch, &mut found);
                    verified += filter.search(&program.index, chunk, start..end, done, hit);
                    events.reach_hidden(end, scratch, &mut found);
                }
                self.learn(chunk.len(), verified);
            }
            None => {
                let mut places = scratch.take_places();
                self.find_by_index(chunk, scratch, |literal, place| places.push((place, literal)));
                places.sort_unstable();
                events.hidden.look(0..chunk.len());
                for &hit in &places {
                    events.reach(hit, scratch, &mut found);
                }
                events.reach_hidden(chunk.len(), scratch, &mut found);
                scratch.put_places(places);
            }
        }
    }

    /// Calls `found` with every literal that nominates and its place.
    fn find_by_index(
        &self,
        chunk: &[u8],
        scratch: &mut Scratch,
        mut found: impl FnMut(LiteralId, usize),
    ) {
        let program = self.classifier.program();
        let mut lower = scratch.take_chunk();
        to_lower(chunk, &mut lower);
        program.index.find(&lower, |literal, start, _| {
            if program.nominates(literal) {
                found(literal, start);
            }
        });
        scratch.put_chunk(lower);
    }

    /// The search of [`scan`](Self::scan) alone, without events, rules and verdicts: every literal
    /// that makes a text a candidate, with its place. For `benches/peers`, no part of the
    /// interface.
    #[doc(hidden)]
    pub fn find_literals(
        &self,
        chunk: &[u8],
        scratch: &mut Scratch,
        mut found: impl FnMut(usize, usize),
    ) {
        match self.filter(chunk) {
            Some(filter) => {
                let index = &self.classifier.program().index;
                let hit = |literal, place| {
                    found(literal, place);
                    0
                };
                let verified = filter.search(index, chunk, 0..chunk.len(), 0, hit);
                self.learn(chunk.len(), verified);
            }
            None => self.find_by_index(chunk, scratch, found),
        }
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

/// The events of a chunk that have been looked at so far.
struct Events<'c, F: Framing> {
    classifier: &'c Classifier,
    framing: &'c F,
    chunk: &'c [u8],
    hidden: HiddenLiterals<'c, F>,
    /// Where the first event begins that may still have a verdict.
    done: usize,
    /// That event, if it was read: the hits in it so far came to nothing.
    open: Option<Open<'c, F::Record>>,
}

/// An event that was read and not classified.
struct Open<'c, R> {
    /// With its line end.
    range: Range<usize>,
    event: Event<'c>,
    record: R,
    glance: Glance,
}

impl<'c, F: Framing> Events<'c, F> {
    /// Classifies the event of a hit if that was not done yet, and before it the events up to there
    /// whose escapes may hide a literal. Returns from where on hits are of interest.
    fn reach(
        &mut self,
        (place, literal): (usize, LiteralId),
        scratch: &mut Scratch,
        found: &mut impl FnMut(Finding<F::Record>),
    ) -> usize {
        self.reach_hidden(place, scratch, found);
        if self.done <= place {
            let (classifier, chunk) = (self.classifier, self.chunk);
            let open = self.read(place);
            let (start, text) = (open.range.start, text_of(&chunk[open.range.clone()]));
            let at = place.saturating_sub(start);
            let compiled = (classifier.catalog(), classifier.program());
            if open.glance.sees(compiled, scratch, text, (literal, at)) {
                self.classify(place, scratch, found);
            }
        }
        self.done
    }

    fn reach_hidden(
        &mut self,
        until: usize,
        scratch: &mut Scratch,
        found: &mut impl FnMut(Finding<F::Record>),
    ) {
        while let Some(hidden) = self.hidden.next_from(self.done).filter(|&at| at < until) {
            self.classify(hidden, scratch, found);
        }
    }

    /// The event of `place`.
    fn read(&mut self, place: usize) -> &mut Open<'c, F::Record> {
        let open = match self.open.take() {
            Some(open) if place < open.range.end => open,
            before => {
                let from = before.map_or(self.done, |before| before.range.end);
                let Range { start, end } = self.framing.bounds(self.chunk, from, place);
                debug_assert!(from <= start && start <= place && place < end);
                // Whatever a framing says, a scan comes to its end.
                let range = start..end.max(place + 1);
                let text = text_of(&self.chunk[start..end]);
                let (event, record) = self.framing.read_in(self.chunk, start..start + text.len());
                let (catalog, program) = (self.classifier.catalog(), self.classifier.program());
                let glance = Glance::new(catalog, program, &event, text);
                Open { range, event, record, glance }
            }
        };
        self.done = open.range.start;
        self.open.insert(open)
    }

    fn classify(
        &mut self,
        place: usize,
        scratch: &mut Scratch,
        found: &mut impl FnMut(Finding<F::Record>),
    ) {
        self.read(place);
        let Some(Open { range, event, record, .. }) = self.open.take() else { return };
        self.done = range.end;
        let verdict = self.classifier.classify_with(&event, scratch);
        if verdict.is_classified() {
            let text = text_of(&self.chunk[range.clone()]);
            found(Finding { verdict, range: range.start..range.start + text.len(), record });
        }
    }
}

/// An event without its line end.
fn text_of(event: &[u8]) -> &[u8] {
    let event = event.strip_suffix(b"\n").unwrap_or(event);
    event.strip_suffix(b"\r").unwrap_or(event)
}

/// Places of ANSI escapes and `\u` escapes in a part of the chunk, and the next place in it that the
/// framing alone can read.
struct HiddenLiterals<'c, F> {
    chunk: &'c [u8],
    framing: &'c F,
    /// Where the part ends.
    end: usize,
    escape: Option<usize>,
    unicode: Option<usize>,
    framed: Option<usize>,
}

impl<'c, F: Framing> HiddenLiterals<'c, F> {
    fn new(chunk: &'c [u8], framing: &'c F) -> Self {
        let framed = framing.hidden(chunk, 0);
        HiddenLiterals { chunk, framing, end: 0, escape: None, unicode: None, framed }
    }

    /// Goes on to the next part, which is in the cache then when it is searched.
    fn look(&mut self, part: Range<usize>) {
        self.end = part.end;
        self.escape = self.find_escape(part.start);
        self.unicode = self.find_unicode(part.start);
    }

    fn find_escape(&self, from: usize) -> Option<usize> {
        memchr::memchr(0x1b, self.chunk.get(from..self.end)?).map(|at| from + at)
    }

    fn find_unicode(&self, from: usize) -> Option<usize> {
        // One may stand over the end of the part.
        let end = self.chunk.len().min(self.end + 1);
        memchr::memmem::find(self.chunk.get(from..end)?, b"\\u").map(|at| from + at)
    }

    /// The first at or behind `from` in this part.
    fn next_from(&mut self, from: usize) -> Option<usize> {
        if self.escape.is_some_and(|at| at < from) {
            self.escape = self.find_escape(from);
        }
        if self.unicode.is_some_and(|at| at < from) {
            self.unicode = self.find_unicode(from);
        }
        if self.framed.is_some_and(|at| at < from) {
            self.framed = self.framing.hidden(self.chunk, from);
        }
        let framed = self.framed.filter(|&at| at < self.end);
        [self.escape, self.unicode, framed].into_iter().flatten().min()
    }
}
