//! The automaton over all literals, behind one private type.
//!
//! Everything that the engine looks for in raw bytes is in here, so that what searches (which
//! automaton, later a filter in front of it) can change without anybody noticing.

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input};

/// Index of a literal in the list that the automaton was built from.
pub(crate) type LiteralId = usize;

/// Finds every occurrence of every literal, overlapping ones too. ASCII letters compare without
/// case, all other bytes exactly.
#[derive(Debug, Clone)]
pub(crate) struct Automaton {
    inner: Option<AhoCorasick>,
}

impl Automaton {
    /// `literals` are not empty and in lower case.
    pub(crate) fn new<L: AsRef<[u8]>>(literals: &[L]) -> Automaton {
        if literals.is_empty() {
            return Automaton { inner: None };
        }
        let inner = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(literals)
            .ok();
        debug_assert!(inner.is_some(), "the limits of a catalogue keep below the automaton's");
        Automaton { inner }
    }

    /// Calls `found(literal, start, end)` for every occurrence, in the order of their ends, until
    /// it returns `false`.
    pub(crate) fn find_all(
        &self,
        text: &[u8],
        mut found: impl FnMut(LiteralId, usize, usize) -> bool,
    ) {
        let Some(inner) = &self.inner else { return };
        // Overlapping: leftmost search silently loses literals that begin inside of another.
        for hit in inner.find_overlapping_iter(Input::new(text)) {
            if !found(hit.pattern().as_usize(), hit.start(), hit.end()) {
                return;
            }
        }
    }

    /// Bytes of heap that the automaton uses.
    pub(crate) fn memory_usage(&self) -> usize {
        self.inner.as_ref().map_or(0, AhoCorasick::memory_usage)
    }
}
