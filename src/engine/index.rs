//! All literals, found in one short text: a table of grams.
//!
//! Each literal is known by one window of four bytes, its rarest; three-byte literals by
//! themselves. A text is looked through at every position: one load, one bit of a table that fits
//! the first-level cache, and only where the bit is set the windows and the literals behind it.
//! Compared with an automaton over the same literals this is built in a hundredth of the time (it
//! is part of the frozen pack anyway), takes less memory and is faster on texts without a hit.

use serde::{Deserialize, Serialize};

use super::grams::Grams;
use crate::frozen::{Column, Lists, Word};

/// Index of a literal in the list that the index was built from.
pub(crate) type LiteralId = usize;

/// Puts `text` in lower case into `lower`.
pub(crate) fn to_lower(text: &[u8], lower: &mut Vec<u8>) {
    lower.clear();
    lower.extend_from_slice(text);
    lower.make_ascii_lowercase();
}

/// Finds every occurrence of every literal, overlapping ones too, in texts that are in lower case.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Index {
    literals: Lists<u8>,
    /// A bit for each hash: some window has it. For windows of four bytes and of three.
    long_bits: Column<u64>,
    short_bits: Column<u64>,
    long: Grams<Window>,
    short: Grams<Window>,
}

/// Where a window stands: the literal, and bytes of it before the window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Window {
    literal: u32,
    offset: u32,
}

impl Word for Window {
    const SIZE: usize = 8;

    fn put(self, out: &mut Vec<u8>) {
        self.literal.put(out);
        self.offset.put(out);
    }

    fn get(bytes: &[u8]) -> Window {
        Window { literal: u32::get(&bytes[..4]), offset: u32::get(&bytes[4..]) }
    }
}

/// Bits of the tables for each window, as a power of two: one look in sixteen is wrong.
const BITS_PER_WINDOW: u32 = 4;
/// Counters for choosing rare windows.
const COUNT_BITS: u32 = 16;

/// 2^32 / golden ratio.
fn hash(gram: u32, bits: u32) -> usize {
    (gram.wrapping_mul(0x9E37_79B9) >> (32 - bits)) as usize
}

fn load(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn load3(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], 0])
}

#[inline]
fn is_set(bits: &[u64], gram: u32) -> bool {
    let bit = hash(gram, (bits.len() * 64).trailing_zeros());
    bits[bit / 64] >> (bit % 64) & 1 != 0
}

fn bits_of(windows: &[(u64, Window)]) -> Vec<u64> {
    let needed = usize::BITS - windows.len().leading_zeros() + BITS_PER_WINDOW;
    let needed = needed.clamp(10, 20);
    let mut bits = vec![0u64; 1 << (needed - 6)];
    for &(gram, _) in windows {
        let bit = hash(gram as u32, needed);
        bits[bit / 64] |= 1 << (bit % 64);
    }
    bits
}

impl Index {
    /// `literals` are in lower case and have three bytes or more.
    pub(crate) fn new<L: AsRef<[u8]>>(literals: &[L]) -> Index {
        let mut counts = vec![0u32; 1 << COUNT_BITS];
        for literal in literals {
            for gram in literal.as_ref().windows(4) {
                counts[hash(load(gram), COUNT_BITS)] += 1;
            }
        }
        let mut list = Lists::default();
        let (mut long, mut short) = (Vec::new(), Vec::new());
        for (id, literal) in literals.iter().enumerate() {
            let literal = literal.as_ref();
            list.push(literal.iter().copied());
            let id = id as u32;
            match literal.len() {
                0..3 => debug_assert!(false, "a literal is too short"),
                3 => short.push((load3(literal).into(), Window { literal: id, offset: 0 })),
                _ => {
                    // What many literals share, many texts hold.
                    let rarest = literal
                        .windows(4)
                        .enumerate()
                        .min_by_key(|(_, gram)| cost(gram, &counts))
                        .map_or(0, |(offset, _)| offset);
                    let window = Window { literal: id, offset: rarest as u32 };
                    long.push((load(&literal[rarest..]).into(), window));
                }
            }
        }
        Index {
            literals: list,
            long_bits: bits_of(&long).into(),
            short_bits: bits_of(&short).into(),
            long: Grams::new(long),
            short: Grams::new(short),
        }
    }

    /// How many literals there are.
    pub(crate) fn len(&self) -> usize {
        self.literals.len()
    }

    pub(crate) fn literal(&self, id: LiteralId) -> &[u8] {
        self.literals.get(id)
    }

    /// Calls `found(literal, start, end)` for every occurrence; those of one literal in the order
    /// of the text.
    pub(crate) fn find(&self, lower: &[u8], mut found: impl FnMut(LiteralId, usize, usize)) {
        let mut check = |grams: &Grams<Window>, gram: u32, at: usize| {
            for window in grams.get(gram.into()) {
                let literal = self.literal(window.literal as usize);
                let Some(start) = at.checked_sub(window.offset as usize) else { continue };
                if lower[start..].starts_with(literal) {
                    found(window.literal as usize, start, start + literal.len());
                }
            }
        };
        for (at, bytes) in lower.windows(4).enumerate() {
            let gram = load(bytes);
            if is_set(&self.long_bits, gram) {
                check(&self.long, gram, at);
            }
            if is_set(&self.short_bits, gram & 0xff_ffff) {
                check(&self.short, gram & 0xff_ffff, at);
            }
        }
        if let Some(last) = lower.len().checked_sub(3) {
            check(&self.short, load3(&lower[last..]), last);
        }
    }

    /// Bytes of heap that the index uses.
    pub(crate) fn memory_usage(&self) -> usize {
        let bits = (self.long_bits.len() + self.short_bits.len()) * 8;
        let grams = self.long.memory_usage() + self.short.memory_usage();
        self.literals.memory_usage() + bits + grams
    }
}

/// How often a window is expected in a text: as often as in other literals; digits, spaces and
/// punctuation fill the columns of every log.
fn cost(gram: &[u8], counts: &[u32]) -> (usize, u32) {
    let blank = gram.iter().filter(|byte| !byte.is_ascii_alphabetic()).count();
    (blank / 2, counts[hash(load(gram), COUNT_BITS)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_occurrence() {
        let literals: [&[u8]; 6] =
            [b"abc", b"abcd", b"bcde", b"cde", b"status=4", "限流了".as_bytes()];
        let index = Index::new(&literals);
        let text = "abcde abcd xabc status=403 限流了cde".as_bytes();
        let mut hits = Vec::new();
        index.find(text, |literal, start, end| {
            assert_eq!(literals[literal], &text[start..end]);
            hits.push((literal, start));
        });
        hits.sort_unstable();
        let mut expected = Vec::new();
        for (id, literal) in literals.iter().enumerate() {
            for start in 0..text.len() {
                if text[start..].starts_with(literal) {
                    expected.push((id, start));
                }
            }
        }
        assert_eq!(hits, expected);
        assert!(hits.len() >= 9);
    }
}
