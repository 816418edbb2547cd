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
//! Literals come in three classes by length, as the samples of one load of eight bytes allow:
//! long ones (8 bytes and more) are seen at every fourth byte, short ones (5 to 7) at every
//! second, tiny ones (3 and 4) at every byte. A class without literals costs nothing.

use super::grams::Grams;
use super::index::Index;

/// Distance of samples.
const STRIDE: usize = 4;
/// Bytes of a gram of each class.
const LONG_GRAM: usize = 5;
const SHORT_GRAM: usize = 4;
const TINY_GRAM: usize = 3;
/// Shortest literal of each class.
const LONG: usize = LONG_GRAM + STRIDE - 1;
const SHORT: usize = SHORT_GRAM + 1;
/// From this length on, eight bytes of each sample are known, not five.
const WIDE: usize = 8 + STRIDE - 1;
/// Bytes that one round of sampling covers, and what the last sample reads beyond.
const BLOCK: usize = 8192;
const PADDED: usize = BLOCK + 8;
const FOLD: u64 = 0x2020_2020_2020_2020;
/// Odd multipliers with well-spread bits, from the golden ratio and from SplitMix64.
const GRAM_HASH: u64 = 0x9E37_79B9_7F4A_7C15;
const WIDE_HASH: u64 = 0xD6E8_FEB8_6659_FD93;

/// Bits of a hash in the tables of short and tiny literals: with thousands of them one look in
/// twenty is wrong.
const BIT_TABLE: u32 = 18;
/// Bits of a hash in a profile, of long grams and of small ones.
const PROFILE: u32 = 17;
const SMALL_PROFILE: u32 = 16;

/// The five bytes of a long gram, hashed.
#[inline(always)]
fn long_hash(x: u64, bits: u32) -> usize {
    (x.wrapping_mul(GRAM_HASH << (64 - 8 * LONG_GRAM)) >> (64 - bits)) as usize
}

#[inline(always)]
fn wide_hash(x: u64) -> u64 {
    x.wrapping_mul(WIDE_HASH)
}

/// Four or three bytes, hashed.
#[inline(always)]
fn small_hash(gram: u32) -> usize {
    (gram.wrapping_mul(GRAM_HASH as u32) >> (32 - BIT_TABLE)) as usize
}

/// The same for a profile.
fn small_profile(gram: u32) -> usize {
    small_hash(gram) >> (BIT_TABLE - SMALL_PROFILE)
}

#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

/// The same at the end of a text: what is missing reads as zero.
fn load_padded(bytes: &[u8], at: usize) -> u64 {
    let mut eight = [0; 8];
    let rest = &bytes[at..];
    let count = rest.len().min(8);
    eight[..count].copy_from_slice(&rest[..count]);
    u64::from_le_bytes(eight)
}

fn tiny(x: u64) -> u32 {
    x as u32 & 0x00ff_ffff
}

/// How often grams occur in a sample of the input.
pub(crate) struct Profile {
    long: Vec<u32>,
    wide: Vec<u32>,
    /// Grams of four bytes, and of three.
    short: Vec<u32>,
    tiny: Vec<u32>,
}

/// So many pieces of so many bytes, spread over the input: the counters stay in the cache.
const PIECES: usize = 16;
const PIECE: usize = 32 << 10;

impl Profile {
    pub(crate) fn new(text: &[u8]) -> Profile {
        let mut profile = Profile {
            long: vec![0; 1 << PROFILE],
            wide: vec![0; 1 << PROFILE],
            short: vec![0; 1 << SMALL_PROFILE],
            tiny: vec![0; 1 << SMALL_PROFILE],
        };
        let distance = text.len() / PIECES;
        for piece in 0..PIECES {
            let piece = &text[piece * distance..][..distance.min(PIECE)];
            for bytes in piece.windows(8) {
                let x = load(bytes, 0) | FOLD;
                profile.long[long_hash(x, PROFILE)] += 1;
                profile.wide[(wide_hash(x) >> (64 - PROFILE)) as usize] += 1;
                profile.short[small_profile(x as u32)] += 1;
                profile.tiny[small_profile(tiny(x))] += 1;
            }
        }
        profile
    }
}

/// One sample that a literal may be seen by.
#[derive(Clone, Copy)]
struct Entry {
    /// Eight folded bytes of the literal that hold the gram, or as many as it has.
    value: u64,
    mask: u64,
    literal: u32,
    /// Bytes of the literal before the gram, and those of them that are in the eight bytes.
    offset: u16,
    lead: u16,
}

impl Entry {
    /// Entries that look at the same bytes of a text.
    fn group(&self) -> (u16, u64) {
        (self.lead, self.mask)
    }
}

/// Entries of one gram by what they look at, each group by value: a gram that thousands of
/// literals have in common costs a few bisections, not thousands of comparisons.
fn grams(mut list: Vec<(u64, Entry)>) -> Grams<Entry> {
    list.sort_by_key(|(_, entry)| (entry.group(), entry.value));
    Grams::new(list)
}

/// See the [module](self).
pub(crate) struct Filter {
    bits: u32,
    /// Long literals, first look: a bit of a cell.
    cells: Box<[u8]>,
    /// Second look: four fingerprints of 16 bits; all ones lets everything through.
    prints: Vec<u64>,
    print_bits: u32,
    long: Grams<Entry>,
    /// Short and tiny literals: a bit for each hash.
    short_bits: Box<[u64; 1 << (BIT_TABLE - 6)]>,
    short: Grams<Entry>,
    tiny_bits: Box<[u64; 1 << (BIT_TABLE - 6)]>,
    tiny: Grams<Entry>,
}

impl Filter {
    /// A filter for those literals of `index` that `wanted` names.
    pub(crate) fn new(index: &Index, wanted: impl Fn(usize) -> bool, profile: &Profile) -> Filter {
        let ids: Vec<usize> = (0..index.len()).filter(|&id| wanted(id)).collect();
        let bits = match ids.len() {
            0..=100 => 15,
            101..=1000 => 17,
            _ => 18,
        };
        let print_bits = (usize::BITS - (ids.len() * STRIDE).leading_zeros()).clamp(7, 19) - 1;
        let mut filter = Filter {
            bits,
            cells: vec![0; 1 << bits].into(),
            prints: vec![0; 1 << print_bits],
            print_bits,
            long: Grams::default(),
            short_bits: Box::new([0; 1 << (BIT_TABLE - 6)]),
            short: Grams::default(),
            tiny_bits: Box::new([0; 1 << (BIT_TABLE - 6)]),
            tiny: Grams::default(),
        };
        let (mut long, mut short, mut tiny) = (Vec::new(), Vec::new(), Vec::new());
        for id in ids {
            let folded: Vec<u8> = index.literal(id).iter().map(|byte| byte | 0x20).collect();
            match folded.len() {
                LONG.. => filter.add_long(id, &folded, profile, &mut long),
                SHORT.. => filter.add_short(id, &folded, profile, &mut short),
                _ => filter.add_tiny(id, &folded, profile, &mut tiny),
            }
        }
        filter.long = grams(long);
        filter.short = grams(short);
        filter.tiny = grams(tiny);
        filter
    }

    fn add_long(
        &mut self,
        id: usize,
        folded: &[u8],
        profile: &Profile,
        grams: &mut Vec<(u64, Entry)>,
    ) {
        let wide = folded.len() >= WIDE;
        let window = if wide { WIDE } else { LONG };
        let cost = |at: usize| {
            let x = load_padded(folded, at);
            let gram = u64::from(profile.long[long_hash(x, PROFILE)]);
            match wide {
                // A long gram passes one look in eight; what passes costs more.
                true => {
                    gram + 8 * u64::from(profile.wide[(wide_hash(x) >> (64 - PROFILE)) as usize])
                }
                false => 8 * gram,
            }
        };
        let first = rarest(folded.len() - window, STRIDE, cost);
        for offset in first..first + STRIDE {
            let x = load_padded(folded, offset);
            let hash = wide_hash(x);
            self.cells[long_hash(x, self.bits)] |= if wide { 1 << (hash >> 61) } else { 0xff };
            let bucket = &mut self.prints[long_hash(x, self.print_bits)];
            let print = fingerprint(hash);
            let lane = (0..4).find(|lane| {
                let old = *bucket >> (16 * lane) & 0xffff;
                old == 0 || old == print
            });
            match lane {
                Some(lane) if wide && *bucket != u64::MAX => *bucket |= print << (16 * lane),
                _ => *bucket = u64::MAX,
            }
            grams.push((x << (64 - 8 * LONG_GRAM), entry(id, folded, offset)));
        }
    }

    fn add_short(
        &mut self,
        id: usize,
        folded: &[u8],
        profile: &Profile,
        grams: &mut Vec<(u64, Entry)>,
    ) {
        let cost =
            |at: usize| u64::from(profile.short[small_profile(load_padded(folded, at) as u32)]);
        let first = rarest(folded.len() - SHORT, 2, cost);
        for offset in first..first + 2 {
            let gram = load_padded(folded, offset) as u32;
            set(&mut self.short_bits, small_hash(gram));
            grams.push((gram.into(), entry(id, folded, offset)));
        }
    }

    fn add_tiny(
        &mut self,
        id: usize,
        folded: &[u8],
        profile: &Profile,
        grams: &mut Vec<(u64, Entry)>,
    ) {
        let cost =
            |at: usize| u64::from(profile.tiny[small_profile(tiny(load_padded(folded, at)))]);
        let offset = rarest(folded.len() - TINY_GRAM, 1, cost);
        let gram = tiny(load_padded(folded, offset));
        set(&mut self.tiny_bits, small_hash(gram));
        grams.push((gram.into(), entry(id, folded, offset)));
    }

    /// Calls `hit` with the places of literals, ascending by where they were seen; it returns the
    /// place from which on it wants to hear of others. Returns how many samples were verified.
    pub(crate) fn search(
        &self,
        index: &Index,
        chunk: &[u8],
        mut hit: impl FnMut(usize) -> usize,
    ) -> usize {
        let mut samples = [0u16; BLOCK / STRIDE + 8];
        let mut last = [0u8; PADDED];
        let (mut base, mut from, mut verified) = (0, 0, 0);
        while base < chunk.len() {
            let block: &[u8; PADDED] = match chunk[base..].first_chunk() {
                Some(block) => block,
                None => {
                    let rest = &chunk[base..];
                    last[rest.len()..].fill(0);
                    last[..rest.len()].copy_from_slice(rest);
                    &last
                }
            };
            let count = self.sample(block, &mut samples);
            for &sample in &samples[..count] {
                let at = base + usize::from(sample);
                // A gram of the sample may begin up to three bytes behind it.
                if at + STRIDE <= from || at >= chunk.len() {
                    continue;
                }
                let x = load(block, sample.into()) | FOLD;
                verified += 1;
                if let Some(place) = self.verify(index, chunk, at, x, from) {
                    from = hit(place).max(from);
                }
            }
            base += BLOCK;
        }
        verified
    }

    /// Which samples of a block hit, after the first and the second look.
    fn sample(&self, block: &[u8; PADDED], samples: &mut [u16; BLOCK / STRIDE + 8]) -> usize {
        match self.bits {
            // With few literals, rounds of eight samples without a hit are skipped by one branch.
            15 => self.look::<15, { 1 << 15 }, true>(block, samples),
            17 => self.look::<17, { 1 << 17 }, true>(block, samples),
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
        match (self.short.is_empty(), self.tiny.is_empty()) {
            (true, true) => self.rounds::<BITS, SIZE, SKIP, 0>(cells, block, samples),
            (false, true) => self.rounds::<BITS, SIZE, SKIP, 1>(cells, block, samples),
            (_, false) => self.rounds::<BITS, SIZE, SKIP, 2>(cells, block, samples),
        }
    }

    /// `CLASSES`: 0 long literals alone, 1 short ones too, 2 all.
    #[inline(always)]
    fn rounds<const BITS: u32, const SIZE: usize, const SKIP: bool, const CLASSES: usize>(
        &self,
        cells: &[u8; SIZE],
        block: &[u8; PADDED],
        samples: &mut [u16; BLOCK / STRIDE + 8],
    ) -> usize {
        let probe = |x: u64| {
            (cells[long_hash(x, BITS)] >> (wide_hash(x) >> 61) & 1) | self.small::<CLASSES>(x)
        };
        let mut count = 0;
        for round in 0..BLOCK / (8 * STRIDE) {
            let start = round * 8 * STRIDE;
            let x = |sample: usize| load(block, start + sample * STRIDE) | FOLD;
            if SKIP {
                let mut any = 0;
                for sample in 0..8 {
                    any |= probe(x(sample));
                }
                if any == 0 {
                    continue;
                }
            }
            for sample in 0..8 {
                // Written always, kept if it hit: no branch to mispredict.
                samples[count] = (start + sample * STRIDE) as u16;
                count += usize::from(probe(x(sample)));
            }
        }
        let mut kept = 0;
        for at in 0..count {
            let sample = samples[at];
            samples[kept] = sample;
            let x = load(block, sample.into()) | FOLD;
            kept += usize::from(self.small::<CLASSES>(x) != 0 || self.second_look(x));
        }
        kept
    }

    /// 1 if a short or tiny literal may be seen by this sample.
    #[inline(always)]
    fn small<const CLASSES: usize>(&self, x: u64) -> u8 {
        let mut seen = 0;
        if CLASSES >= 1 {
            seen |= bit(&self.short_bits, small_hash(x as u32))
                | bit(&self.short_bits, small_hash((x >> 16) as u32));
        }
        if CLASSES >= 2 {
            for shift in [0, 8, 16, 24] {
                seen |= bit(&self.tiny_bits, small_hash(tiny(x >> shift)));
            }
        }
        seen
    }

    #[inline(always)]
    fn second_look(&self, x: u64) -> bool {
        let bucket = self.prints[long_hash(x, self.print_bits)];
        // Whether one of the four lanes equals the fingerprint: the classic test for a zero lane.
        let lanes = bucket ^ fingerprint(wide_hash(x)).wrapping_mul(0x0001_0001_0001_0001);
        let zero = lanes.wrapping_sub(0x0001_0001_0001_0001) & !lanes & 0x8000_8000_8000_8000;
        (zero != 0) | (bucket == u64::MAX)
    }

    /// Where the first literal begins that is seen by the sample at `at` and ends behind `from`.
    fn verify(&self, index: &Index, chunk: &[u8], at: usize, x: u64, from: usize) -> Option<usize> {
        let whole = |entry: &Entry, at: usize| {
            let start = at.checked_sub(entry.offset.into()).filter(|&start| start >= from)?;
            let literal = index.literal(entry.literal as usize);
            let found = chunk.get(start..start + literal.len())?;
            found.eq_ignore_ascii_case(literal).then_some(start)
        };
        let check = |grams: &Grams<Entry>, gram: u64, at: usize| {
            let mut entries = grams.get(gram);
            while let Some(first) = entries.first() {
                let key = first.group();
                let same = entries.partition_point(|entry| entry.group() == key);
                let (group, rest) = entries.split_at(same);
                entries = rest;
                let Some(eight) = at.checked_sub(first.lead.into()) else { continue };
                let text = match chunk.get(eight..eight + 8) {
                    Some(bytes) => load(bytes, 0),
                    None => load_padded(chunk, eight.min(chunk.len())),
                };
                let text = (text | FOLD) & first.mask;
                let equal = &group[group.partition_point(|entry| entry.value < text)..];
                let mut equal = equal.iter().take_while(|entry| entry.value == text);
                if let Some(start) = equal.find_map(|entry| whole(entry, at)) {
                    return Some(start);
                }
            }
            None
        };
        // The tables of entries are large: no look into one that a bit can save.
        let mut found = None;
        if self.second_look(x) {
            found = check(&self.long, x << (64 - 8 * LONG_GRAM), at);
        }
        if !self.short.is_empty() {
            for shift in [0, 2] {
                let gram = (x >> (8 * shift)) as u32;
                if found.is_none() && bit(&self.short_bits, small_hash(gram)) != 0 {
                    found = check(&self.short, gram.into(), at + shift);
                }
            }
        }
        if !self.tiny.is_empty() {
            for shift in 0..STRIDE {
                let gram = tiny(x >> (8 * shift));
                if found.is_none() && bit(&self.tiny_bits, small_hash(gram)) != 0 {
                    found = check(&self.tiny, gram.into(), at + shift);
                }
            }
        }
        found
    }
}

/// The start of the window whose `grams` grams cost least; windows start at 0 to `last`.
fn rarest(last: usize, grams: usize, cost: impl Fn(usize) -> u64) -> usize {
    let window = |start: usize| (start..start + grams).map(&cost).sum::<u64>();
    // Where a window stands is kept in 16 bits.
    let last = last.min(usize::from(u16::MAX) - 2 * STRIDE);
    (0..=last).min_by_key(|&start| window(start)).unwrap_or(0)
}

fn entry(id: usize, folded: &[u8], offset: usize) -> Entry {
    let lead = offset.min(folded.len().saturating_sub(8));
    let count = (folded.len() - lead).min(8);
    let mask = if count == 8 { u64::MAX } else { (1 << (8 * count)) - 1 };
    Entry {
        value: load_padded(folded, lead) & mask,
        mask,
        literal: id as u32,
        offset: offset as u16,
        lead: (offset - lead) as u16,
    }
}

/// Never 0, which is an empty lane, and never all ones.
#[inline(always)]
fn fingerprint(hash: u64) -> u64 {
    (hash >> 45 & 0xffff).clamp(1, 0xfffe)
}

#[inline(always)]
fn bit(bits: &[u64; 1 << (BIT_TABLE - 6)], at: usize) -> u8 {
    (bits[(at >> 6) & ((1 << (BIT_TABLE - 6)) - 1)] >> (at & 63) & 1) as u8
}

fn set(bits: &mut [u64; 1 << (BIT_TABLE - 6)], at: usize) {
    bits[at >> 6] |= 1 << (at & 63);
}
