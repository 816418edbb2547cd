//! Which three-byte pieces a text holds: a cheap "certainly not" before a costly search.
//!
//! Nearly all searches for a regex or an excluded phrase end without a match, and cost a cold table
//! of states each. What such a signature needs (sets of strings, one of each set) is frozen as
//! hashes of its pieces, so that asking costs a few bits of one small table.

use crate::frozen::{Column, Words};

/// Hashes of one string that are asked for at most.
const MAX_PIECES: usize = 6;
/// Bits for each byte of text, and sizes of the table as powers of two.
const BITS_PER_BYTE: usize = 16;
const SMALLEST: u32 = 12;
const LARGEST: u32 = 16;

/// The pieces of a text.
#[derive(Debug, Default)]
pub(crate) struct Trigrams {
    bits: Vec<u64>,
    /// How much of a hash is not used.
    shift: u32,
}

fn hash(piece: &[u8]) -> u16 {
    hash_of(u32::from_le_bytes([piece[0], piece[1], piece[2], 0]))
}

/// The same of the three lower bytes of a number; the fourth is zero.
#[inline(always)]
fn hash_of(piece: u32) -> u16 {
    // 2^32 / golden ratio.
    (piece.wrapping_mul(0x9E37_79B9) >> 16) as u16
}

/// Sets of strings in lower case as a list of numbers: for each set how many strings, for each
/// string how many hashes, and the hashes.
pub(crate) fn encode<'s>(sets: impl IntoIterator<Item = &'s [Vec<u8>]>) -> Column<u16> {
    let mut out = Column::default();
    for set in sets {
        out.push(set.len() as u16);
        for string in set {
            let pieces = string.len().saturating_sub(2);
            let step = pieces.div_ceil(MAX_PIECES).max(1);
            let hashes: Vec<u16> = string.windows(3).step_by(step).map(hash).collect();
            out.push(hashes.len() as u16);
            out.extend(hashes);
        }
    }
    out
}

impl Trigrams {
    /// Empties the table for texts of so many bytes together.
    pub(crate) fn begin(&mut self, bytes: usize) {
        let wanted = (bytes * BITS_PER_BYTE).next_power_of_two().trailing_zeros();
        let size = wanted.clamp(SMALLEST, LARGEST);
        self.shift = 16 - size;
        self.bits.clear();
        self.bits.resize(1 << (size - 6), 0);
    }

    /// Adds the pieces of a text in lower case.
    pub(crate) fn add(&mut self, lower: &[u8]) {
        // The mask changes nothing but that no bounds are left to check.
        let (last, shift) = (self.bits.len().saturating_sub(1), self.shift);
        let mut note = |piece: u32| {
            let bit = usize::from(hash_of(piece) >> shift);
            self.bits[(bit / 64) & last] |= 1 << (bit % 64);
        };
        // One load of four bytes is less than three of one.
        for four in lower.windows(4) {
            let four = four.try_into().map(u32::from_le_bytes).unwrap_or_default();
            note(four & 0x00FF_FFFF);
        }
        if let Some(&[a, b, c]) = lower.last_chunk() {
            note(u32::from_le_bytes([a, b, c, 0]));
        }
    }

    /// Whether one string of each set may be there; `needs` comes from [`encode`].
    pub(crate) fn may_hold(&self, mut needs: Words<'_, u16>) -> bool {
        while let Some((strings, rest)) = needs.split_first() {
            needs = rest;
            let mut any = false;
            for _ in 0..strings {
                let Some((count, rest)) = needs.split_first() else { return true };
                let (hashes, rest) = rest.split_at(count.into());
                needs = rest;
                any = any || hashes.into_iter().all(|hash| self.is_set(hash));
            }
            if !any {
                return false;
            }
        }
        true
    }

    fn is_set(&self, hash: u16) -> bool {
        let bit = usize::from(hash >> self.shift);
        self.bits[bit / 64] >> (bit % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may_hold(text: &str, sets: &[&[&str]]) -> bool {
        let sets: Vec<Vec<Vec<u8>>> =
            sets.iter().map(|set| set.iter().map(|s| s.as_bytes().to_vec()).collect()).collect();
        let mut trigrams = Trigrams::default();
        trigrams.begin(text.len());
        trigrams.add(text.as_bytes());
        trigrams.may_hold(encode(sets.iter().map(Vec::as_slice)).words())
    }

    #[test]
    fn one_of_each_set_must_be_there() {
        let text = "connection to db-1 lost after 3 s";
        assert!(may_hold(text, &[]));
        assert!(may_hold(text, &[&["connection "], &["broken", "lost"]]));
        assert!(!may_hold(text, &[&["connection "], &["broken", "refused"]]));
        assert!(!may_hold(text, &[&["a longer string than six pieces"]]));
        assert!(may_hold("a longer string than six pieces", &[&["longer string than six"]]));
    }
}
