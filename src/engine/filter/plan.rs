//! How a filter is made: which window of each literal is looked for.

use super::exact::{Exact, Places};
use super::prints::PrintTable;
use super::profile::{PROFILE, Profile, short_profile, wide_profile};
use super::{
    BIT_TABLE, FOLD, Filter, LONG, LONG_GRAM, SHORT_GRAM, SHORT_STRIDE, SPANS, STRIDE, WIDE, load,
    load_padded, long_hash, narrow_hash, short_hash, span_hash, wide_hash,
};
use crate::engine::index::Index;

impl Filter {
    /// A filter for those literals of `index` that `wanted` names.
    pub(crate) fn new(index: &Index, wanted: impl Fn(usize) -> bool, profile: &Profile) -> Filter {
        let ids: Vec<usize> = (0..index.len()).filter(|&id| wanted(id)).collect();
        let bits = match ids.len() {
            0..=100 => 16,
            101..=1000 => 17,
            _ => 18,
        };
        let lengths = || ids.iter().map(|&id| index.literal(id).len());
        let narrow = lengths().filter(|length| (LONG..WIDE).contains(length)).count();
        let short = lengths().filter(|&length| length < LONG).count();
        let span_bits = (usize::BITS - (8 * (narrow + short)).leading_zeros()).clamp(6, 17);
        let mut filter = Filter {
            bits,
            cells: vec![0; 1 << bits].into(),
            wide_prints: PrintTable::new(STRIDE * (ids.len() - narrow - short)),
            narrow_prints: PrintTable::new(STRIDE * narrow),
            has_narrow: narrow > 0,
            short_bits: Box::new([0; 1 << (BIT_TABLE - 6)]),
            short_stride: lengths().filter(|&length| length < LONG).min().map(|shortest| {
                if shortest < SHORT_GRAM + SHORT_STRIDE - 1 { 1 } else { SHORT_STRIDE }
            }),
            spans: vec![0; 1 << span_bits].into(),
            span_bits,
            wide: Exact::default(),
            others: Exact::default(),
        };
        // Where windows are equally rare in the input, the one that fewest literals have is taken.
        let mut shared = vec![0u32; 1 << PROFILE];
        for bytes in ids.iter().flat_map(|&id| index.literal(id).windows(8)) {
            shared[wide_profile(load(bytes, 0) | FOLD)] += 1;
        }
        let (mut wide, mut others) = (Places::default(), Places::default());
        for id in ids {
            let folded: Vec<u8> = index.literal(id).iter().map(|byte| byte | 0x20).collect();
            match folded.len() {
                WIDE.. => filter.add_wide(id, &folded, (profile, &shared), &mut wide),
                LONG.. => filter.add_narrow(id, &folded, profile, &mut others),
                _ => filter.add_short(id, &folded, profile, &mut others),
            }
        }
        filter.wide = Exact::new(wide);
        filter.others = Exact::new(others);
        filter
    }

    fn add_wide(
        &mut self,
        id: usize,
        folded: &[u8],
        (profile, shared): (&Profile, &[u32]),
        places: &mut Places,
    ) {
        let cost = |at: usize| {
            let x = load(folded, at);
            let (gram, wide) = (long_hash(x, PROFILE), wide_profile(x));
            // A long gram passes one look in eight; what passes costs more.
            let expected = u64::from(profile.long[gram]) + 8 * u64::from(profile.wide[wide]);
            64 * expected + u64::from(shared[wide])
        };
        let first = rarest(folded.len() - WIDE, STRIDE, cost);
        for offset in first..first + STRIDE {
            let x = load(folded, offset);
            let hash = wide_hash(x);
            self.cells[long_hash(x, self.bits)] |= 1 << (hash >> 61);
            self.wide_prints.add(hash << 3, hash >> 27);
            places.add(id, folded, offset, 8);
        }
    }

    fn add_narrow(&mut self, id: usize, folded: &[u8], profile: &Profile, places: &mut Places) {
        let cost = |at: usize| u64::from(profile.long[long_hash(load_padded(folded, at), PROFILE)]);
        let first = rarest(folded.len() - LONG, STRIDE, cost);
        for offset in first..first + STRIDE {
            let x = load_padded(folded, offset);
            self.cells[long_hash(x, self.bits)] = 0xff;
            let hash = narrow_hash(x);
            self.narrow_prints.add(hash, hash >> 27);
            self.add_span(x << (64 - 8 * LONG_GRAM), id, folded, offset, places);
        }
    }

    fn add_short(&mut self, id: usize, folded: &[u8], profile: &Profile, places: &mut Places) {
        let grams = self.short_stride.unwrap_or(1);
        let mut add = |gram: u32, offset: usize| {
            let at = short_hash(gram);
            self.short_bits[at >> 6] |= 1 << (at & 63);
            self.add_span(gram.into(), id, folded, offset, places);
        };
        if folded.len() < SHORT_GRAM {
            // Whatever byte follows.
            let start = load_padded(folded, 0) as u32;
            (0..=0xff).filter(|byte| byte & 0x20 != 0).for_each(|byte| add(start | byte << 24, 0));
            return;
        }
        let gram = |at: usize| load_padded(folded, at) as u32;
        let cost = |at: usize| u64::from(profile.short[short_profile(gram(at))]);
        let first = rarest(folded.len() - (SHORT_GRAM + grams - 1), grams, cost);
        (first..first + grams).for_each(|offset| add(gram(offset), offset));
    }

    /// A gram that stands at `offset` of a literal of which eight bytes around it are looked at, or
    /// all.
    fn add_span(
        &mut self,
        gram: u64,
        id: usize,
        folded: &[u8],
        offset: usize,
        places: &mut Places,
    ) {
        let before = offset.min(folded.len().saturating_sub(8));
        let count = (folded.len() - before).min(8);
        let span = SPANS.iter().position(|&span| span == (offset - before, count));
        debug_assert!(span.is_some(), "a literal of a class has one of its spans");
        self.spans[span_hash(gram, self.span_bits)] |= 1 << span.unwrap_or(0);
        places.add(id, folded, before, count);
    }
}

/// The start of the window whose `grams` grams cost least; windows start at 0 to `last`.
fn rarest(last: usize, grams: usize, cost: impl Fn(usize) -> u64) -> usize {
    let window = |start: usize| (start..start + grams).map(&cost).sum::<u64>();
    // Where a window stands is kept in 16 bits.
    let last = last.min(usize::from(u16::MAX) - 2 * STRIDE);
    (0..=last).min_by_key(|&start| window(start)).unwrap_or(0)
}
