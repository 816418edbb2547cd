//! The compiled engine: one pass of the index, then only what its hits make possible.
//!
//! Invariant: a rule that matches is asked. Every signature has a literal that stands in the raw
//! text wherever the signature matches in any view, unless [`hides_literals`]; every fact is read
//! through a context or a code with the same property. Losing a candidate is a defect; asking one
//! too many only costs time.

use super::evaluate::{Context, Look, Match};
use super::index::{LiteralId, to_lower};
use super::naive::bounded;
use super::program::{Program, RuleId, SigId, Use};
use super::signatures::Signatures;
use super::trigrams::Trigrams;
use crate::catalog::Catalog;
use crate::event::Event;
use crate::facts::Facts;
use crate::facts::codes::may_hold_codes;
use crate::facts::text::{EVERYWHERE, Range, View, Views, hides_literals};
use crate::frozen::Words;
use crate::rule::model::SignatureKind;

/// Working space of a classification. Reusing one saves its allocations.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For each signature a stamp, and below it the place in `touched`, which is valid where the
    /// stamp is the current one. All zero at first, so that what is not touched takes no memory.
    signatures: Vec<u64>,
    contexts: Vec<(u32, Range)>,
    rules: Vec<u32>,
    stamp: u32,
    /// Signatures that were found or may be, in the order of discovery.
    touched: Vec<(SigId, State)>,
    /// Contexts of which a literal was seen.
    touched_contexts: Vec<usize>,
    candidates: Vec<RuleId>,
    /// The text in lower case.
    lower: Vec<u8>,
    /// What all views of it hold.
    trigrams: Trigrams,
    /// The chunk of a scan in lower case.
    chunk: Vec<u8>,
    /// Literals in it, with their places.
    places: Vec<(usize, LiteralId)>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// A literal of it was seen: it may match. With the places of its literals in the raw text.
    Possible(Range),
    Found(Range),
    Absent,
}

/// Holds nothing, and joined with a range gives that range.
const NOWHERE: Range = Range { start: usize::MAX, end: 0 };

impl Scratch {
    /// Space for a chunk in lower case, given back by [`put_chunk`](Self::put_chunk).
    pub(crate) fn take_chunk(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.chunk)
    }

    /// Space for hits in a chunk, given back by [`put_places`](Self::put_places).
    pub(crate) fn take_places(&mut self) -> Vec<(usize, LiteralId)> {
        std::mem::take(&mut self.places)
    }

    pub(crate) fn put_places(&mut self, mut places: Vec<(usize, LiteralId)>) {
        places.clear();
        self.places = places;
    }

    pub(crate) fn put_chunk(&mut self, lower: Vec<u8>) {
        self.chunk = lower;
    }

    /// Notes which pieces a text holds, for [`may_hold`](Self::may_hold).
    pub(super) fn note_pieces(&mut self, text: &[u8]) {
        to_lower(text, &mut self.lower);
        self.trigrams.begin(text.len());
        self.trigrams.add(&self.lower);
    }

    /// Whether the text that was noted last may hold what `needs` says.
    pub(super) fn may_hold(&self, needs: Words<'_, u16>) -> bool {
        self.trigrams.may_hold(needs)
    }

    fn begin(&mut self, program: &Program, contexts: usize) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0
            || self.signatures.len() != program.signatures.len()
            || self.contexts.len() != contexts
            || self.rules.len() != program.rules.len()
        {
            self.signatures = vec![0; program.signatures.len()];
            self.contexts = vec![(0, NOWHERE); contexts];
            self.rules = vec![0; program.rules.len()];
            self.stamp = 1;
        }
        self.touched.clear();
        self.touched_contexts.clear();
        self.candidates.clear();
    }

    fn state(&self, sig: SigId) -> Option<State> {
        let word = self.signatures[sig];
        ((word >> 32) as u32 == self.stamp).then(|| self.touched[word as u32 as usize].1)
    }

    fn set(&mut self, sig: SigId, state: State) {
        let word = &mut self.signatures[sig];
        if (*word >> 32) as u32 == self.stamp {
            self.touched[*word as u32 as usize].1 = state;
        } else {
            *word = u64::from(self.stamp) << 32 | self.touched.len() as u64;
            self.touched.push((sig, state));
        }
    }

    fn touch_context(&mut self, index: usize, hit: Range) {
        let (stamp, hits) = &mut self.contexts[index];
        if *stamp != self.stamp {
            self.touched_contexts.push(index);
            (*stamp, *hits) = (self.stamp, NOWHERE);
        }
        *hits = hits.join(hit);
    }

    fn add_rules(&mut self, rules: impl IntoIterator<Item = RuleId>) {
        for rule in rules {
            if self.rules[rule] != self.stamp {
                self.rules[rule] = self.stamp;
                self.candidates.push(rule);
            }
        }
    }
}

/// All matches of an event. `None` when nothing in it makes any rule possible.
pub(crate) fn matches(
    catalog: &Catalog,
    program: &Program,
    event: &Event<'_>,
    scratch: &mut Scratch,
) -> Option<(Facts, Vec<Match>)> {
    let table = catalog.fact_table();
    scratch.begin(program, table.contexts.len());
    let text: &[u8] = &event.text;
    let nominated = search(program, text, Original, scratch);
    let mut by_fact =
        nominated.by_fact || event.has_facts() || program.has_coded_service(catalog, event);
    if !by_fact && !nominated.by_text && !hides_literals(text) {
        return None;
    }

    let views = Views::new(text);
    scratch.trigrams.begin(views.iter().map(|view| view.bytes.len()).sum());
    scratch.trigrams.add(&scratch.lower);
    for view in views.iter().skip(1) {
        by_fact |= search(program, &view.bytes, view, scratch).by_fact;
        scratch.trigrams.add(&scratch.lower);
    }
    let mut look = Fast { program, views: &views, scratch };
    // Most literals are found for nothing.
    if !by_fact && !look.finds_any() {
        return None;
    }

    let mut facts = Facts::given(event, catalog.service_table());
    look.scratch.touched_contexts.sort_unstable();
    let seen = &*look.scratch;
    let contexts = seen.touched_contexts.iter().filter_map(|&index| {
        let shape = &table.contexts.get(index).shape;
        let possible = seen.trigrams.may_hold(shape.needs.words());
        possible.then(|| (index, shape.window(seen.contexts[index].1)))
    });
    facts.read(&views, table, contexts);

    services(catalog, program, &mut look, &mut facts);
    facts.settle(catalog.service_table());

    let context = Context::new(catalog, program, &facts, facts.known_services());
    candidates(&context, &mut look);
    let mut ids = std::mem::take(&mut look.scratch.candidates);
    ids.sort_unstable();
    let matches = ids.iter().filter_map(|&id| context.evaluate(id, &mut look).ok()).collect();
    look.scratch.candidates = ids;
    Some((facts, matches))
}

/// Runs the index over one view and notes what its hits stand for. Returns how they can make a
/// rule match.
fn search(program: &Program, text: &[u8], place: impl Place, scratch: &mut Scratch) -> Nominated {
    let (mut by_text, mut by_fact, mut coded) = (false, false, false);
    let mut lower = std::mem::take(&mut scratch.lower);
    to_lower(text, &mut lower);
    program.index.find(&lower, |literal, start, end| {
        for used in program.uses.get(literal) {
            match used {
                Use::Whole(sig) => {
                    if matches!(scratch.state(sig), Some(State::Found(_))) {
                        continue;
                    }
                    if is_at(&program.signatures, sig, text, Range { start, end }) {
                        scratch.set(sig, State::Found(place.original(start, end)));
                    }
                    // A hit out of bounds nominates as well: in a decoded view its neighbour may
                    // be another (the `n` of `\nOOM` is part of an escape).
                    by_text |= program.nominates(literal);
                }
                Use::Part(sig) => {
                    let hit = place.raw(start, end);
                    match scratch.state(sig) {
                        None => scratch.set(sig, State::Possible(hit)),
                        Some(State::Possible(hits)) => {
                            scratch.set(sig, State::Possible(hits.join(hit)));
                        }
                        Some(_) => {}
                    }
                    by_text |= program.nominates(literal);
                }
                Use::Code => coded = true,
                Use::Context(index) => {
                    scratch.touch_context(index, place.raw(start, end));
                    by_fact |= program.nominates(literal);
                }
            }
        }
    });
    // A code that is no word by itself counts under a key only.
    by_fact = by_fact || (coded && may_hold_codes(&lower));
    scratch.lower = lower;
    Nominated { by_text, by_fact }
}

/// Whether a signature matches where its literal stands, which is all of it.
pub(super) fn is_at(signatures: &Signatures, sig: SigId, text: &[u8], hit: Range) -> bool {
    let Range { start, end } = hit;
    let same = !signatures.is_case_sensitive(sig) || text[start..end] == *signatures.pattern(sig);
    same && bounded(signatures.kind(sig), text, start, end)
}

/// What the hits of a text make possible.
struct Nominated {
    /// A signature, if it matches.
    by_text: bool,
    /// A code, or a fact that a context states.
    by_fact: bool,
}

/// Where a range of a view stands in the original.
trait Place {
    fn original(&self, start: usize, end: usize) -> Range;

    /// The range, if this is the raw text.
    fn raw(&self, start: usize, end: usize) -> Range;
}

struct Original;

impl Place for Original {
    fn original(&self, start: usize, end: usize) -> Range {
        Range { start, end }
    }

    fn raw(&self, start: usize, end: usize) -> Range {
        Range { start, end }
    }
}

impl Place for &View<'_> {
    fn original(&self, start: usize, end: usize) -> Range {
        View::original(self, start, end)
    }

    fn raw(&self, _: usize, _: usize) -> Range {
        NOWHERE
    }
}

fn services(catalog: &Catalog, program: &Program, look: &mut Fast<'_>, facts: &mut Facts) {
    for index in 0..look.scratch.touched.len() {
        let (sig, _) = look.scratch.touched[index];
        let entries = program.services_of(sig);
        if entries.is_empty() {
            continue;
        }
        let Some(range) = look.find(sig) else { continue };
        for entry in entries {
            facts.add_service(entry.service, entry.from(), range);
            if let Some(product) = entry.product {
                facts.add_product(&catalog.service_at(entry.service).products[product].id, range);
            }
        }
    }
}

/// The rules that signatures and facts make possible.
fn candidates(context: &Context<'_>, look: &mut Fast<'_>) {
    let Context { program, facts, .. } = context;
    for index in 0..look.scratch.touched.len() {
        let (sig, _) = look.scratch.touched[index];
        let rules = program.by_signature.get(sig);
        if !rules.is_empty() && look.find(sig).is_some() {
            look.scratch.add_rules(rules.into_iter().map(|rule| rule as RuleId));
        }
    }
    for code in context.codes() {
        look.scratch.add_rules(program.by_code.get(code).into_iter().map(|rule| rule as RuleId));
    }
    for fact in facts.best_http_status() {
        let rules = program.by_http_status.iter().filter(|(range, _)| range.contains(fact.value));
        look.scratch.add_rules(rules.map(|&(_, rule)| rule));
    }
    fn equal<'p, T: PartialEq>(
        list: &'p [(T, RuleId)],
        value: &'p T,
    ) -> impl Iterator<Item = RuleId> + 'p {
        list.iter().filter(move |(wanted, _)| wanted == value).map(|&(_, rule)| rule)
    }
    for fact in &facts.grpc_status {
        look.scratch.add_rules(equal(&program.by_grpc_status, &fact.value));
    }
    for fact in &facts.exit_code {
        look.scratch.add_rules(equal(&program.by_exit_code, &fact.value));
    }
    for fact in &facts.signal {
        look.scratch.add_rules(equal(&program.by_signal, &fact.value));
    }
}

/// Knows from the index what is there; searches only for what it says is possible.
struct Fast<'a> {
    program: &'a Program,
    views: &'a Views<'a>,
    scratch: &'a mut Scratch,
}

impl Fast<'_> {
    /// Whether a signature matches that makes a rule possible.
    fn finds_any(&mut self) -> bool {
        (0..self.scratch.touched.len()).any(|index| {
            let (sig, _) = self.scratch.touched[index];
            self.program.matters(sig) && self.find(sig).is_some()
        })
    }

    /// Looks through the views; in the raw text around `hits` only.
    fn search(&mut self, id: SigId, hits: Range) -> Option<Range> {
        let signatures = &self.program.signatures;
        let search = || {
            let raw = signatures.window(id, hits);
            self.views.iter().enumerate().find_map(|(at, view)| {
                // A match begins at the last of its literals at the latest.
                let (window, last) =
                    if at == 0 { (raw, hits.end) } else { (EVERYWHERE, usize::MAX) };
                let (start, end) = find_in(signatures, id, &view.bytes, window, last)?;
                Some(view.original(start, end))
            })
        };
        let possible = self.scratch.trigrams.may_hold(signatures.needs(id));
        let found = if possible { search() } else { None };
        self.scratch.set(id, found.map_or(State::Absent, State::Found));
        found
    }
}

impl Look for Fast<'_> {
    #[inline]
    fn find(&mut self, id: SigId) -> Option<Range> {
        match self.scratch.state(id) {
            // Rules ask for hundreds of signatures of which no literal was seen.
            None => match self.program.signatures.is_indexed(id) {
                true => None,
                false => self.search(id, EVERYWHERE),
            },
            Some(State::Found(range)) => Some(range),
            Some(State::Absent) => None,
            Some(State::Possible(hits)) => self.search(id, hits),
        }
    }
}

/// The first match in a view, all of which lie in `window` and start before `last`.
pub(super) fn find_in(
    signatures: &Signatures,
    id: SigId,
    text: &[u8],
    window: Range,
    last: usize,
) -> Option<(usize, usize)> {
    // The left neighbour of a match stays visible, the right one is in the window.
    let text = text.get(..window.end).unwrap_or(text);
    if window.start >= text.len() {
        return None;
    }
    let kind = signatures.kind(id);
    if kind == SignatureKind::Regex {
        let found = signatures.regex(id)?.find(text, Range { start: window.start, end: last })?;
        return Some((found.start, found.end));
    }
    let pattern = signatures.pattern(id);
    let first = *pattern.first()?;
    let (lower, upper) = (first.to_ascii_lowercase(), first.to_ascii_uppercase());
    for at in memchr::memchr2_iter(lower, upper, &text[window.start..]) {
        let start = window.start + at;
        let end = start + pattern.len();
        if signatures.equals(id, text.get(start..end)?) && bounded(kind, text, start, end) {
            return Some((start, end));
        }
    }
    None
}
