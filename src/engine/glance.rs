//! A glance at one hit of the search, before its event is gone over as a whole.
//!
//! Of all events that a literal nominates, most have no verdict: the literal is a part of a
//! signature that does not match. That is told by looking around the literal, at a tenth of the
//! cost of searching the event for all literals.
//!
//! Invariant: of an event with a match, a glance at one of its hits says so. Whatever nominates a
//! rule (a signature, a code, a context) has its literals told by the search, and what it matches
//! lies around one of them.

use super::fast::{Scratch, find_in, is_at};
use super::index::LiteralId;
use super::program::{Program, SigId, Use};
use super::signatures::Signatures;
use crate::catalog::Catalog;
use crate::event::Event;
use crate::facts::codes::may_be_value;
use crate::facts::table::Context;
use crate::facts::text::Range;
use crate::frozen::Words;

/// Longest text that is glanced at: longer ones hold many hits, and of signatures without bounds
/// each is looked for in all of it.
const LONGEST: usize = 2048;
/// Most signatures and contexts that are looked for in an event before it is gone over as a whole.
const MOST: u32 = 16;

/// Glances at the hits of one event.
#[derive(Debug)]
pub(crate) struct Glance {
    /// How many more searches are worth it.
    left: u32,
    /// Whether the working space has the pieces of this event.
    has_pieces: bool,
}

impl Glance {
    /// For an event whose raw bytes, as the search has seen them, are `raw`.
    pub(crate) fn new(
        catalog: &Catalog,
        program: &Program,
        event: &Event<'_>,
        raw: &[u8],
    ) -> Glance {
        // It must be told by the text alone, and by no other view of it.
        let plain = std::ptr::eq(&*event.text, raw)
            && raw.len() <= LONGEST
            && memchr::memchr2(b'\\', 0x1b, raw).is_none()
            && !event.has_facts()
            && !program.has_coded_service(catalog, event);
        Glance { left: if plain { MOST } else { 0 }, has_pieces: false }
    }

    /// Whether the literal at `place` of the text may make a rule match.
    pub(crate) fn sees(
        &mut self,
        (catalog, program): (&Catalog, &Program),
        scratch: &mut Scratch,
        text: &[u8],
        (literal, place): (LiteralId, usize),
    ) -> bool {
        let end = place + program.index.literal(literal).len();
        if self.left == 0 || end > text.len() {
            return true;
        }
        let hit = Range { start: place, end };
        let (signatures, table) = (&program.signatures, catalog.fact_table());
        program.uses.get(literal).into_iter().any(|used| match used {
            Use::Whole(sig) => program.matters(sig) && is_at(signatures, sig, text, hit),
            Use::Code => may_be_value(text, place, end),
            Use::Part(sig) => {
                program.matters(sig)
                    && self.may_hold(scratch, text, signatures.needs(sig))
                    && self.finds(|| is_around(signatures, sig, text, hit))
            }
            Use::Context(index) => {
                let context = table.contexts.get(index);
                !context.subject.is_wait()
                    && self.may_hold(scratch, text, context.shape.needs.words())
                    && self.finds(|| is_stated(context, text, hit))
            }
        })
    }

    /// Whether the text may hold what a search asks for.
    fn may_hold(&mut self, scratch: &mut Scratch, text: &[u8], needs: Words<'_, u16>) -> bool {
        if !std::mem::replace(&mut self.has_pieces, true) {
            scratch.note_pieces(text);
        }
        scratch.may_hold(needs)
    }

    /// What a search says; one too many is taken for a success.
    fn finds(&mut self, search: impl FnOnce() -> bool) -> bool {
        let Some(left) = self.left.checked_sub(1) else { return true };
        self.left = left;
        search()
    }
}

/// Whether a signature matches around one of its literals.
fn is_around(signatures: &Signatures, sig: SigId, text: &[u8], hit: Range) -> bool {
    find_in(signatures, sig, text, signatures.window(sig, hit), hit.end).is_some()
}

/// The same for a context.
fn is_stated(context: &Context, text: &[u8], hit: Range) -> bool {
    let window = context.shape.window(hit);
    let text = text.get(..window.end).unwrap_or(text);
    let starts = Range { start: window.start, end: usize::MAX };
    context.regex().is_some_and(|regex| regex.find(text, starts).is_some())
}
