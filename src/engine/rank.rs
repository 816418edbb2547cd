//! Which match wins. Independent of the order of files, rules and matches.

use std::cmp::{Ordering, Reverse};

use super::evaluate::Match;
use crate::catalog::Catalog;
use crate::rule::words::{Confidence, Status, Tier};

/// By which step the winner was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DecidedBy {
    /// No other rule matched.
    OnlyMatch,
    /// Every other match was superseded.
    Supersedes,
    /// The others are wrapper lines.
    Fallback,
    /// Its `priority`.
    Priority,
    /// It is the root of a chain of causes; the others are what came of it.
    RootCause,
    /// A better kind of evidence.
    Tier,
    /// Its usual company was there.
    Corroboration,
    /// More kinds of conditions held.
    Kinds,
    /// More literal bytes matched.
    Bytes,
    /// Its layer.
    Layer,
    /// Its id: the tie of last resort.
    Id,
}

impl DecidedBy {
    /// The word in output.
    pub fn as_str(self) -> &'static str {
        match self {
            DecidedBy::OnlyMatch => "only_match",
            DecidedBy::Supersedes => "supersedes",
            DecidedBy::Fallback => "fallback",
            DecidedBy::Priority => "priority",
            DecidedBy::RootCause => "root_cause",
            DecidedBy::Tier => "tier",
            DecidedBy::Corroboration => "corroboration",
            DecidedBy::Kinds => "kinds",
            DecidedBy::Bytes => "bytes",
            DecidedBy::Layer => "layer",
            DecidedBy::Id => "id",
        }
    }
}

/// All matches in their order.
#[derive(Debug, PartialEq)]
pub(crate) struct Ranking {
    /// Best first.
    pub(crate) ranked: Vec<Match>,
    /// Removed, with the position in `ranked` or the id of what superseded it.
    pub(crate) superseded: Vec<(Match, usize)>,
    /// Matches of shadow rules.
    pub(crate) shadows: Vec<Match>,
    pub(crate) decided_by: DecidedBy,
    pub(crate) ambiguous: bool,
}

/// Ranks all matches of an event.
pub(crate) fn rank(matches: Vec<Match>, catalog: &Catalog) -> Ranking {
    let rule_of = |found: &Match| catalog.rule_at(found.rule);
    let (shadows, matches): (Vec<_>, Vec<_>) =
        matches.into_iter().partition(|m| rule_of(m).status == Status::Shadow);
    // Fallbacks rank below everything and so remove nothing that is not a fallback itself.
    let remover = |m: &Match| {
        matches
            .iter()
            .filter(|other| other.rule != m.rule)
            .filter(|other| rule_of(m).fallback || !rule_of(other).fallback)
            .filter(|other| rule_of(other).supersedes.iter().any(|id| *id == rule_of(m).id))
            .map(|other| other.rule)
            .min()
    };
    let removers: Vec<Option<usize>> = matches.iter().map(remover).collect();
    let mut ranked = Vec::with_capacity(matches.len());
    let mut superseded = Vec::new();
    for (found, remover) in matches.into_iter().zip(removers) {
        match remover {
            Some(by) => superseded.push((found, by)),
            None => ranked.push(found),
        }
    }
    ranked.sort_by(|a, b| compare(a, b, catalog).0);
    superseded.sort_by_key(|(found, _)| found.rule);
    let decided_by = match ranked.as_slice() {
        [best, second, ..] => compare(best, second, catalog).1,
        _ if !superseded.is_empty() => DecidedBy::Supersedes,
        _ => DecidedBy::OnlyMatch,
    };
    let ambiguous = match ranked.as_slice() {
        [best, rest @ ..] => {
            let (first, tie) = (rule_of(best), best.tier);
            rest.iter().take(1).any(|other| {
                let rule = rule_of(other);
                other.tier == tie
                    && other.root == best.root
                    && rule.priority == first.priority
                    && rule.fallback == first.fallback
                    && rule.category != first.category
            })
        }
        [] => false,
    };
    Ranking { ranked, superseded, shadows, decided_by, ambiguous }
}

/// The order of two matches and the step that decides it.
pub(crate) fn compare(a: &Match, b: &Match, catalog: &Catalog) -> (Ordering, DecidedBy) {
    let (x, y) = (catalog.rule_at(a.rule), catalog.rule_at(b.rule));
    let steps = [
        (x.fallback.cmp(&y.fallback), DecidedBy::Fallback),
        (y.priority.cmp(&x.priority), DecidedBy::Priority),
        (b.root.cmp(&a.root), DecidedBy::RootCause),
        (a.tier.cmp(&b.tier), DecidedBy::Tier),
        (b.corroborated.cmp(&a.corroborated), DecidedBy::Corroboration),
        (Reverse(a.kinds).cmp(&Reverse(b.kinds)), DecidedBy::Kinds),
        (Reverse(a.bytes).cmp(&Reverse(b.bytes)), DecidedBy::Bytes),
        (y.layer.cmp(&x.layer), DecidedBy::Layer),
        (x.id.cmp(&y.id), DecidedBy::Id),
    ];
    steps.into_iter().find(|(order, _)| order.is_ne()).unwrap_or((Ordering::Equal, DecidedBy::Id))
}

/// How sure a verdict of this match is.
pub(crate) fn confidence(found: &Match, catalog: &Catalog) -> Confidence {
    if catalog.rule_at(found.rule).fallback {
        return Confidence::Weak;
    }
    match found.tier {
        Tier::CodeAndText | Tier::Code => Confidence::Exact,
        Tier::ServiceText => Confidence::Strong,
        Tier::Text if found.corroborated => Confidence::Strong,
        Tier::Text | Tier::CoarseCode | Tier::Status => Confidence::Likely,
        Tier::StatusClass => Confidence::Weak,
    }
}
