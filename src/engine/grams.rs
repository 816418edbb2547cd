//! Lists of entries by a gram.

use serde::{Deserialize, Serialize};

use crate::frozen::{Column, Word};

/// Entries under grams of up to eight bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound = "E: Word")]
pub(crate) struct Grams<E> {
    /// Where the entries of a bucket begin; one more than there are buckets.
    heads: Column<u32>,
    /// Sorted by gram within a bucket.
    grams: Column<u64>,
    entries: Column<E>,
}

impl<E> Default for Grams<E> {
    fn default() -> Grams<E> {
        Grams { heads: vec![0; 2].into(), grams: Column::default(), entries: Column::default() }
    }
}

fn bucket(gram: u64, bits: u32) -> usize {
    // 2^64 / golden ratio. The shift is at most 63: there are two buckets at least.
    (gram.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
}

impl<E> Grams<E> {
    pub(crate) fn new(mut list: Vec<(u64, E)>) -> Grams<E> {
        let bits = (usize::BITS - list.len().leading_zeros()).clamp(1, 20);
        // Stable: entries of one gram keep their order.
        list.sort_by_key(|&(gram, _)| (bucket(gram, bits), gram));
        let mut heads = vec![0u32; (1 << bits) + 1];
        for (gram, _) in &list {
            heads[bucket(*gram, bits) + 1] += 1;
        }
        for at in 1..heads.len() {
            heads[at] += heads[at - 1];
        }
        let (grams, entries): (Vec<_>, Vec<_>) = list.into_iter().unzip();
        Grams { heads: heads.into(), grams: grams.into(), entries: entries.into() }
    }

    /// The entries of one gram.
    #[inline]
    pub(crate) fn get(&self, gram: u64) -> &[E] {
        let bits = (self.heads.len() - 1).trailing_zeros();
        if bits == 0 {
            return &[];
        }
        let at = bucket(gram, bits);
        let (first, last) = (self.heads[at] as usize, self.heads[at + 1] as usize);
        let grams = &self.grams[first..last];
        let Some(skip) = grams.iter().position(|&known| known == gram) else { return &[] };
        let count = grams[skip..].iter().take_while(|&&known| known == gram).count();
        &self.entries[first + skip..][..count]
    }

    /// Bytes of heap.
    pub(crate) fn memory_usage(&self) -> usize {
        self.heads.len() * 4 + self.grams.len() * 8 + self.entries.len() * size_of::<E>()
    }
}
