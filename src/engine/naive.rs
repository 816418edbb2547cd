//! The oracle: every rule, every signature, every context, with no index.
//!
//! Slow and obvious. The fast engine must give the same answer for every event; property tests
//! and a fuzz target hold it to that.

use super::evaluate::{Context, Look, Match};
use super::program::{Program, SigId};
use crate::catalog::Catalog;
use crate::event::Event;
use crate::facts::Facts;
use crate::facts::text::{EVERYWHERE, Range, Views};
use crate::rule::model::SignatureKind;

pub(crate) fn matches(
    catalog: &Catalog,
    program: &Program,
    event: &Event<'_>,
) -> (Facts, Vec<Match>) {
    let views = Views::new(&event.text);
    let mut look = Naive { program, views: &views };
    let mut facts = Facts::given(event, catalog.service_table());
    facts.read(&views, catalog.fact_table(), catalog.fact_table().everywhere());
    for entry in program.services.words() {
        if let Some(range) = look.find(entry.signature) {
            facts.add_service(entry.service, entry.from(), range);
            if let Some(product) = entry.product {
                facts.add_product(&catalog.service_at(entry.service).products[product].id, range);
            }
        }
    }
    facts.settle(catalog.service_table());
    let context = Context::new(catalog, program, &facts, facts.known_services());
    let matches =
        (0..program.rules.len()).filter_map(|id| context.evaluate(id, &mut look).ok()).collect();
    (facts, matches)
}

/// Looks through every view for every question.
pub(crate) struct Naive<'a> {
    pub(crate) program: &'a Program,
    pub(crate) views: &'a Views<'a>,
}

impl Look for Naive<'_> {
    fn find(&mut self, id: SigId) -> Option<Range> {
        let signatures = &self.program.signatures;
        for view in self.views.iter() {
            let text = &*view.bytes;
            let found = match signatures.kind(id) {
                SignatureKind::Regex => signatures
                    .regex(id)
                    .and_then(|regex| regex.find(text, EVERYWHERE))
                    .map(|found| (found.start, found.end)),
                kind => {
                    let length = signatures.pattern(id).len();
                    (0..text.len())
                        .map(|start| (start, start + length))
                        .take_while(|&(_, end)| end <= text.len())
                        .find(|&(start, end)| {
                            signatures.equals(id, &text[start..end])
                                && bounded(kind, text, start, end)
                        })
                }
            };
            if let Some((start, end)) = found {
                return Some(view.original(start, end));
            }
        }
        None
    }
}

/// Whether the neighbours of a hit are what its kind asks for.
pub(crate) fn bounded(kind: SignatureKind, text: &[u8], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|at| text[at]);
    let after = text.get(end).copied();
    let word = |byte: Option<u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    match kind {
        SignatureKind::Text | SignatureKind::Regex => true,
        SignatureKind::Word => !word(before) && !word(after),
        SignatureKind::Host => {
            let host = |byte: Option<u8>| {
                byte.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            };
            let domain_goes_on =
                after == Some(b'.') && text.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
            !host(before) && !host(after) && !domain_goes_on
        }
    }
}
