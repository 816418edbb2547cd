//! The whole reasoning for one event, for people.

use super::Classifier;
use super::evaluate::{Context, Match, Miss, Proof};
use super::naive::{self, Naive};
use super::rank::{self, DecidedBy};
use super::root;
use crate::event::Event;
use crate::facts::Facts;
use crate::facts::text::Views;
use crate::rule::words::Tier;
use crate::verdict::Verdict;

/// What every rule that matched had to say, in their order.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Why {
    /// The verdict.
    pub verdict: Verdict,
    /// Matches, best first; superseded and shadow ones last.
    pub matches: Vec<Reason>,
    facts: Facts,
}

/// One rule that matched.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reason {
    /// Its id.
    pub rule: Box<str>,
    /// The kind of its evidence.
    pub tier: Tier,
    /// Whether its usual company was there.
    pub corroborated: bool,
    /// How many kinds of conditions held.
    pub kinds: u8,
    /// How many literal bytes matched.
    pub bytes: u32,
    /// Ranges of the text that matched, in order.
    pub spans: Vec<std::ops::Range<usize>>,
    /// Why it is not the winner: the step, and for `supersedes` the rule that removed it.
    pub lost_by: Option<(DecidedBy, Option<Box<str>>)>,
    /// A shadow rule: never takes part.
    pub shadow: bool,
}

pub(super) fn why(classifier: &Classifier, event: &Event<'_>) -> Why {
    let (catalog, program) = (classifier.catalog(), classifier.program());
    let (facts, mut matches) = naive::matches(catalog, program, event);
    let chain = root::mark(catalog, program, event, &facts, &mut matches);
    let ranking = rank::rank(matches, catalog);
    let reason = |found: &Match, lost_by, shadow| Reason {
        rule: catalog.rule_at(found.rule).id.clone(),
        tier: found.tier,
        corroborated: found.corroborated,
        kinds: found.kinds,
        bytes: found.bytes,
        spans: spans(found),
        lost_by,
        shadow,
    };
    let mut list = Vec::new();
    for (at, found) in ranking.ranked.iter().enumerate() {
        let lost_by = (at > 0).then(|| (rank::compare(&ranking.ranked[0], found, catalog).1, None));
        list.push(reason(found, lost_by, false));
    }
    for (found, by) in &ranking.superseded {
        let lost_by = Some((DecidedBy::Supersedes, Some(catalog.rule_at(*by).id.clone())));
        list.push(reason(found, lost_by, false));
    }
    list.extend(ranking.shadows.iter().map(|found| reason(found, None, true)));
    let verdict = Verdict::new(classifier, event, facts.clone(), ranking, chain);
    Why { verdict, matches: list, facts }
}

fn spans(found: &Match) -> Vec<std::ops::Range<usize>> {
    let mut spans: Vec<_> = found
        .evidence
        .iter()
        .filter_map(|proof| match proof {
            Proof::Signature(_, at) => Some(*at),
            Proof::Code(_, at)
            | Proof::HttpStatus(_, at)
            | Proof::GrpcStatus(_, at)
            | Proof::ExitCode(_, at)
            | Proof::Signal(_, at) => *at,
        })
        .map(|at| at.start..at.end)
        .collect();
    spans.sort_by_key(|span| (span.start, span.end));
    spans.dedup();
    spans
}

impl Why {
    /// Why the rule `id` did not match `event`, in words. `None`: it did, or there is no such
    /// rule.
    pub fn why_not(&self, classifier: &Classifier, event: &Event<'_>, id: &str) -> Option<String> {
        let (catalog, program) = (classifier.catalog(), classifier.program());
        let index = catalog.rule_index(id)?;
        let views = Views::new(&event.text);
        let mut look = Naive { program, views: &views };
        let context = Context::new(catalog, program, &self.facts, self.facts.known_services());
        let miss = context.evaluate(index, &mut look).err()?;
        let rule = catalog.rule_at(index);
        Some(match miss {
            Miss::Gate => {
                let mut wanted: Vec<&str> = rule.when.service.iter().map(|id| &**id).collect();
                wanted.extend(
                    rule.blocks.iter().flat_map(|block| &block.when.service).map(|id| &**id),
                );
                wanted.sort_unstable();
                wanted.dedup();
                let is = match self.facts.known_services().as_slice() {
                    [] => "unknown here".to_owned(),
                    list => {
                        let names: Vec<_> =
                            list.iter().map(|&at| &*catalog.service_at(at).id).collect();
                        format!("{} here", names.join(", "))
                    }
                };
                format!("its gate asks for service {}; the service is {is}", wanted.join(" or "))
            }
            Miss::Lacks(block, kind) => {
                let conditions = &rule.blocks[block].conditions;
                let list = |signatures: &[crate::rule::model::Signature]| {
                    let texts: Vec<_> =
                        signatures.iter().map(|s| format!("`{}`", s.pattern)).collect();
                    texts.join(", ")
                };
                let what = match kind {
                    "any" => format!("none of these stands in the text: {}", list(&conditions.any)),
                    "all" => {
                        format!("not all of these stand in the text: {}", list(&conditions.all))
                    }
                    "code" => format!("none of its codes was read: {}", conditions.code.join(", ")),
                    other => format!("`{other}` is not what it asks for"),
                };
                format!("block {}: {what}", block + 1)
            }
            Miss::Excluded(block, sig, at) => format!(
                "block {}: `{}`, which it excludes under `none`, stands at bytes {}..{}",
                block + 1,
                String::from_utf8_lossy(program.signatures.pattern(sig)),
                at.start,
                at.end
            ),
            Miss::Uncorroborated(block) => format!(
                "block {} is weak, and nothing of `corroborate` is there to confirm it",
                block + 1
            ),
        })
    }
}
