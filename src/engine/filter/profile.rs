//! What the input itself says of grams: windows are chosen that it seldom has.

use super::{BIT_TABLE, FOLD, load, long_hash, short_hash, wide_hash};

/// Bits of a hash in a profile, of long grams and of short ones.
pub(super) const PROFILE: u32 = 17;
const SHORT_PROFILE: u32 = 16;

pub(super) fn wide_profile(x: u64) -> usize {
    (wide_hash(x) >> (64 - PROFILE)) as usize
}

/// The same for four bytes.
pub(super) fn short_profile(gram: u32) -> usize {
    short_hash(gram) >> (BIT_TABLE - SHORT_PROFILE)
}

/// How often grams occur in a sample of the input.
pub(crate) struct Profile {
    pub(super) long: Vec<u32>,
    pub(super) wide: Vec<u32>,
    pub(super) short: Vec<u32>,
}

/// So many pieces of so many bytes, spread over the input: the counters stay in the cache.
const PIECES: usize = 16;
const PIECE: usize = 32 << 10;

impl Profile {
    pub(crate) fn new(text: &[u8]) -> Profile {
        let mut profile = Profile {
            long: vec![0; 1 << PROFILE],
            wide: vec![0; 1 << PROFILE],
            short: vec![0; 1 << SHORT_PROFILE],
        };
        let distance = text.len() / PIECES;
        for piece in 0..PIECES {
            let piece = &text[piece * distance..][..distance.min(PIECE)];
            for bytes in piece.windows(8) {
                let x = load(bytes, 0) | FOLD;
                profile.long[long_hash(x, PROFILE)] += 1;
                profile.wide[wide_profile(x)] += 1;
                profile.short[short_profile(x as u32)] += 1;
            }
        }
        profile
    }
}
