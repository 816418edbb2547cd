//! Where up to eight bytes of literals stand: the filter's last table before the literals.

use super::{FOLD, load_padded};

/// From so many entries of one key on, they are bisected rather than tried in turn.
const MANY: usize = 8;

/// No four folded bytes.
const NO_TAIL: u32 = 0;

/// A place in a literal.
#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The bytes that stand there, folded, as many as the caller looks at.
    key: u64,
    /// The last four bytes of the literal, folded, unless it is shorter.
    tail: u32,
    literal: u32,
    /// Bytes of the literal before the place and from it on.
    before: u16,
    rest: u16,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(crate) struct Exact {
    bits: u32,
    /// Where the entries of a bucket begin; one more than there are buckets.
    heads: Box<[u32]>,
    /// Those of one key lie together, sorted by `rest` and `tail`.
    entries: Box<[Entry]>,
}

#[inline(always)]
fn bucket(key: u64, bits: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
}

/// Where the entries of a key may be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    first: u32,
    last: u32,
}

/// Collects places of literals.
#[derive(Default)]
pub(crate) struct Places(Vec<Entry>);

impl Places {
    /// `folded` is the literal; `count` bytes from `before` on are the key. The same place twice in a
    /// row is one.
    pub(crate) fn add(&mut self, literal: usize, folded: &[u8], before: usize, count: usize) {
        let same =
            |entry: &Entry| entry.literal as usize == literal && entry.before as usize == before;
        if self.0.last().is_some_and(same) {
            return;
        }
        let known = folded.len().min(usize::from(u16::MAX));
        self.0.push(Entry {
            key: keep(load_padded(folded, before), count),
            tail: match known.checked_sub(4) {
                Some(from) => load_padded(folded, from) as u32,
                None => NO_TAIL,
            },
            literal: literal as u32,
            before: before as u16,
            rest: (known - before) as u16,
        });
    }
}

/// The first `count` bytes, which are one to eight.
#[inline(always)]
pub(crate) fn keep(eight: u64, count: usize) -> u64 {
    eight & u64::MAX >> (64 - 8 * count)
}

impl Exact {
    pub(crate) fn new(Places(mut entries): Places) -> Exact {
        let bits = (usize::BITS - entries.len().leading_zeros()).clamp(2, 20) - 1;
        entries.sort_unstable_by_key(|e| (bucket(e.key, bits), e.key, e.rest, e.tail, e.literal));
        let mut heads = vec![0u32; (1 << bits) + 1].into_boxed_slice();
        for entry in &entries {
            heads[bucket(entry.key, bits) + 1] += 1;
        }
        for at in 1..heads.len() {
            heads[at] += heads[at - 1];
        }
        Exact { bits, heads, entries: entries.into() }
    }

    /// Where the entries of a key may be.
    #[inline(always)]
    pub(crate) fn bucket(&self, key: u64) -> Bucket {
        let at = bucket(key, self.bits);
        let (first, last) = (self.heads[at], self.heads[at + 1]);
        // Most buckets hold one key: a bucket of others is passed over without a branch.
        let other = self.entries.get(first as usize).is_some_and(|entry| entry.key != key);
        let last = if (last - first == 1) & other { first } else { last };
        Bucket { first, last }
    }

    /// The entries of `key` in its bucket.
    #[inline(always)]
    fn get(&self, bucket: Bucket, key: u64) -> &[Entry] {
        let bucket = &self.entries[bucket.first as usize..bucket.last as usize];
        if bucket.len() <= MANY {
            let first = bucket.iter().take_while(|entry| entry.key != key).count();
            let count = bucket[first..].iter().take_while(|entry| entry.key == key).count();
            return &bucket[first..first + count];
        }
        let first = bucket.partition_point(|entry| entry.key < key);
        let count = bucket[first..].partition_point(|entry| entry.key == key);
        &bucket[first..first + count]
    }

    /// Calls `found(literal, start)` for the literals that may stand with these bytes at `at` of
    /// the text, until it returns `false`: their last bytes are there too, the rest is not compared.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        text: &[u8],
        bucket: Bucket,
        key: u64,
        at: usize,
        mut found: impl FnMut(usize, usize) -> bool,
    ) -> bool {
        // Most buckets hold one key; entries of one key are sorted by `rest` and `tail`.
        let mut entries = self.get(bucket, key);
        while let Some(&first) = entries.first() {
            let end = at + usize::from(first.rest);
            let tail = end.checked_sub(4).and_then(|from| text.get(from..end)?.first_chunk());
            let tail = tail.map_or(NO_TAIL, |&four| u32::from_le_bytes(four) | FOLD as u32);
            let many = entries.len() > MANY;
            let group = match many {
                true => entries.partition_point(|entry| entry.rest == first.rest),
                false => 1,
            };
            let (mut group, others) = entries.split_at(group);
            entries = others;
            if first.tail != NO_TAIL {
                if many {
                    group = &group[group.partition_point(|entry| entry.tail < tail)..];
                    group = &group[..group.partition_point(|entry| entry.tail == tail)];
                } else if first.tail != tail {
                    continue;
                }
            }
            for entry in group {
                let Some(start) = at.checked_sub(entry.before.into()) else { continue };
                if !found(entry.literal as usize, start) {
                    return false;
                }
            }
        }
        true
    }
}
