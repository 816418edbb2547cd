//! Regexes as the engine runs them: programs of a few bytes that need no start-up.
//!
//! Regexes are looked for in the neighbourhood of a literal, once in a while each, and there are
//! thousands of them. What makes a general regex engine fast (automata that are built while they
//! run, a cache of them for each thread) costs more here than all searches together. These programs
//! are made at build time for the built-in pack, are run by backtracking that visits no place
//! twice, and share one small working space for each thread.
//!
//! They match what the crate `regex` matches, of all alternatives the same one: tests hold them
//! to it.
//!
//! Layout: a header, the sets of bytes, the instructions. All numbers are little-endian.

mod compile;
mod first;
mod run;
#[cfg(test)]
mod tests;

use once_cell::sync::OnceCell;
use serde::{Deserialize, Serialize};

pub(crate) use compile::compile;
pub(crate) use run::Pattern;

/// A set that holds every byte, and the end of the text too.
const ANY: u16 = u16::MAX;
/// Bytes of a set.
const SET: usize = 32;
/// Bytes of the header: joins, sets, then for each of the first bytes of a match the set that it is
/// in; all of two bytes. Then the kind of look that a match begins with, plus one; last the smallest
/// of those sets, if it is small: where in a match it stands, how many bytes it holds (0: too many),
/// and these bytes.
const HEADER: usize = 4 + 2 * FIRST + 1 + 2 + NEEDLES;
/// Most bytes that are looked for by `memchr`.
const NEEDLES: usize = 3;
/// First bytes of a match that are looked at before it is tried.
const FIRST: usize = 3;

/// Instructions, with their operands. Two bytes each: sets, joins, counts and targets.
mod op {
    pub(super) const MATCH: u8 = 0;
    /// Length (one byte), bytes in lower case: whatever the case of the text.
    pub(super) const TEXT: u8 = 1;
    /// The same, as it stands.
    pub(super) const EXACT: u8 = 2;
    /// Set.
    pub(super) const CLASS: u8 = 3;
    /// Set, join, guard: any number of bytes of the set, as many as possible.
    pub(super) const STAR: u8 = 4;
    /// The same, as few as possible.
    pub(super) const STAR_LAZY: u8 = 5;
    /// Set, join, guard, least, most.
    pub(super) const RANGE: u8 = 6;
    /// The same, as few as possible.
    pub(super) const RANGE_LAZY: u8 = 7;
    /// Count, then guard and target of each branch, the preferred first.
    pub(super) const BRANCH: u8 = 8;
    /// Target.
    pub(super) const JUMP: u8 = 9;
    /// Kind (one byte).
    pub(super) const LOOK: u8 = 10;
    /// Slot (one byte).
    pub(super) const SAVE: u8 = 11;
    /// Join: goes on only where it has not been before.
    pub(super) const JOIN: u8 = 12;
}

/// What lies around a place.
mod look {
    pub(super) const TEXT_START: u8 = 0;
    pub(super) const TEXT_END: u8 = 1;
    pub(super) const LINE_START: u8 = 2;
    pub(super) const LINE_END: u8 = 3;
    pub(super) const WORD: u8 = 4;
    pub(super) const NOT_WORD: u8 = 5;
    pub(super) const WORD_START: u8 = 6;
    pub(super) const WORD_END: u8 = 7;
    pub(super) const WORD_START_HALF: u8 = 8;
    pub(super) const WORD_END_HALF: u8 = 9;
}

/// A program, once it is made.
pub(crate) type Code = OnceCell<Box<[u8]>>;

/// A program that is read back with the built-in pack, or made on first use.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lazily {
    #[serde(with = "once")]
    code: Code,
}

impl Lazily {
    /// The program of `pattern`; `None` only for what the loader refused already.
    pub(crate) fn get(&self, pattern: &str, case_sensitive: bool) -> Option<Pattern<'_>> {
        let make = || compile(pattern, case_sensitive, true);
        self.code.get_or_try_init(make).ok().map(|code| Pattern::new(code))
    }
}

/// An empty program stands for none.
mod once {
    use once_cell::sync::OnceCell;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        cell: &OnceCell<Box<[u8]>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(cell.get().map_or(&[], |code| code))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<OnceCell<Box<[u8]>>, D::Error> {
        let code = <&'de [u8]>::deserialize(deserializer)?;
        Ok(if code.is_empty() { OnceCell::new() } else { OnceCell::with_value(code.into()) })
    }
}
