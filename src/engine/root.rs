//! The root cause of a chain: which rules match it by itself.

use super::evaluate::{Context, Look, Match};
use super::naive::Naive;
use super::program::{Program, SigId};
use crate::catalog::Catalog;
use crate::chain::Chain;
use crate::event::Event;
use crate::facts::Facts;
use crate::facts::text::{Range, Views};

/// Finds the chain of causes that a text states, and marks the matches that hold for its root cause
/// alone; their evidence is then what stands there. Services are known from the whole text.
pub(super) fn mark(
    catalog: &Catalog,
    program: &Program,
    event: &Event<'_>,
    facts: &Facts,
    matches: &mut [Match],
) -> Option<Chain> {
    if matches.is_empty() {
        return None;
    }
    let chain = Chain::find(&event.text)?;
    let part = chain.root();
    let views = Views::new(&event.text[part.clone()]);
    let known = facts.known_services();
    let facts = facts.within(&part);
    let context = Context::new(catalog, program, &facts, known);
    let mut look = Part { inner: Naive { program, views: &views }, start: part.start };
    for found in matches {
        if let Ok(root) = context.evaluate(found.rule, &mut look)
            && root.stands_in_text()
        {
            *found = Match { root: true, ..root };
        }
    }
    Some(chain)
}

/// Looks at a part of the text only.
struct Part<'a> {
    inner: Naive<'a>,
    start: usize,
}

impl Look for Part<'_> {
    fn find(&mut self, signature: SigId) -> Option<Range> {
        let Range { start, end } = self.inner.find(signature)?;
        Some(Range { start: start + self.start, end: end + self.start })
    }
}
