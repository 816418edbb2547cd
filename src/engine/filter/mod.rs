//! The filter for bulk input: which places of a chunk have to be looked at at all.
//!
//! A sampled gram filter. The chunk is looked at only at every fourth byte; each literal gives one
//! window so long that exactly one sample falls into each of its occurrences, and every gram that
//! the sample may see there is in a table. No state, no line ends: the samples are independent,
//! and the processor overlaps them. A sample that hits is checked against fingerprints, then
//! against eight bytes, then against the whole literal.
//!
//! Windows are chosen from the input's own bytes ([`Profile`]): the one with the fewest expected
//! hits. Bytes are folded by `| 0x20`, which is coarser than ASCII case and so loses nothing; the
//! last check is exact.
//!
//! Literals come in classes by length, as the samples of one load of eight bytes allow. Long ones
//! (8 bytes and more) are seen at every fourth byte: the wide (11 bytes and more) show eight bytes
//! to each sample, the narrow five. Short ones show four bytes at every second byte, or at every
//! byte if there are some of less than five bytes. A class without literals costs nothing.

mod exact;
mod plan;
mod prints;
mod profile;

use std::ops::Range;

use super::index::{Index, LiteralId};
use exact::{Bucket, Exact, keep};
use prints::PrintTable;
pub(crate) use profile::Profile;

/// Distance of samples.
const STRIDE: usize = 4;
/// A literal that a sample sees begins less than so many bytes behind it.
pub(crate) const AHEAD: usize = STRIDE;
/// Bytes of a gram of each class.
const LONG_GRAM: usize = 5;
const SHORT_GRAM: usize = 4;
/// Shortest literal of the long class.
const LONG: usize = LONG_GRAM + STRIDE - 1;
/// Distance at which short literals are looked for, if all have [`SHORT_GRAM`] and one bytes more.
const SHORT_STRIDE: usize = 2;
/// From this length on, eight bytes of each sample are known, not five.
const WIDE: usize = 8 + STRIDE - 1;
/// Bytes that one round of sampling covers, and what the last sample reads beyond.
pub(crate) const BLOCK: usize = 8192;
const PADDED: usize = BLOCK + 8;
/// From so many hits in a block on, one round in five hits: a branch for each does not pay.
const DENSE: usize = BLOCK / ROUND / 5;
/// Bytes of eight samples.
const ROUND: usize = 8 * STRIDE;
pub(crate) const FOLD: u64 = 0x2020_2020_2020_2020;
/// Odd multipliers with well-spread bits, from the golden ratio and from SplitMix64.
const GRAM_HASH: u64 = 0x9E37_79B9_7F4A_7C15;
const WIDE_HASH: u64 = 0xD6E8_FEB8_6659_FD93;

/// Bits of a hash in the table of short literals.
const BIT_TABLE: u32 = 18;
/// The five bytes of a long gram, hashed.
#[inline(always)]
fn long_hash(x: u64, bits: u32) -> usize {
    (x.wrapping_mul(GRAM_HASH << (64 - 8 * LONG_GRAM)) >> (64 - bits)) as usize
}

#[inline(always)]
fn wide_hash(x: u64) -> u64 {
    x.wrapping_mul(WIDE_HASH)
}

/// The five bytes that a sample knows of a narrow literal.
#[inline(always)]
fn narrow_hash(x: u64) -> u64 {
    (x << (64 - 8 * LONG_GRAM)).wrapping_mul(WIDE_HASH)
}

/// Four bytes, hashed.
#[inline(always)]
fn short_hash(gram: u32) -> usize {
    (gram.wrapping_mul(GRAM_HASH as u32) >> (32 - BIT_TABLE)) as usize
}

#[inline(always)]
pub(crate) fn load(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The same at the end of a text: what is missing reads as zero.
pub(crate) fn load_padded(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    let rest = &bytes[at..];
    let count = rest.len().min(8);
    eight[..count].copy_from_slice(&rest[..count]);
    u64::from_le_bytes(eight)
}

/// See the [module](self).
pub(crate) struct Filter {
    bits: u32,
    /// Long literals, first look: a bit of a cell.
    cells: Box<[u8]>,
    /// Second look, of wide and of narrow ones: tables of their own, for small ones are quick.
    wide_prints: PrintTable,
    narrow_prints: PrintTable,
    has_narrow: bool,
    /// Short literals: a bit for each hash.
    short_bits: Box<[u64; 1 << (BIT_TABLE - 6)]>,
    /// Distance at which short literals are looked for; none: there are none.
    short_stride: Option<usize>,
    /// Which [`SPANS`] of literals a gram may stand in.
    spans: Box<[u16]>,
    span_bits: u32,
    /// Eight bytes of wide literals, and what is known of the others.
    wide: Exact,
    others: Exact,
}

/// Where a gram may stand in up to eight known bytes of a literal: bytes before it, and how many
/// there are. First those of narrow literals, then of short ones.
const SPANS: [(usize, usize); 15] = [
    (0, 8),
    (1, 8),
    (2, 8),
    (3, 8),
    (0, 3),
    (0, 4),
    (0, 5),
    (1, 5),
    (0, 6),
    (1, 6),
    (2, 6),
    (0, 7),
    (1, 7),
    (2, 7),
    (3, 7),
];
const NARROW_SPANS: u16 = 0x000f;
const SHORT_SPANS: u16 = !NARROW_SPANS;

#[inline(always)]
fn span_hash(gram: u64, bits: u32) -> usize {
    (gram.wrapping_mul(GRAM_HASH) >> (64 - bits)) as usize
}

impl Filter {
    /// Calls `hit` with literals and their places that are seen by the samples in `range` of a
    /// chunk, which begins at a multiple of [`BLOCK`]; some are told twice. Those of a line come
    /// before those of the next one. It returns the place from which on it wants to hear of others;
    /// the first is `from`. Returns how many samples were verified.
    pub(crate) fn search(
        &self,
        index: &Index,
        chunk: &[u8],
        range: Range<usize>,
        mut from: usize,
        mut hit: impl FnMut(LiteralId, usize) -> usize,
    ) -> usize {
        let mut samples = [0u16; BLOCK / STRIDE + 8];
        let mut buckets = [Bucket::default(); BLOCK / STRIDE];
        let mut last = [0u8; PADDED];
        let end = range.end.min(chunk.len());
        let (mut base, mut verified, mut dense) = (range.start, 0, false);
        while base < end {
            let block: &[u8; PADDED] = match chunk[base..].first_chunk() {
                Some(block) => block,
                None => {
                    let rest = &chunk[base..];
                    last[rest.len()..].fill(0);
                    last[..rest.len()].copy_from_slice(rest);
                    &last
                }
            };
            let count = self.sample(block, &mut samples, dense);
            dense = count > DENSE;
            // The tables behind are large: the loads of a block's samples overlap here.
            for (&sample, bucket) in samples[..count].iter().zip(&mut buckets) {
                let x = load(block, sample.into()) | FOLD;
                *bucket = self.wide.bucket(x);
            }
            for (&sample, &bucket) in samples[..count].iter().zip(&buckets) {
                let at = base + usize::from(sample);
                // A gram of the sample may begin up to three bytes behind it.
                if at + STRIDE <= from || at >= chunk.len() {
                    continue;
                }
                let x = load(block, sample.into()) | FOLD;
                verified += 1;
                self.verify(chunk, at, x, bucket, &mut |id, start| {
                    let literal = index.literal(id);
                    let whole = chunk.get(start..start + literal.len());
                    if start >= from && whole.is_some_and(|w| w.eq_ignore_ascii_case(literal)) {
                        from = hit(id, start).max(from);
                    }
                    at + STRIDE > from
                });
            }
            base += BLOCK;
        }
        verified
    }

    /// Which samples of a block hit, after the first and the second look. With few literals,
    /// rounds of eight samples without a hit are skipped by one branch, unless hits are `dense`.
    fn sample(
        &self,
        block: &[u8; PADDED],
        samples: &mut [u16; BLOCK / STRIDE + 8],
        dense: bool,
    ) -> usize {
        match (self.bits, dense) {
            (16, false) => self.look::<16, { 1 << 16 }, true>(block, samples),
            (16, true) => self.look::<16, { 1 << 16 }, false>(block, samples),
            (17, false) => self.look::<17, { 1 << 17 }, true>(block, samples),
            (17, true) => self.look::<17, { 1 << 17 }, false>(block, samples),
            _ => self.look::<18, { 1 << 18 }, false>(block, samples),
        }
    }

    #[inline(always)]
    fn look<const BITS: u32, const SIZE: usize, const SKIP: bool>(
        &self,
        block: &[u8; PADDED],
        samples: &mut [u16; BLOCK / STRIDE + 8],
    ) -> usize {
        let cells: &[u8; SIZE] = (&*self.cells).try_into().expect("sized by its bits");
        match self.short_stride {
            None => self.rounds::<BITS, SIZE, SKIP, STRIDE>(cells, block, samples),
            Some(1) => self.rounds::<BITS, SIZE, SKIP, 1>(cells, block, samples),
            Some(_) => self.rounds::<BITS, SIZE, SKIP, SHORT_STRIDE>(cells, block, samples),
        }
    }

    /// `SHORT`: the distance at which short literals are looked for; [`STRIDE`]: not at all.
    #[inline(always)]
    fn rounds<const BITS: u32, const SIZE: usize, const SKIP: bool, const SHORT: usize>(
        &self,
        cells: &[u8; SIZE],
        block: &[u8; PADDED],
        samples: &mut [u16; BLOCK / STRIDE + 8],
    ) -> usize {
        let probe = |x: u64| {
            (cells[long_hash(x, BITS)] >> (wide_hash(x) >> 61) & 1) | self.short::<SHORT>(x)
        };
        let mut count = 0;
        for round in 0..BLOCK / ROUND {
            let start = round * ROUND;
            let bytes: &[u8; ROUND + 8] =
                block[start..].first_chunk().expect("the block is padded");
            let x = |sample: usize| load(bytes, sample * STRIDE) | FOLD;
            if SKIP {
                let mut any = 0;
                for sample in 0..8 {
                    // With few literals it is quicker to look at whole cells first.
                    let x = x(sample);
                    any |= match BITS <= 16 {
                        true => cells[long_hash(x, BITS)] | self.short::<SHORT>(x),
                        false => probe(x),
                    };
                }
                if any == 0 {
                    continue;
                }
            }
            let out: &mut [u16; 8] = samples[count..].first_chunk_mut().expect("room for a round");
            let mut hits = 0;
            for sample in 0..8 {
                // Written always, kept if it hit: no branch to mispredict.
                out[hits & 7] = (start + sample * STRIDE) as u16;
                hits += usize::from(probe(x(sample)));
            }
            count += hits;
        }
        let mut kept = 0;
        for at in 0..count {
            let sample = samples[at];
            samples[kept] = sample;
            let x = load(block, sample.into()) | FOLD;
            kept += usize::from((self.short::<SHORT>(x) != 0) | self.second_look(x));
        }
        kept
    }

    /// 1 if a short literal may be seen by this sample.
    #[inline(always)]
    fn short<const SHORT: usize>(&self, x: u64) -> u8 {
        let mut seen = 0;
        if SHORT < STRIDE {
            for shift in (0..STRIDE).step_by(SHORT) {
                seen |= self.has_short((x >> (8 * shift)) as u32);
            }
        }
        seen
    }

    #[inline(always)]
    fn has_short(&self, gram: u32) -> u8 {
        let at = short_hash(gram);
        (self.short_bits[(at >> 6) & ((1 << (BIT_TABLE - 6)) - 1)] >> (at & 63) & 1) as u8
    }

    #[inline(always)]
    fn second_look(&self, x: u64) -> bool {
        // Other bits than those of the cell.
        let hash = wide_hash(x);
        self.wide_prints.holds(hash << 3, hash >> 27) | (self.has_narrow && self.is_narrow(x))
    }

    #[inline(always)]
    fn is_narrow(&self, x: u64) -> bool {
        let hash = narrow_hash(x);
        self.narrow_prints.holds(hash, hash >> 27)
    }

    /// Calls `found` for each literal that is likely to stand where it is seen by the sample at
    /// `at`, until it returns `false`.
    #[inline(always)]
    fn verify(
        &self,
        chunk: &[u8],
        at: usize,
        x: u64,
        wide: Bucket,
        found: &mut impl FnMut(usize, usize) -> bool,
    ) {
        let mut more = true;
        if self.has_narrow && self.is_narrow(x) {
            more = self.spans(chunk, x << (64 - 8 * LONG_GRAM), NARROW_SPANS, at, found);
        }
        more = more && self.wide.find(chunk, wide, x, at, &mut *found);
        let Some(stride) = self.short_stride else { return };
        for shift in (0..STRIDE).step_by(stride) {
            let gram = (x >> (8 * shift)) as u32;
            if more && self.has_short(gram) != 0 {
                more = self.spans(chunk, gram.into(), SHORT_SPANS, at + shift, found);
            }
        }
    }

    /// The same for literals of one class that have `gram` at `at`.
    fn spans(
        &self,
        chunk: &[u8],
        gram: u64,
        class: u16,
        at: usize,
        found: &mut impl FnMut(usize, usize) -> bool,
    ) -> bool {
        let mut spans = self.spans[span_hash(gram, self.span_bits)] & class;
        while spans != 0 {
            let Some(&(lead, count)) = SPANS.get(spans.trailing_zeros() as usize) else { break };
            spans &= spans - 1;
            let Some(from) = at.checked_sub(lead) else { continue };
            let eight = match chunk.get(from..from + 8) {
                Some(bytes) => load(bytes, 0),
                None => load_padded(chunk, from.min(chunk.len())),
            };
            let key = keep(eight | FOLD, count);
            if !self.others.find(chunk, self.others.bucket(key), key, from, &mut *found) {
                return false;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests;
