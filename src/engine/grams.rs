//! Lists of entries by a gram.

use serde::{Deserialize, Serialize};

use crate::frozen::{Column, Word, Words};

/// Entries under grams of up to eight bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(bound(serialize = "", deserialize = "'de: 'static"))]
pub(crate) struct Grams<E: Word> {
    /// Where the entries of a bucket begin; one more than there are buckets.
    heads: Column<u32>,
    /// Sorted by gram within a bucket.
    grams: Column<u64>,
    entries: Column<E>,
}

impl<E: Word> Default for Grams<E> {
    fn default() -> Grams<E> {
        Grams {
            heads: [0, 0].into_iter().collect(),
            grams: Column::default(),
            entries: Column::default(),
        }
    }
}

fn bucket(gram: u64, bits: u32) -> usize {
    // 2^64 / golden ratio. The shift is at most 63: there are two buckets at least.
    (gram.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
}

impl<E: Word> Grams<E> {
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
        let (grams, entries) = list.into_iter().unzip();
        Grams { heads: heads.into_iter().collect(), grams, entries }
    }

    /// The entries of one gram.
    #[inline]
    pub(crate) fn get(&self, gram: u64) -> Words<'_, E> {
        let heads = self.heads.words();
        let bits = (heads.len() - 1).trailing_zeros();
        if bits == 0 {
            return Words::default();
        }
        let at = bucket(gram, bits);
        let (first, last) = (heads.at(at) as usize, heads.at(at + 1) as usize);
        let mut grams = self.grams.words().part(first..last).into_iter();
        let Some(skip) = grams.position(|known| known == gram) else { return Words::default() };
        let count = 1 + grams.take_while(|&known| known == gram).count();
        self.entries.words().part(first + skip..first + skip + count)
    }

    /// Bytes of heap.
    pub(crate) fn memory_usage(&self) -> usize {
        self.heads.memory_usage() + self.grams.memory_usage() + self.entries.memory_usage()
    }
}
