//! Matching: one compiled engine, one oracle, one evaluation and one ranking for both.

mod compile;
pub(crate) mod evaluate;
pub(crate) mod fast;
pub(crate) mod filter;
pub(crate) mod glance;
mod grams;
pub(crate) mod index;
pub(crate) mod literals;
mod naive;
pub(crate) mod pattern;
pub(crate) mod program;
pub(crate) mod rank;
mod reason;
pub(crate) mod required;
mod root;
pub(crate) mod signatures;
pub(crate) mod trigrams;
pub(crate) use required::RegexInfo;
#[allow(unused_imports)] // By `build.rs` and tests.
pub(crate) use required::regex_info;

use std::sync::Arc;

use once_cell::sync::OnceCell;

use crate::catalog::Catalog;
use crate::event::Event;
use crate::facts::Facts;
use crate::problem::Problems;
use crate::verdict::Verdict;
use evaluate::Match;
pub use fast::Scratch;
use program::Program;
pub use rank::DecidedBy;
pub use reason::{Reason, Why};

/// Classifies events by a catalogue. Immutable, `Send + Sync`, cheap to clone; classification does
/// no I/O and does not panic.
///
/// ```
/// use whyerr::{Category, Classifier};
///
/// let classifier = Classifier::builtin();
/// let verdict = classifier.classify("dial tcp 10.0.0.1:5432: connect: connection refused");
/// assert_eq!(verdict.category(), Some(Category::ConnectionFailed));
/// ```
#[derive(Clone)]
pub struct Classifier {
    compiled: Arc<Compiled>,
}

struct Compiled {
    catalog: Catalog,
    program: Program,
}

static BUILTIN: OnceCell<Classifier> = OnceCell::new();

impl Classifier {
    /// The classifier of the built-in pack, compiled once in a process.
    pub fn builtin() -> &'static Classifier {
        let loaded: Result<_, Problems> =
            BUILTIN.get_or_try_init(|| Ok(Classifier::new(&Catalog::builder().build()?)));
        loaded.expect("the built-in pack is checked by the tests")
    }

    /// Compiles a catalogue.
    pub fn new(catalog: &Catalog) -> Classifier {
        let program = catalog.frozen_program().unwrap_or_else(|| Program::new(catalog));
        Classifier { compiled: Arc::new(Compiled { catalog: catalog.clone(), program }) }
    }

    /// The catalogue that it was made of.
    pub fn catalog(&self) -> &Catalog {
        &self.compiled.catalog
    }

    /// Classifies one event.
    pub fn classify<'e>(&self, event: impl Into<Event<'e>>) -> Verdict {
        self.classify_with(&event.into(), &mut Scratch::default())
    }

    /// The same with working space of the caller's, which saves its allocations: for loops.
    ///
    /// ```
    /// use whyerr::{Classifier, Event, Scratch};
    ///
    /// let mut scratch = Scratch::default();
    /// for line in ["all well", "write failed: No space left on device"] {
    ///     let verdict = Classifier::builtin().classify_with(&Event::new(line), &mut scratch);
    ///     println!("{:?}", verdict.category());
    /// }
    /// ```
    pub fn classify_with(&self, event: &Event<'_>, scratch: &mut Scratch) -> Verdict {
        match fast::matches(self.catalog(), self.program(), event, scratch) {
            Some((facts, matches)) if !matches.is_empty() => self.conclude(event, facts, matches),
            _ => Verdict::unclassified(self),
        }
    }

    /// Classifies by the reference engine: every rule, no index, hundreds of times slower, the
    /// same answer. For tests.
    pub fn classify_naive(&self, event: &Event<'_>) -> Verdict {
        let (facts, matches) = naive::matches(self.catalog(), self.program(), event);
        self.conclude(event, facts, matches)
    }

    /// From all matches of an event to its verdict.
    fn conclude(&self, event: &Event<'_>, facts: Facts, mut matches: Vec<Match>) -> Verdict {
        let chain = root::mark(self.catalog(), self.program(), event, &facts, &mut matches);
        let ranking = rank::rank(matches, self.catalog());
        Verdict::new(self, event, facts, ranking, chain)
    }

    /// The whole reasoning for one event: for `whyerr why`, not for loops.
    pub fn why(&self, event: &Event<'_>) -> Why {
        reason::why(self, event)
    }

    /// The literals by which a text becomes a candidate, each with the rules that it stands for.
    /// Empty: the text is passed over at once. For those who write rules: a literal that is found
    /// in healthy lines costs time for nothing.
    pub fn nominators(&self, text: &[u8]) -> Vec<(&[u8], Vec<&str>)> {
        let program = self.program();
        let mut found = std::collections::BTreeSet::new();
        program.index.find(&text.to_ascii_lowercase(), |literal, _, _| {
            if program.nominates(literal) {
                found.insert(literal);
            }
        });
        let rules = |literal: usize| {
            let mut ids: Vec<&str> = Vec::new();
            for used in program.uses.get(literal) {
                if let program::Use::Whole(sig) | program::Use::Part(sig) = used {
                    let rules = program.by_signature.get(sig).into_iter();
                    ids.extend(rules.map(|rule| &*self.catalog().rule_at(rule as usize).id));
                }
            }
            ids
        };
        found.into_iter().map(|literal| (program.index.literal(literal), rules(literal))).collect()
    }

    pub(crate) fn program(&self) -> &Program {
        &self.compiled.program
    }

    /// The literals that make a text a candidate, by the numbers that
    /// [`Scanner::find_literals`](crate::scan::Scanner::find_literals) tells: for `benches/peers`,
    /// no part of the interface.
    #[doc(hidden)]
    pub fn nominating_literals(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let program = self.program();
        (0..program.index.len())
            .filter(|&literal| program.nominates(literal))
            .map(|literal| (literal, program.index.literal(literal)))
    }

    /// Literals in the index and bytes of heap that it uses.
    pub fn index_size(&self) -> (usize, usize) {
        (self.program().index.len(), self.program().index.memory_usage())
    }
}

impl std::fmt::Debug for Classifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Classifier").field("catalog", self.catalog()).finish_non_exhaustive()
    }
}
